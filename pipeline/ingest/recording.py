"""A recording folder in, frames in event time out: the one file format for replay, tests and benchmarks.

Reads metrics.parquet or .csv, and logs, changes, alerts and complaints as .jsonl or .jsonl.gz. A bad
record is counted under its reason and left out; so is one more than a minute out of order in its file.
labels.json and evidence/ are never opened.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline import frame
from pipeline.frame import Frame
from pipeline.ingest._columns import Columns
from pipeline.ingest._records import Records
from pipeline.types import Seconds

# A gap is stepped through tick by tick for an hour, so that all that waits for time can end; then skipped.
MAX_GAP: Seconds = 3600.0


@dataclass
class Recording:
    """One recording, read once by `frames`; `bad` counts what was left out, by file and reason."""

    folder: Path
    every: Seconds = 5.0  # between ticks
    bad: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)  # samples, lines and events by kind, so far

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise ValueError(f"{self.folder}: no such folder")
        self._streams = self._open()
        if not self._streams:
            raise ValueError(
                f"{self.folder}: not a recording: expected metrics.parquet, metrics.csv, logs.jsonl, "
                "changes.jsonl, alerts.jsonl or complaints.jsonl (or .jsonl.gz)"
            )

    @property
    def catalog(self) -> Path | None:
        path = self.folder / "catalog.yaml"
        return path if path.exists() else None

    def span(self) -> tuple[Seconds, Seconds] | None:
        """Return first and last sample time, where the file tells them without being read."""
        return next((s.span() for s in self._streams if isinstance(s, Columns)), None)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame in event time: a record of time t is in the first whose `at` >= t.

        Several frames may share one `at`; where nothing happened a tick stands in.
        """
        at = last = -math.inf
        while not math.isinf(first := min(s.peek() for s in self._streams)):
            due = math.ceil(first / self.every) * self.every
            at = due if at - last >= MAX_GAP or math.isinf(at) else min(at + self.every, due)
            found = [f for s in self._streams for f in s.take(at)]
            for each in found:
                self._count(each)
            yield from found or (frame.tick(at),)
            last = at if found else last

    def _count(self, found: Frame) -> None:
        self.taken["sample"] += len(found.value) // 8
        self.taken["line"] += len(found.text)
        self.taken.update(e.kind for e in found.events)

    def _open(self) -> Sequence[Columns | Records]:
        streams: list[Columns | Records] = []
        metrics = [p for n in ("metrics.parquet", "metrics.csv") if (p := self.folder / n).exists()]
        streams += [Columns(path, self.bad) for path in metrics[:1]]
        for kind in ("logs", "changes", "alerts", "complaints"):
            files = [p for n in (f"{kind}.jsonl", f"{kind}.jsonl.gz") if (p := self.folder / n).exists()]
            streams += [Records(path, kind, self.bad) for path in files[:1]]
        return streams
