"""A Prometheus histogram's buckets to its median, 90th and 99th percentile, as series of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from pipeline.series import Series, pack
from pipeline.types import Floats, Labels, Rows

QUANTILES = (0.5, 0.9, 0.99)
# A quantile of a handful of requests is noise: so many must lie beyond it in one interval.
BEYOND = 3.0
MAX_BUCKETS = 64  # of one histogram; Prometheus' own clients have 11 to 20


@dataclass(slots=True)
class Histograms:
    """Which rows are buckets of one histogram; some 1 kB a histogram, of which there are fewer than rows."""

    number: dict[bytes, int] = field(default_factory=dict)  # by the labels without `le`
    of: Rows = field(default_factory=lambda: np.zeros(0, np.int32))  # (rows,) a bucket's histogram, else -1
    member: Rows = field(default_factory=lambda: np.full((0, MAX_BUCKETS), -1, np.int32))  # sorted by bound
    bound: Floats = field(default_factory=lambda: np.full((0, MAX_BUCKETS), np.inf))
    derived: Rows = field(default_factory=lambda: np.zeros((0, len(QUANTILES)), np.int32))
    free: list[int] = field(default_factory=list)  # numbers nobody has

    def add(self, series: Series, row: int, stem: str) -> None:
        """Take a series named STEM_bucket as one bucket of its histogram."""
        labels = series.labels[row]
        bound = _number(labels.get("le", ""))
        if row >= len(self.of):
            self.of = np.pad(self.of, (0, max(1024, row + 1 - len(self.of) // 2)), constant_values=-1)
        if math.isnan(bound) or self.of[row] >= 0:
            return
        rest = {name: value for name, value in labels.items() if name != "le"} | {"__name__": stem}
        number = self._number(rest, series)
        if number < 0:
            return  # the series limit turned the percentiles away
        place = int(np.searchsorted(self.bound[number], bound)) if math.isfinite(bound) else -1
        if place >= 0 and self.bound[number, -2] == np.inf:
            self.member[number, place + 1 : -1] = self.member[number, place:-2]
            self.bound[number, place + 1 : -1] = self.bound[number, place:-2]
            self.bound[number, place] = bound
        elif place >= 0:
            return  # more buckets than MAX_BUCKETS: the coarser picture of those before
        self.member[number, place] = row
        self.of[row] = number

    def hear(self, row: Rows, series: Series) -> None:
        """Keep the percentiles of buckets that send anything at all, were it with a wrong clock."""
        number = np.unique(self.of[row[row < len(self.of)]])
        series.missed[self.derived[number[number >= 0]].ravel()] = 0

    def take(self, row: Rows, last: Floats, grown: Floats, series: Series) -> tuple[Rows, Floats, Floats]:
        """Return rows, times and values, (n,), of the quantiles of histograms now whole.

        `row` are the series that just came; `last`, `grown` (all rows) say when each came and by how much its
        count had grown. Whole is a histogram whose buckets have all come up to the same time.
        """
        row = row[row < len(self.of)]
        touched = np.unique(self.of[row])
        touched = touched[touched >= 0]
        if not len(touched):
            return row[:0], last[:0], grown[:0]
        member = self.member[touched]
        there = member >= 0
        at = np.where(there, last[member], np.nan)
        now = last[member[:, -1]]
        whole = there[:, -1] & ((at == now[:, None]) | ~there).all(axis=1) & np.isfinite(now)
        which = touched[whole]
        counts = np.where(there[whole], grown[member[whole]], np.nan)
        values = quantiles(self.bound[which], counts)
        derived = self.derived[which]
        return derived.ravel(), np.repeat(now[whole], len(QUANTILES)), values.ravel()

    def forget(self, gone: Rows) -> None:
        """Let buckets go whose series are no more."""
        gone = gone[gone < len(self.of)]
        for row in gone[self.of[gone] >= 0].tolist():
            number = self.of[row]
            place = self.member[number] == row
            self.member[number, place] = -1
            self.bound[number, place] = np.inf
            order = np.argsort(self.bound[number, :-1], kind="stable")
            self.member[number, :-1] = self.member[number, order]
            self.bound[number, :-1] = self.bound[number, order]
        self.of[gone] = -1
        for key in [key for key, number in self.number.items() if (self.member[number] < 0).all()]:
            self.free.append(self.number.pop(key))

    def _number(self, labels: Labels, series: Series) -> int:
        key = pack(labels)
        if key in self.number:
            return self.number[key]
        derived = series.intern([pack({**labels, "quantile": f"{q:g}"}) for q in QUANTILES])
        if derived.min() < 0:
            return -1
        if not self.free:
            more, have = max(64, len(self.derived)), len(self.derived)
            self.member = np.pad(self.member, ((0, more), (0, 0)), constant_values=-1)
            self.bound = np.pad(self.bound, ((0, more), (0, 0)), constant_values=np.inf)
            self.derived = np.pad(self.derived, ((0, more), (0, 0)), constant_values=-1)
            self.free = list(range(have, have + more))[::-1]
        found = self.free.pop()
        self.number[key] = found
        self.derived[found] = derived
        return found


def quantiles(bound: Floats, counts: Floats) -> Floats:
    """Return each histogram's quantiles, (n, 3), as histogram_quantile does; NaN where too few lie beyond.

    `bound` (n, buckets) ascends and ends with +Inf; `counts` likewise, cumulative, NaN = no such bucket.

    >>> quantiles(np.array([[0.1, 0.5, np.inf]]), np.array([[50.0, 90.0, 100.0]])).round(3)
    array([[0.1, 0.5, nan]])
    """
    counts = np.fmax.accumulate(np.where(np.isnan(counts), 0.0, counts), axis=1)
    total = counts[:, -1:]
    lower = np.maximum.accumulate(np.where(np.isfinite(bound), bound, -np.inf), axis=1)
    found = np.full((len(bound), len(QUANTILES)), np.nan)
    for k, q in enumerate(QUANTILES):
        at = np.argmax(counts >= q * total, axis=1)
        row = np.arange(len(bound))
        below = np.where(at > 0, counts[row, at - 1], 0.0)
        low = np.where(at > 0, lower[row, at - 1], 0.0)
        high = bound[row, at]
        inside = counts[row, at] - below
        share = np.divide(q * total[:, 0] - below, inside, out=np.ones(len(bound)), where=inside > 0)
        value = np.where(np.isinf(high), low, low + (high - low) * share)
        value = np.where((at == 0) & (high <= 0), high, value)
        found[:, k] = np.where(total[:, 0] * (1 - q) >= BEYOND, value, np.nan)
    return found


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
