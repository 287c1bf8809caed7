"""Who is told, and who next when nobody answers."""

from __future__ import annotations

import pytest

from pipeline.types import Reason, State, Verdict
from tests.response import Stage, answer, incident, outcome

PAGE = "payment-1/told/1.0/oncall/webhook"


def test_a_page_goes_to_the_first_receiver_with_the_incident_in_it() -> None:
    stage = Stage(answer())

    (page,) = stage.page(100)

    notice = page.args["notice"]
    assert (page.key, page.do, page.args["receiver"]) == (PAGE, "webhook", "oncall")
    assert notice["title"] == "payment answers slowly"
    assert notice["since"] == pytest.approx(95)
    assert notice["signals"][0]["reason"] == "payment latency is 2.4 s, 0.2 s expected"
    assert notice["suspects"][0]["change"] == "d-42"
    assert notice["suspects"][0]["summary"] == "payment 1.9.0"
    assert (notice["next_at"], notice["next_receiver"]) == (pytest.approx(400), "lead")


def test_no_address_and_no_secret_is_recorded_with_a_page() -> None:
    stage = Stage(answer())

    (page,) = stage.page(100)

    assert "http://pager/" not in str(page.args)


def test_the_second_receiver_is_told_by_every_channel_when_nobody_acknowledged_in_time() -> None:
    stage = Stage(answer())
    stage.page(100)

    early = stage.at(399.9)
    late = stage.at(400)
    again = stage.at(401)

    assert early == []
    assert [(a.args["receiver"], a.do) for a in late] == [("lead", "email"), ("lead", "webhook")]
    assert again == []
    assert stage.told[-2] == "Escalated to lead: Nobody acknowledged within 5m of the page."


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"state": State.ACKNOWLEDGED, "acknowledged": 200.0}, id="acknowledged"),
        pytest.param({"state": State.RESOLVED, "resolved": 200.0}, id="resolved"),
    ],
)
def test_an_answer_stops_the_clock(changes: dict[str, object]) -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.set(**changes)

    assert stage.at(500) == []


def test_a_silenced_incident_does_not_escalate() -> None:
    stage = Stage(answer())
    stage.page(100)

    assert stage.at(500, verdict=Verdict(False, Reason.SILENCED)) == []


def test_a_page_that_reaches_nobody_climbs_at_once() -> None:
    stage = Stage(answer())
    stage.page(100)

    climbed = stage.at(110, outcome(PAGE, ok=False, detail="webhook answered 404"))

    assert [a.args["receiver"] for a in climbed] == ["lead", "lead"]
    assert stage.told[1] == "Could not tell oncall by webhook: webhook answered 404"


def test_one_channel_that_delivers_is_enough() -> None:
    stage = Stage(answer())
    stage.page(100)
    first, second = stage.at(400)

    stage.at(401, outcome(first, ok=False, detail="550 no such user"), outcome(second))
    stage.at(402)

    assert len(stage.actions) == 3
    assert "There is no further receiver" not in " ".join(stage.told)


def test_when_the_last_rung_fails_too_the_timeline_says_so() -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.at(110, outcome(PAGE, ok=False))
    first, second = stage.actions[1:]

    stage.at(111, outcome(first, ok=False), outcome(second, ok=False))

    assert stage.told[-1].endswith("There is no further receiver to escalate to")


def test_who_was_told_of_the_start_is_told_of_the_end() -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.at(400)

    stage.resolve(500)

    assert stage.pages()[-3:] == [("oncall", "resolved"), ("lead", "resolved"), ("lead", "resolved")]


def test_no_key_is_ever_used_twice() -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.at(400)
    stage.at(4000, verdict=Verdict(True, Reason.REPEAT))
    stage.resolve(5000)
    stage.set(state=State.OPEN, resolved=None)
    stage.at(6000, verdict=Verdict(True, Reason.WORSE))
    stage.at(6300)

    keys = [a.key for a in stage.actions]

    assert len(keys) == 14
    assert len(set(keys)) == len(keys)


def test_the_clock_of_an_incident_that_came_back_counts_from_its_new_page() -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.resolve(200)
    stage.set(state=State.OPEN, resolved=None)

    back = stage.at(6000, verdict=Verdict(True, Reason.WORSE))
    early = stage.at(6299)
    late = stage.at(6300)

    assert [a.args["receiver"] for a in back] == ["oncall"]
    assert early == []
    assert [a.args["receiver"] for a in late] == ["lead", "lead"]


def test_the_clock_does_not_run_while_an_incident_that_came_back_is_silenced() -> None:
    stage = Stage(answer())
    stage.page(100)
    stage.resolve(200)
    stage.set(state=State.OPEN, resolved=None)
    stage.at(1000, verdict=Verdict(False, Reason.SILENCED))

    told = stage.at(6000, verdict=Verdict(True, Reason.WORSE))

    assert [a.args["receiver"] for a in told] == ["oncall"]


def test_without_a_receiver_the_timeline_says_that_nobody_is_told() -> None:
    stage = Stage(answer(text="{}"))

    assert stage.page(100) == []
    assert stage.told == ["Nobody is told: response.receiver names no receiver"]


def test_a_missed_target_is_said_once() -> None:
    text = "{targets: {P1: {acknowledge: 5m, resolve: 1h}}}"
    stage = Stage(answer(text=text), incident(paged=100.0))

    for now in (400.0, 401.0, 402.0, 3701.0):
        stage.at(now)

    assert stage.told == [
        "Target missed: P1 is to be acknowledged within 5m",
        "Target missed: P1 is to be resolved within 1h",
    ]
