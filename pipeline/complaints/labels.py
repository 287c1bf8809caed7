"""What people and incidents say that complaints were about, to the heads that learn from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.encoders import Dense
from pipeline.complaints.head import Head
from pipeline.complaints.heard import Heard
from pipeline.complaints.known import Known
from pipeline.complaints.words import Vector
from pipeline.types import Event, Floats, Incident, State

MAX_INCIDENTS = 1_000  # of which it is known what people said, or that they were learned from
VOICES = 3  # complaints of an incident that must name a service, and most of those that name any
NAMING = ("resolve", "confirm", "close")  # words about an incident that may name its service
FEW = 3  # labels from which a service is learned of
UNKNOWN = 0.5  # of what speaks for a service with labels, taken off those without
# What incidents teach counts so much of what people teach: measured by benchmarks/_complaint_links.py, with
# three labels in ten wrong, more of it loses what people taught.
GUESSED = 0.5


@dataclass(slots=True)
class Labels:
    """What closed tickets teach, and apart from it what incidents do. Owned by ComplaintState.

    That a complaint was attached to an incident is a weaker label than a person's word: it has a head of its
    own, so that none of it takes the place of a person's; 13 MB each of fifty services.
    """

    guessed: Head = field(default_factory=Head)
    named: dict[str, str] = field(default_factory=dict)  # incident -> service a person named, "" = noise
    learned: dict[str, None] = field(default_factory=dict)  # incidents, oldest first
    dropped: Counter[str] = field(default_factory=Counter)

    def hear(self, events: Iterable[Event], heard: Heard, head: Head, known: Known) -> None:
        """Take what people say: who closes a complaint may name its `topic` and `service`."""
        asked = (e for e in events if e.kind == "command")
        for event in sorted(asked, key=lambda e: (e.time, e.id)):
            said = event.labels
            incident, service = said.get("incident", ""), said.get("service", "")
            if incident:
                self._name(incident, said.get("do", ""), service)
            if said.get("do") == "close" and not incident and (service or said.get("topic")):
                self._close(said.get("complaint", ""), service, said.get("topic", ""), heard, head, known)

    def _name(self, incident: str, do: str, service: str) -> None:
        """Take what a person says of an incident: which service it was, that it was noise or was not."""
        if do in ("noise", "unteach") or (do in NAMING and service):
            self.named.pop(incident, None)
            if do != "unteach":
                self.named[incident] = "" if do == "noise" else service
            _shorten(self.named)

    def _close(self, id: str, service: str, topic: str, heard: Heard, head: Head, known: Known) -> None:
        rows = heard.rows((id,))
        if not rows:
            self.dropped["labels of complaints no longer kept"] += 1
            return
        vector = Vector(heard.index[rows[0]], heard.weight[rows[0]])
        dense = heard.dense[rows[0]].astype(np.float32)
        if topic:
            known.teach(id, topic, vector, dense)
        if service:
            head.teach(id, service, vector, dense if len(dense) else None)
            if id in self.guessed.ids:
                self.guessed.teach(id, service, vector, dense if len(dense) else None)

    def evidence(
        self, head: Head, services: tuple[str, ...], vector: Vector, sense: Dense | None = None
    ) -> Floats:
        """Return log odds of the services from what people and incidents taught, (services,).

        Incidents count once they have labelled half of the services.
        """
        told = _fair(head, services, head.evidence(services, vector, sense))
        # What few services taught draws all to them: half of those of TrainTicket lost their first place.
        if 2 * sum(name in self.guessed.services for name in services) < len(services):
            return told
        guessed = _fair(self.guessed, services, self.guessed.evidence(services, vector, sense))
        return np.asarray(told + GUESSED * guessed, np.float64)

    def learn(self, incident: Incident, heard: Heard, names: dict[str, int], head: Head) -> str:
        """Learn from an incident that is over; return the service its complaints were about, "" = unknown.

        That is the one a person named; else the one that most of its complaints name that name any, where
        it was paged, touched that service, and nobody called it noise.
        """
        if incident.state is not State.RESOLVED or incident.id in self.learned:
            return ""
        rows = heard.rows(incident.complaints)
        service = self._about(incident, heard, rows, names)
        if not service:
            return ""
        self.learned[incident.id] = None
        _shorten(self.learned)
        for row in rows:
            id = heard.ids[row]
            if id not in head.ids:
                dense = heard.dense[row].astype(np.float32)
                vector = Vector(heard.index[row], heard.weight[row])
                self.guessed.teach(id, service, vector, dense if len(dense) else None)
        return service

    def _about(self, incident: Incident, heard: Heard, rows: list[int], names: dict[str, int]) -> str:
        if incident.id in self.named:
            return self.named[incident.id]
        if incident.paged is None:
            return ""
        told = Counter(int(heard.service[row]) for row in rows)
        told.pop(0, None)
        touched = [(told[names[s]], s) for s in incident.services if s in names]
        most, service = max(touched, key=lambda t: (t[0], t[1]), default=(0, ""))
        return service if most >= VOICES and 2 * most > told.total() else ""


def _fair(head: Head, services: tuple[str, ...], odds: Floats) -> Floats:
    """Return the log odds; of a service that nobody labelled, less half of what speaks for a labelled one.

    A head that knows two services puts every text on the side of either. That it is of no third one is then
    nothing the head has learned: taken at its word, it hid nine in ten complaints about the others.
    """
    if len(head.services) < 2:
        return odds
    labels = np.bincount(head.label[: len(head.names)], minlength=len(head.services))
    learned = {name for name, n in zip(head.services, labels.tolist(), strict=True) if n >= FEW}
    known = np.array([service in learned for service in services], bool)
    best = max(0.0, float(odds[known].max(initial=0.0)))
    return np.where(known, odds, np.maximum(odds, 0.0) - UNKNOWN * best)


def _shorten(table: dict[str, str] | dict[str, None]) -> None:
    if len(table) > MAX_INCIDENTS:
        del table[next(iter(table))]
