"""detectors/together.py for one group, a sample of each member at a time, with its default arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

NAN = math.nan


@dataclass
class Member:
    seen: int = 0
    last: float = 0.0
    cadence: float = 0.0
    level: float = 0.0
    stray: float = 0.0
    newest: float = 0.0
    judged: int = 0
    lean: float = 0.0
    energy: float = 1.0
    rest: float = 1.0
    usual: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    edge: list[float] = field(default_factory=lambda: [math.log(2.6)] * 3)
    stretch: list[float] = field(default_factory=lambda: [0.2] * 3)
    out: float = 0.0
    since: float = 0.0
    known: float = 0.0
    tie: dict[int, float] = field(default_factory=dict)  # covariance with each member

    def spread(self) -> float:
        return max(1.2533 * self.stray, 1e-3 * abs(self.level), 1e-9)

    def unit(self, k: int) -> float:
        return max(1.2533 * self.usual[k], 1e-3)

    def hear(self, time: float) -> None:
        step = max(time - self.last, 0.0)
        if self.seen == 1:
            self.cadence = step
        elif self.seen > 1:
            self.cadence += 0.05 * (min(step, 4 * self.cadence) - self.cadence)
        self.last = max(time, self.last) if self.seen else time


class NaiveTogether:
    """Takes one sample of all members at once; NaN for who has none."""

    def __init__(self, size: int) -> None:
        self.members = [Member() for _ in range(size)]
        self.calls = 0
        self.of: set[int] = set()  # members that the inverse is of
        self.inverse: dict[tuple[int, int], float] = {}

    def take(self, time: float, value: list[float]) -> list[float]:
        """Return the surprise of each."""
        mine = [k for k, v in enumerate(value) if abs(v) <= 1e18]
        if not mine:
            return [NAN] * len(value)
        own = {k: self.from_level(self.members[k], value[k]) for k in mine}
        present = {
            k
            for k, m in enumerate(self.members)
            if m.seen >= 20 and (k in own or time - m.last <= 3.5 * m.cadence)
        }
        z = {k: own.get(k, self.members[k].newest) for k in present}
        cadence = max(self.members[k].cadence for k in mine)
        if self.calls % 16 == 0 or present != self.of:
            self.inverse, self.of = self.invert(present, cadence), present
        off, strongest = self.apart(z)

        found = [NAN] * len(value)
        again = False
        for k in mine:
            found[k], long = self.judge(self.members[k], off.get(k), len(present) > 1, time)
            again |= long
        for k in mine:
            self.follow(self.members[k], value[k], own[k])
        share = min(len(mine) / max(len(present), 1), 1.0)
        self.learn(z, share * min(1.0, (4 / max(strongest, 1e-9)) ** 2), cadence, again)
        self.calls += 1
        return found

    def from_level(self, m: Member, value: float) -> float:
        return min(max((value - m.level) / m.spread(), -3.5), 3.5) if m.seen else 0.0

    def invert(self, present: set[int], cadence: float) -> dict[tuple[int, int], float]:
        use = [k for k in sorted(present) if self.members[k].tie.get(k, 0.0) > 1e-6]
        if not use:
            return {}
        known = min(min(self.members[k].known for k in use), 86400 / max(cadence, 1e-3))
        size = [math.sqrt(self.members[k].tie[k]) for k in use]
        matrix = np.eye(len(use)) * (1 + 1e-3)
        for i, a in enumerate(use):
            for j, b in enumerate(use):
                if i != j:
                    matrix[i, j] = self.members[a].tie.get(b, 0.0) * known / (known + len(use))
                    matrix[i, j] /= size[i] * size[j]
        inverse = np.linalg.inv(matrix)
        return {
            (a, b): float(np.float32(inverse[i, j] / size[i] / size[j]))
            for i, a in enumerate(use)
            for j, b in enumerate(use)
        }

    def apart(self, z: dict[int, float]) -> tuple[dict[int, float], float]:
        off = self.against(z, self.inverse)
        if not off:
            return off, 0.0
        culprit = max(sorted(off), key=lambda k: abs(off[k]))
        strongest = abs(off[culprit])
        if strongest > 4:
            p = self.inverse
            row = {k: p.get((culprit, k), 0.0) / p[culprit, culprit] for k in z}
            without = {(a, b): v - row[a] * p[culprit, b] for (a, b), v in p.items() if culprit not in (a, b)}
            off = self.against({k: v for k, v in z.items() if k != culprit}, without) | {
                culprit: off[culprit]
            }
        return off, strongest

    def against(self, z: dict[int, float], inverse: dict[tuple[int, int], float]) -> dict[int, float]:
        found = {}
        for a in z:
            pull = sum(inverse.get((a, b), 0.0) * z[b] for b in sorted(z))
            found[a] = pull / math.sqrt(max(inverse.get((a, a), 0.0), 0.01))
        return found

    def judge(self, m: Member, off: float | None, beside: bool, time: float) -> tuple[float, bool]:
        """Return the surprise, and whether it has been odd for so long that its group starts anew."""
        judged = off is not None and beside
        apart = off if off is not None else 0.0
        pace = min(max(m.cadence / 600, 0.02), 0.25)
        lean = m.lean + pace * (apart - m.lean)
        energy = m.energy + pace * (min(apart * apart, 50.0) - m.energy)
        distance = [abs(apart), abs(lean), math.sqrt(energy) - m.rest]
        over = [math.log(max(d / m.unit(k), 1e-9)) - m.edge[k] for k, d in enumerate(distance)]
        ln = 1 - math.log(0.02)
        rare = [
            -math.log10(0.02) * math.exp((1 / (m.stretch[k] * ln) if x > 0 else 1.5) * min(x, 4.0))
            for k, x in enumerate(over)
        ]
        surprise = min(max(rare), 300.0) if m.judged >= 39 else NAN
        surprise = surprise if judged else 0.0
        surprise = surprise if m.seen >= 60 else NAN

        m.hear(time)
        odd = surprise >= 3
        if odd and m.out == 0:
            m.since = time
        m.out = m.out + 1 if odd else max(m.out - 2, 0)
        long = m.out >= 20 and time - m.since >= 3600
        if long:
            m.out = 0
        if judged:
            self.remember(m, distance, over)
            m.lean, m.energy = lean, energy
            m.judged += 1
        return surprise, long

    def remember(self, m: Member, distance: list[float], over: list[float]) -> None:
        young = 1 / (m.judged + 1)
        pace = max(min(2 * m.cadence / 86400, 1 / 60), young)
        far = [math.inf if m.judged < 10 else 4 * m.unit(k) for k in range(3)]
        for k in range(3):
            if m.out == 0 and m.judged >= 30:
                rate = 3 / min(m.judged + 100, 6000)
                if over[k] > 0:
                    m.stretch[k] += 0.05 * (min(over[k], 4 * m.stretch[k] + 0.5) - m.stretch[k])
                m.stretch[k] = min(max(m.stretch[k], 0.13), 10.0)
                m.edge[k] = max(m.edge[k] + rate * (0.98 if over[k] > 0 else -0.02), math.log(2.33))
            m.usual[k] += pace * (min(abs(distance[k]), far[k]) - m.usual[k])
        m.rest += pace * min(distance[2], far[2])

    def follow(self, m: Member, value: float, own: float) -> None:
        young = 1 / (m.seen + 1)
        pace = max(min(m.cadence / 1800, 1 / 30), young)
        far = math.inf if m.seen < 10 else 4 * m.spread()
        if m.seen == 0:
            m.level = value
        miss = min(max(value - m.level, -far), far)
        m.level += pace * miss
        m.stray += max(pace / 4, young) * (abs(miss) - m.stray)
        m.newest = own
        m.seen += 1

    def learn(self, z: dict[int, float], weight: float, cadence: float, again: bool) -> None:
        known = [min(m.known, 60.0) if again else m.known for m in self.members]
        for a in z:
            for b in z:
                pace = max(min(cadence / 86400, 1 / 60), 1 / (min(known[a], known[b]) + 1))
                old = self.members[a].tie.get(b, 0.0)
                self.members[a].tie[b] = float(np.float32(old + pace * weight * (z[a] * z[b] - old)))
        for k, m in enumerate(self.members):
            m.known = known[k] + (weight if k in z else 0.0)
