"""What customers say to the incidents they speak of: at once where one fits, late where none has opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pipeline.correlate.picture import hear
from pipeline.correlate.place import VOICE_WINDOW, around, onset
from pipeline.correlate.state import LINKABLE, CorrelateState
from pipeline.topology import Topology
from pipeline.types import Complaint, Incident, Seconds, Signal, State

# What one in five writes before the alert (iPACK) is taken in when the incident opens.
EARLY: Seconds = 900.0
# So long after it resolved an incident still takes complaints at once; later ones wait for one of their own.
AFTER: Seconds = 600.0
# Seldom does anybody write sooner after the onset: such a complaint speaks of what was before.
NOTICE: Seconds = 60.0
# How fast it grows unlikely that a complaint speaks of an onset so long ago.
FADE: Seconds = 600.0
# A surge of so many customers whom no incident explains is something new.
VOICES = 3


def attach(
    state: CorrelateState, complaint: Complaint, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    """Give the complaint to the incident that it most likely speaks of, if there is one already."""
    if complaint.id in state.owner:
        return
    likely: list[tuple[float, Seconds, str]] = []
    for service, score in complaint.services:
        just_over = [i for i in state.before(service) if now - (i.resolved or now) <= AFTER]
        likely += [_likely(score, i, complaint) for i in (*state.on(service), *just_over)]
        near = [i for d, name in around(topology, service) if d == 1 for i in state.on(name)]
        likely += [_likely(score / 2, i, complaint) for i in near if _broken(i, complaint.time)]
    if likely:
        give(state, state.get(max(likely)[2]), [complaint], stale)


def attach_late(state: CorrelateState, complaint: Complaint) -> None:
    """Give a complaint that no incident of its own came for to the last that customers spoke of so."""
    for service, _ in complaint.services[:1]:
        for incident in state.before(service):
            known = incident.voices > 1 and incident.services[0] == service
            over = incident.resolved if incident.resolved is not None else complaint.time
            if known and onset(incident) <= complaint.time <= over + LINKABLE:
                give(state, incident, [complaint], {})
                return


def _broken(incident: Incident, time: Seconds) -> bool:
    """Say whether something measured broke within minutes: its neighbours may be felt instead."""
    measured = any(s.page and s.kind != "complaint" for s in incident.signals)
    return measured and time - onset(incident) <= VOICE_WINDOW


def _likely(score: float, incident: Incident, complaint: Complaint) -> tuple[float, Seconds, str]:
    """Return how likely the complaint speaks of the incident, then its onset and id to break ties."""
    began = onset(incident)
    lag = complaint.time - began
    soon = 0.2 if lag < NOTICE else 1.0
    return score * soon * math.exp(-abs(lag) / FADE), began, incident.id


def claim(state: CorrelateState, incident: Incident) -> None:
    """Give an incident the complaints that came before it and name what it touches."""
    touched = {s.service for s in incident.signals}
    since = onset(incident) - EARLY
    found = [
        c for c in state.loose.values() if c.time >= since and any(s in touched for s, _ in c.services[:1])
    ]
    state.give(incident.id, found)


def speaking(state: CorrelateState, surge: Signal) -> Signal:
    """Return the surge with the service that its newest complaints name most, where they agree on one.

    Its words drift while it goes on; what is complained of now decides where it belongs.
    """
    named = [c.services[0][0] for c in map(state.complaint, surge.ids[-2 * VOICES :]) if c and c.services]
    if not named:
        return surge
    most = max(named, key=lambda s: (named.count(s), s == surge.service, s))
    return replace(surge, service=most) if 2 * named.count(most) > len(named) else surge


def explained(state: CorrelateState, surge: Signal) -> str | None:
    """Return the incident that most of a surge's newest complaints belong to; None where they are new."""
    newest = surge.ids[-2 * VOICES :]
    owners = [state.owner[c] for c in newest if c in state.owner]
    owners = [id for id in owners if not surge.service or surge.service in state.get(id).services]
    if not owners or sum(c in state.loose for c in newest) >= VOICES:
        return None
    return max(owners, key=lambda id: (owners.count(id), state.get(id).opened, id))


def take_in(
    state: CorrelateState, incident: Incident, surge: Signal, stale: dict[str, None], now: Seconds
) -> None:
    """Give an incident what no other has of its surge, but not complaints that name another service."""
    if incident.resolved is not None and now - incident.resolved > AFTER:
        return
    found = [state.loose[c] for c in surge.ids if c in state.loose]
    mine = [c for c in found if not c.services or surge.service in ("", *(s for s, _ in c.services))]
    give(state, incident, mine, stale)


def give(
    state: CorrelateState, incident: Incident, complaints: Sequence[Complaint], stale: dict[str, None]
) -> None:
    """Attach complaints; an incident that is over is not ranked again."""
    state.give(incident.id, complaints)
    if incident.state is State.RESOLVED:
        state.put(hear(incident, state.heard.get(incident.id, ())))
    else:
        stale[incident.id] = None
