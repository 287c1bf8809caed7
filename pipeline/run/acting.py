"""Steps of a worker into its store, their actions performed; what came of them goes back as frames."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from pipeline.config import Config
from pipeline.frame import Frame
from pipeline.perform import Performer
from pipeline.run.embedded import url_of
from pipeline.store import sqlite
from pipeline.types import Step


class Acting:
    """One per group of workers: what has been done is known to its own store only."""

    def __init__(self, settings: Config, put: Callable[[Frame], Awaitable[object]]) -> None:
        self.store = sqlite.open(Path(settings.storage.path))
        self.performer = Performer(self.store, settings.response, put, url_of(settings))

    async def begin(self) -> None:
        await self.performer.recover()

    async def act(self, step: Step, position: int) -> None:
        new = await self.store.record(step, position)  # before acting: a restart must never act twice
        self.performer.act(new, step.runs)

    async def close(self) -> None:
        await self.performer.close()
        await self.store.close()
