"""Which incidents are drawn in a step: what pages at once, the rest within a stated number of steps."""

from __future__ import annotations

import pytest

from pipeline import snapshot
from pipeline.correlate import turns
from pipeline.types import Incident, Signal, State
from tests.nouns import Desk, command, complaint, signal

# So far apart that they are incidents of their own.
APART = ("mailer", "payment", "inventory")


def weak(service: str, now: float, metric: str) -> Signal:
    return signal(service, now, metric, page=False, surprise=3)


def grown(incident: Incident, metric: str) -> bool:
    return any(s.series.startswith(metric) for s in incident.signals)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with three open incidents, where a step ranks no more than one that is not urgent."""
    monkeypatch.setattr(turns, "WORK", 1)
    desk = Desk()
    desk.step(1000, [signal(s, 1000, "latency_seconds") for s in APART])
    return desk


def test_all_that_page_are_drawn_at_once(desk: Desk) -> None:
    assert [(i.priority, i.suspects[0].service) for i in desk.open] == [
        ("P3", "inventory"),
        ("P3", "mailer"),
        ("P1", "payment"),
    ]


def test_what_does_not_page_is_drawn_in_the_steps_that_follow_oldest_first(desk: Desk) -> None:
    first = desk.step(1002, [weak(s, 1002, "load1") for s in APART])
    second = desk.step(1002.1)
    third = desk.step(1002.2)

    drawn = [[i.services[0] for i in step if grown(i, "load1")] for step in (first, second, third)]
    assert drawn == [["inventory"], ["mailer"], ["payment"]]
    assert desk.state.owed == {}


def test_what_has_waited_goes_before_what_comes_new(desk: Desk) -> None:
    desk.step(1002, [weak(s, 1002, "load1") for s in APART])

    step = desk.step(1003, [weak("inventory", 1003, "load5")])

    assert [i.services[0] for i in step if grown(i, "load1")] == ["mailer"]


def test_what_grows_strong_enough_to_page_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WORK", 1)
    desk = Desk()
    desk.step(1000, [weak(s, 1000, "load1") for s in APART])
    desk.step(1002, [weak(s, 1002, "load5") for s in APART])

    step = desk.step(1002.1, [signal("payment", 1002.1, "error_ratio")])

    assert [(i.services[0], i.priority) for i in step] == [("payment", "P1"), ("inventory", "P4")]


def test_an_incident_that_customers_speak_of_never_waits(desk: Desk) -> None:
    desk.step(1002, [weak(s, 1002, "load1") for s in APART])

    step = desk.step(1002.1, (), [complaint("c1", 1002.1, "payment")])

    assert ("c1",) in [i.complaints for i in step]


def test_what_waits_for_its_turn_survives_a_restart(desk: Desk) -> None:
    desk.step(1002, [weak(s, 1002, "load1") for s in APART])
    again = Desk(snapshot.load(snapshot.dump(desk.state)))

    assert repr(again.step(1002.1)) == repr(desk.step(1002.1))


def test_what_a_person_resolves_while_it_waits_to_be_drawn_is_said_at_once(desk: Desk) -> None:
    desk.step(1000.2, [weak("payment", 1000.2, "load1")])
    payment = next(i for i in desk.open if i.services[0] == "payment")

    step = desk.step(1000.4, events=[command("resolve", 1000.4, incident=payment.id)])

    assert [(i.id, i.state) for i in step] == [(payment.id, State.RESOLVED)]
