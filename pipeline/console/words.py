"""Times to what people read: clocks, ages, spans. The only place that formats dates."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.types import Seconds


def clock_time(at: Seconds | None) -> str:
    """Return 14:03:22, in UTC.

    >>> clock_time(1700000000)
    '22:13:20'
    """
    return "" if at is None else _utc(at).strftime("%H:%M:%S")


def day_time(at: Seconds | None) -> str:
    """Return 14 Nov 22:13, in UTC.

    >>> day_time(1700000000)
    '14 Nov 22:13'
    """
    return "" if at is None else _utc(at).strftime("%-d %b %H:%M")


def iso(at: Seconds | None) -> str:
    """Return the time as a <time> element and the API want it.

    >>> iso(1700000000)
    '2023-11-14T22:13:20Z'
    """
    return "" if at is None else _utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(seconds: Seconds | None) -> str:
    """Return a span in its two largest units.

    >>> span(4), span(200), span(3900), span(200_000)
    ('4 s', '3 min 20 s', '1 h 5 min', '2 d 7 h')
    """
    if seconds is None:
        return ""
    whole = round(abs(seconds))
    if whole < 60:
        return f"{whole} s"
    for large, small, name, sub in ((86400, 3600, "d", "h"), (3600, 60, "h", "min"), (60, 1, "min", "s")):
        if whole >= large:
            rest = whole % large // small
            return f"{whole // large} {name}" + (f" {rest} {sub}" if rest else "")
    raise AssertionError(whole)


def lead(seconds: Seconds | None) -> str:
    """Return a lead time with its sign, "" while it is not known.

    >>> lead(130), lead(-45), lead(None)
    ('+2 min 10 s', '−45 s', '')
    """
    return "" if seconds is None else ("+" if seconds >= 0 else "−") + span(seconds)


def _utc(at: Seconds) -> datetime:
    return datetime.fromtimestamp(at, UTC)
