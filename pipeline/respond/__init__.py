"""Incidents to actions: who is told, which playbook fits, and its next step as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.respond.playbook import Playbook as Playbook
from pipeline.respond.playbook import Receiver as Receiver
from pipeline.respond.playbook import Response as Response
from pipeline.types import Action, Event, Incident, Run, Seconds, Verdict


@dataclass(slots=True)
class RespondState:
    """Playbook runs and escalations under way."""


def respond(
    state: RespondState,
    incidents: Sequence[Incident],
    verdicts: Mapping[str, Verdict],
    events: Iterable[Event],
    response: Response,
    now: Seconds,
) -> tuple[tuple[Incident, ...], tuple[Action, ...], tuple[Run, ...]]:
    return tuple(incidents), (), ()
