"""Lines to signals where a code or a state says what it never or hardly ever said in its template."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from pipeline.logs.evidence import shown
from pipeline.logs.oddities import Oddities, Oddity, Told, count, endings, tell
from pipeline.logs.shape import MAX_BYTES, VARIABLE
from pipeline.logs.templates import Templates, text_of
from pipeline.logs.usual import SLOT
from pipeline.types import Seconds, Signal

MAX_TEMPLATES = 5_000  # of a service, 0.5 to 4 kB each; later ones are not watched
MAX_PLACES = 6  # variables of a template that are looked at
MAX_VALUES = 8  # of one place; a place with more is no code and is given up
MAX_LETTERS = 24  # of a value: a longer one is no code
LEARN = 200  # lines of a template before a value of it can be rare
RARE = 0.005  # share of lines below which a value is rare
MANY = 100_000  # lines of a template after which all its counts are halved
BUDGET = 2_000  # lines that are read for values in one slot: at most 2 % of a core
EACH = 50  # of them of one template: past it a busy one is sampled


# Dates and times of day: their parts have few values and yet a new one comes by itself.
_CLOCK = re.compile(r"[0-9]{1,4}([-/:.])[0-9]{1,2}\1[0-9]{1,4}[^\s\],;)]*")


@dataclass(slots=True)
class Places:
    """The values that each variable of one template had, None where they are too many."""

    born: int  # slot
    lines: int = 0
    slot: int = 0  # the newest
    read: int = 0  # lines in it
    values: list[dict[str, int] | None] = field(default_factory=list)


@dataclass(slots=True)
class ValueState:
    """The values of every template that has few, and which rare ones are told. Owned by LogState."""

    known: dict[tuple[str, int], Places] = field(default_factory=dict)  # by service and template
    odd: Oddities = field(default_factory=Oddities)
    slot: int = 0
    read: int = 0  # lines in this slot
    said: list[Signal] = field(default_factory=list)  # words not given yet
    dropped: Counter[str] = field(default_factory=Counter)


def hear_values(
    state: ValueState,
    templates: Templates,
    services: Sequence[str],
    texts: Sequence[str],
    ids: Sequence[int],
    times: Sequence[Seconds],
    now: Seconds,
) -> None:
    """Learn the values of each line's variables, and note a signal where rare ones have come in numbers.

    A variable is a code where LEARN lines of its template had no more than MAX_VALUES values in its place.
    Cost: 10 us for a line of 140 bytes, 80 us for one of 570, 0.1 to 0.3 us for one that is not read.
    """
    unread = 0
    for service, text, template, time in zip(services, texts, ids, times, strict=True):
        slot = int(time // SLOT)
        if slot != state.slot:
            state.slot, state.read = slot, 0
        if state.read >= BUDGET:
            unread += 1
            continue
        places = state.known.get((service, template))
        if places is None:
            if len(state.known) >= MAX_TEMPLATES:
                state.dropped["template limit"] += 1
                continue
            places = state.known[service, template] = Places(slot)
        if slot != places.slot:
            places.slot, places.read = slot, 0
        if places.read >= EACH:
            unread += 1
        elif places.lines < LEARN or any(places.values):
            _hear(state, templates, places, service, text, template, slot, now)
    state.dropped["unread line"] += unread


def _hear(
    state: ValueState,
    templates: Templates,
    places: Places,
    service: str,
    text: str,
    template: int,
    slot: int,
    now: Seconds,
) -> None:
    state.read += 1
    places.read += 1
    found = VARIABLE.finditer(_CLOCK.sub(" ", text[:MAX_BYTES]))
    for place, value in enumerate(variable[0] for variable in islice(found, MAX_PLACES)):
        share = _share(places, place, value)
        if share is None or share > RARE:
            continue
        key = Oddity(service, template, f"{place} {value}")
        tally = count(state.odd, key, places.born, slot)
        if tally is None:
            continue
        usual, lines = tally.usual(), sum(tally.recent)
        what = text_of(templates, template)
        reason = (
            f'{lines:.0f} lines of {service or "no known service"} in 60 s say "{value}" where {share:.2%} '
            f'of such lines did: "{shown(text)}"'
        )
        told = Told(
            "value",
            what,
            reason,
            tally.surprise(usual, tally.spread()),
            lines,
            usual * 60 / SLOT,
            tally.onset(usual),
            (shown(text),),
        )
        state.said += tell(state.odd, key, told, now)
    places.lines += 1
    if places.lines >= MANY:
        _fade(places)


def end_values(state: ValueState, now: Seconds) -> list[Signal]:
    """Return what was noted, and the last word of each signal whose value comes no more."""
    said, state.said = state.said, []
    return said + endings(state.odd, int(now // SLOT), now)


def _fade(places: Places) -> None:
    places.lines //= 2
    for known in places.values:
        if known is not None:
            known.update({value: lines // 2 for value, lines in known.items()})


def _share(places: Places, place: int, value: str) -> float | None:
    """Learn a value and return the share of lines that had it before; None where it is no code's."""
    if place == len(places.values):
        places.values.append({} if places.lines == 0 else None)
    if place > len(places.values):
        return None
    known = places.values[place]
    if known is None:
        return None
    before = known.get(value)
    if len(value) > MAX_LETTERS or (before is None and len(known) >= MAX_VALUES):
        places.values[place] = None
        return None
    known[value] = (before or 0) + 1
    if places.lines < LEARN:
        return None
    return (before or 0) / places.lines
