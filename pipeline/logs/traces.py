"""The lines of traces to how unlike itself each service is: what its visits hold, and what it waits for."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from detectors.shares import surprise_of_shares
from pipeline.logs.usual import SLOT
from pipeline.types import Seconds

RECENT = 30  # slots that are not learned yet: as far back, 300 s, a ranking may look
HALF = int(12 * 3600 / SLOT)  # slots after which what was learned counts half
MAX_COUNTS = 50_000  # learned, about 12 MB; past it the rarer half is forgotten
MAX_EDGES = 5_000
KNOWN = 5  # waits of an edge before one can be slow
LEAST = 0.5  # of log10, what a wait must exceed its usual by to be slow: three times as long
# And so many standard deviations; of four pairs tried on the TrainTicket faults all gave .52 and .78 or more.
SPREADS = 3.0
STEADY = 0.999  # weight of what is known of an edge when a wait is learned

TRIALS = -1  # stands for a template: all visits to a service, or all waits of an edge
SLOW = -2


class Place(NamedTuple):
    """A service, or the edge of a trace from a line of one service to the next line, of another."""

    service: str
    to: str = ""


Counts = dict[tuple[Place, int], float]


class Unlike(NamedTuple):
    """How unlike its usual self a service is, and what shows it."""

    surprise: float
    template: int  # SLOW where it is waiting that shows it
    place: Place
    share: float  # of the visits that hold the template, or of the waits that are slow
    usual: float


@dataclass(slots=True)
class Wait:
    """The usual time between two lines of a trace, as log10 of seconds."""

    known: float = 0.0
    mean: float = 0.0
    square: float = 0.0  # variance


@dataclass(slots=True)
class Traces:
    """Visits and waits of the last RECENT slots as counts, of all before as fading ones. Bounded as above."""

    slots: dict[int, Counter[tuple[Place, int]]] = field(default_factory=dict)
    learned: Counts = field(default_factory=dict)
    waits: dict[Place, Wait] = field(default_factory=dict)
    half: int = -1  # the slot in which all was last halved, or the first
    dropped: Counter[str] = field(default_factory=Counter)


def visit(traces: Traces, service: str, template: int, slot: int, first: bool) -> None:
    """Note that a trace's visit to a service has come to hold a template; `first` opens the visit."""
    found = _slot(traces, slot)
    place = Place(service)
    found[place, template] += 1
    if first:
        found[place, TRIALS] += 1


def wait(traces: Traces, place: Place, took: Seconds, slot: int) -> None:
    """Note the time between two lines of one trace that follow each other, and learn it.

    A slow wait is learned as if it were no longer than what just passes, so that a fault does not
    become usual by happening, while a change that stays does after some dozen waits.
    """
    known = traces.waits.get(place)
    if known is None:
        if len(traces.waits) >= MAX_EDGES:
            traces.dropped["edge limit"] += 1
            return
        known = traces.waits[place] = Wait()
    log = math.log10(max(took, 0.0) + 0.001)
    if known.known >= KNOWN:
        limit = known.mean + max(LEAST, SPREADS * math.sqrt(known.square))
        found = _slot(traces, slot)
        found[place, TRIALS] += 1
        found[place, SLOW] += log > limit
        log = min(log, limit)
    known.known = STEADY * known.known + 1.0
    step = (log - known.mean) / known.known
    known.square = (1 - 1 / known.known) * (known.square + step * (log - known.mean))
    known.mean += step


def unlike(traces: Traces, since: Seconds, until: Seconds) -> dict[str, Unlike]:
    """Return for each service heard in traces from `since` to `until` how unlike itself it was then.

    Its surprise is the largest of: a template that more of its visits hold than held it before `since`,
    or fewer; and the sum of half the surprise of each edge it is on that is slow, all of it where the edge
    leads to itself. So of two services between which it is slow, the one that is slow to others as well
    has more. Times are rounded down to slots; `since` may lie RECENT slots back.
    Cost: 2.5 ms with the 530 counts of 27 services.
    """
    now: Counts = defaultdict(float)
    before: Counts = defaultdict(float, traces.learned)
    for slot, counts in traces.slots.items():
        into = before if slot < int(since // SLOT) else now
        if slot <= int(until // SLOT):
            for key, count in counts.items():
                into[key] += count
    places = sorted({place for place, _ in now})
    keys = [key for key in sorted({*now, *before}) if key[1] != TRIALS and now.get((key[0], TRIALS), 0.0)]
    found: dict[str, Unlike] = {place.service: Unlike(0.0, TRIALS, place, 0.0, 0.0) for place in places}
    if not keys:
        return found
    columns = np.array(
        [
            (now.get(key, 0.0), now[key[0], TRIALS], before.get(key, 0.0), before.get((key[0], TRIALS), 0.0))
            for key in keys
        ]
    ).T
    slow: dict[str, float] = defaultdict(float)
    worst: dict[str, Unlike] = {}
    for key, surprise, (k, n, known, total) in zip(
        keys, surprise_of_shares(*columns).tolist(), columns.T.tolist(), strict=True
    ):
        place, template = key
        one = Unlike(surprise, template, place, k / n, known / total if total else 0.0)
        if template != SLOW:
            if surprise > found[place.service].surprise:
                found[place.service] = one
        elif one.share > one.usual and surprise >= 1.0:
            for service in {place.service, place.to}:
                slow[service] += surprise if place.service == place.to else surprise / 2
                if service not in worst or surprise > worst[service].surprise:
                    worst[service] = one
    for service, total in slow.items():
        if total > found.get(service, worst[service]._replace(surprise=0.0)).surprise:
            found[service] = worst[service]._replace(surprise=total)
    return found


def _slot(traces: Traces, slot: int) -> Counter[tuple[Place, int]]:
    found = traces.slots.get(slot)
    if found is None:
        found = traces.slots[slot] = Counter()
        for old in [each for each in traces.slots if each <= slot - RECENT]:
            for key, count in traces.slots.pop(old).items():
                traces.learned[key] = traces.learned.get(key, 0.0) + count
        if traces.half < 0:
            traces.half = slot
        if slot - traces.half >= HALF:
            _fade(traces, (slot - traces.half) // HALF)
        if len(traces.learned) > MAX_COUNTS:
            _forget(traces)
    return found


def _fade(traces: Traces, halves: int) -> None:
    share = 0.5**halves
    traces.half += halves * HALF
    traces.learned = {key: count for key, old in traces.learned.items() if (count := share * old) > 0.1}


def _forget(traces: Traces) -> None:
    rare = sorted(traces.learned, key=lambda key: (traces.learned[key], key))[: MAX_COUNTS // 2]
    for key in rare:
        del traces.learned[key]
    traces.dropped["rare count"] += len(rare)
