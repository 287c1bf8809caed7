"""How counts scatter about what was expected of them, learned a series, and how improbable that makes one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors.base import Floats
from detectors.columns import State
from detectors.counts import MOST

EDGE = 1.0  # surprise beyond which the tail is learned: a sample in twenty on either side
TWENTIETH = 0.05
DECADE = 1 / np.log(10.0)  # mean excess of a surprise that is what it says


def improbable(count: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return -log10 of the chance of a count at least so far from the mean, on its own side of it.

    A quasi-Poisson: counts of variance / mean each, so that parts of one weigh what they are, which
    the whole counts of `surprise_of_counts` would round away.
    """
    unit = variance / mean
    k, m = count / unit, mean / unit
    tail = np.where(count >= mean, special.gammainc(k, m), special.gammaincc(k + 1, m))
    with np.errstate(divide="ignore"):
        found: Floats = np.minimum(np.abs(np.log10(tail)), MOST)
    return found


def scatter(state: State) -> tuple[Floats, Floats]:
    """Return a and b of the variance a * m + b * m ** 2 of a value of mean m: e ** 2 / m regressed on m."""
    spread = np.maximum(state["squares"] - state["means"] ** 2, 0.0) + (0.2 * state["means"]) ** 2
    slope = (state["both"] - state["odds"] * state["means"]) / np.maximum(spread, 1e-300)
    rough = np.maximum(slope, 0.0)
    grain = np.maximum(state["odds"] - rough * state["means"], 0.05 * state["odds"])
    return np.maximum(grain, 1e-9 * np.maximum(state["overall"], 1e-9)), rough


def remember_scatter(
    state: State, off: Floats, mean: Floats, variance: Floats, apart: Floats, pace: Floats
) -> None:
    """Learn from how far each value was off its mean; apart is 1 but for shares."""
    seen = state["seen"]
    squared = np.minimum(off**2, np.where(seen < 30, np.inf, 16 * variance))
    odds = squared / np.maximum(mean * apart, 1e-300)
    pace = np.maximum(pace, 1 / np.maximum(seen, 1.0))
    telling = (mean > 0) & (mean >= 0.05 * state["overall"])  # of a shop that is closed nothing is learned
    pace = np.where((seen > 0) & telling, pace, 0.0)
    for name, new in (("odds", odds), ("means", mean), ("both", odds * mean), ("squares", mean**2)):
        state[name] += pace * (new - state[name])


def remember_wild(
    state: State, off: Floats, mean: Floats, chance: Floats, variance: Floats, pace: Floats
) -> None:
    """Learn by how much sums stray beyond chance, (spans, n): hours that are unlike other weeks'."""
    pace = np.where(chance > 0, pace, 0.0)
    beyond = np.minimum(off**2, 9 * variance) - chance
    state["wild"][0] += pace * (beyond - state["wild"][0])
    state["wild"][1] += pace * (mean**2 - state["wild"][1])


def tail(state: State, side: int | NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return how surprising EDGE is on that side by the series' own past, and the mean excess beyond it."""
    pick = np.arange(state["often"].shape[1])
    often = np.clip(state["often"][side, pick], 0.4 * TWENTIETH, 5 * TWENTIETH)
    return -np.log10(2 * often), state["excess"][side, pick]


def unlikely(surprise: float, often: Floats, excess: Floats) -> Floats:
    """Return -log10 of the chance on one side at which a sample alone is so surprising."""
    inside, beyond = surprise / often * EDGE, EDGE + (surprise - often) * excess / DECADE
    return np.where(surprise < often, inside, beyond)


def remember_tail(state: State, raw: Floats) -> None:
    """Learn how often and how far samples lie beyond EDGE, of an anomaly from its first sample only."""
    rate = 3.0 / np.minimum(state["seen"] + 100.0, 6000.0)
    rate = np.where((state["out"] == 0) & (state["seen"] >= 30), rate, 0.0)
    beyond = raw > EDGE
    state["often"] += rate * (beyond - state["often"])
    over = np.minimum(raw - EDGE, 4 * state["excess"] + 0.5)
    # Sums rise slowly, so an anomaly is beyond EDGE for long before it is odd: two hundred are remembered.
    pace = np.maximum(0.005, 1 / (20 + TWENTIETH * state["seen"]))
    excess = state["excess"] + np.where(beyond & (rate > 0), pace, 0.0) * (over - state["excess"])
    state["excess"] = np.maximum(excess, DECADE)
