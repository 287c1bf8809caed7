"""Spans of more services, operations, calls and posts than are kept: bounds, and what is left room for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.spans import paired, tally, traced
from tests.test_traced import CALL, CART, FRONT, Told, many


def test_operations_of_a_service_are_bounded_and_the_service_still_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tally, "MAX_OPERATIONS", 3)
    told = Told()

    told.hear([replace(CART, name=f"GET /cart/{k}", id=b"cart%04d" % k) for k in range(30)])
    told.wait(10)

    assert told.last('span_calls_rate{service="cart"}') == pytest.approx(3.0)
    assert len(told.state.tally.seats.rows) == 4
    assert told.state.tally.dropped == {"operation limit": 27}


def test_services_are_bounded_and_those_known_still_count() -> None:
    told = Told()
    told.state.names.limit = told.state.tally.seats.limit = 4
    told.hear(many(CART))
    told.hear([replace(FRONT, service=f"s{k}", id=b"s%07d" % k) for k in range(50)])

    told.hear(many(replace(CART, id=b"cart---2")))
    told.wait(10)

    assert told.last('span_calls_rate{service="cart"}') == pytest.approx(6.0)
    assert (len(told.state.names.names), len(told.state.tally.seats.names)) == (4, 4)
    assert told.state.dropped["name limit"] == 47
    assert told.state.tally.dropped["subject limit"] > 0


def test_operations_and_addresses_leave_room_for_services_and_calls() -> None:
    told = Told()
    told.state.names.limit = told.state.tally.seats.limit = 40
    told.hear([replace(CART, name=f"GET /{k}", service=f"a{k % 4}", id=b"a%07d" % k) for k in range(60)])
    told.hear([replace(CALL, peer=f"bank-{k}.example", id=b"p%07d" % k) for k in range(60)])

    told.hear([*many(replace(FRONT, service="new")), *many(CALL), *many(CART)], after=1)
    told.wait(10)

    assert len(told.state.names.names) == 22
    assert told.last('span_calls_rate{service="new"}') == pytest.approx(3.0)
    assert told.last('span_calls_rate{entity="front->cart",service="cart"}') == pytest.approx(3.0)
    assert sum(told.state.tally.operations.values()) == 18
    assert told.state.tally.dropped == {"operation limit": 44}
    assert told.state.dropped["peer limit"] == 45


def test_calls_past_the_bound_do_not_change_the_graph_again_and_again() -> None:
    told = Told()
    told.state.tally.seats.limit = 1
    told.hear(many(CART))

    told.hear(many(CALL))
    told.wait(10)

    assert told.state.tally.dropped["subject limit"] == 1
    assert told.state.edges == 0


def test_waiting_spans_are_bounded_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paired, "MAX_WAITING", 20)
    monkeypatch.setattr(traced, "MAX_FRESH", 40)
    told = Told()

    told.hear(many(CALL, 50))
    told.hear(many(replace(CART, parent=b"nobody-1"), 50), after=1)

    assert (len(told.state.waiting.clients), len(told.state.waiting.servers)) == (20, 20)
    assert told.state.waiting.dropped["waiting limit"] == 60


def test_only_the_newest_posts_are_known_by_their_content(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traced, "MAX_FRAMES", 3)
    told = Told()

    for k in range(9):
        told.hear([replace(CART, id=b"cart%04d" % k)])

    assert len(told.state.frames) == 3


def test_a_client_told_in_two_posts_is_one_call_and_its_second_word_is_counted() -> None:
    told = Told()
    told.hear([*many(CALL), *many(CART)])
    told.hear(many(CALL, 29), after=1)

    told.wait(10)

    assert told.last('span_calls_rate{entity="front->cart",service="cart"}') == pytest.approx(3.0)
    assert told.state.waiting.dropped["span told twice"] == 29


def test_what_was_known_of_a_number_is_not_said_of_whom_it_is_given_to_next() -> None:
    waiting = paired.Waiting(answering={1, 2}, silent={3, 4})

    paired.forget(waiting, [2, 3])

    assert (waiting.answering, waiting.silent) == ({1}, {4})
