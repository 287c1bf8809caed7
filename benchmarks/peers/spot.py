"""SPOT on both sides: what is over a high quantile follows a generalised Pareto law, fitted as it comes.

Siffer, Fouque, Termier and Largouet 2017, "Anomaly detection in streams with extreme value theory", KDD,
alg. 3 and sec. 4.3.2, with q = 1e-4 and the first 600 samples to begin from. The fit is Grimshaw's (1993)
maximum likelihood in one parameter, searched on a grid, each time the peaks have become 2 % more. What is
beyond the quantile q is not learned, as in the paper: a lasting change is alerted on for ever.
"""

from __future__ import annotations

import math

import numpy as np

from detectors.base import Floats

CLAIMS_P = True
FIRST = 600
LEVEL = 0.98  # quantile that a peak is over
RISK = 1e-4
MOST = 300.0  # surprise of what the fit holds for impossible

# Of shape over scale, as shares of its least, -1 / largest peak, and of 1 / mean peak.
BELOW = -1 + np.geomspace(1e-6, 0.999, 40)
ABOVE = np.geomspace(1e-4, 1e3, 40)


class Side:
    """The upper tail of a stream."""

    def __init__(self, first: Floats) -> None:
        self.count = len(first)
        self.edge = float(np.quantile(first, LEVEL))
        self.peaks = (first[first > self.edge] - self.edge).tolist()
        self._fit()

    def take(self, value: float) -> float:
        """Return the surprise of a sample, and learn it if it is no alarm."""
        over = value - self.edge
        if over <= 0:
            self.count += 1
            return 0.0
        surprise = self._surprise(over)
        if surprise >= -math.log10(RISK):
            return surprise
        self.count += 1
        self.peaks.append(over)
        if len(self.peaks) >= self.due:
            self._fit()
        return surprise

    def _surprise(self, over: float) -> float:
        if not self.peaks:
            return MOST
        inside = 1 + self.shape * over / self.scale
        if inside <= 0:
            return MOST
        beyond = math.log(inside) / self.shape if abs(self.shape) > 1e-6 else over / self.scale
        return min(MOST, max(0.0, beyond / math.log(10) - math.log10(len(self.peaks) / self.count)))

    def _fit(self) -> None:
        self.due = max(len(self.peaks) + 1, math.ceil(1.02 * len(self.peaks)))
        self.shape, self.scale = _pareto(np.array(self.peaks)) if self.peaks else (0.0, 1.0)


def score(value: Floats, cadence: float) -> Floats:
    found = np.full(len(value), np.nan)
    if len(value) <= FIRST:
        return found
    upper, lower = Side(value[:FIRST]), Side(-value[:FIRST])
    for k, v in enumerate(value[FIRST:].tolist(), FIRST):
        found[k] = either(upper.take(v), lower.take(-v))
    return found


def either(upper: float, lower: float) -> float:
    """Return the surprise of a sample as far out on one side or the other."""
    return max(0.0, max(upper, lower) - math.log10(2))


def _pareto(peaks: Floats) -> tuple[float, float]:
    """Return shape and scale that make the peaks (n,), all > 0, most likely."""
    ratio = np.r_[BELOW / peaks.max(), ABOVE / peaks.mean()]
    shape = np.log1p(ratio[:, None] * peaks).mean(axis=1)
    scale = shape / ratio
    likely = -np.log(scale) - shape - 1
    likely[shape <= -0.5] = -np.inf  # below, the likelihood has no proper maximum
    best = int(np.argmax(likely))
    if -math.log(peaks.mean()) - 1 >= likely[best]:
        return 0.0, float(peaks.mean())
    return float(shape[best]), float(scale[best])
