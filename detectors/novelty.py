"""Samples of many series to surprise, by what none of their long memory has shown and by the time of day."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import compiled
from detectors.base import Band, Floats, Rows
from detectors.held import BUCKETS, DAY, EARLY, IN_SPANS, PARTS, SIGNALS, SPANS, WEEK, Column, Held, Memory

BLOCK = 8192  # rows at once, so that what is being worked on stays in the processor's cache
LARGEST = 1e18  # its square is still a number in 32 bits; nothing that is measured is larger

# Excesses over eight signals and two contexts are summed as evidence. The slow mean and the context of the
# smoothed residual mostly repeat what others say, so they count for less.
SOURCE = np.array([*range(SIGNALS), *IN_SPANS])
WEIGHT = np.array([1, 1, 0.3, 1, 1, 1, 1, 1, 1, 0.3], np.float32)
STEEP = 5.0  # of evidence for a small excess; a fifth of the range is 0.7
NEW = 4.0  # surprise of a record whose evidence is what is usual in this series' records
A_RECORD = 0.05  # of evidence, and more, is a record
SETTLED = 60  # samples before records tell what is usual in them
FEW = 20.0  # records that the first guess of what is usual in them counts as
LARGE = 2.0  # of evidence, and more, of one record counts as this for what is usual
# In an old series a surprise of RARE is to come as rarely as it says: each makes the next smaller, and its
# absence makes it larger.
OLD, RARE, GIVE = 2_000, 4.0, 0.3
LEAST, MOST = 0.5, 6.0  # what evidence is times at the least and the most
RIPE = 600.0  # samples after which a record counts in full
MANY = 60_000.0  # samples in two hours of the day are not counted further
SHOWN = 40.0  # samples about this time of day before its own least and most count

TAIL = 0.02  # of residuals lie beyond the edge
AT_EDGE = -math.log10(TAIL)
MIN_STRETCH = 0.3  # mean log excess over the edge: p falls as distance ** (-1 / stretch)
IDLE = 4.2  # of both residuals' -log10 p, the mean of two samples; what is usual reaches that now and then
HELPS = 0.8  # of the residual, or less, must be left for the week to be expected
NORMAL = 1.25  # standard deviations a mean absolute deviation, for a normal distribution


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Novelty`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score; 300 where nobody waits for the first
    memory: float = 28 * DAY  # seconds; records last between one and two of them
    band: float = 3.0  # surprise at which the expected band ends
    floor: float = 1e-3  # least spread, as a share of the level

    def __post_init__(self) -> None:
        if self.warm_up < 30:
            raise ValueError(f"warm_up: expected at least 30 samples, got {self.warm_up}")
        if min(self.memory, self.band, self.floor) <= 0:
            raise ValueError("memory, band, floor: expected numbers above 0")


def build(args: Args) -> Novelty:
    return Novelty(args)


class Novelty:
    """Evidence that nothing like it was seen before, beside how far it strays from its own day and week.

    Eight signals of a series (the value, three means, the residual from the day's profile and its mean,
    the log variance of leaps, differences of means) each keep the least and the most of four to eight
    weeks, and the value and the smoothed residual also of each two hours of the day with those beside;
    the log of what exceeds them is summed, and counts by how large that sum usually is in this series'
    records, and by how rare surprise has been in it. A leap or residual that lasts two samples adds its
    -log10 p under a tail learned from the series. The week moves what is expected where that leaves a
    fifth less unexplained. Catches what is new in size, hour, roughness or trend; misses what has
    happened before within its memory.

    The tail is after Pickands 1975. In a series of a few hundred samples surprise
    is larger than -log10 p, since records are common there. Memory: 1,156 B a series.

    Args:
        args: warm_up in samples; memory in seconds; band in surprise; floor a ratio.

    >>> d = Novelty()
    >>> row = np.zeros(1, np.int32)
    >>> for t in range(120):
    ...     _ = d.take_many(row, np.array([60.0 * t]), np.array([5 + 0.1 * (t % 3)]))
    >>> [bool(d.score_many(row, np.array([7200.0]), np.array([v]))[0] > 4) for v in (5.0, 9.0)]
    [False, True]
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self.memory = Memory(self.args.memory)

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        surprise = np.full(len(series), np.nan)
        use = np.abs(value) <= LARGEST
        held = self.memory.look(series[use], time[use])
        surprise[use] = self._step(held, self.memory.since(series[use], time[use]), value[use])[0]
        return surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def forget_many(self, series: Rows) -> None:
        self.memory.forget(series)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        held = self.memory.look(series, time)
        expected = np.where(held.seen >= self.args.warm_up, _expected(held), np.nan)
        # Both residuals have the same share in what ends the band.
        need = (self.args.band + IDLE - 0.4 * held.before) / 1.2
        stretch = np.maximum(held.stretch, MIN_STRETCH)
        reach = np.exp(held.edge + stretch * np.maximum(need - AT_EDGE, 0.0) * math.log(10))
        reach = reach * _spread(held, _expected(held), self.args.floor)
        low, high = self._remembered(held)
        lower = np.minimum(np.maximum(expected - reach, low), expected)
        upper = np.maximum(np.minimum(expected + reach, high), expected)
        return Band(*(edge.astype(np.float64) for edge in (expected, lower, upper)))

    def _remembered(self, held: Held) -> tuple[Column, Column]:
        """Return where a value is so far beyond all of this time of day that this alone ends the band."""
        low, high = np.minimum(held.low[0], held.old_low[0]), np.maximum(held.high[0], held.old_high[0])
        ready = held.seen > EARLY
        low, high = np.where(ready, low, 0), np.where(ready, high, 0)
        excess = (
            np.expm1(self.args.band * held.news / (NEW * held.gain * np.clip(held.seen / RIPE, 1e-2, 1)))
            / STEEP
        )
        beyond = excess * (high - low + self.args.floor * np.maximum(np.abs(low), np.abs(high)) + 1e-9)
        shown = held.around >= SHOWN
        low = np.where(shown, np.minimum(held.own_low, held.near_low)[0], low)
        high = np.where(shown, np.maximum(held.own_high, held.near_high)[0], high)
        return low - beyond, high + beyond

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise = np.full(len(series), np.nan)
        expected = np.full(len(series), np.nan)
        measured = np.abs(value) <= LARGEST
        if not measured.all():
            surprise[measured], expected[measured] = self.take_many(
                series[measured], time[measured], value[measured]
            )
            expected[~measured] = self.expect_many(series[~measured], time[~measured]).expected
            return surprise, expected
        self.memory.grow(int(series.max(initial=-1)) + 1)  # at once, not a block at a time
        if compiled.worth(series):
            args = self.args
            return compiled.take(self.memory, args.warm_up, args.floor, series, time, value)
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            rows, at = series[part], time[part]
            held = self.memory.look(rows, at, keep=True)
            surprise[part], expected[part] = self._step(held, self.memory.since(rows, at), value[part])
            self.memory.put(rows, at, held)
        return surprise, expected

    def _step(self, held: Held, since: Column, value: Floats) -> tuple[Floats, Floats]:
        """Score one sample a column and learn it into the block; return surprise and what was expected."""
        x = value.astype(np.float32)
        seen = held.seen
        young = 1 / (seen + 1)
        first = seen == 0
        if first.any():
            for mean in (held.m10, held.m30, held.m100, held.quick, held.level):
                mean[first] = x[first]
            since = np.where(first, 0, since)
        second = seen == 1
        change = np.minimum(since, 4 * held.cadence) - held.cadence
        held.cadence[:] = np.where(second, since, held.cadence + 0.05 * change)

        expected = _expected(held)
        off = x - expected
        c = self._from_day(held, x, off, young) + self._from_leap(held, x, young)
        signals = self._follow(held, x, off, young)
        lasting = np.maximum(0.6 * c + 0.4 * held.before - IDLE, 0)
        held.before[:] = c
        evidence = self._evidence(held, signals)
        news = NEW * np.minimum(seen / RIPE, 1) * evidence / held.news * held.gain
        recorded = (evidence > A_RECORD) & (seen >= SETTLED)
        held.records += recorded
        held.news += recorded * (np.minimum(evidence, LARGE) - held.news) / (FEW + held.records)
        surprise = lasting + news
        old = seen >= OLD
        if old.any():
            step = np.where(surprise >= RARE, math.exp(-GIVE), math.exp(GIVE * 10**-RARE)).astype(np.float32)
            np.copyto(held.gain, np.clip(held.gain * step, LEAST, MOST), where=old)
        known = seen >= self.args.warm_up
        held.seen[:] = np.minimum(seen + 1, 1e6)
        surprise = np.where(known, surprise, np.nan).astype(np.float64)
        return surprise, np.where(known, expected, np.nan).astype(np.float64)

    def _from_day(self, held: Held, x: Column, off: Column, young: Column) -> Column:
        """Return the residual's -log10 p; learn the day's profile and how far off it is."""
        seen_today = np.isfinite(held.daily)
        spread = _spread(held, x - off, self.args.floor)
        size = np.abs(off)
        p = _tail(size / spread, held.edge, held.stretch, held.seen)
        size = np.where(held.seen < RIPE, size, np.minimum(size, 4 * spread))
        held.usual += np.maximum(0.002, young) * (size - held.usual)
        held.hits[:] = np.minimum(held.hits + seen_today, MANY)
        held.around += seen_today
        pace = np.maximum(0.01, 1 / np.maximum(held.hits, 1)) * seen_today
        held.hourly += pace * (size - held.hourly)
        self._from_week(held, x, 4 * spread, seen_today)
        held.offset += 0.02 * off * seen_today
        # A bucket's mean is of about a week, however many samples each day gives it.
        share = np.maximum(held.cadence, DAY / BUCKETS / 1.5)
        most = 10 * share / np.maximum(held.cadence, 1e-3)
        count = 2 + held.hits * share / (DAY / SPANS)
        mean = held.daily + (x - held.daily) / np.minimum(count, np.maximum(most, 10))
        held.daily[:] = np.where(seen_today, mean, x)
        return p

    def _from_week(self, held: Held, x: Column, far: Column, seen_today: NDArray[np.bool_]) -> None:
        """Learn how far this part of the week is from any day, and whether it helps to know."""
        off = np.where(seen_today, x - (held.daily + held.offset), 0)
        with_week = np.where(seen_today, off - held.weekly, 0)
        worse = np.minimum(np.abs(with_week), far) - HELPS * np.minimum(np.abs(off), far)
        held.lead += 0.002 * (worse - held.lead) * seen_today
        pace = 0.3 * np.minimum(held.cadence / (WEEK / PARTS), 1)
        held.weekly += pace * (np.clip(off, -far, far) - held.weekly) * seen_today

    def _from_leap(self, held: Held, x: Column, young: Column) -> Column:
        """Return -log10 p of the leap from the last few samples; learn how far it usually leaps."""
        leap = x - held.quick
        size = np.abs(leap)
        spread = NORMAL * np.maximum(np.maximum(held.leap, self.args.floor * np.abs(held.level)), 1e-9)
        p = _tail(size / spread, held.edge_leap, held.stretch_leap, held.seen)
        size = np.where(held.seen < RIPE, size, np.minimum(size, 4 * spread))
        held.leap += np.maximum(0.002, young) * (size - held.leap)
        held.quick += np.maximum(0.3, young) * leap
        held.variance += np.maximum(0.05, young) * (leap * leap - held.variance)
        return p

    def _follow(self, held: Held, x: Column, off: Column, young: Column) -> Column:
        """Return the eight signals, (SIGNALS, n), with the sample in them."""
        held.m10 += np.maximum(0.1, young) * (x - held.m10)
        held.m30 += np.maximum(0.033, young) * (x - held.m30)
        held.m100 += np.maximum(0.01, young) * (x - held.m100)
        held.rest += np.maximum(0.1, young) * (off - held.rest)
        slow = np.maximum(0.001, young)
        held.level += slow * (x - held.level)
        held.stray += slow * (np.abs(x - held.level) - held.stray)
        rough = np.log(held.variance + 1e-4 * held.stray * held.stray + 1e-12)
        return np.stack(
            (x, held.m10, held.m100, off, held.rest, rough, held.m10 - held.m30, held.m30 - held.m100)
        )

    def _evidence(self, held: Held, signals: Column) -> Column:
        """Return the sum of log excesses over all that is remembered, and remember the signals."""
        spans = signals[IN_SPANS]
        low, high = np.minimum(held.low, held.old_low), np.maximum(held.high, held.old_high)
        least, most = np.minimum(held.own_low, held.near_low), np.maximum(held.own_high, held.near_high)
        outside = ((signals > high) | (signals < low)).any(axis=0)
        outside |= ((spans > most) | (spans < least)).any(axis=0)
        total = np.zeros(signals.shape[1], np.float32)
        found = np.flatnonzero(outside & (held.seen > EARLY))
        if len(found):
            signal, bottom, top = signals[:, found], low[:, found], high[:, found]
            excess = np.empty((len(WEIGHT), len(found)), np.float32)
            np.maximum(signal - top, bottom - signal, out=excess[:SIGNALS])
            here = signal[IN_SPANS]
            np.maximum(here - most[:, found], least[:, found] - here, out=excess[SIGNALS:])
            excess[SIGNALS:, held.around[found] < SHOWN] = 0
            width = top - bottom + self.args.floor * np.abs(signal) + 1e-9
            share = np.maximum(excess, 0) / width[SOURCE]
            # Not a matrix product: what a series scores must not depend on how many others are beside it.
            total[found] = (WEIGHT[:, None] * np.log1p(STEEP * share)).sum(axis=0)
        learn = held.seen >= EARLY
        _extend(held.low, held.high, signals, learn)
        _extend(held.own_low, held.own_high, spans, learn)
        return total


def _expected(held: Held) -> Column:
    week = np.where(held.lead < 0, held.weekly, 0)
    return np.where(np.isfinite(held.daily), held.daily + held.offset + week, held.quick)


def _spread(held: Held, expected: Column, floor: float) -> Column:
    """Return one standard deviation of the residual at this time of day."""
    usual = np.where(held.hits >= 10, 0.5 * (held.hourly + held.usual), held.usual)
    return NORMAL * np.maximum(np.maximum(usual, floor * np.abs(expected)), 1e-9)


def _tail(distance: Column, edge: Column, stretch: Column, seen: Column) -> Column:
    """Return -log10 p of the distance, then move the tail's edge and stretch towards it."""
    y = np.log(distance + 0.01)
    over = y - edge
    beyond = over > 0
    p: Column = AT_EDGE * np.exp(1.5 * np.minimum(over, 0))
    p += np.maximum(over, 0) / (np.maximum(stretch, MIN_STRETCH) * math.log(10))
    first = seen == 0
    excess = np.minimum(over, 4 * stretch + 0.5)
    stretch += np.where(beyond & ~first, np.maximum(0.004, 1 / (TAIL * seen + 2)) * (excess - stretch), 0)
    step = 3 * np.maximum(0.0002, 1 / (seen + 1))
    edge += np.where(first, over, 0) + step * (beyond & ~first) - TAIL * step
    return p


def _extend(low: Column, high: Column, value: Column, use: NDArray[np.bool_]) -> None:
    if use.all():
        np.minimum(low, value, out=low)
        np.maximum(high, value, out=high)
        return
    np.copyto(low, np.minimum(low, value), where=use)
    np.copyto(high, np.maximum(high, value), where=use)
