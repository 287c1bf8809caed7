"""Distances in spreads to surprise, under a tail that all of a group have learned together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

# Where the tail begins: one sample in fifty lies beyond it, one in a hundred on either side.
SHARE = 0.02
EDGE = math.log(2.33)  # of a normal distribution, in standard deviations; never nearer than that
PRIOR_EDGE = math.log(2.6)
# Mean log excess over the edge: p falls as distance ** (-1 / stretch).
PRIOR_STRETCH = 0.2
MIN_STRETCH, MAX_STRETCH = 0.13, 10.0  # of a normal distribution; of what is still and sometimes leaps
FAR = math.log(1e3)  # beyond a thousand spreads only the order counts
MOST_STEP = 0.2  # of the edge at once, whatever many members say


def surprise(z: Floats, edge: Floats, stretch: Floats) -> Floats:
    """Return the surprise of each distance, (n, k); edge and stretch are (n, k, 2): below, above."""
    above = (z > 0).astype(np.intp)[:, :, None]
    log = np.log(np.maximum(np.abs(z), 1e-9))
    log = np.minimum(log, FAR) + 0.1 * np.maximum(log - FAR, 0.0)
    over = log - np.take_along_axis(edge, above, axis=2)[:, :, 0]
    # Beyond the edge a power law; inside it the 1.5th power of the distance, which is within 0.05
    # of the normal distribution's -log10 p.
    inside = -math.log10(SHARE) * np.exp(1.5 * np.minimum(over, 0.0))
    reach = np.take_along_axis(stretch, above, axis=2)[:, :, 0]
    found: Floats = inside + np.maximum(over, 0.0) / (reach * math.log(10))
    return found


def reach(surprise: float, edge: Floats, stretch: Floats) -> Floats:
    """Return the distance in spreads at which the surprise is so much, for what lies beyond the edge."""
    found: Floats = np.exp(edge + stretch * ((surprise + math.log10(SHARE)) * math.log(10)))
    return found


def learn(
    z: Floats, group: NDArray[np.intp], learned: Floats, edge: Floats, stretch: Floats, gain: Floats
) -> tuple[Floats, Floats]:
    """Return edge and stretch of each group, (g, k, 2), after distances z (n, k) of its members.

    learned (g,) is how many distances have taught it before; gain (n, k) is what an excess weighs.
    """
    sides = np.stack((-z, z), axis=2)
    over = np.log(np.maximum(sides, 1e-9)) - edge[group]
    beyond = over > 0
    limit = 4 * stretch[group] + 0.5
    weight = np.where(beyond, gain[:, :, None], 0.0)
    excess = weight * np.minimum(over, limit)
    shape = edge.shape
    many = np.bincount(group, minlength=len(edge))[:, None, None]
    out, total, heavy = (
        np.stack([np.bincount(group, x[:, i, j], len(edge)) for i in (0, 1) for j in (0, 1)], axis=1)
        for x in (beyond.astype(np.float64), excess, weight)
    )
    mean = np.divide(total, heavy, out=np.zeros_like(total), where=heavy > 0).reshape(shape)
    pull = -np.expm1(-heavy).reshape(shape)
    rate = (3.0 / np.minimum(learned + 100.0, 6000.0))[:, None, None]
    step = np.clip(rate * (out.reshape(shape) - many * (SHARE / 2)), -MOST_STEP, MOST_STEP)
    thinner: Floats = np.clip(stretch + pull * (mean - stretch), MIN_STRETCH, MAX_STRETCH)
    return np.maximum(edge + step, EDGE), thinner
