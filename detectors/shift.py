"""Samples of many series to surprise, by whether their level or their slope has changed to stay."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Band, Facts, Floats, Rows
from detectors.columns import BLOCK, Column, Columns, State, measured
from detectors.cusum import Cusum
from detectors.day import DAY, Day
from detectors.past import Past

# Sizes of shift that are looked for, in standard deviations of a sample's own news. A sum of each serves
# all shifts within a factor of about two.
SIZE = np.array([0.25, 0.5, 1.0, 2.0] * 2)[:, None]
DRIFT = SIZE * np.repeat([[1.0], [-1.0]], 4, axis=0)
# A series whose day is not known yet may be on its morning's way up: no small shift is seen in that.
YOUNG = 1.25 * DAY
HALF_HOUR = 1800.0
LARGE = 1.0
SLACK = 0.5  # standard deviations a sample that are not held against it either
OWED = 16.0 / SIZE**2  # samples that a base must rest on before so small a shift from it means anything
# Siegmund's overshoot, 0.583 of each size; share and excess as realised on 24 million normal samples.
SUMS = Cusum(
    6.5,
    (0.583 * SIZE).astype(np.float32),
    np.array([0.85, 0.89, 0.96, 1.12] * 2, np.float32)[:, None],
)
MOST = 2.5  # standard deviations that one sample may speak for: a spike alone is no shift
ODD = 2.0  # surprise from which hardly anything is learned
HELD = 0.1  # and how much still is
STEADY = 0.99  # most that a sample is taken to keep of the one before

# Four readings of a series: with a slope or without, less the usual day or not.
SLOPED = np.array([False, True, False, True])[:, None]
DAILY = np.array([False, False, True, True])[:, None]
BETTER = 0.8  # a reading is taken up when it leaves less than this share of the present one's variance


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Shift`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score
    memory: float = 43200.0  # seconds the base looks back, at least 300 samples
    told: float = 4.0  # surprise at which a change is taken for one
    settle: float = 600.0  # seconds after that, and at least 8 samples, when it becomes the new base
    floor: float = 1e-3  # least standard deviation, as a share of the level

    def __post_init__(self) -> None:
        if self.warm_up < 30:
            raise ValueError(f"warm_up: expected at least 30 samples, got {self.warm_up}")
        if min(self.memory, self.told, self.settle, self.floor) <= 0:
            raise ValueError("memory, told, settle, floor: expected numbers above 0")


def build(args: Args) -> Shift:
    return Shift(args)


class _Guess(NamedTuple):
    """What one block of samples was expected to be, by each reading."""

    day: Floats  # (n,), usual at this time, NaN where no earlier day has shown it
    base: Floats  # (4, n), in the series' unit
    echo: Floats  # (4, n), what is kept of the sample before, 0-1
    time: Floats  # (n,)
    apart: Floats  # (n,) s since the sample before


class Shift:
    """Page's sums over what is news in each sample: levels and slopes that changed a little, but to stay.

    Catches a lasting shift of half a standard deviation and a slow leak, says when either began, and takes
    what it has told for the new base ten minutes later. A sample's news is what neither the level, a slope
    that was there before, the usual day nor the sample before it led to expect. Misses a spike (one sample
    speaks for 2.5 standard deviations at most) and, until a series is 30 hours old, shifts of less than one.
    A rhythm that is neither of the day nor of the weekend is told as shifts.

    Page 1954, Lorden 1971 and Siegmund 1985 as in detectors/cusum.py; whitening as in Montgomery and
    Mastrangelo 1991, "Some statistical process control methods for autocorrelated data", J. Quality
    Technology 23; step or slope by Quandt 1960 in detectors/past.py. Memory: BYTES B a series.

    Args:
        args: warm_up in samples; memory and settle in seconds; told in surprise; floor a ratio.

    >>> Shift().args.warm_up
    60
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        four, one = np.zeros((4, 1)), np.zeros(1)
        self._columns = Columns(
            {
                "seen": one,  # samples learned
                "born": one,  # time of the first, s
                "last": one,  # time of the newest, s
                "cadence": one,  # s between two
                "reading": one,  # which of the four is believed
                "anchor": one,  # its first value, from which levels are measured
                "told": np.full(1, np.nan),  # s since 1970
                "since": one,  # samples learned since
                "onset": np.full(1, np.nan),  # of what the newest sample is part of
                "rate": np.full(1, np.nan),  # its slope, unit/s
                "rests": four,  # samples the level rests on
                "level": four,  # over the anchor
                "slope": four,  # unit/s
                "left": four,  # of the newest sample, by this reading
                "near": four,  # mean of that over about eight
                "size": four,  # mean square of it
                "carry": four,  # mean product of it with the one before
                "noise": four,  # mean square of what is new in it
                **SUMS.fresh(),
            }
        )
        self._day = Day()
        self._past = Past()

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        state = self._columns.look(series)
        return self._weigh(state, self._guess(state, series, time), measured(value)).surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        state = self._columns.look(series)
        expected = self._expected(state, self._guess(state, series, time))
        reach = 3 * np.sqrt(_of(state["size"], state["reading"])) + self.args.floor * np.abs(expected)
        return Band(expected, expected - reach, expected + reach)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise, expected = np.full(len(series), np.nan), np.full(len(series), np.nan)
        clean = measured(value)
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state = self._columns.look(series[part])
            expected[part] = self._expected(state, self._guess(state, series[part], time[part]))
            use = np.flatnonzero(np.isfinite(clean[part])) + k
            if len(use) < len(state["seen"]):
                state = self._columns.look(series[use])
            guess = self._guess(state, series[use], time[use])
            seen = self._weigh(state, guess, clean[use])
            surprise[use] = seen.surprise
            self._learn(series[use], state, guess, seen, time[use], clean[use])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        self._columns.forget(series)
        self._day.forget(series)
        self._past.forget(series)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        state = self._columns.look(np.array([series], np.int32))
        return Facts(onset=float(state["onset"][0]), slope=float(state["rate"][0]))

    def _guess(self, state: State, series: Rows, time: Floats) -> _Guess:
        apart = np.where(state["seen"] > 0, np.maximum(time - state["last"], 0.0), 0.0)
        day = self._day.at(series, time)
        ahead = np.where(SLOPED, state["slope"] * np.minimum(apart, self.args.memory), 0.0)
        base = state["anchor"] + state["level"] + ahead + np.where(DAILY, day, 0.0)
        return _Guess(day, base, _echo(state, apart), time, apart)

    def _expected(self, state: State, guess: _Guess) -> Floats:
        return np.where(state["seen"] >= self.args.warm_up, _of(guess.base, state["reading"]), np.nan)

    def _weigh(self, state: State, guess: _Guess, value: Floats) -> _Weighed:
        """Add the sample to the sums and say how rare they are."""
        reading = state["reading"]
        left = value - guess.base
        news = left - guess.echo * state["left"]
        least = self.args.floor * np.abs(_of(guess.base, reading)) + 1e-9
        spread = np.maximum(np.sqrt(_of(state["noise"], reading)), least)
        told = np.clip(_of(news, reading) / spread, -MOST, MOST).astype(np.float32)
        known = (state["seen"] >= self.args.warm_up) & np.isfinite(value)
        heard = np.where(known & np.isfinite(told), told, 0.0).astype(np.float32)
        rests = _of(state["rests"], reading)
        young = guess.time - state["born"] < YOUNG
        of_day = (
            np.minimum((guess.time - state["born"]) / DAY, 9.0)
            * HALF_HOUR
            / np.maximum(state["cadence"], 1.0)
        )
        rests = np.minimum(rests, np.where(reading >= 2, 2 * of_day, np.inf))
        owed = known & (rests >= OWED) & ~(young & (SIZE < LARGE))
        ignored = SIZE * (SIZE / 2 + np.where(young, SLACK, 0.0))
        gain = DRIFT * heard - np.where(np.isfinite(told), ignored, 0.0)
        total = np.where(owed, np.maximum(state["sum"] + gain, 0.0), 0.0).astype(np.float32)
        surprise, height = SUMS.surprise(state, total)
        return _Weighed(np.where(known, surprise, np.nan), height, total, left, news)

    def _learn(
        self, series: Rows, state: State, guess: _Guess, seen: _Weighed, time: Floats, value: Floats
    ) -> None:
        step, before = guess.apart, state["seen"]
        cadence = np.where(before == 1, step, state["cadence"])
        cadence += 0.05 * (np.minimum(step, 4 * cadence) - cadence) * (before > 1)
        state["cadence"] = np.where(before == 0, 0.0, cadence)
        state["last"] = np.where(before == 0, time, np.maximum(time, state["last"]))
        state["born"] = np.where(before == 0, time, state["born"])
        state["anchor"] = np.where(before == 0, value, state["anchor"])
        left = np.where(before == 0, np.where(DAILY, np.nan, 0.0), seen.left)

        held = (seen.surprise >= ODD) | np.isfinite(state["told"])
        young = time - state["born"] < YOUNG
        self._follow(state, guess, seen, left, np.where(held & ~young, HELD, 1.0))
        daily = state["reading"] >= 2
        again = self._choose(state, value, held)
        torn = daily != (state["reading"] >= 2)
        SUMS.learn(state, seen.total, step, again)
        plain = value - state["anchor"] - np.where(state["reading"] >= 2, guess.day, 0.0)
        shown = np.isfinite(plain)
        self._past.learn(series[shown], plain[shown], series[torn])
        self._tell(series, state, seen, time, again)
        self._settle(state, time)
        free = np.isnan(state["told"])
        # The day is what is over the level, so that a shift does not tear it in two.
        over = value - state["anchor"] - _of(state["level"], 2 + state["reading"] % 2)
        self._day.learn(series[free], time[free], over[free])
        state["seen"] = before + 1
        self._columns.put(series, state)

    def _follow(self, state: State, guess: _Guess, seen: _Weighed, left: Column, pace: Floats) -> None:
        """Move each reading's level, slope and spreads towards the sample, in `pace`."""
        shown = np.isfinite(left)
        cadence = np.maximum(state["cadence"], 1e-3)
        most = np.maximum(self.args.memory / cadence, 300.0)
        n = np.minimum(state["rests"] + np.where(shown, np.where(state["rests"] < 1, 1.0, pace), 0.0), most)
        state["rests"] = n
        n = np.maximum(n, 1.0)
        left = np.where(shown, left, 0.0)
        far = np.where(n < 10, np.inf, 4 * np.sqrt(state["size"]) + 1e-9)
        pull = np.clip(left, -far, far)

        # Gains of the least-squares line through n samples, and of the mean.
        gain = np.where(SLOPED, (4 * n - 2) / (n * (n + 1)), 1 / n) * pace
        ahead = np.where(SLOPED, state["slope"] * np.minimum(guess.apart, self.args.memory), 0.0)
        state["level"] += np.where(shown, ahead + gain * pull, 0.0)
        steer = np.where(SLOPED & (n > 1.5) & shown, 6 / (n * (n + 1)) * pace / cadence, 0.0)
        state["slope"] += steer * pull

        rate = np.where(shown, pace / n, 0.0)
        state["size"] += rate * (pull * pull - state["size"])
        beside = rate * (guess.apart < 1.5 * cadence)
        state["carry"] += beside * (pull * np.clip(state["left"], -far, far) - state["carry"])
        news = np.where(shown & (n > 1), seen.news, 0.0)
        news = np.minimum(news * news, np.where(n < 10, np.inf, 16 * state["noise"] + 1e-18))
        quick = np.where(shown, pace, 0.0) / np.minimum(n, 120.0) * (guess.apart < 1.5 * cadence)
        state["noise"] += quick * (news - state["noise"])
        state["left"] = left
        state["near"] += np.where(shown, (left - state["near"]) / 8, 0.0)

    def _choose(self, state: State, value: Floats, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Believe the reading that leaves least; return where that is another than before."""
        least = (self.args.floor * value) ** 2 + 1e-18
        size = np.where(
            state["rests"] >= np.where(DAILY, 60.0, 3.0), np.maximum(state["size"], least), np.inf
        )
        best = np.argmin(size, axis=0).astype(np.float64)
        turns = (_of(size, best) < BETTER * _of(size, state["reading"])) & ~held
        state["reading"] = np.where(turns, best, state["reading"])
        return turns

    def _tell(
        self, series: Rows, state: State, seen: _Weighed, time: Floats, again: NDArray[np.bool_]
    ) -> None:
        """Keep when a change was told, and when and as what it seems to have begun."""
        surprise = np.where(again | np.isnan(seen.surprise), 0.0, seen.surprise)
        going = np.isfinite(state["told"]) & (surprise >= 1)
        state["since"] = np.where(going, state["since"] + 1, 0.0)
        fires = ~going & (surprise >= self.args.told)
        state["told"] = np.where(going, state["told"], np.where(fires, time, np.nan))
        best = np.argmax(seen.height, axis=0).astype(np.float64)
        state["onset"] = np.where(surprise >= ODD, time - _of(state["age"], best), np.nan)
        state["rate"] = np.full(len(time), np.nan)
        for k in np.flatnonzero(surprise >= self.args.told):
            cadence = max(float(state["cadence"][k]), 1e-3)
            before = state["slope"][int(state["reading"][k]), k] * (state["reading"][k] % 2)
            bend = self._past.bend(int(series[k]), before * cadence)
            if bend is not None:
                state["onset"][k] = time[k] - bend.ago * cadence
                state["rate"][k] = bend.slope / cadence

    def _settle(self, state: State, time: Floats) -> None:
        """Take for the new base what a change that was told has come to."""
        done = (time - state["told"] >= self.args.settle) & (state["since"] >= 8)
        for k in np.flatnonzero(done):
            reading = int(state["reading"][k])
            # Each reading by what it sees itself: what was a shift without the day may be the day.
            jump = state["near"][:, k]
            state["level"][:, k] += jump
            state["left"][:, k] -= jump
            state["near"][:, k] = 0.0
            moved = slice(None) if reading & 2 else slice(2)
            state["rests"][moved, k] = np.minimum(state["rests"][moved, k], 16.0)
            if math.isfinite(state["rate"][k]):
                sloped = reading | 1
                state["slope"][sloped, k] = state["rate"][k]
                state["size"][sloped, k] = min(state["size"][sloped, k], 0.7 * state["size"][reading, k])
                state["reading"][k] = sloped
            state["told"][k] = np.nan
            for name in ("sum", "peak", "age"):
                state[name][:, k] = 0.0


class _Weighed(NamedTuple):
    """What one block of samples came to."""

    surprise: Floats  # (n,)
    height: Floats  # (k, n), of each sum
    total: Column  # (k, n), the sums
    left: Floats  # (4, n), of the sample by each reading
    news: Floats  # (4, n), of that, what the sample before did not say already


def _of(table: Column, reading: Column) -> Floats:
    """Return the row of (4, n) that each series believes, (n,)."""
    found: Floats = table[reading.astype(np.intp), np.arange(table.shape[1])]
    return found


def _echo(state: State, apart: Floats) -> Floats:
    """Return what a sample keeps of the one before it, (4, n), by each reading."""
    size = np.maximum(state["size"], 1e-300)
    ratio = np.where(state["rests"] > 10, state["carry"] / size, 0.0)
    # A mean taken from the same n samples hides some of what they share: Kendall 1954.
    echo = np.clip(ratio + (1 + 4 * ratio) / np.maximum(state["rests"], 1.0), 0.0, STEADY)
    echo = np.where(state["rests"] > 10, echo, 0.0)
    steps = apart / np.maximum(state["cadence"], 1e-3)
    far = np.flatnonzero(steps > 1.5)
    if len(far):
        echo[:, far] = echo[:, far] ** steps[far]
    return echo
