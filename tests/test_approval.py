"""Who may let a playbook act, who may stop it, and how much it may touch. Every frame passes a snapshot."""

from __future__ import annotations

import pytest

from pipeline.types import Reason, State, Verdict
from tests.response import Stage, answer, book, command, incident, outcome

STEP = "payment-1/rollback/0"


def test_without_a_yes_nothing_runs_and_the_question_expires() -> None:
    stage = Stage(answer(book(mode="approve", approval={"expires": "10m"})))
    stage.page(100)

    stage.at(699)
    asking = stage.run()
    stage.at(700)
    stage.at(701, command("approve"))

    assert asking == "wants approval"
    assert stage.run() == "stopped"
    assert stage.steps() == []
    assert "Playbook rollback: stopped: nobody approved within 10m" in stage.told
    assert stage.told[-1] == "Nothing here waits for approval: approve had no effect"


def test_a_yes_starts_it_and_is_remembered_by_name() -> None:
    stage = Stage(answer(book(mode="approve")))
    stage.page(100)

    stage.at(130, command("approve", by="grace"))

    assert stage.steps() == ["rollback/0"]
    assert "Playbook rollback: approved by grace" in stage.told


@pytest.mark.parametrize(
    ("by", "said"),
    [
        pytest.param("", "approve by nobody not taken: ask one of ada", id="no name"),
        pytest.param("eve", "approve by eve not taken: ask one of ada", id="not on the list"),
    ],
)
def test_a_yes_counts_only_from_those_who_may_give_it(by: str, said: str) -> None:
    stage = Stage(answer(book(mode="approve", approval={"by": ["ada"]})))
    stage.page(100)

    stage.at(130, command("approve", by=by))

    assert stage.steps() == []
    assert said in stage.told[-1]


def test_a_no_ends_it() -> None:
    stage = Stage(answer(book(mode="approve")))
    stage.page(100)

    stage.at(130, command("deny"))

    assert stage.run() == "stopped"
    assert stage.told[-1] == "Playbook rollback: stopped: denied by ada"


def test_what_runs_is_what_was_approved_whatever_the_file_says_by_now() -> None:
    stage = Stage(answer(book(mode="approve")))
    stage.page(100)
    stage.response = answer(
        book(mode="approve", steps=[{"do": "http", "what": "x", "args": {"url": "http://x/"}}])
    )

    stage.at(130, command("approve"))

    assert stage.actions[-1].args["url"] == "http://deployer/payment/rollback"


def test_an_automatic_playbook_asks_once_a_person_has_acknowledged() -> None:
    stage = Stage(answer(book()), incident(state=State.ACKNOWLEDGED, acknowledged=99.0, paged=98.0))

    stage.at(100)

    assert stage.run() == "wants approval"
    assert stage.pages() == [("oncall", "approval wanted")]


# Kill switch


def test_the_kill_switch_stops_what_runs_what_waits_and_what_would_start() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))
    second = incident("cart-1", "cart", paged=102.0)

    stage.at(102, command("stop"), others=[second])
    stage.at(103, outcome(STEP))

    assert stage.run() == "stopped"
    assert stage.steps() == ["rollback/0"]
    assert stage.told[-1] == "Playbook rollback: stopped: ada stopped all playbooks"


def test_one_run_can_be_stopped_without_the_kill_switch() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(101, command("stop", playbook="another"))
    going = stage.run()
    stage.at(102, command("stop", playbook="rollback"))

    assert (going, stage.run()) == ("running", "stopped")
    assert stage.told[-1] == "Playbook rollback: stopped: ada stopped it"
    assert stage.state.stopped == ""


def test_after_start_playbooks_may_run_again() -> None:
    stage = Stage(answer(book()))
    stage.at(99, command("stop"))
    stage.page(100)
    refused = stage.told[0]

    stage.at(160, command("start"))

    assert refused == "Playbook rollback: does not start: ada stopped all playbooks"
    assert stage.steps() == ["rollback/0"]


# Bounds


def test_a_playbook_runs_once_on_an_incident() -> None:
    stage = Stage(answer(book(cooldown="0")))
    stage.page(100)
    stage.at(101, outcome(STEP, ok=False, effect="none"))

    stage.at(5000, verdict=Verdict(True, Reason.WORSE))

    assert stage.steps() == ["rollback/0"]


def test_a_service_that_was_just_acted_on_cools_down_first() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP, ok=False, effect="none"))
    stage.incident = incident("payment-2", paged=900.0)

    stage.at(900)
    refused = stage.told
    stage.at(1901)

    assert refused[-1] == (
        "Playbook rollback: does not start: it ran on payment 13m20s ago, its cooldown is 30m"
    )
    assert stage.steps() == ["rollback/0", "rollback/0"]


def test_the_blast_radius_bounds_services_within_an_hour() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP, ok=False, effect="none"))
    stage.incident = incident("cart-1", "cart", paged=200.0)

    stage.at(200)
    refused = stage.told[-1]
    stage.at(3701)

    assert refused == (
        "Playbook rollback: does not start: cart would be service 2 that it touches within the hour, "
        "its blast radius allows 1"
    )
    assert stage.steps() == ["rollback/0", "rollback/0"]


def test_the_blast_radius_bounds_runs_within_an_hour() -> None:
    stage = Stage(answer(book(cooldown="0", blast_radius={"services": 9, "runs_per_hour": 1})))
    stage.page(100)
    stage.at(101, outcome(STEP, ok=False, effect="none"))
    stage.incident = incident("cart-1", "cart", paged=200.0)

    stage.at(200)

    assert stage.told[-1].endswith("it ran 1 times within the hour, its blast radius allows 1")


def test_two_playbooks_never_work_on_one_service_at_once() -> None:
    stage = Stage(answer(book(), book(name="second")))
    stage.page(100)

    stage.at(101, others=[incident("payment-2", paged=101.0)])

    assert stage.steps() == ["rollback/0"]
