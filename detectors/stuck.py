"""Samples of many series to surprise, by how long a value has stood still to the last digit."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Band, Facts, Floats, Rows
from detectors.runs import FEW, Runs, surprise_of_run

BLOCK = 4096  # rows at once, so that what is being worked on stays in the processor's cache
LARGEST = 1e18  # nothing that is measured is larger
ODD = 4.0  # surprise from which a run is held to be a fault, and teaches less
RESTS = 8  # repeats from which a value may be the one that the series rests at
PACE = 0.01  # of what is expected: the mean of about the last hundred moves

ROW = np.dtype(
    [
        ("seen", "i4"),  # samples learned
        ("run", "i4"),  # samples in a row that repeated the one before
        ("odd", "i4"),  # length at which this run became odd, 0 = not yet
        ("last", "f8"),  # value of the newest
        ("since", "f8"),  # time at which that value was first seen, s
        ("rest", "f8"),  # value of most of the long runs: what the series rests at
        ("votes", "i4"),  # of runs for it, less those for others
        ("level", "f8"),  # mean of values moved to
        ("stray", "f8"),  # their mean distance from it
    ]
)


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Stuck`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score
    memory: float = 14 * 86400.0  # seconds after which what was seen counts for half

    def __post_init__(self) -> None:
        if self.warm_up < 20:
            raise ValueError(f"warm_up: expected at least 20 samples, got {self.warm_up}")
        if not self.memory > 0:
            raise ValueError(f"memory: expected seconds above 0, got {self.memory}")


def build(args: Args) -> Stuck:
    return Stuck(args)


class Stuck:
    """Repeats of one value, to the last digit, against how long the series' own repeats have lasted.

    Catches a sensor, exporter or cache that goes on giving its last answer, and a rate that stays at 0 in
    a series that always moved. A series that is often flat, or of few values, has taught that by its runs
    and stays quiet; one that is flat each night is told on its first nights. The value at which a series
    rests, such as 0, is held against its own runs, so that a freeze amid traffic still shows. Misses a value
    that freezes with noise on it, and a series that has hardly ever moved.

    The chance that a run goes on to twice its length is the rule of succession (Laplace 1774), a tenth where
    nothing is known, and p the share of samples, not runs, so that one long run weighs by its length. The
    resting value is that of most long runs (Boyer and Moore 1981). Memory: 216 B a series.

    Args:
        args: warm_up in samples; memory in seconds.

    >>> d = Stuck()
    >>> row = np.zeros(1, np.int32)
    >>> for k in range(500):
    ...     _ = d.take_many(row, np.array([60.0 * k]), np.array([20 + 0.01 * (7 * k % 97)]))
    >>> for k in range(500, 512):
    ...     surprise, _ = d.take_many(row, np.array([60.0 * k]), np.array([20.5]))
    >>> surprise.round(1)
    array([6.2])
    >>> d.facts_of(0, 60.0 * 511, 20.5).onset
    30000.0
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._rows = np.zeros(0, ROW)
        self._runs = Runs(self.args.memory)
        self._rests = Runs(self.args.memory)  # at the resting value

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(int(series.max(initial=-1)) + 1)
        return self._surprise(series, self._rows[series], _measured(value))

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        self._grow(int(series.max(initial=-1)) + 1)
        state = self._rows[series]
        known = np.where(state["seen"] >= self.args.warm_up, state["level"], np.nan)
        return Band(known, known - 3 * state["stray"], known + 3 * state["stray"])

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise, expected = np.empty(len(series)), np.empty(len(series))
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state, clean = self._rows[series[part]], _measured(value[part])
            surprise[part] = self._surprise(series[part], state, clean)
            expected[part] = np.where(state["seen"] >= self.args.warm_up, state["level"], np.nan)
            use = np.isfinite(clean)
            self._learn(series[part][use], state[use], time[part][use], clean[use], surprise[part][use])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known] = np.zeros(1, ROW)
        self._runs.forget(known)
        self._rests.forget(known)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        state = self._rows[series]
        return Facts(onset=float(state["since"]), still=bool(state["run"] >= 1))

    def _surprise(self, series: Rows, state: NDArray[np.void], value: Floats) -> Floats:
        surprise = np.where(np.isfinite(value) & (state["seen"] >= self.args.warm_up), 0.0, np.nan)
        again = np.flatnonzero((value == state["last"]) & (surprise == 0))
        if not len(again):
            return surprise
        rows, run = series[again], state["run"][again] + 1.0
        resting = value[again] == state["rest"][again]
        rested, moving = self._rests.reached[rows], self._runs.reached[rows]
        # Of a value at which it has hardly ever rested, all its runs say what is usual.
        counts = np.where((rested[:, :1] >= FEW) & resting[:, None], rested, moving)
        counts = np.where((rested[:, :1] < FEW) & resting[:, None], rested + moving, counts)
        surprise[again] = surprise_of_run(counts, run)
        return surprise

    def _learn(
        self, series: Rows, state: NDArray[np.void], time: Floats, value: Floats, surprise: Floats
    ) -> None:
        first = state["seen"] == 0
        moved = (value != state["last"]) | first
        ended = moved & ~first
        run, odd = state["run"], state["odd"]
        self._vote(state, ended & (run >= RESTS))
        resting = state["last"] == state["rest"]
        for table, which in ((self._rests, ended & resting), (self._runs, ended & ~resting)):
            table.end(series[which], time[which], run[which].astype(np.float64), odd[which].astype(float))

        pace = np.where(moved, np.maximum(PACE, 1.0 / (state["seen"] + 1.0)), 0.0)
        off = value - state["level"]
        state["level"] += pace * off
        state["stray"] += pace * (np.abs(np.where(first, 0.0, off)) - state["stray"])
        state["run"] = np.where(moved, 0, run + 1)
        began = (odd == 0) & (surprise >= ODD)
        state["odd"] = np.where(moved, 0, np.where(began, run + 1, odd))
        state["since"] = np.where(moved, time, state["since"])
        state["last"] = value
        state["seen"] += 1
        self._rows[series] = state

    def _vote(self, state: NDArray[np.void], long: NDArray[np.bool_]) -> None:
        """Let the value of a long run that ended be the resting one where most of them were there."""
        resting = state["last"] == state["rest"]
        votes = state["votes"] + np.where(long, np.where(resting, 1, -1), 0)
        other = votes < 0
        state["rest"] = np.where(other, state["last"], state["rest"])
        state["votes"] = np.where(other, 1, np.minimum(votes, 100))

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need > have:
            more = max(need, have + have // 2, 16)
            self._rows = np.concatenate((self._rows, np.zeros(more - have, ROW)))
            self._runs.grow(more)
            self._rests.grow(more)


def _measured(value: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        clean: Floats = np.where(np.abs(value) <= LARGEST, value, np.nan)
    return clean
