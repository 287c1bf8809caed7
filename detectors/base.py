"""What every detector promises; tests/test_detectors.py holds each one to it."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]


class Band(NamedTuple):
    """What was expected of n samples, in the series' own unit; NaN while not known."""

    expected: Floats  # (n,)
    lower: Floats  # (n,)
    upper: Floats  # (n,)


class Detector(Protocol):
    """One detector for all series at once. Rows of one call are distinct; times never go back.

    Each kind is a file in this folder with an `Args` struct (its knobs, checked when made) and a function
    `build(args)`. What it has learned is numpy arrays that grow with the highest row seen, so that it
    pickles exactly; its docstring says how many bytes a series takes.
    """

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        """Return the surprise of each sample, (n,) >= 0; NaN while warming up or where value is NaN.

        Surprise is -log10 p: the p-value of a sample at least this extreme if nothing were
        wrong. Must not change what the detector has learned.
        """
        ...

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        """Take the samples in. What to hold back after an anomaly is the detector's own affair."""
        ...

    def expect_many(self, series: Rows, time: Floats) -> Band:
        """Return what a sample of each series at that time would be expected to be."""
        ...

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        """Score, then learn, in one pass where speed asks for it; the same numbers as the two calls.

        Returns the surprise, (n,), and what was expected before the sample was learned, (n,).
        """
        ...
