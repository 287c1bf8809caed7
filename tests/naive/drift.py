"""detectors/drift.py for one series, a sample at a time, with its default arguments."""

from __future__ import annotations

import math

import numpy as np

from detectors.day import Day

NAN = math.nan


class NaiveDrift:
    """Takes samples one by one; the day is detectors/day.py's own."""

    def __init__(self) -> None:
        self.day = Day()
        self.seen = 0
        self.born = 0.0
        self.stray = 0.0
        self.span: list[float] = []
        self.began = 0.0
        self.window: list[float] = []
        self.closed = 0
        self.mean = 0.0
        self.rough = self.echo = self.last = 0.0
        self.usual, self.edge, self.stretch = 1.9, math.log(1.65), 0.065
        self.shown = 0.0
        self.onset = NAN

    def take(self, time: float, value: float) -> float:
        """Return the surprise, then learn."""
        if not abs(value) <= 1e18:
            return NAN
        found = self.shown if self.seen >= 60 else NAN
        row, at = np.zeros(1, np.int32), np.array([time])
        usual = float(self.day.at(row, at)[0])
        off = value - usual
        if self.span and time >= self.began + 1800:
            self.close(time)
        if self.seen == 0:
            self.born = time
        taught = value
        use = self.seen > 0 and time - self.born >= 1.05 * 86400 and math.isfinite(off)
        if use:
            far = 4 * 1.2533 * self.stray if self.closed >= 8 else math.inf
            miss = min(max(off - self.mean, -far), far)
            taught = usual + miss
            self.began = self.began if self.span else time
            self.span.append(self.mean + miss)
            self.stray += max(1 / 2000, 1 / (self.seen + 1)) * (abs(miss) - self.stray)
        self.day.learn(row, at, np.array([taught]))
        self.seen += 1
        return found

    def close(self, time: float) -> None:
        mean = sum(self.span) / len(self.span)
        self.roughen(mean - self.mean if self.window else 0.0)
        self.window = [*self.window, float(np.float32(mean))][-96:]
        self.span = []

        cuts = [(self.apart(k), -k) for k in range(2, len(self.window) - 7)]
        distance, k = max(cuts, default=(0.0, 0))
        far = distance / self.usual
        self.shown = self.surprise(far) if distance > 0 else 0.0
        if distance > 0:
            self.remember(far, distance)
        if self.shown >= 4:
            self.onset = time + k * 1800
            self.window = self.window[k:]
        self.mean = sum(self.window) / len(self.window)

    def roughen(self, off: float) -> None:
        pace = max(1 / 300, 1 / (self.closed + 1)) * (0.1 if self.shown >= 1 else 1.0)
        far = 4 * math.sqrt(self.rough) if self.closed >= 8 else math.inf
        off = min(max(off, -far), far)
        self.rough += pace * (off * off - self.rough)
        self.echo += pace * (off * self.last - self.echo)
        self.last = off
        self.closed += 1

    def apart(self, new: int) -> float:
        """Return how far the newest `new` means are from the rest, in their own unit."""
        late, early = self.window[-new:], self.window[:-new]
        echo = min(max(self.echo / max(self.rough, 1e-300), 0.0), 0.9)
        unit = max(math.sqrt(self.rough * (1 + echo) / (1 - echo)), 1e-12)
        return abs(sum(late) / len(late) - sum(early) / len(early)) / (
            unit * math.sqrt(1 / len(late) + 1 / len(early))
        )

    def surprise(self, far: float) -> float:
        over = math.log(max(far, 1e-9)) - self.edge
        power = 1 / (self.stretch * (1 - math.log(0.02))) if over > 0 else 3.0
        return min(-math.log10(0.02) * math.exp(power * min(over, 4.0)), 300.0)

    def remember(self, far: float, distance: float) -> None:
        pace = max(1 / 300, 1 / (self.closed + 48))
        if self.shown < 3:
            rate = 3 / min(self.closed + 300, 6000)
            over = math.log(max(far, 1e-9)) - self.edge
            if over > 0:
                self.stretch += 0.05 * (min(over, 4 * self.stretch + 0.5) - self.stretch)
            self.stretch = min(max(self.stretch, 0.065), 10.0)
            self.edge = max(self.edge + rate * (0.98 if over > 0 else -0.02), math.log(1.65))
        self.usual += pace * (min(distance, 1.75 * self.usual) - self.usual)
