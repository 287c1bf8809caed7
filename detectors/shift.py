"""Samples of many series to surprise, by whether their level or their slope has changed to stay."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import readings
from detectors.base import Band, Facts, Floats, Rows
from detectors.columns import BLOCK, Column, Columns, State, measured, pace_of
from detectors.cusum import Cusum, tell
from detectors.day import DAY, Day
from detectors.past import Past
from detectors.readings import DAILY, Guess, of

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


class _Weighed(NamedTuple):
    """What one block of samples came to."""

    surprise: Floats  # (n,)
    height: Floats  # (k, n), of each sum
    total: Column  # (k, n), the sums
    left: Floats  # (4, n), of the sample by each reading
    news: Floats  # (4, n), of that, what the sample before did not say already


class Shift:
    """Page's sums over what is news in each sample: levels and slopes that changed a little, but to stay.

    Catches a lasting shift of half a standard deviation and a slow leak, says when either began, and takes
    what it has told for the new base ten minutes later. A sample's news is what neither the level, a slope
    that was there before, the usual day nor the sample before it led to expect. Misses a spike (one sample
    speaks for 2.5 standard deviations at most) and, until a series is 30 hours old, shifts of less than one.
    A rhythm that is neither of the day nor of the weekend is told as shifts.

    Page 1954, Lorden 1971 and Siegmund 1985 as in detectors/cusum.py; whitening as in Montgomery and
    Mastrangelo 1991, "Some statistical process control methods for autocorrelated data", J. Quality
    Technology 23; step or slope by Quandt 1960 in detectors/past.py. Memory: 1,168 B a series.

    Args:
        args: warm_up in samples; memory and settle in seconds; told in surprise; floor a ratio.

    >>> d, row, chance = Shift(), np.zeros(1, np.int32), np.random.default_rng(0)
    >>> for t in range(412):
    ...     value = 100 + chance.normal() if t < 400 else 103 + chance.normal()
    ...     surprise, _ = d.take_many(row, np.array([60.0 * t]), np.array([value]))
    >>> surprise.round(1)
    array([7.])
    >>> d.facts_of(0, 60.0 * 411, value).onset / 60
    400.0
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
                "told": np.full(1, np.nan),  # s since 1970
                "since": one,  # samples learned since
                "onset": np.full(1, np.nan),  # of what the newest sample is part of
                "rate": np.full(1, np.nan),  # its slope, unit/s
                **readings.fresh(),
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
        """Return the base and three standard deviations about it; no sample alone is out of band."""
        state = self._columns.look(series)
        expected = self._expected(state, self._guess(state, series, time))
        reach = 3 * np.sqrt(of(state["size"], state["reading"])) + self.args.floor * np.abs(expected)
        return Band(expected, expected - reach, expected + reach)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise, expected = np.full(len(series), np.nan), np.full(len(series), np.nan)
        clean = measured(value)
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state = self._columns.look(series[part])
            guess = self._guess(state, series[part], time[part])
            expected[part] = self._expected(state, guess)
            use = np.flatnonzero(np.isfinite(clean[part]))
            if len(use) < len(guess.time):
                state, guess = {name: column[..., use] for name, column in state.items()}, guess.only(use)
            rows = series[part][use]
            seen = self._weigh(state, guess, clean[part][use])
            surprise[k + use] = seen.surprise
            self._learn(rows, state, guess, seen, clean[part][use])
            self._columns.put(rows, state)
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        for each in (self._columns, self._day, self._past):
            each.forget(series)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        state = self._columns.look(np.array([series], np.int32))
        return Facts(onset=float(state["onset"][0]), slope=float(state["rate"][0]))

    def _guess(self, state: State, series: Rows, time: Floats) -> Guess:
        return readings.guess(state, self._day.at(series, time), time, self.args.memory)

    def _expected(self, state: State, guess: Guess) -> Floats:
        return np.where(state["seen"] >= self.args.warm_up, of(guess.base, state["reading"]), np.nan)

    def _weigh(self, state: State, guess: Guess, value: Floats) -> _Weighed:
        """Add the sample to the sums and say how rare they are."""
        reading = state["reading"]
        left = value - guess.base
        news = left - guess.echo * state["left"]
        least = self.args.floor * np.abs(of(guess.base, reading)) + 1e-9
        spread = np.maximum(np.sqrt(of(state["noise"], reading)), least)
        heard = np.clip(of(news, reading) / spread, -MOST, MOST)
        known = (state["seen"] >= self.args.warm_up) & np.isfinite(value)
        silent = ~known | ~np.isfinite(heard)  # the day is believed, but this hour of it was never seen

        age = np.maximum(guess.time - state["born"], 0.0)
        young = age < YOUNG
        # A day's mean at this hour rests on as many samples as half an hour has, of nine days at most.
        of_day = np.minimum(age / DAY, 9.0) * HALF_HOUR / np.maximum(state["cadence"], 1.0)
        rests = np.minimum(of(state["rests"], reading), np.where(reading >= 2, 2 * of_day, np.inf))
        owed = known & (rests >= OWED) & ~(young & (SIZE < LARGE))

        gain = DRIFT * heard - SIZE * (SIZE / 2 + np.where(young, SLACK, 0.0))
        total = np.where(owed, np.maximum(state["sum"] + np.where(silent, 0.0, gain), 0.0), 0.0)
        total = total.astype(np.float32)
        surprise, height = SUMS.surprise(state, total)
        return _Weighed(np.where(known, surprise, np.nan), height, total, left, news)

    def _learn(self, series: Rows, state: State, guess: Guess, seen: _Weighed, value: Floats) -> None:
        before, time = state["seen"], guess.time
        first = before == 0
        pace_of(state, time, guess.apart)
        state["anchor"] = np.where(first, value, state["anchor"])
        left = np.where(first, np.where(DAILY, np.nan, 0.0), seen.left)

        odd = (seen.surprise >= ODD) | np.isfinite(state["told"])
        held = odd & (time - state["born"] >= YOUNG)
        readings.follow(state, guess, left, seen.news, np.where(held, HELD, 1.0), self.args.memory)
        daily = state["reading"] >= 2
        turns = readings.choose(state, (self.args.floor * value) ** 2 + 1e-18, odd)
        torn = daily != (state["reading"] >= 2)
        surprise = np.where(turns | np.isnan(seen.surprise), 0.0, seen.surprise)
        done = tell(state, surprise, time, self.args.told, self.args.settle, 8)
        SUMS.learn(state, seen.total, guess.apart, turns | done)
        self._date(series, state, seen, surprise, time)
        self._remember(series, state, guess, value, torn)
        for k in np.flatnonzero(done):
            readings.rebase(state, int(k))
            if math.isfinite(state["rate"][k]):
                readings.bend(state, int(k), float(state["rate"][k]))
        state["seen"] = before + 1

    def _date(self, series: Rows, state: State, seen: _Weighed, surprise: Floats, time: Floats) -> None:
        """Keep when what is seen seems to have begun, and its slope where it is one."""
        best = np.argmax(seen.height, axis=0).astype(np.float64)
        state["onset"] = np.where(surprise >= ODD, time - of(state["age"], best), np.nan)
        state["rate"] = np.full(len(time), np.nan)
        for k in np.flatnonzero(surprise >= self.args.told):
            cadence = max(float(state["cadence"][k]), 1e-3)
            reading = int(state["reading"][k])
            before = float(state["slope"][reading, k]) if reading % 2 else 0.0
            bend = self._past.bend(int(series[k]), before * cadence)
            if bend is not None:
                state["onset"][k] = time[k] - bend.ago * cadence
                state["rate"][k] = bend.slope / cadence

    def _remember(
        self, series: Rows, state: State, guess: Guess, value: Floats, torn: NDArray[np.bool_]
    ) -> None:
        over = value - state["anchor"]
        plain = over - np.where(state["reading"] >= 2, guess.day, 0.0)
        shown = np.isfinite(plain)
        self._past.learn(series[shown], plain[shown], series[torn])
        free = np.isnan(state["told"])
        # The day is what is over the level, so that a shift does not tear it in two.
        usual = over - of(state["level"], 2 + state["reading"] % 2)
        self._day.learn(series[free], guess.time[free], usual[free])
