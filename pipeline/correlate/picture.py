"""An incident and what was heard of it in; its ranking, title and priority redrawn out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pipeline import cause
from pipeline.correlate import place
from pipeline.topology import Topology
from pipeline.types import Complaint, Entry, Event, Incident, Seconds, Signal, Suspect

MAX_TIMELINE = 200  # lines of one incident; the first ones and the newest stay
MAX_CUSTOMERS = 500  # named on one incident
MAX_CHANGES = 50  # near one incident; the newest stay
SHOWN = 5  # suspects of a ranking that the timeline names

# So many customers in their own words make it urgent, whatever the machines say.
MANY_VOICES = 3


def redraw(
    incident: Incident,
    heard: tuple[Complaint, ...],
    changes: Iterable[Event],
    topology: Topology,
    now: Seconds,
) -> Incident:
    """Return the incident as all that is known of it now says it is."""
    onset = place.onset(incident)
    # What is changed once somebody was paged answers the incident, as a rollback does, and is not its cause.
    told = now if incident.paged is None else incident.paged
    known = {
        e.id: e
        for e in (*incident.changes, *changes)
        if cause.within_reach(e, onset) and (e.time <= told or e in incident.changes)
    }
    near = tuple(sorted(known.values(), key=lambda e: (e.time, e.id)))[-MAX_CHANGES:]
    suspects = cause.rank(incident.signals, heard, near, topology, onset)
    ranked = cause.services(suspects)
    abnormal = dict.fromkeys(s.service for s in incident.signals if s.service)
    # One that only complaints name must be the first suspect: else each complaint would draw in more.
    services = tuple(dict.fromkeys((*ranked[:1], *(s for s in ranked if s in abnormal), *abnormal)))
    new = replace(
        hear(incident, heard),
        suspects=suspects,
        changes=near,
        services=services,
        title=_title(incident.signals, suspects),
        customers=_customers(incident, services, heard, topology),
        first_signal=onset,
    )
    new = replace(new, priority=_priority(new, topology))
    if ranked[:SHOWN] != _shown(incident):
        return say(new, now, _sentence(suspects), ranked[:SHOWN])
    return new


def rises(incident: Incident, topology: Topology) -> bool:
    """Say whether its signals are worth more than its priority says."""
    return _priority(incident, topology) < incident.priority


def hear(incident: Incident, heard: tuple[Complaint, ...]) -> Incident:
    """Return the incident with who complained, of what and when first."""
    return replace(
        incident,
        complaints=tuple(c.id for c in heard),
        voices=crowd(heard),
        first_complaint=min((c.time for c in heard), default=None),
    )


def crowd(heard: tuple[Complaint, ...]) -> int:
    """Return the most customers who complained within a quarter of an hour; `heard` is in order of time."""
    most, start = 0, 0
    for end, last in enumerate(heard):
        while last.time - heard[start].time > place.VOICE_WINDOW:
            start += 1
        if end + 1 - start > most:
            most = max(most, len({c.customer or c.id for c in heard[start : end + 1]}))
    return most


def say(incident: Incident, now: Seconds, what: str, suspects: tuple[str, ...] = ()) -> Incident:
    """Return the incident with one more line; a newer ranking of the same moment replaces the older."""
    lines = incident.timeline
    if suspects and lines and lines[-1].suspects and lines[-1].at == now:
        lines = lines[:-1]
    lines = (*lines, Entry(now, what, suspects))
    if len(lines) > MAX_TIMELINE:
        lines = (*lines[: MAX_TIMELINE // 4], *lines[MAX_TIMELINE // 4 + 1 :])
    return replace(incident, timeline=lines)


def settled(incident: Incident) -> str:
    """Return what of an incident is over at another level than before, "" where all is back."""
    new = [
        f"{s.labels.get('__name__', s.series)} of {s.service} has settled at {s.settled}"
        for s in incident.signals
        if s.settled and s.page
    ]
    more = f", and {len(new) - 1} more like it" if new[1:] else ""
    return f"not as it was: {new[0]}{more}" if new else ""


def _shown(incident: Incident) -> tuple[str, ...]:
    return next((e.suspects for e in reversed(incident.timeline) if e.suspects), ())


def _sentence(suspects: tuple[Suspect, ...]) -> str:
    if not suspects:
        return "no suspect yet"
    return f"first suspect {suspects[0].service}: {suspects[0].reason}"


def _title(signals: tuple[Signal, ...], suspects: tuple[Suspect, ...]) -> str:
    """Return the strongest signal of the first suspect, or of all where it has none, and whose it is."""
    service = suspects[0].service if suspects else ""
    own = [s for s in signals if s.service == service] or list(signals)
    worst = min(own, key=lambda s: (not s.page, -s.surprise, s.id))
    return f"{worst.service}: {worst.reason}" if worst.service else worst.reason


def _customers(
    incident: Incident, services: tuple[str, ...], heard: tuple[Complaint, ...], topology: Topology
) -> tuple[str, ...]:
    """Return those who complained, then those who use a touched service."""
    spoke = dict.fromkeys(c.customer for c in heard if c.customer)
    if incident.suspects and frozenset(services) == frozenset(incident.services):
        users = tuple(c for c in incident.customers if c not in spoke)
    else:
        users = topology.users(frozenset(services))
    return tuple(dict.fromkeys((*spoke, *users)))[:MAX_CUSTOMERS]


def _priority(incident: Incident, topology: Topology) -> str:
    """Return P1 to P4; within one incident it only rises.

    P1: the first suspect is a critical service. P2: many customers complain, or another system calls its
    alert critical. P3: anything else strong enough to page. P4: evidence only.
    """
    strong = any(s.page for s in incident.signals)
    first = incident.services[:1]
    tiers = {topology.services[s].tier for s in first if s in topology.services}
    if tiers & {"critical", "1", "gold"} and (strong or incident.voices):
        found = "P1"
    elif incident.voices >= MANY_VOICES or any(_critical(s) for s in incident.signals):
        found = "P2"
    else:
        found = "P3" if strong else "P4"
    return min(found, incident.priority)


def _critical(signal: Signal) -> bool:
    return signal.kind == "alert" and signal.labels.get("severity", "").lower() in {"critical", "page"}
