"""Signals to incidents: same service, or a neighbour of it, close in time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Incident, Seconds, Signal


@dataclass(slots=True)
class CorrelateState:
    """The incidents that are not over, and what may still join them."""

    incidents: dict[str, Incident] = field(default_factory=dict)

    def keep(self, incidents: Sequence[Incident]) -> tuple[Incident, ...]:
        """Take the incidents back after the later stages; return those that changed, with a new rev."""
        return ()


def correlate(
    state: CorrelateState,
    signals: Sequence[Signal],
    complaints: Sequence[Complaint],
    events: Iterable[Event],
    topology: Topology,
    now: Seconds,
) -> tuple[Incident, ...]:
    return ()
