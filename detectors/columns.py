"""Named arrays with a column a series, that grow together: what the detectors of changes keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Column: TypeAlias = NDArray[np.floating[Any]]  # (n,), or (k, n) with a row for each reading or walk
State: TypeAlias = dict[str, Column]

BLOCK = 4096  # series at once, so that what is being worked on stays in the processor's cache

# Nothing that is measured has a larger number; a value beyond it is a fault of the sender, so missing.
LARGEST = 1e18


class Columns:
    """The state of all series: `fresh` is what each name holds of one series never seen, (1,) or (k, 1)."""

    def __init__(self, fresh: Mapping[str, Column]) -> None:
        self.fresh = dict(fresh)
        self.kept = {name: new[..., :0] for name, new in fresh.items()}
        self.have = 0

    def look(self, series: Rows) -> State:
        """Return a copy of the rows' state."""
        self._grow(int(series.max(initial=-1)) + 1)
        span = _span(series)
        return {name: column[..., span].copy() for name, column in self.kept.items()}

    def put(self, series: Rows, state: State) -> None:
        span = _span(series)
        for name, column in self.kept.items():
            column[..., span] = state[name]

    def forget(self, series: Rows) -> None:
        known = series[series < self.have]
        for name, column in self.kept.items():
            column[..., known] = self.fresh[name]

    def bytes_a_series(self) -> int:
        return sum(new.nbytes for new in self.fresh.values())

    def _grow(self, need: int) -> None:
        if need <= self.have:
            return
        more = max(need, self.have + self.have // 2, 16) - self.have
        for name, new in self.fresh.items():
            self.kept[name] = np.concatenate((self.kept[name], np.repeat(new, more, axis=-1)), axis=-1)
        self.have += more


def pace_of(state: State, time: Floats, apart: Floats) -> None:
    """Learn when series are seen: their first and newest sample, and the usual seconds between two."""
    seen = state["seen"]
    cadence = np.where(seen == 1, apart, state["cadence"])
    cadence += 0.05 * (np.minimum(apart, 4 * cadence) - cadence) * (seen > 1)
    state["cadence"] = cadence
    state["born"] = np.where(seen == 0, time, state["born"])
    state["last"] = np.where(seen == 0, time, np.maximum(time, state["last"]))


def measured(value: Floats) -> Floats:
    """Return the values with NaN for what is no measurement."""
    with np.errstate(invalid="ignore"):
        clean: Floats = np.where(np.abs(value) <= LARGEST, value, np.nan)
    return clean


def _span(series: Rows) -> Rows | slice:
    """Return rows that follow one another as a slice, which is copied much faster."""
    if len(series) > 1 and series[-1] - series[0] == len(series) - 1 and (np.diff(series) == 1).all():
        return slice(int(series[0]), int(series[-1]) + 1)
    return series
