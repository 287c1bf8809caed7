"""Who is due when: escalation rungs and targets to what the clock says now; no I/O, no state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pipeline.clock import Span
from pipeline.types import Incident, Seconds, State


class Rung(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to tell when nobody has acknowledged so long after the page."""

    after: Span
    receiver: str


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was promised for one priority, counted from the page."""

    acknowledge: Span | None = None
    resolve: Span | None = None


def clock(incident: Incident, since: Seconds | None, told: bool, now: Seconds) -> Seconds | None:
    """Return since when an answer is awaited; None where nobody has to give one.

    It starts with a page, stops at an acknowledgement or the end, and starts afresh with the page after.
    """
    if incident.state is not State.OPEN:
        return None
    return now if since is None and told else since


def due(rungs: Sequence[Rung], since: Seconds | None, climbed: int, now: Seconds) -> Sequence[Rung]:
    """Return the rungs to climb now, lowest first, `climbed` of them being behind us."""
    return [] if since is None else [r for r in rungs[climbed:] if r.after <= now - since]


def upcoming(rungs: Sequence[Rung], since: Seconds | None, climbed: int) -> tuple[Seconds, str] | None:
    """Return when the next rung is due and whom it tells; None where the clock stands or rungs are out."""
    if since is None or climbed >= len(rungs):
        return None
    return since + rungs[climbed].after, rungs[climbed].receiver


def missed(targets: Mapping[str, Target], incident: Incident, now: Seconds) -> Sequence[tuple[str, Span]]:
    """Return the targets that are missed by now, as what and its span."""
    target = targets.get(incident.priority)
    if target is None or incident.paged is None:
        return ()
    found = []
    answered = min(t for t in (incident.acknowledged, incident.resolved, now) if t is not None)
    if target.acknowledge is not None and answered - incident.paged > target.acknowledge:
        found.append(("acknowledge", target.acknowledge))
    over = incident.resolved if incident.resolved is not None else now
    if target.resolve is not None and over - incident.paged > target.resolve:
        found.append(("resolve", target.resolve))
    return found
