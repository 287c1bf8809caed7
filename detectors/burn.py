"""Failed beside all requests of a service level objective to surprise: how surely the error budget burns."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Band, Floats, Rows
from detectors.columns import measured
from detectors.counts import surprise_of_counts

Ints: TypeAlias = NDArray[np.integer[Any]]

FAILED, ALL = 1, 0  # sides of a group
READY = 10  # samples of a row before it is scored

# Beyer et al. 2018, ch. 5, table 5-8: how many times the even pace, over which two spans of a 30-day period.
MONTH = 30 * 86400.0
PAIRS = ((14.4, 3600.0, 300.0), (6.0, 21600.0, 1800.0), (1.0, 259200.0, 21600.0))
SPANS = tuple(sorted({span for _, *spans in PAIRS for span in spans}))
RATES = np.array([rate for rate, *_ in PAIRS])
LONG = [SPANS.index(long) for _, long, _ in PAIRS]
SHORT = [SPANS.index(short) for _, _, short in PAIRS]

BUCKETS = 13  # of a span: twelve whole ones, and the one that is going on
STALE = 5.0  # times between two samples after which the newest no longer speaks for a row
FIRST = (
    300.0  # s that a group's first sample but one speaks for at most, as nobody knows how often it is told
)
LEAST = 1e-6  # failures that are allowed where there were no requests
BYTES_A_GROUP = len(SPANS) * (2 * BUCKETS * 4 + 8) + 2 * 8 + 5 * 8
BYTES_A_ROW = 4 + 1 + 4 + 8 + 8 + 8 + 8


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Burn`; the defaults are the workbook's."""

    objective: float = 0.999  # share of requests that must succeed
    period: float = MONTH  # seconds over which it must
    clumps: float = 0.0  # variance of failures beyond chance, as a share of their mean squared

    def __post_init__(self) -> None:
        if not 0 < self.objective < 1:
            raise ValueError(
                f"objective: expected a share between 0 and 1 such as 0.999, got {self.objective:g}"
            )
        if self.period < 3600:
            raise ValueError(f"period: expected at least an hour in seconds, got {self.period:g}")
        if self.clumps < 0:
            raise ValueError(f"clumps: expected 0 or more, got {self.clumps:g}")


def build(args: Args) -> Burn:
    return Burn(args)


class _Groups:
    """The rings of each group, and what its rows said last; 616 B a group."""

    def __init__(self) -> None:
        self.ring = np.zeros((0, len(SPANS), 2, BUCKETS), np.float32)  # requests, by side
        self.bucket = np.zeros((0, len(SPANS)), np.int64)  # the newest, counted since 1970
        self.rate = np.zeros((0, 2))  # requests a second, by side
        self.since = np.zeros(0)  # s: the first time
        self.last = np.zeros(0)  # s
        self.step = np.zeros(0)  # between the last two times, s
        self.usual = np.zeros(0)  # likewise, lately

    def grow(self, need: int) -> None:
        more = need - len(self.last)
        if more > 0:
            more = max(more, len(self.last) // 2, 16)
            for name, column in vars(self).items():
                fresh = np.zeros((more, *column.shape[1:]), column.dtype)
                setattr(self, name, np.concatenate((column, fresh)))

    def clear(self, groups: Ints) -> None:
        for column in vars(self).values():
            column[groups] = 0


class Burn:
    """Failures beside what an error budget allows, as counts, over the workbook's three pairs of spans.

    Catches a budget that burns 14.4 times too fast over an hour and five minutes, 6 times over six hours
    and thirty, or once over three days and six hours, as soon as chance is no excuse: one failure of two
    requests at night is none. Silent on the rows of side 0. Misses what fails without being counted, and
    says nothing of who fails.

    Beyer, Murphy, Rensin, Kawahara & Thorne 2018, "The Site Reliability Workbook", ch. 5, with the
    thresholds on ratios made tests of counts. Memory: 41 B a series and 616 B a group.

    Args:
        args: objective a ratio; period in seconds; clumps the dispersion of surprise_of_counts.

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
        self._groups = _Groups()
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
        """Return what is allowed of each row that counts failures, its group's in equal parts.

        A row that counts all requests may have as many as it has.
        """
        self._grow(int(series.max(initial=-1)) + 1)
        known = (self._seen[series] >= READY) & (self._group[series] >= 0)
        group = np.where(known, self._group[series], 0)
        counts = known & (self._side[series] == FAILED)
        among = np.ones(len(series))
        if counts.any():
            groups, which = np.unique(group[counts], return_inverse=True)
            members, of = self._company(groups)
            among[counts] = np.bincount(of, self._side[members] == FAILED)[which]
        share = np.ones(len(series))
        share[counts] = (1 - self.args.objective) * self._groups.rate[group[counts], ALL] / among[counts]
        expected = np.where(counts, share, np.where(known, self._newest[series], np.nan))
        upper = np.where(counts, RATES[0] * expected, np.where(known, np.inf, np.nan))
        return Band(expected, np.where(known, 0.0, np.nan), upper)

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
        rate, heard = self._rates(groups, which, rows, at, clean, now)
        update = self._advance(groups, now, rate)
        known = np.maximum(now - update["since"], self._spans[0])[:, None]
        found = np.where(
            heard, self._burnt(update["ring"], now, np.maximum(self._spans / known, 1.0)), np.nan
        )
        told = np.where(self._side[rows] == FAILED, found[which], 0.0)
        surprise[use] = np.where(self._seen[rows] >= READY, told, np.nan)
        if keep:
            for name, column in update.items():
                getattr(self._groups, name)[groups] = column
            self._newest[rows], self._time[rows] = clean, at
            self._seen[rows] += 1
        return surprise

    def _rates(
        self, groups: Ints, which: Ints, rows: Rows, at: Floats, value: Floats, now: Floats
    ) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the requests a second of each group, (g, 2), and whether any row counts all of them.

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
        key = of * 2 + self._side[members]
        rate: Floats = np.bincount(key, np.where(fresh, newest, 0.0), 2 * len(groups)).astype(np.float64)
        heard = np.bincount(key, fresh, 2 * len(groups)).reshape(-1, 2)[:, ALL] > 0
        return rate.reshape(-1, 2), heard

    def _advance(self, groups: Ints, now: Floats, rate: Floats) -> dict[str, NDArray[Any]]:
        """Return the groups' state with the requests since their last time added.

        At the same time as the last, only what is new is: sides that come apart count the same seconds.
        """
        held = self._groups
        gone = np.where(held.last[groups] > 0, now - held.last[groups], 0.0)
        usual = held.usual[groups]
        on = gone > 0
        step = np.where(on, np.minimum(gone, np.where(usual > 0, 2 * usual, FIRST)), held.step[groups])
        requests = np.where(on[:, None], rate, rate - held.rate[groups]) * step[:, None]
        usual = np.where(on, np.where(usual > 0, usual + 0.1 * (step - usual), step), usual)

        bucket = np.maximum((now[:, None] / self._width).astype(np.int64), held.bucket[groups])
        slot = np.arange(BUCKETS)
        past = (slot - held.bucket[groups][:, :, None] - 1) % BUCKETS
        ring = held.ring[groups]
        stale = past < (bucket - held.bucket[groups])[:, :, None]
        ring = np.where(stale[:, :, None, :], np.float32(0), ring)
        going = (slot == (bucket % BUCKETS)[:, :, None])[:, :, None, :]
        ring = ring + (going * requests[:, None, :, None]).astype(np.float32)
        since = np.where(held.since[groups] > 0, held.since[groups], now)
        return {"ring": ring, "bucket": bucket, "rate": rate, "last": now, "step": step, "usual": usual} | {
            "since": since
        }

    def _burnt(self, ring: NDArray[np.float32], now: Floats, longer: Floats) -> Floats:
        """Return the surprise of each group: the least of a pair's two spans, the most of the pairs.

        A span that is so many times longer, (g, spans), than the group is known is taken to have begun
        with as many requests and no failure: an hour's budget is not gone in the first minute.
        """
        place = now[:, None] / self._width
        oldest = (place.astype(np.int64) + 1) % BUCKETS
        weight = np.where(np.arange(BUCKETS) == oldest[:, :, None], 1 - (place % 1.0)[:, :, None], 1.0)
        requests = np.maximum((ring * weight[:, :, None, :]).sum(axis=3), 0.0)
        # What was a whole number before it was a rate is one again.
        failed, every = np.floor(requests[:, :, FAILED] + 0.01), requests[:, :, ALL]
        allowed = every * longer * (1 - self.args.objective)
        of_spans = [
            surprise_of_counts(
                failed[:, spans], np.maximum(RATES * allowed[:, spans], LEAST), self.args.clumps
            )
            for spans in (LONG, SHORT)
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
