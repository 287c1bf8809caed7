"""Distances in spreads to surprise, by a tail of each series' own: where it begins, how fast it thins."""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Floats
from detectors.columns import Column

SHARE = 0.02  # of all distances lie beyond the edge
EDGE = math.log(2.33)  # of a normal distribution, in standard deviations; never nearer than that
PRIOR_EDGE = math.log(2.6)
PRIOR_STRETCH = 0.2  # mean log excess over the edge
MIN_STRETCH, MAX_STRETCH = 0.13, 10.0  # of a normal distribution; of what is still and sometimes leaps
FAR = 4.0  # log excess beyond which only the order counts


def rarity(distance: Column, edge: Column, stretch: Column, within: float = 1.5) -> Floats:
    """Return -log10 of the share of distances (>= 0, in spreads) that are as large or larger, same shape.

    Beyond the edge the logarithm of the share falls as a power of the distance (Weibull 1951), which fits
    what is bounded or near normal; the power is the one whose mean log excess is `stretch`. Nearer than the
    edge it is `within`: 1.5 is within 0.05 of the normal distribution's.
    """
    over = np.log(np.maximum(distance, 1e-9)) - edge
    power = np.where(over > 0, 1.0 / (stretch * (1.0 - math.log(SHARE))), within)
    found: Floats = -math.log10(SHARE) * np.exp(power * np.minimum(over, FAR))
    return np.minimum(found, 300.0)


def learned(
    distance: Column,
    edge: Column,
    stretch: Column,
    rate: Column,
    least: tuple[float, float] = (EDGE, MIN_STRETCH),
) -> tuple[Column, Column]:
    """Return edge and stretch, neither below its least, after one more; a rate of 0 teaches nothing."""
    over = np.log(np.maximum(distance, 1e-9)) - edge
    beyond = (over > 0) & (rate > 0)
    excess = np.minimum(over, 4 * stretch + 0.5)
    wider = np.clip(stretch + np.where(beyond, 0.05 * (excess - stretch), 0.0), least[1], MAX_STRETCH)
    moved = np.maximum(edge + rate * np.where(beyond, 1 - SHARE, -SHARE), least[0])
    return moved, wider


def distance(surprise: float, edge: Column, stretch: Column) -> Floats:
    """Return the distance beyond the edge that is so surprising: what undoes `rarity`."""
    over = math.log(surprise / -math.log10(SHARE)) * stretch * (1.0 - math.log(SHARE))
    found: Floats = np.exp(edge + np.minimum(over, FAR))
    return found
