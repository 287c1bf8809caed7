"""Incidents to actions: who is told, which playbook fits, and its next step as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from pipeline.types import Action, Event, Incident, Run, Seconds, Verdict


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One playbooks/*.yaml file."""

    name: str


class Response(msgspec.Struct, frozen=True):
    """Who is told and what heals: receivers, escalation and playbooks."""

    playbooks: tuple[Playbook, ...] = ()


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
