"""A case that goes on and on keeps its beginning, its newest promises, and nothing of what is long past."""

from __future__ import annotations

import pytest

from pipeline.follow import MAX_MARKS
from pipeline.follow.marks import MAX_PROMISES
from pipeline.follow.state import FollowState
from pipeline.types import Progress, State
from tests.following import T0, Desk, desk, incident, settings, written


def long_talk(words: int = MAX_MARKS + 10) -> Desk:
    """An update an hour late each time, and each time told of."""
    found = desk(update="10m")
    for k in range(1, words + 1):
        found.at(T0 + 3600 * k - 1800)
        found.say(T0 + 3600 * k, "reply", text=f"word {k}")
    return found


def test_of_many_words_the_first_and_the_newest_are_kept() -> None:
    marks = long_talk().cases["m1"].marks

    assert (len(marks), marks[0].what, marks[0].at) == (MAX_MARKS, "received", T0)
    assert [m.text for m in marks[1:]] == [f"word {k}" for k in range(12, MAX_MARKS + 11)]


def test_of_many_promises_the_newest_are_kept_and_always_the_solution() -> None:
    case = long_talk().cases["m1"]

    assert (len(case.promises), case.promises[-1].what) == (MAX_PROMISES, "resolve")
    assert len(case.told) <= 2 * MAX_PROMISES


def test_what_a_person_called_fixed_stays_so_while_its_incident_goes_on() -> None:
    stage = desk()
    stage.at(T0 + 60, touched=(incident(),))
    stage.say(T0 + 120, "fixed")

    stage.at(T0 + 180, touched=(incident(state=State.ACKNOWLEDGED, rev=7),))

    assert stage.cases["m1"].progress is Progress.FIXED


def test_an_incident_whose_complaints_are_closed_is_forgotten() -> None:
    stage = desk()
    stage.at(T0 + 60, touched=(incident(),))
    known = set(stage.state.of)
    stage.say(T0 + 120, "close")

    assert (known, stage.state.of) == ({"i1"}, {})


def test_looks_that_were_put_off_leave_no_more_behind_than_the_bound() -> None:
    state = FollowState()
    for k in range(5_000):
        state.plan("m1", float(k))

    assert len(state.queue) <= 1_002
    assert list(state.due(5_000.0)) == ["m1"]


@pytest.mark.parametrize(
    ("urgent", "priority"),
    [
        pytest.param("", "P3", id="an ordinary one"),
        pytest.param("life and safety", "P2", id="one that cannot wait"),
    ],
)
def test_a_warning_of_what_cannot_wait_is_worth_more(urgent: str, priority: str) -> None:
    stage = Desk(settings(urgent={"respond": "10m", "update": "1h", "resolve": "8h"}))
    stage.at(T0, said=(written(urgent=urgent),))

    stage.until(T0 + 540)

    notices = [a.args["notice"] for a in stage.actions]
    assert {n["priority"] for n in notices if n["reason"] == "promise at risk"} == {priority}
