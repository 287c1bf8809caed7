"""What a desk said of answers, helped or not, to how far each answer's score counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.types import Event

MAX_OUTCOMES = 5_000  # the newest that are counted
PRIOR = 2.0  # answers that helped, and as many that did not, granted before the first is heard
ELSEWHERE = 0.5  # what an outcome of another topic counts
BOUND = 1.5  # a score counts at most so many times, and at least one by so many

HELPED, UNHELPFUL = "helped", "unhelpful"


@dataclass(frozen=True, slots=True)
class Tally:
    """How often one answer was given and helped, other topics at half."""

    helped: float = 0.0
    not_helped: float = 0.0
    times: int = 0  # as they were
    good: int = 0

    def __str__(self) -> str:
        return f"helped {self.good} of {self.times} times"


def tallies(commands: Iterable[Event], topic: str = "") -> Mapping[str, Tally]:
    """Count the newest outcomes, commands newest first, by key of the answer.

    A topic counts its own outcomes in full: an answer may help with one and not with another. One person
    has one word on one complaint's answer, the newest.
    """
    found: dict[str, Tally] = {}
    said: set[tuple[str, str, str]] = set()
    taken = 0
    for event in commands:
        do, key = event.labels.get("do"), event.labels.get("answer", "")
        if do not in (HELPED, UNHELPFUL) or not key:
            continue
        if taken == MAX_OUTCOMES:
            break
        taken += 1
        about = event.labels.get("complaint", "")
        word = (key, about, event.labels.get("by", ""))
        if about and word in said:
            continue
        said.add(word)
        weight = 1.0 if not topic or event.labels.get("topic", "") == topic else ELSEWHERE
        found[key] = _counted(found.get(key, Tally()), do == HELPED, weight)
    return found


def factor(tally: Tally | None) -> float:
    """Return how many times the answer's score counts, 1/BOUND to BOUND; 1 for one never tried.

    >>> factor(None), round(factor(Tally(8, 0, 8, 8)), 2), round(factor(Tally(0, 8, 8, 0)), 2)
    (1.0, 1.31, 0.76)
    """
    if tally is None:
        return 1.0
    share = (tally.helped + PRIOR) / (tally.helped + tally.not_helped + 2 * PRIOR)
    return float(BOUND ** (2 * share - 1))


def _counted(tally: Tally, good: bool, weight: float) -> Tally:
    counted = replace(tally, times=tally.times + 1, good=tally.good + good)
    if good:
        return replace(counted, helped=tally.helped + weight)
    return replace(counted, not_helped=tally.not_helped + weight)
