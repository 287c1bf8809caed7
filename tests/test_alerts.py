"""Alerts of other systems become signals by Alertmanager's rules."""

from __future__ import annotations

import pytest

from pipeline.alerts import RESOLVE_TIMEOUT, SLACK, AlertState, take_alerts
from pipeline.types import Event, Seconds, Signal

LABELS = {"alertname": "HighErrors", "service": "pay", "severity": "critical"}


def alert(time: Seconds = 0.0, until: Seconds | None = None, **labels: str) -> Event:
    return Event("alert", "f1", time, {**LABELS, **labels}, notes={"summary": "errors are up"}, until=until)


def ended(signals: tuple[Signal, ...]) -> list[Seconds | None]:
    return [s.ended for s in signals]


def test_an_alert_is_one_signal_of_its_service() -> None:
    [signal] = take_alerts(AlertState(), [alert(time=5.0)], 10.0)

    assert (signal.kind, signal.service, signal.since, signal.at) == ("alert", "pay", 5.0, 10.0)
    assert signal.reason == "errors are up"
    assert signal.series == 'HighErrors{alertname="HighErrors",service="pay",severity="critical"}'


def test_a_repeat_stays_silent_and_extends_an_alert_without_end() -> None:
    state = AlertState()
    take_alerts(state, [alert()], 0.0)

    assert take_alerts(state, [alert()], 200.0) == ()
    assert take_alerts(state, [], RESOLVE_TIMEOUT) == ()
    assert ended(take_alerts(state, [], 200.0 + RESOLVE_TIMEOUT)) == [200.0 + RESOLVE_TIMEOUT]


@pytest.mark.parametrize(
    ("first", "then", "over"),
    [
        pytest.param(None, None, 310.0, id="no end: the timeout after the last word"),
        pytest.param(60.0, None, 310.0, id="a later guess wins over an earlier end"),
        pytest.param(900.0, None, 900.0, id="an end that was given is not shortened by a guess"),
        pytest.param(900.0, 20.0, 20.0, id="a given end always counts"),
        pytest.param(60.0, 900.0, 900.0, id="a given end extends"),
        pytest.param(None, 60.0, 60.0, id="a given end replaces a guess"),
    ],
)
def test_the_end_of_an_alert_is_merged_as_alertmanager_does(
    first: Seconds | None, then: Seconds | None, over: Seconds
) -> None:
    state = AlertState()
    take_alerts(state, [alert(until=first)], 0.0)
    take_alerts(state, [alert(until=then)], 10.0)

    told = [(s.ended, now) for now in range(11, 1000) for s in take_alerts(state, [], float(now))]

    assert told == [(over, over)]
    assert state.firing == {}


def test_an_end_in_the_past_resolves_at_once() -> None:
    state = AlertState()
    take_alerts(state, [alert(until=100.0)], 0.0)

    assert ended(take_alerts(state, [alert(until=40.0)], 50.0)) == [40.0]


def test_an_alert_that_ended_before_it_was_heard_of_says_nothing() -> None:
    assert take_alerts(AlertState(), [alert(until=5.0)], 10.0) == ()


def test_an_alert_that_fires_again_later_is_another_signal() -> None:
    state = AlertState()
    [first] = take_alerts(state, [alert(time=0.0, until=10.0)], 0.0)
    take_alerts(state, [], 10.0)

    [second] = take_alerts(state, [alert(time=60.0)], 60.0)

    assert first.id != second.id


@pytest.mark.parametrize(
    ("severity", "page"),
    [
        ("critical", True),
        ("page", True),
        ("error", True),
        ("warning", True),
        ("", True),
        ("info", False),
        ("none", False),
        ("INFO", False),
    ],
)
def test_an_alert_notifies_unless_its_severity_says_nobody_needs_to_hear(severity: str, page: bool) -> None:
    [signal] = take_alerts(AlertState(), [alert(severity=severity)], 0.0)

    assert signal.page is page


def test_the_heap_of_ends_does_not_grow_with_repeats() -> None:
    state = AlertState()

    for now in range(1000):
        take_alerts(state, [alert(until=now + 600.0)], float(now))

    assert len(state.due) == 1


def test_the_heap_of_ends_does_not_grow_with_alerts_that_end_early() -> None:
    state = AlertState()

    for now in range(0, 6_000, 2):
        take_alerts(state, [alert(now, until=1e10)], float(now))
        [over] = take_alerts(state, [alert(now, until=now + 1.0)], now + 1.0)
        assert over.ended == now + 1.0

    assert len(state.due) <= SLACK + 2
    assert state.firing == {}
