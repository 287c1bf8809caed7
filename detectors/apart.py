"""Pieces of quiet time and a window to how far apart they are: shares of trials, and middle levels."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.shares import surprise_of_shares

# Trials of the pieces most like the window that do not count as quiet: trouble begins before it is noticed,
# and some of what was taken for quiet was none.
TRIM = 0.1
PRIOR = 3.0  # pieces' worth of the belief that they differ by chance alone

Flags = NDArray[np.bool_]


def shares_apart(hits: Floats, trials: Floats, before: Floats, trials_before: Floats) -> Floats:
    """Return -log10 p that the share of hits is what it was, (n,); `before` are (n, pieces) of quiet time.

    A likelihood ratio divided by how much more the pieces differ among themselves than chance lets them
    (quasi-likelihood: McCullagh and Nelder 1989, "Generalized linear models", 4.5): a share that always
    wanders is no news. Hits may be more than trials, as child spans of a parent are. 0 without trials.

    >>> quiet, of = np.array([[10.0, 10.0, 10.0], [1.0, 19.0, 10.0]]), np.full((2, 3), 20.0)
    >>> shares_apart(np.array([0.0, 0.0]), np.array([20.0, 20.0]), quiet, of).round(1)
    array([5. , 0.7])
    """
    if before.shape[1] == 0:
        return np.zeros(len(hits))
    share = _share(hits, trials)
    shares = _share(before, trials_before)
    times = np.maximum(1.0, np.ceil(np.maximum(share, shares.max(axis=1, initial=0.0))))
    kept = _unlike(shares, trials_before, share)
    known = np.where(kept, trials_before, 0.0)
    old = np.where(kept, before, 0.0) / times[:, None]
    usual = (old.sum(1) + 0.5) / (known.sum(1) + 1.0)
    spread = np.where(known > 0, (old - known * usual[:, None]) ** 2, 0.0)
    chi = (spread / np.maximum(known * (usual * (1 - usual))[:, None], 1e-9)).sum(1)
    free = np.maximum((known > 0).sum(1) - 1, 0)
    scale = np.maximum(1.0, (chi + PRIOR) / (free + PRIOR))
    found: Floats = surprise_of_shares(hits / times, trials, old.sum(1), known.sum(1)) / scale
    return found


def middle(value: Floats, weight: Floats) -> Floats:
    """Return the weighted median of each row, (n,); NaN where a row weighs nothing."""
    if value.shape[1] == 0:
        return np.full(len(value), np.nan)
    order = np.argsort(np.where(weight > 0, value, np.inf), axis=1)
    heap = np.take_along_axis(weight, order, 1).cumsum(1)
    at = (heap >= heap[:, -1:] / 2).argmax(1)
    found: Floats = np.take_along_axis(np.take_along_axis(value, order, 1), at[:, None], 1)[:, 0]
    return np.where(heap[:, -1] > 0, found, np.nan)


def levels_apart(
    now: Floats, weight: Floats, before: Floats, weight_before: Floats, least: float, usual: float
) -> tuple[Floats, Floats, Floats]:
    """Return the middle now, the middle before, and the distance of the two in spreads, each (n,).

    Values are (n, slots). The spread is the median deviation of the slots before, drawn to `usual` where
    they are few, and never below `least` of the difference. NaN where either has no weight.
    """
    new, old = middle(now, weight), middle(before, weight_before)
    deviation = 1.4826 * middle(np.abs(before - old[:, None]), weight_before)
    slots, slots_before = (weight > 0).sum(1), (weight_before > 0).sum(1)
    variance = (np.nan_to_num(deviation) ** 2 * slots_before + 4 * usual**2) / (slots_before + 4)
    error = variance * (1 / np.maximum(slots, 1) + 1 / np.maximum(slots_before, 1)) + least**2
    return new, old, (new - old) / np.sqrt(error)


def strength(beyond: float, unit: float) -> float:
    """Return how many doublings of its unit a distance or a surprise is worth; one unit is one."""
    return math.log2(1.0 + max(0.0, beyond) / unit)


def _share(hits: Floats, trials: Floats) -> Floats:
    return np.divide(hits, trials, out=np.zeros_like(hits), where=trials > 0)


def _unlike(shares: Floats, trials: Floats, share: Floats) -> Flags:
    """Return which pieces stay when the ones most like the window have gone, TRIM of the trials at most."""
    near = np.where(trials > 0, np.abs(shares - share[:, None]), np.inf)
    order = np.argsort(near, axis=1, kind="stable")
    heap = np.take_along_axis(trials, order, 1).cumsum(1)
    kept = np.empty(shares.shape, np.bool_)
    np.put_along_axis(kept, order, heap > TRIM * heap[:, -1:], 1)
    return kept
