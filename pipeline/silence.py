"""What people asked to hear nothing of, until when, and which incidents that covers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain
from typing import TypeAlias

from pipeline.match import Index, Matcher, Op, matchers
from pipeline.types import Event, Incident, Labels, Seconds, Signal
from pipeline.units import span

# Labels of the command that say nothing of what is covered.
SAID = ("do", "by", "why", "silence", "starts", "ends", "idle")
MEMORY = 32 * 1024 * 1024  # bytes of answers that an index of silences remembers
LISTED = "match"  # the label of a silence that holds matchers as text
MAX_SILENCES = 10_000
MAX_FADING = 1_000  # of them that may end by themselves: each open incident names those that cover it
HOUR: Seconds = 3600.0  # how long, where a person does not say until when


# Signal to the label sets behind it, where it tells of several; else ().
Parts: TypeAlias = Callable[[str], Sequence[Labels]]


def _whole(signal: str) -> Sequence[Labels]:
    """Take each signal by its own labels."""
    return ()


@dataclass(frozen=True, slots=True)
class Silence:
    """What a person asked to hear nothing of, and until when."""

    id: str
    by: str
    until: Seconds
    matchers: Mapping[str, str]  # incident, service, a label of a signal: exact values; LISTED: matchers
    why: str = ""
    starts: Seconds = 0.0
    resolved: bool = False  # ends as soon as nothing that it covered is open any more
    idle: Seconds = 0.0  # ends when it has covered nothing for so long; 0 = it does not

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def fades(self) -> bool:
        return self.resolved or self.idle > 0


@dataclass(slots=True)
class Silences:
    """The silences that have not ended, at most MAX_SILENCES, and what those that fade cover now.

    Cost: to find one, 2 us for an incident of one signal; after one was added, 5 us for each that is held.
    """

    held: dict[str, Silence] = field(default_factory=dict)  # oldest first
    covered: dict[str, tuple[str, ...]] = field(default_factory=dict)  # open incident -> silences that fade
    covers: dict[str, int] = field(default_factory=dict)  # silence that fades -> open incidents it covers
    idle: dict[str, Seconds] = field(default_factory=dict)  # silence that covers nothing -> since when
    faded: dict[str, str] = field(default_factory=dict)  # ended by themselves in this step -> why
    fading: int = 0  # of those held
    _next: Seconds = math.inf  # no silence ends before
    _ids: tuple[str, ...] = ()  # of the rules of the index, ended ones among them
    _index: Index | None = None

    def add(self, silence: Silence, now: Seconds) -> bool:
        """Take a silence, in place of one of its id; False where there are too many."""
        before = self.held.get(silence.id)
        fading = self.fading + silence.fades - (before is not None and before.fades)
        if (len(self.held) >= MAX_SILENCES and before is None) or fading > MAX_FADING:
            return False
        self.held[silence.id], self.fading = silence, fading
        self._next = min(self._next, silence.until)
        self._index = None
        if not silence.idle:
            self.idle.pop(silence.id, None)
        elif not self.covers.get(silence.id):
            self.idle.setdefault(silence.id, max(now, silence.starts))
        return True

    def end(self, id: str) -> None:
        gone = self.held.pop(id, None)
        self.fading -= gone is not None and gone.fades
        self.covers.pop(id, None)
        self.idle.pop(id, None)

    def tidy(self, now: Seconds) -> None:
        """End what time has ended."""
        if now >= self._next:
            for id in [s.id for s in self.held.values() if s.until <= now]:
                self.end(id)
            self._next = min((s.until for s in self.held.values()), default=math.inf)
        for id in [id for id, since in self.idle.items() if now - since >= self.held[id].idle]:
            self.faded[id] = f"it covered nothing for {span(self.held[id].idle)}"
            self.end(id)

    def covering(self, incident: Incident, now: Seconds, parts: Parts = _whole) -> Silence | None:
        """Return a silence that covers the incident now: each of its signals has one. Cost: 3 us a signal."""
        if not self.held and incident.id not in self.covered:
            return None
        decide, over = views(incident, parts)
        found = [self._holding(view, now) for view in decide]
        if self.fading or incident.id in self.covered:
            spoken = chain(*found, *(self._holding(view, now) for view in over))
            self._follow(incident.id, tuple(dict.fromkeys(s.id for s in spoken if s.fades)), now)
        return _one(found)

    def covers_one(self, signal: Signal, incident: Incident, now: Seconds, parts: Parts = _whole) -> bool:
        """Say whether the signal is silenced now, whatever else the incident is made of."""
        return bool(self.held) and all(self._holding(v, now) for v in _looks(signal, incident, parts))

    def resolved(self, incident: Incident, now: Seconds) -> None:
        """Hear that the incident is over."""
        if incident.id in self.covered:
            self._follow(incident.id, (), now)

    def _holding(self, view: Labels, now: Seconds) -> list[Silence]:
        """Return the silences that hold now and match the labels, the first first."""
        if not self.held:
            return []
        if self._index is None:
            self._ids = tuple(self.held)
            self._index = Index([_conditions(s.matchers) for s in self.held.values()], MEMORY)
        known = (self.held.get(self._ids[k]) for k in self._index.find(view))
        return [s for s in known if s is not None and s.starts <= now < s.until]

    def _follow(self, incident: str, fading: tuple[str, ...], now: Seconds) -> None:
        """Count what each silence that fades covers; one of them may end by it."""
        before = self.covered.get(incident, ())
        if before == fading:
            return
        self.covered.pop(incident, None)
        if fading:
            self.covered[incident] = fading
        for id in fading:
            if id not in before:
                self.covers[id] = self.covers.get(id, 0) + 1
                self.idle.pop(id, None)
        for id in before:
            if id in fading or id not in self.covers:
                continue
            self.covers[id] -= 1
            if self.covers[id]:
                continue
            if self.held[id].resolved:
                self.faded[id] = "nothing that it covered is open any more"
                self.end(id)
            else:
                self.idle[id] = now


def asked_in(labels: Labels) -> dict[str, str]:
    """Return what a command asks to silence: its labels but who, why, how long and what to do."""
    return {name: value for name, value in labels.items() if name not in SAID}


def read(event: Event, longest: Seconds = math.inf) -> Silence:
    """Return the silence that a command asks for, no longer than that; ValueError where it is unclear."""
    said, asked = event.labels, asked_in(event.labels)
    conditions(asked)
    fades = said.get("ends") == "resolved" or "idle" in said
    starts = max(float(said.get("starts", 0.0)), event.time)
    until = event.until if event.until is not None else starts + (longest if fades else HOUR)
    return Silence(
        said.get("silence") or event.id, said.get("by", ""), min(until, starts + longest), asked,
        said.get("why", ""), starts, said.get("ends") == "resolved", float(said.get("idle", 0.0)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A silence as commands tell of it."""

    silence: Silence
    event: Event  # the newest that set it
    ended: Seconds | None = None  # when it was lifted; None = not before its time


def history(commands: Iterable[Event]) -> dict[str, Asked]:
    """Return every silence that commands, newest first, tell of, by its id and the oldest first."""
    found: dict[str, Asked] = {}
    for event in reversed(tuple(commands)):
        do, id, asked = event.labels.get("do"), event.labels.get("silence", ""), asked_in(event.labels)
        if do == "silence":
            try:
                silence = read(event)
            except ValueError:
                continue
            before = found.get(silence.id)
            if before is not None and before.ended is None:
                silence = replace(silence, starts=min(silence.starts, before.silence.starts))
            found[silence.id] = Asked(silence, event)
        elif do == "unsilence":
            for each in [*found.values()]:
                mine = each.silence.id == id or (asked and each.silence.matchers == asked)
                if mine and each.ended is None:
                    found[each.silence.id] = replace(each, ended=min(event.time, each.silence.until))
    return found


def spoken(asked: Iterable[Asked], incident: Incident, signal: Signal) -> list[Asked]:
    """Return the silences that covered the signal at any time while it was on."""
    view = {**signal.labels, "service": signal.service, "incident": incident.id}
    over = math.inf if signal.ended is None else signal.ended
    return [
        a
        for a in asked
        if a.silence.starts < over and signal.since < (a.silence.until if a.ended is None else a.ended)
        if all(m(view) for m in _conditions(a.silence.matchers))
    ]


def conditions(asked: Labels) -> tuple[Matcher, ...]:
    """Return all that must hold of what a silence covers; raises ValueError where that is not clear."""
    listed = matchers(asked[LISTED]) if LISTED in asked else ()
    found = (*_exact({name: value for name, value in asked.items() if name != LISTED}), *listed)
    if all(m({}) for m in found):
        written = ", ".join(map(str, found))
        raise ValueError(f"{written or 'no matcher'}: expected one that an empty value does not match")
    return found


def covering(silences: Iterable[Silence], incident: Incident, now: Seconds) -> Silence | None:
    """Return one of a few silences that cover the incident now, each of its signals by one of them.

    Cost: 2 us, and 0.07 us a silence; 30 us a silence after they have changed.
    """
    known = tuple(s for s in silences if s.starts <= now < s.until)
    if not known:
        return None
    index = _index(known)
    return _one([[known[k] for k in index.find(view)] for view in views(incident)[0]])


def covered(asked: Labels, incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents that such a silence would mute; raises ValueError as `conditions`."""
    index = Index([conditions(asked)], MEMORY)
    return [incident for incident in incidents if all(map(index.find, views(incident)[0]))]


def touched(asked: Labels, incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents of which such a silence would cover some signals, and others not."""
    index = Index([conditions(asked)], MEMORY)
    found = ((i, [bool(index.find(view)) for view in views(i)[0]]) for i in incidents)
    return [incident for incident, hit in found if any(hit) and not all(hit)]


def views(incident: Incident, parts: Parts = _whole) -> tuple[Sequence[Labels], Sequence[Labels]]:
    """Return the labels that must all be matched for the incident to be silent, and those of what is over.

    They are of its signals that could page, and of each part of them. What is over decides only where
    nothing is on: a silence of the alert that goes on must not end with one that it never spoke of.
    """
    loud = [s for s in incident.signals if s.page] or incident.signals
    on = [s for s in loud if s.ended is None]
    decide, over = (
        [view for s in some for view in _looks(s, incident, parts)]
        for some in (on or loud, [s for s in loud if s.ended is not None] if on else [])
    )
    return decide or [{"incident": incident.id}], over


def _looks(signal: Signal, incident: Incident, parts: Parts) -> list[Labels]:
    """Return the label sets of a signal as matchers see them."""
    beside = {"service": signal.service, "incident": incident.id}
    return [{**labels, **beside} for labels in parts(signal.id) or (signal.labels,)]


def _one(found: Sequence[Sequence[Silence]]) -> Silence | None:
    """Return a silence where each of the views has one: the first that has them all, or the first of all."""
    if not all(found):
        return None
    whole = (s for s in found[0] if all(s in others for others in found[1:]))
    return next(whole, found[0][0])


@lru_cache(maxsize=4)
def _index(silences: tuple[Silence, ...]) -> Index:
    return Index([_conditions(s.matchers) for s in silences], MEMORY)


def _conditions(asked: Labels) -> tuple[Matcher, ...]:
    """Return the conditions of a silence that was taken before: by older code, it may be."""
    try:
        return conditions(asked)
    except ValueError:
        return _exact(asked)


def _exact(asked: Labels) -> tuple[Matcher, ...]:
    return tuple(Matcher(name, Op.EQUAL, value) for name, value in asked.items())
