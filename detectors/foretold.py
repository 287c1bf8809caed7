"""What was foretold of each series against what came: which line serves how far ahead, and how well."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.trends import SPANS, SUMS, WIDER, distances, lines

PRIOR = 2.0  # forecasts that what holds for shorter ones counts for
NEWEST = 0.1  # weight of the newest forecast in what is learned of them
CLIP = 4.0  # root mean squares beyond which an error teaches no more
SHORT = 5.0  # root mean squares below the forecast: filling has changed, and the older past says no more
FEW = 5  # forecasts before an error is held against the usual one

FIELDS = [
    # A forecast under way for each distance: of the most that will have been seen by then.
    ("made", "f8", (SPANS,)),  # time, NaN = none
    ("begun", "f8", (SPANS,)),  # value
    ("most", "f8", (SPANS,)),  # since
    ("told", "f8", (SPANS, SPANS)),  # by each line
    ("tried", "f4", (SPANS,)),  # forecasts that came due
    ("bias", "f4", (SPANS, SPANS)),  # mean error of each line
    ("square", "f4", (SPANS, SPANS)),  # mean square of it
    ("low", "f4", (SPANS, SPANS)),  # mean square about the bias of what came below it, else 0
    ("under", "f4", (SPANS, SPANS)),  # share of errors below the bias
    # What follows of all that for each distance.
    ("pick", "i1", (SPANS,)),  # the line that serves best
    ("off", "f8", (SPANS,)),  # what to add to it
    ("below", "f8", (SPANS,)),  # one standard deviation of what comes below that, and above
    ("above", "f8", (SPANS,)),
    ("share", "f8", (SPANS,)),  # chance of coming below
]


class Ahead(NamedTuple):
    """The most that will have been seen by some time, (n,) each."""

    centre: Floats
    below: Floats  # one standard deviation of what falls short of it
    above: Floats
    share: Floats  # chance of falling short
    freedom: Floats  # of Student's t


def look_ahead(state: NDArray[np.void], ahead: Floats) -> Ahead:
    """Return what is foretold of so many seconds after the newest sample."""
    level, slope = lines(state)
    reach = distances(state)
    beyond = np.maximum(ahead / reach[:, -1], 1.0)
    near = np.sqrt(np.minimum(ahead / reach[:, 0], 1.0))
    place = np.clip(np.log(np.maximum(ahead / reach[:, 0], 1e-9)) / np.log(WIDER), 0.0, SPANS - 1.0)
    first = np.minimum(place.astype(np.intp), SPANS - 2)
    row = np.arange(len(state))
    centre, below, above, share, freedom = np.zeros((5, len(state)))
    for k, weight in ((first, 1 - (place - first)), (first + 1, place - first)):
        pick = state["pick"][row, k]
        centre += weight * (
            level[row, pick] + slope[row, pick] * ahead + state["off"][row, k] * beyond * near
        )
        # What is under way tells at once where the forecast no longer holds.
        passed = (state["last"] - state["made"][row, k]) / reach[row, k]
        begun = state["begun"][row, k]
        astray = np.abs(level[row, 0] - begun - (state["told"][row, k, pick] - begun) * passed)
        astray = np.where(np.isfinite(astray), astray, 0.0)
        down, up = state["below"][row, k], state["above"][row, k]
        below += weight * np.log(np.hypot(down, np.maximum(astray - down, 0.0)) + 1e-12)
        above += weight * np.log(np.hypot(up, np.maximum(astray - up, 0.0)) + 1e-12)
        share += weight * state["share"][row, k]
        freedom += weight * (3.0 + np.minimum(state["tried"][row, k], 20.0))
    return Ahead(centre, np.exp(below) * beyond, np.exp(above) * beyond, share, freedom)


def judge(state: NDArray[np.void], x: Floats) -> None:
    """Take a sample: hold forecasts that have come due against the most that came, and make the next."""
    np.maximum(state["most"], x[:, None], out=state["most"])
    reach = distances(state)
    waited = state["last"][:, None] - state["made"]
    row, k = np.nonzero((state["least"][:, None] > 0) & ~(waited < reach))
    if not len(row):
        return
    fair = waited[row, k] <= 1.5 * reach[row, k]  # else it came due in a gap
    if fair.any():
        _learn(state, row[fair], k[fair])
        _conclude(state, np.unique(row[fair]))
    level, slope = lines(state)
    state["made"][row, k] = state["last"][row]
    state["begun"][row, k] = state["most"][row, k] = x[row]
    state["told"][row, k] = level[row] + slope[row] * reach[row, k][:, None]


def _learn(state: NDArray[np.void], row: NDArray[np.intp], k: NDArray[np.intp]) -> None:
    """Learn the errors of forecasts (row, k); where filling fell short, let the longer lines begin anew."""
    error = state["most"][row, k][:, None] - state["told"][row, k]
    tried = state["tried"][row, k][:, None]
    usual = np.sqrt(state["square"][row, k].astype(np.float64))
    short = (tried >= FEW) & (error < -SHORT * usual) & (np.arange(SPANS) > k[:, None])
    most = np.where(tried >= FEW, CLIP * usual + 1e-12, np.inf)
    error = np.clip(error, -most, most)
    pace = np.maximum(NEWEST, 1.0 / (tried + 1.0))
    off = error - state["bias"][row, k]
    state["bias"][row, k] += pace * off
    state["square"][row, k] += pace * (error**2 - state["square"][row, k])
    state["low"][row, k] += pace * (np.where(off < 0, off * off, 0.0) - state["low"][row, k])
    state["under"][row, k] += pace * ((off < 0) - state["under"][row, k])
    state["tried"][row, k] += 1
    for each in np.flatnonzero(short.any(axis=1)):
        for name in SUMS:
            state[name][row[each], short[each]] = state[name][row[each], k[each]]


def _conclude(state: NDArray[np.void], rows: NDArray[np.intp]) -> None:
    """Choose the line for each distance, what to add to it and how far it strays, shorter ones first."""
    tried, bias, square, low, under = (
        state[name][rows].astype(np.float64) for name in ("tried", "bias", "square", "low", "under")
    )
    spans, row = np.arange(SPANS), np.arange(len(rows))
    guess, last, before = square[:, 0], np.zeros(len(rows)), np.zeros(len(rows))
    for k in range(SPANS):
        n = tried[:, k]
        if k:
            guess = guess * np.where(k > spans, WIDER, 2.0) ** 2
            guess = (n[:, None] * square[:, k] + PRIOR * guess) / (n + PRIOR)[:, None]
        pick = np.argmin(guess, axis=1)
        b, q, lower = bias[row, k, pick], square[row, k, pick], low[row, k, pick]
        # The side of an error is hardly known of a few; half of them, then.
        share = (n * under[row, k, pick] + PRIOR) / (n + 2 * PRIOR)
        upper = np.maximum(q - b * b - lower, 0.0)
        down = (n * lower + PRIOR * q / 2) / (n + PRIOR) / share
        up = (n * upper + PRIOR * q / 2) / (n + PRIOR) / (1 - share)
        if k:
            # Of what was hardly tried, the error is taken to grow with the distance as it did so far.
            grown = np.where(k > pick, WIDER, 2.0) ** 2
            if k > 1:
                grown = np.sqrt(grown * np.clip(last / np.maximum(before, 1e-300), 1.0, WIDER**2))
            down = (n * down + PRIOR * last * grown) / (n + PRIOR)
            up = (n * up + PRIOR * last * grown) / (n + PRIOR)
        before, last = last, share * down + (1 - share) * up
        state["pick"][rows, k], state["share"][rows, k] = pick, share
        state["off"][rows, k] = b * n / (n + PRIOR)
        state["below"][rows, k], state["above"][rows, k] = np.sqrt(down), np.sqrt(up)
