"""Straight lines through what each series was lately, over five lengths of time at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

# Each span is four times the last: from ten minutes to 43 hours.
SPANS = 5
WIDER = 4.0
LEAST = 600.0  # seconds of the shortest, and at least ten samples
EARLY = 20  # samples before the cadence is known well enough to choose the shortest
OLDEST = 12.0  # spans: a gap makes what was before it no fainter than this does

FAR = 10.0  # times the usual distance from the shortest line: an outlier, unless the next is as far
CLIP = 4.0  # times the usual distance beyond which a sample teaches no more of what is usual

FIELDS = [
    ("seen", "i4"),  # samples learned
    ("began", "f8"),  # time of the first, s
    ("last", "f8"),  # time of the newest, s
    ("least", "f8"),  # seconds of the shortest span, 0 = not chosen
    ("step", "f8"),  # mean square of what a sample differs from the shortest line
    ("out", "i1"),  # side on which the newest was an outlier
    # Discounted sums over each span, times counted from the newest sample.
    ("n", "f8", (SPANS,)),
    ("t", "f8", (SPANS,)),
    ("tt", "f8", (SPANS,)),
    ("x", "f8", (SPANS,)),
    ("tx", "f8", (SPANS,)),
]
SUMS = ("n", "t", "tt", "x", "tx")


def distances(state: NDArray[np.void]) -> Floats:
    """Return the seconds of each span, (n, SPANS)."""
    found: Floats = np.maximum(state["least"], LEAST)[:, None] * WIDER ** np.arange(SPANS)
    return found


def lines(state: NDArray[np.void]) -> tuple[Floats, Floats]:
    """Return level at the newest sample and slope a second of each span, (n, SPANS) each."""
    n = np.maximum(state["n"], 1e-9)
    mean_t, mean_x = state["t"] / n, state["x"] / n
    width = state["tt"] / n - mean_t**2
    cross = state["tx"] / n - mean_t * mean_x
    slope = np.where((n > 2.5) & (width > 1e-6), cross / np.maximum(width, 1e-6), 0.0)
    return mean_x - slope * mean_t, slope


def pass_on(state: NDArray[np.void], time: Floats) -> Floats:
    """Let time pass: sums fade with their span and are counted from now. Return the seconds that passed."""
    first = state["seen"] == 0
    passed: Floats = np.where(first, 0.0, np.maximum(time - state["last"], 0.0))
    state["began"] = np.where(first, time, state["began"])
    state["last"] = np.where(first, time, np.maximum(time, state["last"]))
    state["seen"] += 1
    chosen = (state["least"] == 0) & (state["seen"] >= EARLY)
    cadence = (state["last"] - state["began"]) / (EARLY - 1)
    state["least"] = np.where(chosen, np.maximum(LEAST, 10 * cadence), state["least"])

    d = passed[:, None]
    keep = np.exp(-np.minimum(d / distances(state), OLDEST))
    n, t, x = state["n"], state["t"], state["x"]
    state["tt"] = keep * (state["tt"] - 2 * d * t + d * d * n)
    state["tx"] = keep * (state["tx"] - d * x)
    state["t"] = keep * (t - d * n)
    state["n"], state["x"] = keep * n, keep * x
    return passed


def add(state: NDArray[np.void], passed: Floats, x: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Take a sample into all lines, unless it is the first far out; return how far off it was, and which
    (n,) are the second in a row far out on one side: the series has leapt."""
    level = lines(state)[0][:, 0]
    off = x - level
    usual = np.sqrt(state["step"])
    known = (state["seen"] > EARLY) & (passed <= state["least"])  # nothing leaps over a gap
    side = np.where(known & (np.abs(off) > FAR * usual), np.sign(off), 0).astype(np.int8)
    leapt = (side != 0) & (side == state["out"])
    state["out"] = side
    most = np.where(state["seen"] > EARLY, (CLIP * usual) ** 2 + 1e-24, np.inf)
    pace = np.where(state["seen"] > 1, np.maximum(0.02, 1.0 / state["seen"]), 0.0)
    state["step"] += pace * (np.minimum(off * off, most) - state["step"])
    state["n"] += 1.0
    state["x"] += np.where((side != 0) & ~leapt, level, x)[:, None]
    return off, leapt


def move(state: NDArray[np.void], by: Floats) -> None:
    """Move the past by so much, (n,), so that lines go on from another level with the slope they had.

    The newest sample is part of that past; it is there as it was, and stays so.
    """
    shift = by[:, None]
    state["x"] += shift * (state["n"] - 1.0)
    state["tx"] += shift * state["t"]
