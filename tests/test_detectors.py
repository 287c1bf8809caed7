"""Every detector in detectors/ keeps the family's promises; the fast one agrees with its slow twin."""

from __future__ import annotations

import importlib
import math
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from detectors.base import Detector, Floats, Rows
from detectors.counts import surprise_of_counts, surprise_of_silence
from detectors.novelty import Args as NoveltyArgs
from detectors.novelty import Novelty, build
from detectors.seasonal import Args, Seasonal
from pipeline.detect.watch import detectors
from tests.naive import NaiveNovelty, NaiveSeasonal

KINDS = detectors()
MINUTE = 60.0


def make(kind: str) -> Detector:
    module: Any = importlib.import_module(f"detectors.{kind}")
    found: Detector = module.build(module.Args())
    return found


def rows(n: int) -> Rows:
    return np.arange(n, dtype=np.int32)


def feed(d: Detector, values: Floats, start: float = 0.0, step: float = MINUTE) -> Floats:
    """Take (samples, series) values, all series at once; return their surprise in the same shape."""
    series = rows(values.shape[1])
    return np.array(
        [d.take_many(series, np.full(len(series), start + k * step), v)[0] for k, v in enumerate(values)]
    )


def noise(samples: int, series: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(10.0, 1.0, (samples, series))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_score_leaves_what_was_learned_alone(kind: str) -> None:
    d = make(kind)
    feed(d, noise(100, 3))
    before = pickle.dumps(d)

    d.score_many(rows(3), np.full(3, 6000.0), np.array([10.0, 99.0, np.nan]))
    d.expect_many(rows(3), np.full(3, 6000.0))

    assert pickle.dumps(d) == before


def test_the_order_of_series_is_irrelevant(kind: str) -> None:
    values, turned = noise(90, 5), rows(5)[::-1]
    straight, reverse = make(kind), make(kind)

    a = feed(straight, values)
    b = [reverse.take_many(turned, np.full(5, k * MINUTE), v[::-1])[0][::-1] for k, v in enumerate(values)]

    np.testing.assert_array_equal(a, b)


def test_a_series_is_scored_the_same_alone_and_among_others(kind: str) -> None:
    values = noise(90, 7)

    np.testing.assert_array_equal(feed(make(kind), values)[:, :1], feed(make(kind), values[:, :1]))


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_what_is_no_measurement_scores_nan_and_teaches_nothing(kind: str, missing: float) -> None:
    d = make(kind)
    feed(d, noise(100, 2))
    before = pickle.dumps(d)

    surprise, _ = d.take_many(rows(2), np.full(2, 6000.0), np.array([missing, missing]))

    assert np.isnan(surprise).all()
    assert pickle.dumps(d) == before


def test_warming_up_is_nan_then_known(kind: str) -> None:
    surprise = feed(make(kind), noise(200, 1))[:, 0]

    assert np.isnan(surprise[:10]).all()
    assert not np.isnan(surprise[100:]).any()


def test_memory_grows_with_series_and_not_with_samples(kind: str) -> None:
    d = make(kind)
    feed(d, noise(100, 4))
    early = len(pickle.dumps(d))

    feed(d, noise(500, 4), 6000.0)

    assert len(pickle.dumps(d)) == early


def test_a_pickle_goes_on_bit_for_bit(kind: str) -> None:
    d = make(kind)
    feed(d, noise(150, 3))
    twin = pickle.loads(pickle.dumps(d))

    np.testing.assert_array_equal(feed(d, noise(80, 3, 2), 9000.0), feed(twin, noise(80, 3, 2), 9000.0))
    assert pickle.dumps(d) == pickle.dumps(twin)


def test_taking_is_scoring_then_learning(kind: str) -> None:
    one, two = make(kind), make(kind)
    for k, value in enumerate(noise(120, 3)):
        time = np.full(3, k * MINUTE)

        surprise, expected = one.take_many(rows(3), time, value)
        np.testing.assert_array_equal(surprise, two.score_many(rows(3), time, value))
        np.testing.assert_array_equal(expected, two.expect_many(rows(3), time).expected)
        two.learn_many(rows(3), time, value)

    assert pickle.dumps(one) == pickle.dumps(two)


def test_what_comes_later_changes_nothing_said_before(kind: str) -> None:
    values = noise(200, 2)
    other = np.vstack((values[:120], noise(80, 2, 5) * 100))

    np.testing.assert_array_equal(feed(make(kind), values)[:120], feed(make(kind), other)[:120])


@pytest.mark.parametrize(("kind", "most"), [("seasonal", 3.001), ("novelty", 30.0)])
def test_the_surprise_of_a_sample_at_the_end_of_its_band_is_the_bands(kind: str, most: float) -> None:
    """Where surprise is a sum of evidence, the band ends where one piece of it would do."""
    d = make(kind)
    feed(d, noise(300, 2))
    time = np.full(2, 300 * MINUTE)
    band = d.expect_many(rows(2), time)

    assert (band.lower < band.expected).all()
    for edge in (band.lower, band.upper):
        surprise = d.score_many(rows(2), time, edge)
        assert ((surprise > 2.999) & (surprise < most)).all()


def constant(k: Floats) -> Floats:
    return np.full(len(k), 7.0)


def ramp(k: Floats) -> Floats:
    return 10.0 + 0.05 * k


def spike(k: Floats) -> Floats:
    return 10 + np.sin(k) + np.where(k == 400, 60.0, 0.0)


def step_up(k: Floats) -> Floats:
    return 10 + np.sin(k) + np.where(k >= 400, 60.0, 0.0)


def drop(k: Floats) -> Floats:
    return 100 + np.sin(k) - np.where((k >= 400) & (k < 403), 99.0, 0.0)


@pytest.mark.parametrize(
    ("shape", "odd"),
    [
        pytest.param(constant, [], id="a flat line is never odd"),
        pytest.param(ramp, [], id="a steady ramp is followed"),
    ],
)
def test_shapes(kind: str, shape: Callable[[Floats], Floats], odd: list[int]) -> None:
    surprise = feed(make(kind), shape(np.arange(600.0))[:, None])[:, 0]

    assert list(np.flatnonzero(surprise >= 4)) == odd


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


@pytest.mark.parametrize("shape", [spike, drop, step_up])
def test_what_is_new_is_most_surprising_at_once_and_soon_known(shape: Callable[[Floats], Floats]) -> None:
    surprise = feed(Novelty(), shape(np.arange(600.0))[:, None])[:, 0]

    assert np.nanargmax(surprise) == 400
    assert surprise[400] > 100 > 10 * np.nanmax(surprise[:400])
    assert (surprise[420:] < 4).all()


def test_a_gap_of_hours_is_no_anomaly(kind: str) -> None:
    d = make(kind)
    feed(d, noise(300, 5))

    after = feed(d, noise(20, 5, 2), start=300 * MINUTE + 6 * 3600)

    assert np.nanmax(after) < 4


def test_the_rate_of_surprise_is_the_rate_it_claims_on_noise() -> None:
    surprise = feed(make("seasonal"), noise(600, 300))[200:]

    assert 0.001 < (surprise >= 2).mean() <= 0.01
    assert (surprise >= 3).mean() <= 0.001


def test_records_of_noise_are_common_in_a_young_series_and_rare_in_an_old_one() -> None:
    surprise = feed(Novelty(), noise(4000, 100))

    assert 0.003 < (surprise[200:600] >= 3).mean() < 0.02
    assert 0.0003 < (surprise[2000:] >= 3).mean() < 0.002


def test_what_was_seen_over_two_blocks_of_memory_ago_is_news_again() -> None:
    week, d = 7 * 24, build(NoveltyArgs(memory=7 * 86400.0))
    values = noise(4 * week, 1)
    values[100:103] = 90.0
    surprise = feed(d, values, step=3600.0)
    later = np.full(1, 4 * week * 3600.0)
    short = d.score_many(rows(1), later, np.full(1, 90.0))[0]
    long = feed(build(NoveltyArgs()), np.vstack((values, [[90.0]])), step=3600.0)[-1, 0]

    assert surprise[100] > 20
    assert short > long + 10, "a longer memory has seen it"


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


def test_novelty_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261123)
    n, samples, step = 8, 700, 300.0
    k = np.arange(samples)[:, None]
    values = 50 + 30 * np.sin(2 * np.pi * k * step / 86400) + rng.normal(0, 1, (samples, n))
    values += np.where(k > 650, np.linspace(0, 200, n), 0.0)
    values[:, 0] = 5.0
    values[rng.random((samples, n)) < 0.05] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    times = k * step + rng.integers(0, 200, (samples, n))
    fast, slow = Novelty(), [NaiveNovelty() for _ in range(n)]

    for time, value in zip(times.astype(float), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=5e-3, atol=5e-3)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 10"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="above 0"):
        Args(memory=0)
    with pytest.raises(ValueError, match="warm_up: expected at least 30"):
        NoveltyArgs(warm_up=10)
    with pytest.raises(ValueError, match="above 0"):
        NoveltyArgs(memory=-1)


def poisson_tail(count: int, mean: float) -> float:
    below = sum(math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(count))
    return -math.log10(1 - below)


@pytest.mark.parametrize(("count", "mean"), [(1, 0.1), (5, 2.0), (12, 3.5), (100, 80.0)])
def test_counts_agree_with_the_sum_of_their_probabilities(count: int, mean: float) -> None:
    got = surprise_of_counts(np.array([float(count)]), np.array([mean]))

    np.testing.assert_allclose(got, poisson_tail(count, mean), rtol=1e-6)


def test_part_of_a_count_is_as_rare_as_the_whole() -> None:
    usual = np.array([2.0, 2.0])

    np.testing.assert_allclose(*surprise_of_counts(np.array([4.2, 5.0]), usual))
    np.testing.assert_allclose(*surprise_of_silence(np.array([1.8, 1.0]), usual))


def test_clumps_make_many_less_surprising_and_few_likewise() -> None:
    many, few, usual = np.array([60.0]), np.array([2.0]), np.array([20.0])

    assert surprise_of_counts(many, usual)[0] > 2 * surprise_of_counts(many, usual, dispersion=0.3)[0] > 2
    assert surprise_of_silence(few, usual)[0] > 2 * surprise_of_silence(few, usual, dispersion=0.3)[0] > 2


def test_counts_of_nothing_and_of_the_impossible() -> None:
    count = np.array([0.0, 3.0, np.nan, 3.0, 1e9])
    usual = np.array([0.0, 0.0, 1.0, np.nan, 1.0])

    np.testing.assert_array_equal(surprise_of_counts(count, usual), [0.0, 300.0, np.nan, np.nan, 300.0])
    np.testing.assert_array_equal(surprise_of_silence(count, usual)[[0, 2, 3]], [0.0, np.nan, np.nan])
