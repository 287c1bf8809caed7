"""A line to the id that ties it to others: a trace, request or block id, found by how its values recur."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from pipeline.logs.shape import MAX_BYTES

MAX_KINDS = 200  # past it a new kind is not taken up
MAX_SEEN = 20_000  # values remembered, the newest; about 4 MB
MOST = 12  # ids of one line that are looked at
MAX_TYING = 3  # kinds that tie lines: the best
EVERY = 65_536  # lines; kinds are learned anew from the first EAGER of so many
EAGER = 5_000
LEAST = 20  # values of a kind before it is believed
TIED = 0.3  # share of a kind's values that must be met in lines of two templates

_RUN = re.compile(r"[0-9A-Fa-f-]{8,64}(?![\w./:-])")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9]*_?$")
_SIGN = r"[\"']?\s?[:=]\s?[\"'\[({]*"
_KEY = re.compile(rf"([A-Za-z][\w-]*){_SIGN}$")
_DIGITS = re.compile(r"(?:[0-9][^0-9]*){4}")
_HEXADECIMAL = frozenset("0123456789ABCDEFabcdef")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(slots=True)
class Kind:
    """How the values of one kind of id recur."""

    lines: int = 0
    values: int = 0
    tied: int = 0  # values met in lines of two templates or more


@dataclass(slots=True)
class Ids:
    """The kinds of id met and which of them tie lines. Bounded as said above; owned by SessionState."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)  # value -> its template, -1 once it met two
    order: dict[str, int] = field(default_factory=dict)  # kinds that tie, by rank: 0 is the best
    lines: int = 0


def id_of(state: Ids, text: str, template: int) -> str:
    """Return the id that ties this line to others; "" where none does, or none is known to yet.

    A kind of id is what stands before the value: `blk_`, `req-`, `TraceID:` and 32 digits. It ties lines
    once a third of its values were met in lines of different templates. Of several kinds in a line the
    one that most lines have is taken, then the one with the fewest values: a trace before its spans.
    Cost: 0.1 us where no kind ties, else 4 us for a line of 140 bytes and 10 us for one of 570.
    """
    at = state.lines % EVERY
    if not at:
        state.kinds, state.seen = {}, {}
    state.lines += 1
    if at >= EAGER:
        return next((found for kind in state.order if (found := _find(kind, text))), "")
    best, found = len(state.order), ""
    for kind, value in _candidates(text):
        _learn(state, kind, value, template)
        rank = state.order.get(kind, best)
        if rank < best:
            best, found = rank, value
    if at % 64 == 63 and (at > 1_000 or state.lines <= EAGER):
        _rank(state)
    return found


def _find(kind: str, text: str) -> str:
    """Return the first id of that kind, "" where there is none, by looking for what stands before it."""
    name, key, _ = kind.partition(" ")
    if not name:
        return next((value for each, value in _candidates(text) if each == kind), "")
    if name not in text:
        return ""
    text = text[:MAX_BYTES]
    for run in _beside(kind).finditer(text):
        before = text[max(0, run.start() - 1) : run.start()]
        if before.isalnum() or before in ("_", "-"):
            found = _named(text, run.start(1), run[1])
            if found is None or found[0] != kind:
                continue
        return run[1] if key else name + run[1]
    return ""


@lru_cache(maxsize=64)
def _beside(kind: str) -> re.Pattern[str]:
    """Return what finds the ids of that kind, and a few that are not: their name goes on to the left."""
    name, key, size = kind.partition(" ")
    run = "[0-9A-Fa-f-]" + (f"{{{size}}}" if size else "{8,64}")
    if key:
        run = f"(?=[0-9]*[A-Fa-f-]){run}" if size else "[0-9]{8,64}"
    date = r"(?![0-9]{4}-[0-9]{2}-[0-9]{2}(?![\w-]))"
    return re.compile(
        re.escape(name) + (_SIGN if key else "") + rf"({date}(?=(?:[A-Fa-f-]*[0-9]){{4}}){run})(?![\w./:-])"
    )


def _candidates(text: str) -> Iterator[tuple[str, str]]:
    text = text[:MAX_BYTES]
    for count, run in enumerate(_RUN.finditer(text)):
        if count == MOST:
            return
        found = _named(text, run.start(), run[0])
        if found is not None:
            yield found


def _named(text: str, start: int, value: str) -> tuple[str, str] | None:
    """Return the kind and the id that a run of digits is, None where it is none."""
    if not _DIGITS.search(value) or _DATE.fullmatch(value):
        return None
    before = text[max(0, start - 24) : start]
    last = before[-1:]
    if last in _HEXADECIMAL:
        return None  # the end of a run longer than an id
    if last.isalnum() or last == "_":
        prefix = _PREFIX.search(before)
        return (prefix[0], prefix[0] + value) if prefix is not None else None
    if last in (".", "/"):
        return None
    key = _KEY.search(before)
    if key is None and len(value) < 16:
        return None
    name = key[1] if key is not None else ""
    return f"{name} {'' if value.isdigit() else len(value)}", value


def _learn(state: Ids, name: str, value: str, template: int) -> None:
    kind = state.kinds.get(name)
    if kind is None:
        if len(state.kinds) >= MAX_KINDS:
            return
        kind = state.kinds[name] = Kind()
    kind.lines += 1
    known = state.seen.get(value)
    if known is None:
        kind.values += 1
        state.seen[value] = template
        if len(state.seen) > MAX_SEEN:
            del state.seen[next(iter(state.seen))]
    elif known not in (-1, template):
        kind.tied += 1
        state.seen[value] = -1


def _rank(state: Ids) -> None:
    tying = [
        (-kind.lines, kind.values, name)
        for name, kind in state.kinds.items()
        if kind.values >= LEAST and kind.tied >= TIED * kind.values
    ]
    state.order = {name: rank for rank, (_, _, name) in enumerate(sorted(tying)[:MAX_TYING])}
