"""What the benches of lasting changes share: quiet series, and how soon a change in them is told."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from detectors.base import Detector, Floats, Telling

STEP = 60.0  # s between samples
DAY = 1440  # samples
LOUD = 4.0

Score: TypeAlias = Callable[[Floats], Floats]  # values (samples, series) -> surprise


class Told(NamedTuple):
    """How a change that was put into all series was told, where it was within half a day."""

    caught: float  # share of series
    delay: float  # samples, median
    late: float  # samples, 90 %
    onset: float  # samples, median of the distance between the estimate and the truth

    def figures(self, name: str) -> dict[str, float]:
        return {
            f"{name}: caught": self.caught,
            f"{name}: delay": self.delay,
            f"{name}: onset off": self.onset,
        }


class Rates(NamedTuple):
    """How often quiet series are surprising."""

    at: tuple[float, ...]  # share of samples with a surprise of 1, 2, 3 and 4
    false: float  # bouts a series-day

    def row(self) -> str:
        return "".join(f"{rate:>9.1e}" for rate in self.at) + f"{self.false:>18.3f}"

    def figures(self, name: str) -> dict[str, float]:
        return {f"{name}: false a series-day": self.false, f"{name}: share at 4": self.at[3]}


def quiet(kind: str, days: float, series: int, seed: int = 5) -> tuple[Floats, Floats]:
    """Return what is expected and the noise about it, (samples, series); their sum is the series."""
    chance = np.random.default_rng(seed)
    n = int(days * DAY)
    wave = np.sin(2 * np.pi * np.arange(n)[:, None] / DAY + chance.uniform(0, 6, series))
    if kind == "counts":
        return np.full((n, series), 5.0), np.asarray(chance.poisson(5.0, (n, series)) - 5.0, np.float64)
    if kind == "counts by day":
        mean: Floats = 50 * (1 + 0.8 * wave)
        return mean, np.asarray(chance.poisson(mean) - mean, np.float64)
    keep = {"AR(1) 0.5": 0.5, "AR(1) 0.9": 0.9}.get(kind, 0.0)
    heavy = kind == "t, 3 degrees"
    noise: Floats = chance.standard_t(3, (n, series)) if heavy else chance.normal(0.0, 1.0, (n, series))
    for k in range(1, n if keep else 0):
        noise[k] = keep * noise[k - 1] + np.sqrt(1 - keep * keep) * noise[k]
    mean = 100 + (20.0 if kind == "normal by day" else 0.0) * wave
    return mean, noise


def feed(d: Detector, values: Floats, start: int = 0) -> Floats:
    rows = np.arange(values.shape[1], dtype=np.int32)
    return np.array(
        [d.take_many(rows, np.full(len(rows), (start + k) * STEP), v)[0] for k, v in enumerate(values)]
    )


def bouts(surprise: Floats) -> int:
    """Count the times that a series is loud after half an hour in which it was not."""
    loud, last, found = surprise >= LOUD, np.full(surprise.shape[1], -1000), 0
    for k, now in enumerate(loud):
        found += int((now & (k - last > 30)).sum())
        last[now] = k
    return found


def told(d: Detector, many: list[Floats], change: int) -> list[Told]:
    """Feed the series, all quiet before sample `change`, and say for each kind of them how it was told."""
    values = np.hstack(many)
    feed(d, values[:change])
    rows = np.arange(values.shape[1], dtype=np.int32)
    late, onset = np.full((2, len(rows)), np.nan)
    for k in range(change, len(values)):
        surprise, _ = d.take_many(rows, np.full(len(rows), k * STEP), values[k])
        for row in np.flatnonzero((surprise >= LOUD) & np.isnan(late)):
            late[row] = k - change
            if isinstance(d, Telling):
                onset[row] = d.facts_of(int(row), k * STEP, values[k, row]).onset / STEP - change
    cut = np.cumsum([v.shape[1] for v in many])[:-1]
    return [_told(*each) for each in zip(np.split(late, cut), np.split(onset, cut), strict=True)]


def told_by(score: Score, values: Floats, change: int) -> Told:
    loud = score(values)[change:] >= LOUD
    late = np.where(loud.any(axis=0), loud.argmax(axis=0), np.nan)
    return _told(late, np.full(len(late), np.nan))


def rates(surprise: Floats) -> Rates:
    at = tuple(float((surprise >= k).mean()) for k in (1, 2, 3, 4))
    return Rates(at, bouts(surprise) * DAY / surprise.size)


def speed(d: Detector, series: int = 20_000) -> float:
    """Return samples a second of CPU time, after the warm-up."""
    values = np.random.default_rng(1).normal(10.0, 1.0, (75, series))
    feed(d, values[:70])
    before = clock.process_time()
    feed(d, values[70:], 70)
    return 5 * series / (clock.process_time() - before)


def _told(late: Floats, onset: Floats) -> Told:
    if np.isnan(late).all():
        return Told(0.0, np.nan, np.nan, np.nan)
    off = float(np.nanmedian(np.abs(onset))) if np.isfinite(onset).any() else np.nan
    share = float(np.isfinite(late).mean())
    return Told(share, float(np.nanmedian(late)), float(np.nanquantile(late, 0.9)), off)
