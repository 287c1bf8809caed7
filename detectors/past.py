"""The last hours of each series as means of a few samples, to whether its level or its slope has changed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from detectors.base import Floats, Rows

BLOCKS = 64
LENGTH = 16  # samples of a block
LEAST = 6  # blocks that a slope must have lasted to be told from a step
SURE = 3.0  # log likelihood by which a bend must be the better of the two


class Bend(NamedTuple):
    """A slope that was not there before."""

    ago: float  # samples since it began
    slope: float  # the series' unit a sample


class Past:
    """Ring of BLOCKS means of LENGTH samples each; 276 B a series."""

    def __init__(self) -> None:
        self._ring = np.zeros((0, BLOCKS), np.float32)
        self._full = np.zeros(0, np.int32)  # blocks ever filled since it began
        self._count = np.zeros(0, np.int32)  # samples in the one being filled
        self._sum = np.zeros(0)

    def learn(self, series: Rows, value: Floats, again: Rows) -> None:
        """Take in finite values, (n,), of all the rows, after those in `again` have begun anew."""
        self._grow(int(series.max(initial=-1)) + 1)
        self.forget(again)
        self._sum[series] += value
        self._count[series] += 1
        done = series[self._count[series] >= LENGTH]
        if len(done):
            self._ring[done, self._full[done] % BLOCKS] = self._sum[done] / LENGTH
            self._full[done] += 1
            self._sum[done], self._count[done] = 0.0, 0

    def bend(self, row: int, slope: float) -> Bend | None:
        """Return the bend in a row's past, which had this slope a sample before; None if a step fits as well.

        Both are fitted by least squares for each block that the change may have begun with; the best of
        each kind is the one most likely. Quandt 1960, "Tests of the hypothesis that a linear regression
        system obeys two separate regimes", JASA 55.
        """
        full = int(self._full[row])
        n = min(full, BLOCKS)
        if n < LEAST + 2:
            return None
        mean = self._ring[row, (full - n + np.arange(n)) % BLOCKS].astype(np.float64)
        mean -= mean[0] + slope * LENGTH * np.arange(n)
        at = np.arange(n) - np.arange(1, n)[:, None]  # (onset, block)
        step = np.vstack([np.clip(at + within, 0.0, 1.0) for within in (0.3, 0.7, 1.0)])
        flat, _ = _explained(step, mean)
        bent, gain = _explained(np.maximum(at[: n - LEAST] + 0.5, 0.0), mean)
        best = int(np.argmax(bent))
        whole = float(((mean - mean.mean()) ** 2).sum())
        rest, other = whole - float(bent[best]), whole - float(flat.max())
        if rest <= 0 or other <= 0 or n / 2 * math.log(other / rest) < SURE:
            return None
        ago = (n - 1 - best) * LENGTH + int(self._count[row])
        return Bend(ago, slope + float(gain[best]) / LENGTH)

    def forget(self, series: Rows) -> None:
        known = series[series < len(self._sum)]
        self._ring[known] = 0.0
        self._full[known], self._count[known], self._sum[known] = 0, 0, 0.0

    def _grow(self, need: int) -> None:
        have = len(self._sum)
        if need <= have:
            return
        more = max(need, have + have // 2, 16) - have
        self._ring = np.pad(self._ring, ((0, more), (0, 0)))
        self._full, self._count = np.pad(self._full, (0, more)), np.pad(self._count, (0, more))
        self._sum = np.pad(self._sum, (0, more))


def _explained(shape: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return the sum of squares that a multiple of each shape, (k, n), explains beside a level, and which."""
    centred = shape - shape.mean(axis=1, keepdims=True)
    size = (centred * centred).sum(axis=1)
    gain = (centred * mean).sum(axis=1) / size
    return gain * gain * size, gain
