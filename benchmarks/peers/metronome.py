"""An alert at every 400th sample, whatever the data: what a scoring rule gives for nothing."""

from __future__ import annotations

import numpy as np

from detectors.base import Floats

CLAIMS_P = False
EVERY = 400


def score(value: Floats, cadence: float) -> Floats:
    return np.asarray(np.arange(len(value)) % EVERY == EVERY - 1, np.float64)
