"""When nobody wants to hear of what: maintenance, once or again and again, and mute intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

import msgspec

from pipeline.intervals import TimeInterval, holding, unknown
from pipeline.match import Index, matchers
from pipeline.silence import Parts, views
from pipeline.types import Event, Incident, Labels, Seconds

Time = Annotated[datetime, msgspec.Meta(tz=True)]

MAX_OPENED = 1_000  # windows that changes have opened
OPENED: Seconds = 3600.0  # where the change does not say until when
DECLARES = "maintenance"  # a change of this kind, or with this label, opens a window


class Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A planned window: incidents stay silent while each service that still burns is in one."""

    services: tuple[str, ...]
    starts: Time | None = None
    ends: Time | None = None
    during: tuple[str, ...] = ()  # names of time intervals, while any of which it recurs
    why: str = ""

    def __post_init__(self) -> None:
        if not self.during and (self.starts is None or self.ends is None):
            raise ValueError("expected starts and ends, or during: the names of time_intervals")
        if self.starts and self.ends and self.starts >= self.ends:
            raise ValueError("ends: expected a time after starts")


class Mute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Incidents that the matchers cover are told at some times only, as a route of Alertmanager says it."""

    matchers: tuple[str, ...] = ()  # () = all
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        if not self.mute_time_intervals and not self.active_time_intervals:
            raise ValueError("expected mute_time_intervals or active_time_intervals")
        for text in self.matchers:
            matchers(text)


@dataclass(frozen=True, slots=True)
class Opened:
    """A window that a change has opened."""

    service: str
    starts: Seconds
    until: Seconds
    why: str


@dataclass(slots=True)
class Openings:
    """The windows that changes have opened, by the change; at most MAX_OPENED, the oldest go first."""

    held: dict[str, Opened] = field(default_factory=dict)

    def hear(self, change: Event, longest: Seconds) -> None:
        """Open a window where the change declares one; the same change again moves its end."""
        labels = change.labels
        if not labels.get("service") or (labels.get("kind") != DECLARES and not _true(labels)):
            return
        until = change.until if change.until is not None else change.time + OPENED
        until = min(until, change.time + longest)
        self.held.pop(change.id, None)
        self.held[change.id] = Opened(labels["service"], change.time, until, change.text)
        if len(self.held) > MAX_OPENED:
            del self.held[next(iter(self.held))]

    def services(self, now: Seconds) -> Mapping[str, str]:
        """Return which services are under a window now, and why; what is over is forgotten."""
        for id in [id for id, window in self.held.items() if window.until <= now]:
            del self.held[id]
        return {w.service: w.why or "opened by a change" for w in self.held.values() if w.starts <= now}


class Calendar:
    """The windows and mutes of a policy, found by service and by label."""

    def __init__(
        self, windows: Sequence[Maintenance], mutes: Sequence[Mute], intervals: Sequence[TimeInterval]
    ) -> None:
        self.windows: dict[str, list[Maintenance]] = {}
        for window in windows:
            for service in window.services:
                self.windows.setdefault(service, []).append(window)
        self.mutes, self.intervals = tuple(mutes), tuple(intervals)
        self._index = Index([[m for text in mute.matchers for m in matchers(text)] for mute in mutes])

    def maintained(self, incident: Incident, opened: Mapping[str, str], now: Seconds) -> str:
        """Return why all services of what is on are under maintenance now; "" where one is not."""
        if not self.windows and not opened:
            return ""
        on = [s for s in incident.signals if s.ended is None] or incident.signals
        touched = dict.fromkeys(s.service for s in on if s.service)
        reasons = []
        for service in touched:
            why = opened.get(service) or next(
                (_why(w) for w in self.windows.get(service, ()) if self._on(w, now)), ""
            )
            if not why:
                return ""
            reasons.append(why)
        return ", ".join(dict.fromkeys(reasons))

    def muted(self, incident: Incident, parts: Parts, now: Seconds) -> str:
        """Return which mute keeps each signal of the incident silent now; "" where none does."""
        if not self.mutes:
            return ""
        on: dict[int, str] = {}
        reasons: dict[str, None] = {}
        for view in views(incident, parts)[0]:
            rules = self._index.find(view)
            on.update((k, self._mute(self.mutes[k], now)) for k in rules if k not in on)
            if not (why := next((on[k] for k in rules if on[k]), "")):
                return ""
            reasons[why] = None
        return ", ".join(reasons)

    def _on(self, window: Maintenance, now: Seconds) -> bool:
        if window.starts is not None and now < window.starts.timestamp():
            return False
        if window.ends is not None and now >= window.ends.timestamp():
            return False
        return not window.during or bool(holding(self.intervals, window.during, now))

    def _mute(self, mute: Mute, now: Seconds) -> str:
        if name := holding(self.intervals, mute.mute_time_intervals, now):
            return f"{mute.why or 'muted'} ({name})"
        active = mute.active_time_intervals
        if active and not holding(self.intervals, active, now):
            return f"{mute.why or 'muted'} (outside {' and '.join(active)})"
        return ""


def wrong(windows: Sequence[Maintenance], mutes: Sequence[Mute], intervals: Sequence[TimeInterval]) -> str:
    """Return what is wrong with the names of time intervals, "" where nothing is."""
    named = [i.name for i in intervals]
    if twice := next((n for k, n in enumerate(named) if n in named[:k]), ""):
        return f'time_intervals: two are named "{twice}"'
    for k, window in enumerate(windows):
        if said := unknown(intervals, window.during):
            return f"maintenance[{k}].during: {said}"
    for k, mute in enumerate(mutes):
        for key in ("mute_time_intervals", "active_time_intervals"):
            if said := unknown(intervals, getattr(mute, key)):
                return f"mutes[{k}].{key}: {said}"
    return ""


def _why(window: Maintenance) -> str:
    return window.why or "planned"


def _true(labels: Labels) -> bool:
    return labels.get(DECLARES, "").lower() not in ("", "false", "no", "0")
