"""Which series stand beside which: rows of groups side by side, and the medians of groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows

Places = NDArray[np.intp]
Mask = NDArray[np.bool_]

# A member is in the picture for so many of its cadences after its newest sample; scrapes of one interval
# come up to one cadence apart, and one or two may be lost.
STALE = 4.0
UNKNOWN = 300.0  # s: taken for the cadence of a member that was heard once


class Picture(NamedTuple):
    """All members of the groups that a call touches, by group and then by row."""

    rows: Rows  # (m,)
    group: Places  # (m,) 0 .. groups - 1
    groups: int
    first: Places  # (groups,) where each begins
    here: Places  # (n,) where in `rows` each series that was asked for is


class Groups:
    """Group and side of each row; any numbers >= 0 will do for groups. 5 B a row, and 20 B of index."""

    def __init__(self) -> None:
        self.group = np.full(0, -1, np.int32)
        self.side = np.zeros(0, np.int8)
        self._index: tuple[Rows, Places, Places, Places] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_index": None}  # it follows from the rest

    def grow(self, rows: int) -> None:
        more = max(rows - len(self.group), 0)
        self.group = np.pad(self.group, (0, more), constant_values=-1)
        self.side = np.pad(self.side, (0, more))

    def seat(self, series: Rows, group: Rows, side: Rows) -> Rows:
        """Seat the rows; return those that sat elsewhere until now."""
        moved = (self.group[series] != group) | (self.side[series] != side)
        if moved.any():
            self.group[series], self.side[series] = group, side
            self._index = None
        new: Rows = series[moved]
        return new

    def forget(self, series: Rows) -> None:
        self.group[series], self.side[series] = -1, 0
        self._index = None

    def blocks(self, series: Rows, size: int) -> Iterator[Places]:
        """Yield places in `series` of rows with a seat: about `size` at once, whole groups, by group and row.

        What is added up over a group is added in the order of its rows, whatever the order of the call.
        """
        seated = np.flatnonzero(self.group[series] >= 0)
        group = self.group[series[seated]]
        order = np.lexsort((series[seated], group))
        edges = np.append(np.flatnonzero(np.diff(group[order], prepend=-1)), len(order))
        cuts = np.unique(edges[np.searchsorted(edges, np.arange(0, len(order), size))])
        for begin, end in zip(cuts, np.append(cuts[1:], len(order)), strict=True):
            yield seated[order[begin:end]]

    def picture(self, series: Rows) -> Picture:
        """Return the members of the groups of the series; each has a seat, and may come twice."""
        if self._index is None:
            self._index = self._indexed()
        order, start, dense, place = self._index
        touched = np.zeros(len(start) - 1, np.bool_)
        touched[dense[series]] = True
        which = np.flatnonzero(touched)
        size = start[which + 1] - start[which]
        begin = np.cumsum(size) - size
        group = np.repeat(np.arange(len(which)), size)
        rows = order[np.arange(len(group)) + (start[which] - begin)[group]]
        number = np.cumsum(touched) - 1
        mine = dense[series]
        return Picture(rows, group, len(which), begin, begin[number[mine]] + place[series] - start[mine])

    def _indexed(self) -> tuple[Rows, Places, Places, Places]:
        """Return rows by group, where each group begins among them, and of each row its group and place."""
        seated = np.flatnonzero(self.group >= 0)
        order = seated[np.argsort(self.group[seated], kind="stable")].astype(np.int32)
        of = self.group[order]
        new = np.flatnonzero(np.diff(of, prepend=-1))
        dense, place = np.full(len(self.group), -1, np.intp), np.full(len(self.group), -1, np.intp)
        dense[order] = np.cumsum(np.diff(of, prepend=-1) != 0) - 1
        place[order] = np.arange(len(order))
        return order, np.append(new, len(order)), dense, place


def fresh(picture: Picture, last: Floats, cadence: Floats, time: Floats, mine: Mask) -> Mask:
    """Say which members (m,) were heard of late; `mine` have a sample in this call, at `time` (m,)."""
    now = np.full(picture.groups, np.inf)
    np.minimum.at(now, picture.group[mine], time[mine])
    wait = STALE * np.where(cadence > 0, cadence, UNKNOWN)
    late = now[picture.group] - last
    present: Mask = mine | (np.isfinite(late) & (late <= wait))
    return present


def lately(picture: Picture, member: NDArray[np.void]) -> Mask:
    """Say which members (m,), with `heard`, `last` and `cadence`, were heard of late.

    That is as seen from the newest of their group, and not from any clock.
    """
    been = member["heard"] > 0
    last = np.where(been, member["last"], -np.inf)
    newest = np.maximum.reduceat(last, picture.first)[picture.group]
    found: Mask = been & fresh(picture, last, member["cadence"], newest, been & (last == newest))
    return found


def count(picture: Picture, use: Mask) -> Places:
    """Return how many members of each group are in use, (groups,)."""
    return np.bincount(picture.group[use], minlength=picture.groups)


def median(picture: Picture, value: Floats, use: Mask) -> Floats:
    """Return the median of each group over the members in use, (groups,); NaN where there is none."""
    n = count(picture, use)
    group, value = picture.group[use], value[use]
    ordered = np.append(value[np.lexsort((value, group))], np.nan)
    first = np.cumsum(n) - n
    low = np.where(n > 0, first + (n - 1) // 2, len(value))
    high = np.where(n > 0, first + n // 2, len(value))
    found: Floats = 0.5 * (ordered[low] + ordered[high])
    return found


def measured(value: Floats, largest: float = 1e18) -> Mask:
    """Say which values (n,) can be measurements; nothing that is measured is larger."""
    with np.errstate(invalid="ignore"):
        found: Mask = np.abs(value) <= largest
    return found


def beat(heard: NDArray[np.int32], last: Floats, cadence: Floats, time: Floats) -> Floats:
    """Return the seconds between two samples of each, learned from one more at `time`."""
    step = np.clip(time - last, 0.0, None)
    known = cadence + 0.05 * (np.minimum(step, 4 * cadence) - cadence)
    found: Floats = np.where(heard == 0, 0.0, np.where(heard == 1, step, known))
    return found
