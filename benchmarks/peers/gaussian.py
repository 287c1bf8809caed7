"""river's GaussianScorer: two tails of a normal distribution that is fitted to all samples so far.

As its documentation uses it: a p-value below 1e-16 is lost in its rounding, and a constant is given 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from river.anomaly import GaussianScorer

from detectors.base import Floats

CLAIMS_P = True


def score(value: Floats, cadence: float) -> Floats:
    kind: Any = GaussianScorer
    scorer = kind()
    found = np.empty(len(value))
    for k, v in enumerate(value.tolist()):
        found[k] = scorer.score_one(None, v)
        scorer.learn_one(None, v)
    return np.asarray(-np.log10(np.maximum(1 - np.nan_to_num(found), 1e-16)))
