"""Two incidents in, one out, and back: what a bridging signal or a person joins, a person can part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b

from pipeline.correlate.behind import fewest
from pipeline.correlate.picture import say
from pipeline.correlate.state import CorrelateState
from pipeline.types import Complaint, Event, Incident, Seconds, Signal, State

MAX_MERGED = 50  # incidents that one incident has taken in and can give back


def merge(
    state: CorrelateState, a: Incident, b: Incident, why: str, stale: dict[str, None], now: Seconds
) -> Incident:
    """Fold one incident into the other; who was paged first survives."""
    a, b = sorted((a, b), key=lambda i: (i.paged is None, i.paged or 0.0, i.opened, i.id))
    behind = state.behind.pop(b.id, {})
    for signal in (*b.signals, *behind.values()):
        state.home[signal.id] = a.id
    if behind:
        state.behind.setdefault(a.id, {}).update(behind)
    signals = fewest(state, a.id, tuple(sorted((*a.signals, *b.signals), key=_age)))
    both = replace(a, signals=signals, updated=now)
    state.put(say(both, now, f"merged {b.id} into this: {why}"))
    moved = state.heard.pop(b.id, ())
    for complaint in moved:
        state.owner.pop(complaint.id, None)
    state.give(a.id, moved)
    gone = replace(b, state=State.RESOLVED, resolved=now, by=a.id, complaints=(), updated=now)
    state.resolve(say(gone, now, f"merged into {a.id}: {why}"), now)
    taken = state.merged.setdefault(a.id, {})
    taken[b.id] = (*(s.id for s in b.signals), *behind, *(c.id for c in moved))
    if len(taken) > MAX_MERGED:
        del taken[next(iter(taken))]
    stale.pop(b.id, None)
    stale[a.id] = None
    return state.get(a.id)


def over(state: CorrelateState, id: str, now: Seconds) -> None:
    """Say of all that was merged into an incident that it is over as well."""
    for part in state.merged.get(id, {}):
        known = state.incidents.get(part)
        if known is None or known.by != id:
            continue
        signals = tuple(replace(s, ended=now) if s.ended is None else s for s in known.signals)
        gone = replace(known, signals=signals, quiet=now, updated=now)
        state.put(say(gone, now, f"over with {id}"))
        over(state, part, now)


def obey(state: CorrelateState, event: Event, stale: dict[str, None], now: Seconds) -> None:
    """Take a person's word that two incidents are one, or that a part of one is another.

    `merge` names the incident to fold in as `into`. `split` names as `out` an incident that was merged into
    this one, or a service. What was asked in vain is said in the incident's timeline.
    """
    incident, by = state.get(event.labels["incident"]), event.labels.get("by", "")
    if event.labels["do"] == "merge":
        other = event.labels.get("into", "")
        if other == incident.id or other not in state.burning:
            why = "it is this one" if other == incident.id else "no such open incident"
            state.put(say(incident, now, f"not merged into {other}, as {by} asked: {why}"))
            return
        state.habits.rule(incident.signals, state.get(other).signals, True)
        merge(state, incident, state.get(other), f"{by} says that they are one", stale, now)
        return
    out = event.labels.get("out", "")
    ids = set(state.merged.get(incident.id, {}).pop(out, ()))
    mine = [s for s in _all(state, incident) if s.id in ids or s.service == out]
    if not mine or len(mine) == len(_all(state, incident)):
        state.put(say(incident, now, f"{out} not split off, as {by} asked: it is none of it, or all of it"))
        return
    new = _split(state, incident, out, mine, by, now)
    _part_complaints(state, state.get(incident.id), new, ids)
    stale[incident.id] = stale[new.id] = None


def _split(
    state: CorrelateState, incident: Incident, out: str, mine: Sequence[Signal], by: str, now: Seconds
) -> Incident:
    """Take signals out of an incident into one of their own: the one that they came from, or a new one.

    Who split it knows of it, so it is acknowledged, and pages only where it grows worse.
    """
    ids = {s.id for s in mine}
    rest = tuple(s for s in incident.signals if s.id not in ids)
    state.habits.rule(rest, mine, False)
    for signal in mine:
        state.habits.part(signal)
        state.behind.get(incident.id, {}).pop(signal.id, None)
    left = replace(incident, signals=rest, updated=now)
    known = state.incidents.get(out)
    if known is not None and known.by == incident.id:
        new = replace(known, resolved=None, signals=tuple(sorted(mine, key=_age)), updated=now)
        state.over.pop(out, None)
    else:
        id = f"{incident.id}-{blake2b(f'{out} {now}'.encode(), digest_size=2).hexdigest()}"
        first = min(mine, key=_age)
        new = Incident(id, now, now, first.reason, incident.priority, (out,), tuple(sorted(mine, key=_age)))
    new = replace(new, state=State.ACKNOWLEDGED, acknowledged=now, by=by, quiet=None)
    new = replace(new, signals=fewest(state, new.id, new.signals))
    state.put(say(left, now, f"{by} split off {new.id}"))
    state.add(say(new, now, f"split off {incident.id} by {by}"))
    for signal in mine:
        state.home[signal.id] = new.id
    for one, other in ((incident.id, new.id), (new.id, incident.id)):
        state.apart.setdefault(one, {})[other] = None
    return state.get(new.id)


def _part_complaints(state: CorrelateState, left: Incident, new: Incident, ids: set[str]) -> None:
    """Move the complaints that came with the new incident, or name its services and none of the old one's."""
    theirs = {s.service for s in new.signals} - {s.service for s in left.signals}
    moved = [c for c in state.heard.get(left.id, ()) if c.id in ids or _first(c) in theirs]
    kept = tuple(c for c in state.heard.get(left.id, ()) if c not in moved)
    state.heard[left.id] = kept
    for complaint in moved:
        state.owner.pop(complaint.id, None)
    state.give(new.id, moved)


def _first(complaint: Complaint) -> str:
    return complaint.services[0][0] if complaint.services else ""


def _all(state: CorrelateState, incident: Incident) -> list[Signal]:
    return [*incident.signals, *state.behind.get(incident.id, {}).values()]


def _age(signal: Signal) -> tuple[Seconds, str]:
    return signal.since, signal.id
