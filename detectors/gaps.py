"""When samples of each series came to how surprising it is that none has come since."""

from __future__ import annotations

import numpy as np

from detectors.base import Floats, Rows
from detectors.runs import Runs

FEW = 22  # samples before a silence says anything
ODD = 4.0  # surprise from which a silence is held to be a fault, and teaches less
MEMORY = 14 * 86400.0  # seconds after which what was seen counts for half

ROW = np.dtype(
    [
        ("seen", "i4"),  # samples heard, each later than the one before
        ("last", "f8"),  # time of the newest, s
        ("cadence", "f8"),  # seconds between two
    ]
)


class Gaps:
    """Silences against the series' own: how many beats of its cadence it has left out before, and how often.

    Of a series that comes by the clock the second missed sample is odd; one that comes by chance, or
    rests each night, has taught longer silences. It has no score of its own: samples tell that they are
    late only once they are there, so `surprise_many` is asked as time goes by.

    What is counted is in detectors/runs.py. Memory: 100 B a series; a look takes 1 us for each that is late.

    >>> gaps = Gaps()
    >>> row = np.zeros(1, np.int32)
    >>> for k in range(500):
    ...     gaps.hear_many(row, np.array([15.0 * k]))
    >>> [float(gaps.surprise_many(row, 15.0 * 499 + late)[0].round(1)) for late in (15, 30, 60, 180)]
    [0.0, 3.9, 4.9, 6.2]
    """

    def __init__(self, memory: float = MEMORY) -> None:
        self._rows = np.zeros(0, ROW)
        self._runs = Runs(memory)

    def hear_many(self, series: Rows, time: Floats) -> None:
        """Note that samples of distinct series came; what is not later than before says nothing."""
        self._grow(int(series.max(initial=-1)) + 1)
        state = self._rows[series]
        step = time - state["last"]
        later = (step > 0) | (state["seen"] == 0)
        series, time, step, state = series[later], time[later], step[later], state[later]
        seen, cadence = state["seen"], state["cadence"]
        counted = np.flatnonzero(seen >= 2)
        if len(counted):
            missed = _missed(step[counted], cadence[counted])
            odd = self._odd(series[counted], missed)
            self._runs.end(series[counted], time[counted], np.floor(missed), odd)
        pace = np.maximum(0.05, 1.0 / np.maximum(seen, 1))
        near = np.where(seen > 1, np.minimum(step, 4 * cadence), step)
        state["cadence"] = np.where(seen > 0, cadence + pace * (near - cadence), 0.0)
        state["last"] = time
        state["seen"] = seen + 1
        self._rows[series] = state

    def surprise_many(self, series: Rows, now: float | Floats) -> Floats:
        """Return the surprise of nothing for so long, (n,) >= 0; NaN for series of fewer than 22 samples.

        Surprise is -log10 of the share of the series' time in which it was silent for so long.
        """
        self._grow(int(series.max(initial=-1)) + 1)
        state = self._rows[series]
        surprise = self._runs.surprise(series, _missed(now - state["last"], state["cadence"]))
        known: Floats = np.where(state["seen"] >= FEW, surprise, np.nan)
        return known

    def usual_many(self, series: Rows) -> tuple[Floats, Floats]:
        """Return when each was last heard and the seconds usual between two, (n,) each."""
        self._grow(int(series.max(initial=-1)) + 1)
        return self._rows["last"][series], self._rows["cadence"][series]

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known] = np.zeros(1, ROW)
        self._runs.forget(known)

    def _odd(self, series: Rows, missed: Floats) -> Floats:
        """Return the number of missed beats at which a silence became odd, (n,); 0 where it never was."""
        odd = np.zeros(len(series))
        long = np.flatnonzero(missed >= 1)
        some = long[self._runs.surprise(series[long], missed[long]) >= ODD]
        if not len(some):
            return odd
        low, high = np.zeros(len(some)), missed[some]
        while (high - low > np.maximum(0.1 * high, 0.5)).any():
            middle = 0.5 * (low + high)
            is_odd = self._runs.surprise(series[some], middle) >= ODD
            low, high = np.where(is_odd, low, middle), np.where(is_odd, middle, high)
        odd[some] = np.maximum(high, 1.0)
        return odd

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need > have:
            more = max(need, have + have // 2, 16)
            self._rows = np.concatenate((self._rows, np.zeros(more - have, ROW)))
            self._runs.grow(more)


def _missed(silent: Floats, cadence: Floats) -> Floats:
    """Return how many beats were left out, (n,) >= 0; half a beat late is none."""
    beats = np.divide(silent, cadence, out=np.ones(len(silent)), where=cadence > 0)
    missed: Floats = np.maximum(beats - 1.0, 0.0) * (beats >= 1.5)
    return missed
