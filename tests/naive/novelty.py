"""detectors/novelty.py for one series, one sample at a time: its slow twin."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

NAN = math.nan


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
    daily: dict[int, float] = field(default_factory=dict)  # by quarter of an hour
    hourly: dict[int, float] = field(default_factory=dict)  # by two hours, as hits
    hits: dict[int, int] = field(default_factory=dict)
    weekly: dict[int, float] = field(default_factory=dict)  # by three hours of the week
    lead: float = 0.0
    gain: float = 1.0
    records: list[float] = field(default_factory=list)
    past: list[list[float]] = field(default_factory=list)  # all signals
    spans: dict[int, list[tuple[float, float]]] = field(default_factory=dict)  # value and rest of two hours

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, learning the sample."""
        bucket, span, part = int(time % 86400 / 900), int(time % 86400 / 7200), int(time % 604800 / 10800)
        known = self.seen >= 60
        if not abs(value) <= 1e18:
            return NAN, self.expected(bucket, part) if known else NAN
        if self.seen == 0:
            self.mean = dict.fromkeys((10, 30, 100), value)
            self.quick = self.level = value
        self.learn_cadence(time)
        expected = self.expected(bucket, part)
        c = self.from_day(value, expected, bucket, span, part) + self.from_leap(value)
        signals = self.follow(value, value - expected)
        evidence = self.evidence(signals, span)
        usual = (20 * 0.8 + sum(min(e, 2) for e in self.records)) / (20 + len(self.records))
        news = 4 * min(self.seen / 600, 1) * evidence / usual * self.gain
        surprise = max(0.6 * c + 0.4 * self.before - 4.2, 0) + news
        if self.seen >= 2000:
            self.gain = min(max(self.gain * math.exp(-0.3 if surprise >= 4 else 0.3e-4), 0.5), 6)
        if evidence > 0.05 and self.seen >= 60:
            self.records.append(evidence)
        self.before = c
        self.seen += 1
        return (surprise, expected) if known else (NAN, NAN)

    def pace(self, least: float) -> float:
        return max(least, 1 / (self.seen + 1))

    def expected(self, bucket: int, part: int) -> float:
        if bucket not in self.daily:
            return self.quick
        return self.daily[bucket] + self.offset + (self.weekly.get(part, 0.0) if self.lead < 0 else 0.0)

    def learn_cadence(self, time: float) -> None:
        step = max(time - self.last, 0)
        if self.seen == 1:
            self.cadence = step
        elif self.seen > 1:
            self.cadence += 0.05 * (min(step, 4 * self.cadence) - self.cadence)
        self.last = time

    def from_day(self, value: float, expected: float, bucket: int, span: int, part: int) -> float:
        hits, hourly = self.hits.get(span, 0), self.hourly.get(span, 0.0)
        usual = (hourly + self.usual) / 2 if hits >= 10 else self.usual
        spread = 1.25 * max(usual, 1e-3 * abs(expected), 1e-9)
        size = abs(value - expected)
        p = self.day_tail.take(size / spread)
        size = size if self.seen < 600 else min(size, 4 * spread)
        self.usual += self.pace(0.002) * (size - self.usual)
        if bucket not in self.daily:
            self.daily[bucket] = value
            return p
        self.hits[span] = hits + 1
        self.hourly[span] = hourly + max(0.01, 1 / (hits + 1)) * (size - hourly)
        self.from_week(value - self.daily[bucket] - self.offset, 4 * spread, part)
        self.offset += 0.02 * (value - expected)
        share = max(self.cadence, 600.0)
        count = min(2 + (hits + 1) * share / 7200, max(10 * share / max(self.cadence, 1e-3), 10))
        self.daily[bucket] += (value - self.daily[bucket]) / count
        return p

    def from_week(self, off: float, far: float, part: int) -> None:
        week = self.weekly.get(part, 0.0)
        self.lead += 0.002 * (min(abs(off - week), far) - 0.8 * min(abs(off), far) - self.lead)
        self.weekly[part] = week + 0.3 * min(self.cadence / 10800, 1) * (min(max(off, -far), far) - week)

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
        shown = sum(self.hits.get((span + k) % 12, 0) for k in (-1, 0, 1)) >= 40
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
