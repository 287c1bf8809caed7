"""The least and the most of each of the last 28 days, and for how long nothing was like a value."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats
from detectors.columns import Column, State

DAY = 86400.0
DAYS = 28


def fresh_highs() -> dict[str, Column]:
    """Return the columns of a series never seen; 232 B."""
    return {
        "low": np.full((DAYS, 1), np.inf, np.float32),
        "high": np.full((DAYS, 1), -np.inf, np.float32),
        "day": np.zeros(1),  # of the newest value
    }


def remember_day(state: State, day: NDArray[np.int64], value: Floats) -> None:
    """Take the values into their day; days without any, and those of four weeks ago, are empty."""
    new = np.flatnonzero(day > state["day"])
    if len(new):
        newest = state["day"][new].astype(np.int64)
        gone = (np.arange(DAYS)[:, None] - newest - 1) % DAYS < day[new] - newest
        state["low"][:, new] = np.where(gone, np.inf, state["low"][:, new])
        state["high"][:, new] = np.where(gone, -np.inf, state["high"][:, new])
        state["day"][new] = day[new]
    slot, pick = state["day"].astype(np.int64) % DAYS, np.arange(len(value))
    single = value.astype(np.float32)
    state["low"][slot, pick] = np.minimum(state["low"][slot, pick], single)
    state["high"][slot, pick] = np.maximum(state["high"][slot, pick], single)


def unmatched(state: State, value: float) -> tuple[float, float]:
    """Return for how many s at least nothing of the one series was as high, and as low: whole days; or NaN.

    Neither today nor the day of the last one as high, nor the first that was seen, is a whole one.
    """
    back = (int(state["day"][0]) - np.arange(DAYS)) % DAYS
    high, low = state["high"][back, 0], state["low"][back, 0]
    first = int(np.flatnonzero(np.isfinite(high)).max(initial=0))
    found = []
    for beyond in (high > np.float32(value), low < np.float32(value)):
        last = int(np.flatnonzero(beyond)[0]) if beyond.any() else first
        found.append(DAY * (last - 1) if last > 1 else math.nan)
    return found[0], found[1]
