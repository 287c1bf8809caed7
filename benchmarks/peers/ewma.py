"""Distance from an exponentially weighted mean, in standard deviations of its own errors.

Roberts 1959, "Control chart tests based on geometric moving averages", Technometrics 1(3); the spread is
the same mean of squared errors. No warm-up of its own.
"""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter
from scipy.special import log_ndtr

from detectors.base import Floats

CLAIMS_P = True
WEIGHT = 0.01  # of the newest sample


def score(value: Floats, cadence: float) -> Floats:
    error = value - _before(value)
    spread = np.sqrt(_before(error * error))
    floor = 1e-9 * np.abs(value) + 1e-12
    return surprise_of(error / np.maximum(spread, floor))


def surprise_of(z: Floats) -> Floats:
    """Return -log10 of the share of a normal distribution that is at least z from its mean."""
    return np.asarray(-(log_ndtr(-np.abs(z)) + np.log(2)) / np.log(10))


def _before(value: Floats) -> Floats:
    """Return the weighted mean of all that came before each sample; of the first, itself."""
    first = value[0]
    summed = lfilter([WEIGHT], [1, WEIGHT - 1], value - first)
    weights = 1 - (1 - WEIGHT) ** np.arange(1, len(value) + 1)
    return np.asarray(first + np.r_[0.0, (summed / weights)[:-1]])
