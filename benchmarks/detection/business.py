"""Orders that fall to nine, seven or five tenths, by day and night, told by `business` and by `seasonal`."""

from __future__ import annotations

import copy
import time as clock
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from detectors.base import Floats
from detectors.business import Args, Business
from detectors.seasonal import Seasonal

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 4, 13, tzinfo=BERLIN).timestamp()  # a Monday; 1 and 14 May are holidays
HOLIDAYS = (18, 31)  # days after it
DAYS, WEEK, DAY, HOUR = 42, 7 * 1440, 1440, 60
LEVELS, EACH = (10, 100, 1000), 20  # orders a minute at noon of a Monday, and series of each
WEEKDAYS = np.array([1.0, 0.95, 0.97, 1.0, 1.2, 0.7, 0.45])
# Where each cries wolf about once in a hundred series-days; at 4 business is as wrong as it says it is.
LOUD = {"business": 5.0, "seasonal": 4.0}

Kind = Business | Seasonal


def run() -> dict[str, float]:
    """Print what each finds of drops of an hour, how soon, and what it tells where nothing is wrong."""
    begun = clock.process_time()
    orders, mean = _orders(np.random.default_rng(20261122))
    kinds: dict[str, Kind] = {
        "business": Business(Args(timezone="Europe/Berlin", country="DE")),
        "seasonal": Seasonal(),
    }
    found: dict[str, float] = {}
    for name, detector in kinds.items():
        # A drop is tried in the sixth week, on a copy of what has been learned until then.
        starts = {"day": 36 * DAY + 10 * HOUR, "night": 36 * DAY + 3 * HOUR}
        told, before = _weeks(detector, orders, sorted(starts.values()))
        found |= {f"{name}.{key}": value for key, value in _false(told, LOUD[name]).items()}
        for when, start in starts.items():
            for left in (0.9, 0.7, 0.5):
                for k, level in enumerate(LEVELS):
                    hit, delay = _drop(before[start], LOUD[name], mean, start, left, k)
                    key = f"{name}.{when}_{level}_to_{left:g}"
                    found |= {f"{key}_caught": hit, f"{key}_minutes": delay}
    found |= {f"sundays.{key}": value for key, value in _without_calendar(orders).items()}
    found["business.bytes_a_series"] = Business().bytes_a_series()
    found["business.samples_s"] = _speed(kinds["business"])
    found["seasonal.samples_s"] = _speed(kinds["seasonal"])
    _print(found)
    print(f"{clock.process_time() - begun:.0f} s of processor time")
    return found


def _orders(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return orders a minute, (minutes, series), and their mean; days are 5 % and hours 3 % unlike."""
    minutes = np.arange(DAYS * DAY)
    hour, day = (minutes % DAY) / HOUR, minutes // DAY
    shape = np.exp(-0.5 * ((hour - 13) / 4) ** 2) + 0.6 * np.exp(-0.5 * ((hour - 20) / 2) ** 2) + 0.01
    weekday = WEEKDAYS[day % 7]
    weekday[np.isin(day, HOLIDAYS)] = WEEKDAYS[6]
    series = len(LEVELS) * EACH
    days = 1 + 0.05 * rng.standard_normal((DAYS, series))[day]
    hours = np.zeros((len(minutes), series))
    for k in range(1, len(minutes)):
        hours[k] = hours[k - 1] * (1 - 1 / HOUR) + 0.03 * np.sqrt(2 / HOUR) * rng.standard_normal(series)
    mean = np.repeat(LEVELS, EACH) * (shape * weekday)[:, None] * days * (1 + hours)
    return rng.poisson(mean).astype(float), mean


def _weeks(detector: Kind, orders: Floats, starts: list[int]) -> tuple[Floats, dict[int, Kind]]:
    """Feed all weeks; return the surprise, and the detector as it was at the starts."""
    rows = np.arange(orders.shape[1], dtype=np.int32)
    told, before = np.empty(orders.shape), {}
    for k, value in enumerate(orders):
        if k in starts:
            before[k] = copy.deepcopy(detector)
        told[k] = detector.take_many(rows, np.full(len(rows), BEGIN + 60.0 * k), value)[0]
    return told, before


def _drop(
    detector: Kind, limit: float, mean: Floats, start: int, left: float, level: int
) -> tuple[float, float]:
    """Return the share of a level's series in which an hour's drop was told, and the median minutes until."""
    detector, rng = copy.deepcopy(detector), np.random.default_rng(start + int(100 * left))
    rows = np.arange(level * EACH, (level + 1) * EACH, dtype=np.int32)
    first = np.full(EACH, np.nan)
    for k in range(HOUR):
        value = rng.poisson(left * mean[start + k, rows]).astype(float)
        time = np.full(EACH, BEGIN + 60.0 * (start + k))
        below = value < detector.expect_many(rows, time).expected
        surprise = detector.take_many(rows, time, value)[0]
        first = np.where((surprise >= limit) & below & np.isnan(first), k + 1, first)
    caught = np.isfinite(first)
    return float(caught.mean()), float(np.median(first[caught])) if caught.any() else float("nan")


def _false(told: Floats, limit: float) -> dict[str, float]:
    """Return the alarms a series-day in the first week, after it, and on the holidays."""
    alarms = _alarms(told, limit)
    later, days = alarms[7:], DAYS - 7
    found = {"false_first_week": alarms[:7].mean(), "false": later.mean()}
    for k, level in enumerate(LEVELS):
        found[f"false_{level}"] = later[:, k * EACH : (k + 1) * EACH].sum() / (days * EACH)
    found["first_holiday"] = alarms[HOLIDAYS[0]].mean()
    found["second_holiday"] = alarms[HOLIDAYS[1]].mean()
    found |= {f"false_at_{n:g}": _alarms(told, n)[7:].mean() for n in (4.0, 5.0, 6.0)}
    known = told[WEEK:][~np.isnan(told[WEEK:])]
    return {k: float(v) for k, v in found.items()} | {
        f"rate_{s}": float((known >= s).mean()) for s in (2, 3, 4)
    }


def _alarms(told: Floats, limit: float) -> Floats:
    """Return the alarms, (days, series); those of one hour count once."""
    loud = np.flatnonzero((told >= limit).T.ravel())
    fresh = loud[np.diff(loud, prepend=-(10**9)) > HOUR]
    found = np.zeros((told.shape[1], DAYS))
    np.add.at(found, (fresh // len(told), fresh % len(told) // DAY), 1)
    return found.T


def _without_calendar(orders: Floats) -> dict[str, float]:
    """Return the alarms on the first holiday of a detector that does not know that it is one."""
    detector = Business(Args(timezone="Europe/Berlin"))
    rows = np.arange(orders.shape[1], dtype=np.int32)
    day = HOLIDAYS[0]
    told = np.full(orders.shape, np.nan)
    for k in range(7 * DAY, (day + 1) * DAY):
        told[k] = detector.take_many(rows, np.full(len(rows), BEGIN + 60.0 * k), orders[k])[0]
    return {"first_holiday": float(_alarms(told, LOUD["business"])[day].mean())}


def _speed(detector: Kind) -> float:
    """Return samples a second with 10,000 series beside each other."""
    rows = np.arange(10_000, dtype=np.int32)
    value = np.random.default_rng(0).poisson(100.0, (6, len(rows))).astype(float)
    at = np.full(len(rows), BEGIN + DAYS * 86400.0)
    detector.take_many(rows, at, value[0])
    begun = clock.process_time()
    for k in range(1, 6):
        detector.take_many(rows, at + 60.0 * k, value[k])
    return 5 * len(rows) / (clock.process_time() - begun)


def _print(found: dict[str, float]) -> None:
    print(f"{'orders fall for an hour':<28}{'business':>20}{'seasonal':>20}   caught of 20, median minutes")
    for when in ("day", "night"):
        for level in LEVELS:
            for left in ("0.9", "0.7", "0.5"):
                cells = []
                for name in ("business", "seasonal"):
                    key = f"{name}.{when}_{level}_to_{left}"
                    cells.append(f"{found[f'{key}_caught']:>12.0%}{found[f'{key}_minutes']:>8.0f}")
                print(f"{f'{when}, {level} a minute, to {left}':<28}{''.join(cells)}")
    wrong = [f"false_{n}" for n in LEVELS] + [f"false_at_{n}" for n in (4, 5, 6)]
    others = ["first_holiday", "second_holiday", "rate_2", "rate_3", "rate_4", "samples_s"]
    for figure in ("false_first_week", "false", *wrong, *others):
        print(f"{figure:<28}{found[f'business.{figure}']:>20.5g}{found[f'seasonal.{figure}']:>20.5g}")
    print(f"first holiday, not told of it {found['sundays.first_holiday']:.2g} alarms a series")
    print(f"{found['business.bytes_a_series']:.0f} bytes a series")
