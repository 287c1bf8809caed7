"""How far a sample is beyond the least and the most of all before it, as a share of their distance.

Chandler 1952, "The distribution and frequency of record values", J. R. Statist. Soc. B 14(2): the record
as such; two numbers of state.
"""

from __future__ import annotations

import numpy as np

from detectors.base import Floats

CLAIMS_P = False


def score(value: Floats, cadence: float) -> Floats:
    low = np.minimum.accumulate(np.r_[value[0], value[:-1]])
    high = np.maximum.accumulate(np.r_[value[0], value[:-1]])
    beyond = np.maximum(np.maximum(value - high, low - value), 0)
    return beyond / (high - low + 1e-3 * np.abs(value) + 1e-9)
