"""A number and the name of its metric, or a span, to what people read: 250 ms, 3 MiB, 3.1 %, 10 min."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from pipeline.types import Seconds

Scales: TypeAlias = Sequence[tuple[float, str]]

_TIME: Scales = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SIZE: Scales = ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B"))
_PLAIN: Scales = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1, ""))
# How names say their unit: https://prometheus.io/docs/practices/naming/ and habits beside it.
_SUFFIXES: Mapping[str, Scales] = {
    "_seconds": _TIME,
    "_s": _TIME,
    "_milliseconds": ((1e3, "s"), (1, "ms"), (1e-3, "µs")),
    "_ms": ((1e3, "s"), (1, "ms"), (1e-3, "µs")),
    "_bytes": _SIZE,
    "_ratio": ((0.01, "%"),),
    "_percent": ((1, "%"),),
    "_pct": ((1, "%"),),
}
_COUNTED = ("_total", "_sum")


def quantity(value: float, metric: str = "") -> str:
    """Return three figures with the unit that the metric's name declares.

    >>> quantity(0.25, "latency_seconds"), quantity(3 * 2**20, "heap_bytes"), quantity(0.031, "error_ratio")
    ('250 ms', '3 MiB', '3.1 %')
    >>> quantity(1010 * 2**20, "heap_bytes"), quantity(0, "heap_bytes"), quantity(12500), quantity(math.nan)
    ('1,010 MiB', '0 B', '12.5 k', '–')
    """
    if not math.isfinite(value):
        return "–"
    scale, unit = scale_of(abs(value), metric)
    figure = value / scale
    return f"{figure:,.0f} {unit}".rstrip() if abs(figure) >= 999.5 else f"{figure:.3g} {unit}".rstrip()


def scale_of(largest: float, metric: str) -> tuple[float, str]:
    """Return what to divide by, and the unit, so that the largest value reads well.

    >>> scale_of(0.25, "latency_seconds"), scale_of(0.25, "queue_length")
    ((0.001, 'ms'), (1, ''))
    >>> scale_of(0, "error_ratio"), scale_of(40, "orders_per_s")
    ((0.01, '%'), (1, ''))
    """
    scales = _scales(metric)
    if not largest:
        return next(((s, u) for s, u in scales if s == 1), scales[-1])
    return next(((s, u) for s, u in scales if largest >= s), scales[-1])


def span(seconds: Seconds) -> str:
    """Return a span as people say it, 0 or more.

    >>> span(45), span(600), span(5400)
    ('45 s', '10 min', '1.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _scales(metric: str) -> Scales:
    name = next((metric.removesuffix(c) for c in _COUNTED if metric.endswith(c)), metric)
    if name.endswith("_per_s"):
        return _PLAIN
    return next((scales for suffix, scales in _SUFFIXES.items() if name.endswith(suffix)), _PLAIN)
