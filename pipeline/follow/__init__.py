"""Complaints to cases: how far each is, by when its customer was promised what, and who is warned in time.

A case is received, looked at, its cause known, fixed and closed. It follows the incident that the complaint
is attached to by itself, and the words of desk and customer. Three promises run beside it, in working time:

    promises:
      respond: 1h          # a first word by a person; an incident that somebody acknowledges is one
      update: 4h           # never longer without a word
      resolve: 24h
      urgent: {respond: 15m, update: 1h, resolve: 8h}   # by day and night; those of a P1 incident, too
      tiers: {gold: {respond: 30m, update: 2h, resolve: 8h}}
      warn: 0.8            # of each: the desk is warned then, and told again when it broke
      confirm: 3d          # what is fixed closes by itself
      hours: {opens: "09:00", closes: "17:00", calendar: {timezone: Europe/Berlin, country: DE}}
      receiver: desk       # of response.receivers; who is warned
      customers: portal    # who passes words on to customers

While the next word is the customer's, the clocks stand. What stands here is worked out from the marks of a
case alone: another configuration gives other deadlines for the same marks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from pipeline.follow import tell
from pipeline.follow.marks import progress, reckon, regimes
from pipeline.follow.obey import OURS, obey
from pipeline.follow.seat import next_ring, rings
from pipeline.follow.state import FollowState as FollowState
from pipeline.follow.state import standing as standing
from pipeline.follow.terms import Promises as Promises
from pipeline.follow.terms import unknown as unknown
from pipeline.respond import Response
from pipeline.topology import Topology
from pipeline.types import (
    Action,
    Case,
    Complaint,
    Event,
    Incident,
    Mark,
    Progress,
    Promise,
    Seconds,
    State,
)

MAX_MARKS = 60  # of one complaint; past it the oldest words between go
# Promises of one incident that are near each other are told of together.
TOGETHER: Seconds = 300.0
IDLE: Seconds = 30 * 86400.0  # a complaint without a word for so long is closed


class Settings(Protocol):
    """What follow is told; config.Config is one."""

    @property
    def promises(self) -> Promises: ...
    @property
    def response(self) -> Response: ...
    @property
    def topology(self) -> Topology: ...


def follow(
    state: FollowState,
    complaints: Iterable[Complaint],
    incidents: Sequence[Incident],
    events: Iterable[Event],
    settings: Settings,
    now: Seconds,
) -> tuple[tuple[Case, ...], tuple[Action, ...]]:
    """Return the cases that changed, and what is to be told; `incidents` are those that changed."""
    work = _Work(state, settings, now)
    if state.promises != settings.promises:
        state.promises = settings.promises
        for case in tuple(state.cases.values()):
            work.mark(case)
    for complaint in complaints:
        work.receive(complaint)
    for incident in incidents:
        work.attach(incident)
    for event in events:
        if event.kind == "command" and event.labels.get("do") in OURS:
            work.obey(event)
    work.look()
    return tuple(work.changed.values()), tuple(work.actions)


@dataclass(slots=True)
class _Work:
    """One frame's work: the state, and what comes of it."""

    state: FollowState
    settings: Settings
    now: Seconds
    changed: dict[str, Case] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)

    def receive(self, complaint: Complaint) -> None:
        """Open a case. Its clocks run from now: what was sent long ago could not have been answered."""
        if complaint.id in self.state.cases:
            self.state.dropped["heard before"] += 1
        elif self.state.room(complaint.customer, self.now):
            mark = Mark(self.now, "received", "customer")
            self.mark(
                Case(
                    complaint.id,
                    complaint.customer,
                    complaint.lang,
                    complaint.topic,
                    tuple(s for s, _ in complaint.services[:3]),
                    complaint.urgent,
                    (mark,),
                    Progress.RECEIVED,
                    (),
                    pressing=self.now if complaint.urgent else None,
                )
            )
            self.ring(self.state.cases[complaint.id])

    def ring(self, case: Case) -> None:
        """Tell the emergency seat of an urgent one that nobody has answered, if it is time."""
        self.actions += rings(case, self.settings.promises.seat, self.settings.response, self.now)

    def attach(self, incident: Incident) -> None:
        """Let the cases of an incident go as far as it is."""
        for id in incident.complaints:
            case = self.state.cases.get(id)
            if case is None or case.progress is Progress.CLOSED:
                continue
            known = case
            if not case.incident:
                case = replace(case, incident=incident.id)
            if incident.priority == "P1" and case.pressing is None:
                case = replace(case, pressing=self.now)
            marks = _moves(case, incident, self.now)
            if marks or case is not known:
                self.mark(case, *marks)

    def obey(self, event: Event) -> None:
        """Take a word about one complaint, or about all of an incident."""
        of = event.labels.get("incident", "")
        named = [event.labels.get("complaint", "")] if not of else [*self.state.of.get(of, ())]
        for id in named:
            case = self.state.cases.get(id)
            if case is None:
                self.state.dropped["words about nothing known"] += 1
                continue
            told, marks = obey(case, event, self.now)
            if marks or told is not case:
                self.mark(told, *marks)

    def mark(self, case: Case, *marks: Mark) -> None:
        """Keep a case with more marks, reckon its promises anew, and tell its customer."""
        found = (*case.marks, *marks)
        over = len(found) - MAX_MARKS
        if over > 0:
            self.state.dropped["marks"] += over
            found = (found[0], *found[1 + over :])
        self.put(case, found)
        spoken = next((m for m in reversed(marks) if m.what in tell.SAID and m.by != "customer"), None)
        receiver = self.settings.promises.customers
        if spoken is not None and receiver:
            self.actions += tell.word(
                self.settings.response, receiver, self.state.cases[case.complaint], spoken
            )

    def put(self, case: Case, marks: tuple[Mark, ...]) -> None:
        """Keep a case with these marks if it is other than it was, its promises reckoned anew."""
        given = self.settings.promises
        tier = self.settings.topology.customers.get(case.customer)
        holding = regimes(given, tier.tier if tier else "", marks[0].at, case.pressing)
        promises = reckon(marks, holding, given.warn)
        told = case.told and _still_told(case.told, promises)
        old = self.state.cases.get(case.complaint)
        if case is not old or (marks, promises, told) != (case.marks, case.promises, case.told):
            case = replace(
                case,
                marks=marks,
                progress=progress(marks),
                promises=promises,
                told=told,
                rev=case.rev + 1,
            )
            self.state.put(case)
            self.changed[case.complaint] = case
        self.state.plan(case.complaint, _next_look(case, given, self.now))

    def look(self) -> None:
        """Close what nobody speaks of any more; warn of promises, and tell of those that broke."""
        risen: dict[tuple[str, str, str], list[tuple[Case, Promise]]] = {}
        again: list[str] = []
        for id in self.state.due(self.now):
            case = self.state.cases[id]
            if closing := _closing(case, self.settings.promises, self.now):
                self.mark(case, closing)
                continue
            again.append(id)
            self.ring(case)
            for promise, what in _risen(case, self.now):
                risen.setdefault((case.incident, promise.what, what), []).append((case, promise))
        for (incident, kind, what), found in risen.items():
            self.tell(f"{incident}/{kind}", what, found)
        for id in again:
            if id not in self.state.looks:
                self.put(self.state.cases[id], self.state.cases[id].marks)

    def tell(self, group: str, what: str, risen: list[tuple[Case, Promise]]) -> None:
        if what == "broken":
            until = self.state.told.get(group, -math.inf) + TOGETHER
            if self.now < until:
                for case, _ in risen:
                    self.state.plan(case.complaint, until)
                return
            self.state.told = {g: at for g, at in self.state.told.items() if self.now - at < TOGETHER}
            self.state.told[group] = self.now
        else:
            risen += self.soon(risen)
        receiver = self.settings.promises.receiver or self.settings.response.receiver
        self.actions += tell.warning(self.settings.response, receiver, what, risen, self.now)
        for case, promise in risen:
            known = self.state.cases[case.complaint]
            told = (*known.told, tell.key_of(promise, what))
            self.put(replace(known, told=told), known.marks)

    def soon(self, risen: list[tuple[Case, Promise]]) -> Iterator[tuple[Case, Promise]]:
        """Yield what would be warned of soon anyway, of the same incident and kind."""
        (first, kind), had = (risen[0][0], risen[0][1].what), {c.complaint for c, _ in risen}
        near = self.now + TOGETHER
        for id in [id for id, at in self.state.looks.items() if at <= near and id not in had]:
            case = self.state.cases[id]
            if case.incident == first.incident:
                mine = (p for p in case.promises if p.what == kind and p.ended is None)
                yield from ((case, p) for p in mine if not p.broken(self.now) and _warns(case, p, near))


def _still_told(told: Sequence[str], promises: Sequence[Promise]) -> tuple[str, ...]:
    keys = {tell.key_of(p, what) for p in promises for what in ("warned", "broken")}
    return tuple(t for t in told if t in keys)


def _moves(case: Case, incident: Incident, now: Seconds) -> tuple[Mark, ...]:
    """Return what the incident's state means for one of its complaints, where that is news."""
    if incident.state is State.RESOLVED:
        since = max((m.at for m in case.marks if m.what == "reopened"), default=-math.inf)
        over = case.progress is not Progress.FIXED and (incident.resolved or now) > since
        return (Mark(now, "fixed", "incident"),) if over else ()
    if case.progress is Progress.FIXED:
        fixed = next(m for m in reversed(case.marks) if m.what == "fixed")
        return (Mark(now, "reopened", "incident"),) if fixed.by == "incident" else ()
    if incident.state is State.ACKNOWLEDGED and incident.suspects:
        known = case.progress in (Progress.RECEIVED, Progress.LOOKED_AT)
        return (Mark(now, "cause", "incident"),) if known else ()
    # An incident that nobody was told of is not looked at by anybody.
    seen = incident.paged is not None or incident.state is State.ACKNOWLEDGED
    return (Mark(now, "looked at", "incident"),) if seen and case.progress is Progress.RECEIVED else ()


def _closing(case: Case, given: Promises, now: Seconds) -> Mark | None:
    """Return the end of what its customer confirms by silence, or that everybody has forgotten."""
    silent = now - case.updated
    confirmed = case.progress is Progress.FIXED and silent >= given.confirm
    return Mark(now, "closed", "time") if confirmed or silent >= IDLE else None


def _risen(case: Case, now: Seconds) -> Iterator[tuple[Promise, str]]:
    """Yield what is to be told of now; of what broke unseen there is no warning any more."""
    for promise in case.promises:
        if promise.ended is None and promise.broken(now):
            if not _is_told(case, promise, "broken"):
                yield promise, "broken"
        elif promise.ended is None and _warns(case, promise, now):
            yield promise, "warned"


def _warns(case: Case, promise: Promise, by: Seconds) -> bool:
    at_risk = promise.warn is not None and promise.due is not None and promise.warn <= by
    return at_risk and not _is_told(case, promise, "warned")


def _is_told(case: Case, promise: Promise, what: str) -> bool:
    return bool(case.told) and tell.key_of(promise, what) in case.told


def _next_look(case: Case, given: Promises, now: Seconds) -> Seconds:
    """Return when something may have to be done about it; inf once it is closed."""
    if case.progress is Progress.CLOSED:
        return math.inf
    times = [case.updated + IDLE, next_ring(case, given.seat, now)]
    if case.progress is Progress.FIXED:
        times.append(case.updated + given.confirm)
    for promise in case.promises:
        if promise.ended is not None or promise.due is None or _is_told(case, promise, "broken"):
            continue
        times.append(math.nextafter(promise.due, math.inf))
        if promise.warn is not None and not promise.broken(now) and _warns(case, promise, math.inf):
            times.append(promise.warn)
    return min(times)
