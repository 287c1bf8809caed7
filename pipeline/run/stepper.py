"""Frames with their positions in, steps out, the state kept on disk: what an engine does in one thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import structlog

from pipeline import clock, frame, snapshot
from pipeline.config import Config
from pipeline.detect.slo import Budget, budgets
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.journal import Journal
from pipeline.run.poison import Poison
from pipeline.run.shelf import Shelf
from pipeline.types import Seconds, Step

# What a turn takes at most: then its steps are recorded and the newer config or the snapshot has its turn.
SLICE: Seconds = 0.005

log = structlog.get_logger()


class Done(NamedTuple):
    position: int
    frame: Frame
    step: Step | None  # None where the frame was taken before, or skipped
    span: Seconds


class Stepper:
    """Owns the pipeline. Every method but the constructor is called from one and the same thread."""

    def __init__(self, config: Config, home: Path, journal: Journal) -> None:
        self.config = config
        self.journal = journal
        self.shelf = Shelf(home / "snapshots")
        self.poison = Poison(home / "skipped.jsonl")
        self.pipeline = Pipeline(config)
        self._saved = -1  # position of the newest snapshot
        self._dirty = False  # a frame failed half way: the state must be made anew before the next

    @property
    def position(self) -> int:
        """Return the position of the last frame taken."""
        return self.pipeline.memory.position

    def restore(self, end: int | None = None) -> None:
        """Load the newest snapshot that is whole and not past `end`, or begin with nothing."""
        self.pipeline = self._newest(end)
        self._saved = self.position
        if self.position >= self.journal.next:
            log.error("journal lost", found=self.journal.next, snapshot=self.position)
            self.journal.skip_to(self.position + 1)

    def behind(self) -> Iterator[tuple[int, Frame]]:
        """Yield what the journal holds since the snapshot."""
        return ((p, frame.decode(raw)) for p, raw in self.journal.replay(self.position + 1))

    def take(self, group: Sequence[tuple[int, Frame]]) -> list[Done]:
        """Step the first few frames of a group, one at least.

        A frame that raises is tried once more, from a state made anew; then it is skipped for good.
        """
        done: list[Done] = []
        began = clock.steady()
        for position, taken in group:
            try:
                done.append(self._take(position, taken))
            except Exception as error:
                self._dirty = True
                if done:
                    return done  # these must be recorded before a snapshot goes past them
                return [self._heal(position, taken, error)]
            if clock.steady() - began > SLICE:
                break
        return done

    def adopt(self, config: Config) -> None:
        """Use another config from the next frame on, and for every replay of the frames after it."""
        self.config = self.pipeline.config = config
        self.save()

    def budgets(self) -> tuple[Budget, ...]:
        """Return how the objectives stand."""
        return budgets(self.pipeline.memory.detect, self.pipeline.memory.series)

    def save(self) -> None:
        """Write a snapshot, and drop what the oldest kept one makes needless. Raises OSError."""
        if self.position == self._saved or self._dirty:
            return
        self.shelf.put(snapshot.pieces(self.pipeline.memory), self.position)
        self._saved = self.position
        self.journal.forget(self.shelf.oldest() + 1)
        self.poison.forget(self.journal.first)

    def _take(self, position: int, taken: Frame) -> Done:
        if self._dirty:
            self._rebuild(position - 1)
        began = clock.steady()
        if position in self.poison:
            self.pipeline.memory.position = max(position, self.position)
            return Done(position, taken, None, 0.0)
        step = self.pipeline.take(taken, position)
        return Done(position, taken, step, clock.steady() - began)

    def _heal(self, position: int, taken: Frame, error: Exception) -> Done:
        log.warning("frame failed", position=position, source=taken.source, error=repr(error)[:300])
        self._rebuild(position - 1)
        self.save()  # so that the next rebuild is short
        try:
            return self._take(position, taken)
        except Exception as again:
            self._skip(position, taken, again)
            self._rebuild(position)
            return Done(position, taken, None, 0.0)

    def _rebuild(self, to: int) -> None:
        """Bring the state to just after a position, from the newest snapshot before it and the journal."""
        while not self._replay(to):
            pass
        self._dirty = False

    def _replay(self, to: int) -> bool:
        self.pipeline = self._newest(to)
        for position, raw in self.journal.replay(self.position + 1, to + 1):
            taken = frame.decode(raw)
            try:
                if position not in self.poison:
                    self.pipeline.take(taken, position)
                self.pipeline.memory.position = position
            except Exception as error:
                self._skip(position, taken, error)
                return False
        return True

    def _skip(self, position: int, taken: Frame, error: Exception) -> None:
        self.poison.add(position, taken.source, error)
        log.error("frame skipped", position=position, source=taken.source, error=repr(error)[:300])

    def _newest(self, end: int | None) -> Pipeline:
        """Return the newest state there is up to `end`; say so where the journal begins later."""
        found = self._whole(end) or Pipeline(self.config)
        if found.memory.position + 1 < self.journal.first:
            log.error("state lost", before=self.journal.first, reason="no whole snapshot that old")
            found.memory.position = self.journal.first - 1
        return found

    def _whole(self, end: int | None) -> Pipeline | None:
        for path, position, raw in self.shelf.newest_first():
            if end is not None and position > end:
                continue
            try:
                return Pipeline.restore(self.config, raw)
            except snapshot.Damaged as error:
                log.error("snapshot not read", file=path.name, error=str(error), then="the one before it")
        return None
