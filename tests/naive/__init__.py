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


@dataclass
class NaiveTail:
    """Where 2 % of distances begin, and how far they reach."""

    edge: float = 0.0
    stretch: float = 0.5
    seen: int = 0

    def take(self, distance: float) -> float:
        over = math.log(distance + 0.01) - self.edge
        if over > 0:
            p = -math.log10(0.02) + over / max(self.stretch, 0.3) / math.log(10)
        else:
            p = -math.log10(0.02) * math.exp(1.5 * over)
        step = 3 * max(0.0002, 1 / (self.seen + 1))
        if self.seen == 0:
            self.edge += over - 0.02 * step
        elif over > 0:
            excess = min(over, 4 * self.stretch + 0.5)
            self.stretch += max(0.004, 1 / (0.02 * self.seen + 2)) * (excess - self.stretch)
            self.edge += 0.98 * step
        else:
            self.edge -= 0.02 * step
        self.seen += 1
        return p


@dataclass
class NaiveNovelty:
    """detectors/novelty.py for one series, one sample at a time, with its default arguments."""

    seen: int = 0
    last: float = 0.0
    cadence: float = 0.0
    mean: dict[int, float] = field(default_factory=dict)  # by the samples it is over
    quick: float = 0.0
    level: float = 0.0
    stray: float = 0.0
    variance: float = 0.0
    offset: float = 0.0
    rest: float = 0.0
    usual: float = 0.0
    leap: float = 0.0
    before: float = 0.0
    day_tail: NaiveTail = field(default_factory=NaiveTail)
    leap_tail: NaiveTail = field(default_factory=NaiveTail)
    daily: dict[int, float] = field(default_factory=dict)
    hourly: dict[int, float] = field(default_factory=dict)
    hits: dict[int, int] = field(default_factory=dict)
    past: list[list[float]] = field(default_factory=list)  # all signals
    spans: dict[int, list[tuple[float, float]]] = field(default_factory=dict)  # value and rest of two hours

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, learning the sample."""
        bucket, hour, span = (int(time % 86400 / s) for s in (600, 3600, 7200))
        known = self.seen >= 60
        if not abs(value) <= 1e18:
            return NAN, self.expected(bucket) if known else NAN
        if self.seen == 0:
            self.mean = dict.fromkeys((10, 30, 100), value)
            self.quick = self.level = value
        self.learn_cadence(time)
        expected = self.expected(bucket)
        c = self.from_day(value, expected, bucket, hour) + self.from_leap(value)
        signals = self.follow(value, value - expected)
        evidence = self.evidence(signals, span)
        surprise = max(0.6 * c + 0.4 * self.before - 4, 0) + 10 * min(self.seen / 600, 1) * evidence
        self.before = c
        self.seen += 1
        return (surprise, expected) if known else (NAN, NAN)

    def pace(self, least: float) -> float:
        return max(least, 1 / (self.seen + 1))

    def expected(self, bucket: int) -> float:
        return self.daily[bucket] + self.offset if bucket in self.daily else self.quick

    def learn_cadence(self, time: float) -> None:
        step = max(time - self.last, 0)
        if self.seen == 1:
            self.cadence = step
        elif self.seen > 1:
            self.cadence += 0.05 * (min(step, 4 * self.cadence) - self.cadence)
        self.last = time

    def from_day(self, value: float, expected: float, bucket: int, hour: int) -> float:
        hits, hourly = self.hits.get(hour, 0), self.hourly.get(hour, 0.0)
        usual = (hourly + self.usual) / 2 if hits >= 10 else self.usual
        spread = 1.25 * max(usual, 1e-3 * abs(expected), 1e-9)
        size = abs(value - expected)
        p = self.day_tail.take(size / spread)
        size = size if self.seen < 600 else min(size, 4 * spread)
        self.usual += self.pace(0.002) * (size - self.usual)
        if bucket not in self.daily:
            self.daily[bucket] = value
            return p
        self.hits[hour] = hits + 1
        self.hourly[hour] = hourly + max(0.01, 1 / (hits + 1)) * (size - hourly)
        self.offset += 0.02 * (value - expected)
        share = max(self.cadence, 600.0)
        count = min(2 + (hits + 1) * share / 3600, max(10 * share / max(self.cadence, 1e-3), 10))
        self.daily[bucket] += (value - self.daily[bucket]) / count
        return p

    def from_leap(self, value: float) -> float:
        leap = value - self.quick
        spread = 1.25 * max(self.leap, 1e-3 * abs(self.level), 1e-9)
        p = self.leap_tail.take(abs(leap) / spread)
        size = abs(leap) if self.seen < 600 else min(abs(leap), 4 * spread)
        self.leap += self.pace(0.002) * (size - self.leap)
        self.quick += self.pace(0.3) * leap
        self.variance += self.pace(0.05) * (leap**2 - self.variance)
        return p

    def follow(self, value: float, off: float) -> list[float]:
        for n, pace in ((10, 0.1), (30, 0.033), (100, 0.01)):
            self.mean[n] += self.pace(pace) * (value - self.mean[n])
        self.rest += self.pace(0.1) * (off - self.rest)
        self.level += self.pace(0.001) * (value - self.level)
        self.stray += self.pace(0.001) * (abs(value - self.level) - self.stray)
        rough = math.log(self.variance + 1e-4 * self.stray**2 + 1e-12)
        m10, m30, m100 = self.mean.values()
        return [value, m10, m100, off, self.rest, rough, m10 - m30, m30 - m100]

    def evidence(self, signals: list[float], span: int) -> float:
        """Sum what exceeds all that is remembered; without the forgetting of what is over 28 days old."""
        if self.seen < 20:
            return 0.0
        past, total = self.past, 0.0
        about = [self.spans.get((span + k) % 12, []) for k in (-1, 0, 1)]
        shown = sum(self.hits.get((2 * span + k) % 24, 0) for k in range(-2, 4)) >= 40
        weights = (1, 1, 0.3, 1, 1, 1, 1, 1)
        for k, signal in enumerate(signals if past else []):
            seen = [p[k] for p in past]
            width = max(seen) - min(seen) + 1e-3 * abs(signal) + 1e-9
            total += weights[k] * evidence_of(signal, seen, width)
            here = [pair[k > 0] for part in about for pair in part]
            if k in (0, 4) and shown and here:
                total += (0.3 if k else 1) * evidence_of(signal, here, width)
        past.append(signals)
        self.spans.setdefault(span, []).append((signals[0], signals[4]))
        return total


def evidence_of(value: float, seen: list[float], width: float) -> float:
    return math.log1p(5 * max(value - max(seen), min(seen) - value, 0) / width)
