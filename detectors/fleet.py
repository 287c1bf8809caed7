"""Samples of instances that do the same work to surprise, by how far each is from where its peers put it."""

from __future__ import annotations

import math

import msgspec
import numpy as np

from detectors import pooled
from detectors.base import Band, Facts, Floats, Rows
from detectors.groups import Groups, Mask, Picture, beat, lately, measured, median
from detectors.peers import GONE, NORMAL, ROW, Look, Members, fresh_rows, look, place, tail_of

BLOCK = 4096  # rows at once, so that what is being worked on stays in the processor's cache
ODD = 3.0  # surprise from which a sample is taken for something else than the usual noise
TWO = math.log10(2.0)  # two looks at each sample, and the more surprising counts


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Fleet`; the defaults are what is shipped and measured."""

    warm_up: int = 30  # samples of a member before its first score
    peers: int = 2  # least number of others; of two instances nobody knows which is the odd one
    memory: float = 21600.0  # seconds a member's usual offset looks back, at least 30 samples
    near: float = 900.0  # seconds of the mean that shows small lasting offsets, at least 10 samples
    relearn: float = 21600.0  # seconds out of band, and at least 20 samples, after which that is usual
    band: float = 3.0  # surprise at which the expected band ends
    floor: float = 1e-3  # least standard deviation, as a share of the level

    def __post_init__(self) -> None:
        if self.warm_up < 10:
            raise ValueError(f"warm_up: expected at least 10 samples, got {self.warm_up}")
        if self.peers < 2:
            raise ValueError(f"peers: expected at least 2 others, got {self.peers}")
        if not min(self.memory, self.near, self.relearn, self.band, self.floor) > 0:
            raise ValueError("memory, near, relearn, band, floor: expected numbers above 0")


def build(args: Args) -> Fleet:
    return Fleet(args)


class Fleet:
    """Distance from the median of a member's peers at this moment, less what is usual for that member.

    Catches one instance that leaves its peers: at once where it is far off, by the mean of a quarter of an
    hour where it is little. What moves them all is nobody's surprise, and an instance that always runs
    hotter is none. Misses what most of a group do together, groups of fewer than three, and an offset that
    grows over days. The first of a group to report a shared jump looks odd for that one sample.

    After Hampel 1974, "The influence curve and its role in robust estimation" (median and MAD), and Pickands
    1975 (a power law for what exceeds a high level). Difference or log ratio: whichever has fitted the
    member better. Spread and offset are each member's own, the tail is what all of a group have shown,
    so that groups of three are as honest as groups of fifty. Memory: 229 B a series.

    Args:
        args: warm_up in samples; peers a count; memory, near, relearn in seconds; band in surprise; floor a
            ratio.

    >>> d, rows = Fleet(), np.arange(4, dtype=np.int32)
    >>> d.seat_many(rows, np.zeros(4, np.int32), np.zeros(4, np.int32))
    >>> for k in range(100):
    ...     _ = d.take_many(rows, np.full(4, 60.0 * k), 10 + k % 7 + np.sin(k * (rows + 1)))
    >>> d.score_many(rows, np.full(4, 6000.0), np.array([90.0, 91.0, 89.0, 90.0])).round(1)
    array([0. , 0.4, 0.4, 0. ])
    >>> d.score_many(rows, np.full(4, 6000.0), np.array([90.0, 91.0, 15.0, 90.0])).round(1)
    array([0. , 0.4, 9.5, 0. ])
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._rows = np.zeros(0, ROW)
        self._groups = Groups()

    def seat_many(self, series: Rows, group: Rows, side: Rows) -> None:
        self._grow(int(series.max(initial=-1)) + 1)
        moved = self._groups.seat(series, group, np.zeros_like(side))
        self._rows[moved] = fresh_rows(len(moved))

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise = np.full(len(series), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            picture = self._groups.picture(series[part])
            member = self._rows[picture.rows]
            seen = self._look(picture, member, time[part], value[part])
            surprise[part] = self._surprise(seen, *tail_of(picture, member)[:2])
        return surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        self._grow(int(series.max(initial=-1)) + 1)
        found = np.full((3, len(series)), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            picture = self._groups.picture(series[part])
            member = self._rows[picture.rows]
            edge, stretch, _ = tail_of(picture, member)
            far = pooled.reach(self.args.band + TWO, edge[:, 0], stretch[:, 0])
            found[:, part] = self._expect(picture, member, far[picture.group])
        return Band(*found)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise, expected = np.full((2, len(series)), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            rows, at, v = series[part], time[part], value[part]
            picture = self._groups.picture(rows)
            member = self._rows[picture.rows]
            expected[part] = self._expect(picture, member, np.zeros((len(member), 2)))[0]
            seen = self._look(picture, member, at, v)
            edge, stretch, learned = tail_of(picture, member)
            surprise[part] = found = self._surprise(seen, edge, stretch)
            ok = measured(v)
            if ok.any():
                self._learn_tail(picture, seen, edge, stretch, learned)
                self._learn(rows[ok], at[ok], v[ok], seen.only(ok), found[ok])
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known] = fresh_rows(len(known))
        self._groups.forget(known)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        if series >= len(self._rows) or self._groups.group[series] < 0:
            return Facts()
        picture = self._groups.picture(np.array([series], np.int32))
        others = (picture.rows != series) & lately(picture, self._rows[picture.rows])
        state = self._rows[series]
        usual = float(median(picture, self._rows["value"][picture.rows], others)[0])
        return Facts(
            onset=float(state["since"]) if state["out"] else math.nan, peers=int(others.sum()), usual=usual
        )

    def _look(self, picture: Picture, member: Members, time: Floats, value: Floats) -> Look:
        return look(picture, member, time, value, self.args.peers, self.args.floor, self.args.near)

    def _surprise(self, look: Look, edge: Floats, stretch: Floats) -> Floats:
        each = pooled.surprise(look.z, edge[look.group], stretch[look.group])
        # The mean of the last ones is known once there has been time for it to stray.
        each[look.state["seen"] < 2 * self.args.warm_up, 1] = 0.0
        both = np.maximum(each.max(axis=1) - TWO, 0.0)
        found: Floats = np.where(look.known & (look.state["seen"] >= self.args.warm_up), both, np.nan)
        return found

    def _expect(self, picture: Picture, member: Members, reach: Floats) -> Floats:
        """Return expected, lower, upper by the newest samples of each group, (3, n)."""
        present = lately(picture, member)
        there = place(picture, member, member["value"], present, self.args.peers, self.args.floor)
        ratio, offset = there.ratio == 1, member["offset"]
        middle = np.where(ratio, there.log_at + offset[:, 1], there.at + offset[:, 0])
        line = np.stack((middle, middle - reach[:, 0] * there.spread, middle + reach[:, 1] * there.spread))
        line = np.where(ratio, np.exp(np.minimum(line, 700.0)), line)
        found: Floats = np.where(there.enough & (member["seen"] >= self.args.warm_up), line, np.nan)
        return found[:, picture.here]

    def _learn_tail(
        self, picture: Picture, look: Look, edge: Floats, stretch: Floats, learned: Floats
    ) -> None:
        """Let a group's tail learn from its members that are not out of band for long already."""
        use = look.known & (look.state["out"] == 0) & (look.state["seen"] >= self.args.warm_up)
        if not use.any():
            return
        # Means of the last ones follow each other closely: an excess lasts and counts for less.
        gain = 0.05 * np.stack((np.ones(len(use)), np.minimum(2 * look.pace, 1.0)), axis=1)
        edge, stretch = pooled.learn(look.z[use], look.group[use], learned, edge, stretch, gain[use])
        self._rows["edge"][picture.rows] = edge[picture.group]
        self._rows["stretch"][picture.rows] = stretch[picture.group]
        look.state["edge"], look.state["stretch"] = edge[look.group], stretch[look.group]

    def _learn(self, series: Rows, time: Floats, value: Floats, look: Look, surprise: Floats) -> None:
        state = look.state
        state["cadence"] = beat(state["heard"], state["last"], state["cadence"], time)
        state["last"] = np.where(state["heard"] == 0, time, np.maximum(time, state["last"]))
        state["value"] = value
        state["heard"] += 1
        some = np.flatnonzero(look.known)
        if len(some):
            mine, look = state[some], look.only(look.known)
            odd = surprise[some] >= ODD
            self._follow(mine, look, odd)
            self._relearn(mine, time[some], odd)
            mine["seen"] += 1
            state[some] = mine
        self._rows[series] = state

    def _follow(self, state: Members, look: Look, odd: Mask) -> None:
        """Move offsets and spreads towards the sample, but only a little for one that is odd."""
        seen = state["seen"]
        base = np.minimum(state["cadence"] / self.args.memory, 1 / 30)
        pace = np.where(odd, 0.1 * base, np.maximum(base, 1.0 / (seen + 1.0)))
        quick = np.maximum(0.1, 1.0 / (seen + 1.0))
        for k in (0, 1):
            use = look.has_ratio if k else np.ones(len(seen), np.bool_)
            miss = look.far[:, k] - state["offset"][:, k]
            limit = np.where(seen < 10, np.inf, 4 * np.maximum(NORMAL * state["stray"][:, k], 1e-9))
            miss = np.clip(miss, -limit, limit)
            # All offsets of a group may be moved by the same without changing a thing: kept about 0.
            step = pace * miss - np.minimum(pace, base) * look.mean_offset[:, k]
            state["offset"][:, k] += np.where(use, step, 0.0)
            strayed = pace * (np.where(seen == 0, 0.0, np.abs(miss)) - state["stray"][:, k])
            state["stray"][:, k] += np.where(use, strayed, 0.0)
            off = look.far[:, k] - state["near"][:, k]
            strayed = quick * (np.where(seen == 0, 0.0, np.abs(off)) - state["near_stray"][:, k])
            state["near_stray"][:, k] += np.where(use, strayed, 0.0)
            state["near"][:, k] += np.where(use, quick * off, 0.0)
        log = np.where(look.has_ratio, look.log_at, state["size"])
        state["size"] += np.maximum(base, 1.0 / (seen + 1.0)) * (log - state["size"])
        missing = ~look.has_ratio | (look.far[:, 1] <= GONE)
        state["absent"] += np.maximum(base, 1.0 / (seen + 1.0)) * (missing - state["absent"])
        state["slow"] = np.where(seen < 10, 0.0, look.slow)
        count = np.maximum(seen - 10, 0)
        pace = np.where(odd, 0.1 * base, np.maximum(base, 1.0 / (count + 1.0)))
        # What an instance strays to while it leaves must not widen what is usual before it is told.
        limit = np.where(seen < 30, np.inf, 3 * np.maximum(state["slow_stray"], look.pace**0.5))
        off = np.minimum(np.abs(look.slow), limit) - state["slow_stray"]
        state["slow_stray"] += np.where(seen < 10, 0.0, pace * off)

    def _relearn(self, state: Members, time: Floats, odd: Mask) -> None:
        """Take the last ten samples for its usual place where a member has stayed out of band for long."""
        out = np.where(odd, state["out"] + 1, np.maximum(state["out"] - 2, 0))
        state["since"] = np.where(odd & (state["out"] == 0), time, state["since"])
        settle = (out >= 20) & (time - state["since"] >= self.args.relearn)
        state["out"] = np.where(settle, 0, out)
        state["slow"] = np.where(settle, 0.0, state["slow"])
        state["offset"][settle] = state["near"][settle]
        state["stray"][settle] = state["near_stray"][settle]

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need > have:
            more = max(need, have + have // 2, 16)
            self._rows = np.concatenate((self._rows, fresh_rows(more - have)))
            self._groups.grow(more)
