"""Frames of one Kafka partition, however they are delivered, to steps: each once and none left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum

import msgspec

from pipeline import frame
from pipeline.flow import Pipeline
from pipeline.types import Seconds, Step

SEEK_AGAIN: Seconds = 10.0  # what was fetched before a seek still arrives for a while after it
PATIENCE: Seconds = 30.0
TRIES = 3  # of a frame that the pipeline cannot step


class Due(Enum):
    """What is to be done with a frame, by its position alone."""

    NEXT = "apply"
    SEEN = "drop"
    AHEAD = "do not acknowledge, seek back"


class Stuck(Exception):
    """Frames are missing and seeking back does not bring them: only a new process may help."""


@dataclass(slots=True)
class Gap:
    since: Seconds
    sought: Seconds


@dataclass(slots=True)
class Shard:
    """One partition's pipeline, and how far it is known to be safe."""

    pipeline: Pipeline
    now: Seconds = 0.0  # the time of the newest step
    saved: int = -1  # position of the newest snapshot that the broker has acknowledged
    gap: Gap | None = None
    failed: Counter[int] = field(default_factory=Counter)  # tries by position, of frames not saved yet

    @property
    def position(self) -> int:
        return self.pipeline.memory.position

    def due(self, position: int) -> Due:
        if position <= self.position:
            return Due.SEEN
        return Due.NEXT if position == self.position + 1 else Due.AHEAD

    def take(self, raw: bytes, position: int) -> Step | None:
        """Step the next frame, at a time that never goes back; raises DecodeError, or what a stage does."""
        given = frame.decode(raw)
        at = max(given.at, self.now)
        step = self.pipeline.take(msgspec.structs.replace(given, at=at), position)
        self.now, self.gap = at, None
        return step

    def skip(self, position: int) -> None:
        """Go on behind frames that cannot be had, or cannot be stepped."""
        self.pipeline.memory.position = position
        self.gap = None

    def safe(self) -> None:
        """Note that a snapshot of now is acknowledged: nothing up to here is ever stepped again."""
        self.saved = self.position
        for position in [p for p in self.failed if p <= self.saved]:
            del self.failed[position]

    def seek(self, now: Seconds) -> bool:
        """Note that a frame came too early; return whether to seek back now. Raises Stuck."""
        if self.gap is None:
            self.gap = Gap(now, now)
            return True
        self.check(now)
        if now - self.gap.sought < SEEK_AGAIN:
            return False
        self.gap.sought = now
        return True

    def check(self, now: Seconds) -> None:
        """Raise Stuck where a gap has lasted too long."""
        if self.gap is not None and now - self.gap.since > PATIENCE:
            raise Stuck(f"frame {self.position + 1} did not come for {PATIENCE:.0f} s")

    def hopeless(self, position: int) -> bool:
        """Say whether the frame was tried often enough, counting tries before the shard went back."""
        return self.failed[position] >= TRIES
