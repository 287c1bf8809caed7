"""Alerts of other systems become signals by Alertmanager's rules."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import alerts, snapshot
from pipeline.alerts import RESOLVE_TIMEOUT, SHOWN, SLACK, AlertState, take_alerts
from pipeline.types import NO_ALERTS, Alerts, Seconds, Signal
from tests import nouns
from tests.running import state_bytes

LABELS = {"alertname": "HighErrors", "service": "pay", "severity": "critical"}


def alert(time: Seconds = 0.0, until: Seconds | None = None, **labels: str) -> Alerts:
    return nouns.alerts(({**LABELS, **labels}, time, until, "errors are up"))


def ended(signals: tuple[Signal, ...]) -> list[Seconds | None]:
    return [s.ended for s in signals]


def test_an_alert_is_one_signal_of_its_service() -> None:
    [signal] = take_alerts(AlertState(), alert(time=5.0), 10.0)

    assert (signal.kind, signal.service, signal.since, signal.at) == ("alert", "pay", 5.0, 10.0)
    assert signal.reason == "errors are up"
    assert signal.series == 'HighErrors{service="pay"}'


def test_an_alert_that_names_no_service_is_shown_by_its_name() -> None:
    [signal] = take_alerts(AlertState(), alert(alertname="NodeDown", service="", instance="n1"), 10.0)

    assert (signal.service, signal.series) == ("", "NodeDown")


def test_a_repeat_stays_silent_and_extends_an_alert_without_end() -> None:
    state = AlertState()
    take_alerts(state, alert(), 0.0)

    assert take_alerts(state, alert(), 200.0) == ()
    assert take_alerts(state, NO_ALERTS, RESOLVE_TIMEOUT) == ()
    assert ended(take_alerts(state, NO_ALERTS, 200.0 + RESOLVE_TIMEOUT)) == [200.0 + RESOLVE_TIMEOUT]


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
    take_alerts(state, alert(until=first), 0.0)
    take_alerts(state, alert(until=then), 10.0)

    told = [(s.ended, now) for now in range(11, 1000) for s in take_alerts(state, NO_ALERTS, float(now))]

    assert told == [(over, over)]
    assert not state.rows


def test_an_end_in_the_past_resolves_at_once() -> None:
    state = AlertState()
    take_alerts(state, alert(until=100.0), 0.0)

    assert ended(take_alerts(state, alert(until=40.0), 50.0)) == [40.0]


def test_an_alert_that_ended_before_it_was_heard_of_says_nothing() -> None:
    assert take_alerts(AlertState(), alert(until=5.0), 10.0) == ()


def test_an_alert_that_fires_again_later_is_another_signal() -> None:
    state = AlertState()
    [first] = take_alerts(state, alert(time=0.0, until=10.0), 0.0)
    take_alerts(state, NO_ALERTS, 10.0)

    [second] = take_alerts(state, alert(time=60.0), 60.0)

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
    [signal] = take_alerts(AlertState(), alert(severity=severity), 0.0)

    assert signal.page is page


def test_what_waits_for_its_end_does_not_grow_with_repeats() -> None:
    state = AlertState()

    for now in range(1000):
        take_alerts(state, alert(until=now + 600.0), float(now))

    assert sum(map(len, state.due.values())) == 1


def test_what_waits_for_its_end_does_not_grow_with_alerts_that_end_early() -> None:
    state = AlertState()

    for now in range(0, 6_000, 2):
        take_alerts(state, alert(now, until=1e10), float(now))
        [over] = take_alerts(state, alert(now, until=now + 1.0), now + 1.0)
        assert over.ended == now + 1.0

    assert sum(map(len, state.due.values())) <= SLACK + 2
    assert not state.rows


def many(count: int, time: Seconds = 0.0, until: Seconds | None = None, **labels: str) -> Alerts:
    return nouns.alerts(
        *(({**LABELS, "instance": f"i{k}", **labels}, time, until, "errors are up") for k in range(count))
    )


def test_alerts_of_one_name_on_one_service_are_one_signal_until_the_last_is_over() -> None:
    state = AlertState()

    [signal] = take_alerts(state, many(5, until=100.0), 0.0)
    [over] = take_alerts(state, NO_ALERTS, 100.0)

    assert signal.reason == "4 alerts HighErrors, such as: errors are up"
    assert signal.labels == LABELS
    assert (over.id, over.ended) == (signal.id, 100.0)


def test_a_group_is_told_again_when_it_has_doubled() -> None:
    state = AlertState()

    told = [s.observed for k in range(9) for s in take_alerts(state, alert(instance=str(k)), float(k))]

    assert told[1:] == [2.0, 4.0, 8.0]


def test_one_alert_of_many_that_ends_ends_nothing() -> None:
    state = AlertState()
    take_alerts(state, many(2, until=900.0), 0.0)

    assert take_alerts(state, alert(until=5.0, instance="i0"), 10.0) == ()
    assert len(state) == 1


def test_what_alerts_have_not_in_common_is_no_label_of_their_signal() -> None:
    """Else a silence of one instance would silence all."""
    state = AlertState()
    first = take_alerts(state, alert(instance="a", zone="1"), 0.0)
    second = take_alerts(state, alert(instance="b", zone="1"), 1.0)
    take_alerts(state, alert(instance="c", zone="1"), 2.0)

    [third] = take_alerts(AlertState(), alert(instance="a", zone="1"), 0.0)
    [told] = take_alerts(state, alert(instance="d", zone="2"), 3.0)

    assert third.labels == first[0].labels == {**LABELS, "instance": "a", "zone": "1"}
    assert second[0].labels == {**LABELS, "zone": "1"}
    assert told.labels == LABELS


def test_a_storm_is_a_handful_of_signals_and_one_that_counts_the_rest() -> None:
    state = AlertState()

    said = [take_alerts(state, alert(float(k), 900.0, alertname=f"A{k}"), float(k)) for k in range(SHOWN + 5)]

    newest = {s.id: s for told in said for s in told}
    assert len(newest) == SHOWN + 1
    [rest] = [s for s in newest.values() if "more" in s.reason]
    assert rest.reason == f"4 more alerts of pay, such as A{SHOWN + 3}"
    assert rest.page
    over = take_alerts(state, NO_ALERTS, 900.0)
    assert {s.id for s in over if s.ended} == set(newest)
    assert (state.crowds, state.due) == ({}, {})


def test_alerts_that_name_no_service_do_not_crowd_each_other_out() -> None:
    state = AlertState()

    said = [
        s
        for k in range(3 * SHOWN)
        for s in take_alerts(state, nouns.alerts(({"alertname": f"A{k}"}, 0.0, None, "")), 0.0)
    ]

    assert len({s.id for s in said}) == 3 * SHOWN


def test_past_the_bound_new_alerts_are_turned_away_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "MAX_ALERTS", 2)
    state = AlertState()

    take_alerts(state, many(5), 0.0)

    assert len(state) == 2
    assert state.dropped == Counter({"alert limit": 3})


words = st.tuples(
    st.integers(0, 40),  # when it is heard
    st.sampled_from(["a", "b", "c", "d", "e", "f", "g"]),  # instance
    st.sampled_from(["A", "B"]),
    st.one_of(st.none(), st.integers(-5, 60)),  # ends so long after
)


class Plain:
    """The slow twin: every alert a record, looked at each second."""

    def __init__(self) -> None:
        self.ends: dict[bytes, tuple[float, bool]] = {}

    def hear(self, labels: bytes, end: float | None, now: float) -> None:
        had = self.ends.get(labels)
        ends = now + RESOLVE_TIMEOUT if end is None else end
        if had is None:
            if ends > now:
                self.ends[labels] = ends, end is None
        elif end is not None or had[1] or ends > had[0]:
            self.ends[labels] = ends, end is None

    def pass_to(self, now: float) -> None:
        self.ends = {k: v for k, v in self.ends.items() if v[0] > now}


@given(st.lists(words, max_size=40))
def test_the_same_alerts_fire_as_by_the_plainest_book_keeping(
    said: list[tuple[int, str, str, int | None]],
) -> None:
    state, plain = AlertState(), Plain()
    on: dict[str, Signal] = {}

    for now in range(60):
        heard = [w for w in said if w[0] == now]
        sent = nouns.alerts(
            *(
                (
                    {**LABELS, "instance": i, "alertname": n},
                    float(now),
                    None if e is None else float(now + e),
                    "x",
                )
                for _, i, n, e in heard
                if e is None or e >= 0
            )
        )
        order = sorted(
            range(len(sent.labels)),
            key=lambda k: (sent.labels[k], np.nan_to_num(sent.until[k], nan=now + 300)),
        )
        for k in order:
            plain.hear(sent.labels[k], None if np.isnan(sent.until[k]) else float(sent.until[k]), now)
        plain.pass_to(now)
        for signal in take_alerts(state, sent, float(now)):
            on.pop(signal.id, None)
            if signal.ended is None:
                on[signal.id] = signal
        assert set(state.rows) == set(plain.ends)
        names = {raw.split(b"\xff")[1] for raw in plain.ends}
        assert {s.labels["alertname"].encode() for s in on.values()} == names


@given(st.permutations(range(12)), st.integers(1, 12))
def test_the_order_and_the_cut_of_what_comes_at_one_time_change_nothing(order: list[int], cut: int) -> None:
    sent = [
        ({**LABELS, "instance": str(k % 5), "alertname": f"A{k % 7}"}, 0.0, 50.0 + k % 2, "x")
        for k in range(12)
    ]
    whole, parts = AlertState(), AlertState()

    take_alerts(whole, nouns.alerts(*sent), 0.0)
    take_alerts(parts, nouns.alerts(*(sent[k] for k in order)), 0.0)

    assert {raw: whole.ends[row] for raw, row in whole.rows.items()} == {
        raw: parts.ends[row] for raw, row in parts.rows.items()
    }
    assert counted(whole) == counted(parts)


def counted(state: AlertState) -> dict[tuple[str, str], tuple[dict[str, int], int]]:
    """Return by crowd how many fire of each name that is shown, and of all others."""
    return {
        key: ({name: group.firing for name, group in crowd.groups.items()}, crowd.hidden)
        for key, crowd in state.crowds.items()
    }


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    state = AlertState()
    take_alerts(state, many(3, until=100.0), 0.0)
    copy = snapshot.load(snapshot.dump(state))

    def goes_on(state: AlertState) -> str:
        return repr([take_alerts(state, many(4, until=120.0), 5.0), take_alerts(state, NO_ALERTS, 120.0)])

    assert goes_on(copy) == goes_on(state)


def test_no_part_of_the_state_holds_itself() -> None:
    """Else two states that are equal cannot be compared by their bytes."""
    state = AlertState()
    take_alerts(state, many(2 * SHOWN), 0.0)
    copy = snapshot.load(snapshot.dump(state))

    assert state_bytes(copy) == state_bytes(state)
