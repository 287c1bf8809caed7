"""Samples of many series to surprise, by how surely each will soon reach its limit; and when."""

from __future__ import annotations

import math
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors import foretold, trends
from detectors.base import Band, Facts, Floats, Rows

BLOCK = 2048  # rows at once, so that what is being worked on stays in the processor's cache
LARGEST = 1e18  # its square is still a number in 32 bits; nothing that is measured is larger
MOST = 16.0  # surprise of a limit that is reached; no chance is known better than that
CLEANED = 0.03  # of the room left: a smaller drop is no clean-up
# Instants at which the chance of having reached the limit is worked out, as shares of the longest horizon.
ASKED = np.geomspace(1e-4, 1.0, 400)

ROW = np.dtype(
    [
        *trends.FIELDS,
        *foretold.FIELDS,
        ("cleaned", "f4"),  # clean-ups seen
        ("peak", "f8"),  # mean value before one,
        ("peaks", "f8"),  # and mean square about it
    ]
)


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Limit`; the defaults are what is shipped and measured."""

    limit: float = 100.0  # the series' unit
    direction: Literal["above", "below"] = "above"  # which side of it is out of room
    horizon: float = 4 * 3600.0  # seconds within which reaching it is a surprise
    max_horizon: float = 86400.0  # seconds beyond which nothing is foretold
    warm_up: int = 60  # samples before the first score, and three forecasts of the shortest span

    def __post_init__(self) -> None:
        if not math.isfinite(self.limit):
            raise ValueError(f"limit: expected a number, got {self.limit}")
        if not 0 < self.horizon <= self.max_horizon:
            raise ValueError(f"horizon: expected 0 < horizon <= max_horizon, got {self.horizon}")
        if self.warm_up < 30:
            raise ValueError(f"warm_up: expected at least 30 samples, got {self.warm_up}")


def build(args: Args) -> Limit:
    return Limit(args)


class Limit:
    """Lines through the past, tried on forecasts of their own, to when a limit will be reached.

    Surprise is -log10 of the chance that the limit is not reached within the horizon if the series goes on as
    it has: 1 says nine in ten, 4 all but certain. It stands in for a p-value: of all times that s is
    said, the share that proves false should be 10^-s. A series far from its limit scores 0.

    Catches disks, memory, queues and quotas that fill: steadily, faster and faster, in batches, by day more
    than by night. A leap, such as a clean-up, moves the past, so that the slope holds; once clean-ups were
    seen, that the next comes in time is reckoned with. Misses what leaps to its limit; does not know that a
    first clean-up will come, nor a stop before it is there, and takes its word back some 40 min after that.

    Discounted least squares (Brown 1963) over five spans, the best of them for each distance by its own
    past errors, whose two sides give the interval: errors are of the most that was seen until then,
    so that they hold for first passage. Memory: 1,162 B a series.

    Args:
        args: limit in the series' unit; horizon and max_horizon in seconds; warm_up in samples.

    >>> d = Limit(Args(limit=100.0, horizon=7200.0))
    >>> row = np.zeros(1, np.int32)
    >>> for k in range(600):
    ...     at, value = 60.0 * k, 30.0 + 0.1 * k + 0.2 * (7 * k % 5)
    ...     surprise, _ = d.take_many(row, np.array([at]), np.array([value]))
    >>> surprise.round(1)
    array([3.9])
    >>> [round((t - at) / 60) for t in d.facts_of(0, at, value)[5:8]]
    [96, 94, 101]
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._sign = 1.0 if self.args.direction == "above" else -1.0
        self._limit = self._sign * self.args.limit
        self._rows = _fresh(0)

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(int(series.max(initial=-1)) + 1)
        return self._surprise(self._rows[series], time, self._measured(value))

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        self._grow(int(series.max(initial=-1)) + 1)
        state = self._rows[series]
        a = foretold.look_ahead(state, np.maximum(time - state["last"], 0.0))
        known = np.where(self._known(state), a.centre, np.nan)
        if self._sign < 0:
            return Band(-known, -known - 3 * a.above, -known + 3 * a.below)
        return Band(known, known - 3 * a.below, known + 3 * a.above)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise, expected = np.empty(len(series)), np.empty(len(series))
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            expected[part] = self.expect_many(series[part], time[part]).expected
            state, x = self._rows[series[part]], self._measured(value[part])
            surprise[part] = self._surprise(state, time[part], x)
            use = np.isfinite(x)
            self._learn(series[part][use], state[use], time[part][use], x[use])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known] = _fresh(1)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        """Return the slope, and when the limit is reached if that is likelier than not within max_horizon."""
        row = self._rows[series : series + 1]
        if not len(row) or not self._known(row)[0]:
            return Facts()
        hour = foretold.look_ahead(np.repeat(row, 2), np.array([3600.0, 7200.0])).centre
        slope = self._sign * float(hour[1] - hour[0]) / 3600
        ahead = self.args.max_horizon * ASKED
        chance = np.maximum.accumulate(self._chance(np.repeat(row, len(ahead)), ahead))
        soonest, reached, latest = (
            time + float(np.interp(p, chance, ahead)) if chance[-1] >= p else math.inf
            for p in (0.1, 0.5, 0.9)
        )
        if not math.isfinite(reached):
            return Facts(slope=slope)
        limit = self.args.limit
        return Facts(slope=slope, limit=limit, reached=reached, soonest=soonest, latest=latest)

    def _known(self, state: NDArray[np.void]) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = (state["seen"] >= self.args.warm_up) & (state["tried"][:, 0] >= 3)
        return known

    def _surprise(self, state: NDArray[np.void], time: Floats, x: Floats) -> Floats:
        passed = np.maximum(time - state["last"], 0.0)
        left = 1.0 - self._chance(state, passed + self.args.horizon)
        surprise = np.minimum(-np.log10(np.maximum(left, 1e-300)), MOST)
        surprise = np.where(x >= self._limit, MOST, surprise)
        known: Floats = np.where(self._known(state) & np.isfinite(x), surprise, np.nan)
        return known

    def _chance(self, state: NDArray[np.void], ahead: Floats) -> Floats:
        """Return the chance that the limit will have been reached so many seconds after the newest sample."""
        a = foretold.look_ahead(state, ahead)
        over = a.centre - self._limit
        tail = 2 * special.stdtr(a.freedom, -np.abs(over) / np.where(over > 0, a.below, a.above))
        found: Floats = np.where(over > 0, 1 - a.share * tail, (1 - a.share) * tail)
        return found * self._spared(state)

    def _spared(self, state: NDArray[np.void]) -> Floats:
        """Return the chance that no clean-up comes before the limit, by how high it stood before others."""
        level = trends.lines(state)[0][:, 0]
        spread = np.maximum(np.sqrt(state["peaks"]), 0.03 * np.abs(self._limit - state["peak"])) + 1e-9
        # Rule of succession: of so many times that it filled up, it never came to the limit.
        fails = 1.0 / (state["cleaned"] + 2.0)
        later, now = (
            fails + (1 - fails) * special.ndtr((state["peak"] - at) / spread) for at in (self._limit, level)
        )
        spared: Floats = np.where(state["cleaned"] > 0, np.minimum(later / now, 1.0), 1.0)
        return spared

    def _learn(self, series: Rows, state: NDArray[np.void], time: Floats, x: Floats) -> None:
        passed = trends.pass_on(state, time)
        off, leapt = trends.add(state, passed, x)
        cleaned = leapt & (-off >= CLEANED * (self._limit - x))
        if leapt.any():
            # A leap tells nothing of how steadily it fills; where leaps are usual, none is far out.
            trends.move(state, np.where(leapt, off, 0.0))
            _remember(state, cleaned, np.minimum(x - off, state["most"][:, 0]))
        foretold.judge(state, x)
        self._rows[series] = state

    def _measured(self, value: Floats) -> Floats:
        """Return values with the limit above them; NaN where they are no measurements."""
        with np.errstate(invalid="ignore"):
            clean: Floats = np.where(np.abs(value) <= LARGEST, self._sign * value, np.nan)
        return clean

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need > have:
            more = max(need, have + have // 2, 16)
            self._rows = np.concatenate((self._rows, _fresh(more - have)))


def _remember(state: NDArray[np.void], cleaned: NDArray[np.bool_], high: Floats) -> None:
    """Note how high each stood before its clean-up; what was under way was foretold of a fill that ended."""
    pace = np.maximum(0.1, 1.0 / (state["cleaned"] + 1.0)) * cleaned
    away = high - state["peak"]
    state["peaks"] += np.where(state["cleaned"] > 0, pace, 0.0) * (away**2 - state["peaks"])
    state["peak"] += pace * away
    state["cleaned"] += cleaned
    state["made"][cleaned] = np.nan


def _fresh(n: int) -> NDArray[np.void]:
    rows = np.zeros(n, ROW)
    rows["made"] = np.nan
    return rows
