"""Slow twin of detectors/fleet.py: one group, its members in a dict, one at a time, default arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import median

NAN = math.nan


@dataclass
class Member:
    heard: int = 0
    seen: int = 0
    last: float = 0.0
    cadence: float = 0.0
    value: float = 0.0
    offset: list[float] = field(default_factory=lambda: [0.0, 0.0])
    stray: list[float] = field(default_factory=lambda: [0.0, 0.0])
    near: list[float] = field(default_factory=lambda: [0.0, 0.0])
    near_stray: list[float] = field(default_factory=lambda: [0.0, 0.0])
    size: float = 0.0
    absent: float = 0.0
    slow: float = 0.0
    slow_stray: float = 0.0
    edge: list[float] = field(default_factory=lambda: [math.log(2.6)] * 4)  # one below, above; mean likewise
    stretch: list[float] = field(default_factory=lambda: [0.2, 0.2, 0.16, 0.16])
    out: int = 0
    since: float = 0.0


@dataclass
class Spot:
    """Where the peers are and how far a member is from there."""

    far: list[float]
    has_ratio: bool
    ratio: int
    at: float
    log_at: float
    spread: float


@dataclass
class NaiveFleet:
    members: dict[int, Member] = field(default_factory=dict)

    def take(self, samples: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
        """Take row to (time, value); return row to surprise and expected."""
        for row in samples:
            self.members.setdefault(row, Member())
        expected = {row: self.expect(row) for row in samples}
        ok = {row: s for row, s in samples.items() if abs(s[1]) <= 1e18}
        if not ok:
            return {row: (NAN, expected[row]) for row in samples}
        now = min(t for t, _ in ok.values())
        newest = {row: m.value for row, m in sorted(self.members.items()) if m.heard and fresh(m, now)}
        newest = dict(sorted({**newest, **{row: v for row, (_, v) in ok.items()}}.items()))
        spots = {row: self.spot(row, newest) for row in newest}
        u = {row: (s.far[s.ratio] - self.members[row].offset[s.ratio]) / s.spread for row, s in spots.items()}
        say = [abs(u[row]) for row in newest if self.members[row].seen >= 20]
        wide = (3 * 0.6745 + (len(say) * median(say) if say else 0.0)) / ((3 + len(say)) * 0.6745)
        mean = [sum(self.members[row].offset[k] for row in newest) / len(newest) for k in (0, 1)]
        edge, stretch, learned = self.pooled()
        z, slow, pace, surprise = {}, {}, {}, {}
        for row in ok:
            m = self.members[row]
            pace[row] = min(max(m.cadence / 900, 1e-4), 0.1)
            x = u[row] / max(wide, 1.0)
            slow[row] = m.slow + pace[row] * (min(max(x, -6), 6) - m.slow)
            z[row] = (x, slow[row] / max(1.2533 * m.slow_stray, math.sqrt(pace[row] / (2 - pace[row]))))
            one, many = (rarity(z[row][k], edge[2 * k :], stretch[2 * k :]) for k in (0, 1))
            both = max(one, many if m.seen >= 60 else 0.0)
            known = len(newest) > 2 and m.seen >= 30
            surprise[row] = max(both - math.log10(2), 0.0) if known else NAN
        if len(newest) > 2:
            self.learn_tail(ok, z, pace, edge, stretch, learned)
        for row, (t, v) in ok.items():
            self.hear(row, t, v)
            if len(newest) > 2:
                self.learn(row, t, spots[row], mean, slow[row], pace[row], surprise[row] >= 3)
        return {row: (surprise.get(row, NAN), expected[row]) for row in samples}

    def expect(self, row: int) -> float:
        been = {r: m for r, m in sorted(self.members.items()) if m.heard}
        if not been:
            return NAN
        now = max(m.last for m in been.values())
        newest = {r: m.value for r, m in been.items() if m.last == now or fresh(m, now)}
        if len(newest) < 3 or self.members[row].seen < 30:
            return NAN
        s = self.spot(row, newest)
        offset = self.members[row].offset[s.ratio]
        return math.exp(min(s.log_at + offset, 700.0)) if s.ratio else s.at + offset

    def spot(self, row: int, newest: dict[int, float]) -> Spot:
        m, value = self.members[row], newest.get(row, self.members[row].value)
        at = median(v - self.members[r].offset[0] for r, v in newest.items())
        logs = [math.log(v) - self.members[r].offset[1] for r, v in newest.items() if v > 0]
        has_ratio = 2 * len(logs) > len(newest)
        log_at = median(logs) if has_ratio else NAN
        better = m.stray[1] * math.exp(min(m.size, 700.0)) < m.stray[0]
        ratio = int(has_ratio and better and m.absent < 0.02)
        floor = 1e-3 if ratio else max(1e-3 * abs(at), 1e-9)
        far = [value - at, math.log(value) - log_at if has_ratio and value > 0 else -7.0]
        return Spot(far, has_ratio, ratio, at, log_at, max(1.2533 * m.stray[ratio], floor))

    def pooled(self) -> tuple[list[float], list[float], float]:
        weights = [(max(m.seen, 1e-9), m) for _, m in sorted(self.members.items())]
        total = sum(w for w, _ in weights)
        edge = [sum(w * m.edge[k] for w, m in weights) / total for k in range(4)]
        return edge, [sum(w * m.stretch[k] for w, m in weights) / total for k in range(4)], total

    def learn_tail(
        self,
        ok: dict[int, tuple[float, float]],
        z: dict[int, tuple[float, float]],
        pace: dict[int, float],
        edge: list[float],
        stretch: list[float],
        learned: float,
    ) -> None:
        use = [r for r in sorted(ok) if self.members[r].out == 0 and self.members[r].seen >= 30]
        if not use:
            return
        new_edge, new_stretch = [], []
        for k in range(4):
            beyond = total = heavy = 0.0
            for row in use:
                over = math.log(max(z[row][k // 2] * (1 if k % 2 else -1), 1e-9)) - edge[k]
                if over > 0:
                    gain = 0.05 * (min(2 * pace[row], 1.0) if k >= 2 else 1.0)
                    beyond, heavy = beyond + 1, heavy + gain
                    total += gain * min(over, 4 * stretch[k] + 0.5)
            rate = 3 / min(learned + 100, 6000)
            step = min(max(rate * (beyond - len(use) * 0.01), -0.2), 0.2)
            new_edge.append(max(edge[k] + step, math.log(2.33)))
            mean = total / heavy if heavy else 0.0
            new_stretch.append(
                min(max(stretch[k] + (1 - math.exp(-heavy)) * (mean - stretch[k]), 0.13), 10.0)
            )
        for m in self.members.values():
            m.edge, m.stretch = list(new_edge), list(new_stretch)

    def hear(self, row: int, time: float, value: float) -> None:
        m = self.members[row]
        step = max(time - m.last, 0.0)
        if m.heard == 1:
            m.cadence = step
        elif m.heard > 1:
            m.cadence += 0.05 * (min(step, 4 * m.cadence) - m.cadence)
        m.last, m.value, m.heard = time if m.heard == 0 else max(time, m.last), value, m.heard + 1

    def learn(
        self, row: int, time: float, s: Spot, mean: list[float], slow: float, slow_pace: float, odd: bool
    ) -> None:
        m = self.members[row]
        base = min(m.cadence / 21600, 1 / 30)
        young = max(base, 1 / (m.seen + 1))
        pace = 0.1 * base if odd else young
        quick = max(0.1, 1 / (m.seen + 1))
        for k in (0, 1):
            if k == 1 and not s.has_ratio:
                continue
            limit = math.inf if m.seen < 10 else 4 * max(1.2533 * m.stray[k], 1e-9)
            miss = min(max(s.far[k] - m.offset[k], -limit), limit)
            m.offset[k] += pace * miss - min(pace, base) * mean[k]
            m.stray[k] += pace * ((abs(miss) if m.seen else 0.0) - m.stray[k])
            off = s.far[k] - m.near[k]
            m.near_stray[k] += quick * ((abs(off) if m.seen else 0.0) - m.near_stray[k])
            m.near[k] += quick * off
        if s.has_ratio:
            m.size += young * (s.log_at - m.size)
        m.absent += young * ((not s.has_ratio or s.far[1] <= -7) - m.absent)
        m.slow = slow if m.seen >= 10 else 0.0
        if m.seen >= 10:
            pace = 0.1 * base if odd else max(base, 1 / (m.seen - 9))
            limit = math.inf if m.seen < 30 else 3 * max(m.slow_stray, math.sqrt(slow_pace))
            m.slow_stray += pace * (min(abs(slow), limit) - m.slow_stray)
        if odd and m.out == 0:
            m.since = time
        m.out = m.out + 1 if odd else max(m.out - 2, 0)
        if m.out >= 20 and time - m.since >= 21600:
            m.out, m.slow, m.offset, m.stray = 0, 0.0, list(m.near), list(m.near_stray)
        m.seen += 1


def fresh(m: Member, now: float) -> bool:
    return now - m.last <= 4 * (m.cadence or 300.0)


def rarity(z: float, edge: list[float], stretch: list[float]) -> float:
    side = 1 if z > 0 else 0
    log = math.log(max(abs(z), 1e-9))
    over = min(log, math.log(1e3)) + 0.1 * max(log - math.log(1e3), 0.0) - edge[side]
    return -math.log10(0.02) * math.exp(1.5 * min(over, 0)) + max(over, 0) / (stretch[side] * math.log(10))
