"""What every detector promises; tests/detectors/test_contract.py holds each one to it."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]


class Band(NamedTuple):
    """What was expected of n samples, in the series' own unit; NaN while not known."""

    expected: Floats  # (n,)
    lower: Floats  # (n,)
    upper: Floats  # (n,)


class Facts(NamedTuple):
    """What a detector can say of a sample beside its surprise; NaN, or 0 peers: nothing to say of that."""

    onset: float = math.nan  # s since 1970: when what is seen began, as estimated afterwards
    highest: float = math.nan  # s: nothing as high has been seen for so long
    lowest: float = math.nan  # s
    slope: float = math.nan  # the series' unit a second
    limit: float = math.nan  # the series' unit: what it will reach if it goes on so,
    reached: float = math.nan  # s since 1970: when,
    soonest: float = math.nan  # s since 1970: and the interval that holds the truth four times in five
    latest: float = math.nan  # s since 1970; inf = perhaps never
    peers: int = 0  # series it was compared with
    usual: float = math.nan  # of those peers, or of this hour and weekday: the series' unit
    still: bool = False  # the value has not changed since the onset
    burn: float = math.nan  # how many times as fast as it may an error budget burns
    left: float = math.nan  # part of the error budget, below 0 where it is overspent


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

    def forget_many(self, series: Rows) -> None:
        """Make the rows as if never seen, so that other series may have them; rows never seen are none."""
        ...


@runtime_checkable
class Grouped(Protocol):
    """A detector that looks at series beside each other: instances of a service, failed of all requests."""

    def seat_many(self, series: Rows, group: Rows, side: Rows) -> None:
        """Say which group (>= 0) each row belongs to and which side of it (0 or 1) it is on.

        Comes before a row's first sample, and again, with the same or another answer, at any time.
        Samples of a group that are scored in one call see each other; samples of one group that come
        apart see the newest of each other.
        """
        ...


@runtime_checkable
class Borrowing(Protocol):
    """A detector whose new series need not begin from nothing."""

    def borrow_many(self, series: Rows, donors: Rows) -> None:
        """Let rows never seen begin with what their donors (n,) know that holds for the like of them.

        That is shape: spread as a share of the level, tails, the day's profile as a ratio. The level is
        the series' own, from its first samples. A row that was never seen is no donor: nothing happens.
        """
        ...


@runtime_checkable
class Telling(Protocol):
    """A detector that knows more of a sample than its surprise."""

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        """Return what can be said of the newest sample of a row; asked for few, after it was learned."""
        ...
