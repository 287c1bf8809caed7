"""One detector with the series it serves, and a ring of the newest samples of each, to be drawn later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.base import Borrowing, Detector, Facts, Floats, Grouped, Rows, Telling
from pipeline.detect.records import Records
from pipeline.detect.watch import Watch
from pipeline.types import Evidence, Labels, Seconds

RING = 60  # an hour of minutes or a minute of seconds: enough to see what was usual before


@dataclass(slots=True)
class Desk:
    """Samples of many series go in by slot. It takes 958 B a series, the detector what that says."""

    detector: Detector
    size: int = 0
    free: list[int] = field(default_factory=list)  # slots given up
    eldest: dict[str, int] = field(default_factory=dict)  # by metric name: the slot that newcomers learn from
    groups: dict[tuple[str, ...], int] = field(default_factory=dict)  # numbers of those with a slot in them
    vacant: list[int] = field(default_factory=list)  # numbers that no group has any more
    time: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, RING)))
    value: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, RING), np.float32))
    records: Records = field(default_factory=Records)
    written: Rows = field(default_factory=lambda: np.zeros(0, np.int32))
    group: Rows = field(default_factory=lambda: np.zeros(0, np.int32))  # of each slot, -1 = none

    def seat(self, labels: Sequence[Labels], services: Sequence[str], watches: Sequence[Watch]) -> Rows:
        """Return a slot for each of n series never seen here, (n,)."""
        n = len(labels)
        again = [self.free.pop() for _ in range(min(n, len(self.free)))]
        found = np.array([*again, *range(self.size, self.size + n - len(again))], np.int32)
        self.size += n - len(again)
        if self.size > len(self.written):
            more = max(1024, self.size * 3 // 2) - len(self.written)
            self.time = np.pad(self.time, ((0, more), (0, 0)))
            self.value = np.pad(self.value, ((0, more), (0, 0)))
            self.written = np.pad(self.written, (0, more))
            self.group = np.pad(self.group, (0, more), constant_values=-1)
        self.sit(found, labels, services, watches)
        if isinstance(self.detector, Borrowing):
            names = [each.get("__name__", "") for each in labels]
            donors = [
                self.eldest.setdefault(name, slot) for name, slot in zip(names, found.tolist(), strict=True)
            ]
            self.detector.borrow_many(found, np.array(donors, np.int32))
        return found

    def sit(
        self, slots: Rows, labels: Sequence[Labels], services: Sequence[str], watches: Sequence[Watch]
    ) -> None:
        """Say which group each of the slots, (n,), belongs to, where the detector looks at groups."""
        if not isinstance(self.detector, Grouped):
            return
        group = [self._group(*each) for each in zip(labels, services, watches, strict=True)]
        side = [w.side_of(each) for each, w in zip(labels, watches, strict=True)]
        self.detector.seat_many(slots, np.array(group, np.int32), np.array(side, np.int32))
        was = self.group[slots]
        self.group[slots] = group
        if ((was >= 0) & (was != group)).any():
            self._vacate()

    def leave(self, slots: Rows) -> None:
        """Let other series have the slots."""
        self.detector.forget_many(slots)
        self.records.forget(slots)
        self.written[slots] = 0
        gone = set(slots.tolist())
        self.free += sorted(gone)
        self.eldest = {name: slot for name, slot in self.eldest.items() if slot not in gone}
        self.group[slots] = -1
        self._vacate()

    def take(self, slot: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        """Return surprise and expected of each sample, (n,); keep the samples."""
        place = self.written[slot] % RING
        self.time[slot, place] = time
        with np.errstate(over="ignore"):
            self.value[slot, place] = value
        self.written[slot] += 1
        self.records.take(slot, time, value)
        return self.detector.take_many(slot, time, value)

    def facts(self, slot: int, time: Seconds, value: float) -> Facts:
        """Return what can be said of the newest sample beside its surprise."""
        known = self.detector.facts_of(slot, time, value) if isinstance(self.detector, Telling) else Facts()
        highest, lowest = self.records.since(slot, value)
        return known._replace(highest=highest, lowest=lowest)

    def past(self, signal: str, slot: int) -> Evidence:
        """Return the ring's samples, oldest first, beside what the detector expects of those times today."""
        n = int(self.written[slot])
        order = np.arange(max(0, n - RING), n) % RING
        return self.evidence(signal, slot, self.time[slot][order], self.value[slot][order].astype(np.float64))

    def sample(self, signal: str, slot: int, time: Seconds, value: float) -> Evidence:
        return self.evidence(signal, slot, np.array([time]), np.array([value]))

    def evidence(self, signal: str, slot: int, time: Floats, value: Floats) -> Evidence:
        band = self.detector.expect_many(np.full(len(time), slot, np.int32), time)
        return Evidence(signal, time, value, *band)

    def _group(self, labels: Labels, service: str, watch: Watch) -> int:
        key = (watch.name, *(service if name == "service" else labels.get(name, "") for name in watch.group))
        if key not in self.groups:
            self.groups[key] = self.vacant.pop() if self.vacant else len(self.groups)
        return self.groups[key]

    def _vacate(self) -> None:
        """Let other groups have the numbers of those that nobody is left in."""
        if self.groups:
            left = set(self.group.tolist())
            self.vacant += [number for number in self.groups.values() if number not in left]
            self.groups = {key: number for key, number in self.groups.items() if number in left}
