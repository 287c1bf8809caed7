"""A signal or a complaint in, the incidents it may belong to out, best first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from pipeline.cause import AHEAD, ends, sort_of
from pipeline.correlate.habits import WINDOW, kind_of, named, service_of
from pipeline.correlate.state import CorrelateState
from pipeline.topology import Topology
from pipeline.types import Incident, Seconds, Signal

# Customers notice, wait and write: what they say together lags by this much.
VOICE_WINDOW: Seconds = 900.0
# The same series abnormal again in less time after its incident resolved is the same incident.
REOPEN: Seconds = 60.0
# What begins on another service so long after all that was abnormal had ended is of another incident.
GAP: Seconds = 30.0


def fitting(state: CorrelateState, topology: Topology, signal: Signal) -> list[Incident]:
    """Return the open incidents that the signal fits, nearest first: by distance, onset, age and id."""
    if signal.kind == "complaint" and not signal.service:
        return _unnamed(state, signal)
    best: dict[str, int] = {}
    for distance, service in _touched(state, _around(signal, topology)):
        for id in state.open[service]:
            if distance < best.get(id, math.inf):
                best[id] = distance
    found = [(distance, state.get(id)) for id, distance in best.items()]
    fits = [
        (d, off, i)
        for d, i in found
        if _joins(d, off := lag(state, i, signal), i, signal) and not _is_new(state, topology, i, signal)
    ]
    fits.sort(key=lambda f: (f[0], f[1], f[2].opened, f[2].id))
    return [incident for _, _, incident in fits]


def by_habit(state: CorrelateState, signal: Signal) -> tuple[Incident, str] | None:
    """Return an open incident of a kind that the signal's often begins with, and how that is known."""
    for kind, why in state.habits.partners(signal):
        for incident in state.on(service_of(kind)):
            theirs = any(s.page and kind_of(s) == kind for s in incident.signals)
            if theirs and lag(state, incident, signal) <= WINDOW:
                return incident, why
    return None


def _unnamed(state: CorrelateState, signal: Signal) -> list[Incident]:
    """Return the newest strong incident: customers who name nothing mean what has just broken."""
    open_now = [state.get(id) for id in state.burning]
    strong = [i for i in open_now if i.priority != "P4" and signal.at - i.updated <= VOICE_WINDOW]
    return sorted(strong, key=lambda i: (-onset(i), i.id))[:1]


def back(state: CorrelateState, topology: Topology, signal: Signal) -> Incident | None:
    """Return the incident that resolved by itself a moment ago and had the same series.

    Not for a surge whose newest voices were taken from it: they speak of something else.
    """
    for incident in state.before(signal.service):
        if incident.resolved is None or signal.at - incident.resolved >= REOPEN:
            return None
        if signal.kind == "complaint" and any(s.id == signal.id for s in incident.signals):
            return None
        if not incident.by and any(s.series == signal.series for s in incident.signals):
            return None if _is_new(state, topology, incident, signal) else incident
    return None


def _around(signal: Signal, topology: Topology) -> Mapping[str, int]:
    """Return what is near the signal, by how far; a slow way between two services is as near to either."""
    near = topology.around(signal.service)
    if signal.kind == "alert" or sort_of(signal) != "gap":
        return near
    other = topology.around(ends(signal)[0])
    return {name: min(each[name] for each in (near, other) if name in each) for name in [*near, *other]}


def _touched(state: CorrelateState, near: Mapping[str, int]) -> list[tuple[int, str]]:
    """Return the services near by that open incidents touch, going through the fewer of the two."""
    if len(near) < len(state.open):
        return [(distance, service) for service, distance in near.items() if service in state.open]
    return [(near[service], service) for service in state.open if service in near]


def beside(topology: Topology, incident: Incident, signal: Signal) -> str:
    """Return in words how far the signal's service is from the nearest that could page before it, if near."""
    others = {s.service for s in incident.signals if s.id != signal.id and s.page}
    near = topology.around(signal.service)
    distance, other = min(((near[o], o) for o in others if o in near), default=(0, ""))
    if not distance:
        return ""
    if distance == 1:
        called = other in topology.callers.get(signal.service, ())
        return f"which {other} calls" if called else f"which calls {other}"
    if other in topology.hosts.get(signal.service, ()):
        return f"on the host of {other}"
    return f"two calls from {other}"


def lag(state: CorrelateState, incident: Incident, signal: Signal) -> Seconds:
    """Return how far the signal's onset lies outside the onsets of the incident's signals.

    Only what is strong enough to page stretches them: else noise would keep an incident growing for ever.
    """
    known = state.edges.get(incident.id)
    if known is None or known[0] is not incident.signals:
        heard = loud(incident)
        first = _first(incident, heard)
        last = max([s.since for s in heard if s.page], default=first)
        known = state.edges[incident.id] = incident.signals, first, last
    return max(0.0, known[1] - signal.since, signal.since - known[2])


def onset(incident: Incident) -> Seconds:
    """Return when it began: the first signal not too long before the first that could page."""
    return _first(incident, loud(incident))


def _first(incident: Incident, heard: Sequence[Signal]) -> Seconds:
    first = min([s.since for s in heard])
    early = first - WINDOW
    return min(
        [s.since for s in incident.signals if early <= s.since and s.kind != "complaint"], default=first
    )


def _joins(distance: int, off: Seconds, incident: Incident, signal: Signal) -> bool:
    """Say whether the signal belongs to an incident so many calls and, by its onset, `off` s away."""
    if not signal.service and not any(named(s) == named(signal) for s in incident.signals):
        return False
    if signal.kind == "complaint":
        return distance == 0 or signal.at - onset(incident) <= VOICE_WINDOW
    if off <= WINDOW:
        return True
    return distance == 0 and any(
        s.service == signal.service and (s.kind != "complaint" or signal.since <= s.at + VOICE_WINDOW)
        for s in holding(incident)
    )


def _is_new(state: CorrelateState, topology: Topology, incident: Incident, signal: Signal) -> bool:
    """Say whether a signal began after all that was measured of the incident had ended, and for a reason.

    The reason: it is of another service, or follows a change made nearby since then, which may be its cause.
    """
    heard = [s for s in loud(incident) if s.kind != "complaint"]
    ends = [s.ended for s in heard if s.ended is not None]
    if signal.kind == "complaint" or not ends or len(ends) < len(heard) or signal.since <= max(ends):
        return False
    if all(s.service != signal.service for s in heard):
        return signal.since - max(ends) > GAP
    near = topology.around(signal.service)
    since = [e for e in state.changes.values() if max(ends) < e.time <= signal.since + AHEAD]
    return any(e.labels["service"] in near for e in since)


def hot(incident: Incident, now: Seconds) -> bool:
    """Say whether it is abnormal now: measured so, or customers have said so within the last minutes."""
    return any(s.kind != "complaint" or now - s.at <= VOICE_WINDOW for s in holding(incident))


def holding(incident: Incident) -> list[Signal]:
    """Return the signals that keep the incident open: those on that could page, or any where none ever could.

    What is only evidence may stay on for long, as a new level does, and must not hold an incident for it.
    """
    return [s for s in loud(incident) if s.ended is None]


def loud(incident: Incident) -> Sequence[Signal]:
    """Return the signals that could page, measured ones before complaints; all of them where none could.

    Customers speak on for half an hour after what they speak of is over.
    """
    strong = [s for s in incident.signals if s.page]
    return [s for s in strong if s.kind != "complaint"] or strong or incident.signals
