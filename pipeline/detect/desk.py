"""One detector with the series it serves, and a ring of the newest samples of each, to be drawn later."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.base import Detector, Floats, Rows
from pipeline.types import Evidence, Seconds

RING = 60  # an hour of minutes or a minute of seconds: enough to see what was usual before


@dataclass(slots=True)
class Desk:
    """Samples of many series go in by slot. The ring takes 724 B a series, the detector what it says."""

    detector: Detector
    size: int = 0
    time: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, RING)))
    value: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, RING), np.float32))
    written: Rows = field(default_factory=lambda: np.zeros(0, np.int32))

    def seat(self, n: int) -> Rows:
        """Return n new slots."""
        found = np.arange(self.size, self.size + n, dtype=np.int32)
        self.size += n
        if self.size > len(self.written):
            more = max(1024, self.size * 3 // 2) - len(self.written)
            self.time = np.pad(self.time, ((0, more), (0, 0)))
            self.value = np.pad(self.value, ((0, more), (0, 0)))
            self.written = np.pad(self.written, (0, more))
        return found

    def take(self, slot: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        """Return surprise and expected of each sample, (n,); keep the samples."""
        place = self.written[slot] % RING
        self.time[slot, place] = time
        with np.errstate(over="ignore"):
            self.value[slot, place] = value
        self.written[slot] += 1
        return self.detector.take_many(slot, time, value)

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
