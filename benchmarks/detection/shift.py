"""How soon `shift` tells a lasting change and what it says without one, beside two windows' means."""

from __future__ import annotations

import numpy as np
from scipy import special
from scipy.ndimage import uniform_filter1d

from benchmarks.detection._changes import DAY, bouts, feed, quiet, rates, speed, told, told_by
from detectors.base import Floats
from detectors.shift import Shift

KINDS = ("normal", "AR(1) 0.5", "AR(1) 0.9", "counts", "normal by day", "counts by day")
CHANGES = {  # a step, and a slope a day, in standard deviations
    "0.5 sd": (0.5, 0.0),
    "1 sd": (1.0, 0.0),
    "2 sd": (2.0, 0.0),
    "3 sd a day": (0.0, 3.0),
    "10 sd a day": (0.0, 10.0),
}
SERIES, DAYS = 30, 4


def run() -> dict[str, float]:
    """Print what is told of steps and slopes, and how often it is told of quiet series after two days."""
    found: dict[str, float] = {}
    print(
        f"{'':<16}{'change':<13}{'caught':>8}{'delay':>7}{'90 %':>7}{'onset off':>11}   windows: caught, late"
    )
    for kind in KINDS:
        mean, noise = quiet(kind, DAYS + 0.5, SERIES)
        spread = float(np.sqrt((noise**2).mean()))
        since = np.arange(len(mean))[:, None] - DAYS * DAY
        many = [
            mean + noise + spread * np.where(since >= 0, step + slope * since / DAY, 0.0)
            for step, slope in CHANGES.values()
        ]
        for name, got, values in zip(CHANGES, told(Shift(), many, DAYS * DAY), many, strict=True):
            peer = told_by(windows, values, DAYS * DAY)
            print(
                f"{kind:<16}{name:<13}{got.caught:>8.0%}{got.delay:>7.0f}{got.late:>7.0f}{got.onset:>11.0f}"
                f"{peer.caught:>18.0%}{peer.delay:>7.0f}"
            )
            found |= got.figures(f"shift {kind}, {name}")
    print(f"\n{'quiet':<16}{'>= 1':>9}{'>= 2':>9}{'>= 3':>9}{'>= 4':>9}{'false a day':>18}{'windows':>9}")
    for kind in KINDS:
        values = np.add(*quiet(kind, 8, SERIES, 6))
        rate = rates(feed(Shift(), values)[2 * DAY :])
        peer_rate = bouts(windows(values)[2 * DAY :]) / (6 * SERIES)
        print(f"{kind:<16}" + rate.row() + f"{peer_rate:>9.2f}")
        found |= rate.figures(f"shift {kind}")
    found["shift samples_s"] = speed(Shift())
    print(f"\n{found['shift samples_s']:,.0f} samples/s, 1,168 B a series")
    return found


def windows(values: Floats) -> Floats:
    """Return the surprise of the mean of the last 30 samples beside the 300 before, were they independent."""
    short = uniform_filter1d(values, 30, axis=0, origin=14)
    long = np.roll(uniform_filter1d(values, 300, axis=0, origin=149), 30, axis=0)
    square = np.roll(uniform_filter1d(values**2, 300, axis=0, origin=149), 30, axis=0)
    spread = np.sqrt(np.maximum(square - long**2, 1e-12) * (1 / 30 + 1 / 300))
    surprise: Floats = -(special.log_ndtr(-np.abs(short - long) / spread) + np.log(2)) / np.log(10)
    surprise[:330] = np.nan
    return surprise
