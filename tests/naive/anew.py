"""pipeline/correlate/anew.py as one would write it down: all quarters of an hour, all starts are tried."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.types import Complaint, Seconds

QUARTER, NOTICE, AFTER, FADE, GROWS, LEAST = 900.0, 60.0, 600.0, 600.0, 300.0, 60.0
MANY, NEWEST, SAID = 3, 6, 60


@dataclass
class Past:
    """An incident: what was said of it, when it resolved, and whether anything was measured."""

    said: list[Complaint]
    resolved: Seconds | None
    measured: bool


def released(pasts: Sequence[Past], newest: Sequence[str]) -> set[str]:
    """Return the ids of the complaints that are taken from what was over when they came."""
    late = []
    for past in pasts:
        for one in past.said:
            if one.id in newest[-NEWEST:] and past.resolved is not None and one.time > _until(past):
                late.append(one)
    return {c.id for c in late} if _voices(late) >= MANY else set()


def _until(past: Past) -> Seconds:
    assert past.resolved is not None
    soon = past.resolved + NOTICE
    before = _most([c for c in past.said if c.time <= soon])
    after = _most([c for c in past.said if c.time > soon])
    if not past.measured or (before >= 2 and 2 * after >= before):
        return soon
    return past.resolved + AFTER


def _most(said: Sequence[Complaint]) -> int:
    """Return the most voices of any quarter of an hour that ends with one."""
    return max((_voices([c for c in said if 0 <= last.time - c.time <= QUARTER]) for last in said), default=0)


def surprises(said: Sequence[Complaint], over: Seconds | None) -> dict[int, float]:
    """Return how surprising the newest complaints are from each start on that may be one, by their number."""
    found = {}
    for many in range(MANY, min(len(said), SAID)):
        newest, before = said[-many:], said[-SAID:-many]
        start, last = newest[0].time, newest[-1].time
        before = [c for c in before if c.time >= start - QUARTER]
        if len(before) < MANY or before[0].time > start - GROWS or _voices(newest) < MANY:
            continue
        if over is not None and start < over + NOTICE:
            continue
        early = [c for c in before if c.time - before[0].time <= start - c.time]
        if len(early) <= len(before) - len(early):
            continue
        past, now = start - before[0].time, max(last - start, LEAST)
        if over is not None:
            onset = before[0].time - NOTICE
            past, now = _faded(0.0, start - onset), _faded(start - onset, start - onset + now)
        had, new = _voices(before), _voices(newest)
        part = now / (past + now)
        chance = sum(
            math.comb(had + new, k) * part**k * (1 - part) ** (had + new - k)
            for k in range(new, had + new + 1)
        )
        found[many] = -math.log10(chance * (had + new))
    return found


def _faded(since: Seconds, until: Seconds) -> float:
    """Return how much is written of an onset from so long after it until so long after it."""
    return math.exp(-since / FADE) - math.exp(-until / FADE)


def _voices(said: Sequence[Complaint]) -> int:
    return len({c.customer for c in said})
