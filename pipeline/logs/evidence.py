"""Lines and changes to what a log signal shows: a few masked samples, and the change nearest before it."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.logs.shape import MAX_BYTES, mask
from pipeline.redact import redact
from pipeline.types import Event, Seconds, Signal
from pipeline.units import span

SAMPLES = 3  # lines of a signal
SAMPLE = 200  # characters of each
MAX_CHANGES = 200  # the newest; about 60 kB
LONG = 60  # characters of the id of a change
OWN = 3600.0  # s before a signal in which a change of its own service is named
ANY = 600.0  # of any other; correlation weighs them all, this is a hint for the reader


class Change(NamedTuple):
    time: Seconds
    service: str
    id: str


@dataclass(slots=True)
class Changes:
    """The newest changes, oldest first. Owned by LogState; bounded by MAX_CHANGES."""

    newest: list[Change] = field(default_factory=list)

    def hear(self, events: Iterable[Event]) -> None:
        """Remember the changes among the events; one that is told again counts once."""
        for event in events:
            if event.kind != "change":
                continue
            change = Change(event.time, event.labels.get("service", ""), event.id[:LONG])
            if change not in self.newest:
                insort(self.newest, change)
                del self.newest[:-MAX_CHANGES]

    def before(self, service: str, since: Seconds, grain: Seconds) -> Change | None:
        """Return the last change of the service before `since`, else of any; None where none is near.

        `since` is the begin of a slot of `grain` seconds, so a change within it may still be before.
        """
        near = [c for c in self.newest if since - OWN <= c.time < since + grain]
        own = [c for c in near if c.service == service]
        others = [c for c in near if c.time >= since - ANY]
        return own[-1] if own else others[-1] if others else None


def shown(line: str) -> str:
    """Return a line as people may see it: personal data and variables masked, at most SAMPLE characters.

    >>> shown("mail to ann@example.com bounced after 17 tries")
    'mail to <email> bounced after <*> tries'
    """
    return mask(redact(line[:MAX_BYTES]))[:SAMPLE]


def samples_of(lines: Iterable[str], known: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the known samples and those of the lines that read otherwise, SAMPLES at most.

    >>> samples_of(["disk 1 is full", "disk 2 is full", "disk is gone"])
    ('disk <*> is full', 'disk is gone')
    """
    found = dict.fromkeys(known)
    for line in lines:
        if len(found) >= SAMPLES:
            break
        found[shown(line)] = None
    return tuple(found)


def evidence_of(changes: Changes, signal: Signal, grain: Seconds) -> Signal:
    """Return the signal with the change nearest before it in its reason."""
    change = changes.before(signal.service, signal.since, grain)
    if change is None:
        return signal
    of = f" of {change.service}" if change.service else ""
    gap = max(0.0, signal.since - change.time)
    when = f"came {span(gap)} before" if gap else "came as it began"
    return replace(signal, reason=f"{signal.reason}; change {change.id}{of} {when}")
