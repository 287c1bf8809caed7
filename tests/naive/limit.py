"""detectors/limit.py for one series, one sample at a time, its lines fitted through every sample it kept."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy import stats

SPANS = range(5)
NAN = math.nan


@dataclass
class Forecast:
    """Made of one distance ahead, by each line."""

    made: float
    begun: float
    most: float
    told: list[float]


@dataclass
class Errors:
    """Of one line at one distance."""

    bias: float = 0.0
    square: float = 0.0
    low: float = 0.0
    under: float = 0.0


@dataclass
class NaiveLimit:
    """One series with the default arguments: a limit of 100 from below, four hours ahead."""

    limit: float = 100.0
    horizon: float = 4 * 3600.0
    seen: int = 0
    began: float = 0.0
    last: float = 0.0
    least: float = 0.0
    step: float = 0.0
    out: int = 0
    kept: list[list[list[float]]] = field(
        default_factory=lambda: [[] for _ in SPANS]
    )  # [time, weight, value]
    forecasts: list[Forecast | None] = field(default_factory=lambda: [None] * 5)
    tried: list[int] = field(default_factory=lambda: [0] * 5)
    errors: list[list[Errors]] = field(default_factory=lambda: [[Errors() for _ in SPANS] for _ in SPANS])
    pick: list[int] = field(default_factory=lambda: [0] * 5)
    off: list[float] = field(default_factory=lambda: [0.0] * 5)
    below: list[float] = field(default_factory=lambda: [0.0] * 5)
    above: list[float] = field(default_factory=lambda: [0.0] * 5)
    share: list[float] = field(default_factory=lambda: [0.0] * 5)
    peaks: list[float] = field(default_factory=list)
    peak: float = 0.0
    peak_square: float = 0.0
    fitted: dict[int, tuple[float, float]] = field(default_factory=dict)

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        passed = max(time - self.last, 0.0) if self.seen else 0.0
        known = self.seen >= 60 and self.tried[0] >= 3
        expected = self.ahead(max(time - self.last, 0.0))[0] if known else NAN
        if not abs(value) <= 1e18:
            return NAN, expected
        surprise = NAN
        if known:
            surprise = 16.0
            left = 1 - self.chance(passed + self.horizon)
            if value < self.limit and left > 1e-16:
                surprise = -math.log10(left)
        self.learn(time, value, passed)
        return surprise, expected

    def reach(self, k: int) -> float:
        return max(self.least, 600.0) * 4.0**k

    def line(self, k: int) -> tuple[float, float]:
        if k not in self.fitted:
            self.fitted[k] = self.fit(self.kept[k])
        return self.fitted[k]

    def fit(self, kept: list[list[float]]) -> tuple[float, float]:
        n = sum(w for _, w, _ in kept)
        if n == 0:
            return 0.0, 0.0
        mean_t = sum(w * (t - self.last) for t, w, _ in kept) / n
        mean_x = sum(w * x for _, w, x in kept) / n
        width = sum(w * (t - self.last - mean_t) ** 2 for t, w, _ in kept) / n
        cross = sum(w * (t - self.last - mean_t) * (x - mean_x) for t, w, x in kept) / n
        slope = cross / width if n > 2.5 and width > 1e-6 else 0.0
        return mean_x - slope * mean_t, slope

    def ahead(self, ahead: float) -> tuple[float, float, float, float, float]:
        """Return centre, what falls short and goes beyond, the share that falls short, degrees of freedom."""
        beyond, near = max(ahead / self.reach(4), 1.0), math.sqrt(min(ahead / self.reach(0), 1.0))
        place = min(max(math.log(max(ahead / self.reach(0), 1e-9), 4), 0.0), 4.0)
        first = min(int(place), 3)
        parts = []
        for k in (first, first + 1):
            level, slope = self.line(self.pick[k])
            astray, forecast = 0.0, self.forecasts[k]
            if forecast:
                grown = (
                    (forecast.told[self.pick[k]] - forecast.begun)
                    * (self.last - forecast.made)
                    / self.reach(k)
                )
                astray = abs(self.line(0)[0] - forecast.begun - grown)
            down, up = (
                math.log(math.hypot(usual, max(astray - usual, 0.0)) + 1e-12)
                for usual in (self.below[k], self.above[k])
            )
            centre = level + slope * ahead + self.off[k] * beyond * near
            parts.append((centre, down, up, self.share[k], 3.0 + min(self.tried[k], 20)))
        w = place - first
        centre, down, up, share, freedom = (a * (1 - w) + b * w for a, b in zip(*parts, strict=True))
        return centre, math.exp(down) * beyond, math.exp(up) * beyond, share, freedom

    def chance(self, ahead: float) -> float:
        centre, down, up, share, freedom = self.ahead(ahead)
        over = centre - self.limit
        tail = 2 * float(stats.t.cdf(-abs(over) / (down if over > 0 else up), freedom))
        return (1 - share * tail if over > 0 else (1 - share) * tail) * self.spared()

    def spared(self) -> float:
        if not self.peaks:
            return 1.0
        spread = max(math.sqrt(self.peak_square), 0.03 * abs(self.limit - self.peak)) + 1e-9
        fails = 1 / (len(self.peaks) + 2)
        later, now = (
            fails + (1 - fails) * float(stats.norm.cdf((self.peak - at) / spread))
            for at in (self.limit, self.line(0)[0])
        )
        return min(later / now, 1.0)

    def learn(self, time: float, x: float, passed: float) -> None:
        if not self.seen:
            self.began = self.last = time
        self.last = max(time, self.last)
        self.seen += 1
        if self.seen == 20:
            self.least = max(600.0, 10 * (self.last - self.began) / 19)
        self.fitted.clear()
        for k in SPANS:
            keep = math.exp(-min(passed / self.reach(k), 12.0))
            for each in self.kept[k]:
                each[1] *= keep
        self.add(x, passed)
        self.judge(x)

    def add(self, x: float, passed: float) -> None:
        level = self.line(0)[0]
        off, usual = x - level, math.sqrt(self.step)
        known = self.seen > 20 and passed <= self.least
        side = int(math.copysign(1, off)) if known and abs(off) > 10 * usual else 0
        leapt = side != 0 and side == self.out
        self.out = side
        square = min(off * off, (4 * usual) ** 2 + 1e-24) if self.seen > 20 else off * off
        if self.seen > 1:
            self.step += max(0.02, 1 / self.seen) * (square - self.step)
        if leapt:
            if -off >= 0.03 * (self.limit - x):
                forecast = self.forecasts[0]
                self.clean_up(min(level, forecast.most) if forecast else level)
            for kept in self.kept:
                for each in kept:
                    each[2] += off
        for kept in self.kept:
            kept.append([self.last, 1.0, level if side and not leapt else x])
        self.fitted.clear()

    def clean_up(self, high: float) -> None:
        pace = max(0.1, 1 / (len(self.peaks) + 1))
        away = high - self.peak
        if self.peaks:
            self.peak_square += pace * (away**2 - self.peak_square)
        self.peak += pace * away
        self.peaks.append(high)
        self.forecasts = [None] * 5

    def judge(self, x: float) -> None:
        due = []
        for k, forecast in enumerate(self.forecasts):
            if forecast:
                forecast.most = max(forecast.most, x)
            if self.least and (forecast is None or self.last - forecast.made >= self.reach(k)):
                due.append(k)
        fair = [k for k in due if self.waited(k) <= 1.5 * self.reach(k)]
        for k in fair:
            self.err(k)
        self.fitted.clear()
        if fair:
            self.conclude()
        for k in due:
            lines = [self.line(j) for j in SPANS]
            told = [level + slope * self.reach(k) for level, slope in lines]
            self.forecasts[k] = Forecast(self.last, x, x, told)

    def waited(self, k: int) -> float:
        forecast = self.forecasts[k]
        return self.last - forecast.made if forecast else math.inf

    def err(self, k: int) -> None:
        forecast = self.forecasts[k]
        assert forecast
        for j, seen in enumerate(self.errors[k]):
            error, usual = forecast.most - forecast.told[j], math.sqrt(seen.square)
            if self.tried[k] >= 5:
                if error < -5 * usual and j > k:
                    self.kept[j] = [list(each) for each in self.kept[k]]
                error = min(max(error, -4 * usual - 1e-12), 4 * usual + 1e-12)
            pace = max(0.1, 1 / (self.tried[k] + 1))
            off = error - seen.bias
            seen.bias += pace * off
            seen.square += pace * (error**2 - seen.square)
            seen.low += pace * ((off * off if off < 0 else 0.0) - seen.low)
            seen.under += pace * ((off < 0) - seen.under)
        self.tried[k] += 1

    def conclude(self) -> None:
        guess = [each.square for each in self.errors[0]]
        last = earlier = 0.0
        for k in SPANS:
            n, row = self.tried[k], self.errors[k]
            if k:
                wider = [g * (16 if k > j else 4) for j, g in enumerate(guess)]
                guess = [(n * e.square + 2 * g) / (n + 2) for e, g in zip(row, wider, strict=True)]
            pick = guess.index(min(guess))
            e = row[pick]
            share = (n * e.under + 2) / (n + 4)
            down = (n * e.low + e.square) / (n + 2) / share
            up = (n * max(e.square - e.bias**2 - e.low, 0.0) + e.square) / (n + 2) / (1 - share)
            if k:
                grown = 16.0 if k > pick else 4.0
                if k > 1:
                    grown = math.sqrt(grown * min(max(last / max(earlier, 1e-300), 1.0), 16.0))
                down, up = (n * down + 2 * last * grown) / (n + 2), (n * up + 2 * last * grown) / (n + 2)
            earlier, last = last, share * down + (1 - share) * up
            self.pick[k], self.share[k], self.off[k] = pick, share, e.bias * n / (n + 2)
            self.below[k], self.above[k] = math.sqrt(down), math.sqrt(up)
