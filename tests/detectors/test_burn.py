"""Error budgets: what burns is told as soon as chance is no excuse, one failure of two requests is not."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from detectors.base import Floats
from detectors.burn import BYTES_A_GROUP, BYTES_A_ROW, Args, Burn
from tests.detectors.common import MINUTE, rows
from tests.naive.burn import NaiveBurn

ALL, FAILED = 0, 1


def paired(n: int = 1, args: Args | None = None) -> Burn:
    """Return a detector of n groups: rows 0, 2 ... count all requests, rows 1, 3 ... those that failed."""
    d = Burn(args)
    d.seat_many(rows(2 * n), rows(2 * n) // 2, rows(2 * n) % 2)
    return d


def take(d: Burn, every: Floats, failed: Floats, begin: float = MINUTE, step: float = MINUTE) -> Floats:
    """Feed requests a second, (samples, groups); return the groups' surprise in the same shape."""
    n = every.shape[1]
    both = np.stack((every, failed), axis=2).reshape(len(every), 2 * n)
    times = begin + step * np.arange(len(every))
    return np.array(
        [
            d.take_many(rows(2 * n), np.full(2 * n, t), v)[0][FAILED::2]
            for t, v in zip(times, both, strict=True)
        ]
    )


def steady(rate: float, samples: int, groups: int = 1) -> Floats:
    return np.full((samples, groups), rate)


def test_an_outage_is_told_in_minutes_and_a_slow_burn_in_hours() -> None:
    share = np.array([[0.0005, 0.0005, 0.0005]])
    d = paired(3)
    quiet = take(d, steady(50, 600, 3), 50 * np.repeat(share, 600, axis=0))

    burnt = take(d, steady(50, 600, 3), steady(50, 600, 3) * [1.0, 0.1, 0.008], 601 * MINUTE)

    first = np.argmax(burnt >= 4, axis=0)
    assert np.nanmax(quiet) < 1
    assert (burnt.max(axis=0) >= 4).all()
    assert first[0] < 2
    assert first[1] < 12
    assert 100 < first[2] < 400


def test_one_failure_of_two_requests_at_night_is_no_page() -> None:
    failed = steady(0.0, 600)
    failed[500] = 1 / MINUTE

    surprise = take(paired(), steady(2 / MINUTE, 600), failed)

    assert np.nanmax(surprise) < 2


def test_all_of_few_requests_failing_is_a_page_after_a_handful() -> None:
    failed = steady(0.0, 600)
    failed[500:] = 2 / MINUTE

    surprise = take(paired(), steady(2 / MINUTE, 600), failed)[:, 0]

    assert np.nanmax(surprise[:500]) < 1
    assert 4 <= np.argmax(surprise >= 4) - 500 + 1 <= 20


def test_what_is_over_is_over_within_the_short_span() -> None:
    failed = steady(0.0, 700)
    failed[600:606] = 10.0

    surprise = take(paired(), steady(20, 700), failed)[:, 0]

    assert surprise[605] > 10
    assert surprise[645] < 1


def test_failures_at_exactly_the_rate_that_is_allowed_are_as_rare_as_the_surprise_says() -> None:
    rng = np.random.default_rng(3)
    failed = rng.poisson(10 * 0.001 * 60.0, (1500, 60)) / 60  # of ten requests a second

    surprise = take(paired(60), steady(10, 1500, 60), failed)[800:]

    assert (surprise >= 3).mean() < 0.002
    assert (surprise >= 4).mean() < 0.0003


def test_failures_in_clumps_are_less_surprising_where_clumps_are_declared() -> None:
    failed = steady(0.0, 300)
    failed[280:] = 8.0

    surprise = [take(paired(1, Args(clumps=clumps)), steady(10, 300), failed)[-1, 0] for clumps in (0.0, 0.3)]

    assert surprise[0] > 2 * surprise[1] > 2


def test_instances_are_added_up_and_a_dead_one_is_no_longer_counted() -> None:
    d = Burn()
    d.seat_many(rows(4), np.zeros(4, np.int32), np.array([ALL, ALL, FAILED, FAILED], np.int32))
    for k in range(1, 60):
        d.take_many(rows(4), np.full(4, MINUTE * k), np.array([5.0, 3.0, 0.0, 0.0]))
    before = d.expect_many(np.array([2], np.int32), np.array([60 * MINUTE])).expected[0]
    for k in range(60, 80):
        d.take_many(rows(4)[[0, 2]], np.full(2, MINUTE * k), np.array([5.0, 0.0]))

    after = d.expect_many(np.array([2], np.int32), np.array([80 * MINUTE])).expected[0]

    np.testing.assert_allclose([before, after], [0.001 * 8 / 2, 0.001 * 5 / 2])


def test_sides_that_come_apart_count_the_same_seconds() -> None:
    rng = np.random.default_rng(4)
    every, failed = rng.uniform(5, 15, (300, 1)), np.zeros((300, 1))
    failed[250:] = rng.uniform(0, 4, (50, 1))
    together, apart = paired(), paired()
    surprise = take(together, every, failed)[:, 0]

    found = []
    for k in range(300):
        at = np.full(1, MINUTE * (k + 1))
        apart.take_many(rows(1), at, every[k])
        found.append(apart.take_many(rows(2)[1:], at, failed[k])[0][0])

    assert surprise[-1] > 50
    np.testing.assert_allclose(found[15:], surprise[15:], rtol=0.02, atol=1e-3)


def test_failures_told_in_parts_are_as_many_as_those_told_at_once() -> None:
    parts, once = steady(0.0, 400), steady(0.0, 400)
    parts[390:399], once[398] = 3 / 9 / 20, 3 / 20  # three, every 20 s a third of one, or all in 20 s

    told = [take(paired(), steady(0.005, 400), failed, step=20.0)[399, 0] for failed in (parts, once)]

    assert told[0] > 1
    np.testing.assert_allclose(*told)


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples = 5, 300
    every = rng.poisson(300, (samples, n)) / 60
    failed = rng.poisson(300 * np.array([0.0, 0.001, 0.004, 0.02, 0.0005]), (samples, n)) / 60
    failed[200:, 4] = every[200:, 4]
    times = np.cumsum(rng.integers(40, 80, samples)).astype(float) + np.where(
        np.arange(samples) > 150, 7200, 0
    )
    fast, slow = paired(n), [NaiveBurn() for _ in range(n)]

    for time, whole, part in zip(times, every, failed, strict=True):
        got = fast.take_many(rows(2 * n), np.full(2 * n, time), np.stack((whole, part), 1).ravel())[0]
        want = [s.take(float(time), float(a), float(f)) for s, a, f in zip(slow, whole, part, strict=True)]
        np.testing.assert_allclose(got[FAILED::2], want, rtol=5e-3, atol=1e-6)  # counts are rounded down
        assert ((got[ALL::2] < 0.5) | np.isnan(got[ALL::2])).all(), "side 0 is silent"


@pytest.mark.parametrize(
    "failed",
    [
        pytest.param(np.zeros(200), id="no failure"),
        pytest.param(np.where(np.arange(200) % 5 == 0, np.nan, 0.001), id="gaps"),
        pytest.param(
            np.where(np.arange(200) % 5 == 0, np.inf, 1e17), id="more than there are, and infinitely many"
        ),
        pytest.param(-np.ones(200), id="fewer than none"),
        pytest.param(np.arange(200) % 50 * 0.01, id="a counter that is reset"),
    ],
)
def test_whatever_comes_the_surprise_is_a_number_from_0_up(failed: Floats) -> None:
    with np.errstate(all="raise", under="ignore"):
        surprise = take(paired(), steady(10, 200), failed[:, None])[20:, 0]

    known = np.isfinite(failed[20:])
    assert (surprise[known] >= 0).all()
    assert np.isnan(surprise[~known]).all()


def test_a_gap_of_days_and_a_clock_that_jumps_burn_nothing() -> None:
    d = paired()
    take(d, steady(10, 100), steady(0.005, 100))

    for begin in (5 * 86400.0, 1e12):
        assert np.nanmax(take(d, steady(10, 50), steady(0.005, 50), begin)) < 1


def test_who_counts_no_requests_has_no_say_and_who_has_no_seat_none_either() -> None:
    alone = Burn()
    alone.seat_many(rows(1), rows(1), np.array([FAILED], np.int32))

    for d in (alone, Burn()):
        told = [d.take_many(rows(1), np.full(1, MINUTE * k), np.ones(1))[0][0] for k in range(1, 30)]
        assert np.isnan(told).all()


def test_a_group_that_all_have_left_begins_anew() -> None:
    d, fresh = paired(2), paired(2)
    take(d, steady(10, 100, 2), steady(5, 100, 2))
    d.forget_many(rows(4))
    d.seat_many(rows(4), rows(4) // 2, rows(4) % 2)

    a, b = (take(each, steady(10, 50, 2), steady(0.01, 50, 2), 9000.0) for each in (d, fresh))

    np.testing.assert_array_equal(a, b)


def test_to_take_the_same_seat_again_changes_nothing() -> None:
    d = paired(3)
    take(d, steady(10, 50, 3), steady(0.01, 50, 3))
    before = pickle.dumps(d)

    d.seat_many(rows(6), rows(6) // 2, rows(6) % 2)

    assert pickle.dumps(d) == before


def test_a_week_for_a_period_shortens_the_spans_alike() -> None:
    long, short = paired(), paired(1, Args(period=30 * 86400.0 / 4))
    failed = np.random.default_rng(5).uniform(0, 0.05, (300, 1))

    a = take(long, steady(10, 300), failed, 4 * MINUTE, 4 * MINUTE)
    b = take(short, steady(40, 300), failed * 4)

    np.testing.assert_allclose(a[20:], b[20:], rtol=0.02, atol=1e-3)


def test_the_state_is_as_large_as_it_says() -> None:
    d = paired(1600)
    own = (d._group, d._side, d._seen, d._newest, d._time, d._place, d._seats, d._begins[1:])
    held = [*vars(d._groups).values(), *own]

    assert sum(column.nbytes for column in held) <= 1600 * BYTES_A_GROUP + 3200 * BYTES_A_ROW


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"objective": 1.0}, "objective: expected a share between 0 and 1"),
        ({"period": 60.0}, "period: expected at least an hour"),
        ({"clumps": -1.0}, "clumps: expected 0 or more"),
    ],
)
def test_wrong_arguments_are_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Args(**given)
