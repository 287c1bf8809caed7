"""Slow twin of detectors/variance.py: one series, one sample at a time, with its default arguments."""

from __future__ import annotations

import math

from tests.naive.changes import NAN, NaiveDay, NaiveSums, NaiveTold

RATIOS = [2.0, 4.0, 0.5, 0.25]


class NaiveVariance:
    """Change of variance, as detectors/variance.py has it."""

    def __init__(self) -> None:
        self.seen = 0
        self.born = self.last = self.cadence = self.value = self.level = self.drift = 0.0
        self.rests = self.power = self.always = self.days = self.daily = self.spare = 0.0
        self.near = self.gain = 0.0
        self.sums = NaiveSums([0.0] * 4, [0.90, 0.93, 0.91, 0.95], 2.5)
        self.told = NaiveTold(16)
        self.day = NaiveDay()
        self.onset = NAN

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        expected = self.level if self.seen >= 60 else NAN
        if not abs(value) <= 1e18:
            return NAN, expected
        apart = max(time - self.last, 0.0) if self.seen else 0.0
        shape = self.day.about(time)
        shape = shape if math.isnan(shape) else min(max(shape, 1e-3), 1e3)
        least = (1e-3 * self.level) ** 2 + 1e-18
        daily = self.gain > 0.01 and not math.isnan(shape)
        usual = max(self.daily * shape if daily else self.power, least)
        power = (value - self.value - self.drift) ** 2 if self.seen else 0.0
        sums = self.add(min(max(power / usual, 1e-4 if usual > least else 1.0), 9.0), apart)
        surprise, best = self.sums.surprise(sums)
        surprise = surprise if self.seen >= 60 else NAN
        self.learn(time, value, apart, shape, power, usual, surprise)
        self.tell(sums, apart, time, surprise, best, usual)
        self.seen += 1
        return surprise, expected

    def add(self, ratio: float, apart: float) -> list[float]:
        if self.seen < 60:
            return [0.0] * 4
        half = min(max(1 / max(self.spare, 0.2), 0.1), 0.5) if apart < 1.5 * self.cadence else 0.0
        gains = [half * (ratio * (1 - 1 / r) - math.log(r)) for r in RATIOS]
        return [max(s + g, 0.0) for s, g in zip(self.sums.sum, gains, strict=True)]

    def learn(
        self, time: float, value: float, apart: float, shape: float, power: float, usual: float,
        surprise: float,
    ) -> None:  # fmt: skip
        before = self.seen
        if before == 0:
            self.born = self.last = time
        elif before == 1:
            self.cadence = apart
        else:
            self.cadence += 0.05 * (min(apart, 4 * self.cadence) - self.cadence)
        self.last = max(self.last, time)
        free = math.isnan(self.told.told)
        close = before > 0 and apart < 1.5 * max(self.cadence, 1e-3)
        if close:
            held = (surprise >= 2 or not free) and time - self.born > 86400
            self.follow(value, shape, power, usual, 0.1 if held else 1.0)
        self.level += (value - self.level) / min(before + 1, 30)
        self.value = value
        if close and free and self.rests > 30:
            self.day.learn(time, self.capped / max(self.always, (1e-3 * self.was) ** 2 + 1e-18))

    def follow(self, value: float, shape: float, power: float, usual: float, pace: float) -> None:
        most = max(43200 / max(self.cadence, 1e-3), 300.0)
        self.was = self.level
        least = (1e-3 * self.level) ** 2 + 1e-18
        self.rests = min(self.rests + pace, most)
        rate = pace / max(self.rests, 1.0)
        reach = math.inf if self.rests < 10 else 5 * math.sqrt(self.power)
        self.drift += rate * min(max(value - self.value - self.drift, -reach), reach)

        shown = not math.isnan(shape)
        flat = max(self.power, least)
        daily = max(self.daily * (shape if shown else 1.0), least)
        self.capped = power if self.rests < 10 else min(power, 9 * max(flat, daily if shown else 0.0))
        self.power += rate * (self.capped - self.power)
        self.always += (self.capped - self.always) / min(self.seen + 1, 3 * most)
        if shown:
            first = self.days == 0
            self.days += pace
            if first:
                self.daily = self.always
            else:
                self.daily += pace / min(max(self.days, 1.0), most) * (self.capped / shape - self.daily)
            if self.days > 30:
                better = math.log(flat / daily) + self.capped / flat - self.capped / daily
                self.gain += pace / most * (min(max(better / 2, -4.0), 4.0) - self.gain)
        if self.rests >= 10:
            self.spare += rate * ((min(power / usual, 9.0) - 1) ** 2 - self.spare)
        count = 30 if math.isnan(self.told.told) else min(max(self.told.since, 1), 30)
        self.near += (min(power, 36 * usual) - self.near) / count

    def tell(
        self, sums: list[float], apart: float, time: float, surprise: float, best: int, usual: float
    ) -> None:
        surprise = 0.0 if math.isnan(surprise) else surprise
        done = self.told.tell(surprise, time)
        self.sums.learn(sums, apart, done)
        self.onset = time - self.sums.age[best] if surprise >= 2 else NAN
        if done:
            if self.gain > 0.01:
                self.daily *= min(max(self.near / usual, 1e-6), 1e6)
            self.power, self.rests = self.near, min(self.rests, 30.0)
