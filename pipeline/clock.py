"""The one place that reads the time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TypeAlias

from pipeline.types import Seconds

DAY: Seconds = 86400.0
Clock: TypeAlias = Callable[[], Seconds]


def wall() -> Seconds:
    """Return the time now, s since 1970 UTC."""
    return time.time()


def steady() -> Seconds:
    """Return seconds that never run backwards, for spans only."""
    return time.monotonic()


class Span(float):
    """A span in seconds that config files write as Prometheus does: 1d, 1h30m, 500ms."""


_UNITS = {
    "y": 365 * 86400.0,
    "w": 7 * 86400.0,
    "d": 86400.0,
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 0.001,
}
_SPAN = re.compile("".join(rf"(?:(\d+){unit})?" for unit in _UNITS) + "$")


def span(text: str) -> Span:
    """Return the seconds of a Prometheus duration; raises ValueError that says what is expected.

    >>> span("1h30m")
    5400.0
    """
    found = _SPAN.match(text)
    if text == "0":
        return Span(0)
    if not text or found is None:
        raise ValueError(f'expected a duration such as "30s", "5m" or "1h30m", got "{text}"')
    parts = zip(found.groups(), _UNITS.values(), strict=True)
    return Span(sum(int(n) * unit for n, unit in parts if n))
