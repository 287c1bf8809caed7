"""Samples of a new release's instances to surprise, by how far their means are from the old release's."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors import means
from detectors.base import Band, Facts, Floats, Rows
from detectors.groups import Groups, Mask, Picture, beat, count, fresh, lately, measured, median
from detectors.verdict import Verdict, judge, start_of

BLOCK = 4096  # rows at once, so that what is being worked on stays in the processor's cache

ROW = np.dtype(
    [
        ("heard", "i4"),  # samples
        ("born", "f8"),  # time of the first, s
        ("last", "f8"),  # and of the newest
        ("cadence", "f8"),  # seconds between two
        ("value", "f8"),  # the newest
        ("start", "f8"),  # of the evidence that the mean belongs to, s
        ("began", "f8"),  # time of the mean's first sample, s
        ("usual", "f8"),  # sum of where the baseline was
        *means.FIELDS,  # of the distance from there
    ]
)


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Canary`; the defaults are what is shipped and measured."""

    settle: float = 300.0  # seconds in which a fresh instance may be slow to warm up
    rollout: float = 900.0  # seconds in which further instances join the evidence and do not restart it
    effect: float = 0.3  # typical size of a regression worth a word, as a share of the level
    alike: float = 0.04  # how much equal instances are taken to differ where too few show it, likewise

    def __post_init__(self) -> None:
        if min(self.settle, self.rollout) < 0:
            raise ValueError("settle, rollout: expected seconds of at least 0")
        if not min(self.effect, self.alike) > 0:
            raise ValueError("effect, alike: expected ratios above 0")


def build(args: Args) -> Canary:
    return Canary(args)


class Canary:
    """Mean distance of new instances from old ones since the release, under an always-valid p-value.

    Catches a release that is slower, faster, heavier or fails more than what runs beside it, at any time and
    with any number of looks: surprise 3 at any moment is to come of one harmless release in a thousand (came
    of 0 to 7, the most where instances differ by a tenth). What moves both sides is nobody's surprise.
    Instances are the unit, so that neither what lasts in one nor what an hour has to do with the next makes
    evidence of nothing; so a difference is told once it is well beyond what instances of one release differ
    by. Misses what begins long after the release, a doubling where one new stands beside one old, and
    all once no old instance is left.

    A normal mixture over sizes of the effect (Robbins 1970, "Statistical methods related to the law of the
    iterated logarithm"; Johari et al. 2017, "Peeking at A/B tests", sec. 4) with Student's t for the spread,
    which is that of the instances' own means over the same time. Instances of the old release score 0.
    Memory: 249 B a series.

    Args:
        args: settle and rollout in seconds; effect and alike ratios of the level.

    >>> d, rows = Canary(), np.arange(6, dtype=np.int32)
    >>> d.seat_many(rows, np.zeros(6, np.int32), np.array([0, 0, 0, 0, 0, 1], np.int32))
    >>> for k in range(30):
    ...     value = 0.2 + 0.01 * np.sin(k * (rows + 1.0)) + np.where(rows == 5, 0.2, 0.0)
    ...     surprise, _ = d.take_many(rows, np.full(6, 60.0 * k), value)
    >>> surprise.round(1)
    array([0. , 0. , 0. , 0. , 0. , 6.8])
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        self._rows = np.zeros(0, ROW)
        self._groups = Groups()

    def seat_many(self, series: Rows, group: Rows, side: Rows) -> None:
        self._grow(int(series.max(initial=-1)) + 1)
        moved = self._groups.seat(series, group, side)
        self._rows[moved] = _new(len(moved))

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise = np.full(len(series), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            picture = self._groups.picture(series[part])
            surprise[part] = self._take(picture, time[part], value[part])[0]
        return surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def expect_many(self, series: Rows, time: Floats) -> Band:
        self._grow(int(series.max(initial=-1)) + 1)
        found = np.full((3, len(series)), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            found[:, part] = self._expect(self._groups.picture(series[part]))
        return Band(*found)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(int(series.max(initial=-1)) + 1)
        surprise, expected = np.full((2, len(series)), np.nan)
        for part in self._groups.blocks(series, BLOCK):
            picture = self._groups.picture(series[part])
            expected[part] = self._expect(picture)[0]
            surprise[part], member = self._take(picture, time[part], value[part])
            ok = measured(value[part])
            self._rows[series[part][ok]] = member[picture.here[ok]]
        return surprise, expected

    def forget_many(self, series: Rows) -> None:
        known = series[series < len(self._rows)]
        self._rows[known] = _new(len(known))
        self._groups.forget(known)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        if series >= len(self._rows) or self._groups.group[series] < 0:
            return Facts()
        picture = self._groups.picture(np.array([series], np.int32))
        member = self._rows[picture.rows]
        present = lately(picture, member)
        verdict = self._judge(picture, member, present)
        old = present & (self._groups.side[picture.rows] == 0)
        start = float(start_of(picture, member)[0])
        return Facts(
            onset=start if math.isfinite(start) else math.nan,
            peers=int(verdict.instances[0]),
            usual=float(median(picture, member["value"], old)[0]),
        )

    def _take(self, picture: Picture, time: Floats, value: Floats) -> tuple[Floats, NDArray[np.void]]:
        """Return the surprise of each sample, (n,), and the members' state after them, (m,)."""
        member, here, ok = self._rows[picture.rows], picture.here, measured(value)
        mine, at = np.zeros(len(member), np.bool_), np.full(len(member), np.nan)
        mine[here[ok]], at[here[ok]] = True, time[ok]
        present = mine | ((member["heard"] > 0) & fresh(picture, member["last"], member["cadence"], at, mine))
        self._hear(member, mine, at, here[ok], value[ok])
        self._add(picture, member, mine, present)
        verdict = self._judge(picture, member, present)
        surprise = np.where(ok, verdict.surprise[picture.group[here]], np.nan)
        old = self._groups.side[picture.rows[here]] == 0
        return np.where(old & np.isfinite(surprise), 0.0, surprise), member

    def _hear(
        self, member: NDArray[np.void], mine: Mask, at: Floats, here: NDArray[np.intp], value: Floats
    ) -> None:
        """Write down the samples of a call, in place."""
        heard, last = member["heard"], member["last"]
        first = mine & (heard == 0)
        member["cadence"] = np.where(mine, beat(heard, last, member["cadence"], at), member["cadence"])
        member["born"] = np.where(first, at, member["born"])
        member["last"] = np.where(mine, np.where(first, at, np.maximum(at, last)), last)
        member["heard"] += mine
        member["value"][here] = value

    def _add(self, picture: Picture, member: NDArray[np.void], mine: Mask, present: Mask) -> None:
        """Add the distance from the baseline to the means of those that have settled, in place."""
        new = self._groups.side[picture.rows] == 1
        usual = median(picture, member["value"], present & ~new)[picture.group]
        settled = mine & (member["last"] - member["born"] >= self.args.settle) & np.isfinite(usual)

        start = start_of(picture, member)
        other = member["start"] < start[picture.group]
        # A new instance begins the evidence anew, for both sides; one that comes soon after another joins.
        comes = settled & new & ((member["taken"] == 0) | other)
        going = count(picture, present & new & (member["taken"] > 0) & ~other) > 0
        now = np.full(picture.groups, np.inf)
        np.minimum.at(now, picture.group[comes], member["last"][comes])
        anew = np.isfinite(now) & ~(going & (now - start <= self.args.rollout))
        start = np.where(anew, now, start)

        other = member["start"] < start[picture.group]
        if other.any():
            begun = member[other]
            means.begin(begun)
            begun["start"], begun["usual"] = start[picture.group[other]], 0.0
            member[other] = begun
        use = np.flatnonzero(settled & np.isfinite(start[picture.group]))
        if len(use):
            taken = member[use]
            taken["began"] = np.where(taken["taken"] == 0, taken["last"], taken["began"])
            taken["usual"] += usual[use]
            member[use] = means.add(taken, taken["value"] - usual[use])

    def _judge(self, picture: Picture, member: NDArray[np.void], present: Mask) -> Verdict:
        new = self._groups.side[picture.rows] == 1
        return judge(picture, member, present, new, self.args.effect, self.args.alike)

    def _expect(self, picture: Picture) -> Floats:
        """Return where the baseline is, and what no mean of a harmless release leaves but once in 1000."""
        member = self._rows[picture.rows]
        present = lately(picture, member)
        verdict = self._judge(picture, member, present)
        middle = median(picture, member["value"], present & (self._groups.side[picture.rows] == 0))
        reach = verdict.spread * special.stdtrit(verdict.freedom, 1 - 0.0005)
        known = np.where(np.isfinite(verdict.surprise), middle, np.nan)
        found: Floats = np.stack((known, known - reach, known + reach))[:, picture.group[picture.here]]
        return found

    def _grow(self, need: int) -> None:
        have = len(self._rows)
        if need > have:
            more = max(need, have + have // 2, 16)
            self._rows = np.concatenate((self._rows, _new(more - have)))
            self._groups.grow(more)


def _new(n: int) -> NDArray[np.void]:
    rows = np.zeros(n, ROW)
    rows["start"], rows["size"] = -np.inf, 1
    return rows
