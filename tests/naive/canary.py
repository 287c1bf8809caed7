"""Slow twin of detectors/canary.py: one group, its members in a dict, one at a time, default arguments."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist, median

NAN = math.nan


@dataclass
class Instance:
    new: bool
    heard: int = 0
    born: float = 0.0
    last: float = 0.0
    cadence: float = 0.0
    value: float = 0.0
    start: float = -math.inf
    began: float = 0.0
    usual: list[float] = field(default_factory=list)
    far: list[float] = field(default_factory=list)

    def batches(self) -> list[tuple[float, float]]:
        """Return weight and mean of each batch; the last may be shorter and weighs less."""
        size = 1
        while len(self.far) // size >= 16:
            size *= 2
        parts = [self.far[k : k + size] for k in range(0, len(self.far), size)]
        return [(len(p) / size, sum(p) / len(p)) for p in parts]

    def mean(self) -> float:
        return sum(self.far) / len(self.far)

    def error(self) -> float:
        many = sum(w for w, _ in self.batches())
        return sum(w * (x - self.mean()) ** 2 for w, x in self.batches()) / many / (many - 1)


@dataclass
class NaiveCanary:
    members: dict[int, Instance]

    def take(self, samples: dict[int, tuple[float, float]]) -> dict[int, tuple[float, float]]:
        """Take row to (time, value); return row to surprise and expected."""
        before = self.judge(self.lately())
        expected = median(self.old(self.lately())) if not math.isnan(before) else NAN
        ok = {row: s for row, s in samples.items() if abs(s[1]) <= 1e18}
        if not ok:
            return dict.fromkeys(samples, (NAN, expected))
        now = min(t for t, _ in ok.values())
        present = [r for r, m in self.members.items() if r in ok or (m.heard and fresh(m, now))]
        for row, (time, value) in ok.items():
            hear(self.members[row], time, value)
        if old := self.old(present):
            self.add(list(ok), present, median(old))
        surprise = self.judge(present)
        if math.isnan(surprise):
            return dict.fromkeys(samples, (NAN, expected))
        told = {r: NAN if r not in ok else surprise if self.members[r].new else 0.0 for r in samples}
        return {row: (told[row], expected) for row in samples}

    def lately(self) -> list[int]:
        been = {r: m for r, m in self.members.items() if m.heard}
        now = max((m.last for m in been.values()), default=0.0)
        return [r for r, m in been.items() if m.last == now or fresh(m, now)]

    def old(self, present: list[int]) -> list[float]:
        return [self.members[r].value for r in present if not self.members[r].new]

    def add(self, rows: list[int], present: list[int], usual: float) -> None:
        settled = [self.members[r] for r in rows if self.members[r].last - self.members[r].born >= 300]
        start = max(m.start for m in self.members.values())
        going = [r for r in present if (m := self.members[r]).new and m.far and m.start == start]
        comes = [m.last for m in settled if m.new and (not m.far or m.start < start)]
        if comes and not (going and min(comes) - start <= 900):
            start = min(comes)
        for m in settled:
            if m.start < start:
                m.start, m.usual, m.far = start, [], []
            if start > -math.inf:
                m.began = m.began if m.far else m.last
                m.far.append(m.value - usual)
                m.usual.append(usual)

    def judge(self, present: list[int]) -> float:
        start = max(m.start for m in self.members.values())
        shown = [m for r in present if len((m := self.members[r]).far) >= 8 and m.start == start]
        longest = max((m.last - m.began for m in shown), default=0.0)
        shown = [m for m in shown if m.last - m.began >= 0.5 * longest]
        old, new = [m for m in shown if not m.new], [m for m in shown if m.new]
        if not old or not new:
            return NAN
        n0, n1 = len(old), len(new)
        base, spread0, free0 = winsorised(sorted(m.mean() for m in old))
        mean1 = sum(m.mean() for m in new) / n1
        spread1 = sum((m.mean() - mean1) ** 2 for m in new)
        differ = mean1 - base
        level = max(abs(sum(m.mean() + sum(m.usual) / len(m.usual) for m in old) / n0), abs(differ))
        free = 4 + free0 + n1 - 1
        prior = (0.04 * level) ** 2 + sum(m.error() for m in shown) / (n0 + n1)
        square = (4 * prior + free0 * spread0 + spread1) / free
        square = max(square, 0.25 * sum(m.error() for m in new) / n1, 1e-18) * (1 / n1 + 1 / n0)
        ratio, z = (0.3 * level) ** 2 / square, differ**2 / square
        bayes = ((1 + z / free) / (1 + z / (free * (1 + ratio)))) ** ((free + 1) / 2) / math.sqrt(1 + ratio)
        return max(math.log10(bayes), 0.0)


def hear(m: Instance, time: float, value: float) -> None:
    step = max(time - m.last, 0.0)
    if m.heard == 0:
        m.born = time
    elif m.heard == 1:
        m.cadence = step
    else:
        m.cadence += 0.05 * (min(step, 4 * m.cadence) - m.cadence)
    m.last, m.value, m.heard = time if m.heard == 0 else max(time, m.last), value, m.heard + 1


def fresh(m: Instance, now: float) -> bool:
    return now - m.last <= 4 * (m.cadence or 300.0)


def winsorised(ordered: list[float]) -> tuple[float, float, int]:
    n, cut = len(ordered), len(ordered) // 10
    drawn = [ordered[min(max(k, cut), n - cut - 1)] for k in range(n)]
    mean = sum(drawn) / n
    square = sum((x - mean) ** 2 for x in drawn) / max(n - 1, 1)
    if cut:
        share, normal = cut / n, NormalDist()
        end = normal.inv_cdf(share)
        square /= 1 - 2 * share + 2 * end * normal.pdf(end) + 2 * share * end**2
    return mean, square, max(n - 2 * cut - 1, 0)
