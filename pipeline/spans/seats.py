"""Names to small numbers, of which there are only so many: who has been idle for an hour makes room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pipeline.types import NO_FLOATS, Floats, Seconds

IDLE: Seconds = 3600.0

Name: TypeAlias = tuple[str, ...]


@dataclass(slots=True)
class Seats:
    """At most `limit` names at once, some 300 B each."""

    limit: int
    rows: dict[Name, int] = field(default_factory=dict)
    names: list[Name] = field(default_factory=list)  # by number; () = nobody's
    used: Floats = field(default_factory=lambda: NO_FLOATS)  # (numbers or more,) when last asked for
    free: list[int] = field(default_factory=list)

    def find(self, name: Name, now: Seconds, share: float = 1.0) -> int:
        """Return the number of a name, a new one where it has none yet; -1 where all are taken.

        A name that matters less gets a new number only while less than that share of them is taken.
        """
        row = self.rows.get(name)
        if row is None:
            if len(self.rows) >= share * self.limit:
                return -1
            if self.free:
                row = self.free.pop()
                self.names[row] = name
            else:
                row = len(self.names)
                self.names.append(name)
            self.rows[name] = row
            if row >= len(self.used):
                self.used = np.pad(self.used, (0, max(64, len(self.used))))
        self.used[row] = now
        return row

    def forget(self, now: Seconds) -> list[tuple[int, Name]]:
        """Return the numbers that nobody has any more, each with whose it was."""
        idle = np.flatnonzero(self.used[: len(self.names)] < now - IDLE)
        gone = [(row, self.names[row]) for row in idle.tolist() if self.names[row]]
        for row, name in gone:
            del self.rows[name]
            self.names[row] = ()
            self.free.append(row)
        return gone
