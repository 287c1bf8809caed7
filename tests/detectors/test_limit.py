"""When a limit will be reached: told in time, within an interval that holds, and taken back."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.base import Facts, Floats
from detectors.limit import Args, Limit
from tests.detectors.common import MINUTE, feed, noise, rows
from tests.naive.limit import NaiveLimit

HOUR = 60  # samples


def one(values: Floats, args: Args | None = None) -> tuple[Limit, Floats]:
    d = Limit(args)
    return d, feed(d, values[:, None])[:, 0]


def facts(d: Limit, values: Floats) -> Facts:
    """Return what is told after so many minutes; the times as seconds from now."""
    at = (len(values) - 1) * MINUTE
    f = d.facts_of(0, at, float(values[-1]))
    return f._replace(reached=f.reached - at, soonest=f.soonest - at, latest=f.latest - at)


def filling(samples: int, hours: float, seed: int = 1, rough: float = 0.1) -> Floats:
    """Return what fills from 20, so as to reach 100 so many hours after its last sample."""
    k = np.arange(samples)
    found: Floats = (
        20 + 80 * k / (samples - 1 + hours * HOUR) + np.random.default_rng(seed).normal(0, rough, samples)
    )
    return found


def test_a_disk_full_in_three_hours_and_forty_minutes_is_told_to_be() -> None:
    values = filling(700, 3.667, rough=0.05)
    d, surprise = one(values)

    f = facts(d, values)

    assert f.limit == pytest.approx(100)
    assert abs(f.reached - 3.667 * 3600) < 600
    assert f.soonest < 3.667 * 3600 < f.latest
    assert f.latest - f.soonest < 3600
    assert f.slope == pytest.approx(80 / (699 + 220) / 60, rel=0.05)
    assert surprise[-1] > 2


def test_one_that_is_full_in_a_day_is_no_surprise_yet() -> None:
    values = filling(700, 20.0)
    d, surprise = one(values)

    assert np.nanmax(surprise) < 1
    assert abs(facts(d, values).reached - 20 * 3600) < 3 * 3600


def test_shapes_that_do_not_reach_it() -> None:
    k = np.arange(900)
    shapes = {
        "a flat line near the limit": np.full(900, 96.0),
        "a square wave": np.where(k // 30 % 2, 95.0, 20.0),
        "a slow ramp": 20 + 0.02 * k,
        "constant, then noise": np.r_[np.full(450, 7.0), 50 + noise(450, 1)[:, 0]],
        "a spike that falls short": np.where(k == 500, 99.0, 30.0),
        "a wave": 60 + 25 * np.sin(k / 20),
    }

    surprise = feed(Limit(), np.column_stack(list(shapes.values())))

    loud = [name for name, s in zip(shapes, surprise.T, strict=True) if (s >= 2).any()]
    assert loud == []


def test_quiet_series_are_spoken_of_no_more_often_than_said() -> None:
    walk = 60 + np.cumsum(np.random.default_rng(3).normal(0, 0.1, (600, 60)), axis=0)
    still = 85 + np.random.default_rng(4).normal(0, 2, (600, 60))

    surprise = feed(Limit(), np.hstack((walk, still)))

    assert (surprise >= 1).mean() < 0.01
    assert (surprise >= 2).mean() < 0.001


def test_the_truth_lies_in_the_interval_four_times_in_five() -> None:
    rng = np.random.default_rng(5)
    n, samples = 60, 600
    step = 80 / rng.uniform(600, 1500, n)
    values = 20 + np.cumsum(rng.normal(step, 8 * step, (3000, n)), axis=0)
    truth = np.argmax(values >= 100, axis=0) * MINUTE
    d = Limit()
    feed(d, values[:samples])

    told = [d.facts_of(k, (samples - 1) * MINUTE, values[samples - 1, k]) for k in range(n)]
    inside = [f.soonest <= t <= f.latest for f, t in zip(told, truth, strict=True) if np.isfinite(f.reached)]

    assert len(inside) > 30
    assert 0.65 <= np.mean(inside) <= 0.95


def test_a_stop_takes_the_word_back_within_the_hour() -> None:
    values = np.r_[filling(600, 1.5), filling(600, 1.5)[-1] + np.random.default_rng(2).normal(0, 0.1, 60)]
    d, surprise = one(values)

    assert surprise[599] > 2
    assert surprise[-1] < 0.5
    assert not facts(d, values).reached < 5 * 3600


def test_a_clean_up_puts_the_limit_off_and_leaves_the_slope() -> None:
    values = filling(500, 2.0)
    values[480:] -= 40
    d, surprise = one(values)
    f = facts(d, values)

    assert surprise[479] > 2
    assert surprise[485] < 0.5
    assert f.slope == pytest.approx(80 / 620 / 60, rel=0.1)


def test_a_log_that_is_rotated_again_and_again_never_fills_the_disk() -> None:
    k = np.arange(1200)
    values = 20 + 65 * (k % 150) / 150 + np.random.default_rng(6).normal(0, 0.2, len(k))

    surprise = one(values)[1]

    assert (surprise[:150] >= 1).any(), "nobody knows the first time"
    assert not (surprise[400:] >= 1).any()


def test_a_rotation_that_fails_to_come_is_told() -> None:
    k = np.arange(2400 + 90)
    values = (
        20
        + 65 * np.where(k < 2400, k % 300, k - 2100) / 300
        + np.random.default_rng(6).normal(0, 0.2, len(k))
    )
    values = np.minimum(values, 99.0)

    assert one(values)[1][-1] > 1


def test_batches_count_as_filling_and_not_as_outliers() -> None:
    values = 20 + 4 * (np.arange(1000) // 60) + np.random.default_rng(7).normal(0, 0.02, 1000)
    d, _ = one(values)
    f = facts(d, values)

    assert f.soonest <= 3.5 * 3600 <= f.latest, "84 after the last, 100 four batches later"


def test_free_space_runs_out_as_used_space_runs_full() -> None:
    values = filling(500, 2.0)
    up, surprise = one(values)
    down, mirrored = one(100 - values, Args(limit=0.0, direction="below"))
    f, g = facts(up, values), facts(down, 100 - values)

    np.testing.assert_allclose(mirrored, surprise, rtol=1e-6)
    assert g.reached == pytest.approx(f.reached)
    assert g.slope == pytest.approx(-f.slope)
    band, mirror = (d.expect_many(rows(1), np.array([510 * MINUTE])) for d in (down, up))
    np.testing.assert_allclose(band, 100 - np.array(mirror)[[0, 2, 1]], rtol=1e-6)


def test_what_is_beyond_the_limit_is_as_surprising_as_can_be() -> None:
    values = filling(400, 100.0)
    values[-1] = 100.0

    assert one(values)[1][-1] == pytest.approx(16)


def test_a_gap_of_hours_in_filling_does_not_lose_the_trend() -> None:
    values = filling(600, 3.0)
    d, times = Limit(), np.r_[0:350, 450:600]
    for k in times:
        d.take_many(rows(1), np.array([k * MINUTE]), values[k : k + 1])

    f = facts(d, values)

    assert f.soonest <= 3 * 3600 <= f.latest
    assert abs(f.reached - 3 * 3600) < 1800


def test_one_sample_far_out_moves_nothing() -> None:
    values = filling(500, 3.0)
    spiked = values.copy()
    spiked[495] = -500.0

    a, b = facts(one(values)[0], values), facts(one(spiked)[0], spiked)

    assert b.reached == pytest.approx(a.reached, rel=0.02)


@pytest.mark.parametrize("step", [15.0, 300.0, 900.0])
def test_any_cadence_will_do(step: float) -> None:
    samples = int(18 * 3600 / step)
    values = filling(samples, 3.0 * 60 / step)
    d, at = Limit(), (samples - 1) * step
    for k in range(max(0, samples - 1200), samples):
        d.take_many(rows(1), np.array([k * step]), values[k : k + 1])

    f = d.facts_of(0, at, float(values[-1]))

    assert abs(f.reached - at - 3 * 3600) < 1800


def test_a_leap_of_the_clock_does_no_harm() -> None:
    d = Limit()
    feed(d, noise(300, 1) * 5)

    after = feed(d, noise(300, 1, 2) * 5, start=1e12)

    assert np.isfinite(after).all()
    assert (after < 1).all()


def test_the_fast_detector_agrees_with_its_slow_twin() -> None:
    rng = np.random.default_rng(20261122)
    n, samples = 6, 360
    k = np.arange(samples)[:, None]
    values = 20 + 0.2 * k * np.linspace(0.2, 1.2, n) + rng.normal(0, 0.3, (samples, n))
    values[:, 0] = 30.0
    values[:, 1] = 20 + 50 * ((k[:, 0] % 90) / 90) + rng.normal(0, 0.1, samples)
    values[:, 2] = 20 + 5 * (k[:, 0] // 50) + rng.normal(0, 0.01, samples)
    values[300:, 3] = values[300, 3] + rng.normal(0, 0.1, samples - 300)
    values[rng.random((samples, n)) < 0.03] = np.nan
    values[250, 2:5] = np.inf, -np.inf, 1e300
    steps = rng.exponential(200.0, (samples, n))
    steps[:, :4] = 120.0
    steps[200] = 30_000.0
    fast, slow = Limit(), [NaiveLimit() for _ in range(n)]
    seen = []

    for time, value in zip(np.cumsum(steps, axis=0), values, strict=True):
        got = np.array(fast.take_many(rows(n), time, value))
        want = np.array([s.take(float(t), float(v)) for s, t, v in zip(slow, time, value, strict=True)]).T
        np.testing.assert_allclose(got, want, rtol=1e-3, atol=1e-4)
        seen.append(got[0])

    assert (np.array(seen) > 1).any(axis=0).sum() >= 2
    assert any(s.peaks for s in slow)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param({"limit": np.nan}, "limit: expected a number", id="no limit"),
        pytest.param({"horizon": 0.0}, "horizon: expected 0 < horizon <= max_horizon", id="no horizon"),
        pytest.param(
            {"horizon": 1e9}, "horizon: expected 0 < horizon <= max_horizon", id="beyond the longest"
        ),
        pytest.param({"warm_up": 3}, "warm_up: expected at least 30", id="too short a warm-up"),
    ],
)
def test_wrong_arguments_are_refused_by_name(given: dict[str, float], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Args(**given)  # type: ignore[arg-type]  # wrong on purpose
