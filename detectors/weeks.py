"""The week of each series in half hours, holidays beside it: what is usual, and how often it was seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows
from detectors.calendars import HALVES, HOLIDAY, KINDS, SUNDAY, Places
from detectors.columns import Column

CELLS = KINDS * HALVES
BYTES = CELLS * 5 + 8 + 8 + 8 + 4 + 4

# A day that has not been seen is taken for what those like it were; a holiday for a Sunday.
LIKE = np.full((KINDS, KINDS), 0.05)
LIKE[:5, :5] = 1.0
LIKE[5 : SUNDAY + 1, 5 : SUNDAY + 1] = 1.0
LIKE[HOLIDAY, SUNDAY] = 1.0
LIKE[: SUNDAY + 1, HOLIDAY] = 0.0

UNLIKE = 0.09  # variance of a weekday's half hour beside those like it, as a share: 30 %
SLACK = 0.0025  # of one week beside the next, whatever was counted: 5 %
WEEKS = 5  # of one weekday that are remembered


class Weeks:
    """Means by kind of day and half hour, each shrunk to the days like it; 1,952 B a series.

    A mean begins at that of the like days and moves to its own with the weight that its counts deserve
    (Efron and Morris 1975); read between the half hours along the lesser of the two slopes to the
    neighbours (van Leer 1979), so that the opening of a shop stays a step.
    """

    def __init__(self) -> None:
        self._cells = np.zeros((0, CELLS), np.float32)
        self._visits = np.zeros((0, CELLS), np.uint8)
        self._sum = np.zeros(0)  # of the half hour that is going on
        self._expected = np.zeros(0)
        self._weight = np.zeros(0)
        self._count = np.zeros(0, np.int32)
        self._cell = np.zeros(0, np.int32)

    def usual(self, series: Rows, at: Places, centre: Column) -> tuple[Floats, NDArray[np.uint8]]:
        """Return what is usual there, (n,), NaN where no day has shown it; and how often it was seen.

        The centre is where in their half hours the values lie on average, a ratio.
        """
        self._grow(int(series.max(initial=-1)) + 1)
        own = self._known(series, at.kind, at.half)
        back = own - self._known(series, *_beside(at, -1))
        ahead = self._known(series, *_beside(at, 1)) - own
        slope = np.where(back * ahead > 0, np.sign(ahead) * np.minimum(np.abs(back), np.abs(ahead)), 0.0)
        return own + (at.within - centre) * slope, self._visits[series, at.kind * HALVES + at.half]

    def learn(
        self,
        series: Rows,
        at: Places,
        value: Floats,
        expected: Floats,
        grain: Floats,
        rough: Floats,
        trust: Floats,
    ) -> None:
        """Add the values to their half hour; the half hour just left goes into the week.

        The variance of a value of mean m is grain * m + rough * m ** 2; trust, 0 to 1, is what it counts for.
        """
        cell = (at.kind * HALVES + at.half).astype(np.int32)
        left = np.flatnonzero((cell != self._cell[series]) & (self._count[series] > 0))
        if len(left):
            self._leave(series[left], grain[left], rough[left])
        self._sum[series] += trust * value
        self._expected[series] += trust * expected
        self._weight[series] += trust
        self._count[series] += 1
        self._cell[series] = cell

    def lend(self, rows: Rows, donors: Rows) -> None:
        """Give the rows the donors' weeks, as if seen once."""
        self._grow(int(max(rows.max(initial=-1), donors.max(initial=-1))) + 1)
        self._cells[rows] = self._cells[donors]
        self._visits[rows] = np.minimum(self._visits[donors], 1)

    def scale(self, rows: Rows, ratio: Floats) -> None:
        self._cells[rows] *= ratio[:, None].astype(np.float32)

    def forget(self, series: Rows) -> None:
        known = series[series < len(self._sum)]
        self._cells[known], self._visits[known] = np.nan, 0
        self._sum[known], self._expected[known], self._weight[known] = 0.0, 0.0, 0.0
        self._count[known], self._cell[known] = 0, 0

    def _leave(self, rows: Rows, grain: Floats, rough: Floats) -> None:
        cell, count = self._cell[rows], self._count[rows]
        weight = np.maximum(self._weight[rows], 1e-300)
        mean, expected = self._sum[rows] / weight, self._expected[rows] / weight
        visits = self._visits[rows, cell]
        held = np.clip(mean, 0.5 * expected, 2.0 * expected + 3.0 * grain)
        mean = np.where(visits >= 2, held, mean)
        prior = self._known(rows, (cell // HALVES).astype(np.int64), (cell % HALVES).astype(np.int64))
        strayed = grain / (np.maximum(prior, grain) * count) + rough + SLACK
        pace = weight / count / (1.0 + np.minimum(visits, WEEKS) + strayed / UNLIKE)
        self._cells[rows, cell] = np.where(np.isnan(prior), mean, prior + pace * (mean - prior))
        self._visits[rows, cell] = np.minimum(visits, 250) + 1
        self._sum[rows], self._expected[rows], self._weight[rows], self._count[rows] = 0.0, 0.0, 0.0, 0

    def _known(self, series: Rows, kind: NDArray[np.int64], half: NDArray[np.int64]) -> Floats:
        """Return the cells, those not seen as the mean of the like days; NaN where there is none."""
        own = self._cells[series, kind * HALVES + half].astype(np.float64)
        missing = np.flatnonzero(np.isnan(own))
        if len(missing):
            days = np.arange(KINDS) * HALVES + half[missing, None]
            others = self._cells[series[missing, None], days].astype(np.float64)
            weight = LIKE[kind[missing]] * np.isfinite(others)
            total = weight.sum(axis=1)
            mean = (weight * np.nan_to_num(others)).sum(axis=1) / np.where(total > 0, total, 1.0)
            own[missing] = np.where(total > 0, mean, np.nan)
        found: Floats = own
        return found

    def _grow(self, need: int) -> None:
        have = len(self._sum)
        if need <= have:
            return
        more = max(need, have + have // 2, 16) - have
        self._cells = np.concatenate((self._cells, np.full((more, CELLS), np.nan, np.float32)))
        self._visits = np.concatenate((self._visits, np.zeros((more, CELLS), np.uint8)))
        self._sum, self._expected = np.pad(self._sum, (0, more)), np.pad(self._expected, (0, more))
        self._weight = np.pad(self._weight, (0, more))
        self._count, self._cell = np.pad(self._count, (0, more)), np.pad(self._cell, (0, more))


def _beside(at: Places, by: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the kind of day and the half hour before (-1) or after (1); a holiday has none beside it."""
    half = at.half + by
    over = half // HALVES
    return np.where(at.kind == HOLIDAY, HOLIDAY, (at.kind + over) % HOLIDAY), half % HALVES
