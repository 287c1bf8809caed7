"""Slow drifts that `drift` tells, beside river's ADWIN on the same samples and `shift`, made for steps."""

from __future__ import annotations

import pickle
import time as clock
from typing import Any

import numpy as np
from river.drift import ADWIN

from benchmarks.detection.together import wander
from detectors.base import Detector, Floats
from detectors.day import Day
from detectors.drift import YOUNG, Drift
from detectors.shift import Shift

DAY = 1440  # samples
DAYS, SERIES = 8, 24
BEGIN = 4 * 86400.0  # a Monday
DRIFTS = {"half_in_6_h": (0.5, 6), "one_in_24_h": (1.0, 24)}  # standard deviations of the series; hours
LOUD = 4.0
ADWINS = {
    "ADWIN, raw samples": (False, 0.002),
    "ADWIN, less the day": (True, 0.002),
    "... delta 1e-6": (True, 1e-6),
}


def run() -> dict[str, float]:
    """Print the share of drifts told within a day of their beginning, how late, and false alarms without."""
    found: dict[str, float] = {}
    print(f"{'':<34}{'told: 0.5 sd in 6 h':>20}{'1 sd in 24 h':>14}{'after, h':>10}{'false/series-day':>18}")
    for kind in ("white", "rhythm", "counts", "echo of 30 min"):
        value = _series(kind)
        at = np.random.default_rng(61).integers(5 * DAY, 6 * DAY, SERIES)
        drifted = {
            name: value + _ramps(size * value.std(), hours, at) for name, (size, hours) in DRIFTS.items()
        }
        # All three variants of the series go through one detector at once.
        every = np.concatenate((value, *drifted.values()), axis=1)
        told = {"drift": _told(Drift(), every), "shift": _told(Shift(), every)}
        told |= {name: _adwin(every, less, delta) for name, (less, delta) in ADWINS.items()}
        for name, bouts in told.items():
            quiet, *rest = np.split(bouts, len(DRIFTS) + 1, axis=1)
            false = float(quiet[2 * DAY :].sum()) / (SERIES * (DAYS - 2))
            hits, late = zip(*(_late(each, at) for each in rest), strict=True)
            print(f"{kind + ': ' + name:<34}{hits[0]:>20.2f}{hits[1]:>14.2f}{late[0]:>10.1f}{false:>18.3f}")
            if name in ("drift", "ADWIN, less the day"):
                key = f"{name.split(',')[0].lower()}_{kind.replace(' ', '_')}"
                found |= {f"{key}_{of}": hit for of, hit in zip(DRIFTS, hits, strict=True)}
                found |= {f"{key}_false_day": false, f"{key}_delay_h": late[0]}
    return found | _speed()


def _told(d: Detector, value: Floats) -> Floats:
    """Return 1 where a bout of surprise begins, (samples, series)."""
    series = np.arange(value.shape[1], dtype=np.int32)
    loud = np.array(
        [
            d.take_many(series, np.full(len(series), BEGIN + 60.0 * k), v)[0] >= LOUD
            for k, v in enumerate(value)
        ]
    )
    return np.concatenate((loud[:1], loud[1:] & ~loud[:-1])).astype(np.float64)


def _adwin(value: Floats, less: bool, delta: float) -> Floats:
    """Return 1 where river's ADWIN tells a change, of samples or of samples less the usual day."""
    if less:
        value = _less_day(value)
    found = np.zeros(value.shape)
    kind: Any = ADWIN
    for k in range(value.shape[1]):
        adwin = kind(delta=delta)
        for j, v in enumerate(value[:, k].tolist()):
            if v == v:
                adwin.update(v)
                found[j, k] = adwin.drift_detected
    return found


def _less_day(value: Floats) -> Floats:
    day, found = Day(), np.full(value.shape, np.nan)
    series = np.arange(value.shape[1], dtype=np.int32)
    for k, v in enumerate(value):
        at = np.full(len(series), BEGIN + 60.0 * k)
        usual = day.at(series, at)
        if 60.0 * k >= YOUNG:
            found[k] = v - usual
        day.learn(series, at, v)
    return found


def _late(told: Floats, at: Any) -> tuple[float, float]:
    """Return the share of drifts told within a day, and the median of hours that took."""
    late = [np.flatnonzero(told[t : t + DAY, k]) for k, t in enumerate(at)]
    hours = [float(each[0]) / 60 for each in late if len(each)]
    return len(hours) / len(late), float(np.median(hours)) if hours else float("nan")


def _ramps(size: float, hours: int, at: Any) -> Floats:
    found: Floats = size * np.clip((np.arange(DAYS * DAY)[:, None] - at) / (hours * 60), 0.0, 1.0)
    return found


def _series(kind: str) -> Floats:
    rng = np.random.default_rng([60, 1])
    n = DAYS * DAY
    noise: Floats = rng.normal(0, 1, (n, SERIES))
    if kind == "white":
        return noise
    echo = wander(rng, n, SERIES, 30.0)
    if kind == "echo of 30 min":
        return 0.6 * noise + 0.8 * echo
    day = np.sin(2 * np.pi * (np.arange(n)[:, None] / DAY + rng.uniform(0, 1, SERIES)))
    if kind == "counts":
        return rng.poisson(5 + 3 * day).astype(np.float64)
    return 2 * day + 0.9 * noise + 0.3 * echo


def _speed() -> dict[str, float]:
    """Print samples a second and bytes a series, and river's."""
    n = 100_000
    series, value = np.arange(n, dtype=np.int32), np.random.default_rng(0).normal(10, 1, (8, n))
    d = Drift()
    for k in range(0, 1590, 10):
        d.take_many(series, np.full(n, 60.0 * k), value[k % 8])
    begun = clock.process_time()
    for k in range(1590, 1620):
        d.take_many(series, np.full(n, 60.0 * k), value[k % 8])
    rate = 30 * n / (clock.process_time() - begun)
    size = len(pickle.dumps(d)) / n
    kind: Any = ADWIN
    adwin, given = kind(), value[0].tolist()
    begun = clock.process_time()
    for v in given:
        adwin.update(v)
    river = n / (clock.process_time() - begun)
    print(f"drift: {rate:,.0f} samples/s of {n:,} series, {size:.0f} bytes a series")
    print(f"river's ADWIN: {river:,.0f} samples/s of one series, {len(pickle.dumps(adwin)):,} bytes; no day")
    return {"samples_s": rate, "bytes_a_series": size, "adwin_samples_s": river}


if __name__ == "__main__":
    run()
