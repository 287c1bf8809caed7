"""What customers say to the incidents they speak of: at once where one fits, late where none has opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.correlate.anew import AFTER, FADE, NOTICE, SEEDS, VOICES, measured, strong
from pipeline.correlate.picture import hear
from pipeline.correlate.place import VOICE_WINDOW, onset
from pipeline.correlate.state import CorrelateState
from pipeline.topology import Topology
from pipeline.types import Complaint, Incident, Seconds, Signal, State

# What one in five writes before the alert (iPACK) is taken in when the incident opens.
EARLY: Seconds = 900.0
# Of what is measured to have begun nobody speaks before it did; onsets are estimates, and clocks differ.
SLACK: Seconds = 120.0
# Likelihood from which a complaint speaks of an incident, and score from which it names a service.
LIKELY = 0.05
NAMED = 0.5
# So long after it resolved somebody may still write of it. In OB-1, TT-1 and TT-2 all that faults caused came
# within 25 minutes of it; of the ten that came later and fitted by name, none was of it.
LATE: Seconds = 1800.0
MAX_ASKED = 50  # newest incidents with SEEDS of complaints, what is said of which is held against a new one
# A complaint of a surge that said something else is asked again once the surge has grown by so much. So many
# answers are remembered, the oldest go first.
GROWN, MAX_ANSWERS = 1.25, 4_000


def attach(
    state: CorrelateState, complaint: Complaint, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    """Give the complaint to the incident that it most likely speaks of, if there is one already.

    One that names a service speaks of what touches it, or a neighbour of it; one that hardly names it does
    only where it says what others do who spoke of that. One that names none speaks of what those complain of
    who say the same.
    """
    state.kin.add(complaint.id, complaint.text)
    if complaint.id in state.owner:
        return
    likely: list[tuple[float, Seconds, str]] = []
    for service, score in complaint.services:
        just_over = _just_over(state, service, now)
        likely += [_likely(score, i, complaint) for i in (*state.on(service), *just_over)]
        near = [i for name, d in topology.around(service).items() if d == 1 for i in state.on(name)]
        likely += [_likely(score / 2, i, complaint) for i in near if _broken(i, complaint.time)]
    likely = [one for one in likely if one[0] >= LIKELY]
    if not _named(complaint):
        likely = _echoed(state, complaint, likely) or _alike(state, complaint, now)
    if likely:
        give(state, state.get(max(likely)[2]), [complaint], stale)


def _just_over(state: CorrelateState, service: str, now: Seconds) -> list[Incident]:
    """Return the incidents of a service that resolved a moment ago, unless customers tell of a newer one.

    Where nothing is measured the onset may lie long before the crowd: it does not say which is likelier.
    """
    newest = max((i.opened for i in state.on(service) if strong(i) and not measured(i)), default=-math.inf)
    over = ((i, now if i.resolved is None else i.resolved) for i in state.before(service))
    return [i for i, when in over if when > newest and now - when <= AFTER and strong(i)]


def _named(complaint: Complaint) -> str:
    """Return the service that the complaint is rather about than not, "" where none is."""
    return next((service for service, score in complaint.services[:1] if score >= NAMED), "")


def _echoed(
    state: CorrelateState, complaint: Complaint, likely: list[tuple[float, Seconds, str]]
) -> list[tuple[float, Seconds, str]]:
    """Return those of the incidents whose complaints it echoes, beyond the usual, or whose first it is."""
    said = {id: [c.id for c in state.heard.get(id, ())] for _, _, id in likely}
    near = state.kin.near(complaint.id) if said else np.zeros(0)
    close = {
        id: state.kin.closeness(near, [ids], [complaint.id])[0] if ids else 1.0 for id, ids in said.items()
    }
    return [one for one in likely if close[one[2]] >= LIKELY]


def _alike(state: CorrelateState, complaint: Complaint, now: Seconds) -> list[tuple[float, Seconds, str]]:
    """Return the incidents whose complaints say what this one says, and how far beyond the usual."""
    recent = [id for id, over in reversed(state.over.items()) if now - over <= AFTER]
    known = [id for id in (*state.burning, *recent) if len(state.heard.get(id, ())) >= SEEDS][-MAX_ASKED:]
    if not known:
        return []
    said = [[c.id for c in state.heard[id]] for id in known]
    close = state.kin.closeness(state.kin.near(complaint.id), said, [complaint.id])
    return [
        (float(score), onset(state.get(id)), id)
        for score, id in zip(close, known, strict=True)
        if score >= LIKELY
    ]


def attach_late(state: CorrelateState, complaint: Complaint) -> None:
    """Give a complaint that no incident of its own came for to the last that customers spoke of so."""
    service = _named(complaint)
    if service:
        for incident in state.before(service):
            known = incident.voices > 1 and incident.services[0] == service
            over = incident.resolved if incident.resolved is not None else complaint.time
            if known and onset(incident) <= complaint.time <= over + LATE:
                give(state, incident, [complaint], {})
                return


def _broken(incident: Incident, time: Seconds) -> bool:
    """Say whether something measured broke within minutes: its neighbours may be felt instead."""
    return bool(measured(incident)) and time - onset(incident) <= VOICE_WINDOW


def _likely(score: float, incident: Incident, complaint: Complaint) -> tuple[float, Seconds, str]:
    """Return how likely the complaint speaks of the incident, then its onset and id to break ties."""
    began = onset(incident)
    lag = complaint.time - began
    soon = 0.2 if lag < NOTICE else 1.0
    return score * soon * math.exp(-abs(lag) / FADE), began, incident.id


def claim(state: CorrelateState, incident: Incident) -> None:
    """Give an incident the complaints that came before it and name what it touches."""
    touched = {s.service for s in incident.signals if s.service}
    since = _earliest(incident)
    found = [c for c in state.loose.values() if c.time >= since and _named(c) in touched]
    state.give(incident.id, found)


def _earliest(incident: Incident) -> Seconds:
    """Return from when complaints may speak of an incident."""
    return onset(incident) - SLACK if measured(incident) else incident.opened - EARLY


def speaking(state: CorrelateState, surge: Signal) -> Signal:
    """Return the surge with the service that its newest complaints name most, where they agree on one.

    Its words drift while it goes on; what is complained of now decides where it belongs.
    """
    newest = map(state.complaint, surge.ids[-2 * VOICES :])
    named = [service for c in newest if c and (service := _named(c))]
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
    """Give an incident what no other has of its surge, but not complaints that name another service.

    One that names none must say what the others of the surge say: everyday complaints come in between. What
    was said long before it opened was of something else: a surge gathers for hours.
    """
    if incident.resolved is not None and now - incident.resolved > AFTER:
        return
    since = _earliest(incident)
    found = [c for id in surge.ids if (c := state.loose.get(id)) and c.time >= since]
    mine = [c for c in found if (c.services and surge.service in _names(c)) or _says(state, c, surge)]
    give(state, incident, mine, stale)


def _names(complaint: Complaint) -> tuple[str, ...]:
    return tuple(service for service, _ in complaint.services)


def _says(state: CorrelateState, complaint: Complaint, surge: Signal) -> bool:
    """Say whether a complaint that names no service says what the others say, beyond the usual."""
    asked = surge.id, complaint.id
    if _named(complaint) or len(surge.ids) < GROWN * state.asked.get(asked, 0):
        return False
    state.asked[asked] = len(surge.ids)
    if len(state.asked) > MAX_ANSWERS:
        del state.asked[next(iter(state.asked))]
    others = [id for id in surge.ids if id != complaint.id]
    return bool(state.kin.closeness(state.kin.near(complaint.id), [others], [complaint.id])[0] > 0)


def give(
    state: CorrelateState, incident: Incident, complaints: Sequence[Complaint], stale: dict[str, None]
) -> None:
    """Attach complaints; an incident that is over is not ranked again."""
    state.give(incident.id, complaints)
    if incident.state is State.RESOLVED:
        state.put(hear(incident, state.heard.get(incident.id, ())))
    else:
        stale[incident.id] = None
