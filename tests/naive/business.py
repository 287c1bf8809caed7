"""detectors/business.py for one series of counts, a sample at a time, with its default arguments, in UTC."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from scipy import special

DAY = 86400.0
NAN = math.nan
WEEKEND = (5, 6)
LN10 = math.log(10)


def chance(count: float, mean: float, variance: float) -> float:
    """Return -log10 p of a count at least so far from the mean, on its own side."""
    unit = variance / mean
    if count >= mean:
        p = float(special.gammainc(count / unit, mean / unit))
    else:
        p = float(special.gammaincc(count / unit + 1, mean / unit))
    return min(-math.log10(p), 300.0) if p > 0 else 300.0


@dataclass
class NaiveBusiness:
    seen: int = 0
    last: float = 0.0
    level: float = 0.0
    overall: float = 0.0
    previous: float = 0.0
    centre: float = 0.0
    cells: dict[tuple[int, int], float] = field(default_factory=dict)  # kind of day, half hour
    visits: dict[tuple[int, int], int] = field(default_factory=dict)
    visit: list[tuple[float, float, float]] = field(default_factory=list)  # value, expected, trust
    cell: tuple[int, int] = (0, 0)
    today: tuple[float, float] = (0.0, 0.0)  # seen, usual
    late: tuple[float, float] = (0.0, 0.0)
    spans: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    wild: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0], [0.0, 0.0]])
    scatter: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])
    often: list[float] = field(default_factory=lambda: [0.05, 0.05])
    excess: list[float] = field(default_factory=lambda: [1 / LN10, 1 / LN10])
    out: int = 0
    out_since: float = 0.0
    day: int = 0

    def take(self, time: float, value: float) -> tuple[float, float]:
        """Return surprise and expected, then learn."""
        kind, place = int(time // DAY + 3) % 7, time % DAY / 1800
        half, day = int(place), int(time // DAY)
        base, visits = self.usual(kind, half, place - half), self.visits.get((kind, half), 0)
        known = base is not None
        base = max(base, 0.0) if base is not None else 0.0
        grain, rough = self.grain()
        gone = max(time - self.last, 0.0) if self.seen else 0.0
        unlike = 0.09 / (1 + 10 * visits)
        prior = grain / (0.01 + unlike)
        fading, anew = math.exp(-gone / 7200), 1.0
        if day != self.day:
            anew = min(prior / max(self.today[1] * fading, 1e-300), 1.0)
        fading *= anew
        weight = prior + self.today[1] * fading
        today = (prior + self.today[0] * fading) / weight
        loose = grain / weight + unlike / 4
        expected = max(base * today if known else self.level, 0.02 * grain)
        wide = (rough + loose) * expected**2 if known else 0.36 * max(expected, self.overall) ** 2
        variance = max(grain * expected + wide, (0.02 * expected) ** 2)
        told = expected if self.seen >= 60 else NAN
        if not abs(value) <= 1e18:
            return NAN, told

        count = max(value, 0.0)
        high = count >= expected
        decays = [math.exp(-gone / 300), math.exp(-gone / 1800)]
        sums, best = [], chance(count, expected, variance)
        for (seen, wanted, squared), decay, (strayed, square) in zip(
            self.spans, decays, self.wild, strict=True
        ):
            seen, wanted, squared = seen * decay, wanted * decay, squared * decay**2
            if known:
                seen, wanted, squared = seen + count, wanted + expected, squared + expected
            mean = max(wanted, 0.02 * grain)
            of_chance = grain * squared
            beyond = max(strayed, 0.0) / max(square, 1e-300) + loose
            spread = max(of_chance + beyond * mean**2, (0.02 * mean) ** 2)
            if wanted > 0 and (seen >= mean) == high:
                best = max(best, chance(seen, mean, spread))
            sums.append((seen, wanted, squared, mean, of_chance, spread))
        raw = max(best - math.log10(6), 0.0)
        often = -math.log10(2 * min(max(self.often[high], 0.02), 0.25))
        surprise = min(raw, 1.0) * often + max(raw - 1, 0.0) / LN10 / self.excess[high]
        surprise = surprise if self.seen >= 60 else NAN

        self.remember_tail(raw, high)
        odd = surprise >= 3
        pace = 0.0 if odd else min(1 - math.exp(-gone / (3 * DAY)), 0.05)
        self.remember_scatter(known, count, expected, variance, pace)
        for k, (seen, wanted, squared, mean, of_chance, spread) in enumerate(sums):
            if of_chance > 0:
                strayed, square = self.wild[k]
                excess = min((seen - mean) ** 2, 9 * spread) - of_chance
                self.wild[k] = [strayed + pace * (excess - strayed), square + pace * (mean**2 - square)]
            self.spans[k] = [seen, wanted, squared]

        trust = 1 / (1 + (surprise / 3) ** 4) if self.seen >= 60 else 1.0
        new = (count, base) if known else (0.0, 0.0)
        kept, late = self.today, (self.late[0] * anew, self.late[1] * anew)
        left = [x * (1 - decays[1]) for x in late]
        self.today = (
            kept[0] + trust * (kept[0] * (fading - 1) + left[0]),
            kept[1] + trust * (kept[1] * (fading - 1) + left[1]),
        )
        self.late = (late[0] * decays[1] + new[0], late[1] * decays[1] + new[1])
        self.out_since = time if odd and self.out == 0 else self.out_since
        self.out = self.out + 1 if odd else max(self.out - 2, 0)
        if self.out >= 20 and time - self.out_since >= 14400:
            self.out, self.today = 0, self.late

        if (kind, half) != self.cell and self.visit:
            self.leave(grain, rough)
        self.cell = (kind, half)
        self.visit.append((count, expected, trust))
        young = 1 / (self.seen + 1)
        self.level += max(min(1 - math.exp(-gone / 600), 0.2), young) * (count - self.level)
        self.overall += max(1 - math.exp(-gone / DAY), young) * (count - self.overall)
        self.centre += max(young, 0.002) * (place - half - self.centre)
        self.previous, self.day = count, max(day, self.day)
        self.last = max(time, self.last) if self.seen else time
        self.seen += 1
        return surprise, told

    def usual(self, kind: int, half: int, within: float) -> float | None:
        own = self.known(kind, half)
        if own is None:
            return None
        before = self.known(kind, half - 1) if half else self.known((kind - 1) % 7, 47)
        after = self.known(kind, half + 1) if half < 47 else self.known((kind + 1) % 7, 0)
        if before is None or after is None or (own - before) * (after - own) <= 0:
            return own
        slope = min(abs(own - before), abs(after - own))
        return own + (within - self.centre) * math.copysign(slope, after - own)

    def known(self, kind: int, half: int) -> float | None:
        if (kind, half) in self.cells:
            return self.cells[kind, half]
        like = {d: 1.0 if (d in WEEKEND) == (kind in WEEKEND) else 0.05 for d in range(7)}
        seen = {d: w for d, w in like.items() if (d, half) in self.cells}
        if not seen:
            return None
        return sum(w * self.cells[d, half] for d, w in seen.items()) / sum(seen.values())

    def leave(self, grain: float, rough: float) -> None:
        many = len(self.visit)
        weight = sum(trust for _, _, trust in self.visit)
        mean = sum(value * trust for value, _, trust in self.visit) / weight
        expected = sum(e * trust for _, e, trust in self.visit) / weight
        visits, prior = self.visits.get(self.cell, 0), self.known(*self.cell)
        if visits >= 2:
            mean = min(max(mean, expected / 2), 2 * expected + 3 * grain)
        if prior is not None:
            strayed = grain / (max(prior, grain) * many) + rough + 0.0025
            pace = weight / many / (1 + min(visits, 5) + strayed / 0.09)
            mean = prior + pace * (mean - prior)
        self.cells[self.cell], self.visits[self.cell] = mean, visits + 1
        self.visit = []

    def grain(self) -> tuple[float, float]:
        odds, means, both, squares = self.scatter
        spread = max(squares - means**2, 0.0) + (0.2 * means) ** 2
        rough = max((both - odds * means) / max(spread, 1e-300), 0.0)
        grain = max(odds - rough * means, 0.05 * odds)
        return max(grain, 1e-9 * max(self.overall, 1e-9)), rough

    def remember_scatter(
        self, known: bool, count: float, expected: float, variance: float, pace: float
    ) -> None:
        off = count - expected if known else (count - self.previous) / math.sqrt(2)
        mean = expected if known else (count + self.previous) / 2
        if self.seen == 0 or mean <= 0 or mean < 0.05 * self.overall:
            return
        odds = (off**2 if self.seen < 30 else min(off**2, 16 * variance)) / mean
        pace = max(pace, 1 / self.seen)
        new = (odds, mean, odds * mean, mean**2)
        self.scatter = [old + pace * (x - old) for old, x in zip(self.scatter, new, strict=True)]

    def remember_tail(self, raw: float, high: bool) -> None:
        if self.out or self.seen < 30:
            return
        rate = 3 / min(self.seen + 100, 6000)
        for side in (False, True):
            beyond = raw > 1 and side == high
            self.often[side] += rate * (beyond - self.often[side])
            if beyond:
                old = self.excess[side]
                new = old + max(0.005, 1 / (20 + 0.05 * self.seen)) * (min(raw - 1, 4 * old + 0.5) - old)
                self.excess[side] = max(new, 1 / LN10)
