"""What is new in size, hour, roughness or trend; the fast novelty agrees with its slow twin."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from detectors.base import Floats
from detectors.novelty import Args, Novelty, build
from tests.detectors.common import drop, feed, noise, rows, spike, step_up
from tests.naive.novelty import NaiveNovelty


@pytest.mark.parametrize("shape", [spike, drop, step_up])
def test_what_is_new_is_most_surprising_at_once_and_soon_known(shape: Callable[[Floats], Floats]) -> None:
    surprise = feed(Novelty(), shape(np.arange(600.0))[:, None])[:, 0]

    assert np.nanargmax(surprise) == 400
    assert surprise[400] > 100 > 10 * np.nanmax(surprise[:400])
    assert (surprise[420:] < 4).all()


def test_records_of_noise_are_common_in_a_young_series_and_rare_in_an_old_one() -> None:
    surprise = feed(Novelty(), noise(4000, 100))

    assert 0.002 < (surprise[200:600] >= 4).mean() < 0.02
    assert 0.00005 < (surprise[2000:] >= 4).mean() < 0.0008


def test_what_often_surprises_surprises_less_and_what_never_does_more() -> None:
    k = np.arange(4000)
    restless = noise(4000, 1)[:, 0] + np.where(k % 50 == 0, np.maximum(k - 2200, 0) / 10, 0)
    d = Novelty()
    feed(d, np.column_stack((restless, 10 + k % 3)))

    gain = d.memory.look(rows(2), np.full(2, 4000 * 60.0)).gain
    np.testing.assert_allclose(gain, (0.5, np.exp(0.3e-4 * 2000)), atol=0.05)


def test_what_was_seen_over_two_blocks_of_memory_ago_is_news_again() -> None:
    week, d = 7 * 24, build(Args(memory=7 * 86400.0))
    values = noise(4 * week, 1)
    values[100:103] = 90.0
    surprise = feed(d, values, step=3600.0)
    later = np.full(1, 4 * week * 3600.0)
    short = d.score_many(rows(1), later, np.full(1, 90.0))[0]
    long = feed(build(Args()), np.vstack((values, [[90.0]])), step=3600.0)[-1, 0]

    assert surprise[100] > 20
    assert short > long + 10, "a longer memory has seen it"


def test_a_quiet_weekend_is_expected_once_some_have_been_seen() -> None:
    hour = np.arange(5 * 7 * 24)
    weekend = hour // 24 % 7 >= 5
    values = (np.where(weekend, 20.0, 100.0) + noise(len(hour), 1)[:, 0])[:, None]
    d = Novelty()
    surprise = feed(d, values, step=3600.0)[:, 0]
    saturday = np.full(1, (5 * 7 + 5) * 86400.0 + 12 * 3600)
    monday = np.full(1, (6 * 7) * 86400.0 + 12 * 3600)

    assert abs(d.expect_many(rows(1), monday).expected[0] - 100) < 15
    assert abs(d.expect_many(rows(1), saturday).expected[0] - 20) < 25, "the day alone expects some 80"
    assert (surprise[-7 * 24 :] < 4).all()


def test_where_records_are_often_large_one_more_is_less_surprising() -> None:
    """Both have reached 160 by the end; one of them in leaps, the other at once."""
    values = noise(1000, 2)
    values[100:900:50, 0] += np.linspace(10, 150, 16)
    values[850, 1] += 150
    d = Novelty()
    feed(d, values)

    often, once = d.score_many(rows(2), np.full(2, 60000.0), np.full(2, 300.0))
    assert 10 < 1.3 * often < once


@pytest.mark.parametrize("step", [300.0, 3600.0], ids=["two days", "a month, with weekends"])
def test_novelty_agrees_with_its_slow_twin(step: float) -> None:
    rng = np.random.default_rng(20261123)
    n, samples = 5, 700
    k = np.arange(samples)[:, None]
    values = 50 + 30 * np.sin(2 * np.pi * k * step / 86400) + rng.normal(0, 1, (samples, n))
    values += np.where(k > 650, np.linspace(0, 200, n), 0.0) - 30 * (k * step // 86400 % 7 > 4)
    values[:, 0] = 5.0
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * step + rng.integers(0, 200, (samples, n))
    fast, slow = Novelty(), [NaiveNovelty() for _ in range(n)]

    for time, value in zip(times.astype(float), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=5e-3, atol=5e-3)


def test_the_surprise_of_a_sample_at_the_end_of_its_band_is_at_least_the_bands() -> None:
    """Surprise is a sum of evidence; the band ends where one piece of it would do."""
    d = Novelty()
    feed(d, noise(300, 2))
    time = np.full(2, 18000.0)
    band = d.expect_many(rows(2), time)

    assert (band.lower < band.expected).all()
    for edge in (band.lower, band.upper):
        surprise = d.score_many(rows(2), time, edge)
        assert ((surprise > 2.999) & (surprise < 30)).all()


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 30"):
        Args(warm_up=10)
    with pytest.raises(ValueError, match="above 0"):
        Args(memory=-1)
