"""What `fleet` catches of an instance that leaves its peers, and false alarms, beside a z-score."""

from __future__ import annotations

import pickle
import time as clock
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.base import Floats
from detectors.fleet import Fleet
from detectors.peers import ROW

STEP, SAMPLES, QUIET = 60.0, 1320, 360  # by the minute; what comes before the sixth hour is not counted
AT, LAST = 1200, 120  # samples: when an instance leaves its peers and for how long one waits to be told
ROWS = 300
LOUD = 4.0

Draw = Callable[[np.random.Generator, int, int], Floats]  # generator, groups, members to (SAMPLES, rows)
Faults = dict[str, Callable[[Floats], Floats]]


def run() -> dict[str, float]:
    """Print hit rate, delay, false alarms and the rate of surprise for groups of 3, 5 and 50."""
    found: dict[str, float] = {}
    print(
        f"{'':<36}{'caught':>14}{'delay, min':>14}{'false/series-day':>18}   (fleet | z across peers)", end=""
    )
    print("   came / asked at 1e-2, 1e-3")
    for members in (3, 5, 50):
        for number, (name, (draw, halves, faults)) in enumerate(_fleets().items()):
            if (members == 3 and number in (1, 2, 4, 6)) or (members == 50 and number == 4):
                continue
            value = draw(np.random.default_rng([51, members, number]), ROWS // members, members)
            quiet, before = _fleet(value, members, halves)
            z = _peer(value, members)
            peer = _false(z[QUIET:])
            # So often as surprise 4 ought to come: what the z-score is told at, with hindsight.
            loud = float(np.quantile(z[QUIET:], 1 - 10.0**-LOUD))
            came = [float((quiet[QUIET:] >= s).mean() * 10**s) for s in (2, 3)]
            false = _false(quiet[QUIET:])
            print(f"{f'1 of {members}, {name}':<36}{'':>28}{false:>9.3f}{peer:>9.3f}", end="")
            print(f"{came[0]:>36.2f}{came[1]:>8.2f}")
            key = f"fleet_{members}_{name.replace(' ', '_').replace(',', '')}"
            found |= {f"{key}_false_day": false, f"{key}_1e-3": came[1]}
            for fault, change in faults.items():
                (hit, late), (hit0, late0) = _faulty(before, value, members, halves, change, loud)
                print(f"    {fault:<32}{hit:>7.2f}{hit0:>7.2f}{late:>7.0f}{late0:>7.0f}")
                found |= {f"{key}_{fault.replace(' ', '_')}_caught": hit, f"{key}_{fault[0]}_delay": late}
    return found | _speed()


def _faulty(
    before: bytes,
    value: Floats,
    members: int,
    halves: bool,
    change: Callable[[Floats], Floats],
    loud: float,
) -> list[tuple[float, float]]:
    """Return share told and median delay, of fleet and z-score, with some of each group off in turn."""
    hits: list[list[float]] = [[], []]
    for victim in range(3 if members > 3 else 1):
        out = np.arange(victim, ROWS, members)
        line = value[AT : AT + LAST].copy()
        line[:, out] = change(line[:, out])
        d: Fleet = pickle.loads(before)
        hits[0] += _told(_take(d, line, halves, AT)[:, out], LOUD)
        hits[1] += _told(_peer(line, members)[:, out], loud)
    rows = [np.array(each) for each in hits]
    return [(float(np.isfinite(x).mean()), float(np.median(x[np.isfinite(x)] if x.min() < 1e9 else x)))
            for x in rows]  # fmt: skip


def _fleets() -> dict[str, tuple[Draw, bool, Faults]]:
    """Return by name how a fleet behaves, whether its halves are scraped 30 s apart, and what befalls one."""
    sigmas: Faults = {"2 sigma": lambda v: v + 10.0, "4 sigma": lambda v: v + 20.0}
    ratios: Faults = {"1.3 times": lambda v: 1.3 * v, "2 times": lambda v: 2.0 * v}
    return {
        "plain noise": (_plain, False, sigmas),
        "heavy tails": (_heavy, False, sigmas),
        "autocorrelated 0.9": (_wander, False, sigmas),
        "shared load, own offsets": (_load, False, ratios),
        "the same, scraped apart": (_load, True, ratios),
        "load that jumps, scraped apart": (_jumps, True, ratios),
        "counts of about 2": (_counts, False, {"2 times": lambda v: 2.0 * v}),
    }


def _plain(rng: np.random.Generator, groups: int, members: int) -> Floats:
    return 100 + 5 * rng.normal(size=(SAMPLES, groups * members))


def _heavy(rng: np.random.Generator, groups: int, members: int) -> Floats:
    found: Floats = 100 + 5 * rng.standard_t(3, size=(SAMPLES, groups * members)) / np.sqrt(3)
    return found


def _wander(rng: np.random.Generator, groups: int, members: int) -> Floats:
    return 100 + 5 * _auto(rng, groups * members, 0.9)


def _load(rng: np.random.Generator, groups: int, members: int) -> Floats:
    day = 1 + 0.6 * np.sin(2 * np.pi * np.arange(SAMPLES) * STEP / 86400)[:, None]
    shared = day * np.exp(0.1 * _auto(rng, groups, 0.95))
    own = np.exp(0.15 * rng.normal(size=groups * members))
    noise = np.exp(0.05 * _auto(rng, groups * members, 0.5))
    found: Floats = 100 * np.repeat(shared, members, axis=1) * own * noise
    return found


def _jumps(rng: np.random.Generator, groups: int, members: int) -> Floats:
    level = np.where(rng.random((SAMPLES, groups)) < 1 / 240, rng.choice([0.5, 2.0], (SAMPLES, groups)), 1.0)
    shared = np.cumprod(level, axis=0)
    shared = np.exp(np.abs((np.log(shared) + 1.5) % 6 - 3))  # folded, so that it stays near 100
    found: Floats = np.repeat(shared, members, axis=1) * _load(rng, groups, members)
    return found


def _counts(rng: np.random.Generator, groups: int, members: int) -> Floats:
    return rng.poisson(2.0, (SAMPLES, groups * members)).astype(float)


def _auto(rng: np.random.Generator, n: int, keep: float) -> Floats:
    """Return (SAMPLES, n) of unit variance, each sample so much like the one before."""
    found = rng.normal(size=(SAMPLES, n))
    for k in range(1, SAMPLES):
        found[k] = keep * found[k - 1] + np.sqrt(1 - keep**2) * found[k]
    return found


def _fleet(value: Floats, members: int, halves: bool) -> tuple[Floats, bytes]:
    """Return the surprise of each sample, and what the fleet was at AT."""
    n = value.shape[1]
    d, series = Fleet(), np.arange(n, dtype=np.int32)
    d.seat_many(series, series // members, np.zeros(n, np.int32))
    first = _take(d, value[:AT], halves, 0)
    before = pickle.dumps(d)
    return np.concatenate((first, _take(d, value[AT:], halves, AT))), before


def _take(d: Fleet, value: Floats, halves: bool, at: int) -> Floats:
    """Return the surprise of each sample; with halves, every other member is taken 30 s after the rest."""
    series = np.arange(value.shape[1], dtype=np.int32)
    parts = [series[::2], series[1::2]] if halves else [series]
    found = np.full(value.shape, np.nan)
    for k, line in enumerate(value):
        for late, part in enumerate(parts):
            found[k, part] = d.take_many(part, np.full(len(part), STEP * (at + k) + 30 * late), line[part])[0]
    return found


def _peer(value: Floats, members: int) -> Floats:
    """Return the surprise by a z-score across the group now, with median and MAD, as if it were normal."""
    cut = value.reshape(len(value), -1, members)
    off = cut - np.median(cut, axis=2, keepdims=True)
    wide = np.median(np.abs(off), axis=2, keepdims=True) / 0.6745
    z = np.abs(off) / np.maximum(wide, 1e-9)
    found: Floats = -(special.log_ndtr(-z) + np.log(2)) / np.log(10)
    return found.reshape(value.shape)


def _false(surprise: Floats) -> float:
    """Return bouts a series-day."""
    out: NDArray[np.bool_] = surprise >= LOUD
    bouts = (out[1:] & ~out[:-1]).sum() + out[0].sum()
    return float(bouts / (surprise.size * STEP / 86400))


def _told(surprise: Floats, loud: float) -> list[float]:
    """Return the delay of each series, minutes; inf where nothing was told."""
    out = surprise >= loud
    found: list[float] = np.where(out.any(axis=0), out.argmax(axis=0), np.inf).tolist()
    return found


def _speed() -> dict[str, float]:
    n = 100_000
    rng, series = np.random.default_rng(0), np.arange(n, dtype=np.int32)
    values = rng.normal(10, 1, (12, n))
    found = {}
    for members in (5, 50):
        d = Fleet()
        d.seat_many(series, series // members, np.zeros(n, np.int32))
        for k in range(8):
            d.take_many(series, np.full(n, 60.0 * k), values[k])
        begun = clock.process_time()
        for k in range(8, 12):
            d.take_many(series, np.full(n, 60.0 * k), values[k])
        found[f"fleet_{members}_samples_s"] = rate = 4 * n / (clock.process_time() - begun)
        print(f"{rate:,.0f} samples/s of 100,000 series in groups of {members}")
    found["fleet_bytes_a_series"] = ROW.itemsize + 5 + 20.0
    return found


if __name__ == "__main__":
    run()
