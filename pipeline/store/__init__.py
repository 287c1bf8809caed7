"""What has happened, kept: one kind of store a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pipeline.types import (
    Action,
    Case,
    Complaint,
    Event,
    Evidence,
    Incident,
    Outcome,
    Run,
    Seconds,
    Step,
    Verdict,
)

# What is kept of one thing, newest first: a store stays in proportion to what happened, not to how long.
MAX_EVIDENCE = 3_000  # samples of one signal's series: two days at one a minute
MAX_VERDICTS = 500  # of one incident


class Store(Protocol):
    """What every store promises; tests/test_store.py holds each one to it.

    Recording the same step again changes nothing: a restart replays its last frames. A kind of store
    is a file here with `open(path) -> Store`.
    """

    async def record(self, step: Step, position: int) -> tuple[Action, ...]:
        """Keep the step in one durable transaction; return those of its actions never seen before."""
        ...

    async def claim(self, key: str, now: Seconds) -> bool:
        """Mark a recorded action as begun, durably; False where it was begun before."""
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
    async def verdicts(self, incident: str) -> tuple[tuple[Seconds, Verdict], ...]:
        """Return what was decided, oldest first; what only repeats the one before it is not kept."""
        ...

    async def actions(self, incident: str) -> tuple[tuple[Action, str, Outcome | None], ...]:
        """Return each action with its state: "waiting", "begun", "done" or "failed"."""
        ...

    async def runs(self, incident: str | None = None) -> tuple[Run, ...]: ...
    async def evidence(self, signal: str) -> Evidence | None: ...
    async def complaints(self, ids: Sequence[str]) -> tuple[Complaint, ...]:
        """Return those that are known, oldest first."""
        ...

    async def case(self, complaint: str) -> Case | None: ...
    async def cases(
        self, *, customer: str | None = None, open_only: bool = False, limit: int = 200
    ) -> tuple[Case, ...]:
        """Return cases, newest first; of open ones those first whose promise breaks first."""
        ...

    async def cases_between(self, since: Seconds, until: Seconds) -> tuple[Case, ...]:
        """Return the cases received before `until` that were under way at some time since then."""
        ...

    async def changes(self, since: Seconds) -> tuple[Event, ...]:
        """Return what was changed since then, newest first."""
        ...

    async def commands(self, since: Seconds) -> tuple[Event, ...]:
        """Return what people asked for since then, newest first, and what still held then.

        That is a silence until its end, and each word of the kill switch: "stop" or "start" without incident.
        """
        ...

    async def heard(self) -> Mapping[str, Seconds]:
        """Return the newest event time of each service that sent samples or lines and is not forgotten."""
        ...

    async def version(self) -> int:
        """Return a number that differs from the last one asked for when something was recorded since."""
        ...

    async def forget(self, before: Seconds) -> int:
        """Drop incidents resolved and cases closed before that time, and what hangs on none that stays.

        Returns how many incidents went.
        """
        ...

    async def close(self) -> None: ...
