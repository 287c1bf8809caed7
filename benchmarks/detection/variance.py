"""How soon `variance` tells a change of roughness and what it says without one, beside an F-test."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.ndimage import uniform_filter1d

from benchmarks.detection._changes import DAY, bouts, feed, quiet, rates, speed, told, told_by
from detectors.base import Floats
from detectors.variance import Variance

KINDS = ("normal", "AR(1) 0.9", "counts", "t, 3 degrees", "normal by day", "counts by day")
FACTORS = (2.0, 4.0, 0.5, 0.25)
SERIES, DAYS = 30, 4


def run() -> dict[str, float]:
    """Print what is told of new variances, and how often it is told of quiet series after two days."""
    found: dict[str, float] = {}
    print(
        f"{'':<16}{'variance':<10}{'caught':>8}{'delay':>7}{'90 %':>7}{'onset off':>11}  F-test: caught, late"
    )
    for kind in KINDS:
        mean, noise = quiet(kind, DAYS + 0.5, SERIES)
        late = np.arange(len(mean))[:, None] >= DAYS * DAY
        many = [mean + noise * np.where(late, np.sqrt(factor), 1.0) for factor in FACTORS]
        for factor, got, values in zip(FACTORS, told(Variance(), many, DAYS * DAY), many, strict=True):
            peer = told_by(f_test, values, DAYS * DAY)
            print(
                f"{kind:<16}x {factor:<8g}{got.caught:>8.0%}{got.delay:>7.0f}{got.late:>7.0f}"
                f"{got.onset:>11.0f}{peer.caught:>17.0%}{peer.delay:>7.0f}"
            )
            found |= got.figures(f"variance {kind}, x {factor:g}")
    print(f"\n{'quiet':<16}{'>= 1':>9}{'>= 2':>9}{'>= 3':>9}{'>= 4':>9}{'false a day':>18}{'F-test':>9}")
    for kind in KINDS:
        values = np.add(*quiet(kind, 8, SERIES, 6))
        rate = rates(feed(Variance(), values)[2 * DAY :])
        peer_rate = bouts(f_test(values)[2 * DAY :]) / (6 * SERIES)
        print(f"{kind:<16}" + rate.row() + f"{peer_rate:>9.2f}")
        found |= rate.figures(f"variance {kind}")
    found["variance samples_s"] = speed(Variance())
    print(f"\n{found['variance samples_s']:,.0f} samples/s, 624 B a series")
    return found


def f_test(values: Floats) -> Floats:
    """Return the surprise of the mean square of 30 differences beside the 300 before, were they normal."""
    square = np.diff(values, axis=0, prepend=values[:1]) ** 2
    short = uniform_filter1d(square, 30, axis=0, origin=14)
    long = np.roll(uniform_filter1d(square, 300, axis=0, origin=149), 30, axis=0)
    ratio = short / np.maximum(long, 1e-12)
    tail = 2 * np.minimum(special.fdtr(30, 300, ratio), special.fdtrc(30, 300, ratio))
    surprise: Floats = -np.log10(np.clip(tail, 1e-300, 1.0))
    surprise[:330] = np.nan
    return surprise
