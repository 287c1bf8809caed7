"""What novelty keeps of each series: columns at hand, and tables by time of day that they are taken from."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Column: TypeAlias = NDArray[np.floating[Any]]  # float32, (n,) or with a row for each signal
Places: TypeAlias = NDArray[np.int64]

DAY = 86400.0
BUCKETS = 96  # of a day, each with a mean
SPANS = 12  # of two hours, each with a spread, and with the least and the most that was seen
PARTS = 56  # of a week, each with how far it is from any day
WEEK = 7 * DAY
SIGNALS = 8
IN_SPANS = [0, 4]  # the signals that are remembered by time of day too
EARLY = 20  # samples before anything is remembered as the least or the most
NEWS = 0.8  # evidence that is taken for usual in a record before a series has shown its own

# What is known of a series, as rows of one matrix with a column a series.
SINGLES = (
    "seen", "cadence", "place", "epoch",  # samples; seconds; the newest's bucket of a week, block of `memory`
    "m10", "m30", "m100", "quick", "level", "stray", "variance",  # means over so many samples; distances
    "offset", "rest", "usual", "leap",  # of the level from the day; smoothed residual; their mean sizes
    "edge", "stretch", "edge_leap", "stretch_leap", "before",  # the tails; both surprises a sample ago
    "daily", "hourly", "hits",  # of this time of day: mean, mean residual of two hours, samples in them
    "around",  # samples in the six hours about it
    "weekly", "lead",  # how far this part of the week is from any day; below 0 where that helps to expect
    "records", "news", "gain",  # samples with a record, the evidence that is usual in them, what it is times
)  # fmt: skip
WIDE = {"low": SIGNALS, "high": SIGNALS, "old_low": SIGNALS, "old_high": SIGNALS,
        "own_low": 2, "own_high": 2, "near_low": 2, "near_high": 2}  # fmt: skip
HELD = len(SINGLES) + sum(WIDE.values())


class Held:
    """Named views of the rows of one block's matrix; what is written to them is written to it."""

    seen: Column
    cadence: Column
    place: Column
    epoch: Column
    m10: Column
    m30: Column
    m100: Column
    quick: Column
    level: Column
    stray: Column
    variance: Column
    offset: Column
    rest: Column
    usual: Column
    leap: Column
    edge: Column
    stretch: Column
    edge_leap: Column
    stretch_leap: Column
    before: Column
    daily: Column
    hourly: Column
    hits: Column
    around: Column
    weekly: Column
    lead: Column
    records: Column
    news: Column
    gain: Column
    low: Column  # (SIGNALS, n), of this block of memory, as `high`
    high: Column
    old_low: Column  # of the block before
    old_high: Column
    own_low: Column  # (2, n) of this span of the day: the value, and the smoothed residual
    own_high: Column
    near_low: Column  # of the two spans beside it
    near_high: Column

    def __init__(self, matrix: Column) -> None:
        self.matrix = matrix
        self.__dict__.update(zip(SINGLES, matrix, strict=False))
        at = len(SINGLES)
        for name, rows in WIDE.items():
            self.__dict__[name] = matrix[at : at + rows]
            at += rows


class Tables(NamedTuple):
    """What is kept of every time of day or week, a column a series: most come to a time together."""

    daily: Column  # (BUCKETS, n)
    weekly: Column  # (PARTS, n)
    hourly: Column  # (SPANS, n)
    hits: NDArray[np.uint16]  # (SPANS, n)
    low: Column  # (2, SPANS, n)
    high: Column

    def of(self, rows: Rows) -> Tables:
        """Return a copy of some rows."""
        return Tables._make(table[..., rows] for table in self)

    def more(self, rows: int) -> Tables:
        return Tables._make(np.concatenate(both, axis=-1) for both in zip(self, _empty(rows), strict=True))


class Memory:
    """All series' columns and tables; 1,156 B a series.

    What is at hand is of one time of the week; a series that comes to another is turned: what it holds is
    put away in the tables and what they have of the new time is taken up.
    """

    def __init__(self, length: float) -> None:
        self.length = length  # seconds of a block; the least and the most are of this block and the last
        self._held = np.zeros((HELD, 0), np.float32)
        self._last = np.zeros(0)
        self._tables = _empty(0)

    def look(self, series: Rows, time: Floats, keep: bool = False) -> Held:
        """Return the rows' state, turned to that time; with `keep`, to be learned into and `put`."""
        self.grow(int(series.max(initial=-1)) + 1)
        matrix = self._held[:, _span(series)]
        held = Held(matrix if keep else matrix.copy())
        place = (time % WEEK * (BUCKETS / DAY)).astype(np.int64) % (7 * BUCKETS)
        turned = np.flatnonzero(held.place != place)
        if len(turned):
            rows, tables = series[turned], self._tables
            if not keep:
                rows, tables = np.arange(len(turned), dtype=np.int32), tables.of(rows)
            self._turn(held, turned, tables, rows, place[turned], time[turned])
        return held

    def _turn(
        self, held: Held, which: Places, tables: Tables, rows: Rows, place: Places, time: Floats
    ) -> None:
        """Put away what `which` columns of a block hold of one time in rows of tables, take up another's."""
        old = held.place[which].astype(np.int64)
        been = old >= 0
        columns, kept = which[been], rows[been]
        bucket = old[been] % BUCKETS
        span = bucket * SPANS // BUCKETS
        tables.daily[bucket, kept] = held.daily[columns]
        tables.weekly[old[been] * PARTS // (7 * BUCKETS), kept] = held.weekly[columns]
        tables.hourly[span, kept], tables.hits[span, kept] = held.hourly[columns], held.hits[columns]
        tables.low[:, span, kept], tables.high[:, span, kept] = (
            held.own_low[:, columns],
            held.own_high[:, columns],
        )
        epoch = np.floor(time / self.length)
        self._forget(held, which, epoch, tables, rows)

        held.place[which], held.epoch[which] = place, epoch
        bucket = place % BUCKETS
        span = bucket * SPANS // BUCKETS
        before, after = (span - 1) % SPANS, (span + 1) % SPANS
        held.daily[which] = tables.daily[bucket, rows]
        held.weekly[which] = tables.weekly[place * PARTS // (7 * BUCKETS), rows]
        held.hourly[which], held.hits[which] = tables.hourly[span, rows], tables.hits[span, rows]
        held.around[which] = held.hits[which] + tables.hits[before, rows] + tables.hits[after, rows]
        low, high = tables.low, tables.high
        held.own_low[:, which], held.own_high[:, which] = low[:, span, rows], high[:, span, rows]
        held.near_low[:, which] = np.minimum(low[:, before, rows], low[:, after, rows])
        held.near_high[:, which] = np.maximum(high[:, before, rows], high[:, after, rows])

    def _forget(self, held: Held, which: Places, epoch: Floats, tables: Tables, rows: Rows) -> None:
        """Let a new block of memory begin where it is time: no span keeps more than the last block has."""
        over = (held.epoch[which] != epoch) & (held.seen[which] > EARLY)
        if not over.any():
            return
        rolled, rows = which[over], rows[over]
        held.old_low[:, rolled], held.old_high[:, rolled] = held.low[:, rolled], held.high[:, rolled]
        held.low[:, rolled], held.high[:, rolled] = np.inf, -np.inf
        for k, signal in enumerate(IN_SPANS):
            tables.low[k][:, rows] = np.maximum(tables.low[k][:, rows], held.old_low[signal, rolled])
            tables.high[k][:, rows] = np.minimum(tables.high[k][:, rows], held.old_high[signal, rolled])

    def since(self, series: Rows, time: Floats) -> Column:
        """Return the seconds since the newest sample of each, (n,)."""
        return np.maximum(time - self._last[_span(series)], 0.0).astype(np.float32)

    def put(self, series: Rows, time: Floats, held: Held) -> None:
        span = _span(series)
        if not isinstance(span, slice):  # else it was written in place
            self._held[:, span] = held.matrix
        self._last[span] = time

    def arrays(self) -> tuple[Column, Floats, Tables]:
        """Return all that is kept, to be learned into: HELD rows a column a series, newest times, tables."""
        return self._held, self._last, self._tables

    def grow(self, need: int) -> None:
        """Have room for so many series."""
        have = self._held.shape[1]
        if need <= have:
            return
        more = max(need, have + have // 8, 16) - have
        self._held = np.hstack((self._held, _fresh(more)))
        self._last = np.pad(self._last, (0, more))
        self._tables = self._tables.more(more)

    def forget(self, series: Rows) -> None:
        known = series[series < self._held.shape[1]]
        self._held[:, known] = _fresh(len(known))
        self._last[known] = 0.0
        for table, empty in zip(self._tables, _empty(len(known)), strict=True):
            table[..., known] = empty


def _fresh(n: int) -> Column:
    """Return the matrix of n series never seen."""
    new = Held(np.zeros((HELD, n), np.float32))
    new.place[:] = -1
    new.daily[:] = np.nan
    new.stretch[:] = new.stretch_leap[:] = 0.5
    new.news[:] = NEWS
    new.gain[:] = 1.0
    for low, high in (
        (new.low, new.high), (new.old_low, new.old_high),
        (new.own_low, new.own_high), (new.near_low, new.near_high),
    ):  # fmt: skip
        low[:], high[:] = np.inf, -np.inf
    return new.matrix


def _span(series: Rows) -> Rows | slice:
    """Return rows that follow one another as a slice, which needs no copy."""
    if len(series) > 1 and series[-1] - series[0] == len(series) - 1 and (np.diff(series) == 1).all():
        return slice(int(series[0]), int(series[-1]) + 1)
    return series


def _empty(n: int) -> Tables:
    """Return the tables of n series never seen."""
    return Tables(
        np.full((BUCKETS, n), np.nan, np.float32), np.zeros((PARTS, n), np.float32),
        np.zeros((SPANS, n), np.float32), np.zeros((SPANS, n), np.uint16),
        np.full((2, SPANS, n), np.inf, np.float32), np.full((2, SPANS, n), -np.inf, np.float32),
    )  # fmt: skip
