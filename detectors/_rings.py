"""Requests over the spans of an error budget: samples a group in, sums over 5 minutes to a month out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

Ints: TypeAlias = NDArray[np.integer[Any]]

FAILED, ALL = 1, 0  # sides of a group; 2 is on both: requests that failed, beside the others

# Beyer et al. 2018, ch. 5, table 5-8: how many times the even pace, over which two spans of a 30-day period.
MONTH = 30 * 86400.0
PAIRS = ((14.4, 3600.0, 300.0), (6.0, 21600.0, 1800.0), (1.0, 259200.0, 21600.0))
SPANS = (*sorted({span for _, *spans in PAIRS for span in spans}), MONTH)
RATES = np.array([rate for rate, *_ in PAIRS])
USED = {"all": slice(None), "fast": slice(0, 2), "slow": slice(2, 3)}
LONG = [SPANS.index(long) for _, long, _ in PAIRS]
SHORT = [SPANS.index(short) for _, _, short in PAIRS]

BUCKETS = 13  # of a span: twelve whole ones, and the one that is going on
FIRST = (
    300.0  # s that a group's first sample but one speaks for at most, as nobody knows how often it is told
)


class Rings:
    """The rings of each group, and what its rows said last; 736 B a group."""

    def __init__(self) -> None:
        self.ring = np.zeros((0, len(SPANS), 2, BUCKETS), np.float32)  # requests, by side
        self.bucket = np.zeros((0, len(SPANS)), np.int64)  # the newest, counted since 1970
        self.rate = np.zeros((0, 2))  # requests a second, by side
        self.since = np.zeros(0)  # s: the first time
        self.last = np.zeros(0)  # s
        self.step = np.zeros(0)  # between the last two times, s
        self.usual = np.zeros(0)  # likewise, lately
        self.seen = np.zeros(0, np.int64)  # times

    def grow(self, need: int) -> None:
        more = need - len(self.last)
        if more > 0:
            more = max(more, len(self.last) // 2, 16)
            for name, column in vars(self).items():
                fresh = np.zeros((more, *column.shape[1:]), column.dtype)
                setattr(self, name, np.concatenate((column, fresh)))

    def clear(self, groups: Ints) -> None:
        for column in vars(self).values():
            column[groups] = 0

    def advance(self, groups: Ints, now: Floats, rate: Floats, width: Floats) -> dict[str, NDArray[Any]]:
        """Return the groups' state with the requests since their last time added.

        At the same time as the last, only what is new is: sides that come apart count the same seconds.
        """
        gone = np.where(self.last[groups] > 0, now - self.last[groups], 0.0)
        usual = self.usual[groups]
        on = gone > 0
        step = np.where(on, np.minimum(gone, np.where(usual > 0, 2 * usual, FIRST)), self.step[groups])
        requests = np.where(on[:, None], rate, rate - self.rate[groups]) * step[:, None]
        usual = np.where(on, np.where(usual > 0, usual + 0.1 * (step - usual), step), usual)

        bucket = np.maximum((now[:, None] / width).astype(np.int64), self.bucket[groups])
        slot = np.arange(BUCKETS)
        past = (slot - self.bucket[groups][:, :, None] - 1) % BUCKETS
        ring = self.ring[groups]
        stale = past < (bucket - self.bucket[groups])[:, :, None]
        ring = np.where(stale[:, :, None, :], np.float32(0), ring)
        going = (slot == (bucket % BUCKETS)[:, :, None])[:, :, None, :]
        ring = ring + (going * requests[:, None, :, None]).astype(np.float32)
        since = np.where(self.since[groups] > 0, self.since[groups], now)
        return {"ring": ring, "bucket": bucket, "rate": rate, "last": now, "step": step, "usual": usual} | {
            "since": since,
            "seen": self.seen[groups] + (on | (self.last[groups] <= 0)),
        }


def requests_of(ring: NDArray[np.float32], now: Floats, width: Floats) -> Floats:
    """Return the requests of each span up to now, (g, spans, 2), of the oldest bucket the part within."""
    place = now[:, None] / width
    oldest = (place.astype(np.int64) + 1) % BUCKETS
    weight = np.where(np.arange(BUCKETS) == oldest[:, :, None], 1 - (place % 1.0)[:, :, None], 1.0)
    found: Floats = np.maximum((ring * weight[:, :, None, :]).sum(axis=3), 0.0)
    return found
