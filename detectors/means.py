"""Means of long pasts and how sure they are: 8 to 15 batches each, twice as long whenever they fill up."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

BATCHES = 16

# Of a mean: the batches that are full, and the one that is being filled.
FIELDS: list[Any] = [
    ("taken", "i8"),  # samples
    ("full", "i4"),  # batches
    ("size", "i8"),  # samples of a batch
    ("batch", "f8", (BATCHES,)),  # their means
    ("part", "f8"),  # sum of the batch that is being filled
    ("parts", "i8"),  # samples in it
]
BYTES = np.dtype(FIELDS).itemsize


def begin(state: NDArray[np.void]) -> None:
    """Make the means as of nothing, in place."""
    for name in ("taken", "full", "batch", "part", "parts"):
        state[name] = 0
    state["size"] = 1


def add(state: NDArray[np.void], value: Floats) -> NDArray[np.void]:
    """Return the means with one more sample each, (n,)."""
    state = state.copy()
    state["taken"] += 1
    state["part"] += value
    state["parts"] += 1
    done = np.flatnonzero(state["parts"] >= state["size"])
    state["batch"][done, state["full"][done]] = state["part"][done] / state["parts"][done]
    state["full"][done] += 1
    state["part"][done], state["parts"][done] = 0.0, 0
    filled = np.flatnonzero(state["full"] == BATCHES)
    if len(filled):
        old = state["batch"][filled]
        new = np.zeros_like(old)
        new[:, : BATCHES // 2] = 0.5 * (old[:, 0::2] + old[:, 1::2])
        state["batch"][filled] = new
        state["full"][filled] = BATCHES // 2
        state["size"][filled] *= 2
    return state


def mean_of(state: NDArray[np.void]) -> tuple[Floats, Floats]:
    """Return each mean and its squared standard error, (n,); NaN of fewer than 2 batches.

    Batch means (Fishman 1978, "Grouping observations in digital simulation"): batches that grow with the
    past are soon longer than what one sample has to do with the next, so that their spread is honest.
    """
    full, size = state["full"], state["size"].astype(np.float64)
    weight = np.where(np.arange(BATCHES) < full[:, None], 1.0, 0.0)
    many = full + state["parts"] / size
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (np.sum(weight * state["batch"], axis=1) + state["part"] / size) / many
        square = np.sum(weight * (state["batch"] - mean[:, None]) ** 2, axis=1)
        # What the mean has of the batch that is being filled, its error must have too.
        last = state["part"] / np.maximum(state["parts"], 1) - mean
        error = (square + state["parts"] / size * last**2) / (many * (many - 1.0))
    return np.where(full >= 2, mean, np.nan), np.where(full >= 2, error, np.nan)
