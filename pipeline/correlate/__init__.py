"""Signals to incidents: same service, or a neighbour of it, close in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from hashlib import blake2b

from pipeline import cause
from pipeline.correlate.picture import redraw, say
from pipeline.correlate.place import WINDOW, around, back, fitting, holding, lag, linked, loud, onset
from pipeline.correlate.state import EARLY, CorrelateState
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Incident, Seconds, Signal, State

__all__ = ["CorrelateState", "correlate"]

# An incident is over when no signal has been on for so long.
QUIET: Seconds = 180.0
MAX_SIGNALS = 200  # of one incident


def correlate(
    state: CorrelateState,
    signals: Sequence[Signal],
    complaints: Sequence[Complaint],
    events: Iterable[Event],
    topology: Topology,
    now: Seconds,
) -> tuple[Incident, ...]:
    """Return the incidents touched now, and every open one at most once a second."""
    stale: dict[str, None] = {}  # incidents to redraw
    for event in sorted(events, key=lambda e: (e.time, e.id)):
        _mind(state, event, stale, now)
    for complaint in sorted(complaints, key=lambda c: (c.time, c.id)):
        state.loose[complaint.id] = complaint
    for signal in sorted(signals, key=lambda s: (s.since, not s.page, s.service, s.id)):
        _place(state, signal, topology, stale, now)
    for complaint in sorted(complaints, key=lambda c: (c.time, c.id)):
        _attach(state, complaint, topology, stale, now)
    for id in stale:
        _redraw(state, id, topology, now)
    due = now >= state.looked + 1
    if due:
        state.looked = now
        state.tidy(now, cause.REACH)
        for id in tuple(state.burning):
            _close(state, id, now)
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
    by = event.labels.get("by", "")
    incident = state.get(id)
    if event.labels.get("do") == "acknowledge" and incident.state is State.OPEN:
        told = say(incident, now, f"acknowledged by {by}")
        state.put(replace(told, state=State.ACKNOWLEDGED, acknowledged=now, by=by, updated=now))
    if event.labels.get("do") == "resolve":
        told = say(incident, now, f"resolved by {by}")
        state.resolve(replace(told, state=State.RESOLVED, resolved=now, by=by, updated=now), now)


def _place(
    state: CorrelateState, signal: Signal, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    """Put the signal into the incident that has it, that it fits, that was just over, or a new one."""
    id = state.home.get(signal.id)
    if id is None and signal.ended is not None:
        return
    if id is not None and _outgrew(state.get(id), signal):
        id = None
    if id is None:
        id = _home(state, signal, topology, stale, now)
        if id is None:
            state.dropped["incident limit"] += 1
            return
    incident = state.get(id)
    known = next((s for s in incident.signals if s.id == signal.id), None)
    if incident.state is not State.RESOLVED:
        stale[id] = None
        if signal.page and (known is None or not known.page):
            incident = say(incident, now, f"{signal.kind}: {signal.reason}")
    others = [s for s in incident.signals if s.id != signal.id]
    state.put(replace(incident, signals=_fewest(state, id, [*others, signal]), updated=now))
    if signal.ids:
        state.give(id, [state.loose[c] for c in signal.ids if c in state.loose])


def _outgrew(incident: Incident, signal: Signal) -> bool:
    """Say whether what was evidence in an incident now over has become strong enough to page."""
    before = next((s for s in incident.signals if s.id == signal.id), signal)
    over = incident.state is State.RESOLVED and signal.ended is None
    return over and signal.page and not before.page


def _home(
    state: CorrelateState, signal: Signal, topology: Topology, stale: dict[str, None], now: Seconds
) -> str | None:
    fits = fitting(state, topology, signal)
    if fits:
        first = fits[0]
        if signal.page:
            for other in fits[1:]:
                if lag(first, other.signals[0]) <= WINDOW:
                    first = _merge(state, first, other, signal, stale, now)
        state.home[signal.id] = first.id
        return first.id
    again = back(state, signal)
    if again is not None:
        told = say(again, now, f"came back: {signal.reason}")
        state.reopen(replace(told, state=State.OPEN, resolved=None, quiet=None, updated=now))
        state.home[signal.id] = again.id
        return again.id
    if not state.room(now):
        return None
    new = _open(signal, now)
    state.add(new)
    state.home[signal.id] = new.id
    return new.id


def _open(signal: Signal, now: Seconds) -> Incident:
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in signal.service)[:40] or "unknown"
    id = f"{name}-{blake2b(f'{signal.id} {now}'.encode(), digest_size=4).hexdigest()}"
    services = (signal.service,) if signal.service else ()
    new = Incident(id, now, now, signal.reason, "P4", services, (signal,), first_signal=signal.since)
    return say(new, now, f"opened by {signal.kind}: {signal.reason}") if not signal.page else new


def _merge(
    state: CorrelateState, a: Incident, b: Incident, bridge: Signal, stale: dict[str, None], now: Seconds
) -> Incident:
    """Fold one incident into the other because a signal fits both; who was paged first survives."""
    a, b = sorted((a, b), key=lambda i: (i.paged is None, i.paged or 0.0, i.opened, i.id))
    why = f"{bridge.reason.rstrip('.')} bridges them"
    both = say(
        replace(a, signals=_fewest(state, a.id, [*a.signals, *b.signals])),
        now,
        f"merged {b.id} into this: {why}",
    )
    state.put(replace(both, updated=now))
    for signal in b.signals:
        state.home[signal.id] = a.id
    moved = state.heard.pop(b.id, ())
    for complaint in moved:
        state.owner.pop(complaint.id, None)
    state.give(a.id, moved)
    gone = say(
        replace(b, state=State.RESOLVED, resolved=now, by=a.id, updated=now),
        now,
        f"merged into {a.id}: {why}",
    )
    state.resolve(gone, now)
    stale.pop(b.id, None)
    stale[a.id] = None
    return state.get(a.id)


def _fewest(state: CorrelateState, id: str, signals: list[Signal]) -> tuple[Signal, ...]:
    """Return the signals earliest first; past MAX_SIGNALS the weakest that have ended go."""
    if len(signals) > MAX_SIGNALS:
        signals.sort(key=lambda s: (s.ended is None, s.page, s.surprise, s.id))
        for gone in signals[: len(signals) - MAX_SIGNALS]:
            state.dropped["signals of one incident"] += 1
            if state.home.get(gone.id) == id:
                del state.home[gone.id]
        signals = signals[len(signals) - MAX_SIGNALS :]
    return tuple(sorted(signals, key=lambda s: (s.since, s.id)))


def _attach(
    state: CorrelateState, complaint: Complaint, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    if complaint.id in state.owner or not complaint.services:
        return
    found = linked(state, topology, complaint)
    if found is None:
        return
    state.give(found.id, [complaint])
    if found.state is State.RESOLVED:
        heard = tuple(c.id for c in state.heard[found.id])
        first = min(c.time for c in state.heard[found.id])
        state.put(replace(found, complaints=heard, first_complaint=first, updated=now))
    else:
        stale[found.id] = None


def _redraw(state: CorrelateState, id: str, topology: Topology, now: Seconds) -> None:
    """Rank again; take in the complaints that came before the incident and name what it touches."""
    incident = state.get(id)
    if incident.state is State.RESOLVED:
        return
    began = onset(incident)
    named = {s.service for s in incident.signals}
    early = [
        c
        for c in state.loose.values()
        if c.time >= began - EARLY and c.services and c.services[0][0] in named
    ]
    state.give(id, early)
    events = [e for e in state.changes.values() if _close_by(e.labels["service"], named, topology)]
    quiet = None if holding(incident) else max(s.ended or now for s in loud(incident))
    drawn = redraw(replace(incident, quiet=quiet), state.heard.get(id, ()), events, topology, now)
    drawn = replace(drawn, cause=_cause(state, drawn, topology))
    state.put(replace(drawn, updated=now) if drawn != incident else drawn)


def _cause(state: CorrelateState, incident: Incident, topology: Topology) -> str:
    """Return the open incident, still abnormal, whose first suspect this one's first suspect depends on."""
    if not incident.services:
        return ""
    below = sorted(topology.below(incident.services[0]) - set(incident.services))
    found = [i for s in below for i in state.on(s) if i.services[0] == s and i.quiet is None]
    return min(((i.opened, i.id) for i in found if i.opened < incident.opened), default=(0.0, ""))[1]


def _close_by(service: str, named: set[str], topology: Topology) -> bool:
    return any(name in named for _, name in around(topology, service))


def _close(state: CorrelateState, id: str, now: Seconds) -> None:
    """Resolve the incident once it has been quiet for long enough."""
    incident = state.get(id)
    if incident.quiet is None or now - incident.quiet < QUIET:
        return
    told = say(incident, now, f"over: nothing abnormal for {now - incident.quiet:.0f} s")
    state.resolve(replace(told, state=State.RESOLVED, resolved=now, updated=now), now)
