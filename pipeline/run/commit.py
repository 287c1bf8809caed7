"""Frames that come within one commit of the journal in, its records out: alerts of many posts as one frame.

A step costs as much as sixty alerts sent again, and its own record, however few alerts it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from pipeline import frame
from pipeline.frame import Frame
from pipeline.types import Seconds

MOST = 64  # frames of one commit
# Alerts that are joined: a step of so many that are new takes 10 ms, and people wait for it.
ROWS = 512
BYTES = 4 * 1024 * 1024  # past it nothing is added: the first must not wait for the last


class Commit:
    """What the journal writes at once. Nothing may be added once `raws` was called."""

    durable: asyncio.Future[int]  # the position of the first, once they are

    def __init__(self, at: Seconds) -> None:
        self.at = at
        self.frames: list[Frame] = []
        self.sizes: list[int] = []  # of their records
        self.size = 0  # of all that was added, about
        self._raws: list[bytes] = []
        self._parts: list[Frame] = []  # of alerts, that will be the last frame
        self._last = at  # when the newest of them came
        self._labels: set[bytes] = set()  # of them
        self._rows = 0  # so many alerts they are

    def __len__(self) -> int:
        return len(self.frames) + bool(self._parts)

    @property
    def full(self) -> bool:
        return len(self) >= MOST or self.size >= BYTES

    def add(self, frames: Sequence[Frame], now: Seconds) -> None:
        """Add the frames of one request: all, or none where one of them cannot be encoded."""
        others = [msgspec.structs.replace(taken, at=now) for taken in frames if not taken.notes]
        encoded = zip(others, [frame.encode(taken) for taken in others], strict=True)
        for taken in frames:
            if taken.notes:
                self._join(taken, now)
            else:
                self._end()
                stamped, raw = next(encoded)
                self._put(stamped, raw)
                self.size += len(raw)

    def raws(self) -> Sequence[bytes]:
        """Return the records: those of `frames`."""
        self._end()
        return self._raws

    def _join(self, alerts: Frame, now: Seconds) -> None:
        """Add alerts to those before them, but no second word of an alert: one step hears only one."""
        count = len(alerts.labels)
        self._labels.update(alerts.labels)
        if self._parts and not (
            self._parts[0].source == alerts.source
            and self._rows + count <= ROWS
            and len(self._labels) == self._rows + count
        ):
            self._end()
            self._labels.update(alerts.labels)
        self._parts.append(alerts)
        self._rows += count
        self._last = now
        self.size += sum(map(len, alerts.labels)) + sum(map(len, alerts.notes))

    def _end(self) -> None:
        """Make one frame of the alerts that came in a row."""
        if self._parts:
            alerts = frame.joined(self._last, self._parts)
            self._put(alerts, frame.encode(alerts))
            self._parts = []
            self._labels = set()
            self._rows = 0

    def _put(self, taken: Frame, raw: bytes) -> None:
        self.frames.append(taken)
        self.sizes.append(len(raw))
        self._raws.append(raw)
