"""An urgent complaint rings at the emergency seat at once, and again until a person has answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.follow.seat import Seat, rings
from pipeline.types import Case, Mark, Progress, Seconds
from tests.response import answer

CASE = Case(
    "c1", "ann", "en", "", ("payment",), 'life and safety: "on fire"',
    (Mark(100.0, "received", "customer"),), Progress.RECEIVED, (), pressing=100.0,
)  # fmt: skip


@pytest.mark.parametrize(
    ("now", "keys"),
    [
        pytest.param(100.0, ["complaint/c1/urgent.0/oncall/0.webhook"], id="at once"),
        pytest.param(399.0, ["complaint/c1/urgent.0/oncall/0.webhook"], id="the same key, so it is known"),
        pytest.param(
            400.0,
            [
                "complaint/c1/urgent.1/oncall/0.webhook",
                "complaint/c1/urgent.1/lead/0.email",
                "complaint/c1/urgent.1/lead/1.webhook",
            ],
            id="five minutes without an answer",
        ),
        pytest.param(1000.0, [], id="no more than it may ring"),
    ],
)
def test_the_seat_rings_at_once_and_wider_when_nobody_answers(now: Seconds, keys: list[str]) -> None:
    assert [a.key for a in rings(CASE, Seat(), answer(), now)] == keys


def test_an_answer_by_a_person_ends_the_ringing() -> None:
    answered = replace(CASE, marks=(*CASE.marks, Mark(200.0, "reply", "bob", "we come")))

    assert rings(answered, Seat(), answer(), 400.0) == []


def test_a_complaint_that_can_wait_does_not_ring() -> None:
    assert rings(replace(CASE, urgent=""), Seat(), answer(), 100.0) == []


def test_the_seat_may_be_somebody_else_than_who_is_paged() -> None:
    assert [a.args["receiver"] for a in rings(CASE, Seat(receiver="lead"), answer(), 100.0)] == ["lead"] * 2
