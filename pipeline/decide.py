"""Whether to act on an incident now, and why: silence, inhibit, repeat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from pipeline.types import Event, Incident, Seconds, Verdict


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a page is due."""


@dataclass(slots=True)
class DecideState:
    """When each incident was last told, and the silences."""


def decide(
    state: DecideState,
    incidents: Sequence[Incident],
    events: Iterable[Event],
    policy: Policy,
    now: Seconds,
) -> tuple[tuple[Incident, ...], Mapping[str, Verdict]]:
    return tuple(incidents), {}
