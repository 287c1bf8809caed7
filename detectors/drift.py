"""Samples of many series to surprise, by whether the mean of the last hours has left that of days before."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors import tails
from detectors.base import Band, Facts, Floats, Rows
from detectors.columns import BLOCK, Columns, State, measured
from detectors.day import DAY, Day

SPANS = 96  # means that are kept of a series: two days of half hours
OLD, NEW = 8, 2  # fewest of them on either side of a cut
YOUNG = 1.05 * DAY  # s before which a drift may be the day's own way up
NORMAL = 1.2533  # standard deviations a mean absolute deviation, for a normal distribution
FAR = 4.0  # spreads that one sample or span may be away; more counts as so much
SLOW = 1 / 300  # of a span: pace of its spread, about the last week
DOUBT = 1.0  # surprise from which spans teach less of what noise is: a drift is none
HELD = 0.1  # and how much still
ECHO = 0.9  # most that a span is taken to keep of the one before
# The distance of the best cut as it is on quiet series: its mean, and as multiples of the series' own mean
# where one in fifty is beyond and how far those reach. All but the first hardly differ between noise that
# is white, echoes for half an hour or three, or has heavy tails (measured on 60 series of each).
USUAL = 1.9
PRIOR = 48.0  # spans for which that counts
MOST = 1.75  # times what is usual that one cut may teach
EDGE = math.log(1.65)
STRETCH = 0.065
WITHIN = 3.0  # power of the distance within the edge


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Drift`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score; it is 0 until a day has been seen
    span: float = 1800.0  # seconds that make one mean
    told: float = 4.0  # surprise at which the older part is let go
    band: float = 3.0  # surprise at which the expected band ends, for a single sample

    def __post_init__(self) -> None:
        if self.warm_up < 10:
            raise ValueError(f"warm_up: expected at least 10 samples, got {self.warm_up}")
        if min(self.span, self.told, self.band) <= 0:
            raise ValueError("span, told, band: expected numbers above 0")


def build(args: Args) -> Drift:
    return Drift(args)


class Drift:
    """A window of half-hour means that is cut where its newer part has left the older: catches slow drift.

    Catches what no sample and no hour shows: half a standard deviation in six hours, one in a day. The day's
    rhythm is taken out first, so it is silent for the first day and learns weekends by the first of them.
    When a drift is told the older part is let go, so it adapts at once and a drift that goes on is told
    again. Misses spikes, changes of variance alone, and what is small beside noise that echoes for hours:
    there the same drift happens by chance.

    After ADWIN: Bifet & Gavalda 2007, "Learning from time-changing data with adaptive windowing", sec. 3
    (every cut of the window, the older part dropped). Theirs bounds the means of independent samples for
    any distribution; here the distance is in units of the long-run variance (echo of one mean in the next)
    and of what is usual for the best cut of this series. Where noise is white river's ADWIN is as good and
    takes a sample in a third of the time; where it echoes for half an hour, given the same samples less
    the same day, it tells 9 drifts a quiet series-day, and this none, nor the true ones (benchmarks/
    detection/drift.py). Memory: 1090 B a series.

    Args:
        args: warm_up in samples; span in seconds; told and band in surprise.

    >>> d, row = Drift(), np.zeros(1, np.int32)
    >>> noise = np.sin(np.arange(5000.0) ** 2)
    >>> for k in range(4600):
    ...     value = noise[k] + min(max((k - 4000) / 360, 0.0), 1.0)
    ...     surprise, _ = d.take_many(row, np.array([60.0 * k]), np.array([value]))
    ...     if surprise[0] >= 4:
    ...         break
    >>> k, surprise.round(1), round(d.facts_of(0, 60.0 * k, value).onset / 60)
    (4153, array([5.4]), 4002)
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        one = np.zeros(1)
        self._columns = Columns(
            {
                "seen": one,  # samples learned
                "born": one,  # time of the first, s
                "stray": one,  # mean absolute distance of a sample from what was expected
                "sum": one,  # of the span that goes on, less the day
                "count": one,
                "began": one,  # s
                "width": one,  # spans in the window
                "closed": one,  # spans that taught what follows
                "mean": one,  # of the window
                "rough": one,  # mean square distance of a span from it
                "echo": one,  # mean product of that with the one before
                "last": one,  # that of the newest span
                "usual": one + USUAL,  # distance of the best cut
                "edge": one + EDGE,
                "stretch": one + STRETCH,
                "shown": one,  # surprise of the newest span
                "base": one,  # mean of the part that the newest is held against
                "onset": one,  # s
            }
        )
        self._spans = np.zeros((0, SPANS), np.float32)  # newest last
        self._day = Day()

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(series)
        return self._surprise(self._columns.look(series), measured(value))

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        self._grow(series)
        state = self._columns.look(series)
        expected = self._expected(series, state, time)
        reach = NORMAL * state["stray"] * math.sqrt(2 * self.args.band)
        return Band(expected, expected - reach, expected + reach)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(series)
        surprise, expected = np.empty(len(series)), np.empty(len(series))
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state, clean = self._columns.look(series[part]), measured(value[part])
            surprise[part] = self._surprise(state, clean)
            expected[part] = self._expected(series[part], state, time[part])
            use = np.isfinite(clean)
            if not use.all():
                state = {name: column[..., use] for name, column in state.items()}
            self._learn(series[part][use], state, time[part][use], clean[use])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        known = series[series < self._columns.have]
        self._columns.forget(known)
        self._spans[known] = 0.0
        self._day.forget(known)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        row = np.array([series], np.int32)
        state = self._columns.look(row)
        told = state["shown"][0] >= self.args.told
        usual = float(self._expected(row, state, np.array([time]))[0])
        return Facts(onset=float(state["onset"][0]) if told else math.nan, usual=usual)

    def _grow(self, series: Rows) -> None:
        need = int(series.max(initial=-1)) + 1
        if need > self._columns.have:
            self._columns.look(np.array([need - 1], np.int32))
            self._spans = np.pad(self._spans, ((0, self._columns.have - len(self._spans)), (0, 0)))

    def _surprise(self, state: State, value: Floats) -> Floats:
        known = np.isfinite(value) & (state["seen"] >= self.args.warm_up)
        surprise: Floats = np.where(known, state["shown"], np.nan)
        return surprise

    def _expected(self, series: Rows, state: State, time: Floats) -> Floats:
        day = self._day.at(series, time)
        seasonal = np.where(state["width"] > 0, day, np.nan)
        rough = np.where(state["count"] > 0, state["sum"] / np.maximum(state["count"], 1), state["mean"])
        found = np.where(np.isfinite(seasonal), seasonal + state["base"], rough)
        return np.where(state["seen"] >= self.args.warm_up, found, np.nan)

    def _learn(self, series: Rows, state: State, time: Floats, value: Floats) -> None:
        old = (state["seen"] > 0) & (time - state["born"] >= YOUNG)
        day = self._day.at(series, time)
        ended = (state["count"] > 0) & (time >= state["began"] + self.args.span)
        due = np.flatnonzero(ended)
        if len(due):
            some = {name: column[..., due] for name, column in state.items()}
            self._close(series[due], some, time[due])
            for name, column in some.items():
                state[name][..., due] = column
        state["born"] = np.where(state["seen"] == 0, time, state["born"])
        off = value - day
        use = old & np.isfinite(off)
        spread = NORMAL * state["stray"]
        miss = np.where(use, off - state["mean"], 0.0)
        far = np.where(state["closed"] < OLD, np.inf, FAR * spread)
        clipped = np.clip(miss, -far, far)
        state["began"] = np.where(use & (state["count"] == 0), time, state["began"])
        state["sum"] += np.where(use, state["mean"] + clipped, 0.0)
        state["count"] += use
        pace = np.maximum(1 / 2000, 1 / (state["seen"] + 1.0))
        state["stray"] += np.where(use, pace * (np.abs(clipped) - state["stray"]), 0.0)
        # The day is taken less the drift: it is a shape, and the level is the window's.
        self._day.learn(series, time, np.where(use, day + clipped, value))
        state["seen"] += 1
        self._columns.put(series, state)

    def _close(self, series: Rows, state: State, time: Floats) -> None:
        """Put the span that ended into the window, and look for a cut."""
        mean = state["sum"] / state["count"]
        state["sum"], state["count"] = np.zeros(len(series)), np.zeros(len(series))
        spans = np.concatenate((self._spans[series, 1:], mean[:, None].astype(np.float32)), axis=1)
        self._spans[series] = spans
        first = state["width"] == 0
        self._roughen(state, np.where(first, 0.0, mean - state["mean"]))
        state["width"] = np.minimum(state["width"] + 1, SPANS)

        distance, new, before, total = self._cut(spans.astype(np.float64), state)
        far = distance / state["usual"]
        shown = np.where(distance > 0, tails.rarity(far, state["edge"], state["stretch"], WITHIN), 0.0)
        told = shown >= self.args.told
        taught = (distance > 0) & (shown < 3.0)
        rate = np.where(taught, 3.0 / np.minimum(state["closed"] + 300.0, 6000.0), 0.0)
        least = (EDGE, STRETCH)
        state["edge"], state["stretch"] = tails.learned(far, state["edge"], state["stretch"], rate, least)
        pace = np.where(distance > 0, np.maximum(SLOW, 1.0 / (state["closed"] + PRIOR)), 0.0)
        state["usual"] += pace * (np.minimum(distance, MOST * state["usual"]) - state["usual"])
        state["shown"] = shown
        state["base"] = np.where(told, before, total)
        state["onset"] = np.where(told, time - new * self.args.span, state["onset"])
        state["width"] = np.where(told, new, state["width"])
        tail = np.cumsum(spans[:, ::-1], axis=1, dtype=np.float64)
        kept = np.maximum(state["width"], 1).astype(np.intp)
        state["mean"] = tail[np.arange(len(series)), kept - 1] / kept

    def _roughen(self, state: State, off: Floats) -> None:
        closed = state["closed"]
        pace = np.maximum(SLOW, 1 / (closed + 1.0)) * np.where(state["shown"] >= DOUBT, HELD, 1.0)
        far = np.where(closed < OLD, np.inf, FAR * np.sqrt(state["rough"]))
        off = np.clip(off, -far, far)
        state["rough"] += pace * (off * off - state["rough"])
        state["echo"] += pace * (off * state["last"] - state["echo"])
        state["last"] = off
        state["closed"] = closed + 1

    def _cut(self, spans: Floats, state: State) -> tuple[Floats, NDArray[np.float64], Floats, Floats]:
        """Return of the best cut: distance, 0 = none; spans on its newer side; mean of the older; of all."""
        kept = state["width"][:, None]
        new = np.arange(1.0, SPANS + 1)
        tail = np.cumsum(spans[:, ::-1], axis=1)
        pick = np.arange(len(spans))
        total = tail[pick, kept[:, 0].astype(np.intp) - 1][:, None]
        old = np.maximum(kept - new, 1.0)
        apart = np.abs(tail / new - (total - tail) / old)
        echo = np.clip(state["echo"] / np.maximum(state["rough"], 1e-300), 0.0, ECHO)
        unit = np.sqrt(state["rough"] * (1 + echo) / (1 - echo))[:, None]
        unit = np.maximum(unit, 1e-12)
        distance = apart / (unit * np.sqrt(1 / new + 1 / old))
        distance = np.where((new >= NEW) & (kept - new >= OLD), distance, 0.0)
        best = distance.argmax(axis=1)
        before = (total[:, 0] - tail[pick, best]) / old[pick, best]
        return distance[pick, best], best + 1.0, before, total[:, 0] / kept[:, 0]
