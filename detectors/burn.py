"""Failed beside all requests of a service level objective to surprise: how surely the error budget burns."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors._rings import (
    ALL,
    BUCKETS,
    FAILED,
    LONG,
    MONTH,
    RATES,
    SHORT,
    SPANS,
    USED,
    Ints,
    Rings,
    requests_of,
)
from detectors.base import Band, Facts, Floats, Rows
from detectors.columns import measured
from detectors.counts import surprise_of_counts

READY = 10  # times of a group before it is scored

STALE = 5.0  # times between two samples after which the newest no longer speaks for a row
LEAST = 1e-6  # failures that are allowed where there were no requests
BYTES_A_GROUP = len(SPANS) * (2 * BUCKETS * 4 + 8) + 2 * 8 + 6 * 8
BYTES_A_ROW = 4 + 1 + 4 + 8 + 8 + 8 + 8


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Burn`; the defaults are the workbook's."""

    objective: float = 0.999  # share of requests that must succeed
    period: float = MONTH  # seconds over which it must
    clumps: float = 0.0  # variance of failures beyond chance, as a share of their mean squared
    pairs: Literal["all", "fast", "slow"] = "all"  # fast: 14.4 and 6 times too fast; slow: once
    counts: Literal["failed", "good"] = "failed"  # what side 1 counts
    whole: float = 0.0  # values are shares of so much (1, or 100 for per cent); 0 = requests a second
    limit: float = math.inf  # values are none of these: a sample above it failed, any other did not
    requests: float = 10.0  # a second, where values do not tell how many there are

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1:
            raise ValueError(
                f"objective: expected a share between 0 and 1 such as 0.999, got {self.objective:g}"
            )
        if self.period < 3600:
            raise ValueError(f"period: expected at least an hour in seconds, got {self.period:g}")
        if self.clumps < 0:
            raise ValueError(f"clumps: expected 0 or more, got {self.clumps:g}")
        if self.whole < 0 or not 0 < self.requests < math.inf:
            raise ValueError("expected whole of 0 or more and requests above 0")

    @property
    def alone(self) -> bool:
        """Say whether each sample tells of all requests and of those that failed."""
        return self.whole > 0 or self.limit < math.inf


def build(args: Args) -> Burn:
    return Burn(args)


class Burn:
    """Failures beside what an error budget allows, as counts, over the workbook's three pairs of spans.

    Catches a budget that burns 14.4 times too fast over an hour and five minutes, 6 times over six hours
    and thirty, or once over three days and six hours, as soon as chance is no excuse: one failure of two
    requests at night is none. One row speaks for its group: the first of side 1 or 2 that is still told.
    Misses what fails without being counted, and says nothing of who fails.

    Beyer, Murphy, Rensin, Kawahara & Thorne 2018, "The Site Reliability Workbook", ch. 5, with the
    thresholds on ratios made tests of counts. Memory: 41 B a series and 736 B a group.

    Args:
        args: objective a ratio; period in seconds; clumps the dispersion of surprise_of_counts; whole and
            limit in the values' unit; requests a second.

    >>> d, rows = Burn(), np.array([0, 1], np.int32)
    >>> d.seat_many(rows, np.array([0, 0], np.int32), np.array([0, 1], np.int32))
    >>> for k in range(90):  # ten requests a second, of which one in a thousand fails, as it may
    ...     surprise, _ = d.take_many(rows, np.full(2, 60.0 * k), np.array([10.0, 0.01]))
    >>> surprise.round(1)
    array([0., 0.])
    >>> for k in range(90, 96):  # and then one in six, for six minutes
    ...     surprise, allowed = d.take_many(rows, np.full(2, 60.0 * k), np.array([10.0, 1.7]))
    >>> surprise.round(1), allowed
    (array([0. , 6.4]), array([10.  ,  0.01]))
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._spans = np.array(SPANS) * (self.args.period / MONTH)
        self._width = self._spans / (BUCKETS - 1)
        self._groups = Rings()
        self._groups.grow(1)
        self._group = np.zeros(0, np.int32)  # of each row; -1: none
        self._side = np.zeros(0, np.int8)
        self._seen = np.zeros(0, np.int32)
        self._newest = np.zeros(0)
        self._time = np.zeros(0)
        self._place = np.zeros(0, np.int64)  # of each row among the seats
        self._seats: Ints = np.zeros(0, np.int64)  # rows in the order of their groups,
        self._begins: Ints = np.zeros(1, np.int64)  # and where each group begins

    def seat_many(self, series: Rows, group: Rows, side: Rows) -> None:
        self._grow(int(series.max(initial=-1)) + 1)
        self._groups.grow(int(group.max(initial=-1)) + 1)
        old = self._group[series]
        if (old == group).all() and (self._side[series] == side).all():
            return
        self._group[series], self._side[series] = group, side
        self._sit(old)

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        return self._take(series, time, value, keep=False)

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self._take(series, time, value, keep=True)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        expected = self.expect_many(series, time).expected
        return self._take(series, time, value, keep=True), expected

    def expect_many(self, series: Rows, time: Floats) -> Band:
        """Return what is allowed of each row that may speak, its group's in equal parts.

        A row that counts all requests may have as many as it has.
        """
        self._grow(int(series.max(initial=-1)) + 1)
        group = np.maximum(self._group[series], 0)
        known = (self._groups.seen[group] >= READY) & (self._group[series] >= 0)
        none, most = np.where(known, 0.0, np.nan), np.where(known, np.inf, np.nan)
        if self.args.limit < math.inf:
            return Band(none + self.args.limit, none, none + self.args.limit)
        speaks = known & self._speaks(self._side[series])
        every = self._part(group, speaks)
        rest = np.where(known, self._newest[series], np.nan)
        budget = 1 - self.args.objective
        if self.args.counts == "good":
            lower = np.where(speaks, max(1 - RATES[0] * budget, 0.0) * every, none)
            return Band(np.where(speaks, self.args.objective * every, rest), lower, most)
        upper = np.where(speaks, RATES[0] * budget * every, most)
        return Band(np.where(speaks, budget * every, rest), none, upper)

    def _part(self, group: Ints, speaks: NDArray[np.bool_]) -> Floats:
        """Return the requests a second that each row speaks of, (n,); the whole where values are shares."""
        found = np.full(len(group), self.args.whole or 1.0)
        if self.args.whole or not speaks.any():
            return found
        groups, which = np.unique(group[speaks], return_inverse=True)
        members, of = self._company(groups)
        among = np.bincount(of, self._speaks(self._side[members]))
        found[speaks] = self._groups.rate[group[speaks], ALL] / among[which]
        return found

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        return Facts(burn=self._burn(series), left=self.left_of(series))

    def left_of(self, series: int) -> float:
        """Return which part of the row's error budget is left, at most 1, below 0 where it is overspent.

        Of the period so far not known, as many requests are supposed and no failure; NaN without requests.
        """
        group = self._group[series : series + 1]
        if not len(group) or group[0] < 0 or self._groups.seen[group[0]] <= READY:
            return math.nan
        requests = requests_of(self._groups.ring[group], self._groups.last[group], self._width)
        known = max(self._groups.last[group[0]] - self._groups.since[group[0]], self._spans[0])
        every, failed = requests[0, -1, ALL], requests[0, -1, FAILED]
        whole = every * max(self._spans[-1] / known, 1.0) * (1 - self.args.objective)
        return float(1 - failed / whole) if whole > 0 else math.nan

    def _burn(self, series: int) -> float:
        """Return how many times too fast the row's budget burns, over the long span of the pair it is of."""
        group = self._group[series : series + 1]
        span = np.array(LONG)[USED[self.args.pairs]][0]
        every, failed = requests_of(self._groups.ring[group], self._groups.last[group], self._width)[0, span]
        return float(failed / every) / (1 - self.args.objective) if every > 0 else math.nan

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._group)]
        old = self._group[known]
        self._group[known], self._side[known], self._seen[known] = -1, 0, 0
        self._newest[known], self._time[known] = 0.0, 0.0
        self._sit(old)

    def _take(self, series: Rows, time: Floats, value: Floats, keep: bool) -> Floats:
        self._grow(int(series.max(initial=-1)) + 1)
        clean = np.maximum(measured(value), 0.0)
        surprise = np.full(len(series), np.nan)
        use = np.isfinite(clean) & (self._group[series] >= 0)
        if not use.any():
            return surprise
        rows, at, clean = series[use], time[use], clean[use]
        groups, which = np.unique(self._group[rows], return_inverse=True)
        now = self._groups.last[groups]
        np.maximum.at(now, which, at)
        rate, heard, speaker = self._rates(groups, which, rows, at, clean, now)
        update = self._groups.advance(groups, now, rate, self._width)
        known = np.maximum(now - update["since"], self._spans[0])[:, None]
        found = np.where(
            heard, self._burnt(update["ring"], now, np.maximum(self._spans / known, 1.0)), np.nan
        )
        told = np.where(rows == speaker[which], found[which], 0.0 * found[which])
        surprise[use] = np.where(update["seen"][which] > READY, told, np.nan)
        if keep:
            for name, column in update.items():
                getattr(self._groups, name)[groups] = column
            self._newest[rows], self._time[rows] = clean, at
            self._seen[rows] += 1
        return surprise

    def _rates(
        self, groups: Ints, which: Ints, rows: Rows, at: Floats, value: Floats, now: Floats
    ) -> tuple[Floats, NDArray[np.bool_], Ints]:
        """Return the requests a second of each group, (g, 2), whether any row counts all, and who speaks.

        Added up in the order of the rows, whatever the order in which they came.
        """
        members, of = self._company(groups)
        newest, last = self._newest[members], self._time[members]
        begins = np.searchsorted(of, np.arange(len(groups)))
        place = begins[which] + self._place[rows] - self._begins[groups[which]]
        newest[place], last[place] = value, at
        usual = np.maximum(self._groups.usual[groups], self._groups.step[groups])
        seen = self._seen[members] > 0
        seen[place] = True
        fresh = seen & ((now[of] - last <= STALE * usual[of]) | (usual[of] == 0))
        side = self._side[members]
        parts = [
            np.bincount(of, np.where(fresh, part, 0.0), len(groups)) for part in self._parts(side, newest)
        ]
        heard = np.bincount(of, fresh & (self.args.alone | (side != FAILED)), len(groups)) > 0
        able = np.flatnonzero(fresh & self._speaks(side))[::-1]
        speaker = np.full(len(groups), -1)
        speaker[of[able]] = members[able]
        return np.stack(parts, axis=1), heard, speaker

    def _parts(self, side: NDArray[np.int8], value: Floats) -> tuple[Floats, Floats]:
        """Return what each row's value adds to all requests and to the failed ones."""
        if self.args.alone:
            every = np.full(len(value), self.args.requests)
            bad = value > self.args.limit if self.args.limit < math.inf else value / self.args.whole
            failed = np.minimum(bad, 1.0) * every
            return every, every - failed if self.args.counts == "good" else failed
        if self.args.counts == "good":
            failed = value * ((side == ALL).astype(np.float64) - (side == FAILED))
        else:
            failed = np.where(side != ALL, value, 0.0)
        return np.where(side != FAILED, value, 0.0), failed

    def _speaks(self, side: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Say which rows speak for their group when they are the first."""
        able: NDArray[np.bool_] = (side != ALL) | self.args.alone
        return able

    def _burnt(self, ring: NDArray[np.float32], now: Floats, longer: Floats) -> Floats:
        """Return the surprise of each group: the least of a pair's two spans, the most of the pairs.

        A span that is so many times longer, (g, spans), than the group is known is taken to have begun
        with as many requests and no failure: an hour's budget is not gone in the first minute.
        """
        requests = requests_of(ring, now, self._width)
        # What was a whole number before it was a rate is one again.
        failed, every = np.floor(requests[:, :, FAILED] + 0.01), requests[:, :, ALL]
        allowed = every * longer * (1 - self.args.objective)
        used = USED[self.args.pairs]
        of_spans = [
            surprise_of_counts(
                failed[:, spans], np.maximum(RATES[used] * allowed[:, spans], LEAST), self.args.clumps
            )
            for spans in (LONG[used], SHORT[used])
        ]
        found: Floats = np.minimum(*of_spans).max(axis=1)
        return found

    def _company(self, groups: Ints) -> tuple[Ints, Ints]:
        """Return the rows of the groups, in their order, and which of the groups each is of."""
        begins, many = self._begins[groups], self._begins[groups + 1] - self._begins[groups]
        of = np.repeat(np.arange(len(groups)), many)
        ahead = np.cumsum(many) - many
        return self._seats[np.arange(len(of)) - ahead[of] + begins[of]], of

    def _sit(self, left: Ints) -> None:
        """Put the rows in order of their groups; groups that nobody is left in begin anew."""
        seated = np.flatnonzero(self._group >= 0)
        self._seats = seated[np.argsort(self._group[seated], kind="stable")]
        many = np.bincount(self._group[seated], minlength=len(self._groups.last))
        self._begins = np.concatenate(([0], np.cumsum(many)))
        self._place[self._seats] = np.arange(len(seated))
        left = left[left >= 0]
        self._groups.clear(left[many[left] == 0])

    def _grow(self, need: int) -> None:
        more = need - len(self._group)
        if more > 0:
            more = max(more, len(self._group) // 2, 16)
            self._group = np.concatenate((self._group, np.full(more, -1, np.int32)))
            for name in ("_side", "_seen", "_newest", "_time", "_place"):
                setattr(self, name, np.pad(getattr(self, name), (0, more)))
