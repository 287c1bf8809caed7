"""Silence of a series: surprising by its own beat, its jitter and the silences it has had before."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.gaps import Gaps
from tests.detectors.common import rows
from tests.naive.stuck import NaiveRuns, surprise_of

HOUR = 3600.0


def heard(times: NDArray[np.floating[Any]]) -> Gaps:
    d = Gaps()
    for t in times:
        d.hear_many(rows(1), np.array([t]))
    return d


def after(d: Gaps, now: float) -> float:
    return float(d.surprise_many(rows(1), now)[0])


def test_a_clockwork_series_is_odd_after_the_second_sample_that_did_not_come() -> None:
    rng = np.random.default_rng(1)
    d = heard(15.0 * np.arange(2000) + rng.normal(0, 1, 2000))
    last = 1999 * 15.0

    assert after(d, last + 18) == 0, "late, but not missed"
    assert after(d, last + 50) > 4
    assert after(d, last + 600) > after(d, last + 60) + 1


def test_a_feed_that_loses_samples_has_taught_that_it_does() -> None:
    rng = np.random.default_rng(2)
    d = heard((15.0 * np.arange(4000))[rng.random(4000) > 0.3])
    last = float(d.usual_many(rows(1))[0][0])

    assert after(d, last + 45) < 2
    assert after(d, last + 600) > 4


def test_what_comes_by_chance_is_surprising_about_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.exponential(60.0, (3000, 20)), axis=0)
    d, said = Gaps(), []
    for k in range(2999):
        d.hear_many(rows(20), times[k])
        said.append(d.surprise_many(rows(20), times[k + 1]))
    surprise = np.concatenate(said[1000:])

    assert 0.002 < (surprise >= 2).mean() < 0.02
    assert (surprise >= 3).mean() < 0.002


def test_a_series_that_rests_each_night_may_and_by_day_may_not_for_much_longer() -> None:
    times = 60.0 * np.arange(12 * 1440)
    d = heard(times[times % 86400 > 8 * HOUR])

    assert after(d, 12 * 86400 + 8 * HOUR) < 3.5
    assert after(d, 12 * 86400 + 200 * HOUR) > 4


def test_a_new_series_says_nothing_of_its_silence() -> None:
    assert np.isnan(after(heard(15.0 * np.arange(15)), 1e6))
    assert np.isnan(after(Gaps(), 1e6))


def test_a_slower_scrape_is_the_new_beat_after_some_samples() -> None:
    d = heard(np.r_[15.0 * np.arange(1000), 15000 + 60.0 * np.arange(100)])
    last = float(d.usual_many(rows(1))[0][0])

    assert abs(d.usual_many(rows(1))[1][0] - 60) < 3
    assert after(d, last + 75) == 0


def test_samples_at_the_same_time_or_from_before_say_nothing() -> None:
    d = heard(15.0 * np.arange(100))
    before = pickle.dumps(d)

    d.hear_many(rows(1), np.array([99 * 15.0]))
    d.hear_many(rows(1), np.array([20.0]))

    assert pickle.dumps(d) == before


def test_a_series_is_the_same_alone_and_among_others_and_new_when_forgotten() -> None:
    times = np.cumsum(np.random.default_rng(4).exponential(30.0, (200, 5)), axis=0)
    d, alone, again = Gaps(), Gaps(), Gaps()
    for t in times:
        d.hear_many(rows(5), t)
        alone.hear_many(rows(1), t[:1])
    now = float(times.max()) + 500

    assert d.surprise_many(rows(5), now)[0] == after(alone, now)
    d.forget_many(np.array([0, 99], np.int32))
    for t in times:
        d.hear_many(rows(1), t[:1])
        again.hear_many(rows(1), t[:1])
    assert after(d, now) == after(again, now)


def test_a_long_silence_teaches_ten_times_what_made_it_odd_and_no_more() -> None:
    d = heard(np.r_[15.0 * np.arange(1000), 15000 + 40 * HOUR + 15.0 * np.arange(1000)])
    last = float(d.usual_many(rows(1))[0][0])

    assert after(d, last + 60) < 4
    assert after(d, last + HOUR) > 4


def test_the_counts_agree_with_a_slow_twin_that_keeps_every_silence() -> None:
    rng = np.random.default_rng(5)
    beats = rng.geometric(0.7, 800)
    d, slow = heard(np.r_[0.0, np.cumsum(beats * 10.0)]), NaiveRuns()
    cadence = 0.0
    for k, step in enumerate(beats * 10.0):
        if k:
            slow.end(0.0, (step / cadence - 1) // 1 if step >= 1.5 * cadence else 0.0, 0.0)
        near = min(step, 4 * cadence) if k else step
        cadence += max(0.05, 1 / (k + 1)) * (near - cadence)
    last, usual = (float(x[0]) for x in d.usual_many(rows(1)))

    assert abs(usual - cadence) < 1e-9
    for late in (3.0, 5.5, 9.0):
        np.testing.assert_allclose(
            after(d, last + late * cadence), surprise_of(slow.ended, late - 1), rtol=1e-5
        )
