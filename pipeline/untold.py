"""Alerts that begin and end in, those that nobody has heard of out, and one call's worth of them as text."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

import cramjam
import msgspec

from pipeline.types import Seconds

MAX_ENDED = 50_000  # alerts that ended and whose end is still to be told, about 600 B each

# Among an alert's annotations: the generatorURL that came with it.
SOURCE = "__generatorURL"

_NEW, _TOLD = 1, 2


# Between two label sets, or two objects of JSON: it occurs in neither, for both are UTF-8.
_NEXT = b"\xfe"


class Listed(NamedTuple):
    """An alert as a webhook lists it."""

    labels: bytes  # canonical, see series.pack
    notes: bytes  # a JSON object of strings
    since: Seconds
    ended: Seconds | None = None


class Sheet(NamedTuple):
    """Alerts as a webhook lists them, in columns; those at the end of the list are over."""

    labels: list[bytes]
    notes: list[bytes]
    since: list[Seconds]
    ended: list[Seconds]  # of the last so many


@dataclass(slots=True)
class Untold:
    """Rows of alerts by the signal that counts them, and whose end is news. Owned by AlertState.

    A signal's list is at most twice as long as its alerts are many, and 1,024.
    """

    began: dict[str, list[int]] = field(default_factory=dict)  # signal -> rows, some of them over since
    ended: dict[str, list[Listed]] = field(default_factory=dict)  # signal -> told before, and over since
    said: bytearray = field(default_factory=bytearray)  # by row: 0 = none, or nobody is to hear of it
    owners: dict[str, str] = field(default_factory=dict)  # signal -> incident that told of its alerts
    count: int = 0  # alerts that began and nobody has heard of
    held: int = 0  # of `ended`
    dropped: Counter[str] = field(default_factory=Counter)
    fresh: dict[str, int] = field(default_factory=dict)  # signal -> of `began`, those not over

    def begin(self, signal: str, row: int) -> None:
        """Take in an alert that has begun to fire."""
        if row >= len(self.said):
            self.said.extend(bytes(row + 1024 - len(self.said)))
        self.said[row] = _NEW
        self.count += 1
        rows = self.began.get(signal)
        if rows is None:
            self.began[signal], self.fresh[signal] = [row], 1
            return
        self.fresh[signal] = self.waiting(signal) + 1
        rows.append(row)
        if len(rows) >= 1024 and not len(rows) & (len(rows) - 1) and len(rows) > self.fresh[signal]:
            rows[:] = [r for r in dict.fromkeys(rows) if self.said[r] == _NEW]

    def end(self, signal: str, row: int, alert: Listed) -> None:
        """Take in that it is over: news for those who heard that it fired, and for nobody else."""
        known = self.said[row]
        if known == _NEW:
            left = self.waiting(signal) - 1
            self.count -= 1
            if left:
                self.fresh[signal] = left
            else:
                del self.began[signal], self.fresh[signal]
        self.said[row] = 0
        if known != _TOLD:
            return
        if self.held >= MAX_ENDED:
            self.dropped["ends of alerts to be told"] += 1
            return
        self.held += 1
        self.ended.setdefault(signal, []).append(alert)

    def waiting(self, signal: str) -> int:
        """Return how many of the signal's alerts nobody has heard of."""
        known = self.fresh.get(signal)
        if known is None:
            rows = self.began.get(signal)
            if rows is None:
                return 0
            # A version that did not count them has written the snapshot.
            known = self.fresh[signal] = sum(self.said[r] == _NEW for r in dict.fromkeys(rows))
        return known

    def stale(self, signal: str) -> bool:
        """Say whether alerts of this signal were over before anybody heard of them."""
        return len(self.began[signal]) != self.waiting(signal)

    def new(self, signal: str) -> list[int]:
        """Return the rows that nobody has heard of; where some are stale, some may be another's."""
        return [r for r in dict.fromkeys(self.began[signal]) if self.said[r] == _NEW]

    def tell(self, signal: str, incident: str, most: int) -> list[int]:
        """Hand out rows that are told of as part of the incident, the earliest first; none may be stale."""
        rows = self.began[signal]
        told = rows[:most]
        del rows[:most]
        for row in told:
            self.said[row] = _TOLD
        self.count -= len(told)
        self.owners[signal] = incident
        self.fresh[signal] = len(rows)
        if not rows:
            del self.began[signal], self.fresh[signal]
        return told

    def over(self, signal: str, most: int) -> list[Listed]:
        """Hand out ends that nobody has heard of, the earliest first."""
        held = self.ended.pop(signal, [])
        if held[most:]:
            self.ended[signal] = held[most:]
        self.held -= len(held[:most])
        return held[:most]

    def forget(self, incident: str) -> None:
        """Let go what was to be told of an incident that is over."""
        for signal in [s for s, owner in self.owners.items() if owner == incident]:
            del self.owners[signal]
            self.held -= len(self.ended.pop(signal, ()))


def fold(alerts: Sheet) -> str:
    """Return alerts as text that an action can hold: a thousand of them are much alike, and take 55 kB."""
    labels, notes = _NEXT.join(alerts.labels), _NEXT.join(alerts.notes)
    raw = msgspec.msgpack.encode((labels, notes, alerts.since, alerts.ended))
    return b64encode(bytes(cramjam.lz4.compress_block(raw))).decode()


def unfold(text: str) -> Sheet:
    """Return the alerts of such a text."""
    raw = bytes(cramjam.lz4.decompress_block(b64decode(text)))
    labels, notes, since, ended = msgspec.msgpack.decode(
        raw, type=tuple[bytes, bytes, list[Seconds], list[Seconds]]
    )
    return Sheet(labels.split(_NEXT), notes.split(_NEXT), since, ended)
