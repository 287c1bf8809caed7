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


def ticking(incident: Incident) -> bool:
    """Say whether the escalation clock runs: paged, and neither acknowledged nor resolved."""
    return incident.paged is not None and incident.state is State.OPEN


def due(rungs: Sequence[Rung], incident: Incident, climbed: int, now: Seconds) -> Sequence[Rung]:
    """Return the rungs to climb now, lowest first, `climbed` of them being behind us."""
    if not ticking(incident) or incident.paged is None:
        return ()
    waited = now - incident.paged
    return [r for r in rungs[climbed:] if r.after <= waited]


def upcoming(rungs: Sequence[Rung], incident: Incident, climbed: int) -> tuple[Seconds, str] | None:
    """Return when the next rung is due and whom it tells; None where the clock stands or rungs are out."""
    if not ticking(incident) or incident.paged is None or climbed >= len(rungs):
        return None
    return incident.paged + rungs[climbed].after, rungs[climbed].receiver


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
