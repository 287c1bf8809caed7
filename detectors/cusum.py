"""Log likelihood ratios of a change, sample by sample, to surprise: Page's sums, each with its own tail."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.columns import Column, State

# A sum's excursion teaches how far the tail reaches by what its peak has beyond this.
EDGE = 1.0
FAR = 5.0  # no peak teaches more than so many times what is usual: one real change is not the noise
TEACHERS = 100.0  # excursions over which the reach is averaged


class Cusum:
    """Page's cumulative sums, one for each size of change asked for, and how rare they are as high as this.

    A sum adds the log of how much likelier the sample is after the change than before and never falls
    below 0, so it is a random walk that is reflected there. Where the ratios are right, the share of time
    that it spends above u is `share * exp(-u)`; where noise is heavier or echoes longer than was thought the
    walk still returns to 0 again and again, and each excursion's peak is one more witness, independent of
    the rest, of how far the tail really reaches. So a sum becomes a p-value, and stays one on a series
    that is not quite as the model says.

    Page 1954, "Continuous inspection schemes", Biometrika 41 (the sum, and that its last zero dates the
    change); Lorden 1971, "Procedures for reacting to a change in distribution" (several sizes at once);
    Siegmund 1985, "Sequential analysis", ch. 10 (the tail of the reflected walk and its overshoot).

    Args:
        share: how much more often than exp(-u) the highest of the sums, each with its lift, is above u.
        lift: (k, 1), what is added to each sum for its overshoot.
        usual: (k, 1), mean excess of a peak over EDGE where the ratios are right.
    """

    def __init__(self, share: float, lift: Column, usual: Column) -> None:
        self.share, self.lift, self.usual = share, lift, usual

    def fresh(self) -> State:
        """Return what a series never seen has: 20 B for each sum."""
        zero = np.zeros_like(self.usual)
        return {
            "sum": zero,
            "peak": zero,  # of the excursion that goes on
            "reach": self.usual.copy(),  # mean excess of a peak over EDGE
            "ends": zero,  # excursions that have taught it
            "age": zero,  # s between the excursion's first sample and the newest
        }

    def surprise(self, state: State, total: Column) -> tuple[Floats, Floats]:
        """Return the surprise of sums (k, n) of these series, (n,), and each sum's own height, (k, n)."""
        reach = np.maximum(state["reach"] / self.usual, 0.8)
        height = np.where(total > 0, total / reach + self.lift, 0.0).astype(np.float64)
        highest = height.max(axis=0)
        rare = self.share * np.exp(-highest)
        close = -np.log10(-np.expm1(-np.maximum(rare, 1e-9)))
        return np.where(rare < 1e-9, (highest - math.log(self.share)) / math.log(10), close), height

    def learn(self, state: State, total: Column, apart: Floats, again: NDArray[np.bool_]) -> None:
        """Let the sums be `total`; `apart` is seconds since the sample before, `again` where they restart."""
        going = total > 0
        begun = state["sum"] > 0
        state["age"] = np.where(going & begun, state["age"] + apart, 0.0).astype(np.float32)
        peak = np.where(going, np.maximum(state["peak"], total), state["peak"])
        ended = (~going | again) & (peak > EDGE)
        if ended.any():
            ends = np.minimum(state["ends"] + ended, TEACHERS)
            excess = np.minimum(peak - EDGE, FAR * state["reach"])
            taught = (excess - state["reach"]) / (ends + 10.0)  # as if ten had been as usual
            state["reach"] += np.where(ended, taught, 0.0).astype(np.float32)
            state["ends"] = ends
        stays = going & ~again
        state["peak"] = np.where(stays, peak, 0.0).astype(np.float32)
        state["sum"] = np.where(stays, total, 0.0).astype(np.float32)


def tell(
    state: State, surprise: Floats, time: Floats, told: float, settle: float, least: int
) -> NDArray[np.bool_]:
    """Keep since when a change is told; return where it has lasted, so that it is the new base.

    That is `settle` seconds and `least` samples after the first surprise of `told`; one that was taken
    back before, below a surprise of 1, is forgotten.
    """
    going = np.isfinite(state["told"]) & (surprise >= 1)
    state["since"] = np.where(going, state["since"] + 1, 0.0)
    state["told"] = np.where(going, state["told"], np.where(surprise >= told, time, np.nan))
    done: NDArray[np.bool_] = (time - state["told"] >= settle) & (state["since"] >= least)
    state["told"] = np.where(done, np.nan, state["told"])
    return done
