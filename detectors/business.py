"""Business figures to surprise, by what is usual at this hour of this weekday and how much counts scatter."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.base import Band, Facts, Floats, Rows
from detectors.calendars import DAY, HOLIDAY, Calendar, Places, places
from detectors.columns import BLOCK, Column, Columns, State, measured
from detectors.highs import fresh_highs, remember_day, unmatched
from detectors.scatter import (
    DECADE,
    EDGE,
    TWENTIETH,
    improbable,
    remember_scatter,
    remember_tail,
    remember_wild,
    scatter,
    tail,
    unlikely,
)
from detectors.weeks import BYTES, UNLIKE, Weeks

READY = 10  # samples before the first score of a series that began with another's week
ODD = 3.0  # surprise from which a sample teaches nothing of how today differs from the week

# Seconds over which counts are added up: one minute of few orders says little, half an hour of them much.
SPANS = (300.0, 1800.0)
TRIES = math.log10(2 * (1 + len(SPANS)))  # two sides of the sample and of every span

# Before a time of day was seen, a value is as likely to be off by so much of the level as not to be.
UNKNOWN = 0.36  # variance, as a share: 60 %
OTHERWISE = 0.25  # likewise of a holiday before one was seen: 50 %
TODAY = 0.01  # likewise of a day beside the same day of other weeks: 10 %
NOISE = 3 * DAY  # s that the scatter looks back
LEVEL = 600.0  # s the level looks back; it serves until the time of day is known
LEAST = 0.02  # of one count: no more seldom is a count expected, so that a first order at night is no news


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Business`; the defaults are what is measured."""

    timezone: str = "UTC"  # of the customers, as in Europe/Berlin: business days are local
    country: str = ""  # whose public holidays count as days off, as in DE; none if empty
    subdivision: str = ""  # of the country, as in BY
    dates: tuple[str, ...] = ()  # further days off, as 2026-12-24
    whole: float = 0.0  # of a share: 1, or 100 for per cent; 0: the values are counts or sums
    warm_up: int = 60  # samples before the first score
    memory: float = 7200.0  # seconds of today that say how today differs from the week
    relearn: float = 14400.0  # seconds out of band, and at least 20 samples, after which today is so
    floor: float = 0.02  # least standard deviation, as a share of what is expected
    band: float = 3.0  # surprise at which the expected band ends

    def __post_init__(self) -> None:
        Calendar(self.timezone, self.country, self.subdivision, self.dates)
        if self.warm_up < READY:
            raise ValueError(f"warm_up: expected at least {READY} samples, got {self.warm_up}")
        if self.whole < 0:
            raise ValueError(f"whole: expected 0 for counts, or 1 or 100 for shares, got {self.whole:g}")
        if min(self.memory, self.relearn, self.floor, self.band) <= 0:
            raise ValueError("memory, relearn, floor, band: expected numbers above 0")


def build(args: Args) -> Business:
    return Business(args)


class _Guess(NamedTuple):
    """What one block of samples was expected to be, from all that came before; each (n,)."""

    at: Places
    base: Floats  # usual for this kind of day and half hour; 0 where not known
    known: NDArray[np.bool_]  # whether it is
    today: Floats  # how often the usual today is
    grain: Floats  # variance of a value of mean 1: 1 for counts
    rough: Floats  # variance beyond that, as a share of the mean squared
    loose: Floats  # likewise, of the expectation itself
    expected: Floats
    variance: Floats  # of one sample
    decay: Floats  # (spans, n)
    fading: Floats  # of what is known of today
    anew: Floats  # likewise, of what is not yet: 1 but at the first sample of a day

    def only(self, use: NDArray[np.bool_]) -> _Guess:
        picked: tuple[Any, ...] = tuple(column[..., use] for column in self[1:])
        return _Guess(self.at.only(use), *picked)


class _Sums(NamedTuple):
    """What was counted lately, the sample with it; (spans, n) but for the first."""

    spans: Floats  # (3, spans, n): seen, expected, expected with the weights squared
    mean: Floats  # what was expected of what was seen
    chance: Floats  # variance that counts have of themselves
    variance: Floats


def _fresh(warm_up: int) -> dict[str, Column]:
    fresh: dict[str, Column] = {
        name: np.zeros(1)
        for name in (
            "seen", "last", "flip", "lent",  # samples; s; shares seen from the other end; samples since lent
            "level", "overall", "previous",  # means over ten minutes and a day; the sample before
            "centre",  # mean place of the samples in their half hours: 0 where one comes each half hour
            "odds", "means", "both", "squares",  # means of e**2/m, m, e**2, m**2: the scatter, by level
            "out", "out_since",  # odd samples lately; s
        )
    }  # fmt: skip
    fresh["needs"] = np.full(1, float(warm_up))
    fresh["today"] = np.zeros((2, 1))  # sums that fade over `memory`: seen, usual
    fresh["late"] = np.zeros((2, 1))  # likewise over the longest span, which is not yet in the former
    fresh["spans"] = np.zeros((3, len(SPANS), 1))  # seen, expected, expected with the weights squared
    fresh["wild"] = np.zeros((2, len(SPANS), 1))  # means of (e**2 - what chance makes of it) and m**2
    fresh["often"] = np.full((2, 1), TWENTIETH)  # below, above: how many samples lie beyond EDGE
    fresh["excess"] = np.full((2, 1), DECADE)  # and how far on average
    return fresh | fresh_highs()


class Business:
    """Counts beside what is usual at this half hour of this weekday, in counts' own scatter, summed up.

    Catches orders, logins or conversions that fall or rise, at once where there are many and within an
    hour where there are few; a night without orders is quiet if nights are. Misses what comes back within
    a few counts' scatter, shifts below `floor`, drifts slower than `memory`, and all but the grossest
    in the first day. A holiday is taken for a Sunday until the first was seen. Work days are local.

    After McCullagh and Nelder 1989 (ch. 6, variance in proportion to the mean), Efron and Morris 1975
    (shrinkage of each weekday to those like it). Memory: 2.4 kB a series.

    Args:
        args: timezone, country, subdivision, dates: the calendar; whole in the values' unit; warm_up in
            samples; memory, relearn in seconds; floor a ratio; band in surprise.

    >>> d, row, orders = Business(), np.zeros(1, np.int32), np.random.default_rng(1).poisson(100.0, 2016)
    >>> for k, n in enumerate(orders.astype(float)):  # a week, a sample every five minutes
    ...     _ = d.take_many(row, np.array([300.0 * k]), np.array([n]))
    >>> d.score_many(row, np.array([604800.0]), np.array([100.0])).round(1)
    array([0.])
    >>> d.score_many(row, np.array([604800.0]), np.array([50.0])).round(1)
    array([3.6])
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._calendar = Calendar(
            self.args.timezone, self.args.country, self.args.subdivision, self.args.dates
        )
        self._columns = Columns(_fresh(self.args.warm_up))
        self._weeks = Weeks()

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        state = self._columns.look(series)
        guess = self._guess(series, state, time)
        count = self._counted(state, measured(value))
        return self._surprise(state, guess, self._add_up(state, guess, count), count)[0]

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        state = self._columns.look(series)
        guess = self._guess(series, state, time)
        known = self._told(state, guess)
        below, above = (unlikely(self.args.band, *tail(state, side)) + TRIES for side in (0, 1))
        unit = guess.variance / guess.expected
        low = np.maximum(special.pdtrik(10.0**-below, guess.expected / unit), 0.0) * unit
        high = (special.pdtrik(1 - 10.0**-above, guess.expected / unit) + 1) * unit
        low, high = self._turned(state, low), self._turned(state, high)
        ends = np.where(np.isnan(known), np.nan, np.array([np.minimum(low, high), np.maximum(low, high)]))
        return Band(known, ends[0], ends[1])

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise = np.empty(len(series))
        expected = np.empty(len(series))
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state = self._columns.look(series[part])
            guess = self._guess(series[part], state, time[part])
            clean = measured(value[part])
            count = self._counted(state, clean)
            sums = self._add_up(state, guess, count)
            surprise[part], raw = self._surprise(state, guess, sums, count)
            expected[part] = self._told(state, guess)
            use = np.isfinite(clean)
            if not use.all():
                state = {name: column[..., use] for name, column in state.items()}
                guess, count, raw, clean = guess.only(use), count[use], raw[:, use], clean[use]
                sums = _Sums(*(column[..., use] for column in sums))
            self._learn(
                series[part][use], state, guess, time[part][use], clean, count, sums, surprise[part][use], raw
            )
        return surprise, expected

    def borrow_many(self, series: Rows, donors: Rows) -> None:
        lender = self._columns.look(donors)
        new = self._columns.look(series)
        able = (lender["seen"] >= self.args.warm_up) & (new["seen"] == 0) & (series != donors)
        rows = series[able]
        if len(rows) == 0:
            return
        for name in ("flip", "odds", "means", "both", "squares", "often", "excess"):
            new[name] = lender[name]
        new["needs"][:], new["lent"][:] = READY, 1
        self._columns.put(rows, {name: column[..., able] for name, column in new.items()})
        self._weeks.lend(rows, donors[able])

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        rows, at = np.array([series], np.int32), np.array([time])
        state = self._columns.look(rows)
        guess = self._guess(rows, state, at)
        usual = self._turned(state, guess.base)[0] if guess.known[0] else math.nan
        highest, lowest = unmatched(state, value)
        return Facts(highest=highest, lowest=lowest, usual=float(usual))

    def bytes_a_series(self) -> int:
        return self._columns.bytes_a_series() + BYTES

    def forget_many(self, series: Rows) -> None:
        self._columns.forget(series)
        self._weeks.forget(series)

    def _guess(self, series: Rows, state: State, time: Floats) -> _Guess:
        at = places(self._calendar, time)
        base, visits = self._weeks.usual(series, at, state["centre"])
        known = np.isfinite(base) & (state["lent"] == 0)
        base = np.where(np.isfinite(base), np.maximum(base, 0.0), 0.0)
        grain, rough = scatter(state)
        gone = np.where(state["seen"] > 0, np.maximum(time - state["last"], 0.0), 0.0)
        fading = np.exp(-gone / self.args.memory)
        unseen = np.where((at.kind == HOLIDAY) & (visits == 0), OTHERWISE, UNLIKE)
        unlike = unseen / (1.0 + 10.0 * visits)
        prior = grain / (TODAY + unlike)
        # Of yesterday no more is believed than of the week: a Monday is not what the Sunday was.
        much = np.maximum(state["today"][1] * fading, 1e-300)
        anew = np.where(at.day == state["day"], 1.0, np.minimum(prior, much) / much)
        fading = fading * anew
        weight = prior + state["today"][1] * fading
        today = (prior + state["today"][0] * fading) / weight
        loose = grain / weight + 0.25 * unlike
        expected = np.where(known, base * today, state["level"])
        expected = np.maximum(expected, LEAST * grain)
        wide = np.where(
            known, (rough + loose) * expected**2, UNKNOWN * np.maximum(expected, state["overall"]) ** 2
        )
        variance = (grain * expected + wide) * self._apart(expected)
        variance = np.maximum(variance, (self.args.floor * expected) ** 2)
        decay = np.exp(-gone / np.array(SPANS)[:, None])
        return _Guess(at, base, known, today, grain, rough, loose, expected, variance, decay, fading, anew)

    def _apart(self, expected: Floats) -> Floats:
        """Return how far a share is from its whole, a ratio; 1 for counts, which have none."""
        if not self.args.whole:
            return np.ones(len(expected))
        return np.clip(1.0 - expected / self.args.whole, 1e-6, 1.0)

    def _add_up(self, state: State, guess: _Guess, count: Floats) -> _Sums:
        now = np.where(guess.known, [count, guess.expected, guess.expected], 0.0)
        faded = np.array([guess.decay, guess.decay, guess.decay**2])
        spans = state["spans"] * faded + now[:, None]
        mean = np.maximum(spans[1], LEAST * guess.grain)
        apart = self._apart(guess.expected)
        chance = guess.grain * spans[2] * apart
        rough = np.maximum(state["wild"][0], 0.0) / np.maximum(state["wild"][1], 1e-300)
        variance = chance + (rough + guess.loose * apart) * mean**2
        return _Sums(spans, mean, chance, np.maximum(variance, (self.args.floor * mean) ** 2))

    def _surprise(self, state: State, guess: _Guess, sums: _Sums, count: Floats) -> tuple[Floats, Floats]:
        """Return the surprise, and that below and above before the tail's own past was asked, (2, n)."""
        high = count >= guess.expected
        alone = improbable(count, guess.expected, guess.variance)
        # A span that points the other way than its last sample would be told with the wrong direction.
        alike = (sums.spans[1] > 0) & ((sums.spans[0] >= sums.mean) == high)
        together = np.where(alike, improbable(sums.spans[0], sums.mean, sums.variance), 0.0)
        found = np.maximum(np.maximum(alone, together.max(axis=0)) - TRIES, 0.0)
        raw = np.array([np.where(high, 0.0, found), np.where(high, found, 0.0)])
        often, excess = tail(state, high.astype(np.intp))
        beyond = np.maximum(found - EDGE, 0.0) * (DECADE / excess)
        surprise = np.minimum(found, EDGE) * often + beyond
        told = (state["seen"] >= state["needs"]) & np.isfinite(count)
        return np.where(told, surprise, np.nan), raw

    def _learn(
        self,
        series: Rows,
        state: State,
        guess: _Guess,
        time: Floats,
        value: Floats,
        count: Floats,
        sums: _Sums,
        surprise: Floats,
        raw: Floats,
    ) -> None:
        seen = state["seen"]
        first = seen == 0
        odd = surprise >= ODD
        gone = np.where(first, 0.0, np.maximum(time - state["last"], 0.0))
        state["flip"] = self._flip(state, value)
        remember_tail(state, raw)
        pace = np.where(odd, 0.0, np.minimum(1 - np.exp(-gone / NOISE), 0.05))
        near = 0.5 * (count + state["previous"])
        off = np.where(guess.known, count - guess.expected, (count - state["previous"]) / math.sqrt(2))
        mean = np.where(guess.known, guess.expected, near)
        remember_scatter(state, off, mean, guess.variance, self._apart(mean), pace)
        remember_wild(state, sums.spans[0] - sums.mean, sums.mean, sums.chance, sums.variance, pace)
        trust = 1 / (1 + np.nan_to_num(surprise / ODD) ** 4)
        self._follow_today(state, guess, count, trust)
        state["spans"] = sums.spans
        self._relearn(state, time, odd)
        self._follow_week(series, state, guess, count, trust)

        young = 1.0 / (seen + 1.0)
        pace = np.maximum(np.minimum(1 - np.exp(-gone / LEVEL), 0.2), young)
        state["level"] += pace * (count - state["level"])
        state["overall"] += np.maximum(1 - np.exp(-gone / DAY), young) * (count - state["overall"])
        state["centre"] += np.maximum(young, 0.002) * (guess.at.within - state["centre"])
        state["previous"] = count
        remember_day(state, guess.at.day, value)
        state["last"] = np.where(first, time, np.maximum(time, state["last"]))
        state["seen"] = seen + 1
        self._columns.put(series, state)

    def _follow_today(self, state: State, guess: _Guess, count: Floats, trust: Floats) -> None:
        """Add what leaves the longest span to what is known of today, the less the odder the sample is.

        So a fall is not taken for how today is while it is still being added up.
        """
        lent = (state["lent"] > 0) & (guess.base > 0)
        counts = guess.known | lent
        late, decay = state["late"] * guess.anew, guess.decay[-1]
        new = np.where(counts, [count, guess.base], 0.0)
        left = np.where(lent, new, late * (1 - decay))
        state["today"] += trust * (state["today"] * (guess.fading - 1) + left)
        state["late"] = late * decay + new
        state["lent"] += lent

    def _follow_week(self, series: Rows, state: State, guess: _Guess, count: Floats, trust: Floats) -> None:
        """Learn the week; one that was lent is first brought to the level of who borrowed it."""
        own = np.flatnonzero(state["lent"] == 0)
        columns = (count, guess.expected, guess.grain, guess.rough, trust)
        self._weeks.learn(series[own], guess.at.only(own), *(column[own] for column in columns))
        ready = np.flatnonzero((state["lent"] > READY) & (state["today"][1] > 0))
        if len(ready):
            self._weeks.scale(series[ready], state["today"][0, ready] / state["today"][1, ready])
            for name in ("lent", "today", "late"):
                state[name][..., ready] = 0.0

    def _relearn(self, state: State, time: Floats, odd: NDArray[np.bool_]) -> None:
        """Take the last half hour for how today is where a series has stayed out of band for long."""
        out = np.where(odd, state["out"] + 1, np.maximum(state["out"] - 2, 0))
        since = np.where(odd & (state["out"] == 0), time, state["out_since"])
        settle = (out >= 20) & (time - since >= self.args.relearn)
        state["out"] = np.where(settle, 0, out)
        state["out_since"] = since
        state["today"] = np.where(settle, state["late"], state["today"])

    def _counted(self, state: State, value: Floats) -> Floats:
        """Return the values as counts: a share from its rarer end, and nothing below 0."""
        return np.maximum(np.where(self._flip(state, value) > 0, self.args.whole - value, value), 0.0)

    def _flip(self, state: State, value: Floats) -> Floats:
        """Say (0 or 1) which series are shares counted from their whole; the first sample decides."""
        first = (state["seen"] == 0) & (state["lent"] == 0) & (self.args.whole > 0)
        found: Floats = np.where(first, value > 0.5 * self.args.whole, state["flip"]).astype(np.float64)
        return found

    def _turned(self, state: State, count: Floats) -> Floats:
        return np.where(state["flip"] > 0, self.args.whole - count, count)

    def _told(self, state: State, guess: _Guess) -> Floats:
        return np.where(state["seen"] >= state["needs"], self._turned(state, guess.expected), np.nan)
