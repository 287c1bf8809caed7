"""Samples a second on one core and bytes a series: the shipped detector, compiled and not, and river."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from river.anomaly import GaussianScorer, HalfSpaceTrees
from river.time_series import HoltWinters

from detectors import seasonal
from detectors.base import Detector
from pipeline.commands.detect import shipped

ROOT = Path(__file__).parents[2]
SERIES = (1, 1_000, 100_000)
WARM, TICKS, TIMES = 60, 20, 3  # ticks of a minute; the best of so many times counts
ALONE = 10_000  # samples for what takes them one by one
START = 1.7e9
SEED = 7
DAY_OF_MINUTES = 1440

# In a process of its own, where numba is as if it were not installed.
NUMPY_ONLY = (
    "import sys; sys.modules['numba'] = None\n"
    "import json; from benchmarks.detection import speed; from pipeline.commands.detect import shipped\n"
    "print(json.dumps([speed.cost(shipped(), n) for n in speed.SERIES]))"
)


class Cost(NamedTuple):
    """What one detector takes."""

    samples_s: float
    bytes_a_series: float


def run() -> dict[str, float]:
    """Print the table and return its figures; CPU time, so that other load does not count."""
    print(f"{'':<34}{'series':>10}{'samples/s':>14}{'bytes a series':>16}")
    ran = subprocess.run([sys.executable, "-c", NUMPY_ONLY], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    found: dict[str, float] = {}
    for count, alone in zip(SERIES, json.loads(ran.stdout), strict=True):
        found |= _row("forewarn, numpy", count, Cost(*alone))
    as_installed = cost(shipped(), SERIES[-1])  # fewer in a call are not worth compiling
    if "numba" in sys.modules:
        found |= _row("forewarn, compiled", SERIES[-1], as_installed)
    else:
        print("forewarn, compiled: left out, the detector as installed brings no numba in")
    found |= _row("seasonal, numpy", SERIES[-1], cost(seasonal.build(seasonal.Args()), SERIES[-1]))
    for who, (model, take) in _models().items():
        found |= _row(f"river {who}", 1, _one_by_one(model, take))
    return found


def cost(detector: Detector, count: int) -> Cost:
    """Return what `count` settled series cost, a tick of all at once, with the turns of ten minutes."""
    values = np.random.default_rng(SEED).normal(10.0, 1.0, (TICKS, count))
    series = np.arange(count, dtype=np.int32)
    at = np.full(count, START)
    for k in range(WARM):
        detector.take_many(series, at + 60.0 * k, values[k % TICKS])
    best = np.inf
    for again in range(TIMES):
        begun = time.process_time()
        for k in range(TICKS):
            detector.take_many(series, at + 60.0 * (WARM + again * TICKS + k), values[k])
        best = min(best, time.process_time() - begun)
    return Cost(TICKS * count / best, len(pickle.dumps(detector)) / count)


def _models() -> dict[str, tuple[Any, Callable[[Any, float], None]]]:
    gaussian: Any = GaussianScorer
    winters: Any = HoltWinters
    daily = {"alpha": 0.1, "beta": 0.001, "gamma": 0.1, "seasonality": DAY_OF_MINUTES}

    def scored(model: Any, value: float) -> None:
        model.score_one(None, value)
        model.learn_one(None, value)

    def scored_of_many(model: Any, value: float) -> None:
        model.score_one({"value": value})
        model.learn_one({"value": value})

    def foreseen(model: Any, value: float) -> None:
        if model._initialized:
            model.forecast(1)
        model.learn_one(value)

    return {
        "GaussianScorer": (gaussian(), scored),
        "HalfSpaceTrees": (HalfSpaceTrees(n_trees=25, seed=SEED), scored_of_many),
        "HoltWinters": (winters(**daily), foreseen),
    }


def _one_by_one(model: Any, take: Callable[[Any, float], None]) -> Cost:
    values = np.random.default_rng(SEED).uniform(0.0, 1.0, ALONE).tolist()
    begun = time.process_time()
    for value in values:
        take(model, value)
    return Cost(ALONE / (time.process_time() - begun), len(pickle.dumps(model)))


def _row(who: str, series: int, found: Cost) -> dict[str, float]:
    print(f"{who:<34}{series:>10,}{found.samples_s:>14,.0f}{found.bytes_a_series:>16,.0f}", flush=True)
    name = f"{who.replace(', ', '_').replace(' ', '_')}_{series}"
    return {f"{name}_samples_s": found.samples_s, f"{name}_bytes_a_series": found.bytes_a_series}
