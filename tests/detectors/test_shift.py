"""Lasting shifts and slow slopes are found, dated and then known; spikes, days and ramps are neither."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Floats
from detectors.cusum import tell
from detectors.past import Past
from detectors.shift import Args, Shift
from tests.detectors.common import feed as feed_from
from tests.detectors.common import rows
from tests.naive.shift import NaiveShift

STEP = 300.0  # s between samples
DAY = 288  # samples
SIZES = (0.5, 1.0, -1.0, 2.0)
CHANGE = 3 * DAY + 100  # where the changes of these tests begin


def feed(d: Shift, values: Floats, start: float = 0.0) -> Floats:
    return feed_from(d, values, start, STEP)


def quiet(samples: int, series: int, keep: float = 0.0, seed: int = 3) -> Floats:
    """Return normal noise about 100 that keeps so much of itself from sample to sample, of variance 1."""
    new = np.random.default_rng(seed).normal(0.0, 1.0, (samples, series))
    for k in range(1, samples):
        new[k] = keep * new[k - 1] + np.sqrt(1 - keep * keep) * new[k]
    return 100.0 + new


def first(surprise: Floats, start: int = CHANGE) -> Floats:
    """Return how many samples after the change each series is told, NaN where it never is."""
    told = surprise[start:] >= 4
    return np.where(told.any(axis=0), told.argmax(axis=0), np.nan)


@pytest.fixture(scope="module")
def told() -> tuple[Floats, Floats]:
    """Return how many samples after a shift of each of SIZES twenty series are told, and from when."""
    d, n = Shift(), 20 * len(SIZES)
    values = np.tile(quiet(CHANGE + 300, 20), len(SIZES))
    values[CHANGE:] += np.repeat(SIZES, 20)
    feed(d, values[:CHANGE])
    late, onset = np.full((2, n), np.nan)
    for k in range(CHANGE, len(values)):
        s, _ = d.take_many(rows(n), np.full(n, k * STEP), values[k])
        for row in np.flatnonzero((s >= 4) & np.isnan(late)):
            late[row] = k - CHANGE
            onset[row] = d.facts_of(int(row), k * STEP, values[k, row]).onset / STEP - CHANGE
    return late.reshape(-1, 20), onset.reshape(-1, 20)


@pytest.mark.parametrize(
    ("size", "median", "most"),
    [
        pytest.param(0.5, 130, 300, id="half a standard deviation"),
        pytest.param(1.0, 35, 80, id="one"),
        pytest.param(-1.0, 35, 80, id="one down"),
        pytest.param(2.0, 10, 25, id="two"),
    ],
)
def test_a_small_lasting_shift_is_told_and_dated(
    told: tuple[Floats, Floats], size: float, median: int, most: int
) -> None:
    late, onset = (each[SIZES.index(size)] for each in told)

    assert np.isfinite(late).mean() >= 0.9
    assert np.nanmedian(late) <= median
    assert np.nanmax(late) <= most
    assert abs(np.nanmedian(onset)) <= max(2, median / 10)


def test_a_shift_is_the_new_base_once_it_was_told() -> None:
    d = Shift()
    values = quiet(CHANGE + 200, 20)
    values[CHANGE:] += 5.0

    surprise = feed(d, values)

    assert (first(surprise) <= 6).all()
    assert (surprise[CHANGE + 5] >= 4).all(), "at first it is news"
    assert (surprise[CHANGE + 30 :] < 4).mean() > 0.98, "and then it is not"
    expected = d.expect_many(rows(20), np.full(20, len(values) * STEP)).expected
    assert (np.abs(expected - 105) < 1).all()


def test_a_spike_is_no_shift() -> None:
    values = quiet(CHANGE + 100, 20)
    values[CHANGE] += 1e6

    surprise = feed(Shift(), values)

    assert (surprise[CHANGE : CHANGE + 100] < 4).all()


def test_a_leak_is_told_as_a_slope_from_about_when_it_began() -> None:
    d = Shift()
    values = quiet(CHANGE + 400, 20)
    values[CHANGE:] += (np.arange(400) * 0.01)[:, None]
    feed(d, values[:CHANGE])
    onset, slope = np.full(20, np.nan), np.full(20, np.nan)

    for k in range(CHANGE, len(values)):
        s, _ = d.take_many(rows(20), np.full(20, k * STEP), values[k])
        for row in np.flatnonzero((s >= 4) & np.isnan(slope)):
            facts = d.facts_of(int(row), k * STEP, values[k, row])
            onset[row], slope[row] = facts.onset / STEP - CHANGE, facts.slope * STEP

    assert np.isfinite(slope).mean() >= 0.6
    assert 0.007 < np.nanmedian(slope) < 0.013
    assert abs(np.nanmedian(onset)) < 60


def test_a_step_is_never_told_as_a_slope() -> None:
    d = Shift()
    values = quiet(CHANGE + 60, 20)
    values[CHANGE:] += 4.0
    feed(d, values[:CHANGE])
    slopes = []

    for k in range(CHANGE, len(values)):
        d.take_many(rows(20), np.full(20, k * STEP), values[k])
        slopes += [d.facts_of(row, k * STEP, 0.0).slope for row in range(20)]

    assert np.isfinite(slopes).mean() < 0.02


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.9])
def test_surprise_is_as_rare_as_it_says_on_noise_that_echoes(keep: float) -> None:
    surprise = feed(Shift(), quiet(8 * DAY, 100, keep))[2 * DAY :]

    for level in (1, 2, 3):
        assert 0.3 < (surprise >= level).mean() * 10**level < 3
    assert (surprise >= 5).mean() < 1e-4


def test_a_day_that_was_seen_before_is_no_shift() -> None:
    wave = 20 * np.sin(2 * np.pi * np.arange(8 * DAY) / DAY)
    surprise = feed(Shift(), quiet(8 * DAY, 40) + wave[:, None])

    assert (surprise[4 * DAY :] >= 4).mean() < 3e-3
    assert (surprise[4 * DAY :] >= 6).mean() < 3e-4


def test_a_shift_of_one_deviation_is_seen_through_the_day() -> None:
    wave = 20 * np.sin(2 * np.pi * np.arange(10 * DAY) / DAY)
    values = quiet(10 * DAY, 20) + wave[:, None]
    values[9 * DAY + 80 :] += 1.0

    surprise = feed(Shift(), values)

    assert np.nanmedian(first(surprise, 9 * DAY + 80)) < 60


@pytest.mark.parametrize(
    "shape",
    [
        pytest.param(lambda k: np.where(k % 40 < 20, 10.0, 20.0), id="a square wave"),
        pytest.param(lambda k: 0.05 * k, id="a ramp"),
        pytest.param(lambda k: np.full(len(k), 1e17), id="a flat line of huge numbers"),
        pytest.param(lambda k: np.zeros(len(k)), id="nothing at all"),
        pytest.param(lambda k: np.where(k < 300, 1e15, 0.0) + np.sin(k), id="a counter that was reset"),
        pytest.param(lambda k: np.where(k < 300, 5.0, 5 + np.sin(k * k)), id="constant, then noise"),
    ],
)
def test_odd_shapes_give_numbers_and_settle(shape: object) -> None:
    assert callable(shape)
    surprise = feed(Shift(), shape(np.arange(900.0))[:, None])[:, 0]

    assert np.isfinite(surprise[100:]).all()
    assert (surprise[700:] < 4).all()


def test_a_clock_that_jumps_a_year_is_no_shift() -> None:
    d = Shift()
    feed(d, quiet(600, 5))

    after = feed(d, quiet(100, 5, seed=4), start=600 * STEP + 365 * 86400.0)

    assert np.isfinite(after).all()
    assert (after < 4).all()


def test_samples_that_are_missing_or_come_unevenly_are_survived() -> None:
    rng = np.random.default_rng(9)
    d, values = Shift(), quiet(4 * DAY, 10)
    values[rng.random(values.shape) < 0.2] = np.nan
    time = np.arange(4.0 * DAY) * STEP + rng.uniform(-100, 100, 4 * DAY)

    found = [d.take_many(rows(10), np.full(10, t), v)[0] for t, v in zip(time, values, strict=True)]

    assert np.nanmean(np.array(found)[2 * DAY :] >= 3) < 3e-3


def test_a_change_that_was_taken_back_is_no_new_base() -> None:
    state = {"told": np.full(2, np.nan), "since": np.zeros(2)}

    done = [
        tell(state, np.array([5.0, back]), np.full(2, k * 60.0), 4.0, 600.0, 8)
        for k, back in enumerate([5.0] * 6 + [0.5] * 8)
    ]

    assert [k for k, (stays, _) in enumerate(done) if stays] == [10]
    assert not any(taken_back for _, taken_back in done)


def test_a_bend_is_told_from_a_step() -> None:
    past = Past()
    noise = np.random.default_rng(5).normal(0, 1, (960, 2))
    for k in range(960):
        step, bend = 3.0 * (k >= 500), 0.01 * max(k - 500, 0)
        past.learn(rows(2), noise[k] + np.array([step, bend]), rows(0))

    found = past.bend(1, 0.0)

    assert past.bend(0, 0.0) is None
    assert found is not None
    assert abs(found.ago - 460) < 80
    assert abs(found.slope - 0.01) < 0.002


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples = 10, 1300
    k = np.arange(samples)[:, None]
    values = 50 + rng.normal(0, 1, (samples, n)) + np.where(k > 1000, np.linspace(0, 4, n), 0.0)
    values[:, 4:8] += 8 * np.sin(2 * np.pi * k * 150 / 86400)
    values[:, 0], values[:, 1] = 5.0, rng.integers(0, 3, samples)
    values[:, 2] += np.where(k[:, 0] > 1200, 0.02 * (k[:, 0] - 1200), 0.0)
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * 150.0 + np.where(k > 700, 9000.0, 0.0) + rng.integers(-20, 20, (samples, n))
    fast, slow = Shift(), [NaiveShift() for _ in range(n)]

    for time, value in zip(times.astype(float), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=2e-3, atol=2e-3)
        onset = [fast.facts_of(row, 0.0, 0.0).onset for row in range(n)]
        np.testing.assert_allclose(onset, [s.onset for s in slow], rtol=0, atol=1.0)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 30"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="above 0"):
        Args(told=0)
