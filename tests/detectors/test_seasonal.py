"""The distance from level or day: shapes, rhythm, rates; the fast one agrees with its slow twin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Floats
from detectors.seasonal import Args, Seasonal
from tests.detectors.common import drop, feed, make, noise, rows, spike, step_up
from tests.naive import NaiveSeasonal


@pytest.mark.parametrize(
    ("shape", "odd"),
    [
        pytest.param(spike, [400], id="a spike is odd once, and what follows is not"),
        pytest.param(drop, [400, 401, 402], id="a drop is odd while it lasts"),
        pytest.param(
            step_up, list(range(400, 420)), id="a step is odd for twenty minutes, then the new level"
        ),
    ],
)
def test_shapes_beside_the_season(shape: Callable[[Floats], Floats], odd: list[int]) -> None:
    surprise = feed(Seasonal(), shape(np.arange(600.0))[:, None])[:, 0]

    found = np.flatnonzero(surprise >= 4)

    assert [k for k in odd if k not in found] in ([], [odd[-1]] if len(odd) > 3 else [])
    assert set(found) - set(odd) <= ({420, 421} if len(odd) > 3 else set())


def test_the_rate_of_surprise_is_the_rate_it_claims_on_noise() -> None:
    surprise = feed(make("seasonal"), noise(600, 300))[200:]

    assert 0.001 < (surprise >= 2).mean() <= 0.01
    assert (surprise >= 3).mean() <= 0.001


def test_a_daily_rhythm_is_expected_once_a_day_of_it_has_been_seen() -> None:
    d = Seasonal()
    k = np.arange(6 * 288.0)
    rhythm = 100 + 80 * np.sign(np.sin(2 * np.pi * (k + 0.5) / 288))  # a step every twelve hours
    surprise = feed(d, (rhythm + np.random.default_rng(3).normal(0, 1, len(k)))[:, None], step=300.0)[:, 0]

    evening = np.full(1, 6 * 86400 + 3600.0)
    noon = np.full(1, 6 * 86400 + 18 * 3600.0)

    assert surprise[144] > 4, "the first step is news"
    assert (surprise[5 * 288 :] < 3).all(), "on the sixth day none is"
    assert abs(d.expect_many(rows(1), evening).expected[0] - 180) < 5
    assert abs(d.expect_many(rows(1), noon).expected[0] - 20) < 5


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples, step = 12, 700, 300.0
    k = np.arange(samples)[:, None]
    values = 50 + 30 * np.sin(2 * np.pi * k * step / 86400) + rng.normal(0, 1, (samples, n))
    values += np.where(k > 450, np.linspace(0, 200, n), 0.0)
    values[:, 0] = 5.0
    values[:, 1] = rng.integers(0, 3, samples)
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * step + rng.integers(-200, 200, (samples, n))
    fast, slow = Seasonal(), [NaiveSeasonal() for _ in range(n)]

    for time, value in zip(times.astype(float), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9)


def test_the_surprise_of_a_sample_at_the_end_of_its_band_is_the_bands() -> None:
    d = Seasonal()
    feed(d, noise(300, 2))
    time = np.full(2, 18000.0)
    band = d.expect_many(rows(2), time)

    assert (band.lower < band.expected).all()
    for edge in (band.lower, band.upper):
        surprise = d.score_many(rows(2), time, edge)
        assert ((surprise > 2.999) & (surprise < 3.001)).all()


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 10"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="above 0"):
        Args(memory=0)
