"""Slow drift: told in time, once, with its onset, and adapted to; rhythm, spikes and gaps are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Floats
from detectors.drift import Args, Drift
from tests.detectors.common import feed, rows
from tests.naive.drift import NaiveDrift

STEP = 300.0  # s, so that a day is 288 samples
DAY = 288
MONDAY = 4 * 86400.0


def quiet(days: int, series: int = 1, seed: int = 1) -> Floats:
    """Return noise about a daily rhythm, (samples, series)."""
    k = np.arange(days * DAY)[:, None]
    rng = np.random.default_rng(seed)
    return 50 + 10 * np.sin(2 * np.pi * k / DAY) + rng.normal(0, 1, (len(k), series))


def ramp(size: float, hours: float, at: int, samples: int) -> Floats:
    found: Floats = size * np.clip((np.arange(samples) - at) / (hours * 12), 0.0, 1.0)[:, None]
    return found


def take(values: Floats) -> Floats:
    return feed(Drift(), values, MONDAY, STEP)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_a_drift_that_no_hour_shows_is_told_within_half_a_day_on_most_series(way: float) -> None:
    values = quiet(4, 20) + way * ramp(2.0, 6, 3 * DAY, 4 * DAY)

    surprise = take(values)

    told = (surprise[3 * DAY : 3 * DAY + DAY // 2] >= 4).any(axis=0)
    assert told.mean() >= 0.9
    assert (surprise[: 3 * DAY] >= 4).any(axis=0).mean() <= 0.1


def test_a_drift_is_told_for_one_span_and_then_is_the_new_normal() -> None:
    values = quiet(6) + ramp(3.0, 0.1, 3 * DAY + 100, 6 * DAY)

    told = np.flatnonzero(take(values)[:, 0] >= 4)

    assert 100 < told[0] - 3 * DAY < 124
    assert list(told) == list(range(told[0], told[0] + 6))


def test_the_onset_is_where_the_newer_part_begins() -> None:
    values = quiet(4) + ramp(3.0, 0.1, 3 * DAY + 60, 4 * DAY)
    d, told, row = Drift(), 0, rows(1)

    for k, v in enumerate(values):
        if d.take_many(row, np.full(1, MONDAY + k * STEP), v)[0][0] >= 4:
            told = k
            break

    facts = d.facts_of(0, MONDAY + told * STEP, float(values[told, 0]))
    assert abs(facts.onset - (MONDAY + (3 * DAY + 60) * STEP)) <= 3600
    assert abs(facts.usual - float(50 + 10 * np.sin(2 * np.pi * told / DAY))) < 2


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v, id="a rhythm"),
        pytest.param(lambda v: np.where(np.arange(len(v))[:, None] % 700 == 650, 1e6, v), id="spikes"),
        pytest.param(lambda v: np.where(np.arange(len(v))[:, None] % 3 == 0, np.nan, v), id="holes"),
        pytest.param(lambda v: np.where(np.arange(len(v))[:, None] % 9 == 0, 1e300, v), id="1e300"),
        pytest.param(lambda v: 0 * v + 7.0, id="a flat line"),
        pytest.param(lambda v: np.arange(len(v))[:, None] % 100 + 0 * v, id="a counter that is reset"),
        pytest.param(lambda v: 1.0 * (np.arange(len(v))[:, None] // 6 % 2) + 0 * v, id="a square wave"),
    ],
)
def test_what_is_no_drift_is_not_told(change: Callable[[Floats], Floats]) -> None:
    surprise = take(change(quiet(5, 12, 2)))

    assert (surprise >= 4).any(axis=0).sum() <= 1


def test_nothing_is_told_before_a_day_has_been_seen() -> None:
    values = np.arange(float(DAY))[:, None]

    assert set(take(values)[60:, 0]) == {0.0}


def test_a_gap_of_a_day_and_a_clock_that_jumps_are_no_drift() -> None:
    d, values = Drift(), quiet(5, 10)
    feed(d, values[: 3 * DAY], MONDAY, STEP)

    after = feed(d, values[4 * DAY :], MONDAY + 4 * 86400.0, STEP)

    assert (after >= 4).any(axis=0).sum() <= 1


def test_the_rate_of_surprise_is_about_the_rate_it_claims() -> None:
    surprise = take(quiet(6, 60, 5))[2 * DAY :]

    assert 0.05 < (surprise >= 1).mean() < 0.2
    assert 0.003 < (surprise >= 2).mean() < 0.03
    assert (surprise >= 3).mean() < 0.005


def test_the_expected_band_is_the_day_and_the_level() -> None:
    d = Drift()
    feed(d, quiet(4), MONDAY, STEP)

    noon = np.array([MONDAY + 4 * 86400.0 + 6 * 3600.0])
    band = d.expect_many(rows(1), noon)

    assert abs(band.expected[0] - 60) < 1
    assert 1.5 < band.expected[0] - band.lower[0] < 3.5
    assert 1.5 < band.upper[0] - band.expected[0] < 3.5


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    values = quiet(5, 6, 3) + rng.uniform(0, 4, 6) * ramp(1.0, 8, 3 * DAY, 5 * DAY)
    values[:, 4] = np.round(values[:, 4] / 10)
    values[:, 5] = 3.0
    values[rng.random(values.shape) < 0.05] = np.nan
    values[600, :3] = np.inf, -np.inf, 1e300
    times = MONDAY + STEP * np.arange(len(values))[:, None] + rng.integers(-100, 100, values.shape)
    times[1000:] += 5 * 3600.0
    fast, slow = Drift(), [NaiveDrift() for _ in range(6)]

    for time, value in zip(times, values, strict=True):
        got = fast.take_many(rows(6), time, value)[0]
        want = [s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]

        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-9)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 10"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="above 0"):
        Args(span=0)
