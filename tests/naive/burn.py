"""detectors/burn.py for one group, from a list of all its requests, with the default arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy import stats

SPANS = (300.0, 1800.0, 3600.0, 21600.0, 259200.0)
PAIRS = ((14.4, 3600.0, 300.0), (6.0, 21600.0, 1800.0), (1.0, 259200.0, 21600.0))


@dataclass
class NaiveBurn:
    objective: float = 0.999
    counted: list[tuple[float, float, float]] = field(default_factory=list)  # time, all, failed
    rate: tuple[float, float] = (0.0, 0.0)
    usual: float = 0.0

    def take(self, time: float, every: float, failed: float) -> float:
        """Take both sides of one time, requests a second; return the surprise."""
        gone = time - self.counted[-1][0] if self.counted else 0.0
        step = min(gone, 2 * self.usual if self.usual else 300.0)
        if gone:
            self.usual = self.usual + 0.1 * (step - self.usual) if self.usual else step
        self.counted.append((time, every * step, failed * step))
        surprises = []
        for rate, *spans in PAIRS:
            surprises.append(min(self.surprise(rate, span, time) for span in spans))
        return max(surprises) if len(self.counted) > 10 else math.nan

    def surprise(self, rate: float, span: float, now: float) -> float:
        width = span / 12
        every = failed = 0.0
        for time, requests, failures in self.counted:
            back = int(now / width) - int(time / width)
            weight = 1.0 if back < 12 else 1 - now / width % 1 if back == 12 else 0.0
            every, failed = every + weight * requests, failed + weight * failures
        longer = max(span / max(now - self.counted[0][0], SPANS[0]), 1.0)
        allowed = max(rate * every * longer * (1 - self.objective), 1e-6)
        p = stats.poisson.sf(math.floor(failed + 0.01) - 1, allowed)
        return min(-math.log10(p), 300.0) if p > 0 else 300.0
