"""How soon `burn` tells of failures, and how often of none, beside the workbook's rule on plain ratios."""

from __future__ import annotations

import time as clock

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.burn import BYTES_A_GROUP, BYTES_A_ROW, Burn

Flags = NDArray[np.bool_]

OBJECTIVE, MINUTE, EACH = 0.999, 60.0, 40
PAIRS = ((14.4, 60, 5), (6.0, 360, 30), (1.0, 4320, 360))  # minutes, over which the ratio is taken
LIMIT = 3.0  # surprise
QUIET, AFTER = 7 * 1440, 12 * 60  # minutes before the failures, and of them
RATES = (0.002, 0.02, 1.0, 100.0)  # requests a second
SHARES = (1.0, 0.1, 0.02, 0.004)  # that fail, each at 40 services


def run() -> dict[str, float]:
    """Print minutes until each tells, the median of 40 services, and false alarms a service-day before."""
    found: dict[str, float] = {}
    print(f"{'':<34}{'burn':>18}{'plain ratios':>18}   median minutes (told of {EACH})")
    for rate in RATES:
        every, failed = _requests(rate, np.random.default_rng(20261122))
        told = {"burn": _burn(every, failed), "plain": _plain(every, failed)}
        for k, share in enumerate(SHARES):
            cells = []
            for name, loud in told.items():
                minutes, part = _minutes_until(loud[QUIET:, k * EACH : (k + 1) * EACH])
                key = f"{name}.{rate:g}_a_second_{share:g}_fail"
                found |= {f"{key}_minutes": minutes, f"{key}_told": part}
                cells.append(f"{f'{minutes:.0f} ({part:.0%})':>18}")
            print(f"{f'{rate:g} requests/s, {share:.1%} fail':<34}{''.join(cells)}")
        false = {name: _alarms(loud[1440:QUIET]) / 6 for name, loud in told.items()}
        found |= {f"{name}.{rate:g}_a_second_false": value for name, value in false.items()}
        print(f"{'  false alarms a service-day':<34}{false['burn']:>18.3f}{false['plain']:>18.3f}")
    found["burn.samples_s"] = _speed()
    found |= {"burn.bytes_a_series": float(BYTES_A_ROW), "burn.bytes_a_group": float(BYTES_A_GROUP)}
    print(f"{found['burn.samples_s']:,.0f} samples/s; {BYTES_A_ROW} bytes a series, {BYTES_A_GROUP} a group")
    return found


def _requests(rate: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return requests and failures a minute; one in 4,000 fails, and after a week each service's share."""
    daily = 1 + 0.8 * np.sin(2 * np.pi * np.arange(QUIET + AFTER) / 1440)[:, None]
    every = rng.poisson(rate * MINUTE * daily, (QUIET + AFTER, len(SHARES) * EACH))
    after = (np.arange(QUIET + AFTER) >= QUIET)[:, None]
    failed = rng.binomial(every, np.where(after, np.repeat(SHARES, EACH), 1 / 4000))
    return every.astype(float), failed.astype(float)


def _burn(every: Floats, failed: Floats) -> Flags:
    """Return where the detector is surprised, (minutes, services)."""
    d, rows = Burn(), np.arange(2 * every.shape[1], dtype=np.int32)
    d.seat_many(rows, rows // 2, rows % 2)
    value = np.stack((every, failed), axis=2).reshape(len(every), -1) / MINUTE
    times = MINUTE * np.arange(1, len(value) + 1)
    told = [d.take_many(rows, np.full(len(rows), t), v)[0][1::2] for t, v in zip(times, value, strict=True)]
    return np.array(told) >= LIMIT


def _plain(every: Floats, failed: Floats) -> Flags:
    """Return where a ratio of both spans of a pair is beyond its rate, as the workbook has it."""
    told = np.zeros(every.shape, np.bool_)
    for rate, *spans in PAIRS:
        over = np.ones(every.shape, np.bool_)
        for span in spans:
            with np.errstate(invalid="ignore", divide="ignore"):
                over &= _sum(failed, span) / _sum(every, span) > rate * (1 - OBJECTIVE)
        told |= over
    return told


def _sum(value: Floats, span: int) -> Floats:
    total = np.cumsum(value, axis=0)
    total[span:] -= total[:-span].copy()
    return total


def _minutes_until(told: Flags) -> tuple[float, float]:
    first = np.where(told.any(axis=0), np.argmax(told, axis=0) + 1.0, np.nan)
    known = first[np.isfinite(first)]
    return (float(np.median(known)) if len(known) else float("nan")), len(known) / len(first)


def _alarms(told: Flags) -> float:
    """Return alarms a service; those within an hour of each other are one."""
    loud = np.flatnonzero(told.T.ravel())
    return float((np.diff(loud, prepend=-(10**9)) > 60).sum() / told.shape[1])


def _speed() -> float:
    rows = np.arange(20_000, dtype=np.int32)
    d = Burn()
    d.seat_many(rows, rows // 2, rows % 2)
    value = np.where(rows % 2, 0.001, 10.0)
    d.take_many(rows, np.full(len(rows), MINUTE), value)
    begun = clock.process_time()
    for k in range(2, 7):
        d.take_many(rows, np.full(len(rows), MINUTE * k), value)
    return 5 * len(rows) / (clock.process_time() - begun)
