"""What happened in one group, to when a rule last held of it: four plain scans over at most 500 hits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import NamedTuple

from pipeline.patterns.rule import Pattern
from pipeline.patterns.state import Hit
from pipeline.types import Seconds


class Match(NamedTuple):
    """When a rule held, and of what."""

    since: Seconds
    last: Seconds  # the last time that it did
    many: int  # happenings, or values that are told apart
    hits: tuple[Hit, ...]  # that speak for it, in order


def match(rule: Pattern, hits: Sequence[Hit], now: Seconds) -> Match | None:
    """Return the newest of what the rule asks for; None where there is none."""
    if rule.count:
        return _many(rule, hits, rule.count.at_least, lambda hit: hit.id)
    if rule.distinct:
        return _many(rule, hits, rule.distinct.at_least, lambda hit: hit.value)
    if rule.sequence:
        return _ordered(rule, hits)
    return _unanswered(rule, hits, now) if rule.absence and rule.absence.after else _silent(rule, hits, now)


def deadline(rule: Pattern, hits: Sequence[Hit], now: Seconds) -> Seconds:
    """Return when something will have been absent for long enough, if nothing happens; inf = never."""
    if not rule.absence:
        return float("inf")
    waits = [h.time + rule.within for h in hits if h.terms & 1]
    if not rule.absence.after:
        waits = waits[-1:]
    return min((at for at in waits if at > now), default=float("inf"))


def _many(rule: Pattern, hits: Sequence[Hit], least: int, tell: Callable[[Hit], str]) -> Match | None:
    counted: Counter[str] = Counter()
    start, newest = 0, None
    for end, hit in enumerate(hits):
        counted[tell(hit)] += 1
        while hit.time - hits[start].time > rule.within:
            counted[tell(hits[start])] -= 1
            counted += Counter()  # leaves out those that are none any more
            start += 1
        if len(counted) >= least:
            newest = start, end, len(counted)
    if newest is None:
        return None
    start, end, many = newest
    return Match(hits[start].time, hits[end].time, many, tuple(hits[start : end + 1]))


def _ordered(rule: Pattern, hits: Sequence[Hit]) -> Match | None:
    """Each hit goes on with the chain before it that began last; at equal times none is before another."""
    chains: list[tuple[Hit, ...]] = [()] * len(rule.sequence)
    newest = None
    for _, together in groupby(hits, lambda hit: hit.time):
        before = ((), *chains)
        for hit in together:
            for step, chain in enumerate(before[:-1]):
                if hit.terms >> step & 1 and _goes_on(rule, chain, hit, step):
                    chains[step] = (*chain, hit)
        if chains[-1] and chains[-1] is not before[-1]:
            newest = Match(chains[-1][0].time, chains[-1][-1].time, 1, chains[-1])
    return newest


def _goes_on(rule: Pattern, chain: Sequence[Hit], hit: Hit, step: int) -> bool:
    if len(chain) < step or any(h.id == hit.id for h in chain):
        return False
    return not chain or hit.time - chain[0].time <= rule.within


def _unanswered(rule: Pattern, hits: Sequence[Hit], now: Seconds) -> Match | None:
    answers = [h for h in hits if h.terms & 2]
    waited = [h for h in hits if h.terms & 1 and now - h.time >= rule.within]
    open_ = [h for h in waited if not any(a.time >= h.time and a.id != h.id for a in answers)]
    if not open_:
        return None
    return Match(open_[0].time, open_[-1].time + rule.within, len(open_), tuple(open_))


def _silent(rule: Pattern, hits: Sequence[Hit], now: Seconds) -> Match | None:
    if not hits or now - hits[-1].time < rule.within:
        return None
    return Match(hits[-1].time, hits[-1].time + rule.within, 1, (hits[-1],))
