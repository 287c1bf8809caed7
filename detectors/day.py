"""The day of each series in half hours, working days and weekends apart, read between the half hours."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Cells: TypeAlias = NDArray[np.int64]

DAY = 86400.0
CELLS = 48  # of a day
PACE = 0.2  # of what a day differs from those before is learned
TABLE = 2 * CELLS


class Day:
    """What was seen at this time of day, as a mean over days; 400 B a series. Weekdays are those of UTC."""

    def __init__(self) -> None:
        self._cells = np.zeros((0, TABLE), np.float32)
        self._sum = np.zeros(0)  # of the half hour that is going on
        self._count = np.zeros(0, np.int32)
        self._cell = np.zeros(0, np.int32)

    def at(self, series: Rows, time: Floats) -> Floats:
        """Return what is usual at that time, (n,); NaN where no day has shown it yet.

        Between the middles of two half hours it is read off the line between them, but where the day
        leaps, as at the start of a job, each half hour is taken as it is.
        """
        self._grow(int(series.max(initial=-1)) + 1)
        kind, cell, place = _place(time)
        own = self._known(series, kind, cell)
        before = self._known(series, kind, (cell - 1) % CELLS)
        after = self._known(series, kind, (cell + 1) % CELLS)
        to, fro = after - own, own - before
        toward = place - 0.5
        smooth = own + toward * np.where(toward > 0, to, fro)
        leaps = ~(np.abs(to - fro) <= 0.5 * (np.abs(to) + np.abs(fro)))  # also where one is not known
        return np.where(leaps, own, smooth)

    def about(self, series: Rows, time: Floats) -> Floats:
        """Return the mean of the 2.5 hours about that time, (n,); NaN where no day has shown it."""
        self._grow(int(series.max(initial=-1)) + 1)
        kind, cell, _ = _place(time)
        cells = np.array([self._known(series, kind, (cell + k) % CELLS) for k in range(-2, 3)])
        shown = np.isfinite(cells)
        count = shown.sum(axis=0)
        return np.where(count > 0, np.where(shown, cells, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)

    def learn(self, series: Rows, time: Floats, value: Floats) -> None:
        """Add the values to their half hour; the half hour just left goes into the day."""
        kind, place, _ = _place(time)
        cell = (kind * CELLS + place).astype(np.int32)
        count = self._count[series]
        left = np.flatnonzero((cell != self._cell[series]) & (count > 0))
        if len(left):
            rows = series[left]
            which = self._cell[rows]
            mean = self._sum[rows] / self._count[rows]
            old = self._cells[rows, which].astype(np.float64)
            self._cells[rows, which] = np.where(np.isnan(old), mean, old + PACE * (mean - old))
            self._sum[rows], self._count[rows] = 0.0, 0
        self._sum[series] += value
        self._count[series] += 1
        self._cell[series] = cell

    def forget(self, series: Rows) -> None:
        known = series[series < len(self._sum)]
        self._cells[known] = np.nan
        self._sum[known], self._count[known], self._cell[known] = 0.0, 0, 0

    def _known(self, series: Rows, kind: Cells, cell: Cells) -> Floats:
        """Return the cell of that kind of day, or of the other kind while that one has not been seen."""
        own: Floats = self._cells[series, kind * CELLS + cell].astype(np.float64)
        missing = np.isnan(own)
        if missing.any():
            own[missing] = self._cells[series[missing], ((1 - kind) * CELLS + cell)[missing]]
        return own

    def _grow(self, need: int) -> None:
        have = len(self._sum)
        if need <= have:
            return
        more = max(need, have + have // 2, 16) - have
        self._cells = np.concatenate((self._cells, np.full((more, TABLE), np.nan, np.float32)))
        self._sum = np.pad(self._sum, (0, more))
        self._count, self._cell = np.pad(self._count, (0, more)), np.pad(self._cell, (0, more))


def _place(time: Floats) -> tuple[Cells, Cells, Floats]:
    """Return 1 for a weekend's times, the half hour of the day, and how far into it they are, 0-1."""
    weekend = ((time // DAY + 3) % 7 >= 5).astype(np.int64)  # 1970 began on a Thursday
    through = time % DAY * (CELLS / DAY)
    cell = np.minimum(through.astype(np.int64), CELLS - 1)
    return weekend, cell, through - cell
