"""What was seen, beside what was expected and what else is known of it, in the words of a signal's reason."""

from __future__ import annotations

import math
from collections.abc import Iterator

from detectors.base import Facts
from pipeline import units
from pipeline.clock import DAY
from pipeline.types import Seconds


def compared(value: float, expected: float, metric: str, rate: str = "", lasted: Seconds = 0.0) -> str:
    """Return what was seen beside what was expected, in words.

    >>> compared(1.25, 0.0425, "rpc_duration_seconds", "", 120.0)
    '1.25 s, 29.4 times the 42.5 ms expected, for 2 min'
    >>> compared(0.55, 0.999, "success_ratio", "", 15.0)
    '55 % where 99.9 % was expected, for 15 s'
    >>> compared(0.7612, 0.7610, "disk_used_ratio", "", 120.0)
    '76.1 %, for 2 min'
    """
    seen = f"{units.quantity(value, metric)}{rate and ' ' + rate}"
    usual = units.quantity(_beside(expected, value), metric)
    long = f", for {units.span(lasted)}" if lasted else ""
    if expected != expected:
        return f"{seen}, outside the range it may have{long}"
    if usual == units.quantity(value, metric):
        return f"{seen}{long}"
    if 0 < 1.05 * expected < value < 1000 * expected:
        return f"{seen}, {value / expected:.3g} times the {usual} expected{long}"
    return f"{seen} where {usual} was expected{long}"


def facts(
    known: Facts, metric: str, now: Seconds, expected: float = math.nan, value: float = math.nan,
    lasted: Seconds = 0.0,
) -> Iterator[str]:  # fmt: skip
    """Yield a clause for each thing that the detector knows beside what `compared` says.

    >>> list(facts(Facts(highest=21 * 86400.0, usual=0.12), "latency_seconds", 0.0))
    ['highest in 21 days', '120 ms is usual for this hour']
    >>> list(facts(Facts(limit=1.0, reached=13200.0, soonest=7200.0, latest=18000.0), "disk_used_ratio", 0.0))
    ['reaches 100 % in 3 h 40 min (2 h to 5 h)']
    >>> list(facts(Facts(peers=4, usual=0.2), "cpu_ratio", 0.0))
    ['its 4 peers suggest 20 %']
    >>> list(facts(Facts(usual=0.12), "latency_seconds", 0.0, 0.1201))
    []
    """
    if math.isfinite(known.reached):
        latest = long(known.latest - now) if math.isfinite(known.latest) else "never"
        yield (
            f"reaches {units.quantity(known.limit, metric)} in {long(known.reached - now)} "
            f"({long(known.soonest - now)} to {latest})"
        )
    if math.isfinite(known.burn):
        left = f"{known.left:.0%} of it is left" if known.left > 0 else "nothing of it is left"
        yield f"the error budget burns {known.burn:.3g} times too fast; {left}"
    if known.still:
        yield f"unchanged for {long(now - known.onset)}"
    for length, word in ((known.highest, "highest"), (known.lowest, "lowest")):
        if length >= 3600:
            yield f"{word} in {long(length)}"
    usual = "" if math.isnan(known.usual) else units.quantity(_beside(known.usual, value), metric)
    if usual and known.peers:
        yield f"its {known.peers} peers suggest {usual}"
    elif usual and usual != units.quantity(expected, metric):
        yield f"{usual} is usual for this hour"
    if not known.still and known.onset > 0 and now - known.onset >= lasted + 60:
        yield f"it began {long(now - known.onset)} ago"


def _beside(expected: float, value: float) -> float:
    """Return what was expected, 0 where that is what it comes to beside what was seen."""
    return 0.0 if abs(expected) <= 1e-6 * abs(value) else expected


def long(span: Seconds) -> str:
    """Return a span in its two largest units.

    >>> long(13200), long(86400 * 21 + 5), long(40)
    ('3 h 40 min', '21 days', '40 s')
    """
    span = max(span, 0.0)
    if span < 60:
        return f"{span:.0f} s"
    if span >= 2 * DAY:
        return f"{span / DAY:.0f} days"
    hours, minutes = divmod(round(span / 60), 60)
    return " ".join([f"{hours} h"] * (hours > 0) + [f"{minutes} min"] * (minutes > 0))
