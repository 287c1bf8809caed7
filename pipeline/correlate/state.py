"""What correlation remembers: the incidents, where each is found, and what may still join one."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from pipeline.complaints.kin import Kin
from pipeline.correlate.habits import Habits
from pipeline.types import Complaint, Event, Incident, Seconds, Signal, State

# Linked tickets come 82 min after the alert in the median, a quarter after 290, a fifth before it (iPACK).
LINKABLE: Seconds = 8 * 3600.0
WAIT: Seconds = 1800.0  # a complaint stays loose for so long: an incident of its own may still open

MAX_INCIDENTS = 5_000  # open ones and those still linkable; about 10 kB each
MAX_COMPLAINTS = 500  # of one incident
MAX_LOOSE = 2_000  # complaints that belong to no incident yet
MAX_CHANGES = 2_000  # within reach of now
MAX_BEHIND = 100_000  # signals that are on and that their incident is too full to show; 1 kB each
STORM = 30  # incidents opened within a minute that are a storm: what fits none of them is one more

Timed = TypeVar("Timed", Complaint, Event)


@dataclass(slots=True)
class CorrelateState:
    """The incidents that are not over or still linkable. Every table has its bound above.

    `dropped` counts what a bound turned away. `touched` is empty between frames.
    """

    incidents: dict[str, Incident] = field(default_factory=dict)
    touched: dict[str, Incident] = field(default_factory=dict)  # changed by this frame, not kept yet
    open: dict[str, dict[str, None]] = field(default_factory=dict)  # service -> open incidents touching it
    past: dict[str, dict[str, None]] = field(default_factory=dict)  # service -> resolved ones, oldest first
    burning: dict[str, None] = field(default_factory=dict)  # open incidents, oldest first
    over: dict[str, Seconds] = field(default_factory=dict)  # resolved incidents, oldest first
    home: dict[str, str] = field(default_factory=dict)  # signal -> incident
    heard: dict[str, tuple[Complaint, ...]] = field(default_factory=dict)  # incident -> its complaints
    owner: dict[str, str] = field(default_factory=dict)  # complaint -> incident
    loose: dict[str, Complaint] = field(default_factory=dict)  # complaints of no incident, oldest first
    kin: Kin = field(default_factory=Kin)  # which complaints say the same
    # (surge, loose complaint) -> complaints of the surge when the two were last held against each other
    asked: dict[tuple[str, str], int] = field(default_factory=dict)
    changes: dict[str, Event] = field(default_factory=dict)  # oldest first
    drawn: set[str] = field(default_factory=set)  # incidents drawn since all were last returned
    waiting: dict[str, None] = field(default_factory=dict)  # changed since they were drawn
    owed: dict[str, None] = field(default_factory=dict)  # changed, and not drawn yet: see in_turn
    unsaid: set[str] = field(default_factory=set)  # changed since they were last returned
    behind: dict[str, dict[str, Signal]] = field(default_factory=dict)  # incident -> on, and not shown
    floor: dict[str, tuple[bool, float]] = field(default_factory=dict)  # page, surprise of its weakest shown
    # incident -> its signals, and the first and last onset of them: most candidates are asked again unchanged
    edges: dict[str, tuple[tuple[Signal, ...], Seconds, Seconds]] = field(default_factory=dict)
    opened: deque[Seconds] = field(default_factory=lambda: deque(maxlen=STORM))  # the newest incidents
    habits: Habits = field(default_factory=Habits)
    # incident -> those merged into it -> their signals and complaints
    merged: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    apart: dict[str, dict[str, None]] = field(default_factory=dict)  # a person has parted the two
    storm: str = ""  # the incident of what fits no other
    looked: Seconds = -math.inf  # when all open incidents were last returned
    dropped: Counter[str] = field(default_factory=Counter)

    def get(self, id: str) -> Incident:
        return self.touched.get(id) or self.incidents[id]

    def put(self, incident: Incident) -> None:
        """Take a new version of an incident, and find it by its services from now on."""
        old = self.touched.get(incident.id) or self.incidents.get(incident.id)
        self.touched[incident.id] = incident
        shelf = self._shelf(incident)
        if old is not None and (old.services != incident.services or self._shelf(old) is not shelf):
            _remove(self._shelf(old), old)
        for service in incident.services or ("",):
            shelf.setdefault(service, {})[incident.id] = None

    def add(self, incident: Incident) -> None:
        """Take a new incident; the caller has made room."""
        self.opened.append(incident.opened)
        self.burning[incident.id] = None
        self.put(incident)

    def resolve(self, incident: Incident, now: Seconds) -> None:
        """Move an incident to those that are over; it stays linkable."""
        self.burning.pop(incident.id, None)
        self.over[incident.id] = now
        self.put(incident)

    def reopen(self, incident: Incident) -> None:
        self.over.pop(incident.id, None)
        self.burning[incident.id] = None
        self.put(incident)

    def on(self, service: str) -> Iterator[Incident]:
        """Yield the open incidents that touch a service."""
        return (self.get(id) for id in self.open.get(service, ()))

    def before(self, service: str) -> Iterator[Incident]:
        """Yield the resolved incidents that touched a service, newest first."""
        return (self.get(id) for id in reversed(self.past.get(service, {})))

    def room(self, now: Seconds) -> bool:
        """Forget what can no longer be linked; say whether one more incident fits."""
        while self.over:
            oldest, when = next(iter(self.over.items()))
            full = len(self.burning) + len(self.over) >= MAX_INCIDENTS
            if now - when <= LINKABLE and not full:
                break
            self._forget(oldest)
        return len(self.burning) < MAX_INCIDENTS

    def tidy(self, now: Seconds, reach: Seconds) -> list[Complaint]:
        """Drop changes that are too old to matter; return the complaints that have waited in vain."""
        _shorten(self.changes, now - reach, MAX_CHANGES, self.dropped, "changes")
        return _shorten(self.loose, now - WAIT, MAX_LOOSE, self.dropped, "loose complaints")

    def complaint(self, id: str) -> Complaint | None:
        """Return a complaint that is loose or attached; None where it is forgotten."""
        held = self.heard.get(self.owner.get(id, ""), ())
        return self.loose.get(id) or next((c for c in held if c.id == id), None)

    def give(self, id: str, complaints: Sequence[Complaint]) -> None:
        """Attach complaints to an incident, at most MAX_COMPLAINTS in all."""
        had = self.heard.get(id, ())
        new = [c for c in complaints if c.id not in self.owner]
        fits = new[: MAX_COMPLAINTS - len(had)]
        self.dropped["complaints of one incident"] += len(new) - len(fits)
        self.heard[id] = tuple(sorted((*had, *fits), key=lambda c: (c.time, c.id)))
        for complaint in fits:
            self.owner[complaint.id] = id
            self.loose.pop(complaint.id, None)

    def keep(self, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
        """Take the incidents back after the later stages; return those that changed, with a new rev."""
        changed = []
        for incident in incidents:
            old = self.incidents.get(incident.id)
            if incident is not old and (incident.id in self.unsaid or incident != old):
                self.incidents[incident.id] = replace(incident, rev=incident.rev + 1)
                changed.append(self.incidents[incident.id])
                self.unsaid.discard(incident.id)
        self.touched.clear()
        return tuple(changed)

    def hold_back(self) -> None:
        """Keep what waits to be drawn to ourselves until it is: a storm would say each change of it."""
        for id in (*self.waiting, *self.owed):
            if id in self.touched and id in self.burning:
                self.incidents[id] = self.touched.pop(id)
                self.unsaid.add(id)

    def _shelf(self, incident: Incident) -> dict[str, dict[str, None]]:
        return self.past if incident.state is State.RESOLVED else self.open

    def _forget(self, id: str) -> None:
        incident = self.get(id)
        _remove(self.past, incident)
        self.over.pop(id)
        self.incidents.pop(id, None)
        self.touched.pop(id, None)
        self.unsaid.discard(id)
        self.floor.pop(id, None)
        self.edges.pop(id, None)
        self.merged.pop(id, None)
        for other in self.apart.pop(id, ()):
            self.apart.get(other, {}).pop(id, None)
        for signal in (*incident.signals, *self.behind.pop(id, {}).values()):
            if self.home.get(signal.id) == id:
                del self.home[signal.id]
        for complaint in self.heard.pop(id, ()):
            self.owner.pop(complaint.id, None)


def _remove(shelf: dict[str, dict[str, None]], incident: Incident) -> None:
    for service in incident.services or ("",):
        found = shelf.get(service, {})
        found.pop(incident.id, None)
        if not found:
            shelf.pop(service, None)


def _shorten(
    table: dict[str, Timed], since: Seconds, most: int, dropped: Counter[str], what: str
) -> list[Timed]:
    """Take out the oldest entries, those before `since` or past the bound; the latter are counted."""
    gone = []
    while table:
        id, oldest = next(iter(table.items()))
        if oldest.time >= since and len(table) <= most:
            break
        dropped[what] += oldest.time >= since
        gone.append(table.pop(id))
    return gone
