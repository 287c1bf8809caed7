"""What river's HoltWinters with a daily season did not foresee, in standard deviations.

Winters 1960, "Forecasting sales by exponentially weighted moving averages", Management Science 6(3). river
0.26 begins an additive season with ratios to the level, which fails where the level of the first day is 0:
such a series is given to it 1 higher. Silent for the first day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from river.time_series import HoltWinters

from benchmarks.peers import ewma
from detectors.base import Floats

CLAIMS_P = True
DAY = 86400.0


def score(value: Floats, cadence: float) -> Floats:
    season = max(2, round(DAY / cadence))
    lift = 0.0 if value[:season].any() else 1.0
    kind: Any = HoltWinters
    model = kind(alpha=0.1, beta=0.001, gamma=0.1, seasonality=season)
    error = np.zeros(len(value))
    for k, v in enumerate(value.tolist()):
        if k >= season:
            error[k] = v + lift - model.forecast(1)[0]
        model.learn_one(v + lift)
    found = np.full(len(value), np.nan)
    if len(value) > season:
        found[season:] = ewma.score(error[season:], cadence)
    return found
