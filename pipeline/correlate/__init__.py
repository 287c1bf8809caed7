"""Signals to incidents: same service, or a neighbour of it, close in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline import cause
from pipeline.complaints.encoders import Dense
from pipeline.correlate import parts
from pipeline.correlate.admit import admit
from pipeline.correlate.anew import let_go
from pipeline.correlate.behind import refill
from pipeline.correlate.picture import redraw, say, settled
from pipeline.correlate.place import holding, hot, loud
from pipeline.correlate.state import CorrelateState
from pipeline.correlate.turns import in_turn
from pipeline.correlate.voices import attach, attach_late, claim
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Incident, Seconds, Signal, State

__all__ = ["CorrelateState", "correlate"]

# Scrapes are seconds to a minute apart, and what comes and goes within minutes is one incident.
QUIET: Seconds = 180.0
TAUGHT = {
    "noise": "called noise by ",
    "confirm": "confirmed by ",
    "unteach": "what was taught of it is taken back by ",
}


def correlate(
    state: CorrelateState,
    signals: Sequence[Signal],
    complaints: Sequence[Complaint],
    events: Iterable[Event],
    topology: Topology,
    now: Seconds,
    resolve_after: Seconds = QUIET,
    senses: Mapping[str, Dense] = {},
) -> tuple[Incident, ...]:
    """Return the incidents touched now, and every open one at most once a second.

    `senses` are the sentence encoder's rows of the complaints, where one is used.

    One that was ranked within the second is ranked again, and returned, when the second is over. Where many
    have changed, those that page are ranked at once and the others in the steps that follow: see turns.

    An incident is over when no signal has been on for `resolve_after`.
    """
    stale: dict[str, None] = {}  # incidents to redraw
    for event in sorted(events, key=lambda e: (e.time, e.id)):
        _mind(state, event, stale, now)
    for complaint in sorted(complaints, key=lambda c: (c.time, c.id)):
        state.loose[complaint.id] = complaint
        state.kin.add(complaint.id, complaint.text, senses.get(complaint.id))
        attach(state, complaint, topology, stale, now)
    for signal in sorted(
        signals, key=lambda s: (s.kind == "complaint", s.since, not s.page, s.service, s.id)
    ):
        admit(state, signal, topology, stale, now)
    due = now >= state.looked + 1
    if due:
        stale = {**state.waiting, **stale}
        state.drawn.clear()
        state.waiting.clear()
    for id in in_turn(state, stale, topology):
        _redraw(state, id, topology, now)
    if due:
        state.looked = now
        for complaint in state.tidy(now, cause.REACH):
            attach_late(state, complaint)
        for id in tuple(state.burning):
            _close(state, id, resolve_after, now)
    state.hold_back()
    return tuple(state.get(id) for id in {**state.touched, **(state.burning if due else {})})


def _mind(state: CorrelateState, event: Event, stale: dict[str, None], now: Seconds) -> None:
    """Remember a change; do what a person asks of an incident."""
    if event.kind == "change" and event.labels.get("service"):
        state.changes[event.id] = event
        stale.update((i.id, None) for i in state.on(event.labels["service"]))
        return
    id = event.labels.get("incident", "")
    if event.kind != "command" or id not in state.burning:
        return
    if event.labels.get("do") in {"merge", "split"}:
        parts.obey(state, event, stale, now)
        return
    by = event.labels.get("by", "")
    incident = state.get(id)
    if event.labels.get("do") == "acknowledge" and incident.state is State.OPEN:
        told = say(incident, now, f"acknowledged by {by}")
        state.put(replace(told, state=State.ACKNOWLEDGED, acknowledged=now, by=by, updated=now))
    if event.labels.get("do") in TAUGHT:
        state.put(replace(say(incident, now, TAUGHT[event.labels["do"]] + by), updated=now))
    if event.labels.get("do") == "resolve":
        told = say(incident, now, f"resolved by {by}")
        state.resolve(replace(told, state=State.RESOLVED, resolved=now, by=by, updated=now), now)
        parts.over(state, id, now)


def _redraw(state: CorrelateState, id: str, topology: Topology, now: Seconds) -> None:
    """Rank again; take in the complaints that came before the incident and name what it touches."""
    state.drawn.add(id)
    refill(state, id)
    incident = state.get(id)
    claim(state, incident)
    own = {s.service for s in incident.signals}
    near = {name for service in own for name in topology.around(service)} if state.changes else set()
    events = [e for e in state.changes.values() if e.labels["service"] in near]
    quiet = None if holding(incident) else max(s.ended or now for s in loud(incident))
    drawn = redraw(replace(incident, quiet=quiet), state.heard.get(id, ()), events, topology, now)
    drawn = replace(drawn, cause=_cause(state, drawn, topology))
    state.put(replace(drawn, updated=now) if drawn != incident else drawn)


def _cause(state: CorrelateState, incident: Incident, topology: Topology) -> str:
    """Return the open incident, still abnormal, whose first suspect this one's first suspect depends on."""
    if not incident.services:
        return ""
    below = sorted(topology.below(incident.services[0]) - set(incident.services))
    found = [i for s in below for i in state.on(s) if i.services[0] == s and hot(i, incident.updated)]
    return min(((i.opened, i.id) for i in found if i.opened < incident.opened), default=(0.0, ""))[1]


def _close(state: CorrelateState, id: str, resolve_after: Seconds, now: Seconds) -> None:
    """Resolve the incident once it has been quiet for long enough."""
    incident = state.get(id)
    if incident.quiet is None or now - incident.quiet < resolve_after:
        return
    said = f"over: nothing abnormal for {now - incident.quiet:.0f} s"
    if new := settled(incident):
        said += f"; {new}"
    told = say(incident, now, said)
    over = replace(told, state=State.RESOLVED, resolved=now, updated=now)
    state.resolve(over, now)
    parts.over(state, id, now)
    let_go(state, over, now)
