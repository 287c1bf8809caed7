"""Spans as columns, and an hour of them as counts, durations and gaps by edge of the call tree and slot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.types import Floats, Seconds

SLOT: Seconds = 10.0
SLOTS = 360  # remembered: an hour in which spans came
MAX_ROWS = 5_000  # kinds of call, 5.8 kB each; past it a new one is turned away
MAX_NAME = 200  # characters of a service or an operation

Slots = NDArray[np.int64]
Columns = NDArray[np.float32]  # (rows, slots)
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Call:
    """One kind of span: which service did what, for which span of which. A root span has no caller."""

    caller: str
    parent: str  # the operation of the parent span
    callee: str
    op: str

    @property
    def crosses(self) -> bool:
        return self.caller != self.callee and self.caller != ""


@dataclass(frozen=True, slots=True)
class Spans:
    """n bundles of spans of one kind that began in one slot; a single span is a bundle of one."""

    calls: tuple[Call, ...]  # (n,)
    time: Floats  # (n,) s
    count: Floats  # (n,) spans
    duration: Floats  # (n,) s, of the middle one; NaN = not told
    gap: Floats  # (n,) s, client span less server span, of the middle one; NaN where it crosses nothing
    failed: Floats  # (n,) spans that say they failed

    def to(self, until: Seconds) -> Spans:
        """Return the bundles that began by then."""
        kept = self.time <= until
        return Spans(
            tuple(call for call, keep in zip(self.calls, kept.tolist(), strict=True) if keep),
            self.time[kept], self.count[kept], self.duration[kept], self.gap[kept], self.failed[kept],
        )  # fmt: skip


@dataclass(slots=True)
class SpanState:
    """Counts, durations, gaps and failures by kind of call and slot; bounded as above, pickled exactly."""

    rows: dict[Call, int] = field(default_factory=dict)
    slots: Slots = field(default_factory=lambda: np.full(SLOTS, -1, np.int64))  # which slot a column holds
    count: Columns = field(default_factory=lambda: np.zeros((0, SLOTS), np.float32))
    duration: Columns = field(default_factory=lambda: np.zeros((0, SLOTS), np.float32))  # log s, mean
    gap: Columns = field(default_factory=lambda: np.zeros((0, SLOTS), np.float32))  # log s, NaN = none
    failed: Columns = field(default_factory=lambda: np.zeros((0, SLOTS), np.float32))
    trouble: Flags = field(default_factory=lambda: np.zeros(SLOTS, np.bool_))  # no measure of what is usual
    dropped: Counter[str] = field(default_factory=Counter)


# A wait of a few hundred microseconds is the network's and the clocks' own: half a millisecond is little.
LEAST: Seconds = 5e-4


def take_spans(state: SpanState, spans: Spans) -> None:
    """Add the bundles to their slots; what is older than all slots remembered is dropped and counted.

    Cost: 3 us a bundle.
    """
    rows = np.array([_row(state, call) for call in spans.calls], np.int64)
    slots = np.floor(spans.time / SLOT).astype(np.int64)
    good = (rows >= 0) & np.isfinite(spans.time) & (spans.count > 0)
    state.dropped["call limit"] += int((rows < 0).sum())
    columns = np.zeros(len(rows), np.int64)
    for slot in np.unique(slots[good]).tolist():
        column = _column(state, slot)
        columns[slots == slot] = column
        if column < 0:
            state.dropped["late span"] += int(spans.count[good & (slots == slot)].sum())
            good &= slots != slot
    for k in np.flatnonzero(good).tolist():
        at = rows[k], columns[k]
        old, n = state.count[at], spans.count[k]
        state.duration[at] = _mean(state.duration[at], old, np.log(max(spans.duration[k], 0.0) + LEAST), n)
        state.gap[at] = _mean(state.gap[at], old, np.log(max(spans.gap[k], 0.0) + LEAST), n)
        state.count[at] = old + n
        state.failed[at] += spans.failed[k]


def mark_trouble(state: SpanState, since: Seconds, until: Seconds) -> None:
    """Say that what came between the two times was no quiet time; an incident was open."""
    state.trouble |= (state.slots >= since // SLOT) & (state.slots <= until // SLOT)


def _mean(known: float, n: float, value: float, m: float) -> float:
    if value != value:
        return known
    return value if n <= 0 or known != known else (n * known + m * value) / (n + m)


def _row(state: SpanState, call: Call) -> int:
    row = state.rows.get(call)
    if row is not None:
        return row
    if len(state.rows) >= MAX_ROWS:
        return -1
    row = state.rows[call] = len(state.rows)
    if row >= len(state.count):
        more = max(64, len(state.count))
        for name, fill in (("count", 0.0), ("duration", np.nan), ("gap", np.nan), ("failed", 0.0)):
            grown = np.full((more, SLOTS), fill, np.float32)
            setattr(state, name, np.concatenate((getattr(state, name), grown)))
    return row


def _column(state: SpanState, slot: int) -> int:
    """Return the column of the slot, the oldest one made free for it; -1 where all are newer."""
    found = np.flatnonzero(state.slots == slot)
    if len(found):
        return int(found[0])
    column = int(np.argmin(state.slots))
    if state.slots[column] > slot:
        return -1
    state.slots[column] = slot
    state.trouble[column] = False
    state.count[:, column] = state.failed[:, column] = 0.0
    state.duration[:, column] = state.gap[:, column] = np.nan
    return column
