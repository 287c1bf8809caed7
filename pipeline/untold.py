"""Alerts that begin and end in, those that nobody has heard of out, and one call's worth of them as text."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from pipeline.types import Seconds

MAX_ENDED = 50_000  # alerts that ended and whose end is still to be told, about 600 B each

# Among an alert's annotations: the generatorURL that came with it.
SOURCE = "__generatorURL"

_NEW, _TOLD = 1, 2


class Listed(NamedTuple):
    """An alert as a webhook lists it."""

    labels: bytes  # canonical, see series.pack
    notes: bytes  # a JSON object of strings
    since: Seconds
    ended: Seconds | None = None


@dataclass(slots=True)
class Untold:
    """Rows of alerts by the signal that counts them, and whose end is news. Owned by AlertState.

    A signal's list is at most twice as long as its alerts are many.
    """

    began: dict[str, list[int]] = field(default_factory=dict)  # signal -> rows, some of them over since
    ended: dict[str, list[Listed]] = field(default_factory=dict)  # signal -> told before, and over since
    said: bytearray = field(default_factory=bytearray)  # by row: 0 = none, or nobody is to hear of it
    owners: dict[str, str] = field(default_factory=dict)  # signal -> incident that told of its alerts
    count: int = 0  # alerts that began and nobody has heard of
    held: int = 0  # of `ended`
    dropped: Counter[str] = field(default_factory=Counter)

    def begin(self, signal: str, row: int) -> None:
        """Take in an alert that has begun to fire."""
        if row >= len(self.said):
            self.said.extend(bytes(row + 1024 - len(self.said)))
        self.said[row] = _NEW
        self.count += 1
        rows = self.began.get(signal)
        if rows is None:
            self.began[signal] = [row]
            return
        rows.append(row)
        if len(rows) >= 1024 and not len(rows) & (len(rows) - 1):
            rows[:] = [r for r in dict.fromkeys(rows) if self.said[r] == _NEW]

    def end(self, signal: str, row: int, alert: Listed) -> None:
        """Take in that it is over: news for those who heard that it fired, and for nobody else."""
        known, self.said[row] = self.said[row], 0
        self.count -= known == _NEW
        if known != _TOLD:
            return
        if self.held >= MAX_ENDED:
            self.dropped["ends of alerts to be told"] += 1
            return
        self.held += 1
        self.ended.setdefault(signal, []).append(alert)

    def new(self, signal: str) -> list[int]:
        """Return the rows that nobody has heard of; one may be another signal's by now."""
        return [r for r in dict.fromkeys(self.began.get(signal, ())) if self.said[r] == _NEW]

    def tell(self, signal: str, incident: str, rows: Sequence[int], left: Sequence[int]) -> None:
        """Take it that these are told of as part of the incident, and those are left to be told."""
        for row in rows:
            self.said[row] = _TOLD
        self.count -= len(rows)
        self.owners[signal] = incident
        if left:
            self.began[signal] = list(left)
        else:
            self.began.pop(signal, None)

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


def fold(alerts: Sequence[Listed]) -> str:
    """Return alerts as text that an action can hold: a thousand of them are much alike, and take 30 kB."""
    return b64encode(zlib.compress(msgspec.msgpack.encode(alerts), 1)).decode()


def unfold(text: str) -> list[Listed]:
    """Return the alerts of such a text."""
    return msgspec.msgpack.decode(zlib.decompress(b64decode(text)), type=list[Listed]) if text else []
