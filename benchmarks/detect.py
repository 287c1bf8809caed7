"""Samples a second that the detectors take on one core, beside a plain twin and river."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from river.anomaly import GaussianScorer

from detectors.base import Detector
from detectors.novelty import Novelty
from detectors.seasonal import BUCKETS, ROW, Args, Seasonal
from tests.naive import NaiveSeasonal

TICKS = 6  # each a sample of every series
ALONE = 3_000  # samples given one by one to what takes them one by one


def run() -> dict[str, Any]:
    """Print the table and return its figures; CPU time, so that other load does not count."""
    values = np.random.default_rng(0).normal(10.0, 1.0, (TICKS, 100_000))
    scorer: Any = GaussianScorer
    river = _rate(ALONE, _one_by_one(scorer(), values))
    plain = _rate(ALONE, _twin(values))
    found: dict[str, Any] = {
        "bytes_a_series": ROW.itemsize + BUCKETS * 4,
        "river_gaussian_samples_s": river,
        "plain_twin_samples_s": plain,
    }
    print(f"{'':<28}{'samples/s':>12}{'times river':>14}{'times plain':>14}")
    for name, rate in (("river GaussianScorer", river), ("plain twin", plain)):
        print(f"{name:<28}{rate:>12,.0f}{rate / river:>14.1f}{rate / plain:>14.1f}")
    for series in (10_000, 100_000):
        for kind, detector in (("seasonal", Seasonal(Args())), ("novelty", Novelty())):
            rate = _many(detector, values[:, :series])
            found[f"{kind}_{series}_samples_s"] = rate
            name = f"{kind}, {series:,} series"
            print(f"{name:<28}{rate:>12,.0f}{rate / river:>14.0f}{rate / plain:>14.0f}")
    print(f"{found['bytes_a_series']} bytes a series")
    return found


def _many(detector: Detector, values: Any) -> float:
    series = np.arange(values.shape[1], dtype=np.int32)
    at = np.full(len(series), 1.7e9)
    detector.take_many(series, at, values[0])

    def take() -> None:
        for k in range(1, TICKS):
            detector.take_many(series, at + 60.0 * k, values[k])

    return _rate((TICKS - 1) * len(series), take)


def _one_by_one(scorer: Any, values: Any) -> Callable[[], None]:
    given = [float(v) for v in values.ravel()[:ALONE]]

    def take() -> None:
        for value in given:
            scorer.score_one(None, value)
            scorer.learn_one(None, value)

    return take


def _twin(values: Any) -> Callable[[], None]:
    given, twin = [float(v) for v in values.ravel()[:ALONE]], NaiveSeasonal()

    def take() -> None:
        for k, value in enumerate(given):
            twin.take(1.7e9 + 60.0 * k, value)

    return take


def _rate(samples: int, take: Callable[[], None]) -> float:
    begun = time.process_time()
    take()
    return samples / (time.process_time() - begun)
