"""Series to the watch that looks at each, its place at that watch's desk, and whether it is out of band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.watch import Watch
from pipeline.types import Labels, Rows

MAX_NAMES = 10_000  # of metrics, for which it is remembered which watches may look at them


@dataclass(slots=True)
class Lane:
    """One look at all series, 11 B a series: a series has one watch here at most, the first that matches.

    The first lane holds the watches that share the series out between them; a watch that stands
    `beside` the others has a lane of its own.
    """

    watches: Mapping[int, Watch]  # by number
    watch: NDArray[np.int16] = field(default_factory=lambda: np.zeros(0, np.int16))  # -1 = none
    slot: Rows = field(default_factory=lambda: np.zeros(0, np.int32))  # at the desk, -1 = none yet
    busy: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))  # out, or not surely back
    used: bool = False  # it has had a series
    may: dict[str, tuple[int, ...]] = field(default_factory=dict)  # by name: watches that may look at such
    bar: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))  # times its limit

    def place(self, row: int, metric: str, labels: Labels) -> None:
        """Give a series, new or known under another name, to its watch."""
        if row >= len(self.watch):
            more = max(1024, row + 1 - len(self.watch) // 2)
            self.watch = np.pad(self.watch, (0, more), constant_values=-1)
            self.slot = np.pad(self.slot, (0, more), constant_values=-1)
            self.busy = np.pad(self.busy, (0, more))
            self.bar = np.pad(self.bar, (0, more), constant_values=1)
        self.slot[row] = -1
        may = self.may.get(metric)
        if may is None:
            if len(self.may) >= MAX_NAMES:
                self.may.clear()
            may = self.may[metric] = tuple(k for k, w in self.watches.items() if w.named(metric))
        self.watch[row] = next((k for k in may if self.watches[k].matches(metric, labels)), -1)
        self.used |= bool(self.watch[row] >= 0)

    def forget(self, gone: Rows) -> None:
        gone = gone[gone < len(self.watch)]
        self.watch[gone], self.slot[gone], self.busy[gone], self.bar[gone] = -1, -1, False, 1


def lanes(watches: Sequence[Watch]) -> tuple[Lane, ...]:
    """Return the lanes of all watches, in order; the first is there even where it is empty.

    >>> [list(lane.watches) for lane in lanes([Watch("a", ("a",)), Watch("b", (".*",), beside=True)])]
    [[0], [1]]
    """
    shared = {k: w for k, w in enumerate(watches) if not w.beside}
    return (Lane(shared), *(Lane({k: w}) for k, w in enumerate(watches) if w.beside))
