"""Numbers to what people read: times, ages, spans, quantities. The only place that formats dates."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from pipeline.types import Seconds

_SCALES = {
    "_seconds": ("s", ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))),
    "_bytes": ("B", ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))),
}
_PLAIN = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))


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


def quantity(value: float, metric: str = "") -> str:
    """Return a figure with the unit that the metric's name declares.

    >>> quantity(0.25, "latency_seconds"), quantity(3 * 2**20, "heap_bytes"), quantity(0.031, "error_ratio")
    ('250 ms', '3 MiB', '3.1 %')
    >>> quantity(12500), quantity(float("nan"))
    ('12.5 k', '–')
    """
    if not math.isfinite(value):
        return "–"
    scale, unit = scale_of(abs(value), metric)
    return f"{value / scale:.3g} {unit}".rstrip()


def scale_of(largest: float, metric: str) -> tuple[float, str]:
    """Return what to divide by, and the unit, so that the largest value reads well.

    >>> scale_of(0.25, "latency_seconds")
    (0.001, 'ms')
    """
    if metric.endswith(("_ratio", "_percent")):
        return (0.01, "%") if metric.endswith("_ratio") else (1.0, "%")
    for suffix, (_, scales) in _SCALES.items():
        if metric.endswith((suffix, suffix + "_total", suffix + "_sum")):
            return next(((s, u) for s, u in scales if largest >= s), scales[-1])
    return next(((s, u) for s, u in _PLAIN if largest >= s), (1.0, ""))


def _utc(at: Seconds) -> datetime:
    return datetime.fromtimestamp(at, UTC)
