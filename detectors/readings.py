"""Four readings of each series, with a slope or without, less the usual day or not, and which is believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.columns import Column, State

SLOPED = np.array([False, True, False, True])[:, None]
DAILY = np.array([False, False, True, True])[:, None]
BETTER = 0.8  # a reading is taken up when it leaves less than this share of the present one's variance
STEADY = 0.99  # most that a sample is taken to keep of the one before
FAR = 4.0  # standard deviations beyond which a sample pulls no more
NOISE = 120.0  # samples over which the size of what is new is averaged
NEAR = 8.0  # and over which what is left is


class Guess(NamedTuple):
    """What one block of samples was expected to be, by each reading."""

    day: Floats  # (n,), usual at this time, NaN where no earlier day has shown it
    base: Floats  # (4, n), in the series' unit
    echo: Floats  # (4, n), what is kept of the sample before, 0-1
    time: Floats  # (n,)
    apart: Floats  # (n,) s since the sample before

    def only(self, use: NDArray[np.intp]) -> Guess:
        return Guess(self.day[use], self.base[:, use], self.echo[:, use], self.time[use], self.apart[use])


def fresh() -> State:
    """Return what a series never seen has."""
    four, one = np.zeros((4, 1)), np.zeros(1)
    return {
        "reading": one,  # which of the four is believed
        "anchor": one,  # its first value, from which levels are measured
        "rests": four,  # samples the level rests on
        "level": four,  # over the anchor
        "slope": four,  # unit/s
        "left": four,  # of the newest sample, by this reading
        "near": four,  # mean of that over about eight
        "size": four,  # mean square of it
        "carry": four,  # mean product of it with the one before
        "noise": four,  # mean square of what is new in it
    }


def guess(state: State, day: Floats, time: Floats, memory: float) -> Guess:
    """Say what samples are expected at that time, given what is usual in the day."""
    apart = np.where(state["seen"] > 0, np.maximum(time - state["last"], 0.0), 0.0)
    ahead = np.where(SLOPED, state["slope"] * np.minimum(apart, memory), 0.0)
    base = state["anchor"] + state["level"] + ahead + np.where(DAILY, day, 0.0)
    return Guess(day, base, echo(state, apart), time, apart)


def of(table: Column, reading: Column) -> Floats:
    """Return the row of (k, n) that each series believes, (n,)."""
    return np.asarray(table[reading.astype(np.intp), np.arange(table.shape[1])], np.float64)


def echo(state: State, apart: Floats) -> Floats:
    """Return what a sample keeps of the one before it, (4, n), by each reading."""
    rests = state["rests"]
    ratio = state["carry"] / np.maximum(state["size"], 1e-300)
    # A mean taken from the same n samples hides some of what they share: Kendall 1954, Biometrika 41.
    kept = np.clip(ratio + (1 + 4 * ratio) / np.maximum(rests, 1.0), 0.0, STEADY)
    kept = np.where(rests > 10, kept, 0.0)
    steps = apart / np.maximum(state["cadence"], 1e-3)
    gap = np.flatnonzero(steps > 1.5)
    if len(gap):
        kept[:, gap] = kept[:, gap] ** steps[gap]
    return kept


def follow(state: State, seen: Guess, left: Floats, news: Floats, pace: Floats, memory: float) -> None:
    """Move each reading's level, slope and spreads towards the samples, at `pace` (n,) in 0-1.

    `left` (4, n) is what the guess left of them, NaN where a reading says nothing, and `news` what of
    that the sample before did not say already. The gains are those of the mean, and of the least-squares
    line, of all samples so far and then of about `memory` seconds of them.
    """
    cadence = np.maximum(state["cadence"], 1e-3)
    shown = np.isfinite(left)
    held = np.where(shown, pace, 0.0)
    begun = np.where(shown & (state["rests"] < 1), 1.0, held)
    state["rests"] = np.minimum(state["rests"] + begun, np.maximum(memory / cadence, 300.0))
    n = np.maximum(state["rests"], 1.0)
    rate = held / n
    rest = np.where(shown, left, 0.0)
    far = np.where(n < 10, np.inf, FAR * np.sqrt(state["size"]) + 1e-9)
    pull = np.minimum(np.maximum(rest, -far), far)

    ahead = np.where(SLOPED & shown, state["slope"] * np.minimum(seen.apart, memory), 0.0)
    state["level"] += ahead + np.where(SLOPED, (4 * n - 2) / (n + 1), 1.0) * rate * pull
    state["slope"] += np.where(SLOPED & (n > 1.5), 6 / (n + 1) * rate * pull / cadence, 0.0)

    beside = seen.apart < 1.5 * cadence
    before = np.minimum(np.maximum(state["left"], -far), far)
    state["size"] += rate * (pull * pull - state["size"])
    state["carry"] += beside * rate * (pull * before - state["carry"])
    new = np.where(shown & (n > 1), news, 0.0)
    new = np.minimum(new * new, np.where(n < 10, np.inf, FAR * FAR * state["noise"] + 1e-18))
    state["noise"] += beside * held / np.minimum(n, NOISE) * (new - state["noise"])
    state["left"] = rest
    state["near"] += np.where(shown, (rest - state["near"]) / NEAR, 0.0)


def choose(state: State, least: Floats, held: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Believe the reading that leaves least, none less than `least`; return where it is another now."""
    # Once believed, the day is not doubted for a new base's few samples.
    new = DAILY & (state["reading"] < 2)
    ready = state["rests"] >= np.where(new, 60.0, 3.0)
    doubt = np.where(new, 1 + 2 * np.sqrt(2 / np.maximum(state["rests"], 1.0)), 1.0)
    size = np.where(ready, np.maximum(state["size"], least) * doubt, np.inf)
    best = np.argmin(size, axis=0).astype(np.float64)
    turns: NDArray[np.bool_] = (of(size, best) < BETTER * of(size, state["reading"])) & ~held
    state["reading"] = np.where(turns, best, state["reading"])
    return turns


def rebase(state: State, k: int) -> None:
    """Let a series' levels be where it has lately been, each reading's by what it sees itself.

    What was a shift without the day may be the day itself, so that a reading with it is not moved for it.
    """
    reading = int(state["reading"][k])
    state["level"][:, k] += state["near"][:, k]
    state["left"][:, k] -= state["near"][:, k]
    state["near"][:, k] = 0.0
    moved = slice(None) if reading >= 2 else slice(2)
    state["rests"][moved, k] = np.minimum(state["rests"][moved, k], 2 * NEAR)


def bend(state: State, k: int, slope: float) -> None:
    """Let a series have a slope, in its unit a second, and be believed to have it."""
    reading = int(state["reading"][k])
    sloped = reading | 1
    state["slope"][sloped, k] = slope
    state["size"][sloped, k] = min(state["size"][sloped, k], 0.7 * state["size"][reading, k])
    state["reading"][k] = sloped
