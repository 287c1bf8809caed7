"""What became rougher or stiller is told and dated; a shift, a spike and a rough hour of each day are not."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Floats
from detectors.variance import Args, Variance
from tests.detectors.common import MINUTE, feed, rows
from tests.naive.variance import NaiveVariance

CHANGE = 900
FACTORS = (2.0, 4.0, 0.25, 0.0)


def quiet(samples: int, series: int, seed: int = 3) -> Floats:
    return np.random.default_rng(seed).normal(0.0, 1.0, (samples, series))


@pytest.fixture(scope="module")
def told() -> tuple[Floats, Floats]:
    """Return how many samples after a change by each of FACTORS twenty series are told, and from when."""
    d, n = Variance(), 20 * len(FACTORS)
    values = np.tile(quiet(CHANGE + 300, 20), len(FACTORS))
    values[CHANGE:] *= np.sqrt(np.repeat(FACTORS, 20))
    values += 100.0
    feed(d, values[:CHANGE])
    late, onset = np.full((2, n), np.nan)
    for k in range(CHANGE, len(values)):
        s, _ = d.take_many(rows(n), np.full(n, k * MINUTE), values[k])
        for row in np.flatnonzero((s >= 4) & np.isnan(late)):
            late[row] = k - CHANGE
            onset[row] = d.facts_of(int(row), k * MINUTE, values[k, row]).onset / MINUTE - CHANGE
    return late.reshape(-1, 20), onset.reshape(-1, 20)


@pytest.mark.parametrize(
    ("factor", "median"),
    [
        pytest.param(2.0, 150, id="twice the variance within hours"),
        pytest.param(4.0, 40, id="four times within the hour"),
        pytest.param(0.25, 60, id="a quarter within the hour"),
        pytest.param(0.0, 30, id="frozen within the half hour"),
    ],
)
def test_a_change_of_variance_is_told_and_dated(
    told: tuple[Floats, Floats], factor: float, median: int
) -> None:
    late, onset = (each[FACTORS.index(factor)] for each in told)

    assert np.isfinite(late).mean() >= 0.8
    assert np.nanmedian(late) <= median
    assert abs(np.nanmedian(onset)) <= 12


def test_a_new_variance_is_usual_once_it_was_told() -> None:
    values = quiet(CHANGE + 400, 20)
    values[CHANGE:] *= 4

    surprise = feed(Variance(), values + 100)

    assert (surprise[CHANGE : CHANGE + 20] >= 4).any(axis=0).all()
    assert (surprise[CHANGE + 60 :] >= 4).mean() < 0.01


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda k: 50.0 * (k >= CHANGE), id="a shift"),
        pytest.param(lambda k: 500.0 * (k == CHANGE), id="a spike"),
        pytest.param(lambda k: 0.05 * np.maximum(k - CHANGE, 0), id="a slope"),
    ],
)
def test_what_changes_the_level_is_no_roughness(change: object) -> None:
    assert callable(change)
    values = quiet(CHANGE + 120, 20) + 100 + change(np.arange(CHANGE + 120))[:, None]

    surprise = feed(Variance(), values)[CHANGE:]

    assert (surprise >= 4).mean() < 1e-3


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        pytest.param("normal", 2.5, id="normal noise"),
        pytest.param("counts", 4.0, id="counts about five"),
        pytest.param("heavy", 6.0, id="tails that are heavy, before they are known"),
    ],
)
def test_surprise_is_as_rare_as_it_says(kind: str, most: float) -> None:
    rng = np.random.default_rng(4)
    values = {
        "normal": quiet(2500, 100) + 100,
        "counts": rng.poisson(5.0, (2500, 100)).astype(float),
        "heavy": rng.standard_t(3, (2500, 100)) + 100,
    }[kind]

    surprise = feed(Variance(), values)[500:]

    for level in (1, 2, 3):
        assert 0.2 < (surprise >= level).mean() * 10**level < most
    assert (surprise >= 5).mean() < 2e-4


def test_an_hour_that_is_rough_every_day_is_usual_after_some_days() -> None:
    k = np.arange(12 * 288)
    rough = 1 + 3 * (np.sin(2 * np.pi * k / 288) > 0.5)
    surprise = feed(Variance(), quiet(len(k), 15) * rough[:, None] + 100, step=300.0)

    early, late = surprise[288:576] >= 4, surprise[9 * 288 :] >= 4

    assert early.mean() > 0.005
    assert late.mean() < early.mean() / 3


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
    surprise = feed(Variance(), shape(np.arange(900.0))[:, None])[:, 0]

    assert np.isfinite(surprise[100:]).all()
    assert (surprise[600:] < 4).all()


def test_a_clock_that_jumps_a_year_tells_nothing() -> None:
    d = Variance()
    feed(d, quiet(600, 5) + 100)

    after = feed(d, quiet(100, 5, 4) + 100, start=600 * MINUTE + 365 * 86400.0)

    assert np.isfinite(after).all()
    assert (after < 4).all()


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples = 8, 1200
    k = np.arange(samples)[:, None]
    values = 50 + rng.normal(0, 1, (samples, n)) * np.where(k > 900, np.linspace(0.2, 3, n), 1.0)
    values[:, 4:] += 30 * np.sin(2 * np.pi * k * 150 / 86400) * rng.normal(0, 1, (samples, 4))
    values[:, 0], values[:, 1] = 5.0, rng.integers(0, 3, samples)
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * 150.0 + np.where(k > 700, 9000.0, 0.0) + rng.integers(-20, 20, (samples, n))
    fast, slow = Variance(), [NaiveVariance() for _ in range(n)]

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
        Args(memory=-1)
