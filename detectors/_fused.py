"""One pass over all rows of a call that scores and learns as detectors/novelty.py does; needs numba."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from detectors import novelty
from detectors._inline import (
    ONE,
    TILE,
    ZERO,
    compiled,
    exp,
    f,
    in_order,
    inlined,
    least,
    load,
    log,
    most,
    store,
)
from detectors.base import Floats, Rows
from detectors.held import (
    BUCKETS,
    DAY,
    EARLY,
    HELD,
    IN_SPANS,
    PARTS,
    SIGNALS,
    SINGLES,
    SPANS,
    WEEK,
    Column,
    Tables,
)

(
    SEEN, CADENCE, PLACE, EPOCH, M10, M30, M100, QUICK, LEVEL, STRAY, VARIANCE, OFFSET, REST, USUAL, LEAP,
    EDGE, STRETCH, EDGE_LEAP, STRETCH_LEAP, BEFORE, DAILY, HOURLY, HITS, AROUND, WEEKLY, LEAD, RECORDS, NEWS,
    GAIN,
) = range(len(SINGLES))  # fmt: skip
LOW = len(SINGLES)
HIGH, OLD_LOW, OLD_HIGH = LOW + SIGNALS, LOW + 2 * SIGNALS, LOW + 3 * SIGNALS
OWN_LOW = LOW + 4 * SIGNALS
OWN_HIGH, NEAR_LOW, NEAR_HIGH = OWN_LOW + 2, OWN_LOW + 4, OWN_LOW + 6
# A tile has these rows beside those that are held.
VALUE, SINCE, EXPECTED, SURPRISE, EVIDENCE, SIGNAL = range(HELD, HELD + 6)
# And these, for one signal after the other: its least and most, of the block before, of this span, beside it.
ONE_SIGNAL = SIGNAL + SIGNALS
ONE_LOW, ONE_HIGH, ONE_OLD_LOW, ONE_OLD_HIGH, ONE_OWN_LOW, ONE_OWN_HIGH, ONE_NEAR_LOW, ONE_NEAR_HIGH = range(
    ONE_SIGNAL + 1, ONE_SIGNAL + 9
)
ROWS = ONE_SIGNAL + 9
# What every sample changes of each series.
LEARNED = np.array([k for k in range(LOW) if k not in (PLACE, EPOCH, RECORDS, NEWS)])

MORE, LESS = f(math.exp(novelty.GIVE * 10**-novelty.RARE)), f(math.exp(-novelty.GIVE))
LN10 = f(math.log(10))
BY_SPAN = tuple(IN_SPANS)


@inlined
def _place(time: float) -> int:
    """Return the bucket of the week, as `Memory.look` does."""
    into = time - math.floor(time / WEEK) * WEEK
    into = into + WEEK if into < 0 else into
    return int(into * (BUCKETS / DAY)) % (7 * BUCKETS)


@compiled
def _turn(matrix: Column, tables: Tables, row: int, place: int, epoch: float) -> None:
    """Put away what is held of one time, take up another's: `Memory._turn` for one series."""
    old = int(matrix[PLACE, row])
    if old >= 0:
        bucket = old % BUCKETS
        span = bucket * SPANS // BUCKETS
        tables.daily[bucket, row] = matrix[DAILY, row]
        tables.weekly[old * PARTS // (7 * BUCKETS), row] = matrix[WEEKLY, row]
        tables.hourly[span, row] = matrix[HOURLY, row]
        tables.hits[span, row] = np.uint16(matrix[HITS, row])
        for k in range(2):
            tables.low[k, span, row] = matrix[OWN_LOW + k, row]
            tables.high[k, span, row] = matrix[OWN_HIGH + k, row]
    if matrix[EPOCH, row] != epoch and matrix[SEEN, row] > EARLY:
        _roll(matrix, tables, row)
    matrix[PLACE, row] = place
    matrix[EPOCH, row] = epoch
    bucket = place % BUCKETS
    span = bucket * SPANS // BUCKETS
    before, after = (span + SPANS - 1) % SPANS, (span + 1) % SPANS
    matrix[DAILY, row] = tables.daily[bucket, row]
    matrix[WEEKLY, row] = tables.weekly[place * PARTS // (7 * BUCKETS), row]
    matrix[HOURLY, row] = tables.hourly[span, row]
    hits = f(tables.hits[span, row])
    matrix[HITS, row] = hits
    matrix[AROUND, row] = hits + f(tables.hits[before, row]) + f(tables.hits[after, row])
    for k in range(2):
        matrix[OWN_LOW + k, row] = tables.low[k, span, row]
        matrix[OWN_HIGH + k, row] = tables.high[k, span, row]
        matrix[NEAR_LOW + k, row] = least(tables.low[k, before, row], tables.low[k, after, row])
        matrix[NEAR_HIGH + k, row] = most(tables.high[k, before, row], tables.high[k, after, row])


@compiled
def _roll(matrix: Column, tables: Tables, row: int) -> None:
    """Begin a new block of memory: `Memory._forget` for one series."""
    for k in range(SIGNALS):
        matrix[OLD_LOW + k, row], matrix[OLD_HIGH + k, row] = matrix[LOW + k, row], matrix[HIGH + k, row]
        matrix[LOW + k, row], matrix[HIGH + k, row] = np.inf, -np.inf
    for k in range(2):
        signal = BY_SPAN[k]
        for span in range(SPANS):
            tables.low[k, span, row] = most(tables.low[k, span, row], matrix[OLD_LOW + signal, row])
            tables.high[k, span, row] = least(tables.high[k, span, row], matrix[OLD_HIGH + signal, row])


@inlined
def _tail(b: Column, j: int, edge: int, stretch: int, distance: Any) -> Any:
    """Return -log10 p of the distance; move the tail, whose rows in the tile are given: `novelty._tail`."""
    seen, wide = b[SEEN * TILE + j], b[stretch * TILE + j]
    over = log(distance + f(0.01)) - b[edge * TILE + j]
    first, beyond = seen == ZERO, over > ZERO
    p = f(novelty.AT_EDGE) * exp(f(1.5) * least(over, ZERO))
    p += most(over, ZERO) / (most(wide, f(novelty.MIN_STRETCH)) * LN10)
    excess = least(over, f(4) * wide + f(0.5))
    moved = most(f(0.004), ONE / (f(novelty.TAIL) * seen + f(2))) * (excess - wide)
    b[stretch * TILE + j] = wide + (moved if beyond & (not first) else ZERO)
    step = f(3) * most(f(0.0002), ONE / (seen + ONE))
    up = (over if first else ZERO) + (step if beyond & (not first) else ZERO)
    b[edge * TILE + j] += up - f(novelty.TAIL) * step
    return p


@compiled
def _settle(b: Column, floor: Any, idle: Any) -> None:
    """Score and learn all of a tile but its records, without a branch: `Novelty._step` to its `_follow`."""
    for j in range(TILE):
        x, seen, since = b[VALUE * TILE + j], b[SEEN * TILE + j], b[SINCE * TILE + j]
        first = seen == ZERO
        young = ONE / (seen + ONE)
        m10 = x if first else b[M10 * TILE + j]
        m30 = x if first else b[M30 * TILE + j]
        m100 = x if first else b[M100 * TILE + j]
        quick = x if first else b[QUICK * TILE + j]
        level = x if first else b[LEVEL * TILE + j]
        since = ZERO if first else since
        cadence = b[CADENCE * TILE + j]
        cadence = since if seen == ONE else cadence + f(0.05) * (least(since, f(4) * cadence) - cadence)
        b[CADENCE * TILE + j] = cadence

        daily, weekly, offset = b[DAILY * TILE + j], b[WEEKLY * TILE + j], b[OFFSET * TILE + j]
        hourly, usual, hits = b[HOURLY * TILE + j], b[USUAL * TILE + j], b[HITS * TILE + j]
        lead = b[LEAD * TILE + j]
        today = daily == daily
        expected = daily + offset + (weekly if lead < ZERO else ZERO)
        expected = expected if today else quick
        b[EXPECTED * TILE + j] = expected
        off = x - expected

        # From the day.
        spread = f(0.5) * (hourly + usual) if hits >= f(10) else usual
        spread = f(novelty.NORMAL) * most(most(spread, floor * abs(x - off)), f(1e-9))
        size = abs(off)
        c = _tail(b, j, EDGE, STRETCH, size / spread)
        far = f(4) * spread
        size = size if seen < f(novelty.RIPE) else least(size, far)
        b[USUAL * TILE + j] = usual + most(f(0.002), young) * (size - usual)
        hits = least(hits + (ONE if today else ZERO), f(novelty.MANY))
        b[HITS * TILE + j] = hits
        b[AROUND * TILE + j] += ONE if today else ZERO
        pace = most(f(0.01), ONE / most(hits, ONE))
        b[HOURLY * TILE + j] = hourly + (pace * (size - hourly) if today else ZERO)

        # From the week.
        apart = x - (daily + offset) if today else ZERO
        with_week = apart - weekly if today else ZERO
        worse = least(abs(with_week), far) - f(novelty.HELPS) * least(abs(apart), far)
        b[LEAD * TILE + j] = lead + (f(0.002) * (worse - lead) if today else ZERO)
        pace = f(0.3) * least(cadence / f(WEEK / PARTS), ONE)
        b[WEEKLY * TILE + j] = weekly + (pace * (least(most(apart, -far), far) - weekly) if today else ZERO)
        b[OFFSET * TILE + j] = offset + (f(0.02) * off if today else ZERO)
        share = most(cadence, f(DAY / BUCKETS / 1.5))
        limit = most(f(10) * share / most(cadence, f(1e-3)), f(10))
        count = f(2) + hits * share / f(DAY / SPANS)
        mean = daily + (x - daily) / least(count, limit)
        b[DAILY * TILE + j] = mean if today else x

        # From the leap.
        leap, usual = x - quick, b[LEAP * TILE + j]
        size = abs(leap)
        spread = f(novelty.NORMAL) * most(most(usual, floor * abs(level)), f(1e-9))
        c += _tail(b, j, EDGE_LEAP, STRETCH_LEAP, size / spread)
        size = size if seen < f(novelty.RIPE) else least(size, f(4) * spread)
        b[LEAP * TILE + j] = usual + most(f(0.002), young) * (size - usual)
        b[QUICK * TILE + j] = quick + most(f(0.3), young) * leap
        variance = b[VARIANCE * TILE + j]
        variance += most(f(0.05), young) * (leap * leap - variance)
        b[VARIANCE * TILE + j] = variance

        # What is followed.
        m10 += most(f(0.1), young) * (x - m10)
        m30 += most(f(0.033), young) * (x - m30)
        m100 += most(f(0.01), young) * (x - m100)
        rest = b[REST * TILE + j]
        rest += most(f(0.1), young) * (off - rest)
        slow = most(f(0.001), young)
        level += slow * (x - level)
        stray = b[STRAY * TILE + j]
        stray += slow * (abs(x - level) - stray)
        b[M10 * TILE + j], b[M30 * TILE + j], b[M100 * TILE + j] = m10, m30, m100
        b[REST * TILE + j], b[LEVEL * TILE + j], b[STRAY * TILE + j] = rest, level, stray
        rough = log(variance + f(1e-4) * stray * stray + f(1e-12))
        b[SIGNAL * TILE + j] = x
        b[(SIGNAL + 1) * TILE + j] = m10
        b[(SIGNAL + 2) * TILE + j] = m100
        b[(SIGNAL + 3) * TILE + j] = off
        b[(SIGNAL + 4) * TILE + j] = rest
        b[(SIGNAL + 5) * TILE + j] = rough
        b[(SIGNAL + 6) * TILE + j] = m10 - m30
        b[(SIGNAL + 7) * TILE + j] = m30 - m100
        b[SURPRISE * TILE + j] = most(f(0.6) * c + f(0.4) * b[BEFORE * TILE + j] - idle, ZERO)
        b[BEFORE * TILE + j] = c
        b[SEEN * TILE + j] = least(seen + ONE, f(1e6))


@compiled
def _remember(matrix: Column, b: Column, rows: Rows, follow: bool, floor: Any) -> None:
    """Sum the evidence of what is beyond all that is remembered, and remember: `Novelty._evidence`.

    What is not beyond this block of memory is not beyond both, so the one before is seldom looked up.
    """
    for j in range(TILE):
        b[EVIDENCE * TILE + j] = ZERO
    for i in range(2):
        _one(b, BY_SPAN[i])
        load(matrix, b, OWN_LOW + i, ONE_OWN_LOW, rows, follow)
        load(matrix, b, OWN_HIGH + i, ONE_OWN_HIGH, rows, follow)
        if _any_beyond(b, ONE_OWN_LOW, ONE_OWN_HIGH):
            for k in range(2):
                load(matrix, b, LOW + SIGNALS * k + BY_SPAN[i], ONE_LOW + k, rows, follow)
                load(matrix, b, OLD_LOW + SIGNALS * k + BY_SPAN[i], ONE_OLD_LOW + k, rows, follow)
                load(matrix, b, NEAR_LOW + 2 * k + i, ONE_NEAR_LOW + k, rows, follow)
            _of_span(b, novelty.WEIGHT[SIGNALS + i], floor)
            store(matrix, b, OWN_LOW + i, ONE_OWN_LOW, rows, follow)
            store(matrix, b, OWN_HIGH + i, ONE_OWN_HIGH, rows, follow)
    for k in range(SIGNALS):
        _one(b, k)
        load(matrix, b, LOW + k, ONE_LOW, rows, follow)
        load(matrix, b, HIGH + k, ONE_HIGH, rows, follow)
        if _any_beyond(b, ONE_LOW, ONE_HIGH):
            load(matrix, b, OLD_LOW + k, ONE_OLD_LOW, rows, follow)
            load(matrix, b, OLD_HIGH + k, ONE_OLD_HIGH, rows, follow)
            _of_block(b, novelty.WEIGHT[k], floor)
            store(matrix, b, LOW + k, ONE_LOW, rows, follow)
            store(matrix, b, HIGH + k, ONE_HIGH, rows, follow)


@compiled
def _one(b: Column, signal: int) -> None:
    for j in range(TILE):
        b[ONE_SIGNAL * TILE + j] = b[(SIGNAL + signal) * TILE + j]


@inlined
def _any_beyond(b: Column, low: int, high: int) -> Any:
    found = np.int32(0)
    for j in range(TILE):
        signal = b[ONE_SIGNAL * TILE + j]
        found |= np.int32((signal < b[low * TILE + j]) | (signal > b[high * TILE + j]))
    return found != 0


@compiled
def _of_block(b: Column, weight: Any, floor: Any) -> None:
    """Add the evidence of one signal, and let it be the least or the most of this block of memory."""
    for j in range(TILE):
        signal, low, high = b[ONE_SIGNAL * TILE + j], b[ONE_LOW * TILE + j], b[ONE_HIGH * TILE + j]
        seen = b[SEEN * TILE + j] - ONE  # what it was; of a million it does not matter
        b[ONE_LOW * TILE + j] = least(low, signal) if seen >= f(EARLY) else low
        b[ONE_HIGH * TILE + j] = most(high, signal) if seen >= f(EARLY) else high
        low, high = least(low, b[ONE_OLD_LOW * TILE + j]), most(high, b[ONE_OLD_HIGH * TILE + j])
        share = most(signal - high, low - signal) / (high - low + floor * abs(signal) + f(1e-9))
        found = weight * log(ONE + f(novelty.STEEP) * most(share, ZERO))
        b[EVIDENCE * TILE + j] += found if seen > f(EARLY) else ZERO


@compiled
def _of_span(b: Column, weight: Any, floor: Any) -> None:
    """Add the evidence of one signal about this time of day, and let it be the least or the most there."""
    for j in range(TILE):
        signal, low, high = b[ONE_SIGNAL * TILE + j], b[ONE_OWN_LOW * TILE + j], b[ONE_OWN_HIGH * TILE + j]
        seen = b[SEEN * TILE + j] - ONE
        b[ONE_OWN_LOW * TILE + j] = least(low, signal) if seen >= f(EARLY) else low
        b[ONE_OWN_HIGH * TILE + j] = most(high, signal) if seen >= f(EARLY) else high
        low, high = least(low, b[ONE_NEAR_LOW * TILE + j]), most(high, b[ONE_NEAR_HIGH * TILE + j])
        excess = most(signal - high, low - signal)
        low = least(b[ONE_LOW * TILE + j], b[ONE_OLD_LOW * TILE + j])
        high = most(b[ONE_HIGH * TILE + j], b[ONE_OLD_HIGH * TILE + j])
        share = excess / (high - low + floor * abs(signal) + f(1e-9))
        found = weight * log(ONE + f(novelty.STEEP) * most(share, ZERO))
        shown = (b[AROUND * TILE + j] >= f(novelty.SHOWN)) & (seen > f(EARLY))
        b[EVIDENCE * TILE + j] += found if shown else ZERO


@compiled
def _news(matrix: Column, b: Column, rows: Rows, follow: bool) -> None:
    """Add the surprise of records, and learn what is usual in them."""
    found = np.int32(0)
    for j in range(TILE):
        found |= np.int32(b[EVIDENCE * TILE + j] > ZERO)
    if found == 0:
        return
    load(matrix, b, NEWS, NEWS, rows, follow)
    load(matrix, b, RECORDS, RECORDS, rows, follow)
    for j in range(TILE):
        evidence, seen, usual = b[EVIDENCE * TILE + j], b[SEEN * TILE + j] - ONE, b[NEWS * TILE + j]
        news = f(novelty.NEW) * least(seen / f(novelty.RIPE), ONE) * evidence / usual * b[GAIN * TILE + j]
        b[SURPRISE * TILE + j] += news if evidence > ZERO else ZERO
        recorded = (evidence > f(novelty.A_RECORD)) & (seen >= f(novelty.SETTLED))
        records = b[RECORDS * TILE + j] + (ONE if recorded else ZERO)
        b[RECORDS * TILE + j] = records
        moved = (least(evidence, f(novelty.LARGE)) - usual) / (f(novelty.FEW) + records)
        b[NEWS * TILE + j] = usual + (moved if recorded else ZERO)
    store(matrix, b, NEWS, NEWS, rows, follow)
    store(matrix, b, RECORDS, RECORDS, rows, follow)


@compiled
def _temper(b: Column) -> None:
    """Learn how rare surprise has been."""
    for j in range(TILE):
        gain = b[GAIN * TILE + j]
        moved = gain * (LESS if b[SURPRISE * TILE + j] >= f(novelty.RARE) else MORE)
        moved = least(most(moved, f(novelty.LEAST)), f(novelty.MOST))
        b[GAIN * TILE + j] = moved if b[SEEN * TILE + j] > f(novelty.OLD) else gain


def _pass(constants: str) -> Callable[..., None]:
    """Return the pass. As it closes over the constants, none is taken from the cache that had others."""

    @compiled
    def take(
        matrix: Column, newest: Floats, tables: Tables, series: Rows, time: Floats, value: Floats,
        length: float, warm_up: int, floor: float, surprise: Floats, expected: Floats,
    ) -> None:  # fmt: skip
        b = np.zeros(ROWS * TILE if constants else 0, np.float32)
        before, place, epoch = math.nan, 0, 0.0
        for start in range(0, len(series), TILE):
            n = min(TILE, len(series) - start)
            for j in range(n):
                row, at = series[start + j], time[start + j]
                b[SINCE * TILE + j] = f(max(at - newest[row], 0.0))
                newest[row] = at
                b[VALUE * TILE + j] = f(value[start + j])
                if at != before:  # most have one time
                    before, place, epoch = at, _place(at), math.floor(at / length)
                if int(matrix[PLACE, row]) != place:
                    _turn(matrix, tables, row, place, epoch)
            rows = series[start : start + n]
            follow = in_order(rows)
            for k in LEARNED:
                load(matrix, b, k, k, rows, follow)
            _settle(b, f(floor), f(novelty.IDLE))
            _remember(matrix, b, rows, follow, f(floor))
            _news(matrix, b, rows, follow)
            _temper(b)
            for k in LEARNED:
                store(matrix, b, k, k, rows, follow)
            for j in range(n):
                known = b[SEEN * TILE + j] > warm_up
                surprise[start + j] = b[SURPRISE * TILE + j] if known else math.nan
                expected[start + j] = b[EXPECTED * TILE + j] if known else math.nan

    return take


fused = _pass(repr(sorted((k, v) for k, v in {**vars(novelty), **globals()}.items() if k.isupper())))
