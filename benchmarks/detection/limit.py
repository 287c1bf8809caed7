"""How often the truth lies in the interval that `limit` gives, how wide that is, and how early it speaks."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.base import Facts, Floats
from detectors.limit import ROW, Args, Limit

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "recordings"
STEP, DAYS, SEEN, SERIES = (
    120.0,
    12,
    8,
    12,
)  # seconds; days made; days of them in which it is asked; of a kind
TICKS = int(DAYS * 86400 / STEP)
LIMIT = 100.0
LOUD = 2.0
Names = NDArray[np.str_]
Maker = Callable[[np.random.Generator, Floats], Floats]


@dataclass
class Asked:
    """One forecast beside the truth; times in s from when it was made."""

    kind: str
    series: int
    at: float
    truth: float  # inf = not within the longest horizon
    soonest: float
    reached: float
    latest: float
    surprise: float

    @property
    def inside(self) -> bool:
        return self.soonest <= self.truth <= self.latest


def run() -> dict[str, float]:
    """Print hit rate, width, error and lead of each kind, beside a line through the last six hours."""
    time = STEP * np.arange(TICKS, dtype=np.float64)
    kinds = {k: _made(k, f, time) for k, f in {**FILLING, **HARD, **QUIET}.items()}
    name = np.repeat(list(kinds), SERIES)
    values = np.vstack(list(kinds.values()))
    ours, surprise = _ask(time, values, name, LIMIT)
    plain = _ask_plain(time, values, name)
    print(f"{'':<22}{'asked':>7}{'truth inside':>16}{'width':>14}{'median error':>16}   (limit | plain line)")
    found: dict[str, float] = {}
    for kind in [*FILLING, *HARD]:
        found |= _tell(kind, [a for a in ours if a.kind == kind], [a for a in plain if a.kind == kind])
    filling = [a for a in ours if a.kind in FILLING]
    found |= _tell("all that fill", filling, [a for a in plain if a.kind in FILLING])
    near = [a for a in filling if a.surprise >= 1]
    found |= _tell("of these spoken", near, [])
    found |= _real()
    found |= _lead(values, name, surprise) | _false(values, name, surprise)
    return found | _withdrawn(surprise, name) | _speed()


def _tell(kind: str, ours: list[Asked], plain: list[Asked]) -> dict[str, float]:
    (hit, width, error), (hit0, width0, error0) = _figures(ours), _figures(plain)
    print(
        f"{kind:<22}{len(ours):>7}{hit:>8.2f}{hit0:>8.2f}{width:>7.2f}{width0:>7.2f}{error:>8.2f}{error0:>8.2f}"
    )
    key = f"limit_{kind.replace(' ', '_').replace(',', '')}"
    return {f"{key}_inside": hit, f"{key}_width": width, f"{key}_error": error}


def _figures(asked: list[Asked]) -> tuple[float, float, float]:
    """Return the share inside, and median width and error as shares of the time foretold and the truth."""
    if not asked:
        return np.nan, np.nan, np.nan
    width = [(a.latest - a.soonest) / a.reached for a in asked]
    error = [abs(a.reached - a.truth) / a.truth for a in asked if np.isfinite(a.truth)]
    return (
        float(np.mean([a.inside for a in asked])),
        float(np.median(width)),
        float(np.median(error or [np.nan])),
    )


def _ask(time: Floats, values: Floats, name: Names, limit: float) -> tuple[list[Asked], Floats]:
    """Feed all series, (series, ticks); return what was foretold, and the surprise, (ticks, series)."""
    args = Args(limit=limit)
    d, series = Limit(args), np.arange(len(values), dtype=np.int32)
    hit = _reached(values, limit)
    asked: list[Asked] = []
    until = min(len(time), int(SEEN * 86400 / STEP))
    surprise = np.full((until, len(values)), np.nan)
    for k in range(until):
        surprise[k] = d.take_many(series, np.full(len(series), time[k]), values[:, k])[0]
        for i in _turn(k, hit):
            asked += _noted(
                str(name[i]), i, k, time, hit[i], d.facts_of(i, time[k], values[i, k]), surprise[k, i]
            )
    return asked, surprise


def _ask_plain(time: Floats, values: Floats, name: Names) -> list[Asked]:
    """Ask least squares over the last six hours, its slope two-sided with 80 % of a normal distribution."""
    hit = _reached(values, LIMIT)
    asked: list[Asked] = []
    wide = int(6 * 3600 / STEP)
    for k in range(wide, int(SEEN * 86400 / STEP)):
        for i in _turn(k, hit):
            t, x = time[k - wide : k + 1] - time[k], values[i, k - wide : k + 1]
            off = t - t.mean()
            slope = float((off * x).sum() / (off * off).sum())
            level = float(x.mean() - slope * t.mean())
            left = x - level - slope * t
            error = 1.28 * float(np.sqrt((left**2).mean() / (off * off).sum()))
            at = [
                time[k] + (LIMIT - level) / s if s > 0 else np.inf
                for s in (slope + error, slope, slope - error)
            ]
            facts = Facts(limit=LIMIT, soonest=at[0], reached=at[1], latest=at[2])
            if at[1] - time[k] <= Args().max_horizon:
                asked += _noted(str(name[i]), i, k, time, hit[i], facts, 0.0)
    return asked


def _reached(values: Floats, limit: float) -> list[int]:
    """Return the first tick at which each series is at its limit; far beyond the end where none is."""
    return [int(np.argmax(x >= limit)) if (x >= limit).any() else 10**9 for x in values]


def _turn(k: int, hit: list[int]) -> list[int]:
    """Return whom to ask at tick k: every two hours, and every 20 minutes of the last five hours."""
    return [
        i
        for i, end in enumerate(hit)
        if 30 < k < end and (k + 7 * i) % int((7200 if (end - k) * STEP > 5 * 3600 else 1200) / STEP) == 0
    ]


def _noted(kind: str, i: int, k: int, time: Floats, hit: int, facts: Facts, surprise: float) -> list[Asked]:
    if not np.isfinite(facts.reached):
        return []
    at = float(time[k])
    truth = float(time[hit]) - at if hit < len(time) else np.inf
    truth = truth if truth <= Args().max_horizon else np.inf
    return [
        Asked(
            kind, i, at, truth, facts.soonest - at, max(facts.reached - at, 1.0), facts.latest - at, surprise
        )
    ]


def _lead(values: Floats, name: Names, surprise: Floats) -> dict[str, float]:
    """Print how long before the limit each surprise is reached for good."""
    found: dict[str, float] = {}
    for s in (1.0, 2.0):
        leads = []
        for i, end in enumerate(_reached(values, LIMIT)):
            if end < len(surprise) and name[i] in FILLING:
                quiet = np.flatnonzero(~(surprise[:end, i] >= s))
                leads.append((end - 1 - (quiet[-1] if len(quiet) else -1)) * STEP)
        median, early = float(np.median(leads)), float(np.mean(np.array(leads) >= 1800))
        what = f"{median / 60:.0f} min before {len(leads)} limits, {early:.0%} by 30 min"
        print(f"surprise >= {s:.0f} for good: {what}")
        found |= {f"limit_lead_at_{s:.0f}_s": median, f"limit_early_at_{s:.0f}": early}
    return found


def _false(values: Floats, name: Names, surprise: Floats) -> dict[str, float]:
    """Print what share of what was said proved false, and how often quiet series are spoken of."""
    found = {}
    wide, hit = int(4 * 3600 / STEP), _reached(values, LIMIT)
    for s in (1.0, 2.0):
        wrong = said = 0
        for i, end in enumerate(hit):
            k = np.flatnonzero(surprise[:end, i] >= s)
            if name[i] in FILLING:
                wrong, said = wrong + int((end - k > wide).sum()), said + len(k)
        found[f"limit_false_at_{s:.0f}"] = wrong / max(said, 1)
        print(f"surprise >= {s:.0f} proved false: {wrong / max(said, 1):.3f} of {said} samples")
    quiet = [i for i, kind in enumerate(name) if kind in QUIET and hit[i] > len(surprise)]
    loud = surprise[:, quiet] >= LOUD
    bouts = int((loud[1:] & ~loud[:-1]).sum()) / (len(quiet) * SEEN)
    print(f"quiet series: {bouts:.3f} bouts a series-day")
    return found | {"limit_quiet_bouts_day": bouts}


def _withdrawn(surprise: Floats, name: Names) -> dict[str, float]:
    """Print how soon after filling stops a word that was spoken is taken back."""
    late = []
    for seed, i in enumerate(np.flatnonzero(name == "stops")):
        _, stop = _stopping(_rng("stops", seed))
        k = int(stop / STEP)
        if k < len(surprise) and surprise[k, i] >= 1:
            calm = np.flatnonzero(surprise[k:, i] < 1)
            late.append(calm[0] * STEP if len(calm) else np.inf)
    after = float(np.median(late or [np.nan]))
    print(f"filling stopped while spoken of: {len(late)}, taken back after {after / 60:.0f} min")
    return {"limit_withdrawn_s": after}


def _real() -> dict[str, float]:
    """Ask of the memory of real services, towards levels that they reach later, or just do not."""
    asked: list[Asked] = []
    for file in sorted(RECORDINGS.glob("*/metrics.parquet")):
        asked += _of_recording(file)
    return _tell("real memory, levels", asked, []) if asked else {}


def _of_recording(file: Path) -> list[Asked]:
    import pyarrow.parquet as parquet

    table = parquet.read_table(file, filters=[("metric", "=", "mem_mib")])
    t, entity, v = (table[c].to_numpy(zero_copy_only=False) for c in ("t", "entity", "value"))
    asked: list[Asked] = []
    for pod in np.unique(entity):
        of = np.flatnonzero(entity == pod)
        of = of[np.argsort(t[of], kind="stable")]
        at, x = t[of].astype(np.float64), v[of].astype(np.float64)
        low, high = np.nanmin(x), np.nanmax(x)
        if len(x) < 100 or high - low < 1e-3 * high:
            continue
        levels = low + (high - low) * np.array([0.5, 0.7, 0.9, 1.05])
        scaled = LIMIT * (x - low + 1.0) / (levels[:, None] - low + 1.0)
        asked += _ask(at - at[0], scaled, np.full(len(levels), "real"), LIMIT)[0]
    return asked


def _speed() -> dict[str, float]:
    n, values = 20_000, np.random.default_rng(0).normal(50, 1, (30, 20_000))
    d, series = Limit(), np.arange(n, dtype=np.int32)
    for k in range(25):
        d.take_many(series, np.full(n, 60.0 * k), values[k])
    begun = clock.process_time()
    for k in range(25, 30):
        d.take_many(series, np.full(n, 60.0 * k), values[k])
    rate = 5 * n / (clock.process_time() - begun)
    print(f"{rate:,.0f} samples/s of 20,000 series; {ROW.itemsize} bytes a series")
    return {"limit_samples_s": rate, "limit_bytes_a_series": float(ROW.itemsize)}


def _rng(kind: str, seed: int) -> np.random.Generator:
    return np.random.default_rng([43, seed, sum(map(ord, kind))])


def _made(kind: str, make: Maker, time: Floats) -> Floats:
    return np.array([make(_rng(kind, seed), time) for seed in range(SERIES)])


def _rate(rng: np.random.Generator, quickest: float = 1.0) -> float:
    """Return a rate a second that fills what is left in `quickest` to six days."""
    return 80 / 86400 / float(rng.uniform(quickest, 6.0))


def _steady(rng: np.random.Generator, t: Floats) -> Floats:
    found: Floats = 20 + _rate(rng) * t + rng.normal(0, rng.choice([0.02, 0.2, 1.0]), len(t))
    return found


def _faster(rng: np.random.Generator, t: Floats) -> Floats:
    return 20 + 80 * (t / 86400 / rng.uniform(1.5, 6)) ** 2 + rng.normal(0, 0.2, len(t))


def _batches(rng: np.random.Generator, t: Floats) -> Floats:
    often = STEP / rng.choice([1800.0, 3600.0, 4 * 3600.0])
    size = _rate(rng) * STEP / often
    return (
        20
        + np.cumsum((rng.random(len(t)) < often) * rng.gamma(3, size / 3, len(t)))
        + rng.normal(0, 0.05, len(t))
    )


def _by_day(rng: np.random.Generator, t: Floats) -> Floats:
    busy = 1 + rng.uniform(0.5, 1.0) * np.sin(2 * np.pi * t / 86400 + rng.uniform(0, 6))
    return 20 + np.cumsum(busy) * _rate(rng, 2.0) * STEP + rng.normal(0, 0.2, len(t))


def _clean_ups(rng: np.random.Generator, t: Floats) -> Floats:
    rate, level, often = _rate(rng, 2.0) * STEP, 20.0, STEP / 86400 / rng.uniform(0.7, 2.0)
    found = rng.normal(0, 0.1, len(t))
    for k in range(len(t)):
        level += rate - (rng.random() < often) * rng.uniform(0.1, 0.5) * (level - 15)
        found[k] += level
    return found


def _drifting(rng: np.random.Generator, t: Floats) -> Floats:
    step = _rate(rng) * STEP
    return 20 + np.cumsum(rng.normal(step, step * rng.choice([3.0, 10.0, 30.0]), len(t)))


def _changing(rng: np.random.Generator, t: Floats) -> Floats:
    turns = np.cumsum(rng.random(len(t)) < STEP / 36000)
    return (
        20
        + np.cumsum(rng.gamma(1.0, 1.0, len(t))[turns]) * _rate(rng, 1.5) * STEP
        + rng.normal(0, 0.2, len(t))
    )


def _rotation(rng: np.random.Generator, t: Floats) -> Floats:
    period = rng.uniform(0.3, 1.2) * 86400
    return (
        20
        + rng.uniform(40, 75) * ((t + rng.uniform(0, period)) % period) / period
        + rng.normal(0, 0.2, len(t))
    )


def _stopping(rng: np.random.Generator) -> tuple[float, float]:
    """Return rate a second and time of the stop: an hour or two before the limit."""
    rate = 80 / 86400 / rng.uniform(0.8, 4.0)
    return rate, 80 / rate - rng.uniform(3600, 7200)


def _stops(rng: np.random.Generator, t: Floats) -> Floats:
    rate, stop = _stopping(rng)
    return 20 + rate * np.minimum(t, stop) + rng.normal(0, 0.05, len(t))


FILLING: dict[str, Maker] = {
    "steady, noise": _steady, "faster and faster": _faster, "batches": _batches, "by day more": _by_day,
    "clean-ups": _clean_ups, "random walk, drift": _drifting,
}  # fmt: skip
# What no past tells: the rate of the next hours, that the first rotation comes, that filling will stop.
HARD: dict[str, Maker] = {"rate changes": _changing, "rotation below": _rotation, "stops": _stops}
QUIET: dict[str, Maker] = {
    "still": lambda rng, t: 85 + rng.normal(0, 2, len(t)),
    "daily": lambda rng, t: 60 + 25 * np.sin(2 * np.pi * t / 86400) + rng.normal(0, 2, len(t)),
    "walk": lambda rng, t: 50 + np.cumsum(rng.normal(0, 0.1, len(t))),
}

if __name__ == "__main__":
    run()
