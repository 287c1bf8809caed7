"""Samples of many series to since when nothing as high, or as low, was seen of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows
from pipeline.clock import DAY
from pipeline.types import Seconds

DAYS = 28


@dataclass(slots=True)
class Records:
    """The least and the most of each of the last 28 days; 230 B a series."""

    day: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))  # newest, since 1970
    first: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    least: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, DAYS), np.float32))
    most: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, DAYS), np.float32))

    def take(self, slot: Rows, time: Floats, value: Floats) -> None:
        """Take one sample of each of distinct slots, (n,); NaN is none."""
        self._grow(int(slot.max(initial=-1)) + 1)
        day = (time // DAY).astype(np.int32)
        turned = day > self.day[slot]
        if turned.any():
            self._turn(slot[turned], day[turned])
        place = day % DAYS
        with np.errstate(over="ignore"):
            given = value.astype(np.float32)
        self.least[slot, place] = np.fmin(self.least[slot, place], given)
        self.most[slot, place] = np.fmax(self.most[slot, place], given)

    def since(self, slot: int, value: float) -> tuple[Seconds, Seconds]:
        """Return for how long nothing as high and nothing as low was seen; NaN = today it was, or too new."""
        today = int(self.day[slot])
        back = np.arange(1, min(today - int(self.first[slot]), DAYS - 1) + 1)
        at = (today - back) % DAYS
        return (
            _days(
                self.most[slot][today % DAYS] <= np.float32(value), self.most[slot][at] >= value, len(back)
            ),
            _days(
                self.least[slot][today % DAYS] >= np.float32(value), self.least[slot][at] <= value, len(back)
            ),
        )

    def forget(self, slots: Rows) -> None:
        slots = slots[slots < len(self.day)]
        self.day[slots], self.least[slots], self.most[slots] = 0, np.inf, -np.inf

    def _turn(self, slot: Rows, day: NDArray[np.int32]) -> None:
        """Begin a new day; what was missed in between and what is too old is empty."""
        before = self.day[slot]
        self.first[slot] = np.where(before == 0, day, self.first[slot])
        for back in range(min(DAYS, int((day - before).max()))):
            old = day - back > before
            place = (day[old] - back) % DAYS
            self.least[slot[old], place], self.most[slot[old], place] = np.inf, -np.inf
        self.day[slot] = day

    def _grow(self, need: int) -> None:
        more = max(need, 1024, len(self.day) * 3 // 2) - len(self.day)
        if need > len(self.day):
            self.day, self.first = np.pad(self.day, (0, more)), np.pad(self.first, (0, more))
            self.least = np.pad(self.least, ((0, more), (0, 0)), constant_values=np.inf)
            self.most = np.pad(self.most, ((0, more), (0, 0)), constant_values=-np.inf)


def _days(today: bool, beyond: NDArray[np.bool_], known: int) -> Seconds:
    """Return the whole days before today in which it was not so."""
    if not today or not known:
        return np.nan
    return float(DAY * (int(beyond.argmax()) if beyond.any() else known))
