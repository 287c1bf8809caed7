"""Slow twins of detectors/day.py, past.py and cusum.py, for one series and one sample at a time."""

from __future__ import annotations

import math

import numpy as np

NAN = math.nan


class NaiveDay:
    """The day in half hours, with the mean of what was seen in each."""

    def __init__(self) -> None:
        self.cells: dict[tuple[bool, int], float] = {}
        self.visit: list[float] = []
        self.where = (False, 0)

    def place(self, time: float) -> tuple[bool, int, float]:
        through = time % 86400 / 1800
        return (time // 86400 + 3) % 7 >= 5, int(through), through - int(through)

    def cell(self, weekend: bool, cell: int) -> float:
        own = self.cells.get((weekend, cell % 48))
        return self.cells.get((not weekend, cell % 48), NAN) if own is None else own

    def at(self, time: float) -> float:
        weekend, cell, through = self.place(time)
        before, own, after = (self.cell(weekend, cell + k) for k in (-1, 0, 1))
        to, fro = after - own, own - before
        if not abs(to - fro) <= 0.5 * (abs(to) + abs(fro)):
            return own
        return own + (through - 0.5) * (to if through > 0.5 else fro)

    def about(self, time: float) -> float:
        weekend, cell, _ = self.place(time)
        shown = [c for k in range(-2, 3) if not math.isnan(c := self.cell(weekend, cell + k))]
        return sum(shown) / len(shown) if shown else NAN

    def learn(self, time: float, value: float) -> None:
        weekend, cell, _ = self.place(time)
        if self.visit and (weekend, cell) != self.where:
            mean = sum(self.visit) / len(self.visit)
            old = self.cells.get(self.where)
            self.cells[self.where] = float(np.float32(mean if old is None else old + 0.2 * (mean - old)))
            self.visit = []
        self.visit.append(value)
        self.where = (weekend, cell)


class NaiveSums:
    """Page's sums, and how high their excursions usually go."""

    def __init__(self, lift: list[float], usual: list[float], share: float) -> None:
        self.lift, self.usual, self.share = lift, usual, share
        self.sum, self.peak, self.age, self.ends = ([0.0] * len(lift) for _ in range(4))
        self.reach = list(usual)

    def surprise(self, sums: list[float]) -> tuple[float, int]:
        """Return the surprise of the sums and which of them is the highest for its tail."""
        heights = [
            s / max(r / u, 0.8) + extra if s > 0 else 0.0
            for s, r, u, extra in zip(sums, self.reach, self.usual, self.lift, strict=True)
        ]
        best = heights.index(max(heights))
        rare = self.share * math.exp(-heights[best])
        if rare < 1e-9:
            return (heights[best] - math.log(self.share)) / math.log(10), best
        return -math.log10(1 - math.exp(-rare)), best

    def learn(self, sums: list[float], apart: float, again: bool) -> None:
        for j, new in enumerate(sums):
            self.age[j] = self.age[j] + apart if new > 0 and self.sum[j] > 0 else 0.0
            self.peak[j] = max(self.peak[j], new)
            if new > 0 and not again:
                self.sum[j] = new
                continue
            if self.peak[j] > 1:
                self.ends[j] = min(self.ends[j] + 1, 100)
                excess = min(self.peak[j] - 1, 5 * self.reach[j])
                self.reach[j] += (excess - self.reach[j]) / (self.ends[j] + 10)
            self.sum[j] = self.peak[j] = 0.0


class NaiveTold:
    """Since when a change is told."""

    def __init__(self, least: int) -> None:
        self.least, self.told, self.since = least, NAN, 0

    def tell(self, surprise: float, time: float) -> bool:
        """Return whether the change has lasted and is the new base."""
        if not math.isnan(self.told) and surprise >= 1:
            self.since += 1
        else:
            self.since, self.told = 0, time if surprise >= 4 else NAN
        done = time - self.told >= 600 and self.since >= self.least
        self.told = NAN if done else self.told
        return done


class NaivePast:
    """All samples since it began, in whole blocks of sixteen; only the last 64 blocks count."""

    def __init__(self) -> None:
        self.samples: list[float] = []

    def bend(self, slope: float) -> tuple[float, float] | None:
        """Return how many samples ago the slope began and what it is, or None where a step fits as well."""
        full = len(self.samples) // 16
        blocks = [float(np.mean(self.samples[16 * k : 16 * k + 16])) for k in range(full)][-64:]
        n = len(blocks)
        if n < 8:
            return None
        mean = [float(np.float32(b)) - 16 * slope * k for k, b in enumerate(blocks)]
        steps = [
            self.left(mean, [min(max(k - onset + part, 0.0), 1.0) for k in range(n)])[0]
            for onset in range(1, n)
            for part in (0.3, 0.7, 1.0)
        ]
        bends = [
            (*self.left(mean, [max(k - onset + 0.5, 0.0) for k in range(n)]), onset)
            for onset in range(1, n - 5)
        ]
        rest, gain, onset = min(bends)
        if rest <= 0 or n / 2 * math.log(min(steps) / rest) < 3:
            return None
        return (n - onset) * 16 + len(self.samples) % 16, slope + gain / 16

    def left(self, mean: list[float], shape: list[float]) -> tuple[float, float]:
        """Return the squares that a level and so much of a shape leave of it, and how much."""
        level_and_gain = np.linalg.lstsq(np.column_stack((np.ones(len(shape)), shape)), mean, rcond=None)[0]
        fitted = level_and_gain[0] + level_and_gain[1] * np.array(shape)
        return float(((np.array(mean) - fitted) ** 2).sum()), float(level_and_gain[1])
