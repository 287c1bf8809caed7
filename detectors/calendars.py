"""Times to local halves of an hour and kinds of day: the seven weekdays, and holidays by country."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

DAY = 86400.0
HALVES = 48  # of a local day
SUNDAY, HOLIDAY = 6, 7  # kinds of day; 0 is Monday
KINDS = 8
QUARTER = 900.0  # no zone has changed its clock within a quarter of an hour (UTC) since 1972
LATEST = 4e9  # s: 2096; a clock that runs ahead of it is held there


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the business is: what its local time is and which of its days are no working days."""

    timezone: str = "UTC"
    country: str = ""
    subdivision: str = ""
    dates: tuple[str, ...] = ()  # further days off, as 2026-12-24

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (OSError, ValueError, KeyError) as error:
            raise ValueError(
                f'timezone: no zone "{self.timezone}"; expected one such as Europe/Berlin'
            ) from error
        for day in self.dates:
            try:
                date.fromisoformat(day)
            except ValueError as error:
                raise ValueError(f'dates: expected days such as 2026-12-24, got "{day}"') from error
        if self.subdivision and not self.country:
            raise ValueError("subdivision: expected a country with it")
        try:
            _public(self.country, self.subdivision, 2026)
        except NotImplementedError as error:
            raise ValueError(f"country, subdivision: {error}") from error


class Places(NamedTuple):
    """Where n times lie in their local days; each (n,)."""

    kind: NDArray[np.int64]  # of day: 0..6, HOLIDAY
    half: NDArray[np.int64]  # of an hour, 0..47
    within: Floats  # of it, ratio 0..1
    day: NDArray[np.int64]  # local days since the year 1

    def only(self, use: NDArray[np.bool_] | NDArray[np.intp]) -> Places:
        return Places(self.kind[use], self.half[use], self.within[use], self.day[use])


def places(calendar: Calendar, time: Floats) -> Places:
    """Return where the times lie; a block from one quarter of an hour asks the time zone once.

    >>> places(Calendar("Europe/Berlin", "DE"), np.array([1767265200.0]))[:2]  # 2026-01-01 11:00 UTC
    (array([7]), array([24]))
    """
    held = np.clip(time, 0.0, LATEST)
    quarters, which = _distinct((held // QUARTER).astype(np.int64))
    found = np.array([_locally(calendar, int(q)) for q in quarters], np.int64).reshape(-1, 3)[which]
    local = held + found[:, 0]
    halves = (local % DAY) * (HALVES / DAY)
    half = np.minimum(halves.astype(np.int64), HALVES - 1)
    return Places(found[:, 2], half, halves - half, found[:, 1])


def _distinct(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    if len(keys) == 0 or (keys == keys[0]).all():
        return keys[:1], np.zeros(len(keys), np.intp)
    distinct, which = np.unique(keys, return_inverse=True)
    return distinct, which


@lru_cache(maxsize=4096)
def _locally(calendar: Calendar, quarter: int) -> tuple[int, int, int]:
    """Return the offset from UTC in seconds, the local day and its kind."""
    local = datetime.fromtimestamp(quarter * QUARTER, UTC).astimezone(ZoneInfo(calendar.timezone))
    offset = local.utcoffset()
    day = local.date()
    off = day.isoformat() in calendar.dates or day in _public(
        calendar.country, calendar.subdivision, day.year
    )
    return int(offset.total_seconds()) if offset else 0, day.toordinal(), HOLIDAY if off else day.weekday()


@lru_cache(maxsize=256)
def _public(country: str, subdivision: str, year: int) -> frozenset[date]:
    if not country:
        return frozenset()
    import holidays  # 50 ms, and nobody pays them who names no country

    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))
