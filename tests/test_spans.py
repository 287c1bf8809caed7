"""Spans by kind of call and slot: counted, bounded, restored exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.spans import (
    SLOT,
    Call,
    Spans,
    SpanState,
    mark_trouble,
    state,
    take_spans,
)

START = 1_700_000_000.0
PAY = Call("checkout", "POST /pay", "payment", "/pay")
CHARGE = Call("payment", "/pay", "payment", "charge card")


def bundle(call: Call, at: float, n: float = 1.0, duration: float = 0.1, gap: float = 0.002) -> Spans:
    return Spans((call,), *(np.array([x]) for x in (at, n, duration, gap, 0.0)))


def test_bundles_of_one_slot_are_counted_together_and_their_logs_averaged() -> None:
    known = SpanState()

    take_spans(known, bundle(PAY, START, n=3, duration=0.1))
    take_spans(known, bundle(PAY, START + 9, n=1, duration=1.6))
    take_spans(known, bundle(PAY, START + 10, n=5))

    first = known.slots == START // SLOT
    assert known.count[known.rows[PAY]][first].tolist() == [4.0]
    assert known.count[known.rows[PAY]].sum() == pytest.approx(9.0)
    assert np.exp(known.duration[known.rows[PAY]][first])[0] == pytest.approx(0.2, rel=0.01)


def test_a_span_that_crosses_nothing_has_no_gap() -> None:
    known = SpanState()

    take_spans(known, bundle(CHARGE, START, gap=np.nan))

    assert not CHARGE.crosses
    assert np.isnan(known.gap[known.rows[CHARGE]]).all()


def test_past_the_slots_the_oldest_is_forgotten_and_what_is_older_still_is_counted() -> None:
    known = SpanState()
    for k in range(state.SLOTS + 1):
        take_spans(known, bundle(PAY, START + k * SLOT))

    take_spans(known, bundle(PAY, START, 7.0))

    assert known.slots.min() == START // SLOT + 1
    assert known.count.sum() == pytest.approx(state.SLOTS)
    assert known.dropped["late span"] == 7


def test_past_the_calls_a_new_one_is_turned_away_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_ROWS", 1)
    known = SpanState()

    take_spans(known, bundle(PAY, START))
    take_spans(known, bundle(CHARGE, START))

    assert list(known.rows) == [PAY]
    assert known.dropped["call limit"] == 1


def test_trouble_is_marked_slot_by_slot_and_forgotten_with_its_slot() -> None:
    known = SpanState()
    for k in range(4):
        take_spans(known, bundle(PAY, START + k * SLOT))

    mark_trouble(known, START + 10, START + 25)

    assert sorted(known.slots[known.trouble] - int(START // SLOT)) == [1, 2]
    for k in range(4, state.SLOTS + 2):
        take_spans(known, bundle(PAY, START + k * SLOT))
    assert (known.slots[known.trouble] - int(START // SLOT)).tolist() == [2]


@given(
    st.lists(st.tuples(st.sampled_from([PAY, CHARGE]), st.integers(0, 500), st.integers(0, 9)), max_size=40)
)
def test_a_restored_state_goes_on_as_if_it_had_never_stopped(told: list[tuple[Call, int, int]]) -> None:
    known = SpanState()
    half = len(told) // 2
    for call, at, n in told[:half]:
        take_spans(known, bundle(call, START + at, n))
    again = snapshot.load(snapshot.dump(known))
    for call, at, n in told[half:]:
        take_spans(known, bundle(call, START + at, n))
        take_spans(again, bundle(call, START + at, n))

    assert again.rows == known.rows
    for name in ("slots", "count", "duration", "gap", "failed", "trouble"):
        np.testing.assert_array_equal(getattr(again, name), getattr(known, name))
    assert known.count.sum() == pytest.approx(sum(n for _, _, n in told))
