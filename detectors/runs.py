"""How long runs of the same have lasted in each series to how surprising one of a given length is."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Lengths = NDArray[np.int64]

# Runs are counted by the powers of two that they reach: 1, 2, 4 ... 131,072.
STEPS = 18
EDGES = 2.0 ** np.arange(STEPS)
# Where nothing has been seen, one run in ten goes on to the next power of two.
SEEN, OF = 0.1, 1.0
FEW = 20.0  # runs of which at least so many must have ended before one is surprising
TAUGHT = 10  # a run teaches at most so many times the length at which it became odd


class Runs:
    """Counts of runs by the length they reached; 80 B a series. A run of 0 is a sample like any other."""

    def __init__(self, memory: float) -> None:
        self.memory = memory  # seconds after which what was counted counts for half
        self.reached = np.zeros((0, STEPS + 1), np.float32)  # column 0: all runs; column k: 2 ** (k - 1)
        self.halved = np.zeros(0, np.float32)  # in units of memory

    def grow(self, rows: int) -> None:
        more = rows - len(self.reached)
        self.reached = np.pad(self.reached, ((0, more), (0, 0)))
        self.halved = np.pad(self.halved, (0, more))

    def forget(self, series: Rows) -> None:
        self.reached[series], self.halved[series] = 0.0, 0.0

    def end(self, series: Rows, time: Floats, length: Floats, odd: Floats) -> None:
        """Count runs that have ended, (n,) in samples; odd is the length from which it was so, 0 = never."""
        period = np.floor(time / self.memory).astype(np.float32)
        turned = series[self.halved[series] != period]
        if len(turned):
            self.reached[turned] *= np.float32(0.5)
            self.halved[series] = period
        taught = np.where(odd > 0, np.minimum(length, TAUGHT * odd), length)
        self.reached[series, 0] += 1
        some = np.flatnonzero(taught >= 1)
        self.reached[series[some], 1:] += taught[some, None] >= EDGES

    def surprise(self, series: Rows, length: Floats) -> Floats:
        """Return -log10 of the share of all samples that are so deep in a run or deeper, (n,); cost 1 us."""
        found = np.zeros(len(series))
        use = np.flatnonzero(length > 0)
        if len(use):
            found[use] = surprise_of_run(self.reached[series[use]], length[use])
        return found


def surprise_of_run(reached: NDArray[np.float32], length: Floats) -> Floats:
    """Return the surprise of each length, given the counts of its own row; 0 where too few have ended."""
    enough = reached[:, 0] >= FEW
    return np.where(enough, _surprise(reached.astype(np.float64), length), 0.0)


def _surprise(reached: Floats, length: Floats) -> Floats:
    lasts = (reached[:, 1:] + SEEN) / (reached[:, :-1] + OF)
    alive = np.minimum(np.cumprod(lasts, axis=1), 1.0)  # the chance that a run reaches 1, 2, 4 ...
    after = np.concatenate((alive[:, 1:], SEEN / OF * alive[:, -1:]), axis=1)
    # Samples in a run between one power and the next, as if they thinned evenly; of the last, all beyond.
    inside = EDGES * 0.5 * (alive + after)
    inside[:, -1] /= 1.0 - 2.0 * SEEN / OF
    deep = np.cumsum(inside[:, ::-1], axis=1)[:, ::-1]
    share = np.concatenate((np.zeros((len(length), 1)), -np.log10(deep / (1.0 + deep[:, :1]))), axis=1)
    edge = np.concatenate(([0.0], EDGES))
    k = np.clip(np.searchsorted(edge, length, side="right") - 1, 0, STEPS - 1)
    pick = np.arange(len(length))
    low, high = share[pick, k], share[pick, k + 1]
    within = (length - edge[k]) / (edge[k + 1] - edge[k])
    beyond = -math.log10(2.0 * SEEN / OF) * np.log2(np.maximum(length / EDGES[-1], 1.0))
    found: Floats = np.maximum(low + np.minimum(within, 1.0) * (high - low), 0.0) + beyond
    return found
