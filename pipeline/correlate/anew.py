"""Complaints of an incident in, those that speak of something else out of it, free for one of their own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from scipy.special import betainc

from pipeline.correlate import parts
from pipeline.correlate.picture import crowd, hear, say
from pipeline.correlate.place import VOICE_WINDOW
from pipeline.correlate.state import WAIT, CorrelateState
from pipeline.types import Complaint, Incident, Seconds, Signal, State

# A surge of so many customers whom no incident explains is something new.
VOICES = 3
# Seldom does anybody write sooner after the onset: such a complaint speaks of what was before.
NOTICE: Seconds = 60.0
# So long after it resolved an incident still takes complaints at once; later ones wait for one of their own.
AFTER: Seconds = 600.0
# How fast it grows unlikely that a complaint speaks of an onset so long ago.
FADE: Seconds = 600.0
# So many tell what is said of an incident. Of what is over ever fewer write: this part of those who did, in
# as short a time, is a crowd again.
SEEDS, ANEW = 2, 0.5
# For so long ever more may write of one trouble.
GROWS: Seconds = 300.0
# Times tell no less: three who write within a second are as many within a minute.
LEAST: Seconds = 60.0
# A crowd is new where chance brings the like of it, whichever voice begins it, less than once in ten times.
SURE = 1.0
MAX_SAID = 60  # newest complaints of an incident that are looked at


def release(state: CorrelateState, surge: Signal) -> None:
    """Take the newest complaints of a surge from an incident that was over when so many wrote: it is new.

    One or two who write late speak of what is over. So do all for a while where it is measured that it is,
    unless they are a crowd again. Else only that nobody wrote for minutes tells a new trouble from the old.
    """
    newest = [c for c in map(state.complaint, surge.ids[-2 * VOICES :]) if c and c.id in state.owner]
    late: dict[str, list[Complaint]] = {}
    for id in dict.fromkeys(state.owner[c.id] for c in newest):
        until = _trailed(state, state.get(id))
        late[id] = [c for c in newest if state.owner[c.id] == id and c.time > until]
    if len(_customers([c for each in late.values() for c in each])) < VOICES:
        return
    for id, complaints in late.items():
        _free(state, id, complaints)


def part(state: CorrelateState, surge: Signal, now: Seconds) -> dict[str, Seconds]:
    """Take a crowd that wrote again from its incident, which is over; return that, and the onset of the new.

    An incident is let be while something measured of it is on, or where somebody is at work on it.
    """
    newest = [c for c in surge.ids[-2 * VOICES :] if c in state.owner]
    parted = {}
    for id in dict.fromkeys(state.owner[c] for c in newest):
        incident = state.get(id)
        ends = [s.ended for s in measured(incident)]
        ended = [end for end in ends if end is not None]
        if incident.by or id in state.behind or len(ended) < len(ends):
            continue
        fresh = again(state.heard[id], max(ended, default=None))
        if not fresh or not {c.id for c in fresh[-VOICES:]} <= {*newest}:
            continue
        _free(state, id, fresh)
        parted[id] = fresh[0].time - NOTICE
        told = say(state.get(id), now, f"over: {len(fresh)} customers wrote again, of something new")
        if incident.resolved is None:
            quiet = now if incident.quiet is None else incident.quiet
            state.resolve(replace(told, state=State.RESOLVED, resolved=now, quiet=quiet, updated=now), now)
            parts.over(state, id, now)
        else:
            state.put(replace(told, updated=now))
    return parted


def again(said: Sequence[Complaint], over: Seconds | None) -> tuple[Complaint, ...]:
    """Return the newest complaints where ever fewer wrote and then a crowd, else ().

    `said` is in order of time; `over` is when all that was measured of it had ended, None where nothing was.
    Of what is over ever fewer write; of what customers alone tell of, as many as on the average so far may.
    """
    said = said[-MAX_SAID:]
    since = -math.inf if over is None else over + NOTICE
    best, found = SURE, tuple(said[:0])
    for k in range(VOICES, len(said) - VOICES + 1):
        start, newest = said[k].time, tuple(said[k:])
        before = [c for c in said[:k] if start - c.time <= VOICE_WINDOW]
        if start < since or not _lulled([c.time for c in before], start):
            continue
        beyond = _beyond(before, newest, fades=over is not None)
        if len(_customers(newest)) >= VOICES and beyond > best:
            best, found = beyond, newest
    return found


def _lulled(times: list[Seconds], start: Seconds) -> bool:
    """Say whether it was growing no more: most of those who wrote before did so in the first half."""
    if len(times) < VOICES or start - times[0] < GROWS:
        return False
    return 2 * sum(2 * time <= times[0] + start for time in times) > len(times)


def _beyond(before: Sequence[Complaint], newest: Sequence[Complaint], *, fades: bool) -> float:
    """Return the surprise that so many of all wrote last, less what the choice among so many starts makes."""
    start, had, new = newest[0].time, len(_customers(before)), len(_customers(newest))
    past, lasted = start - before[0].time, max(LEAST, newest[-1].time - start)
    if fades:
        left = math.exp(-(past + NOTICE) / FADE)
        past, lasted = 1 - left, left * (1 - math.exp(-lasted / FADE))
    chance = float(betainc(new, had + 1, lasted / (past + lasted)))
    return -math.log10(max(chance, 1e-300)) - math.log10(had + new)


def _customers(said: Sequence[Complaint]) -> set[str]:
    return {c.customer or c.id for c in said}


def let_go(state: CorrelateState, incident: Incident, now: Seconds) -> None:
    """Free the newest complaints of an incident that is over and was never worth a page: it was not that."""
    freed = [c for c in state.heard.get(incident.id, ()) if now - c.time <= WAIT]
    if strong(incident) or not freed:
        return
    _free(state, incident.id, freed)


def _free(state: CorrelateState, id: str, complaints: Sequence[Complaint]) -> None:
    """Take complaints from their incident: they wait for one of their own."""
    gone = {c.id for c in complaints}
    for complaint in complaints:
        del state.owner[complaint.id]
        state.loose[complaint.id] = complaint
    state.heard[id] = tuple(c for c in state.heard[id] if c.id not in gone)
    state.put(hear(state.get(id), state.heard[id]))


def _trailed(state: CorrelateState, incident: Incident) -> Seconds:
    """Return until when complaints speak of an incident: for ever while it is not over."""
    if incident.resolved is None:
        return math.inf
    soon = incident.resolved + NOTICE
    if not measured(incident):
        return soon
    heard = state.heard.get(incident.id, ())
    before = crowd(tuple(c for c in heard if c.time <= soon))
    after = crowd(tuple(c for c in heard if c.time > soon))
    anew = before >= SEEDS and after >= ANEW * before
    return soon if anew else incident.resolved + AFTER


def strong(incident: Incident) -> bool:
    """Say whether anything of it could page."""
    return any(s.page for s in incident.signals)


def measured(incident: Incident) -> list[Signal]:
    """Return what was measured of it and could page."""
    return [s for s in incident.signals if s.page and s.kind != "complaint"]
