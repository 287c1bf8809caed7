"""Slow twin of detectors/shift.py: one series, one sample at a time, with its default arguments."""

from __future__ import annotations

import math

from tests.naive.changes import NAN, NaiveDay, NaivePast, NaiveSums, NaiveTold

SIZES = [0.25, 0.5, 1.0, 2.0]


class NaiveReading:
    """One of the four: what is left of samples after a level, perhaps a slope, perhaps the usual day."""

    def __init__(self, sloped: bool, daily: bool) -> None:
        self.sloped, self.daily = sloped, daily
        self.rests = self.level = self.slope = self.left = self.near = 0.0
        self.size = self.carry = self.noise = 0.0

    def echo(self, apart: float, cadence: float) -> float:
        if self.rests <= 10:
            return 0.0
        ratio = self.carry / max(self.size, 1e-300)
        kept = min(max(ratio + (1 + 4 * ratio) / self.rests, 0.0), 0.99)
        steps = apart / max(cadence, 1e-3)
        return kept**steps if steps > 1.5 else kept

    def ahead(self, apart: float) -> float:
        return self.slope * min(apart, 43200.0) if self.sloped else 0.0

    def follow(self, left: float, news: float, apart: float, cadence: float, pace: float) -> None:
        if math.isnan(left):
            self.left = 0.0
            return
        cadence = max(cadence, 1e-3)
        self.rests = min(self.rests + (1.0 if self.rests < 1 else pace), max(43200 / cadence, 300.0))
        n = max(self.rests, 1.0)
        rate = pace / n
        far = math.inf if n < 10 else 4 * math.sqrt(self.size) + 1e-9
        pull = min(max(left, -far), far)
        self.level += self.ahead(apart) + ((4 * n - 2) / (n + 1) if self.sloped else 1.0) * rate * pull
        if self.sloped and n > 1.5:
            self.slope += 6 / (n + 1) * rate * pull / cadence
        self.size += rate * (pull * pull - self.size)
        if apart < 1.5 * cadence:
            self.carry += rate * (pull * min(max(self.left, -far), far) - self.carry)
            most = math.inf if n < 10 else 16 * self.noise + 1e-18
            new = min(news * news, most) if n > 1 else 0.0
            self.noise += pace / min(n, 120.0) * (new - self.noise)
        self.left = left
        self.near += (left - self.near) / 8


class NaiveShift:
    """Level shift and change of slope, as detectors/shift.py has them."""

    def __init__(self) -> None:
        self.seen = 0
        self.born = self.last = self.cadence = self.anchor = 0.0
        self.which = 0
        self.readings = [NaiveReading(k % 2 == 1, k >= 2) for k in range(4)]
        self.sums = NaiveSums([0.583 * s for s in SIZES] * 2, [0.85, 0.89, 0.96, 1.12] * 2, 6.5)
        self.told = NaiveTold(8)
        self.day, self.past = NaiveDay(), NaivePast()
        self.onset = self.rate = NAN

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        apart = max(time - self.last, 0.0) if self.seen else 0.0
        day = self.day.at(time)
        base = [self.anchor + r.level + r.ahead(apart) + (day if r.daily else 0.0) for r in self.readings]
        expected = base[self.which] if self.seen >= 60 else NAN
        if not abs(value) <= 1e18:
            return NAN, expected
        left = [value - b for b in base]
        news = [x - r.echo(apart, self.cadence) * r.left for x, r in zip(left, self.readings, strict=True)]
        sums = self.add(time, news[self.which], base[self.which])
        surprise, best = self.sums.surprise(sums)
        surprise = surprise if self.seen >= 60 else NAN
        self.learn(time, value, apart, day, left, news, sums, surprise, best)
        return surprise, expected

    def add(self, time: float, news: float, base: float) -> list[float]:
        if self.seen < 60:
            return [0.0] * 8
        believed = self.readings[self.which]
        spread = max(math.sqrt(believed.noise), 1e-3 * abs(base) + 1e-9) if not math.isnan(news) else NAN
        heard = min(max(news / spread, -2.5), 2.5) if not math.isnan(news) else NAN
        age = max(time - self.born, 0.0)
        rests = believed.rests
        if believed.daily:
            rests = min(rests, 2 * min(age / 86400, 9.0) * 1800 / max(self.cadence, 1.0))
        found = []
        for j, size in enumerate(SIZES * 2):
            if rests < 16 / size**2 or (age < 1.25 * 86400 and size < 1):
                found.append(0.0)
                continue
            drift = size if j < 4 else -size
            gain = drift * heard - size * (size / 2 + (0.5 if age < 1.25 * 86400 else 0.0))
            found.append(max(self.sums.sum[j] + (0.0 if math.isnan(heard) else gain), 0.0))
        return found

    def learn(
        self, time: float, value: float, apart: float, day: float,
        left: list[float], news: list[float], sums: list[float], surprise: float, best: int,
    ) -> None:  # fmt: skip
        if self.seen == 0:
            self.born, self.last, self.anchor = time, time, value
            left = [NAN if r.daily else 0.0 for r in self.readings]
        elif self.seen == 1:
            self.cadence = apart
        else:
            self.cadence += 0.05 * (min(apart, 4 * self.cadence) - self.cadence)
        self.last = max(self.last, time)
        odd = surprise >= 2 or not math.isnan(self.told.told)
        pace = 0.1 if odd and time - self.born >= 1.25 * 86400 else 1.0
        for r, x, new in zip(self.readings, left, news, strict=True):
            r.follow(x, new, apart, self.cadence, pace)
        daily = self.which >= 2
        turns = self.choose((1e-3 * value) ** 2 + 1e-18, odd)
        if daily != (self.which >= 2):
            self.past = NaivePast()
        surprise = 0.0 if turns or math.isnan(surprise) else surprise
        done = self.told.tell(surprise, time)
        self.sums.learn(sums, apart, turns or done)
        self.date(surprise, time, best)
        self.remember(time, value - self.anchor, day)
        if done:
            self.rebase()
        self.seen += 1

    def choose(self, least: float, odd: bool) -> bool:
        sizes = []
        for r in self.readings:
            new = r.daily and self.which < 2
            doubt = 1 + 2 * math.sqrt(2 / max(r.rests, 1.0)) if new else 1.0
            sizes.append(max(r.size, least) * doubt if r.rests >= (60 if new else 3) else math.inf)
        best = sizes.index(min(sizes))
        turns = sizes[best] < 0.8 * sizes[self.which] and not odd
        self.which = best if turns else self.which
        return turns

    def date(self, surprise: float, time: float, best: int) -> None:
        self.onset, self.rate = NAN, NAN
        if surprise >= 2:
            self.onset = time - self.sums.age[best]
        if surprise >= 4:
            cadence = max(self.cadence, 1e-3)
            believed = self.readings[self.which]
            bend = self.past.bend(believed.slope * cadence if believed.sloped else 0.0)
            if bend:
                self.onset, self.rate = time - bend[0] * cadence, bend[1] / cadence

    def remember(self, time: float, over: float, day: float) -> None:
        plain = over - (day if self.which >= 2 else 0.0)
        if not math.isnan(plain):
            self.past.samples.append(plain)
        if math.isnan(self.told.told):
            self.day.learn(time, over - self.readings[2 + self.which % 2].level)

    def rebase(self) -> None:
        for r in self.readings:
            r.level += r.near
            r.left -= r.near
            r.near = 0.0
            if self.which >= 2 or not r.daily:
                r.rests = min(r.rests, 16.0)
        if not math.isnan(self.rate):
            sloped = self.readings[self.which | 1]
            sloped.slope = self.rate
            sloped.size = min(sloped.size, 0.7 * self.readings[self.which].size)
            self.which |= 1
