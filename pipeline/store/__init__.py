"""What has happened, kept: one kind of store a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from pipeline.types import Action, Event, Evidence, Incident, Outcome, Run, Seconds, Step, Verdict


class Store(Protocol):
    """What every store promises; tests/test_store.py holds each one to it.

    Recording the same step again changes nothing: a restart replays its last frames.
    """

    async def record(self, step: Step, position: int) -> tuple[Action, ...]:
        """Keep the step in one durable transaction; return those of its actions never seen before."""
        ...

    async def claim(self, key: str, now: Seconds) -> bool:
        """Mark the action as begun, durably; False where it was begun before."""
        ...

    async def finish(self, action: Action, outcome: Outcome, now: Seconds) -> None: ...

    async def waiting(self) -> tuple[Action, ...]:
        """Return actions recorded and never begun, oldest first: what a crash left undone."""
        ...

    async def interrupted(self) -> tuple[Action, ...]:
        """Return actions begun and never finished: what a crash may have half done."""
        ...

    async def incidents(self, *, open_only: bool = False, limit: int = 200) -> tuple[Incident, ...]:
        """Return incidents, newest first."""
        ...

    async def incident(self, id: str) -> Incident | None: ...
    async def verdicts(self, incident: str) -> tuple[tuple[Seconds, Verdict], ...]: ...
    async def actions(self, incident: str) -> tuple[tuple[Action, str, Outcome | None], ...]:
        """Return each action with its state: "waiting", "begun", "done" or "failed"."""
        ...

    async def runs(self, incident: str | None = None) -> tuple[Run, ...]: ...
    async def evidence(self, signal: str) -> Evidence | None: ...
    async def complaints(self, ids: Sequence[str]) -> tuple[dict[str, Any], ...]: ...
    async def changes(self, since: Seconds) -> tuple[Event, ...]: ...
    async def forget(self, before: Seconds) -> int:
        """Drop what was resolved before that time; return how many incidents went."""
        ...

    async def close(self) -> None: ...
