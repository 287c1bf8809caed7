"""When a page is due, as an operator sets it, and whether evidence is enough for one."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline.clock import Span
from pipeline.intervals import TimeInterval
from pipeline.types import Incident, Signal
from pipeline.windows import Maintenance, Mute, wrong


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, cache_hash=True):
    """When a page is due, and when an incident is over."""

    resolve_after: Span = Span(180)  # an incident is over when nothing has been abnormal for so long
    repeat_interval: Span = Span(4 * 3600)
    group_wait: Span = Span(0)  # evidence is gathered for so long before the first page
    group_interval: Span = Span(300)  # between two calls of a webhook that list what joined an incident
    combine: int = 2  # kinds of evidence, each too weak alone, that page together
    combine_surprise: float = 6.0  # what each of them must reach at least
    voices: int = 3  # customers who complain that count as one kind of evidence
    flap_opens: int = 6  # so many incidents of one service within flap_window: it flaps
    flap_calm: int = 2  # it flaps until no more than so many are left in the window
    flap_window: Span = Span(3600)
    silence_longest: Span = Span(30 * 86400)  # a silence that asks for more ends then
    maintenance: tuple[Maintenance, ...] = ()
    mutes: tuple[Mute, ...] = ()
    time_intervals: tuple[TimeInterval, ...] = ()  # what maintenance and mutes name

    def __post_init__(self) -> None:
        if said := wrong(self.maintenance, self.mutes, self.time_intervals):
            raise ValueError(said)


def strong(policy: Policy, incident: Incident, on: Sequence[Signal]) -> str:
    """Return why these signals, which are on now, are enough to page; "" where they are not."""
    if alone := [s for s in on if s.page]:
        return max(alone, key=lambda s: (s.surprise, s.id)).reason
    kinds = sorted({s.kind for s in on if s.surprise >= policy.combine_surprise})
    if incident.voices >= policy.voices and any(s.kind == "complaint" and s.service for s in on):
        return f"{incident.voices} customers complain of it within minutes"
    if on and incident.voices >= policy.voices and "complaint" not in kinds:
        kinds.append("complaint")
    if len(kinds) >= policy.combine:
        return f"{' and '.join(kinds)} say so together"
    return ""
