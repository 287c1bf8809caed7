"""Incidents that cleared by themselves in; how long the next of their kind is given to do so out."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from pipeline.correlate.habits import kind_of, service_of
from pipeline.types import Incident, Seconds
from pipeline.units import span

MAX_KINDS = 5_000  # of signals, the longest unheard goes first; 300 B each
MAX_LEARNED = 2_000  # incidents whose end was counted, the oldest go first
LAST = 20  # ends of a kind that are remembered: one that did not clear by itself is held against it so long
ENOUGH = 5  # ends before a kind is trusted
SHORT: Seconds = 300.0  # what once took longer is no transient, and no page waits longer
LONGER = 1.5  # times the longest seen: so long is waited


@dataclass(slots=True)
class Transients:
    """How long each kind of signal took to clear by itself. Owned by DecideState."""

    lasted: dict[str, tuple[Seconds, ...]] = field(default_factory=dict)  # by kind; inf = not by itself
    learned: dict[str, None] = field(default_factory=dict)  # incidents

    def learn(self, incident: Incident) -> None:
        """Take an incident that is over: by itself, or because somebody or something did what it takes."""
        if incident.id in self.learned:
            return
        self.learned[incident.id] = None
        if len(self.learned) > MAX_LEARNED:
            del self.learned[next(iter(self.learned))]
        took = _until_quiet(incident) if _by_itself(incident) else math.inf
        for kind in _kinds(incident):
            self.lasted[kind] = (*self.lasted.pop(kind, ()), took)[-LAST:]
        while len(self.lasted) > MAX_KINDS:
            del self.lasted[next(iter(self.lasted))]

    def patience(self, incident: Incident) -> tuple[Seconds, str]:
        """Return until when its page waits for it to clear, and why; (-inf, "") where it does not wait.

        Nothing waits that a customer complained of, or that is most urgent.
        """
        kinds = _kinds(incident)
        known = {kind: self.lasted.get(kind, ()) for kind in kinds}
        tried = all(len(ends) >= ENOUGH and max(ends) <= SHORT for ends in known.values())
        if not kinds or not tried or incident.voices or incident.priority == "P1":
            return -math.inf, ""
        kind = max(kinds, key=lambda k: (max(known[k]), k))
        longest = max(known[kind])
        wait = min(LONGER * longest, SHORT)
        service, name = service_of(kind), kind.partition(": ")[2]
        why = (
            f"{name} of {service or 'no service'} cleared by itself within {span(longest)} each of the last "
            f"{len(known[kind])} times: it has {span(wait)} to do so"
        )
        return incident.opened + wait, why


def _kinds(incident: Incident) -> list[str]:
    """Return the kinds of its signals that page, sorted."""
    return sorted({kind_of(s) for s in incident.signals if s.page and s.kind != "complaint"})


def _until_quiet(incident: Incident) -> Seconds:
    ended = incident.quiet if incident.quiet is not None else incident.resolved
    return max((ended or incident.updated) - incident.opened, 0.0)


def _by_itself(incident: Incident) -> bool:
    """Say whether nobody had a hand in its end: no person, no playbook, and no customer called."""
    touched = incident.by or incident.acknowledged is not None or incident.voices
    return not touched and not any(e.what.startswith("Playbook ") for e in incident.timeline)
