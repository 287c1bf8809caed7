"""Alertmanager's time intervals: when a named one holds, in which time zone; each minute is in or out."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TypeAlias
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from pipeline.kinds import nearest
from pipeline.types import Seconds

Ranges: TypeAlias = tuple[tuple[int, int], ...]  # first and last, both in it

DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|(24):(00)")


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A part of the day, 17:00 to 24:00; its end is no more in it."""

    start_time: str | int  # YAML reads 17:00 without quotes as so many minutes
    end_time: str | int

    def __post_init__(self) -> None:
        first, last = self.minutes
        if first >= last:
            raise ValueError(
                f"start_time: expected a time before {last // 60:02}:{last % 60:02}, the end_time, "
                f"got {first // 60:02}:{first % 60:02}; write a night as two, to 24:00 and from 00:00"
            )

    @property
    def minutes(self) -> tuple[int, int]:
        """Start and end, in minutes of the day."""
        return _minutes("start_time", self.start_time), _minutes("end_time", self.end_time)


class Interval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is given must hold; of each list, one. What is left out holds at any time."""

    times: tuple[Times, ...] = ()
    weekdays: tuple[str, ...] = ()  # monday:friday
    days_of_month: tuple[str | int, ...] = ()  # 1:7, or from the end: -3:-1
    months: tuple[str | int, ...] = ()  # january:march, or 1:3
    years: tuple[str | int, ...] = ()  # 2026:2028
    location: str = "UTC"  # a time zone such as Europe/Paris

    def __post_init__(self) -> None:
        _read(self)


class TimeInterval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A name for times; it holds while one of its intervals does."""

    name: str
    time_intervals: tuple[Interval, ...]


def holding(intervals: Sequence[TimeInterval], names: Sequence[str], now: Seconds) -> str:
    """Return the first of the names that holds now, "" where none does. Cost: 1 us a name."""
    known = {i.name: i for i in intervals}
    minute = int(now // 60)
    return next((n for n in names if any(_holds(i, minute) for i in known[n].time_intervals)), "")


def unknown(intervals: Sequence[TimeInterval], names: Sequence[str]) -> str:
    """Return what is wrong with the first name that is no interval's, "" where all are."""
    known = [i.name for i in intervals]
    wrong = next((n for n in names if n not in known), None)
    if wrong is None:
        return ""
    return f'no time interval "{wrong}"{nearest(wrong, known) or "; time_intervals names none"}'


@dataclass(frozen=True, slots=True)
class _Ranges:
    minutes: Ranges
    weekdays: Ranges
    days: Ranges
    months: Ranges
    years: Ranges
    zone: ZoneInfo


@lru_cache(maxsize=4_096)
def _holds(interval: Interval, minute: int) -> bool:
    found = _read(interval)
    local = datetime.fromtimestamp(minute * 60, found.zone)
    last = monthrange(local.year, local.month)[1]
    days = tuple((_day(first, last), min(_day(end, last), last)) for first, end in found.days)
    asked = (
        (found.minutes, local.hour * 60 + local.minute),
        (found.weekdays, local.isoweekday() % 7),
        (days, local.day),
        (found.months, local.month),
        (found.years, local.year),
    )
    return all(not ranges or any(a <= value <= b for a, b in ranges) for ranges, value in asked)


def _day(day: int, last: int) -> int:
    return day if day > 0 else last + 1 + day


@lru_cache(maxsize=4_096)
def _read(interval: Interval) -> _Ranges:
    """Return the numbers that the words stand for; raises ValueError that names the key."""
    minutes = [(first, last - 1) for first, last in (t.minutes for t in interval.times)]
    days = tuple(_range("days_of_month", raw, (), -31, 31) for raw in interval.days_of_month)
    for (first, last), raw in zip(days, interval.days_of_month, strict=True):
        if 0 in (first, last) or first < 0 < last:
            raise ValueError(f"days_of_month: expected days from 1 to 31 or -31 to -1, got {raw}")
        if first > last > 0 or 0 > first > last:
            raise ValueError(f"days_of_month: expected the first day first, got {raw}")
    return _Ranges(
        tuple(minutes),
        _ranges("weekdays", interval.weekdays, DAYS, 0, 6),
        days,
        _ranges("months", interval.months, MONTHS, 1, 12),
        _ranges("years", interval.years, (), 0, 9999),
        _zone(interval.location),
    )


def _ranges(key: str, given: Sequence[str | int], words: Sequence[str], low: int, high: int) -> Ranges:
    found = tuple(_range(key, raw, words, low, high) for raw in given)
    for (first, last), raw in zip(found, given, strict=True):
        if first > last:
            raise ValueError(f"{key}: expected the first before the last, got {raw}; write it as two")
    return found


def _range(key: str, raw: str | int, words: Sequence[str], low: int, high: int) -> tuple[int, int]:
    if isinstance(raw, int) and raw > 60 > high:  # YAML reads 1:7 without quotes as 67
        raw = f"{raw // 60}:{raw % 60}"
    first, _, last = str(raw).partition(":")
    return _number(key, first, words, low, high), _number(key, last or first, words, low, high)


def _number(key: str, raw: str, words: Sequence[str], low: int, high: int) -> int:
    word = raw.strip().lower()
    if word in words:
        return words.index(word) + low
    if re.fullmatch(r"-?\d{1,4}", word) and words != DAYS and low <= int(word) <= high:
        return int(word)
    if words:
        raise ValueError(f'{key}: expected one such as {words[1]}, got "{raw}"{nearest(word, list(words))}')
    raise ValueError(f'{key}: expected {low} to {high}, got "{raw}"')


def _minutes(key: str, raw: str | int) -> int:
    if isinstance(raw, int) and 0 <= raw <= 24 * 60:
        return raw
    found = _TIME.fullmatch(str(raw))
    if found is None:
        raise ValueError(f'{key}: expected a time such as 09:00, up to 24:00, got "{raw}"')
    return int(found[1] or found[3]) * 60 + int(found[2] or found[4])


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        raise ValueError(
            f'location: no time zone "{name}"{nearest(name, sorted(available_timezones()))}'
        ) from None
