"""A session is odd by what it holds, lacks and counts; what is met often becomes usual."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors import sessions
from detectors.sessions import ODD, Usual, learn, odd
from pipeline import snapshot

ORDER = {1: 1, 2: 3, 3: 1}


def known(count: int, *kinds: dict[int, int]) -> Usual:
    usual = Usual()
    for k in range(count):
        learn(usual, kinds[k % len(kinds)])
    return usual


def test_nothing_is_odd_before_anything_is_known() -> None:
    assert math.isnan(odd(Usual(), ORDER).surprise)


@pytest.mark.parametrize(
    ("lines", "template", "missing"),
    [
        pytest.param({1: 1, 2: 3, 3: 1, 9: 1}, 9, False, id="a template never met"),
        pytest.param({1: 1, 2: 3}, 3, True, id="the usual end is missing"),
    ],
)
def test_a_session_is_odd_by_what_it_holds_or_lacks(
    lines: dict[int, int], template: int, missing: bool
) -> None:
    found = odd(known(500, ORDER), lines)

    assert (found.template, found.missing) == (template, missing)
    assert found.surprise == pytest.approx(3.31, abs=0.03)
    assert found.surprise > ODD


def test_a_usual_session_is_not_odd() -> None:
    assert odd(known(500, ORDER, {1: 1}), {1: 1}).surprise < 0.7


def test_a_count_never_met_tells_two_equal_sets_apart() -> None:
    usual = known(500, ORDER)

    often, never = odd(usual, ORDER).surprise, odd(usual, {1: 1, 2: 7, 3: 1}).surprise

    assert often == pytest.approx(0.0, abs=0.01)
    assert never == pytest.approx(0.3, abs=0.01)


def test_what_comes_often_is_usual_after_a_while() -> None:
    usual = known(200, ORDER)
    before = odd(usual, {1: 1}).surprise

    for _ in range(50):
        learn(usual, {1: 1})

    assert before > ODD > odd(usual, {1: 1}).surprise


def test_half_is_forgotten_after_its_count_of_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "GROWTH", 2.0**0.01)

    usual = known(5_000, ORDER)
    for _ in range(100):
        learn(usual, {7: 1})

    assert usual.holds[7] / usual.total == pytest.approx(0.5, abs=0.01)
    assert usual.sessions == pytest.approx(144.8, abs=0.5)


def test_past_its_bounds_the_rarer_is_forgotten_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    for bound in ("MAX_TEMPLATES", "MAX_SETS", "MAX_COUNTS"):
        monkeypatch.setattr(sessions, bound, 20)
    usual = known(50, ORDER)

    for k in range(100, 300):
        learn(usual, {k: 1})

    assert max(len(usual.holds), len(usual.sets), len(usual.counts)) <= 20
    assert set(ORDER) <= set(usual.holds)
    assert usual.forgotten > 400


@given(st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 20), min_size=1), max_size=30))
def test_judging_learns_nothing_and_a_snapshot_changes_nothing(heard: list[dict[int, int]]) -> None:
    usual = Usual()
    for lines in heard:
        before = snapshot.dump(usual)
        found = odd(usual, lines)
        assert snapshot.dump(usual) == before
        assert not found.surprise < 0
        usual = snapshot.load(before)
        learn(usual, lines)

    assert usual.sessions <= len(heard) + 1e-9


@pytest.mark.shared_data
def test_odd_blocks_of_hdfs_are_told_at_the_shipped_threshold(shared: Path) -> None:
    from benchmarks._log_anomalies import hdfs

    found = hdfs()

    assert found["hdfs_f1"] > 0.92
    assert found["hdfs_auc"] > 0.997
