"""A value that stands still: told where it always moved, not where it is often flat; the slow twin agrees."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Floats
from detectors.runs import Runs
from detectors.stuck import Args, Stuck
from tests.detectors.common import MINUTE, feed, noise, rows
from tests.naive.stuck import NaiveStuck, surprise_of

DAY = 288  # samples


def one(values: Floats) -> Floats:
    return feed(Stuck(), values[:, None])[:, 0]


def frozen(values: Floats, at: int, samples: int) -> Floats:
    changed = values.copy()
    changed[at : at + samples] = values[at]
    return changed


def test_a_series_that_always_moved_is_odd_from_the_second_time_it_repeats_itself() -> None:
    surprise = one(frozen(noise(600, 1)[:, 0], 400, 40))

    assert surprise[400] < 4 <= surprise[402]
    assert (np.diff(surprise[401:440]) > 0).all(), "and ever more so"
    assert surprise[440] < 1, "until it moves"


def test_a_busy_counter_whose_rate_stays_0_is_stuck() -> None:
    rate = np.random.default_rng(2).gamma(3.0, 10.0, 900)
    rate[700:] = 0.0

    surprise = one(rate)

    assert surprise[699] < 1
    assert (surprise[705:] > 4).all()


def test_a_counter_that_hardly_ever_counts_may_stand_still() -> None:
    rng = np.random.default_rng(3)
    rate = np.where(rng.random(9 * DAY) < 0.01, rng.gamma(2.0, 1.0, 9 * DAY), 0.0)

    assert np.nanmax(one(rate)) < 4


def test_values_rounded_to_few_steps_repeat_and_stay_quiet() -> None:
    surprise = feed(Stuck(), np.round(noise(1000, 40) / 2))[200:]

    assert (surprise >= 4).mean() <= 2e-4
    assert (surprise >= 3).mean() <= 2e-3
    assert (surprise >= 2).mean() <= 1.5e-2
    assert (surprise >= 0.3).mean() >= 0.2, "a repeat is a little surprising"


def test_a_series_that_is_flat_each_night_is_told_at_first_and_then_no_more() -> None:
    k = np.arange(8 * DAY)
    value = np.where(k % DAY > 200, 0.0, 20 + np.random.default_rng(4).normal(0, 1, len(k)))

    odd = (one(value) >= 4).reshape(8, DAY)

    assert odd[0].any()
    assert not odd[3:].any()


@pytest.mark.parametrize("rest", [0.0, 3.5])
def test_a_freeze_amid_the_day_shows_in_a_series_that_rests_each_night(rest: float) -> None:
    k = np.arange(9 * DAY)
    value = np.where(k % DAY < 80, rest, 20 + np.random.default_rng(4).normal(0, 1, len(k)))
    at = 8 * DAY + 160

    surprise = one(frozen(value, at, 30))

    assert surprise[at + 5] >= 4


def test_a_gauge_refreshed_every_fifth_sample_is_stuck_only_beyond_that() -> None:
    value = np.repeat(noise(300, 1)[:, 0], 5)
    value[1000:1040] = 7.0

    surprise = one(value)

    assert np.nanmax(surprise[:1000]) < 1
    assert surprise[1020] > 4


def test_a_second_freeze_of_the_same_length_is_still_told() -> None:
    value = frozen(frozen(noise(3000, 1)[:, 0], 1000, 300), 2000, 300)

    surprise = one(value)

    assert surprise[1010] >= 4
    assert surprise[2200] >= 4


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.full(900, 3.0), id="a flat line"),
        pytest.param(np.where(np.arange(900) // 20 % 2, 80.0, 20.0), id="a square wave"),
        pytest.param(np.arange(900) * 0.25, id="a ramp"),
        pytest.param(np.r_[np.full(450, 7.0), noise(450, 1)[:, 0]], id="constant, then noise"),
        pytest.param(np.arange(900) % 300 * 1.5, id="a counter that is reset"),
        pytest.param(np.where(np.arange(900) % 3 == 0, np.nan, np.arange(900.0)), id="every third missing"),
    ],
)
def test_shapes_that_never_stick(value: Floats) -> None:
    assert not (one(value) >= 4).any()


def test_the_value_before_a_gap_or_a_leap_of_the_clock_counts_once() -> None:
    d = Stuck()
    feed(d, noise(600, 1))
    held = np.full((2, 1), 10.5)

    after = feed(d, held, start=600 * MINUTE + 1e8, step=1e9)

    assert after[0, 0] < 1
    assert 2 < after[1, 0] < 5


def test_the_run_began_when_its_value_was_first_seen() -> None:
    d = Stuck()
    feed(d, frozen(noise(500, 1)[:, 0], 470, 30)[:, None])

    assert d.facts_of(0, 499 * MINUTE, 0.0).onset == pytest.approx(470 * MINUTE)


def test_what_is_expected_is_where_it_moved_and_not_where_it_stands() -> None:
    d = Stuck()
    feed(d, np.vstack((noise(500, 1), np.full((400, 1), 30.0))))

    band = d.expect_many(rows(1), np.zeros(1))

    assert abs(band.expected[0] - 10) < 0.5
    assert band.lower[0] < 9 < 11 < band.upper[0]


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples = 8, 900
    values = np.round(rng.normal(5, 1, (samples, n)) * np.linspace(0.3, 3, n))
    values[:, 0] = 4.0
    values[:, 1] = rng.normal(0, 1, samples)
    values[:, 2] = np.where(np.arange(samples) % 100 < 30, 0.0, rng.normal(9, 1, samples))
    values[:, 3] = np.repeat(rng.normal(0, 1, samples // 9), 9)
    values[500:600, 1] = 0.25
    values[rng.random((samples, n)) < 0.03] = np.nan
    values[300, 2:5] = np.inf, -np.inf, 1e300
    steps = rng.exponential(3000.0, (samples, n))
    steps[450] = 20 * 86400.0
    fast, slow = Stuck(), [NaiveStuck() for _ in range(n)]

    for time, value in zip(np.cumsum(steps, axis=0), values, strict=True):
        got = fast.take_many(rows(n), time, value)
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("length", [1.0, 3.0, 700.0, 100_000.0, 130_000.0, 5e6])
def test_the_surprise_of_a_run_of_any_length_agrees_with_the_slow_twin(length: float) -> None:
    ended = [[float(k), 1.0] for k in (0, 0, 0, 1, 1, 2, 5, 40, 900, 140_000) for _ in range(30)]
    runs = Runs(1e9)
    runs.grow(1)
    for run, _ in ended:
        runs.end(rows(1), np.zeros(1), np.array([run]), np.zeros(1))

    found = runs.surprise(rows(1), np.array([length]))[0]

    assert found == pytest.approx(surprise_of(ended, length), rel=1e-6)


def test_a_series_forgotten_has_no_resting_value() -> None:
    night = np.where(np.arange(9 * DAY) % 10 < 9, 0.0, noise(9 * DAY, 1)[:, 0])
    d = Stuck()
    feed(d, night[:, None])
    d.forget_many(rows(1))

    again = noise(300, 1) * (np.arange(300) < 250)[:, None]

    np.testing.assert_array_equal(feed(d, again), feed(Stuck(), again))


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="warm_up: expected at least 20"):
        Args(warm_up=3)
    with pytest.raises(ValueError, match="memory: expected seconds above 0"):
        Args(memory=0)
