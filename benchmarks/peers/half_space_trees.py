"""river's HalfSpaceTrees over a sample and its change, both scaled by what was least and most so far.

Tan, Ting and Liu 2011, "Fast anomaly detection for streaming data", IJCAI: 25 trees, windows of 250. The
height is river's 8, where the paper has 15.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from river.anomaly import HalfSpaceTrees
from river.preprocessing import MinMaxScaler

from detectors.base import Floats

CLAIMS_P = False
SEED = 7


def score(value: Floats, cadence: float) -> Floats:
    trees: Any = HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=SEED)
    scaler: Any = MinMaxScaler()
    found = np.empty(len(value))
    last = float(value[0])
    for k, v in enumerate(value.tolist()):
        given = {"value": v, "change": v - last}
        last = v
        scaler.learn_one(given)
        scaled = scaler.transform_one(given)
        found[k] = trees.score_one(scaled)
        trees.learn_one(scaled)
    return found
