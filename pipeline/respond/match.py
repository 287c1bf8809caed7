"""An incident and a playbook's `when` to the fields its steps are filled with, or to nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.respond.playbook import Playbook, When
from pipeline.types import Incident, Signal, State


def fit(book: Playbook, incident: Incident) -> Mapping[str, str] | None:
    """Return the playbook's fields for this incident; None where it does not fit.

    What is quiet needs no healing: at least one signal must be on.
    """
    service, change = _blamed(incident)
    when = book.when
    if incident.state is State.RESOLVED or not service or (when.paged and incident.paged is None):
        return None
    if when.suspect and (when.suspect == "change") != bool(change):
        return None
    if when.change and _kind_of(incident, change) not in when.change:
        return None
    if when.service and not re.fullmatch(when.service, service):
        return None
    if when.priority and incident.priority not in when.priority:
        return None
    if not any(_wanted(when, s, service) for s in incident.signals):
        return None
    return {
        "service": service,
        "change": change,
        "incident": incident.id,
        "priority": incident.priority,
        "playbook": book.name,
        "title": incident.title,
    }


def _blamed(incident: Incident) -> tuple[str, str]:
    """Return service and change of the first suspect; of the first service where nothing is suspected yet."""
    if incident.suspects:
        return incident.suspects[0].service, incident.suspects[0].change or ""
    return (incident.services[0] if incident.services else ""), ""


def _kind_of(incident: Incident, change: str) -> str:
    return next((c.labels.get("kind", "") for c in incident.changes if c.id == change), "")


def _wanted(when: When, signal: Signal, service: str) -> bool:
    """Say whether the signal is what the playbook is for: on, and of the service that would be touched."""
    if signal.ended is not None or (when.signal and signal.kind not in when.signal):
        return False
    if (when.signal or when.series) and signal.service != service:
        return False
    return not when.series or re.search(when.series, signal.series) is not None
