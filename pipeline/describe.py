"""An incident as plain JSON: a line of `replay`'s incidents.jsonl and what the API answers."""

from __future__ import annotations

from typing import Any

from pipeline.types import Incident


def describe(incident: Incident) -> dict[str, Any]:
    """Return an incident as incidents.jsonl holds it."""
    return {
        "id": incident.id,
        "opened_at": incident.opened,
        "paged_at": incident.paged,
        "resolved_at": incident.resolved,
        "priority": incident.priority,
        "title": incident.title,
        "services": incident.services,
        "suspects": [
            {"service": s.service, "change": s.change, "score": round(s.score, 3), "reason": s.reason}
            for s in incident.suspects
        ],
        "customers": incident.customers,
        "complaints": incident.complaints,
        "first_signal_at": incident.first_signal,
        "first_complaint_at": incident.first_complaint,
        "lead_s": incident.lead,
        "signals": [s.id for s in incident.signals],
        "timeline": [{"at": e.at, "what": e.what, "suspects": e.suspects} for e in incident.timeline],
    }
