"""Samples of many series to surprise, by what each is at this time of day and how far it usually strays."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from detectors.base import Band, Floats, Rows

DAY = 86400.0
BUCKETS = 96  # of a day: a quarter of an hour follows an office's morning, and a day of it is 384 B
BLOCK = 4096  # rows at once, so that what is being worked on stays in the processor's cache

READY = 10  # samples before the first score of a series that began with what another knew

# Nothing that is measured has a larger number; a value beyond it is a fault of the sender, so missing.
LARGEST = 1e30

# Where the tail begins: one sample in fifty lies beyond it, one in a hundred on either side.
TAIL = 0.02
EDGE = math.log(2.33)  # of a normal distribution, in standard deviations; never nearer than that
PRIOR_EDGE = math.log(2.6)
PRIOR_STRETCH = 0.25  # mean log excess over the edge: p falls as distance ** (-1 / stretch)
MIN_STRETCH = 0.13  # of a normal distribution beyond 2.6 standard deviations
MAX_STRETCH = 10.0  # of a series that is mostly still and sometimes leaps
MAX_DRAWN = 1.0  # no band is drawn wider than as if p fell with 1 / distance
ODD = 3.0  # surprise from which a sample is taken for something else than the series' usual noise
# No spread is known so well that a distance of more than a thousand of them means what it says: a series
# that never moved has hardly any. Beyond it only the order counts.
FAR = math.log(1e3)
NORMAL = 1.2533  # standard deviations a mean absolute deviation, for a normal distribution

ROW = np.dtype(
    [
        ("seen", "i4"),  # samples learned
        ("lent", "?"),  # began with what another knew
        ("last", "f8"),  # time of the newest, s
        ("cadence", "f8"),  # seconds between two
        ("level", "f8"),
        ("stray", "f8"),  # mean absolute distance from the level
        ("offset", "f8"),  # of the level from the daily profile
        ("season_stray", "f8"),  # mean absolute distance from profile + offset
        ("season_seen", "i4"),
        ("edge", "f8", (2,)),  # log distance where the tail begins: below, above
        ("stretch", "f8", (2,)),  # how far the tail reaches: below, above
        ("near", "f8"),  # mean of about the last ten, whatever they were
        ("near_stray", "f8"),
        ("out", "i4"),  # samples out of band lately; those back inside count against them
        ("out_since", "f8"),
        ("bucket", "i4"),  # of the newest sample
        ("sum", "f8"),  # of the bucket's visit that is going on
        ("visits", "i4"),  # samples in it
    ]
)


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Seasonal`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score
    memory: float = 1800.0  # seconds the level looks back, at least 30 samples
    relearn: float = 1200.0  # seconds out of band, and at least 20 samples, after which it is the new level
    band: float = 3.0  # surprise at which the expected band ends
    floor: float = 1e-3  # least standard deviation, as a share of the level

    def __post_init__(self) -> None:
        if self.warm_up < 10:
            raise ValueError(f"warm_up: expected at least 10 samples, got {self.warm_up}")
        if min(self.memory, self.relearn, self.band, self.floor) <= 0:
            raise ValueError("memory, relearn, band, floor: expected numbers above 0")


def build(args: Args) -> Seasonal:
    return Seasonal(args)


class _Guess(NamedTuple):
    """What one block of samples was expected to be, from all that came before."""

    expected: Floats
    spread: Floats  # one standard deviation
    season: Floats  # the profile at this time of day, NaN where no earlier day has shown it

    def only(self, use: NDArray[np.bool_]) -> _Guess:
        return _Guess(self.expected[use], self.spread[use], self.season[use])


class Seasonal:
    """Distance from the level or from the day's profile, in spreads, under a tail learned from each series.

    Catches spikes, steps, drops and the wrong value for the hour; a value is as surprising as the series'
    own past says, so one threshold serves all. Misses slow drifts (the level follows within `memory`),
    changes of variance alone, and weekly rhythm.

    After Holt 1957 and Winters 1960 (level and additive season, here only where it predicts better than
    the level), Huber 1964 (what lies far out teaches only a little), and Pickands 1975 (a power law for
    what exceeds a high level). Memory: 516 B a series.

    Args:
        args: warm_up in samples; memory and relearn in seconds; band in surprise; floor a ratio.

    >>> d = Seasonal()
    >>> row = np.zeros(1, np.int32)
    >>> for t in range(120):
    ...     _ = d.take_many(row, np.array([60.0 * t]), np.array([5 + 0.1 * (t % 3)]))
    >>> d.score_many(row, np.array([7200.0]), np.array([5.1])).round(1)
    array([0.])
    >>> d.score_many(row, np.array([7200.0]), np.array([9.0])).round(1)
    array([6.7])
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._rows = np.zeros(0, ROW)
        self._profile = np.zeros((0, BUCKETS), np.float32)

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        state, guess = self._look(series, time)
        return self._surprise(state, guess, _measured(value))

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        state, guess = self._look(series, time)
        reach = np.exp(
            state["edge"] + state["stretch"] * ((self.args.band + math.log10(TAIL)) * math.log(10))
        )
        known = np.where(self._known(state), guess.expected, np.nan)
        return Band(known, known - reach[:, 0] * guess.spread, known + reach[:, 1] * guess.spread)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        surprise = np.empty(len(series))
        expected = np.empty(len(series))
        for k in range(0, len(series), BLOCK):
            part = slice(k, k + BLOCK)
            state, guess = self._look(series[part], time[part])
            clean = _measured(value[part])
            surprise[part] = self._surprise(state, guess, clean)
            expected[part] = np.where(self._known(state), guess.expected, np.nan)
            use = np.isfinite(clean)
            if not use.all():
                state, guess = state[use], guess.only(use)
            self._learn(series[part][use], state, guess, time[part][use], clean[use], surprise[part][use])
        return surprise, expected

    def borrow_many(self, series: Rows, donors: Rows) -> None:
        self._grow(int(max(series.max(initial=-1), donors.max(initial=-1))) + 1)
        lender = self._rows[donors]
        able = (lender["seen"] >= self.args.warm_up) & (self._rows["seen"][series] == 0) & (series != donors)
        rows, lender = series[able], lender[able]
        new = _fresh(len(rows))[0]
        new["lent"], new["edge"], new["stretch"] = True, lender["edge"], lender["stretch"]
        new["stray"] = lender["stray"] / np.maximum(np.abs(lender["level"]), 1e-9)
        self._rows[rows] = new

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known], self._profile[known] = _fresh(len(known))

    def _look(self, series: Rows, time: Floats) -> tuple[NDArray[np.void], _Guess]:
        """Return a copy of the rows' state and what they expect at that time."""
        self._grow(int(series.max(initial=-1)) + 1)
        state = self._rows[series]
        season = self._profile[series, _bucket(time)].astype(np.float64)
        with_season = season + state["offset"]
        seasonal = (
            np.isfinite(season) & (state["season_seen"] >= 60) & (state["season_stray"] < state["stray"])
        )
        expected = np.where(seasonal, with_season, state["level"])
        stray = np.where(seasonal, state["season_stray"], state["stray"])
        spread = np.maximum(np.maximum(NORMAL * stray, self.args.floor * np.abs(expected)), 1e-9)
        return state, _Guess(expected, spread, season)

    def _surprise(self, state: NDArray[np.void], guess: _Guess, value: Floats) -> Floats:
        distance = (value - guess.expected) / guess.spread
        above = (distance > 0).astype(np.intp)
        pick = np.arange(len(above))
        log = np.log(np.maximum(np.abs(distance), 1e-9))
        log = np.minimum(log, FAR) + 0.1 * np.maximum(log - FAR, 0.0)
        over = log - state["edge"][pick, above]
        # Beyond the edge a power law; inside it the 1.5th power of the distance, which is within 0.05
        # of the normal distribution's -log10 p.
        beyond = over / (state["stretch"][pick, above] * math.log(10))
        inside = -math.log10(TAIL) * np.exp(1.5 * np.minimum(over, 0.0))
        surprise = inside + np.maximum(beyond, 0.0)
        known: Floats = np.where(self._known(state), surprise, np.nan)
        return known

    def _known(self, state: NDArray[np.void]) -> NDArray[np.bool_]:
        enough: NDArray[np.bool_] = state["seen"] >= np.where(state["lent"], READY, self.args.warm_up)
        return enough

    def _learn(
        self,
        series: Rows,
        state: NDArray[np.void],
        guess: _Guess,
        time: Floats,
        value: Floats,
        surprise: Floats,
    ) -> None:
        seen = state["seen"]
        step = np.clip(time - state["last"], 0.0, None)
        cadence = np.where(seen == 1, step, state["cadence"])
        cadence += 0.05 * (np.minimum(step, 4 * cadence) - cadence) * (seen > 1)
        state["cadence"] = np.where(seen == 0, 0.0, cadence)
        state["last"] = np.where(seen == 0, time, np.maximum(time, state["last"]))

        self._remember_tail(state, guess, value)
        self._visit(series, state, guess, time, value)
        self._follow(state, guess, value, surprise >= ODD)
        self._relearn(state, guess, time, surprise)
        state["seen"] = seen + 1
        self._rows[series] = state

    def _follow(self, state: NDArray[np.void], guess: _Guess, value: Floats, odd: NDArray[np.bool_]) -> None:
        """Move level, offset and their spreads towards the sample, but only a little for one far out."""
        seen = state["seen"]
        young = np.where(odd, 0.0, 1.0 / (seen + 1.0))  # NaN is not odd: all that warms up is learned
        pace = np.maximum(np.minimum(state["cadence"] / self.args.memory, 1 / 30), young)
        slow = np.maximum(pace / 4, young)
        far = np.where(seen < 10, np.inf, 4 * guess.spread)

        first = seen == 0
        state["level"] = np.where(first, value, state["level"])
        # A spread that was lent is a share of the level, and counts as READY samples of its own.
        lent = first & state["lent"]
        state["stray"] = np.where(lent, state["stray"] * np.abs(value), state["stray"])
        miss = np.clip(value - state["level"], -far, far)
        state["level"] += pace * miss
        known = np.where(state["lent"] & (seen < READY), 1.0 / (seen + 1.0 + READY), slow)
        state["stray"] += known * (np.abs(miss) - state["stray"])

        with_season = np.isfinite(guess.season)
        count = state["season_seen"]
        fresh = with_season & (count == 0)
        offset = np.where(fresh, state["level"] - guess.season, state["offset"])
        miss = np.where(with_season, np.clip(value - guess.season - offset, -far, far), 0.0)
        young = np.where(odd, 0.0, 1.0 / (count + 1.0))
        state["offset"] = offset + np.maximum(pace, np.minimum(young, 1 / 30)) * miss
        strayed = np.maximum(slow, young) * (np.abs(miss) - state["season_stray"])
        state["season_stray"] += np.where(with_season, strayed, 0.0)
        state["season_seen"] = count + with_season

        quick = np.maximum(0.1, 1.0 / (seen + 1.0))
        near = np.where(first, value, state["near"])
        state["near_stray"] += quick * (np.abs(value - near) - state["near_stray"])
        state["near"] = near + quick * (value - near)

    def _relearn(self, state: NDArray[np.void], guess: _Guess, time: Floats, surprise: Floats) -> None:
        """Take the last ten samples for the new normal where a series has stayed out of band for long."""
        odd = surprise >= ODD
        out = np.where(odd, state["out"] + 1, np.maximum(state["out"] - 2, 0))
        since = np.where(odd & (state["out"] == 0), time, state["out_since"])
        settle = (out >= 20) & (time - since >= self.args.relearn)
        state["out"] = np.where(settle, 0, out)
        state["out_since"] = since
        if not settle.any():
            return
        for name, new in (
            ("level", state["near"]),
            ("stray", state["near_stray"]),
            ("offset", np.where(np.isfinite(guess.season), state["near"] - guess.season, state["offset"])),
            ("season_stray", np.maximum(state["near_stray"], state["season_stray"])),
        ):
            state[name] = np.where(settle, new, state[name])

    def _remember_tail(self, state: NDArray[np.void], guess: _Guess, value: Floats) -> None:
        """Learn where either tail begins and how far it reaches, of an anomaly from its first sample only."""
        distance = (value - guess.expected) / guess.spread
        rate = 3.0 / np.minimum(state["seen"] + 100.0, 6000.0)
        rate = np.where((state["out"] == 0) & (state["seen"] >= 30), rate, 0.0)
        for side, away in ((0, -distance), (1, distance)):
            edge, stretch = state["edge"][:, side], state["stretch"][:, side]
            over = np.log(np.maximum(away, 1e-9)) - edge
            beyond = (over > 0) & (rate > 0)
            excess = np.minimum(over, 4 * stretch + 0.5)
            stretch += np.where(beyond, 0.05 * (excess - stretch), 0.0)
            np.clip(stretch, MIN_STRETCH, MAX_STRETCH, out=stretch)
            edge += rate * np.where(beyond, 1 - TAIL / 2, -TAIL / 2)
            np.maximum(edge, EDGE, out=edge)

    def _visit(
        self, series: Rows, state: NDArray[np.void], guess: _Guess, time: Floats, value: Floats
    ) -> None:
        """Add the sample to its quarter of an hour; the quarter just left goes into the day's profile."""
        bucket = _bucket(time)
        left = np.flatnonzero((bucket != state["bucket"]) & (state["visits"] > 0))
        if len(left):
            rows, which = series[left], state["bucket"][left]
            mean = state["sum"][left] / state["visits"][left]
            old = self._profile[rows, which].astype(np.float64)
            self._profile[rows, which] = np.where(np.isnan(old), mean, old + 0.3 * (mean - old))
            state["sum"][left] = 0.0
            state["visits"][left] = 0
        state["sum"] += value
        state["visits"] += 1
        state["bucket"] = bucket

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need <= have:
            return
        more = max(need, have + have // 2, 16)
        rows, profile = _fresh(more - have)
        self._rows = np.concatenate((self._rows, rows))
        self._profile = np.concatenate((self._profile, profile))


def _fresh(n: int) -> tuple[NDArray[np.void], NDArray[np.float32]]:
    rows = np.zeros(n, ROW)
    rows["edge"] = PRIOR_EDGE
    rows["stretch"] = PRIOR_STRETCH
    return rows, np.full((n, BUCKETS), np.nan, np.float32)


def _measured(value: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        clean: Floats = np.where(np.abs(value) <= LARGEST, value, np.nan)
    return clean


def _bucket(time: Floats) -> NDArray[np.int64]:
    return ((time % DAY) * (BUCKETS / DAY)).astype(np.int64) % BUCKETS
