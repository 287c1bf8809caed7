"""Samples of many series to surprise, by whether they have become rougher or stiller than they were."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np

from detectors.base import Band, Facts, Floats, Rows
from detectors.columns import BLOCK, Columns, State, measured, pace_of
from detectors.cusum import Cusum, tell
from detectors.day import DAY, Day

# Variances that are looked for, as multiples of the usual one.
RATIO = np.array([2.0, 4.0, 0.5, 0.25])[:, None]
# Share and excess as realised on 24 million normal samples.
SUMS = Cusum(2.5, np.zeros((4, 1), np.float32), np.array([0.90, 0.93, 0.91, 0.95], np.float32)[:, None])
MOST = 9.0  # usual variances that one difference may speak for: a spike or a shift alone is no roughness
ODD = 2.0  # surprise from which hardly anything is learned
HELD = 0.1  # and how much still is
NEAR = 30.0  # samples of level, and of what a new variance is taken from
STILL = 1e-4  # share of the usual variance below which a difference is none at all
BETTER = 0.01  # nats a sample by which the day must help before it is believed


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Variance`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score
    memory: float = 43200.0  # seconds the usual variance looks back, at least 300 samples
    told: float = 4.0  # surprise at which a change is taken for one
    settle: float = 600.0  # seconds after that, and at least 16 samples, when it becomes usual
    floor: float = 1e-3  # least standard deviation, as a share of the level

    def __post_init__(self) -> None:
        if self.warm_up < 30:
            raise ValueError(f"warm_up: expected at least 30 samples, got {self.warm_up}")
        if min(self.memory, self.told, self.settle, self.floor) <= 0:
            raise ValueError("memory, told, settle, floor: expected numbers above 0")


def build(args: Args) -> Variance:
    return Variance(args)


class _Weighed(NamedTuple):
    """What one block of samples came to."""

    surprise: Floats  # (n,)
    height: Floats  # (k, n), of each sum
    total: Floats  # (k, n), the sums
    power: Floats  # (n,), square of the difference less its mean, floored; the series' unit squared
    usual: Floats  # (n,), what that is on average
    shape: Floats  # (n,), ratio of that of this hour to that of any, NaN if not known
    apart: Floats  # (n,) s since the sample before


class Variance:
    """Page's sums over squared differences: what became rougher or stiller while its level stayed.

    Catches a variance that doubled or halved, and says when it began. A spike or a shift is one large
    difference, and one speaks for nine usual ones at most. What is rough every day at this hour is usual
    once two days have shown it. Misses what grows rougher more slowly than in half a day, and a rough
    stretch of fewer than about five samples. Squares of heavy-tailed noise say less, so each counts as
    `degrees` / 2 normal ones: the likelihood is a gamma distribution's of as many degrees of freedom as
    the squares were seen to have.

    Page 1954, Lorden 1971 and Siegmund 1985 as in detectors/cusum.py; degrees of freedom by moments as in
    Box 1953, "Non-normality and tests on variances", Biometrika 40. Memory: 624 B a series.

    Args:
        args: warm_up in samples; memory and settle in seconds; told in surprise; floor a ratio.

    >>> d, row, chance = Variance(), np.zeros(1, np.int32), np.random.default_rng(0)
    >>> for t in range(412):
    ...     value = 100 + chance.normal() if t < 400 else 100 + 4 * chance.normal()
    ...     surprise, _ = d.take_many(row, np.array([60.0 * t]), np.array([value]))
    >>> surprise.round(1)
    array([6.4])
    >>> d.facts_of(0, 60.0 * 411, value).onset / 60
    401.0
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        one = np.zeros(1)
        self._columns = Columns(
            {
                "seen": one,  # samples learned
                "born": one,  # time of the first, s
                "last": one,  # and of the newest
                "cadence": one,  # s between two
                "value": one,  # of the newest
                "level": one,  # mean of about 30
                "drift": one,  # mean difference
                "rests": one,  # samples the variance rests on
                "power": one,  # mean square of a difference
                "always": one,  # the same over three times as long
                "days": one,  # samples that the next rests on
                "daily": one,  # mean of the square over what the day makes of it
                "spare": one,  # mean square of (square / usual - 1): 2 / degrees of freedom
                "near": one,  # mean square of about the last 30, or since a change was told
                "gain": one,  # nats a sample that the day has helped
                "told": np.full(1, np.nan),  # s since 1970
                "since": one,  # samples learned since
                "onset": np.full(1, np.nan),  # of what the newest sample is part of
                **SUMS.fresh(),
            }
        )
        self._day = Day()

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        return self._weigh(self._columns.look(series), series, time, measured(value)).surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        """Return the level and three usual standard deviations about it; no sample alone is out of band."""
        state = self._columns.look(series)
        expected = self._expected(state)
        usual, _ = self._usual(state, series, time)
        reach = 3 * np.sqrt(usual / 2)  # a difference has the noise of two samples
        return Band(expected, expected - reach, expected + reach)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise, expected = np.full(len(series), np.nan), np.full(len(series), np.nan)
        clean = measured(value)
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state = self._columns.look(series[part])
            expected[part] = self._expected(state)
            use = np.flatnonzero(np.isfinite(clean[part])) + k
            if len(use) < len(state["seen"]):
                state = self._columns.look(series[use])
            seen = self._weigh(state, series[use], time[use], clean[use])
            surprise[use] = seen.surprise
            self._learn(series[use], state, seen, time[use], clean[use])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        self._columns.forget(series)
        self._day.forget(series)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        return Facts(onset=float(self._columns.look(np.array([series], np.int32))["onset"][0]))

    def _expected(self, state: State) -> Floats:
        return np.where(state["seen"] >= self.args.warm_up, state["level"], np.nan)

    def _usual(self, state: State, series: Rows, time: Floats) -> tuple[Floats, Floats]:
        """Return the mean square that is usual now, and its ratio to that of any hour, NaN if not known."""
        shape = np.clip(self._day.about(series, time), 1e-3, 1e3)
        daily = (state["gain"] > BETTER) & np.isfinite(shape)
        usual: Floats = np.where(daily, state["daily"] * shape, state["power"])
        return usual, shape

    def _weigh(self, state: State, series: Rows, time: Floats, value: Floats) -> _Weighed:
        """Add the sample to the sums and say how rare they are."""
        apart = np.where(state["seen"] > 0, np.maximum(time - state["last"], 0.0), 0.0)
        usual, shape = self._usual(state, series, time)
        least = (self.args.floor * state["level"]) ** 2 + 1e-18
        usual = np.maximum(usual, least)
        power = np.where(state["seen"] > 0, (value - state["value"] - state["drift"]) ** 2, 0.0)
        # Where next to nothing moved, none can have become stiller.
        ratio = np.clip(power / usual, np.where(usual > least, STILL, 1.0), MOST)
        known = (state["seen"] >= self.args.warm_up) & np.isfinite(value)
        heard = known & (apart < 1.5 * state["cadence"])
        half = np.clip(1 / np.maximum(state["spare"], 0.2), 0.1, 0.5)  # degrees of freedom / 2
        gain = half * (ratio * (1 - 1 / RATIO) - np.log(RATIO))
        total = np.where(known, np.maximum(state["sum"] + np.where(heard, gain, 0.0), 0.0), 0.0)
        surprise, height = SUMS.surprise(state, total)
        return _Weighed(np.where(known, surprise, np.nan), height, total, power, usual, shape, apart)

    def _learn(self, series: Rows, state: State, seen: _Weighed, time: Floats, value: Floats) -> None:
        before = state["seen"]
        pace_of(state, time, seen.apart)
        self._follow(series, state, seen, time, value)
        self._tell(state, seen, time)
        state["seen"] = before + 1
        self._columns.put(series, state)

    def _follow(self, series: Rows, state: State, seen: _Weighed, time: Floats, value: Floats) -> None:
        """Move level, variance and what is known of its tail towards the samples."""
        free = np.isnan(state["told"])
        held = (seen.surprise >= ODD) | ~free
        cadence = np.maximum(state["cadence"], 1e-3)
        close = (state["seen"] > 0) & (seen.apart < 1.5 * cadence)
        pace = np.where(close, np.where(held & (time - state["born"] > DAY), HELD, 1.0), 0.0)
        most = np.maximum(self.args.memory / cadence, 300.0)
        state["rests"] = rests = np.minimum(state["rests"] + pace, most)
        rate = pace / np.maximum(rests, 1.0)

        reach = np.where(rests < 10, np.inf, 5 * np.sqrt(state["power"]))
        state["drift"] += rate * np.clip(value - state["value"] - state["drift"], -reach, reach)
        least = (self.args.floor * state["level"]) ** 2 + 1e-18
        shown = np.isfinite(seen.shape)
        shape = np.where(shown, seen.shape, 1.0)
        flat, daily = np.maximum(state["power"], least), np.maximum(state["daily"] * shape, least)
        cap = np.where(rests < 10, np.inf, MOST * np.maximum(flat, np.where(shown, daily, 0.0)))
        capped = np.minimum(seen.power, cap)
        state["power"] += rate * (capped - state["power"])
        # Of all hours, whatever was told meanwhile: what the day is measured against.
        slow = np.where(close, 1 / np.minimum(state["seen"] + 1, 3 * most), 0.0)
        state["always"] += slow * (capped - state["always"])
        off = np.clip(seen.power / seen.usual, 0.0, MOST) - 1
        state["spare"] += np.where(rests < 10, 0.0, rate * (off * off - state["spare"]))
        near = np.minimum(seen.power, 4 * MOST * seen.usual)
        # From the moment a change is told, of that change alone.
        count = np.where(free, NEAR, np.clip(state["since"], 1.0, NEAR))
        state["near"] += np.where(close, (near - state["near"]) / count, 0.0)
        state["level"] += (value - state["level"]) / np.minimum(state["seen"] + 1, NEAR)
        state["value"] = value

        # Nats by which the day's own variance would have been the better guess at this difference.
        better = (np.log(flat / daily) + capped / flat - capped / daily) / 2
        self._weigh_day(state, np.where(shown, pace, 0.0), capped / shape, better, most)
        teach = np.flatnonzero(close & free & (rests > 30))
        over = capped / np.maximum(state["always"], least)
        self._day.learn(series[teach], time[teach], over[teach])

    def _weigh_day(self, state: State, pace: Floats, power: Floats, better: Floats, most: Floats) -> None:
        """Learn how rough a series is beside its day, `power`, and whether that day is worth believing."""
        state["daily"] = np.where((state["days"] == 0) & (pace > 0), state["always"], state["daily"])
        grown = state["days"] > 0
        state["days"] += pace
        slow = np.where(grown, pace / np.clip(state["days"], 1.0, most), 0.0)
        state["daily"] += slow * (power - state["daily"])
        late = np.where(state["days"] > 30, pace / most, 0.0)
        state["gain"] += late * (np.clip(better, -4.0, 4.0) - state["gain"])

    def _tell(self, state: State, seen: _Weighed, time: Floats) -> None:
        """Keep when a change seems to have begun, and make it usual once it has lasted."""
        surprise = np.nan_to_num(seen.surprise)
        done = tell(state, surprise, time, self.args.told, self.args.settle, 16)
        SUMS.learn(state, seen.total, seen.apart, done)
        best = np.argmax(seen.height, axis=0)
        age = state["age"][best, np.arange(len(time))]
        state["onset"] = np.where(surprise >= ODD, time - age, np.nan)
        grown = np.where(done & (state["gain"] > BETTER), np.clip(state["near"] / seen.usual, 1e-6, 1e6), 1.0)
        state["daily"] = grown * state["daily"]
        state["power"] = np.where(done, state["near"], state["power"])
        state["rests"] = np.where(done, np.minimum(state["rests"], NEAR), state["rests"])
