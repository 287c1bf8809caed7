"""What the tests of detectors share: series of noise, and a detector fed with them."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from detectors.base import Detector, Floats, Grouped, Rows

MINUTE = 60.0


def make(kind: str) -> Detector:
    module: Any = importlib.import_module(f"detectors.{kind}")
    found: Detector = module.build(module.Args())
    return found


def rows(n: int) -> Rows:
    return np.arange(n, dtype=np.int32)


def seated(d: Detector, n: int) -> Detector:
    """Return the detector; one that groups has its rows in one group, on both sides of it in turn."""
    if isinstance(d, Grouped):
        d.seat_many(rows(n), np.zeros(n, np.int32), rows(n) % 2)
    return d


def feed(d: Detector, values: Floats, start: float = 0.0, step: float = MINUTE) -> Floats:
    """Take (samples, series) values, all series at once; return their surprise in the same shape."""
    series = rows(values.shape[1])
    seated(d, len(series))
    return np.array(
        [d.take_many(series, np.full(len(series), start + k * step), v)[0] for k, v in enumerate(values)]
    )


def noise(samples: int, series: int, seed: int = 1) -> Floats:
    return np.random.default_rng(seed).normal(10.0, 1.0, (samples, series))


def constant(k: Floats) -> Floats:
    return np.full(len(k), 7.0)


def ramp(k: Floats) -> Floats:
    return 10.0 + 0.05 * k


def spike(k: Floats) -> Floats:
    return 10 + np.sin(k) + np.where(k == 400, 60.0, 0.0)


def step_up(k: Floats) -> Floats:
    return 10 + np.sin(k) + np.where(k >= 400, 60.0, 0.0)


def drop(k: Floats) -> Floats:
    return 100 + np.sin(k) - np.where((k >= 400) & (k < 403), 99.0, 0.0)
