"""detectors/stuck.py and gaps.py for one series, one sample at a time, from lists of the runs that ended."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DAY = 86400.0
NAN = math.nan


@dataclass
class NaiveRuns:
    """Every run that ended, with what it counts for."""

    ended: list[list[float]] = field(default_factory=list)  # [length, weight]
    period: float = 0.0

    def end(self, time: float, length: float, odd: float) -> None:
        if time // (14 * DAY) != self.period:
            self.period = time // (14 * DAY)
            for run in self.ended:
                run[1] /= 2
        self.ended.append([min(length, 10 * odd) if odd else length, 1.0])

    def count(self) -> float:
        return sum(weight for _, weight in self.ended)


def surprise_of(runs: list[list[float]], length: float) -> float:
    """Return -log10 of the share of samples that are in a run of at least that length."""
    total = sum(weight for _, weight in runs)
    if length <= 0 or total < 20:
        return 0.0
    alive, before = [1.0], total
    for k in range(60):
        reached = sum(weight for run, weight in runs if run >= 2**k) if k < 18 else 0.0
        alive.append(alive[-1] * ((reached + 0.1) / (before + 1) if k < 18 else 0.1))
        before = reached
    deep = [
        sum(2**j * (alive[j + 1] + alive[j + 2]) / 2 for j in range(k, 17))
        + 2**17 * (alive[18] + alive[19]) / 2 / 0.8
        for k in range(18)
    ]
    share = [0.0] + [-math.log10(d / (1 + deep[0])) for d in deep]
    edges = [0.0] + [2.0**k for k in range(18)]
    k = max(j for j in range(18) if edges[j] <= length)
    within = (length - edges[k]) / (edges[k + 1] - edges[k])
    return max(share[k] + min(within, 1.0) * (share[k + 1] - share[k]), 0.0) - math.log10(0.2) * math.log2(
        max(length / 2**17, 1.0)
    )


@dataclass
class NaiveStuck:
    """One series with the default arguments."""

    seen: int = 0
    last: float = NAN
    run: int = 0
    odd: int = 0
    rest: float = 0.0
    votes: int = 0
    level: float = 0.0
    moving: NaiveRuns = field(default_factory=NaiveRuns)
    resting: NaiveRuns = field(default_factory=NaiveRuns)

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        expected = self.level if self.seen >= 60 else NAN
        if not abs(value) <= 1e18:
            return NAN, expected
        surprise = self.surprise(value) if self.seen >= 60 else NAN
        if value == self.last:
            self.run += 1
            if not self.odd and surprise >= 4:
                self.odd = self.run
        else:
            self.move(time, value)
        self.seen += 1
        return surprise, expected

    def surprise(self, value: float) -> float:
        if value != self.last:
            return 0.0
        runs = self.moving.ended
        if value == self.rest:
            runs = self.resting.ended if self.resting.count() >= 20 else runs + self.resting.ended
        return surprise_of(runs, self.run + 1)

    def move(self, time: float, value: float) -> None:
        if self.seen:
            if self.run >= 8:
                self.votes = min(self.votes + (1 if self.last == self.rest else -1), 100)
                if self.votes < 0:
                    self.rest, self.votes = self.last, 1
            table = self.resting if self.last == self.rest else self.moving
            table.end(time, self.run, self.odd)
        self.level += max(0.01, 1 / (self.seen + 1)) * (value - self.level)
        self.last, self.run, self.odd = value, 0, 0
