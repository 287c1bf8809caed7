"""An incident to the notice that people are told of it, with what matters first and little else."""

from __future__ import annotations

import math
from collections.abc import Iterable

from pipeline.notify import Blamed, Healing, Notice, Seen
from pipeline.respond.runs import Underway, steps
from pipeline.types import Incident, Run, Seconds, Signal, Suspect

# A phone shows about this much before a thumb has to move.
MAX_SEEN = 5
MAX_BLAMED = 3
MAX_CUSTOMERS = 8


def notice(
    incident: Incident,
    reason: str,
    because: str,
    receiver: str,
    healing: tuple[Healing, ...],
    upcoming: tuple[Seconds, str] | None,
    now: Seconds,
) -> Notice:
    seen = sorted(incident.signals, key=_rank)
    return Notice(
        reason=reason,
        because=because,
        at=now,
        receiver=receiver,
        incident=incident.id,
        title=incident.title,
        priority=incident.priority,
        state=incident.state.value,
        opened=incident.opened,
        since=incident.first_signal if incident.first_signal is not None else incident.opened,
        services=incident.services,
        signals=tuple(_seen(s) for s in seen[:MAX_SEEN]),
        more_signals=max(0, len(seen) - MAX_SEEN),
        suspects=tuple(_blamed(s, incident) for s in incident.suspects[:MAX_BLAMED]),
        customers=incident.customers[:MAX_CUSTOMERS],
        more_customers=max(0, len(incident.customers) - MAX_CUSTOMERS),
        complaints=len(incident.complaints),
        first_complaint=incident.first_complaint,
        paged=incident.paged,
        resolved=incident.resolved,
        healing=healing,
        next_at=upcoming[0] if upcoming else None,
        next_receiver=upcoming[1] if upcoming else "",
    )


def healing(underway: Iterable[Underway], ended: Iterable[Run]) -> tuple[Healing, ...]:
    """Return how each playbook stands, those at work first."""
    now_at = [
        Healing(
            u.run.playbook,
            u.run.state,
            u.run.said[-1].what,
            steps(u.playbook, u.fields),
            u.run.started + u.playbook.approval.expires if u.run.state == "wants approval" else None,
        )
        for u in underway
    ]
    return (*now_at, *(Healing(r.playbook, r.state, "; ".join(e.what for e in r.said[-2:])) for r in ended))


def _rank(signal: Signal) -> tuple[bool, bool, float, str]:
    """Order signals: on before ended, paging before evidence, strongest first."""
    return signal.ended is not None, not signal.page, -signal.surprise, signal.id


def _seen(s: Signal) -> Seen:
    return Seen(
        s.kind, s.service, s.series, s.reason, s.since, _number(s.surprise),
        _number(s.observed), _number(s.expected), s.ended,
    )  # fmt: skip


def _number(value: float) -> float | None:
    """JSON knows neither NaN nor infinity."""
    return value if math.isfinite(value) else None


def _blamed(suspect: Suspect, incident: Incident) -> Blamed:
    change = next((c for c in incident.changes if c.id == suspect.change), None)
    if change is None:
        return Blamed(suspect.service, suspect.reason, suspect.change or "")
    return Blamed(
        suspect.service, suspect.reason, change.id, change.labels.get("kind", ""), change.text, change.time
    )
