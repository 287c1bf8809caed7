"""Maintenance and mute intervals keep silent what they name, and what still burns then is told again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.config import Limits, Main, parse
from pipeline.decide import DecideState, Policy, decide
from pipeline.ingest import changes
from pipeline.intervals import TimeInterval, holding
from pipeline.types import Event, Incident, Reason, Seconds, Verdict
from pipeline.windows import MAX_OPENED, Openings
from tests.nouns import change, incident, over, signal

PAY = incident(signal("payment", 1000))
BOTH = incident(signal("payment", 1000), signal("cart", 1000))
MONDAY = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
HOUR = 3600.0
OFFICE = {
    "name": "office",
    "time_intervals": [
        {"weekdays": ["monday:friday"], "times": [{"start_time": "09:00", "end_time": "17:00"}]}
    ],
}
NIGHTS = {
    "name": "nights",
    "time_intervals": [{"times": [{"start_time": "02:00", "end_time": "04:00"}], "location": "Europe/Paris"}],
}


def policy(**given: Any) -> Policy:
    return parse({"time_intervals": [OFFICE, NIGHTS], **given}, Policy)


def judged(
    state: DecideState, now: Seconds, policy: Policy, given: Incident = PAY, *events: Event
) -> Verdict:
    return decide(state, [given], events, policy, now)[1][given.id]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(MONDAY + 1 * HOUR, Reason.MAINTENANCE, id="two in Paris"),
        pytest.param(MONDAY + 3 * HOUR - 1, Reason.MAINTENANCE, id="just before four"),
        pytest.param(MONDAY + 3 * HOUR, Reason.NEW, id="four in Paris"),
        pytest.param(MONDAY + 6 * 86400 + 2 * HOUR, Reason.MAINTENANCE, id="every night"),
    ],
)
def test_a_window_recurs_in_its_time_zone(now: Seconds, expected: Reason) -> None:
    given = policy(maintenance=[{"services": ["payment"], "during": ["nights"], "why": "backup"}])

    found = judged(DecideState(), now, given)

    assert found.reason is expected
    assert expected is Reason.NEW or found.because == "maintenance: backup"


def test_a_recurring_window_may_begin_and_end_on_a_day() -> None:
    given = policy(
        maintenance=[{"services": ["payment"], "during": ["nights"], "ends": "2026-11-23T02:30:00Z"}]
    )

    assert judged(DecideState(), MONDAY + 2 * HOUR, given).reason is Reason.MAINTENANCE
    assert judged(DecideState(), MONDAY + 2.5 * HOUR, given).reason is Reason.NEW


def test_services_of_one_incident_may_be_under_different_windows() -> None:
    one = {"services": ["payment"], "during": ["nights"], "why": "backup"}
    other = {"services": ["cart"], "during": ["nights"], "why": "index"}

    found = judged(DecideState(), MONDAY + 2 * HOUR, policy(maintenance=[one, other]), BOTH)

    assert found.because == "maintenance: backup, index"
    assert judged(DecideState(), MONDAY + 2 * HOUR, policy(maintenance=[one]), BOTH).reason is Reason.NEW


@pytest.mark.parametrize(
    ("mute", "now", "expected"),
    [
        pytest.param({"mute_time_intervals": ["nights"]}, MONDAY + 2 * HOUR, Reason.MUTED, id="at night"),
        pytest.param({"mute_time_intervals": ["nights"]}, MONDAY + 5 * HOUR, Reason.NEW, id="not by day"),
        pytest.param({"active_time_intervals": ["office"]}, MONDAY + 12 * HOUR, Reason.NEW, id="at work"),
        pytest.param({"active_time_intervals": ["office"]}, MONDAY + 18 * HOUR, Reason.MUTED, id="after it"),
        pytest.param(
            {"matchers": ["service=cart"], "mute_time_intervals": ["nights"]}, MONDAY + 2 * HOUR, Reason.NEW,
            id="another service",
        ),
    ],
)  # fmt: skip
def test_what_matches_is_told_at_some_times_only(
    mute: dict[str, Any], now: Seconds, expected: Reason
) -> None:
    given = policy(mutes=[{"matchers": ['service=~"pay.*"'], "why": "can wait", **mute}])

    assert judged(DecideState(), now, given).reason is expected


def test_signals_of_one_incident_may_be_under_different_mutes() -> None:
    pay, cart = (
        {"matchers": [f"service={name}"], "mute_time_intervals": ["nights"], "why": name}
        for name in ("payment", "cart")
    )

    found = judged(DecideState(), MONDAY + 2 * HOUR, policy(mutes=[pay, cart]), BOTH)

    assert (found.reason, found.because) == (Reason.MUTED, "payment (nights), cart (nights)")
    assert judged(DecideState(), MONDAY + 2 * HOUR, policy(mutes=[cart]), BOTH).reason is Reason.NEW


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(
            {"maintenance": [{"services": ["cart"], "during": ["nights"]}]}, Reason.MAINTENANCE, id="window"
        ),
        pytest.param(
            {"mutes": [{"matchers": ["service=cart"], "mute_time_intervals": ["nights"]}]}, Reason.MUTED,
            id="mute",
        ),
    ],
)  # fmt: skip
def test_what_is_over_does_not_page_for_what_is_kept_silent_and_goes_on(
    given: dict[str, Any], expected: Reason
) -> None:
    pay, cart = BOTH.signals
    left = replace(BOTH, signals=(over(pay, 1200), cart))

    assert judged(DecideState(), MONDAY + 2 * HOUR, policy(**given), left).reason is expected
    assert judged(DecideState(), MONDAY + 5 * HOUR, policy(**given), left).reason is Reason.NEW


def test_a_mute_says_which_interval_holds() -> None:
    night = policy(mutes=[{"why": "can wait", "mute_time_intervals": ["nights"]}])
    office = policy(mutes=[{"active_time_intervals": ["office", "nights"]}])

    assert judged(DecideState(), MONDAY + 2 * HOUR, night).because == "can wait (nights)"
    assert judged(DecideState(), MONDAY + 7 * HOUR, office).because == "muted (outside office and nights)"


def maintenance(id: str, time: Seconds, service: str, until: Seconds | None) -> Event:
    declared = change(id, time, service)
    return replace(declared, labels={"service": service, "kind": "maintenance"}, until=until, text="move")


@pytest.mark.parametrize(
    ("event", "quiet", "loud"),
    [
        pytest.param(maintenance("c", 1000, "payment", 2000), 1999, 2000, id="until its end"),
        pytest.param(
            maintenance("c", 1000, "payment", None), 4599, 4600, id="for an hour where it says none"
        ),
        pytest.param(
            maintenance("c", 1000, "payment", 1e12), 8199, 8200, id="no longer than a silence may be"
        ),
        pytest.param(maintenance("c", 1500, "payment", 2000), 1500, 1499, id="not before it begins"),
    ],
)
def test_a_change_opens_a_window_for_its_service(event: Event, quiet: Seconds, loud: Seconds) -> None:
    given = policy(silence_longest="2h")

    assert judged(DecideState(), quiet, given, PAY, event).because == "maintenance: move"
    assert judged(DecideState(), loud, given, PAY, event).reason is Reason.NEW


def test_a_deploy_opens_a_window_where_it_says_so_and_the_same_change_again_ends_it() -> None:
    state, given = DecideState(), policy()
    deploy = change("c", 1000, "payment")
    declared = replace(deploy, labels={**deploy.labels, "maintenance": "true"}, until=5000.0)

    assert judged(state, 1000, given, PAY, replace(declared, labels=deploy.labels)).reason is Reason.NEW
    state = DecideState()
    assert judged(state, 1000, given, PAY, declared).reason is Reason.MAINTENANCE
    assert judged(state, 1100, given, PAY, replace(declared, until=1100.0)).reason is Reason.NEW
    assert state.quiet.opened.held == {}


def test_no_more_windows_are_kept_than_the_bound() -> None:
    found = Openings()

    for k in range(MAX_OPENED + 5):
        found.hear(maintenance(f"c{k}", 1000, f"s{k}", 2000), 1e9)

    assert len(found.held) == MAX_OPENED
    assert "c4" not in found.held


def test_the_door_takes_an_end_and_refuses_one_before_the_beginning() -> None:
    def posted(body: bytes) -> Event:
        [frame] = changes.decode(body, {}, 1000.0, Limits()).frames
        return frame.events[0]

    event = posted(b'{"service": "pay", "kind": "maintenance", "t": 900, "until": "1970-01-01T01:00:00Z"}')
    deploy = posted(b'{"service": "pay", "kind": "deploy", "maintenance": true}')
    refused = changes.decode(b'{"service": "pay", "t": 900, "until": 899}', {}, 1000.0, Limits())

    assert (event.time, event.until, event.labels["kind"]) == (900, 3600, "maintenance")
    assert (deploy.until, deploy.labels["maintenance"]) == (None, "true")
    assert str(refused.rejects) == "until: expected a time after t, got 899 s since 1970"


WINDOW = {"services": ["payment"], "starts": "1970-01-01T00:18:20Z", "ends": "1970-01-01T00:33:20Z"}
NIGHT = {"name": "it", "time_intervals": [{"times": [{"start_time": "00:18", "end_time": "00:33"}]}]}


@pytest.mark.parametrize(
    ("given", "what"),
    [
        pytest.param({"maintenance": [WINDOW]}, "maintenance (planned)", id="window"),
        pytest.param(
            {"time_intervals": [NIGHT], "maintenance": [{"services": ["payment"], "during": ["it"]}]},
            "maintenance (planned)", id="recurring window",
        ),
        pytest.param(
            {"time_intervals": [NIGHT], "mutes": [{"mute_time_intervals": ["it"]}]},
            "what was muted (it)", id="mute",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [1000, 1200])
def test_what_still_burns_when_it_ends_is_told_once(given: dict[str, Any], what: str, first: int) -> None:
    state, policy = DecideState(), parse(given, Policy)
    verdicts = [judged(state, now, policy) for now in (first, 1500, 1979, 2000, 2001)]

    told_before = first == 1000
    assert [v.act for v in verdicts] == [told_before, False, False, True, False]
    assert verdicts[3].because == (f"still on when {what} ended" if told_before else PAY.signals[0].reason)


AT_TEN = "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"maintenance": [{"services": ["a"]}]}, r"maintenance\[0\]: expected starts and ends, or during"),
        (
            {"maintenance": [{"services": ["a"], "starts": AT_TEN}]},
            r"maintenance\[0\]: expected starts and ends, or during",
        ),
        (
            {"maintenance": [{"services": ["a"], "starts": AT_TEN, "ends": AT_TEN}]},
            r"maintenance\[0\]: ends: expected a time after starts",
        ),
        (
            {"maintenance": [{"services": ["a"], "during": ["ofice"]}], "time_intervals": [OFFICE]},
            r'policy: maintenance\[0\].during: no time interval "ofice"; did you mean "office"',
        ),
        (
            {"mutes": [{"mute_time_intervals": ["x"]}]},
            r'mutes\[0\].mute_time_intervals: no time interval "x"; time_intervals names none',
        ),
        ({"mutes": [{"matchers": ["a==b"], "mute_time_intervals": ["x"]}]}, r"mutes\[0\]: a: expected =, !="),
        ({"mutes": [{"matchers": ["a=b"]}]}, r"mutes\[0\]: expected mute_time_intervals or active"),
        ({"time_intervals": [OFFICE, OFFICE]}, r'time_intervals: two are named "office"'),
        ({"mute": []}, r'policy.mute: unknown key; did you mean "mutes"'),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_key(given: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse({"policy": given}, Main)


def test_many_windows_and_mutes_are_looked_up_and_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [(f"s{k}", {"mute_time_intervals": ["nights"]}) for k in range(1_000)]
    given = policy(
        maintenance=[{"services": [service], "during": ["office"]} for service, _ in asked],
        mutes=[{"matchers": [f"service={service}"], **mute} for service, mute in asked],
    )
    looked: list[Sequence[str]] = []

    def counted(intervals: Sequence[TimeInterval], names: Sequence[str], now: Seconds) -> str:
        looked.append(names)
        return holding(intervals, names, now)

    monkeypatch.setattr("pipeline.windows.holding", counted)
    found = judged(DecideState(), MONDAY + 2 * HOUR, given, incident(signal("s77", 1000)))

    assert found.reason is Reason.MUTED
    assert looked == [("office",), ("nights",)]
