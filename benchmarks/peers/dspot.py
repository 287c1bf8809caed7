"""DSPOT: SPOT of the distance from the mean of the last ten samples that were no alarm.

Siffer et al. 2017 (see spot.py), alg. 4, where the stream drifts; depth 10, the better of those tried here
and in the paper.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from benchmarks.peers.spot import FIRST, RISK, Side, either
from detectors.base import Floats

CLAIMS_P = True
DEPTH = 10


def score(value: Floats, cadence: float) -> Floats:
    found = np.full(len(value), np.nan)
    if len(value) <= DEPTH + FIRST:
        return found
    start = np.lib.stride_tricks.sliding_window_view(value[: DEPTH + FIRST - 1], DEPTH).mean(axis=1)
    distance = value[DEPTH : DEPTH + FIRST] - start
    upper, lower = Side(distance), Side(-distance)
    last = deque(value[FIRST : DEPTH + FIRST].tolist(), DEPTH)
    for k, v in enumerate(value[DEPTH + FIRST :].tolist(), DEPTH + FIRST):
        off = v - math.fsum(last) / DEPTH
        above, below = upper.take(off), lower.take(-off)
        found[k] = either(above, below)
        if max(above, below) < -math.log10(RISK):
            last.append(v)
    return found
