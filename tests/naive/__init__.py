"""Slow twins of fast code, so plain that they need no test; compared with it on random input."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

NAN = math.nan


@dataclass
class NaiveSeasonal:
    """detectors/seasonal.py for one series, one sample at a time, with its default arguments."""

    seen: int = 0
    last: float = 0.0
    cadence: float = 0.0
    level: float = 0.0
    stray: float = 0.0
    profile: dict[int, float] = field(default_factory=dict)
    offset: float = 0.0
    season_stray: float = 0.0
    season_seen: int = 0
    edge: list[float] = field(default_factory=lambda: [math.log(2.6), math.log(2.6)])
    stretch: list[float] = field(default_factory=lambda: [0.25, 0.25])
    near: float = 0.0
    near_stray: float = 0.0
    out: int = 0
    out_since: float = 0.0
    bucket: int = 0
    visit: list[float] = field(default_factory=list)

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        expected, spread, season = self.guess(time)
        known = self.seen >= 60
        if not abs(value) <= 1e30:
            return NAN, expected if known else NAN
        distance = (value - expected) / spread
        surprise = self.surprise(distance) if known else NAN
        self.learn(time, value, distance, spread, season, surprise)
        return surprise, expected if known else NAN

    def guess(self, time: float) -> tuple[float, float, float | None]:
        season = self.profile.get(int(time % 86400 / 900))
        believed = season is not None and self.season_seen >= 60 and self.season_stray < self.stray
        expected = season + self.offset if season is not None and believed else self.level
        stray = self.season_stray if believed else self.stray
        return expected, max(1.2533 * stray, 1e-3 * abs(expected), 1e-9), season

    def surprise(self, distance: float) -> float:
        side = 1 if distance > 0 else 0
        log, far = math.log(max(abs(distance), 1e-9)), math.log(1e3)
        over = (log if log < far else far + 0.1 * (log - far)) - self.edge[side]
        if over > 0:
            return -math.log10(0.02) + over / self.stretch[side] / math.log(10)
        return -math.log10(0.02) * math.exp(1.5 * over)

    def learn(
        self, time: float, value: float, distance: float, spread: float, season: float | None, surprise: float
    ) -> None:
        step = max(time - self.last, 0.0) if self.seen else 0.0
        if self.seen == 1:
            self.cadence = step
        elif self.seen > 1:
            self.cadence += 0.05 * (min(step, 4 * self.cadence) - self.cadence)
        self.last = max(time, self.last) if self.seen else time
        self.learn_tail(distance)
        self.learn_day(time, value)
        self.learn_level(value, spread, season, odd=surprise >= 3)
        self.relearn(time, season, odd=surprise >= 3)
        self.seen += 1

    def learn_tail(self, distance: float) -> None:
        if self.out or self.seen < 30:
            return
        rate = 3 / min(self.seen + 100, 6000)
        for side, away in ((0, -distance), (1, distance)):
            over = math.log(max(away, 1e-9)) - self.edge[side]
            if over > 0:
                excess = min(over, 4 * self.stretch[side] + 0.5)
                self.stretch[side] += 0.05 * (excess - self.stretch[side])
            self.stretch[side] = min(max(self.stretch[side], 0.13), 10.0)
            self.edge[side] += rate * (0.99 if over > 0 else -0.01)
            self.edge[side] = max(self.edge[side], math.log(2.33))

    def learn_day(self, time: float, value: float) -> None:
        bucket = int(time % 86400 / 900)
        if self.visit and bucket != self.bucket:
            mean = sum(self.visit) / len(self.visit)
            old = self.profile.get(self.bucket)
            kept = mean if old is None else old + 0.3 * (mean - old)
            self.profile[self.bucket] = float(np.float32(kept))
            self.visit = []
        self.visit.append(value)
        self.bucket = bucket

    def learn_level(self, value: float, spread: float, season: float | None, odd: bool) -> None:
        young = 0.0 if odd else 1 / (self.seen + 1)
        pace = max(min(self.cadence / 1800, 1 / 30), young)
        far = math.inf if self.seen < 10 else 4 * spread
        if self.seen == 0:
            self.level = self.near = value
        miss = min(max(value - self.level, -far), far)
        self.level += pace * miss
        self.stray += max(pace / 4, young) * (abs(miss) - self.stray)
        if season is not None:
            if self.season_seen == 0:
                self.offset = self.level - season
            young_season = 0.0 if odd else 1 / (self.season_seen + 1)
            miss = min(max(value - season - self.offset, -far), far)
            self.offset += max(pace, min(young_season, 1 / 30)) * miss
            self.season_stray += max(max(pace / 4, young), young_season) * (abs(miss) - self.season_stray)
            self.season_seen += 1
        quick = max(0.1, 1 / (self.seen + 1))
        self.near_stray += quick * (abs(value - self.near) - self.near_stray)
        self.near += quick * (value - self.near)

    def relearn(self, time: float, season: float | None, odd: bool) -> None:
        if odd and self.out == 0:
            self.out_since = time
        self.out = self.out + 1 if odd else max(self.out - 2, 0)
        if self.out < 20 or time - self.out_since < 1200:
            return
        self.out = 0
        self.level, self.stray = self.near, self.near_stray
        self.season_stray = max(self.near_stray, self.season_stray)
        if season is not None:
            self.offset = self.near - season
