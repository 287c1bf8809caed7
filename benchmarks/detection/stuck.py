"""What `stuck` and `gaps` catch and how often they cry wolf, beside a chance learned without memory."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.gaps import Gaps
from detectors.runs import STEPS
from detectors.stuck import ROW, Stuck

NAB = Path(__file__).parents[3] / "shared" / "data" / "nab_dev" / "data"
KPI = Path(__file__).parents[3] / "shared" / "data" / "kpi_dev"
DAYS, STEP, SERIES = 10, 60.0, 60
LOUD = 4.0
BYTES = ROW.itemsize + 2 * 4 * (STEPS + 2)
FROZEN = 60  # samples, in the last three days

Line = tuple[Floats, Floats]  # time, value


def run() -> dict[str, float]:
    """Print what is caught of a value frozen for 60 samples, and false alarms on the same series without."""
    found: dict[str, float] = {}
    print(f"{'':<26}{'caught':>16}{'delay, samples':>16}{'false/series-day':>20}   (stuck | no memory)")
    for name, lines in {**_synthetic(), **_real()}.items():
        frozen = [_freeze(*line, seed) for seed, line in enumerate(lines)]
        row: list[tuple[float, float, float]] = []
        for take in (_stuck, _peer):
            hits = take([line for line, _ in frozen])
            late = [_delay(s, at) for s, (_, at) in zip(hits, frozen, strict=True)]
            quiet = [_bouts(s) for s in take(lines)]
            days = sum(float(t[-1] - t[0]) for t, _ in lines) / 86400
            caught = [x for x in late if np.isfinite(x)]
            row.append((len(caught) / len(late), float(np.median(caught or [np.nan])), sum(quiet) / days))
        (hit, delay, false), (hit0, delay0, false0) = row
        print(f"{name:<26}{hit:>8.2f}{hit0:>8.2f}{delay:>8.0f}{delay0:>8.0f}{false:>10.3f}{false0:>10.3f}")
        key = name.replace(" ", "_").replace(",", "")
        found |= {f"stuck_{key}_caught": hit, f"stuck_{key}_delay": delay, f"stuck_{key}_false_day": false}
    return found | _speed() | gaps()


def gaps() -> dict[str, float]:
    """Print how late a silence is told, and how often one that is none, beside five times the cadence."""
    found: dict[str, float] = {}
    print(f"\n{'silence of':<26}{'told after, beats':>20}{'false/series-day':>20}   (gaps | 5 cadences)")
    series = np.arange(SERIES, dtype=np.int32)
    for name, draw in _rhythms().items():
        drawn = [draw(np.random.default_rng([41, seed])) for seed in range(SERIES)]
        n = min(len(t) for t in drawn)
        times = np.array([t[:n] for t in drawn])
        d, false, false0 = Gaps(), 0, 0
        for k in range(n - 1):
            d.hear_many(series, times[:, k])
            if k >= n // 2:
                late = times[:, k + 1] - times[:, k]
                false += int((d.surprise_many(series, times[:, k + 1]) >= LOUD).sum())
                false0 += int((late > np.maximum(5 * d.usual_many(series)[1], 60.0)).sum())
        heard, cadence = d.usual_many(series)
        looks = np.arange(1.0, 600.0, 0.5)
        out = np.array([d.surprise_many(series, heard + x * cadence) >= LOUD for x in looks])
        mid = float(np.median(np.where(out.any(axis=0), looks[out.argmax(axis=0)], np.inf)))
        mid0 = float(np.median(np.maximum(5.0, 60.0 / cadence)))
        days = float((times[:, -1] - times[:, n // 2]).sum()) / 86400
        print(f"{name:<26}{mid:>10.1f}{mid0:>10.1f}{false / days:>10.3f}{false0 / days:>10.3f}")
        key = name.replace(" ", "_")
        found |= {f"gaps_{key}_beats": mid, f"gaps_{key}_false_day": false / days}
    return found


def _rhythms() -> dict[str, Callable[[np.random.Generator], Floats]]:
    def clockwork(rng: np.random.Generator) -> Floats:
        return 15.0 * np.arange(8000) + rng.normal(0, 0.5, 8000)

    def lossy(rng: np.random.Generator) -> Floats:
        found: Floats = clockwork(rng)[rng.random(8000) > 0.1]
        return found

    def by_chance(rng: np.random.Generator) -> Floats:
        return np.cumsum(rng.exponential(60.0, 8000))

    def nightly(rng: np.random.Generator) -> Floats:
        t = 60.0 * np.arange(12 * 1440) + rng.normal(0, 2, 12 * 1440)
        found: Floats = t[t % 86400 > 8 * 3600]
        return found

    return {
        "clockwork": clockwork,
        "one in ten lost": lossy,
        "by chance": by_chance,
        "rests at night": nightly,
    }


def _stuck(lines: list[Line]) -> list[Floats]:
    """Return the surprise of each line's samples; all lines are taken side by side."""
    longest = max(len(t) for t, _ in lines)
    time, value = (
        np.array([np.pad(line[k], (0, longest - len(line[k])), constant_values=np.nan) for line in lines])
        for k in (0, 1)
    )
    d, series = Stuck(), np.arange(len(lines), dtype=np.int32)
    found = np.array([d.take_many(series, time[:, k], value[:, k])[0] for k in range(longest)])
    return [found[: len(line[0]), k] for k, line in enumerate(lines)]


def _peer(lines: list[Line]) -> list[Floats]:
    return [_memoryless(v) for _, v in lines]


def _memoryless(value: Floats) -> Floats:
    """Return the surprise of run lengths were each repeat a coin of its own, its chance learned so far."""
    same = np.r_[False, value[1:] == value[:-1]]
    chance = (np.cumsum(same) - same + 0.5) / (np.arange(len(same)) + 1.0)
    k = np.arange(len(same))
    run = k - np.maximum.accumulate(np.where(same, 0, k))
    begun = np.maximum(k - run, 0)
    surprise: Floats = np.where(k < 60, np.nan, run * -np.log10(chance[begun]))
    return surprise


def _freeze(time: Floats, value: Floats, seed: int) -> tuple[Line, int]:
    at = int(np.random.default_rng([42, seed]).integers(int(0.7 * len(value)), len(value) - 2 * FROZEN))
    at += int(np.argmax(value[at : at + FROZEN] != value[at - 1 : at + FROZEN - 1]))  # where it moves
    changed = value.copy()
    changed[at : at + FROZEN + 1] = value[at]
    return (time, changed), at


def _delay(surprise: Floats, at: int) -> float:
    out = np.flatnonzero(surprise[at + 1 : at + 1 + FROZEN] >= LOUD)
    return float(out[0] + 1) if len(out) else np.inf


def _bouts(surprise: Floats) -> int:
    out: NDArray[np.bool_] = surprise >= LOUD
    return int((out & ~np.r_[False, out[:-1]]).sum())


def _synthetic() -> dict[str, list[Line]]:
    t = STEP * np.arange(DAYS * 1440, dtype=np.float64)
    day = np.sin(2 * np.pi * t / 86400)
    made: dict[str, list[Line]] = {
        k: [] for k in ("always moving", "two decimals", "small counts", "flat at night", "slow refresh",
                        "rate, bursts of traffic")
    }  # fmt: skip
    for seed in range(SERIES // 5):
        rng = np.random.default_rng([40, seed])
        noise = rng.normal(0, 1, len(t))
        bursts = np.repeat(rng.random(len(t) // 30) < 0.3, 30)
        for name, value in {
            "always moving": 50 + 10 * day + noise,
            "two decimals": np.round(0.5 + 0.1 * day + 0.03 * noise, 2),
            "small counts": rng.poisson(5 + 3 * day).astype(float),
            "flat at night": np.where(t % 86400 < 6 * 3600, 0.0, 20 + noise),
            "slow refresh": np.repeat(noise[: len(t) // 5], 5),
            "rate, bursts of traffic": np.where(bursts, rng.gamma(2.0, 3.0, len(t)), 0.0),
        }.items():
            made[name].append((t, value.astype(np.float64)))
    return made


def _real() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    files = sorted(NAB.rglob("*.csv"))
    if files:
        found["nab_dev, 35 real series"] = [_csv(f) for f in files]
    if KPI.is_dir():
        found["kpi_dev, 20,000 of each"] = [_npz(f) for f in sorted(KPI.glob("*.npz"))]
    return found


def _csv(file: Path) -> Line:
    lines = [line.split(",") for line in file.read_text().splitlines()[1:]]
    time = np.array([line[0] for line in lines], "datetime64[s]").astype(np.float64)
    return time, np.array([float(line[1]) for line in lines])


def _npz(file: Path) -> Line:
    with np.load(file) as held:
        value = held["value"][:20_000].astype(np.float64)
        return float(held["start"]) + float(held["step"]) * np.arange(len(value), dtype=np.float64), value


def _speed() -> dict[str, float]:
    n = 100_000
    rng, series = np.random.default_rng(0), np.arange(n, dtype=np.int32)
    values = np.round(rng.normal(10, 1, (40, n)), 1)
    d = Stuck()
    for k in range(30):
        d.take_many(series, np.full(n, 60.0 * k), values[k])
    begun = clock.process_time()
    for k in range(30, 40):
        d.take_many(series, np.full(n, 60.0 * k), values[k])
    rate = 10 * n / (clock.process_time() - begun)
    print(f"{rate:,.0f} samples/s of 100,000 series, one in ten repeating; {BYTES} bytes a series")
    return {"stuck_samples_s": rate, "stuck_bytes_a_series": BYTES}


if __name__ == "__main__":
    run()
