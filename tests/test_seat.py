"""An urgent complaint rings at the emergency seat at once, and again until a person has answered."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import pytest

from pipeline.config import Config
from pipeline.follow import FollowState, follow
from pipeline.follow.seat import next_ring, rings
from pipeline.follow.terms import Seat
from pipeline.notify import Notice
from pipeline.notify.webhook import payload
from pipeline.types import Case, Mark, Progress, Seconds
from tests.nouns import complaint
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


def test_the_next_ring_is_due_until_the_last_has_gone_out() -> None:
    found = [next_ring(CASE, Seat(), 100.0 + after) for after in (0, 299, 300, 600)]

    assert found == [400.0, 400.0, 700.0, math.inf]


@pytest.mark.parametrize("incident", ["", "inc-1"])
def test_each_urgent_complaint_is_a_group_of_its_own_to_who_takes_the_webhook(incident: str) -> None:
    cases = [replace(CASE, complaint=id, incident=incident) for id in ("c1", "c2", 'c"3\\')]
    sent = [
        payload(msgspec.convert(rings(case, Seat(), answer(), 100.0)[0].args["notice"], Notice))
        for case in cases
    ]

    assert [body["groupKey"] for body in sent] == [
        '{}:{complaint="c1"}',
        '{}:{complaint="c2"}',
        '{}:{complaint="c\\"3\\\\"}',
    ]
    assert [body["groupLabels"] for body in sent] == [{"complaint": case.complaint} for case in cases]
    assert len({alert["fingerprint"] for body in sent for alert in body["alerts"]}) == 3
    assert {body["alerts"][0]["labels"]["incident"] for body in sent} == {incident}


def test_an_urgent_complaint_rings_through_the_whole_stage_until_it_is_answered() -> None:
    state, keys = FollowState(), []
    urgent = replace(complaint("c1", 100.0, "payment"), urgent='life and safety: "on fire"')
    settings = Config(response=answer())

    for now in range(100, 2_000, 60):
        heard = (urgent,) if now == 100 else ()
        keys += [a.key for a in follow(state, heard, (), (), settings, float(now))[1]]

    rung = [key.split("/")[2] for key in dict.fromkeys(keys) if "/urgent." in key]
    assert list(dict.fromkeys(rung)) == ["urgent.0", "urgent.1", "urgent.2"]
