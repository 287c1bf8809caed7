"""Series on which nothing happens, of many shapes, from written seeds: what no detector should alert on."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from scipy.signal import lfilter

from detectors.base import Floats

DAY = 86400.0
START = 1.7e9
CADENCES = (15.0, 60.0, 300.0)

Chance: TypeAlias = np.random.Generator
Shape: TypeAlias = Callable[[Chance, Floats], Floats]  # times (n,) -> values (n,)


class Quiet(NamedTuple):
    """One series on which nothing happens."""

    shape: str
    time: Floats
    value: Floats


def series(samples: int, seeds: int) -> list[Quiet]:
    """Return `seeds` series of every shape; the cadence turns with the seed."""
    found = []
    for number, (name, shape) in enumerate(SHAPES.items()):
        for seed in range(seeds):
            time = START + CADENCES[(seed + number) % len(CADENCES)] * np.arange(samples, dtype=np.float64)
            found.append(Quiet(name, time, shape(np.random.default_rng([number, seed]), time)))
    return found


def _day(time: Floats) -> Floats:
    """Return a customer's day, 0 to 1: busiest at 15:00, and a second hump in the evening."""
    turn = 2 * np.pi * time / DAY
    wave = np.sin(turn - 2.4) + 0.3 * np.sin(2 * turn + 0.5)
    return np.asarray((wave + 1.3) / 2.6)


def _week(time: Floats) -> Floats:
    """Return the same with Saturdays and Sundays at 60 %."""
    day = (time // DAY + 4) % 7  # 1970 began on a Thursday
    return np.asarray(_day(time) * np.where((day == 0) | (day == 6), 0.6, 1.0))


def _wander(chance: Chance, n: int, keep: float) -> Floats:
    """Return noise that keeps so much of itself from sample to sample, of variance 1."""
    return np.asarray(lfilter([np.sqrt(1 - keep * keep)], [1, -keep], chance.normal(size=n)))


def _collected(chance: Chance, time: Floats) -> Floats:
    """Memory that grows and is collected about every 200 samples."""
    grown = np.cumsum(chance.gamma(4.0, 0.25, len(time)))
    return 300 + np.mod(grown, 200.0) + chance.normal(0, 2, len(time))


def _backup(chance: Chance, time: Floats) -> Floats:
    """Disk traffic with a job for ten minutes of every hour."""
    busy = time % 3600 < 600
    return np.asarray(np.where(busy, 80.0, 10.0) * chance.lognormal(0, 0.1, len(time)))


def _hours(chance: Chance, time: Floats) -> Floats:
    """Open from eight to six."""
    open_now = (time % DAY >= 8 * 3600) & (time % DAY < 18 * 3600)
    return np.asarray(np.where(open_now, 500.0, 40.0) + chance.normal(0, 8, len(time)))


# A rate of requests, queue lengths, latencies, shares, memory: what a company's series look like.
SHAPES: dict[str, Shape] = {
    "normal": lambda c, t: c.normal(10, 1, len(t)),
    "uniform": lambda c, t: c.uniform(0, 1, len(t)),
    "laplace": lambda c, t: c.laplace(50, 3, len(t)),
    "student t, 4 degrees": lambda c, t: 20 + c.standard_t(4, len(t)),
    "log-normal latency": lambda c, t: c.lognormal(-2, 0.4, len(t)),
    "exponential": lambda c, t: c.exponential(3.0, len(t)),
    "counts about 0.3": lambda c, t: c.poisson(0.3, len(t)).astype(np.float64),
    "counts about 20": lambda c, t: c.poisson(20, len(t)).astype(np.float64),
    "rounded": lambda c, t: np.round(c.normal(5, 1.2, len(t))),
    "share of errors": lambda c, t: c.binomial(400, 0.01, len(t)) / 400,
    "wanders, 0.9": lambda c, t: 100 + 5 * _wander(c, len(t), 0.9),
    "wanders, 0.99": lambda c, t: 100 + 5 * _wander(c, len(t), 0.99),
    "day, even noise": lambda c, t: 200 + 100 * _day(t) + c.normal(0, 5, len(t)),
    "day, noise grows with it": lambda c, t: 1e6 * (0.1 + _day(t)) * c.lognormal(0, 0.05, len(t)),
    "day of counts": lambda c, t: c.poisson(3 + 60 * _day(t)).astype(np.float64),
    "day that wanders": lambda c, t: 50 + 20 * _day(t) + _wander(c, len(t), 0.95),
    "week, even noise": lambda c, t: 200 + 100 * _week(t) + c.normal(0, 5, len(t)),
    "week of counts": lambda c, t: c.poisson(5 + 200 * _week(t)).astype(np.float64),
    "office hours": _hours,
    "job every hour": _backup,
    "memory, collected": _collected,
    "flat": lambda c, t: np.full(len(t), 42.0),
}
