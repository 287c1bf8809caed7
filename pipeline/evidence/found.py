"""What speaks against a service: one sort of evidence, how strong on the scale they share, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from pipeline.types import Seconds

Sort = Literal["network", "own", "time", "shape", "log", "late", "edge", "fails", "traffic"]

# Trouble begins up to a sample before it is noticed: what differs only with that minute taken in differs too.
LEADS: tuple[Seconds, ...] = (0.0, 60.0)
PIECE: Seconds = 60.0  # of quiet time, which are compared among themselves


class Window(NamedTuple):
    """The time in question, and what is known to be no measure of quiet before it."""

    since: Seconds
    until: Seconds
    trouble: tuple[tuple[Seconds, Seconds], ...] = ()


class Evidence(NamedTuple):
    """One thing unlike its usual self. `weight` counts doublings: of a time, or beyond a quiet spread."""

    service: str
    sort: Sort
    weight: float
    reason: str


def strongest(found: Iterable[Evidence]) -> Iterator[Evidence]:
    """Yield the strongest of each service and sort, in order of both; of equal ones the first by reason."""
    best: dict[tuple[str, Sort], Evidence] = {}
    for each in found:
        key = each.service, each.sort
        if key not in best or (-each.weight, each.reason) < (-best[key].weight, best[key].reason):
            best[key] = each
    for key in sorted(best):
        yield best[key]
