"""What novelty keeps of each series: columns at hand, and tables by time of day that they are taken from."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Column: TypeAlias = NDArray[np.floating[Any]]  # float32, (n,) or with a row for each signal
Places: TypeAlias = NDArray[np.int64]

DAY = 86400.0
BUCKETS = 144  # of a day, each with a mean
HOURS = 24  # each with a spread
SPANS = 12  # of two hours, each with the least and the most that was seen
SIGNALS = 8
IN_SPANS = [0, 4]  # the signals that are remembered by time of day too
EARLY = 20  # samples before anything is remembered as the least or the most

# What is known of a series, as rows of one matrix with a column a series.
SINGLES = (
    "seen", "cadence", "bucket", "epoch",  # samples; seconds; 10 minutes of the newest; its block of `memory`
    "m10", "m30", "m100", "quick", "level", "stray", "variance",  # means over so many samples; distances
    "offset", "rest", "usual", "leap",  # of the level from the day; smoothed residual; their mean sizes
    "edge", "stretch", "edge_leap", "stretch_leap", "before",  # the tails; both surprises a sample ago
    "daily", "hourly", "hits",  # of this time of day: mean, mean residual, samples in the hour
    "around",  # samples in the six hours about it
)  # fmt: skip
WIDE = {"low": SIGNALS, "high": SIGNALS, "old_low": SIGNALS, "old_high": SIGNALS,
        "own_low": 2, "own_high": 2, "near_low": 2, "near_high": 2}  # fmt: skip
HELD = len(SINGLES) + sum(WIDE.values())


class Held:
    """Named views of the rows of one block's matrix; what is written to them is written to it."""

    seen: Column
    cadence: Column
    bucket: Column
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


class Memory:
    """All series' columns and tables; 1,176 B a series.

    What is at hand is of one time of day; a series that comes to another is turned: what it holds is put
    away in the tables and what they have of the new time is taken up.
    """

    def __init__(self, length: float) -> None:
        self.length = length  # seconds of a block; the least and the most are of this block and the last
        self._held = np.zeros((HELD, 0), np.float32)
        self._last = np.zeros(0)
        self._profile = np.zeros((0, BUCKETS), np.float32)
        self._hourly = np.zeros((0, HOURS), np.float32)
        self._hits = np.zeros((0, HOURS), np.uint16)
        self._low = np.zeros((0, SPANS, 2), np.float32)
        self._high = np.zeros((0, SPANS, 2), np.float32)

    def look(self, series: Rows, time: Floats, keep: bool = False) -> Held:
        """Return the rows' state, turned to that time of day; with `keep`, to be learned into and `put`."""
        self._grow(int(series.max(initial=-1)) + 1)
        matrix = self._held[:, _span(series)]
        held = Held(matrix if keep else matrix.copy())
        bucket = (time % DAY * (BUCKETS / DAY)).astype(np.int64) % BUCKETS
        turned = np.flatnonzero(held.bucket != bucket)
        if len(turned):
            self._turn(held, turned, series[turned], bucket[turned], time[turned], keep)
        return held

    def _turn(
        self, held: Held, which: NDArray[np.intp], rows: Rows, bucket: Places, time: Floats, keep: bool
    ) -> None:
        """Put away what `which` columns of a block hold of one time of day and take up another's."""
        n = np.arange(len(which))
        old = held.bucket[which].astype(np.int64)
        been = old >= 0
        hour, span = old * HOURS // BUCKETS, old * SPANS // BUCKETS
        hourly, hits = self._hourly[rows], self._hits[rows]
        low, high = self._low[rows], self._high[rows]
        b = n[been]
        hourly[b, hour[been]] = held.hourly[which[been]]
        hits[b, hour[been]] = held.hits[which[been]]
        low[b, span[been]] = held.own_low[:, which[been]].T
        high[b, span[been]] = held.own_high[:, which[been]].T
        epoch = np.floor(time / self.length)
        self._forget(held, which, epoch, low, high)
        if keep:
            self._profile[rows[been], old[been]] = held.daily[which[been]]
            self._hourly[rows], self._hits[rows] = hourly, hits
            self._low[rows], self._high[rows] = low, high

        hour, span = bucket * HOURS // BUCKETS, bucket * SPANS // BUCKETS
        held.bucket[which], held.epoch[which] = bucket, epoch
        held.daily[which] = self._profile[rows, bucket]
        held.hourly[which], held.hits[which] = hourly[n, hour], hits[n, hour]
        about = (2 * span[:, None] + np.arange(-2, 4)) % HOURS
        held.around[which] = hits[n[:, None], about].sum(axis=1)
        before, after = (span - 1) % SPANS, (span + 1) % SPANS
        held.own_low[:, which], held.own_high[:, which] = low[n, span].T, high[n, span].T
        held.near_low[:, which] = np.minimum(low[n, before], low[n, after]).T
        held.near_high[:, which] = np.maximum(high[n, before], high[n, after]).T

    def _forget(self, held: Held, which: NDArray[np.intp], epoch: Floats, low: Column, high: Column) -> None:
        """Let a new block of memory begin where it is time: no span keeps more than the last block has."""
        over = (held.epoch[which] != epoch) & (held.seen[which] > EARLY)
        if not over.any():
            return
        rolled = which[over]
        held.old_low[:, rolled], held.old_high[:, rolled] = held.low[:, rolled], held.high[:, rolled]
        held.low[:, rolled], held.high[:, rolled] = np.inf, -np.inf
        for k, signal in enumerate(IN_SPANS):
            low[over, :, k] = np.maximum(low[over, :, k], held.old_low[signal, rolled, None])
            high[over, :, k] = np.minimum(high[over, :, k], held.old_high[signal, rolled, None])

    def since(self, series: Rows, time: Floats) -> Column:
        """Return the seconds since the newest sample of each, (n,)."""
        return np.maximum(time - self._last[series], 0.0).astype(np.float32)

    def put(self, series: Rows, time: Floats, held: Held) -> None:
        span = _span(series)
        if not isinstance(span, slice):  # else it was written in place
            self._held[:, span] = held.matrix
        self._last[series] = time

    def _grow(self, need: int) -> None:
        have = self._held.shape[1]
        if need <= have:
            return
        more = max(need, have + have // 2, 16) - have
        self._held = np.hstack((self._held, _fresh(more)))
        self._last = np.pad(self._last, (0, more))
        self._profile = _more(self._profile, more, np.nan)
        self._hourly, self._hits = _more(self._hourly, more, 0), _more(self._hits, more, 0)
        self._low, self._high = _more(self._low, more, np.inf), _more(self._high, more, -np.inf)

    def forget(self, series: Rows) -> None:
        known = series[series < self._held.shape[1]]
        self._held[:, known] = _fresh(len(known))
        self._last[known] = 0.0
        self._profile[known] = np.nan
        self._hourly[known], self._hits[known] = 0, 0
        self._low[known], self._high[known] = np.inf, -np.inf


def _fresh(n: int) -> Column:
    """Return the matrix of n series never seen."""
    new = Held(np.zeros((HELD, n), np.float32))
    new.bucket[:] = -1
    new.daily[:] = np.nan
    new.stretch[:] = new.stretch_leap[:] = 0.5
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


def _more(table: NDArray[Any], rows: int, fill: float) -> NDArray[Any]:
    return np.concatenate((table, np.full((rows, *table.shape[1:]), fill, table.dtype)))
