"""What customers say to the incidents they speak of: at once where one fits, late where none has opened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from pipeline.correlate.picture import crowd, hear
from pipeline.correlate.place import VOICE_WINDOW, onset
from pipeline.correlate.state import WAIT, CorrelateState
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
# Likelihood from which a complaint speaks of an incident, and score from which it names a service.
LIKELY = 0.05
NAMED = 0.5
# So long after it resolved somebody may still write of it. In OB-1, TT-1 and TT-2 all that faults caused came
# within 25 minutes of it; of the ten that came later and fitted by name, none was of it.
LATE: Seconds = 1800.0
# So many complaints of an incident tell what is said of it; so many incidents are asked.
SEEDS, MAX_ASKED = 2, 50
# A complaint of a surge that said something else is asked again once the surge has grown by so much. So many
# answers are remembered, the oldest go first.
GROWN, MAX_ANSWERS = 1.25, 4_000
# A surge of so many customers whom no incident explains is something new.
VOICES = 3
# Of what is over ever fewer write: this part of those who did, in as short a time, is a crowd again.
ANEW = 0.5


def attach(
    state: CorrelateState, complaint: Complaint, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    """Give the complaint to the incident that it most likely speaks of, if there is one already.

    One that names a service speaks of what touches it, or a neighbour of it; one that names none, of
    what those complain of who say the same.
    """
    state.kin.add(complaint.id, complaint.text)
    if complaint.id in state.owner:
        return
    likely: list[tuple[float, Seconds, str]] = []
    for service, score in complaint.services:
        strong = (i for i in state.before(service) if _strong(i))
        just_over = [i for i in strong if now - (i.resolved or now) <= AFTER]
        likely += [_likely(score, i, complaint) for i in (*state.on(service), *just_over)]
        near = [i for name, d in topology.around(service).items() if d == 1 for i in state.on(name)]
        likely += [_likely(score / 2, i, complaint) for i in near if _broken(i, complaint.time)]
    likely = [one for one in likely if one[0] >= LIKELY]
    if not likely and not _named(complaint):
        likely = _alike(state, complaint, now)
    if likely:
        give(state, state.get(max(likely)[2]), [complaint], stale)


def _named(complaint: Complaint) -> str:
    """Return the service that the complaint is rather about than not, "" where none is."""
    return next((service for service, score in complaint.services[:1] if score >= NAMED), "")


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
    touched = {s.service for s in incident.signals if s.service}
    since = onset(incident) - EARLY
    found = [c for c in state.loose.values() if c.time >= since and _named(c) in touched]
    state.give(incident.id, found)


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


def release(state: CorrelateState, surge: Signal) -> None:
    """Take the newest complaints of a surge from an incident that was over when so many wrote: it is new.

    One or two who write late speak of what is over. So do all for a while where it is measured that it is,
    unless they are a crowd again. Else only that nobody wrote for minutes tells a new trouble from the old.
    """
    newest = [c for c in map(state.complaint, surge.ids[-2 * VOICES :]) if c and c.id in state.owner]
    until = {id: _trailed(state, state.get(id)) for id in {state.owner[c.id] for c in newest}}
    late = [c for c in newest if c.time > until[state.owner[c.id]]]
    if len({c.customer or c.id for c in late}) < VOICES:
        return
    for complaint in late:
        id = state.owner.pop(complaint.id)
        state.heard[id] = tuple(c for c in state.heard[id] if c.id != complaint.id)
        state.put(hear(state.get(id), state.heard[id]))
        state.loose[complaint.id] = complaint


def let_go(state: CorrelateState, incident: Incident, now: Seconds) -> None:
    """Free the newest complaints of an incident that is over and was never worth a page: it was not that."""
    freed = [c for c in state.heard.get(incident.id, ()) if now - c.time <= WAIT]
    if _strong(incident) or not freed:
        return
    for complaint in freed:
        del state.owner[complaint.id]
        state.loose[complaint.id] = complaint
    state.heard[incident.id] = tuple(c for c in state.heard[incident.id] if c not in freed)
    state.put(hear(state.get(incident.id), state.heard[incident.id]))


def _trailed(state: CorrelateState, incident: Incident) -> Seconds:
    """Return until when complaints speak of an incident: for ever while it is not over."""
    if incident.resolved is None:
        return math.inf
    soon = incident.resolved + NOTICE
    if not any(s.page and s.kind != "complaint" for s in incident.signals):
        return soon
    heard = state.heard.get(incident.id, ())
    before = crowd(tuple(c for c in heard if c.time <= soon))
    after = crowd(tuple(c for c in heard if c.time > soon))
    anew = before >= SEEDS and after >= ANEW * before
    return soon if anew else incident.resolved + AFTER


def _strong(incident: Incident) -> bool:
    return any(s.page for s in incident.signals)


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

    One that names none must say what the others of the surge say: everyday complaints come in between.
    """
    if incident.resolved is not None and now - incident.resolved > AFTER:
        return
    found = [state.loose[c] for c in surge.ids if c in state.loose]
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
