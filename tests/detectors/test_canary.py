"""New instances beside old ones: a bad release is told early and a harmless one hardly ever."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import means
from detectors.base import Floats, Rows
from detectors.canary import Args, Canary
from tests.detectors.common import MINUTE, rows
from tests.naive.canary import Instance, NaiveCanary


def seat(d: Canary, old: int, new: int, group: int = 0) -> Canary:
    n = old + new
    d.seat_many(rows(n), np.full(n, group, np.int32), (rows(n) >= old).astype(np.int32))
    return d


def take(d: Canary, values: Floats, start: float = 0.0, series: Rows | None = None) -> Floats:
    """Take (samples, members) by the minute; return their surprise."""
    series = rows(values.shape[1]) if series is None else series
    return np.array(
        [d.take_many(series, np.full(len(series), start + k * MINUTE), v)[0] for k, v in enumerate(values)]
    )


def latency(samples: int, members: int, seed: int) -> Floats:
    """Load that swings threefold, 2 % between instances, 10 % of noise."""
    rng = np.random.default_rng(seed)
    load = 0.2 + 0.1 * np.sin(np.arange(samples) / 20)[:, None]
    return np.array(
        load * np.exp(0.02 * rng.normal(size=members) + 0.1 * rng.normal(size=(samples, members)))
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(9, 1, id="one of ten"),
        pytest.param(3, 2, id="two of five"),
        pytest.param(30, 10, id="ten of forty"),
        pytest.param(2, 8, id="almost everywhere"),
    ],
)
def test_a_release_that_doubles_latency_is_told_within_half_an_hour(old: int, new: int) -> None:
    values = latency(30, old + new, 1)
    values[:, old:] *= 2

    surprise = take(seat(Canary(), old, new), values)

    assert (surprise[-1, old:] > 3).all()
    assert (surprise[-1, :old] == 0).all()


@pytest.mark.parametrize("times", [0.4, 2.5])
def test_a_release_is_told_in_both_directions(times: float) -> None:
    values = latency(30, 10, 2)
    values[:, 9] *= times

    assert take(seat(Canary(), 9, 1), values)[-1, 9] > 3


def test_errors_that_only_the_new_release_has_are_told() -> None:
    values = np.zeros((40, 6))
    values[:, 5] = np.random.default_rng(3).poisson(4.0, 40)

    assert take(seat(Canary(), 5, 1), values)[-1, 5] > 3


@pytest.mark.parametrize("old", [5, 30])
@pytest.mark.parametrize("at", [15, 16, 22, 40, 57])
def test_a_single_error_is_nothing(old: int, at: int) -> None:
    values = np.zeros((70, old + 1))
    values[at, old] = 1.0

    assert np.nanmax(take(seat(Canary(), old, 1), values)) < 0.5


def test_a_harmless_release_is_hardly_ever_told_whenever_one_looks() -> None:
    d, series = Canary(), rows(4000)
    d.seat_many(series, series // 10, (series % 10 == 9).astype(np.int32))
    rng = np.random.default_rng(4)
    own, wander = np.exp(0.05 * rng.normal(size=4000)), np.zeros(4000)
    worst = np.zeros(400)

    for k in range(120):
        wander = 0.8 * wander + 0.1 * rng.normal(size=4000)
        load = np.repeat(1 + 0.5 * np.sin(k / 30 + np.arange(400)), 10)
        surprise, _ = d.take_many(series, np.full(4000, k * MINUTE), load * own * np.exp(wander))
        worst = np.fmax(worst, surprise[9::10])

    assert (worst >= 1).mean() < 0.1
    assert (worst >= 2).mean() < 0.02


def test_what_moves_both_sides_is_nobodys_surprise() -> None:
    values = latency(120, 10, 5)
    values[40:] *= 4

    assert np.nanmax(take(seat(Canary(), 9, 1), values)) < 2


def test_a_fresh_instance_may_be_slow_at_first() -> None:
    values = latency(60, 10, 6)
    values[:5, 9] *= 20

    assert np.nanmax(take(seat(Canary(), 9, 1), values)) < 1
    assert np.nanmax(take(seat(Canary(Args(settle=0)), 9, 1), values)) > 1


def test_without_old_instances_nothing_is_said() -> None:
    d = seat(Canary(), 3, 3)
    values = latency(60, 6, 7)
    take(d, values[:30])

    surprise = take(d, values[30:, 3:], 30 * MINUTE, rows(6)[3:])

    assert np.isfinite(surprise[:3]).all(), "the old ones may only be late"
    assert np.isnan(surprise[5:]).all()


def test_without_new_instances_nothing_is_said() -> None:
    assert np.isnan(take(seat(Canary(), 5, 0), latency(60, 5, 8))).all()


def test_a_new_canary_begins_the_evidence_anew() -> None:
    d = seat(Canary(), 8, 1)
    values = latency(200, 10, 9)
    values[:60, 8] *= 3
    bad = take(d, values[:60, :9])
    d.seat_many(np.array([9], np.int32), np.zeros(1, np.int32), np.ones(1, np.int32))
    good = np.array([0, 1, 2, 3, 4, 5, 6, 7, 9], np.int32)

    after = take(d, values[60:, good], 60 * MINUTE, good)

    assert bad[-1, 8] > 3
    assert np.isnan(after[8:10]).all(), "while the next one shows itself"
    assert np.nanmax(after[6:]) < 1
    assert d.facts_of(9, 200 * MINUTE, 0.2).onset == 65 * MINUTE


def test_further_instances_of_one_rollout_do_not_begin_the_evidence_anew() -> None:
    d = seat(Canary(), 6, 3)
    values = latency(60, 9, 10)
    values[:, 6:] *= 2
    time = np.full(9, 0.0)
    told = []

    for k, line in enumerate(values):
        here = rows(9)[: 7 + min(k // 4, 2)]
        told.append(d.take_many(here, time[: len(here)] + k * MINUTE, line[: len(here)])[0][6])

    assert told[16] > 3
    assert d.facts_of(6, 60 * MINUTE, 0.4).onset == 5 * MINUTE


def test_a_sick_old_instance_does_not_hide_a_bad_release() -> None:
    values = latency(40, 21, 11)
    values[:, 3] *= 10
    values[:, 20] *= 2

    assert take(seat(Canary(), 20, 1), values)[-1, 20] > 3


def test_sides_scraped_apart_and_lost_samples_are_no_difference() -> None:
    d, values, rng = seat(Canary(), 6, 2), latency(120, 8, 12), np.random.default_rng(12)
    values[rng.random(values.shape) < 0.1] = np.nan
    worst = 0.0

    for k, line in enumerate(values):
        for late, part in enumerate((rows(8)[:6], rows(8)[6:])):
            surprise, _ = d.take_many(part, np.full(len(part), k * MINUTE + 40 * late), line[part])
            worst = max(worst, float(np.max(surprise, initial=0, where=np.isfinite(surprise))))

    assert 0 <= worst < 2


def test_the_order_of_rows_and_sparse_group_numbers_change_no_bit() -> None:
    group = np.repeat(np.array([2_000_000_000, 5], np.int32), [5, 4])
    side = (rows(9) % 3 == 0).astype(np.int32)
    values, turned = latency(60, 9, 13), np.random.default_rng(13).permutation(9).astype(np.int32)
    one, two = Canary(), Canary()
    one.seat_many(rows(9), group, side)
    two.seat_many(turned, (group % 8)[turned], side[turned])

    np.testing.assert_array_equal(take(one, values)[:, turned], take(two, values[:, turned], series=turned))


def test_many_groups_in_blocks_are_scored_as_alone() -> None:
    values, series = latency(25, 9000, 14), rows(9000)
    many = Canary()
    many.seat_many(series, series // 6, (series % 6 == 5).astype(np.int32))

    surprise = take(many, values)

    for first in (0, 4092, 8994):
        alone = take(seat(Canary(), 5, 1), values[:, first : first + 6])
        np.testing.assert_array_equal(surprise[:, first : first + 6], alone)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(np.full(200, 7.0), id="flat"),
        pytest.param(np.zeros(200), id="zero"),
        pytest.param(np.where(np.arange(200) // 20 % 2, 5.0, 500.0), id="a square wave"),
        pytest.param(np.arange(200.0) % 67 * 1e6, id="a counter that is reset"),
        pytest.param(-3.0 - np.arange(200.0), id="a fall below zero"),
        pytest.param(np.full(200, 9e17), id="as large as may be"),
    ],
)
def test_what_both_sides_do_alike_is_never_odd(line: Floats) -> None:
    surprise = take(seat(Canary(), 3, 2), np.repeat(line[:, None], 5, axis=1))

    assert np.nanmax(surprise) < 0.1


def test_expected_is_the_baseline_and_the_band_what_a_harmless_release_keeps_to() -> None:
    d = seat(Canary(), 9, 1)
    values = latency(60, 10, 15)
    take(d, values)

    band = d.expect_many(rows(10), np.full(10, 3600.0))

    np.testing.assert_allclose(band.expected, np.median(values[-1, :9]))
    assert (band.lower < band.expected).all()
    assert (0.2 * band.expected > band.upper - band.expected).all()
    assert d.facts_of(9, 3600.0, 0.2).peers == 9
    assert d.facts_of(9, 3600.0, 0.2).usual == pytest.approx(np.median(values[-1, :9]))


def test_means_of_long_pasts_are_means_and_their_errors_those_of_batches() -> None:
    state = np.zeros(2, np.dtype(means.FIELDS))
    means.begin(state)
    values = np.random.default_rng(16).normal(5, 1, (1000, 2))

    for line in values:
        state = means.add(state, line)
    mean, error = means.mean_of(state)

    np.testing.assert_allclose(mean, values.mean(axis=0))
    assert (state["full"] < 16).all()
    batches = [values[k : k + 64] for k in range(0, 1000, 64)]
    weight = np.array([len(b) / 64 for b in batches])[:, None]
    away = np.array([b.mean(axis=0) for b in batches]) - mean
    many = weight.sum()
    np.testing.assert_allclose(error, (weight * away**2).sum(axis=0) / (many * (many - 1)))


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261124)
    values = latency(260, 22, 17)
    values[:, 4] = np.round(values[:, 4] * 10)
    values[:, 3] *= 1.8
    values[:, 19:] *= np.array([1.3, 1.5, 1.4])
    values[rng.random(values.shape) < 0.05] = np.nan
    values[150, 2:5] = np.inf, -np.inf, 1e300
    group, side = np.repeat(np.array([7, 3], np.int32), [5, 17]), np.zeros(22, np.int32)
    side[[3, 4, 19, 20, 21]] = 1
    d = Canary()
    d.seat_many(rows(22), group, side)
    slow = {
        g: NaiveCanary({int(r): Instance(bool(side[r])) for r in np.flatnonzero(group == g)}) for g in (3, 7)
    }

    for k, line in enumerate(values):
        there = (rng.random(22) < 0.9) & (k > np.where(rows(22) < 20, -1, np.where(rows(22) == 20, 12, 90)))
        part = rng.permutation(np.flatnonzero(there)).astype(np.int32)
        time = k * 60.0 + rng.integers(0, 50, len(part)) + (9000.0 if k > 220 else 0.0)
        got = d.take_many(part, time.astype(float), line[part])
        want: dict[int, tuple[float, float]] = {}
        for g, twin in slow.items():
            mine = [j for j in range(len(part)) if group[part[j]] == g]
            want |= twin.take({int(part[j]): (float(time[j]), float(line[part[j]])) for j in mine})
        told = np.array([want[int(r)] for r in part])
        np.testing.assert_allclose(np.array(got).T, told, rtol=1e-6, atol=1e-8)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="settle, rollout: expected seconds"):
        Args(settle=-1)
    with pytest.raises(ValueError, match="effect, alike: expected ratios above 0"):
        Args(effect=0)
