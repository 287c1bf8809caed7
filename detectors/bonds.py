"""Who belongs together and how: seats of groups, their members' covariance, and its inverse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats, Rows
from detectors.columns import Column

Mask = NDArray[np.bool_]
Places = NDArray[np.intp]

SEATS = 32  # at a table; a larger group takes several tables, in the order in which it was seated
WIDTHS = np.array([1, 2, 4, 8, 16, SEATS])  # tables are worked on beside those of about their size
OWN = 1e-3  # of its variance is each member's own, whatever the others seem to know of it
RENEW = 16  # calls between two looks at how the members of a table depend on each other
YOUNG = 60.0  # samples for which a bond counts that has to be learned anew


class Company(NamedTuple):
    """The tables that a call touches: everything is a matrix of (tables, width)."""

    table: Rows  # (t,)
    members: Rows  # row of each seat, -1 = empty
    row: Places  # of each sample (n,): its table, 0 .. t - 1
    seat: Places  # of each sample (n,)


class Bonds:
    """Covariance of distances from the level, between the members of a table; 270 B a row, 160 B a table.

    The inverse P of the shrunk covariance says what each member is expected to be given the others: its
    own distance less (P z)_i / P_ii, with a variance of 1 / P_ii (Dempster 1972, "Covariance selection").
    Tables and members are taken one by one, so none depends on which others are beside it.
    """

    def __init__(self, memory: float) -> None:
        self.memory = memory  # seconds
        self.group = np.full(0, -1, np.int32)
        self.table = np.full(0, -1, np.int32)
        self.seat = np.zeros(0, np.int32)
        self.known = np.zeros(0)  # samples that the bonds of a row rest on
        self.covariance = np.zeros((0, SEATS), np.float32)
        self.inverse = np.zeros((0, SEATS), np.float32)
        self.members = np.full((1, SEATS), -1, np.int32)
        self.taken = np.zeros(1, np.int32)  # seats, counted to the last that is taken
        self.counted = np.zeros((1, SEATS), np.bool_)  # members that the inverse is of
        self.age = np.zeros(1, np.int32)  # calls that taught it
        self._tables: dict[int, list[int]] = {}  # by group; bounded by the rows
        self._free = [0]

    def grow(self, rows: int) -> None:
        more = rows - len(self.group)
        if more <= 0:
            return
        self.group = np.pad(self.group, (0, more), constant_values=-1)
        self.table = np.pad(self.table, (0, more), constant_values=-1)
        self.seat, self.known = np.pad(self.seat, (0, more)), np.pad(self.known, (0, more))
        self.covariance = np.pad(self.covariance, ((0, more), (0, 0)))
        self.inverse = np.pad(self.inverse, ((0, more), (0, 0)))

    def sit(self, row: int, group: int) -> None:
        """Give a row that has none a seat in its group."""
        tables = self._tables.setdefault(group, [])
        table = next((k for k in tables if (self.members[k] < 0).any()), -1)
        if table < 0:
            table = self._free.pop() if self._free else self._new_table()
            tables.append(table)
        seat = int(np.argmax(self.members[table] < 0))
        self.members[table, seat] = row
        self.taken[table] = max(int(self.taken[table]), seat + 1)
        self.group[row], self.table[row], self.seat[row] = group, table, seat

    def leave(self, row: int) -> None:
        """Take the row's seat away, and all that tied it to the others."""
        group, table, seat = int(self.group[row]), int(self.table[row]), int(self.seat[row])
        if table < 0:
            return
        self.members[table, seat] = -1
        rest = self.members[table][self.members[table] >= 0]
        for tie in (self.covariance, self.inverse):
            tie[row] = 0.0
            tie[rest, seat] = 0.0
        self.counted[table, seat] = False
        self.age[table] = 0  # the inverse was of more members
        self.known[row] = 0.0
        self.group[row], self.table[row], self.seat[row] = -1, -1, 0
        if not len(rest):
            self.taken[table] = 0
            self._tables[group].remove(table)
            self._free.append(table)
            if not self._tables[group]:
                del self._tables[group]

    def parts(self, series: Rows, block: int) -> list[Places]:
        """Return the places of the seated, whole tables of about one size together, about `block` each."""
        table = self.table[series]
        wide = np.searchsorted(WIDTHS, self.taken[table])
        order = np.lexsort((table, wide))
        order = order[table[order] >= 0]
        if not len(order):
            return []
        table, wide = table[order], wide[order]
        rank = np.cumsum(np.diff(table, prepend=table[0]) != 0)
        piece = rank * WIDTHS[wide] // block
        cuts = np.flatnonzero((np.diff(piece) != 0) | (np.diff(wide) != 0)) + 1
        return np.split(order, cuts)

    def company(self, series: Rows) -> Company:
        """Return the tables of rows that are all seated, at tables of one width."""
        table, row = np.unique(self.table[series], return_inverse=True)
        width = WIDTHS[np.searchsorted(WIDTHS, self.taken[table[0]])]
        return Company(table, self.members[table, :width], row, self.seat[series].astype(np.intp))

    def inverses(self, company: Company, present: Mask, cadence: Floats) -> tuple[Floats, Mask]:
        """Return the inverse over those present, (t, w, w), and which tables' is not the one kept."""
        table, members = company.table, company.members
        width = members.shape[1]
        kept = np.where((members >= 0)[:, :, None], self.inverse[members, :width], 0.0).astype(np.float64)
        due = (self.age[table] % RENEW == 0) | (self.counted[table, :width] != present).any(axis=1)
        if due.any():
            kept[due] = self._invert(members[due], present[due], cadence[due])
        return kept, due

    def learn(
        self, company: Company, z: Column, present: Mask, weight: Floats, cadence: Floats, again: Mask
    ) -> None:
        """Take one look at the tables in, (t, w); `weight` (t,) is what of it counts, `again` starts anew."""
        members, width = company.members, company.members.shape[1]
        known = self.known[members]
        known = np.where(again[:, None], np.minimum(known, YOUNG), known)
        fewest = np.minimum(known[:, :, None], known[:, None, :])
        pace = np.maximum(np.minimum(cadence / self.memory, 1 / YOUNG)[:, None, None], 1 / (fewest + 1.0))
        both = present[:, :, None] & present[:, None, :]
        pace *= np.where(both, weight[:, None, None], 0.0)
        old = self.covariance[members, :width].astype(np.float64)
        old += pace * (z[:, :, None] * z[:, None, :] - old)
        sits = members >= 0
        rows = members[sits]
        self.covariance[rows, :width] = old[sits]
        self.known[rows] = (known + np.where(present, weight[:, None], 0.0))[sits]
        self.age[company.table] += 1

    def keep(self, company: Company, inverse: Floats, present: Mask, due: Mask) -> None:
        """Let the inverses that are due be the ones that are kept."""
        members, width = company.members[due], company.members.shape[1]
        sits = members >= 0
        self.inverse[members[sits], :width] = inverse[due][sits]
        self.counted[company.table[due], :width] = present[due]

    def _invert(self, members: Rows, present: Mask, cadence: Floats) -> Floats:
        """Return the inverse covariance of those present, shrunk towards none having to do with another."""
        width = members.shape[1]
        pick = np.arange(width)
        tied = self.covariance[members, :width].astype(np.float64)
        variance = tied[:, pick, pick]
        use = present & (variance > 1e-6)
        scale = np.where(use, 1.0 / np.sqrt(np.where(use, variance, 1.0)), 0.0)
        size = use.sum(axis=1)
        known = np.minimum(
            np.where(use, self.known[members], np.inf).min(axis=1), self.memory / np.maximum(cadence, 1e-3)
        )
        tied *= (known / (known + size))[:, None, None]
        tied *= scale[:, :, None] * scale[:, None, :]
        tied[:, pick, pick] = 1.0 + OWN
        _sweep(tied)
        tied *= -scale[:, :, None] * scale[:, None, :]
        return tied.astype(np.float32).astype(np.float64)

    def _new_table(self) -> int:
        have = len(self.taken)
        more = max(have // 2, 16)
        self.members = np.pad(self.members, ((0, more), (0, 0)), constant_values=-1)
        self.counted = np.pad(self.counted, ((0, more), (0, 0)))
        self.taken, self.age = np.pad(self.taken, (0, more)), np.pad(self.age, (0, more))
        self._free.extend(range(have + more - 1, have, -1))
        return have


def _sweep(matrix: Floats) -> None:
    """Turn symmetric matrices (t, w, w) into minus their inverses, in place, with no help of a library's.

    Beaton 1964: the sweep operator. A member that the others say all of keeps OWN of itself.
    """
    for k in range(matrix.shape[1]):
        pivot = np.maximum(matrix[:, k, k], OWN)
        column = matrix[:, :, k] / pivot[:, None]
        matrix -= column[:, :, None] * matrix[:, k, None, :]
        matrix[:, k, :] = column
        matrix[:, :, k] = column
        matrix[:, k, k] = -1.0 / pivot
