"""pipeline/patterns/found.py for one group, every choice of hits tried."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, permutations

from pipeline.patterns.rule import Pattern
from pipeline.patterns.state import Hit


def held(rule: Pattern, hits: Sequence[Hit], now: float) -> list[float]:
    """Return each time at which the rule held, in order."""
    if rule.count or rule.distinct:
        return sorted(h.time for h in hits if enough(rule, [o for o in hits if within(rule, o, h)]))
    if rule.sequence:
        n = len(rule.sequence)
        return sorted(chain[-1].time for chain in permutations(hits, n) if in_order(rule, chain))
    waiting = [h for h in hits if h.terms & 1 and now - h.time >= rule.within]
    if rule.absence and not rule.absence.after:
        return [h.time + rule.within for h in waiting if h.time == max(other.time for other in hits)]
    return sorted(
        h.time + rule.within
        for h in waiting
        if not any(a.terms & 2 and a.time >= h.time and a.id != h.id for a in hits)
    )


def within(rule: Pattern, other: Hit, last: Hit) -> bool:
    return 0 <= last.time - other.time <= rule.within


def enough(rule: Pattern, hits: Sequence[Hit]) -> bool:
    if rule.distinct:
        return len({h.value for h in hits}) >= rule.distinct.at_least
    return rule.count is not None and len({h.id for h in hits}) >= rule.count.at_least


def in_order(rule: Pattern, chain: Sequence[Hit]) -> bool:
    told_apart = len({h.id for h in chain}) == len(chain)
    right = all(h.terms >> k & 1 for k, h in enumerate(chain))
    rising = all(a.time < b.time for a, b in pairwise(chain))
    return told_apart and right and rising and chain[-1].time - chain[0].time <= rule.within
