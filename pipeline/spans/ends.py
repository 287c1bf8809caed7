"""Slow ways between two services in; which of its two ends each of them speaks of out."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TypeAlias

from pipeline.topology import Topology

Way: TypeAlias = tuple[str, str]  # caller and callee


def slow_ends(slow: Mapping[Way, float], topology: Topology) -> Mapping[Way, str]:
    """Return one end of each way; `slow` has by how much each is, > 0.

    All ways of a slow network are slow, or all that lead to it where only its answers are. One slow way of
    many speaks of its other end, and of two ends alike the callee is meant.

    >>> slow_ends({("front", "cart"): 3.0, ("cart", "db"): 3.0}, Topology())
    {('front', 'cart'): 'cart', ('cart', 'db'): 'cart'}
    """
    worst = {end: _worst(end, slow, topology) for way in slow for end in way}
    return {way: max(reversed(way), key=worst.__getitem__) for way in slow}


def _worst(service: str, slow: Mapping[Way, float], topology: Topology) -> float:
    """Return how slow the ways of the service are, all of them or those that lead to it."""
    into = {(caller, service) for caller in topology.callers.get(service, ())}
    out = {(service, callee) for callee in topology.callees.get(service, ())}
    of_all = _slow(slow, into | out | {way for way in slow if service in way})
    return max(of_all, _slow(slow, into | {way for way in slow if way[1] == service}))


def _slow(slow: Mapping[Way, float], ways: Collection[Way]) -> float:
    grown = sorted(slow.get(way, 0.0) for way in ways)
    many = sum(each > 0 for each in grown)
    return sum(grown) / len(grown) * math.log2(1 + many) if grown else 0.0
