"""Signals become few incidents: by onset and neighbourhood, whatever their order, and never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.correlate import QUIET, CorrelateState, correlate
from pipeline.correlate.behind import MAX_SIGNALS
from pipeline.correlate.habits import WINDOW
from pipeline.correlate.picture import MAX_TIMELINE
from pipeline.correlate.place import REOPEN
from pipeline.correlate.state import LINKABLE, STORM
from pipeline.types import Seconds, State
from tests.nouns import SHOP, Desk, change, command, complaint, over, signal


@pytest.mark.parametrize(
    ("first", "second", "apart", "incidents"),
    [
        pytest.param("payment", "payment", 60, 1, id="the same service"),
        pytest.param("payment", "checkout", 60, 1, id="a caller"),
        pytest.param("checkout", "payment", 60, 1, id="a callee"),
        pytest.param("front", "payment", 60, 1, id="two calls away, before the one between has spoken"),
        pytest.param("mailer", "batch", 60, 1, id="the same host"),
        pytest.param("payment", "inventory", 60, 2, id="only a common caller's caller"),
        pytest.param("payment", "mailer", 60, 2, id="nothing in common"),
        pytest.param("payment", "checkout", WINDOW + 1, 2, id="a neighbour, too late"),
        pytest.param("payment", "payment", WINDOW + 1, 1, id="the same service, while it is still abnormal"),
        pytest.param("", "", 60, 2, id="no service known of either, and another name"),
        pytest.param("", "payment", 60, 2, id="no service known, and one that is"),
    ],
)
def test_signals_belong_together_by_neighbourhood_and_onset(
    first: str, second: str, apart: Seconds, incidents: int
) -> None:
    desk = Desk()

    desk.step(1000, [signal(first, 1000)])
    desk.step(1000 + apart, [signal(second, 1000 + apart, "latency_seconds")])

    assert len(desk.all) == incidents


def test_the_same_signal_growing_worse_stays_one_line_of_one_incident() -> None:
    desk = Desk()
    first = signal("payment", 1000)

    desk.step(1000, [first])
    desk.step(1060, [replace(first, surprise=30.0, at=1060)])

    [incident] = desk.all
    assert [s.surprise for s in incident.signals] == [30.0]
    assert incident.rev == 2


def test_what_was_never_said_to_be_on_opens_nothing_when_it_ends() -> None:
    desk = Desk()

    assert desk.step(1000, [signal("payment", 900, ended=1000)]) == ()


def test_signals_of_one_name_belong_together_though_their_service_is_not_known() -> None:
    desk = Desk()

    desk.step(1000, [signal("", 1000, "DiskFull", entity="a"), signal("", 1000, "DiskFull", entity="b")])

    assert len(desk.all) == 1


def test_a_signal_between_two_incidents_merges_them_into_the_first_opened() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    desk.step(1010, [signal("inventory", 1010)])
    first, second = desk.all

    desk.step(1020, [signal("checkout", 1020)])

    [left] = desk.open
    assert left.id == first.id
    assert {s.service for s in left.signals} == {"payment", "inventory", "checkout"}
    assert desk.known[second.id].by == first.id


def test_of_two_merged_incidents_the_one_that_paged_survives() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    desk.step(1010, [signal("inventory", 1010)])
    second = desk.all[1]
    desk.state.keep([replace(second, paged=1010.0)])

    desk.step(1020, [signal("checkout", 1020)])

    assert [i.id for i in desk.open] == [second.id]


def test_what_two_full_incidents_have_no_room_for_stands_behind_when_they_merge() -> None:
    desk = Desk()
    many = [[signal(s, 1000, f"m{k}", surprise=10 + k) for k in range(150)] for s in ("payment", "inventory")]
    desk.step(1000, many[0])
    desk.step(1000, many[1])

    desk.step(1001, [signal("checkout", 1001)])

    [incident] = desk.open
    behind = desk.state.behind[incident.id]
    assert len(incident.signals) == MAX_SIGNALS
    assert len(behind) == 301 - MAX_SIGNALS
    assert set(desk.state.home) == {s.id for s in incident.signals} | set(behind)


def test_evidence_never_merges_incidents() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    desk.step(1010, [signal("inventory", 1010)])

    desk.step(1020, [signal("checkout", 1020, page=False)])

    assert len(desk.open) == 2


def test_an_incident_resolves_by_itself_when_quiet_since_its_last_signal_ended() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1300, [replace(over(bad, 1240), settled="96 %")])

    desk.step(1240 + QUIET - 1)
    before = desk.all[0].state
    desk.step(1240 + QUIET)

    assert (before, desk.all[0].state) == (State.OPEN, State.RESOLVED)
    assert desk.all[0].resolved == 1240 + QUIET
    because = "over: nothing abnormal for 180 s; not as it was: cpu_ratio of payment has settled at 96 %"
    assert desk.all[0].timeline[-1].what == because


def test_evidence_that_stays_on_does_not_hold_an_incident_open() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad, signal("payment", 1010, "memory_bytes", page=False)])
    desk.step(1100, [over(bad, 1100)])

    desk.step(1100 + QUIET)

    assert desk.all[0].state is State.RESOLVED


def test_evidence_of_a_past_incident_that_grows_strong_opens_a_new_one() -> None:
    desk = Desk()
    bad, weak = signal("payment", 1000), signal("payment", 1010, "memory_bytes", page=False)
    desk.step(1000, [bad, weak])
    desk.step(1100, [over(bad, 1100)])
    desk.step(1100 + QUIET)

    desk.step(5000, [replace(weak, page=True, at=5000)])

    [one] = desk.open
    assert [s.id for s in one.signals] == [weak.id]


@pytest.mark.parametrize(
    ("after", "metric", "incidents"),
    [
        pytest.param(REOPEN - 1, "cpu_ratio", 1, id="the same series at once: the same incident"),
        pytest.param(REOPEN + 1, "cpu_ratio", 2, id="the same series later: another"),
        pytest.param(REOPEN - 1, "error_ratio", 2, id="another series: another"),
    ],
)
def test_what_comes_back_soon_after_it_resolved_is_the_same_incident(
    after: Seconds, metric: str, incidents: int
) -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1100, [over(bad, 1100)])
    desk.step(1100 + QUIET)
    again = 1100 + QUIET + after

    desk.step(again, [signal("payment", again, metric)])

    assert len(desk.all) == incidents
    assert len(desk.open) == 1


@pytest.mark.parametrize(
    ("service", "made", "incidents"),
    [
        pytest.param("payment", 20, 2, id="on the service: another"),
        pytest.param("checkout", 20, 2, id="near it: another"),
        pytest.param("mailer", 20, 1, id="elsewhere: the same"),
        pytest.param("payment", 20 - QUIET, 2, id="on the service, before it had resolved: another"),
        pytest.param("payment", -20 - QUIET, 1, id="while it was on, as what heals it is: the same"),
    ],
)
def test_what_follows_a_change_made_since_all_was_calm_is_another_incident(
    service: str, made: Seconds, incidents: int
) -> None:
    desk = Desk()
    bad, calm = signal("payment", 1000), 1100 + QUIET
    desk.step(1000, [bad])
    for now in sorted((1100, calm, calm + made)):
        changed = [change("v2", now, service)] if now == calm + made else []
        desk.step(now, [over(bad, 1100)] if now == 1100 else [], events=changed)

    desk.step(calm + 40, [signal("payment", calm + 40)])

    assert len(desk.all) == incidents
    assert desk.open[0].opened == (calm + 40 if incidents == 2 else 1000)


@pytest.mark.parametrize(
    ("service", "after", "incidents"),
    [
        pytest.param("checkout", 20, 1, id="a neighbour, as it ends: the same"),
        pytest.param("checkout", 60, 2, id="a neighbour, a minute after it was over: another"),
        pytest.param("payment", 60, 1, id="the same service: the same"),
    ],
)
def test_what_begins_elsewhere_after_all_is_over_is_another_incident(
    service: str, after: Seconds, incidents: int
) -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1100, [over(bad, 1100)])

    desk.step(1100 + after, [signal(service, 1100 + after, "latency_seconds")])

    assert len(desk.all) == incidents


def test_what_a_person_resolved_does_not_come_back_by_itself() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad])
    desk.step(1010, events=[command("resolve", 1010, incident=desk.all[0].id)])

    desk.step(1020, [replace(bad, surprise=40.0, at=1020)])

    [incident] = desk.all
    assert (incident.state, incident.by) == (State.RESOLVED, "ada")


def test_an_alert_that_always_fires_is_no_incident() -> None:
    desk = Desk()
    watchdog = replace(
        signal("", 1000, kind="alert", page=False), labels={"alertname": "Watchdog", "severity": "none"}
    )

    desk.step(1000, [watchdog])

    assert desk.all == []
    assert desk.state.dropped.total() == 0


def test_the_timeline_says_whose_signal_it_is_and_how_near_it_is() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000), signal("checkout", 1000, "latency_seconds")])

    [incident] = desk.all
    assert [e.what for e in incident.timeline if e.what.startswith("metric")] == [
        "metric of payment, which checkout calls: cpu_ratio of payment is high"
    ]


def test_acknowledging_says_who_and_when() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])

    desk.step(1010, events=[command("acknowledge", 1010, incident=desk.all[0].id)])

    [incident] = desk.all
    assert (incident.state, incident.by, incident.acknowledged) == (State.ACKNOWLEDGED, "ada", 1010)


def test_a_change_within_reach_of_the_onset_is_on_the_incident() -> None:
    desk = Desk()
    desk.step(940, events=[change("near", 940, "payment"), change("elsewhere", 940, "mailer")])

    desk.step(1000, [signal("payment", 1000)])

    assert [c.id for c in desk.all[0].changes] == ["near"]
    assert desk.all[0].suspects[0].change == "near"


def test_a_symptom_that_opens_later_names_the_incident_of_its_cause() -> None:
    desk = Desk()
    desk.step(1000, [signal("payment", 1000)])
    cause = desk.all[0]

    desk.step(1400, [signal("front", 1400)])

    assert [i.cause for i in desk.open if i.id != cause.id] == [cause.id]


def test_every_ranking_that_differs_is_kept_in_the_timeline() -> None:
    desk = Desk()
    desk.step(1000, [signal("front", 1000, "latency_seconds")])

    desk.step(1060, [signal("payment", 1050, "latency_seconds", surprise=30)])

    rankings = [(e.at, e.suspects) for e in desk.all[0].timeline if e.suspects]
    assert rankings == [(1000, ("front",)), (1060, ("payment", "front"))]


def test_open_incidents_are_returned_at_most_once_a_second_though_nothing_happens() -> None:
    state = CorrelateState()
    state.keep(correlate(state, [signal("payment", 1000)], (), (), SHOP, 1000))

    seen = [len(correlate(state, (), (), (), SHOP, now)) for now in (1000.2, 1000.9, 1001.0, 1001.5, 1002.0)]

    assert seen == [0, 0, 1, 0, 1]


def test_an_incident_shows_the_strongest_signals_and_the_others_when_those_are_over() -> None:
    desk = Desk()

    many = [signal("payment", 1000 + k / 4, f"m{k}", surprise=10 + k) for k in range(MAX_SIGNALS + 50)]

    for each in many:
        desk.step(each.at, [each])
    desk.step(1100, [])
    [full] = desk.all
    desk.step(1101, [over(s, 1101) for s in many[50:]])
    [incident] = desk.open

    assert full.signals == tuple(many[50:])
    assert len(full.timeline) <= MAX_TIMELINE
    assert [s for s in incident.signals if s.ended is None] == many[:50]
    assert incident.quiet is None


def test_an_incident_is_over_when_all_that_stood_behind_is_over_too() -> None:
    desk = Desk()
    many = [signal("payment", 1000, f"m{k}") for k in range(2 * MAX_SIGNALS + 10)]
    desk.step(1000, many)

    for now in range(1001, 1004):
        desk.step(now, [over(s, now) for s in many])
    desk.step(1004 + QUIET)

    assert desk.open == []
    assert desk.state.behind == {}


def test_past_a_storm_what_fits_no_incident_is_one_more_and_not_hundreds() -> None:
    desk = Desk()

    for k in range(STORM + 200):
        desk.step(1000 + k / 10, [signal(f"s{k}", 1000 + k / 10)])
    desk.step(1030)

    assert len(desk.open) == STORM + 1
    [storm] = [i for i in desk.open if i.id == desk.state.storm]
    assert len({s.service for s in storm.signals}) == 200
    assert "a storm: 30 incidents have opened within a minute" in storm.timeline[0].what


def test_a_storm_is_over_when_no_more_incidents_open() -> None:
    desk = Desk()
    desk.step(1000, [signal(f"s{k}", 1000) for k in range(STORM + 2)])

    desk.step(1100, [signal("late", 1100)])

    assert len(desk.open) == STORM + 2


def test_an_incident_that_changes_often_is_returned_once_a_second_with_all_of_it() -> None:
    desk = Desk()

    returned = [len(desk.step(1000 + k / 10, [signal("payment", 1000 + k / 10, f"m{k}")])) for k in range(21)]

    assert returned == [1, *[0] * 9, 1, *[0] * 9, 1]
    assert len(desk.open[0].signals) == 21


def test_what_can_no_longer_be_linked_is_forgotten() -> None:
    desk = Desk()
    bad = signal("payment", 1000)
    desk.step(1000, [bad], [complaint("c", 1000, "payment")])
    desk.step(1100, [over(bad, 1100)])
    desk.step(2000)
    later = 2000 + LINKABLE + 1

    desk.step(later, [signal("mailer", later)])

    assert list(desk.state.incidents) == [i.id for i in desk.open]
    assert set(desk.state.home.values()) == set(desk.state.incidents)
    assert (desk.state.past, desk.state.heard.keys() - desk.state.incidents, desk.state.owner) == (
        {},
        set(),
        {},
    )
