"""Complaints to topics and services, and to signals where many customers say the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Seconds, Signal


@dataclass(slots=True)
class ComplaintState:
    """What customers have been saying."""


def hear(
    state: ComplaintState, events: Iterable[Event], topology: Topology, now: Seconds
) -> tuple[tuple[Signal, ...], tuple[Complaint, ...]]:
    return (), ()
