"""pipeline/intervals.py read word by word, each list spelled out."""

from __future__ import annotations

import calendar
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo


def naive_holds(given: dict[str, Any], now: float) -> bool:
    local = datetime.fromtimestamp(now, ZoneInfo(given.get("location", "UTC")))
    last = calendar.monthrange(local.year, local.month)[1]
    time = f"{local:%H:%M}"
    week = [f"{day}day" for day in ("sun", "mon", "tues", "wednes", "thurs", "fri", "satur")]
    months = [name.lower() for name in calendar.month_name]
    return (
        (not given.get("times") or any(t["start_time"] <= time < t["end_time"] for t in given["times"]))
        and within(given.get("weekdays"), f"{local:%A}".lower(), week)
        and within_days(given.get("days_of_month"), local.day, last)
        and within(given.get("months"), months[local.month], months)
        and within(given.get("years"), str(local.year), [str(y) for y in range(2000, 2100)])
    )


def within(lists: list[str] | None, word: str, words: list[str]) -> bool:
    """Say whether the word is in one of the ranges of words; a number stands for the word of its place."""
    if not lists:
        return True
    for each in lists:
        first, _, last = each.partition(":")
        ends = [w if w in words else words[int(w)] for w in (first, last or first)]
        if word in words[words.index(ends[0]) : words.index(ends[1]) + 1]:
            return True
    return False


def within_days(lists: list[str] | None, day: int, last: int) -> bool:
    if not lists:
        return True
    month = list(range(1, last + 1))
    for each in lists:
        first, _, end = each.partition(":")
        from_end = {d - last - 1: d for d in month}
        begin = from_end.get(int(first), 1) if int(first) < 0 else int(first)
        until = from_end.get(int(end or first), 0) if int(end or first) < 0 else int(end or first)
        if day in [d for d in month if begin <= d <= until]:
            return True
    return False
