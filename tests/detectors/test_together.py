"""What belongs together: broken bonds, shared bursts, seats; the fast detector agrees with its slow twin."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Floats
from detectors.bonds import SEATS
from detectors.together import Args, Together
from tests.detectors.common import MINUTE, feed, noise, rows
from tests.naive.together import NaiveTogether


def load(samples: int, seed: int = 1, step: float = MINUTE) -> Floats:
    """Return a load that wanders about a daily rhythm, (samples,)."""
    rng = np.random.default_rng(seed)
    wander = np.convolve(rng.normal(0, 1, samples + 60), np.exp(-np.arange(60) / 15.0), "valid")[:samples]
    found: Floats = 100 + 40 * np.sin(2 * np.pi * np.arange(samples) * step / 86400) + 5 * wander
    return found


def service(samples: int, members: int, seed: int = 1) -> Floats:
    """Return (samples, members) series that follow one load, each in its unit and with noise of its own."""
    rng = np.random.default_rng([seed, 9])
    unit = 10.0 ** rng.uniform(-3, 3, members)
    found: Floats = unit * (load(samples, seed)[:, None] + rng.normal(0, 2, (samples, members)))
    return found


def test_a_processor_that_falls_while_requests_rise_is_told_and_the_others_are_not() -> None:
    values = service(1320, 5)
    level = np.median(values[1140:1200, 1])
    values[1200:, 1] = 2 * level - values[1200:, 1]

    surprise = feed(Together(), values)[1200:]

    odd = (surprise >= 4).sum(axis=0)
    assert odd[1] >= 10
    assert odd.sum() - odd[1] <= odd[1] / 5
    assert np.flatnonzero(surprise[:, 1] >= 4)[0] <= 15


def test_what_all_do_together_is_not_odd() -> None:
    values = service(1000, 5)
    values[900:960] *= 1.6

    assert (feed(Together(), values)[900:960] >= 4).sum() == 0


def test_a_bond_that_broke_for_good_is_learned_anew() -> None:
    values = service(1600, 5)
    other = load(1600, seed=3)
    values[900:, 1] = (values[:900, 1].mean() / other.mean()) * other[900:]

    odd = feed(Together(), values)[:, 1] >= 4

    assert odd[900:960].any()
    assert odd[1200:].mean() < 0.01


def test_who_is_alone_is_never_unlike_the_others() -> None:
    values = noise(150, 1)
    values[120] = 99.0

    assert set(feed(Together(), values)[60:, 0]) == {0.0}


@pytest.mark.parametrize("members", [2, 5, 32])
def test_the_rate_of_surprise_is_about_the_rate_it_claims(members: int) -> None:
    surprise = feed(Together(), service(1200, members, 4))[300:]

    assert (surprise >= 2).mean() < 0.025
    assert (surprise >= 3).mean() < 0.004
    assert members < 5 or (surprise >= 2).mean() > 0.002


def test_a_group_depends_on_no_other_group() -> None:
    values = np.hstack([service(200, 3), service(200, 9, 2)])
    both, alone = Together(), Together()
    both.seat_many(rows(12), np.repeat([4, 7], [3, 9]).astype(np.int32), np.zeros(12, np.int32))
    alone.seat_many(rows(3), np.full(3, 1, np.int32), np.zeros(3, np.int32))
    for k, v in enumerate(values):
        at = np.full(12, k * MINUTE)

        beside = both.take_many(rows(12), at, v)[0][:3]

        np.testing.assert_array_equal(beside, alone.take_many(rows(3), at[:3], v[:3])[0])


def test_members_that_come_apart_see_the_newest_of_each_other() -> None:
    values = service(960, 4)
    values[900:, 2] = 2 * values[900, 2] - values[900:, 2]
    d = Together()
    d.seat_many(rows(4), np.zeros(4, np.int32), np.zeros(4, np.int32))
    halves = np.split(rows(4), 2)

    odd = np.zeros(4)
    for k, v in enumerate(values):
        for half in halves:
            odd[half] += (d.take_many(half, np.full(2, k * MINUTE), v[half])[0] >= 4) & (k >= 900)

    assert odd[2] >= 5
    assert odd.argmax() == 2


def test_more_than_a_table_holds_are_seated_at_the_next() -> None:
    d = Together()

    surprise = feed(d, service(200, 2 * SEATS + 3))

    assert np.isfinite(surprise[100:]).all()
    assert [d.facts_of(k, 12000.0, 1.0).peers for k in (0, SEATS, 2 * SEATS)] == [SEATS - 1, SEATS - 1, 2]


def test_a_member_that_has_gone_quiet_is_no_witness() -> None:
    values = service(700, 4)
    with_it, without = Together(), Together()
    feed(with_it, values[:600])
    feed(without, values[:600])
    gone = values[600:].copy()
    gone[:, 3] = np.nan
    steps = [with_it.take_many(rows(4), np.full(4, (600 + k) * MINUTE), v)[0] for k, v in enumerate(gone)]

    assert np.isnan([s[3] for s in steps]).all()
    assert with_it.facts_of(0, 700 * MINUTE, 1.0).peers == 2
    assert (np.array(steps)[10:, :3] >= 4).mean() < 0.005


def test_a_row_that_moves_to_another_group_leaves_nothing_behind() -> None:
    d, new = Together(), Together()
    feed(d, service(300, 3))
    d.seat_many(rows(3), np.full(3, 5, np.int32), np.zeros(3, np.int32))
    new.seat_many(rows(3), np.full(3, 5, np.int32), np.zeros(3, np.int32))

    for k, v in enumerate(service(150, 3, 2)):
        at = np.full(3, (400 + k) * MINUTE)
        np.testing.assert_array_equal(d.take_many(rows(3), at, v)[0], new.take_many(rows(3), at, v)[0])


def test_who_takes_the_seat_of_one_that_left_inherits_none_of_its_bonds() -> None:
    d = Together()
    feed(d, service(200, 3))
    bonds = d._bonds
    seat = int(bonds.seat[1])

    d.forget_many(np.array([1], np.int32))

    assert bonds.covariance[[0, 2]].any(axis=1).all()
    assert not bonds.covariance[:, seat].any()
    assert not bonds.inverse[:, seat].any()
    assert not bonds.covariance[1].any()


def test_a_row_without_a_group_is_not_known() -> None:
    d = Together()

    surprise = [d.take_many(rows(2), np.full(2, k * MINUTE), v)[0] for k, v in enumerate(noise(100, 2))]

    assert np.isnan(surprise).all()


def test_it_tells_since_when_and_what_the_others_would_have_it() -> None:
    values = service(903, 5)
    unit = values[:, 1] / values[:, 0]
    values[900:, 1] *= 0.7
    d = Together()

    surprise = feed(d, values)

    told = d.facts_of(1, 902 * MINUTE, values[902, 1])
    assert surprise[902, 1] >= 4
    assert math.isclose(told.onset, 900 * MINUTE)
    assert told.peers == 4
    assert math.isclose(told.usual, np.median(unit) * values[902, 0], rel_tol=0.1)


def test_what_comes_again_began_when_it_came_again() -> None:
    values = service(1000, 5)
    for begin in (900, 970):
        values[begin : begin + 20, 1] *= 3.0
    d = Together()
    d.seat_many(rows(5), np.zeros(5, np.int32), np.zeros(5, np.int32))

    for k, each in enumerate(values[:975]):
        d.take_many(rows(5), np.full(5, float(k)), each)

    assert d.facts_of(1, 974.0, values[974, 1]).onset == 970


def test_the_expected_band_follows_the_others() -> None:
    values = service(600, 5)
    d = Together()
    feed(d, values)

    band = d.expect_many(rows(5), np.full(5, 600 * MINUTE))

    assert (band.lower < band.expected).all()
    assert (np.abs(band.expected - values[599]) < 0.1 * values[599]).all()


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda k: np.full(len(k), 7.0), id="a flat line"),
        pytest.param(lambda k: np.where(k % 40 < 20, 1.0, 9.0), id="a square wave"),
        pytest.param(lambda k: 5.0 * (k % 100), id="a counter that is reset"),
        pytest.param(lambda k: np.where(k % 97 == 0, np.nan, np.sin(k)), id="one with holes"),
        pytest.param(lambda k: np.where(k % 89 == 0, 1e300, k % 2), id="one with 1e300 in it"),
        pytest.param(lambda k: np.where(k < 200, 1.0, np.sin(7 * k)), id="constant, then none"),
    ],
)
def test_a_member_of_any_shape_makes_no_neighbour_odd(shape: Callable[[Floats], Floats]) -> None:
    values = service(350, 4)
    values[:, 3] = shape(np.arange(350.0))

    surprise = feed(Together(), values)

    assert (surprise[100:, :3] >= 4).mean() < 0.01
    assert np.isfinite(surprise[100:, :3]).all()


def test_a_clock_that_jumps_a_day_ahead_makes_nobody_odd() -> None:
    d, values = Together(), service(600 + 1440 + 60, 4)
    feed(d, values[:600])

    after = feed(d, values[-60:], start=(600 + 1440) * MINUTE)

    assert (after >= 4).sum() == 0


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    values = service(800, 5, 6)
    values[:, 4] = rng.integers(0, 3, 800)
    values[500:640, 1] = values[500, 1]
    values[rng.random(values.shape) < 0.04] = np.nan
    values[300, :3] = np.inf, -np.inf, 1e300
    values[700:720] = np.nan
    fast, slow = Together(), NaiveTogether(5)
    fast.seat_many(rows(5), np.zeros(5, np.int32), np.zeros(5, np.int32))

    for k, value in enumerate(values):
        time = k * MINUTE + float(rng.integers(-20, 20)) + (7200.0 if k > 720 else 0.0)
        got = fast.take_many(rows(5), np.full(5, time), value)[0]
        want = slow.take(time, [float(v) for v in value])

        np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-6, err_msg=f"sample {k}")


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 40"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="above 0"):
        Args(bonds=0)
