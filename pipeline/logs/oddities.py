"""What is odd in logs, counted by sort, to signals that begin, worsen and end: evidence, never a page."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.logs.usual import SLOT, Tally, faded
from pipeline.types import Seconds, Signal

MAX_TALLIES = 2_000  # past it the quarter that was silent longest is forgotten
MAX_ON = 200  # signals at a time
BAR = 5.0  # surprise of a count that is told
LEAST = 5.0  # and the count itself
STAY = 2.0  # surprise above which a signal stays on
WORSE = 1.5  # times the surprise that was told: worth another word
QUIET = int(120 / SLOT)  # slots without surprise that end a signal
LONGEST = int(3600 / SLOT)  # slots after which what lasts is the new usual


class Oddity(NamedTuple):
    """What signals are told apart by."""

    service: str
    template: int
    sort: str


class Told(NamedTuple):
    """The words and numbers of a signal."""

    detector: str
    series: str
    reason: str
    surprise: float
    observed: float
    expected: float
    since: Seconds
    samples: tuple[str, ...] = ()


@dataclass(slots=True)
class Oddities:
    """How often each sort of odd thing came and which signals are on. Bounded as above; 1 MB."""

    tallies: dict[Oddity, Tally] = field(default_factory=dict)
    on: dict[Oddity, Signal] = field(default_factory=dict)
    hot: dict[Oddity, int] = field(default_factory=dict)  # slot in which it was last surprising
    dropped: Counter[str] = field(default_factory=Counter)


def count(odd: Oddities, key: Oddity, born: int, slot: int) -> Tally | None:
    """Count one odd thing in a slot; return its tally where it is worth telling, held until it is quiet.

    `born` is the slot since which it could have come.
    """
    tally = odd.tallies.get(key)
    if tally is None:
        if len(odd.tallies) >= MAX_TALLIES:
            _forget(odd)
        tally = odd.tallies[key] = Tally(slot, slot, slots=faded(max(0, slot - born)))
    tally.add(slot, 1.0)
    lines, usual = sum(tally.recent), tally.usual()
    if key in odd.on:
        return tally
    if lines < LEAST or lines < 3 * usual or tally.surprise(usual, tally.spread()) < BAR:
        return None
    tally.held = True
    return tally


def tell(odd: Oddities, key: Oddity, told: Told, now: Seconds) -> list[Signal]:
    """Return the word to give: a new signal, a known one that is worse, or none."""
    known = odd.on.get(key)
    if known is None and len(odd.on) >= MAX_ON:
        odd.dropped["signal limit"] += 1
        return []
    if known is None or told.surprise >= STAY:
        odd.hot[key] = int(now // SLOT)
    if known is not None and told.surprise < WORSE * known.surprise:
        return []
    name = f"{key.service}\0{key.sort}\0{told.series}\0{told.since}".encode("utf-8", "replace")
    signal = known or Signal(
        id="log-" + hashlib.blake2b(name, digest_size=8).hexdigest(),
        kind="log",
        service=key.service,
        series=told.series,
        labels={"service": key.service},
        detector=told.detector,
        since=told.since,
        at=now,
        surprise=told.surprise,
        observed=told.observed,
        expected=told.expected,
        page=False,
        reason=told.reason,
        samples=told.samples,
    )
    odd.on[key] = replace(
        signal, at=now, surprise=round(told.surprise, 3), observed=told.observed, reason=told.reason
    )
    return [odd.on[key]]


def endings(odd: Oddities, slot: int, now: Seconds) -> list[Signal]:
    """Return the last word of each signal that went quiet, or lasted so long that it is the usual."""
    said = []
    for key in sorted(odd.on):
        if slot - odd.hot[key] <= QUIET and slot - int(odd.on[key].since // SLOT) <= LONGEST:
            continue
        tally = odd.tallies.get(key)
        if tally is not None:
            tally.held = False
        ended = min(now, (odd.hot.pop(key) + 1) * SLOT)
        said.append(replace(odd.on.pop(key), at=now, ended=ended))
    return said


def _forget(odd: Oddities) -> None:
    idle = sorted((tally.slot, key) for key, tally in odd.tallies.items() if key not in odd.on)
    for _, key in idle[: MAX_TALLIES // 4]:
        del odd.tallies[key]
    odd.dropped["idle oddity"] += min(len(idle), MAX_TALLIES // 4)
