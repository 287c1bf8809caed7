"""What the tests of detectors share: series of noise, and a detector fed with them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from detectors.base import Detector, Floats, Grouped, Rows

MINUTE = 60.0

# What a kind is fed with in the place of values about 10, where those would mean that something is wrong.
FED: dict[str, Callable[[Floats], Floats]] = {
    "burn": lambda values: values * np.where(np.arange(values.shape[1]) % 2, 1e-4, 1.0),  # failed of all
}


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
    at = start + step * np.arange(len(values))
    return np.array(
        [d.take_many(series, np.full(len(series), t), v)[0] for t, v in zip(at, fed(d, values), strict=True)]
    )


def fed(d: Detector, values: Floats) -> Floats:
    """Return the values as the detector's kind is to have them."""
    kind = type(d).__module__.rpartition(".")[2]
    return FED[kind](values) if kind in FED else values


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
