"""Business hours: working seconds between two times, and the time when so many have passed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from datetime import time as day_time
from functools import lru_cache
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from detectors.calendars import HOLIDAY, Calendar, places
from pipeline.types import Seconds

Day: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FAR = 3660  # days looked ahead for work to be done in; past them it never is


class Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the desk works: from `opens` to `closes` by local time, on `days` that are no holiday."""

    opens: str = "09:00"
    closes: str = "17:00"  # of the same day; 24:00 is its end
    days: tuple[Day, ...] = DAYS[:5]
    calendar: Calendar = Calendar()

    def __post_init__(self) -> None:
        for name, said in (("opens", self.opens), ("closes", self.closes)):
            if not _is_time(said):
                raise ValueError(f'{name}: expected a time such as 09:00, got "{said}"')
        if _minutes(self.opens) >= _minutes(self.closes):
            raise ValueError(f"closes: expected later than opens, got {self.opens} and {self.closes}")
        if not self.days:
            raise ValueError("days: expected at least one")


def worked(hours: Hours | None, start: Seconds, end: Seconds) -> Seconds:
    """Return the working seconds between two times; all of them where no hours are set."""
    if hours is None:
        return max(0.0, end - start)
    total = 0.0
    for opens, closes in _windows(hours, start):
        if opens >= end:
            break
        total += max(0.0, min(closes, end) - max(opens, start))
    return total


def after(hours: Hours | None, start: Seconds, span: Seconds) -> Seconds:
    """Return when `span` working seconds have passed since `start`; inf where they never do.

    >>> nine_to_five = Hours(calendar=Calendar("Europe/Berlin"))
    >>> friday = datetime(2026, 3, 27, 15, 0, tzinfo=UTC).timestamp()  # 16:00 there; clocks change on Sunday
    >>> datetime.fromtimestamp(after(nine_to_five, friday, 7200), UTC).isoformat()
    '2026-03-30T08:00:00+00:00'
    """
    if hours is None:
        return start + span
    left = span
    for opens, closes in _windows(hours, start):
        begun = max(opens, start)
        if closes - begun >= left:
            return begun + left
        left -= max(0.0, closes - begun)
    return math.inf


def midnight(calendar: Calendar, day: date) -> Seconds:
    """Return when a day begins there."""
    return datetime.combine(day, day_time(), ZoneInfo(calendar.timezone)).timestamp()


def local_day(calendar: Calendar, at: Seconds) -> date:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(calendar.timezone)).date()


def _windows(hours: Hours, start: Seconds) -> Iterator[tuple[Seconds, Seconds]]:
    """Yield when the desk opens and closes, from the local day of `start` on."""
    first = local_day(hours.calendar, start).toordinal()
    for ordinal in range(first, first + FAR):
        window = _window(hours, ordinal)
        if window is not None:
            yield window


@lru_cache(maxsize=8192)
def _window(hours: Hours, ordinal: int) -> tuple[Seconds, Seconds] | None:
    """Return when the desk opens and closes on a local day; None where it does not open."""
    day = date.fromordinal(ordinal)
    opens, closes = (_moment(hours, day, said) for said in (hours.opens, hours.closes))
    kind = int(places(hours.calendar, np.array([opens])).kind[0])
    return None if kind == HOLIDAY or DAYS[kind] not in hours.days else (opens, closes)


def _moment(hours: Hours, day: date, said: str) -> Seconds:
    """Return a local time as UTC; an hour that the change of clocks leaves out is the one after it."""
    minutes = _minutes(said)
    day, minutes = (day + timedelta(days=1), 0) if minutes == 1440 else (day, minutes)
    local = datetime.combine(day, day_time(*divmod(minutes, 60)), ZoneInfo(hours.calendar.timezone))
    return local.timestamp()


def _is_time(said: str) -> bool:
    hour, _, minute = said.partition(":")
    if not (len(hour) == len(minute) == 2 and (hour + minute).isdecimal() and said.isascii()):
        return False
    return int(minute) < 60 and _minutes(said) <= 1440


def _minutes(said: str) -> int:
    hour, _, minute = said.partition(":")
    return 60 * int(hour) + int(minute)
