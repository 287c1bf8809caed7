"""Samples as they came to samples worth a look: in order, once each, counters as rates, sums as means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.histograms import Histograms
from pipeline.series import Series, pack, show
from pipeline.types import Batch, Floats, Rows, Seconds

# Clocks of senders differ by seconds; what claims to be later than this is a wrong clock.
AHEAD = 300.0
RATES = ("_total", "_count", "_sum", "_bucket")

ROW = np.dtype(
    [
        ("rate", "?"),  # a counter
        ("pair", "i4"),  # the _count of a _sum and the other way round, -1 = none
        ("mean", "?"),  # the _sum of such a pair
        ("last", "f8"),  # time of the newest sample, s
        ("cadence", "f8"),  # seconds between two
        ("raw", "f8"),  # newest count of a counter, NaN = none
        ("grown", "f8"),  # by how much it had grown
    ]
)


class Round(NamedTuple):
    """Samples of distinct series, each later than the one before of its series."""

    row: Rows
    time: Floats
    value: Floats


@dataclass(slots=True)
class Table:
    """One row a series, 50 B: what its next sample is measured against."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, ROW))
    size: int = 0
    histograms: Histograms = field(default_factory=Histograms)
    dropped: Counter[str] = field(default_factory=Counter)

    def look_up(self, series: Series) -> Iterator[tuple[int, str]]:
        """Yield the row of each series not seen before, or that is another now, with the metric it is."""
        seen = 0
        while seen < len(series.reborn) or self.size < len(series):  # both grow by percentiles of histograms
            if seen < len(series.reborn):
                row, seen = series.reborn[seen], seen + 1
                if row >= self.size:
                    continue
                self.rows[row] = _unseen(1)[0]
            else:
                row, self.size = self.size, self.size + 1
                if row >= len(self.rows):
                    self.rows = np.concatenate((self.rows, _unseen(max(1024, row))))
            yield from self._add(series, row)

    def look_up_all(self, series: Series) -> Iterator[tuple[int, str]]:
        """Yield every row with the metric it is, as if no series had been seen before."""
        self.size = 0
        self.rows["mean"] = False
        yield from self.look_up(series)

    def _add(self, series: Series, row: int) -> Iterator[tuple[int, str]]:
        labels = series.labels[row]
        metric = labels.get("__name__", "")
        stem, _, last = metric.rpartition("_")
        self.rows["rate"][row] = metric.endswith(RATES)
        yield row, metric
        if last == "bucket":
            self.histograms.add(series, row, stem)
        if last not in ("sum", "count"):
            return
        other = "count" if last == "sum" else "sum"
        pair = series.rows.get(pack({**labels, "__name__": f"{stem}_{other}"}), -1)
        if 0 <= pair < self.size and pair != row:
            total, count = (row, pair) if last == "sum" else (pair, row)
            self.rows["pair"][[total, count]] = count, total
            if not self.rows["mean"][total]:
                self.rows["mean"][total] = True  # another series than its rate was
                yield total, stem

    def forget(self, gone: Rows) -> None:
        """Let rows go whose series are no more."""
        gone = gone[gone < self.size]
        pair = self.rows["pair"][gone]
        self.rows["pair"][pair[pair >= 0]] = -1
        self.rows[gone] = _unseen(len(gone))
        self.histograms.forget(gone)

    def name(self, series: Series, row: int) -> str:
        """Return the series as people read it: the mean of a pair under their common name."""
        labels = series.labels[row]
        if not self.rows["mean"][row]:
            return show(labels)
        return show({**labels, "__name__": labels["__name__"].removesuffix("_sum")})

    def rounds(self, batch: Batch, series: Series, now: Seconds) -> Iterator[Round]:
        """Yield the batch in rounds of distinct series, in time order; drop and count the rest."""
        row, time, value = batch.series, batch.time, batch.value
        self.histograms.hear(row, series)
        sane = time <= now + AHEAD  # NaN compares false
        self._drop("future", len(row) - int(sane.sum()))
        order = np.lexsort((time[sane], row[sane]))
        row, time, value = row[sane][order], time[sane][order], value[sane][order]
        start = np.flatnonzero(np.r_[True, row[1:] != row[:-1]]) if len(row) else row
        turn = np.arange(len(row)) - np.repeat(start, np.diff(np.r_[start, len(row)]))
        for k in range(int(turn.max(initial=-1)) + 1):
            now_on = turn == k if turn.any() else slice(None)
            yield self._whole(self._measure(Round(row[now_on], time[now_on], value[now_on])), series)

    def _whole(self, found: Round, series: Series) -> Round:
        """Return the round with the percentiles of the histograms that it completes."""
        row, time, value = self.histograms.take(found.row, self.rows["last"], self.rows["grown"], series)
        new = time > self.rows["last"][row]  # else a sender told the percentile itself
        if not new.any():
            return found
        self._pace(row[new], time[new])
        return Round(np.r_[found.row, row[new]], np.r_[found.time, time[new]], np.r_[found.value, value[new]])

    def _measure(self, r: Round) -> Round:
        """Return the round with its counters as rates and its sums as means, and note what has come."""
        last = self.rows["last"][r.row]
        fresh = r.time > last
        if not fresh.all():
            same = int((r.time == last).sum())
            self._drop("duplicate", same)
            self._drop("out of order", len(last) - int(fresh.sum()) - same)
            r = Round(r.row[fresh], r.time[fresh], r.value[fresh])
        step = self._pace(r.row, r.time)
        counts = self.rows["rate"][r.row]
        return self._rates(r, step, counts) if counts.any() else r

    def _pace(self, row: Rows, time: Floats) -> Floats:
        """Note when samples came, (n,), and return the seconds since the ones before; 0 = none before."""
        last, cadence = self.rows["last"][row], self.rows["cadence"][row]
        step: Floats = np.where(np.isinf(last), 0.0, time - last)
        change = 0.1 * (np.minimum(step, 4 * cadence) - cadence)
        self.rows["cadence"][row] = np.where(cadence > 0, cadence + change, step)
        self.rows["last"][row] = time
        return step

    def _rates(self, r: Round, step: Floats, counts: NDArray[np.bool_]) -> Round:
        row, count = r.row[counts], r.value[counts]
        before = self.rows["raw"][row]
        # A counter that fell was reset, so it has grown from zero: Prometheus' own reading.
        grown = np.where(count < before, count, count - before)
        self.rows["raw"][row], self.rows["grown"][row] = count, grown
        value = r.value.copy()
        value[counts] = np.divide(grown, step[counts], out=np.full(len(row), np.nan), where=step[counts] > 0)
        pair = self.rows["pair"][row]
        paired = np.flatnonzero((pair >= 0) & (self.rows["last"][pair] == r.time[counts]))
        is_sum = self.rows["mean"][r.row]
        value[is_sum] = np.nan
        sums = np.where(self.rows["mean"][row[paired]], row[paired], pair[paired])
        if not len(sums):
            return Round(r.row, r.time, value)
        # Whichever of the two came later completes the mean; a pair in one round is there twice.
        sums, first = np.unique(sums, return_index=True)
        n = self.rows["grown"][self.rows["pair"][sums]]
        mean = np.divide(self.rows["grown"][sums], n, out=np.full(len(sums), np.nan), where=n > 0)
        keep = ~is_sum | ~np.isin(r.row, sums)
        at = r.time[counts][paired][first]
        return Round(np.r_[r.row[keep], sums], np.r_[r.time[keep], at], np.r_[value[keep], mean])

    def _drop(self, reason: str, n: int) -> None:
        if n:
            self.dropped[reason] += n


def _unseen(n: int) -> NDArray[np.void]:
    room = np.zeros(n, ROW)
    room["last"], room["raw"], room["pair"] = -np.inf, np.nan, -1
    return room
