"""pipeline/correlate as one would write it down: every incident is asked about every signal, no index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b

from pipeline.topology import Topology
from pipeline.types import Seconds, Signal

WINDOW, REOPEN, QUIET, GAP, AHEAD = 240.0, 60.0, 180.0, 30.0, 120.0


@dataclass
class Group:
    """Signals that belong together."""

    id: str
    opened: Seconds
    services: set[str]  # when it was last looked at
    signals: dict[str, Signal] = field(default_factory=dict)
    resolved: Seconds | None = None
    into: str = ""  # merged into that one

    @property
    def loud(self) -> list[Signal]:
        return [s for s in self.signals.values() if s.page] or list(self.signals.values())

    def lag(self, signal: Signal) -> Seconds:
        loud = self.loud
        first = min(s.since for s in loud)
        onset = min(s.since for s in self.signals.values() if s.since >= first - WINDOW)
        last = max((s.since for s in loud if s.page), default=onset)
        return max(0.0, onset - signal.since, signal.since - last)

    def parts(self, signal: Signal, changed: Iterable[Seconds]) -> bool:
        """Say whether all was over when the signal began, elsewhere or after one of the changes nearby."""
        ends = [s.ended for s in self.loud]
        if any(end is None or end >= signal.since for end in ends):
            return False
        last = max(end for end in ends if end is not None)
        if all(s.service != signal.service for s in self.loud):
            return signal.since > last + GAP
        return any(last < at <= signal.since + AHEAD for at in changed)

    def takes(self, distance: int, signal: Signal) -> bool:
        on = [s for s in self.loud if s.ended is None]
        return self.lag(signal) <= WINDOW or (distance == 0 and any(s.service == signal.service for s in on))


class Naive:
    """Metric signals with a service to groups, for a catalogue."""

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.groups: dict[str, Group] = {}
        self.over: list[str] = []  # ids in the order they resolved
        self.changes: list[tuple[Seconds, str]] = []

    def step(self, now: Seconds, signals: Iterable[Signal], changed: Iterable[str] = ()) -> None:
        self.changes += [(now, service) for service in changed]
        for signal in sorted(signals, key=lambda s: (s.since, not s.page, s.service, s.id)):
            self._take(signal, now)
        for group in self.groups.values():
            if group.resolved is None:
                group.services = {s.service for s in group.signals.values()}
                ends = [s.ended for s in group.loud]
                if all(e is not None for e in ends) and now - max(e for e in ends if e is not None) >= QUIET:
                    self._resolve(group, now)

    @property
    def parted(self) -> dict[str, tuple[frozenset[str], Seconds | None]]:
        """Return the ids of each group's signals, and when it resolved; merged ones are left out."""
        return {g.id: (frozenset(g.signals), g.resolved) for g in self.groups.values() if not g.into}

    def _take(self, signal: Signal, now: Seconds) -> None:
        home = next((g for g in self.groups.values() if signal.id in g.signals and not g.into), None)
        if home is None and signal.ended is not None:
            return
        outgrown = (
            home is not None
            and home.resolved is not None
            and signal.ended is None
            and signal.page
            and not home.signals[signal.id].page
        )
        if home is None or outgrown:
            home = self._place(signal, now)
        home.signals[signal.id] = signal

    def _place(self, signal: Signal, now: Seconds) -> Group:
        fits = []
        changed = [at for at, service in self.changes if self._distance(signal.service, service) is not None]
        for group in self.groups.values():
            near = [d for s in group.services if (d := self._distance(signal.service, s)) is not None]
            if group.resolved is not None or not near or group.parts(signal, changed):
                continue
            if group.takes(min(near), signal):
                fits.append((min(near), group.lag(signal), group.opened, group.id))
        if fits:
            ordered = [self.groups[id] for _, _, _, id in sorted(fits)]
            first = ordered[0]
            for other in ordered[1:] if signal.page else []:
                oldest = min(other.signals.values(), key=lambda s: (s.since, s.id))
                if first.lag(oldest) <= WINDOW:
                    first = self._merge(first, other, now)
            return first
        for id in reversed(self.over):
            group = self.groups[id]
            if group.resolved is None or signal.service not in group.services:
                continue
            if signal.at - group.resolved >= REOPEN:
                break
            if not group.into and any(s.series == signal.series for s in group.signals.values()):
                if group.parts(signal, changed):
                    break
                group.resolved = None
                self.over.remove(id)
                return group
        digest = blake2b(f"{signal.id} {now}".encode(), digest_size=4).hexdigest()
        new = Group(f"{signal.service}-{digest}", now, {signal.service})
        self.groups[new.id] = new
        return new

    def _merge(self, a: Group, b: Group, now: Seconds) -> Group:
        a, b = sorted((a, b), key=lambda g: (g.opened, g.id))
        a.signals |= b.signals
        b.into = a.id
        self._resolve(b, now)
        return a

    def _resolve(self, group: Group, now: Seconds) -> None:
        group.resolved = now
        self.over.append(group.id)

    def _distance(self, a: str, b: str) -> int | None:
        """Return how many calls lie between, all in one direction; one host counts as two calls."""
        calls = {name: set(s.depends_on) for name, s in self.topology.services.items()}
        if a == b:
            return 0
        if b in calls[a] or a in calls[b]:
            return 1
        through = any((m in calls[a] and b in calls[m]) or (m in calls[b] and a in calls[m]) for m in calls)
        hosts = self.topology.services[a].host, self.topology.services[b].host
        return 2 if through or (hosts[0] and hosts[0] == hosts[1]) else None
