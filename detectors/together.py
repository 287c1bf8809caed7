"""Samples of series that belong together to surprise, by what the others say each should be just now."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec
import numpy as np

from detectors import tails
from detectors.base import Band, Facts, Floats, Rows
from detectors.bonds import Bonds, Company, Mask, Places
from detectors.columns import BLOCK, Column, Columns, State, measured

NORMAL = 1.2533  # standard deviations a mean absolute deviation, for a normal distribution

# A value further from its level counts as if it were so far: what is odd by itself is told elsewhere,
# and a burst that all members share stays a burst that they share.
FAR = 3.5
FRESH = 3.5  # cadences for which the newest of a member that has not come stands for it
SETTLED = 20  # samples before a member has a say
ODD = 3.0  # surprise from which a sample is taken for something else than the usual noise
HARD = 4.0  # standard deviations from the others beyond which a sample teaches less of how they go together
GAP = 10  # samples without one that is odd by itself, after which the next one begins something new
LOOKS = 3  # distances: of this sample, of the mean of the last few, of their scatter


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Knobs of `Together`; the defaults are what is shipped and measured."""

    warm_up: int = 60  # samples before the first score
    memory: float = 1800.0  # seconds the level looks back, at least 30 samples
    bonds: float = 86400.0  # seconds that what ties the members looks back
    span: float = 600.0  # seconds of the mean that shows a small lasting distance
    relearn: float = (
        3600.0  # seconds of surprise, and at least 20 samples, after which the ties are learned anew
    )
    band: float = 3.0  # surprise at which the expected band ends

    def __post_init__(self) -> None:
        if self.warm_up < 2 * SETTLED:
            raise ValueError(f"warm_up: expected at least {2 * SETTLED} samples, got {self.warm_up}")
        if min(self.memory, self.bonds, self.span, self.relearn, self.band) <= 0:
            raise ValueError("memory, bonds, span, relearn, band: expected numbers above 0")


def build(args: Args) -> Together:
    return Together(args)


class _Look(NamedTuple):
    """What one block of samples is, beside the others of its tables."""

    company: Company
    z: Column  # (t, w) spreads from the level, 0 where not present
    present: Mask  # (t, w)
    inverse: Floats  # (t, w, w)
    due: Mask  # (t,)
    strongest: Floats  # (t,) largest distance from what the others say, in standard deviations
    cadence: Floats  # (t,) s
    own: Column  # of each sample (n,): spreads from its level
    apart: Floats  # of each sample (n,): standard deviations from what the others say
    judged: Mask  # (n,) there were others
    lean: Column  # (n,)
    energy: Column  # (n,)
    distance: Column  # (LOOKS, n), in spreads of its own


class Together:
    """Each series of a group against what the others make of it: usual by itself, but not beside them.

    Catches a processor that idles while requests rise, one of two replicas that no longer gets its share,
    a counter that goes on by itself: what the seasonal detector calls usual, for each value is one. Told
    of the member that fits least; of two nobody knows which. Misses what all members do together, what
    has no bond to break (there it is silent), and bonds that hold only over hours, since each value is
    taken from a level that follows it within `memory`.

    Dempster 1972, "Covariance selection", sec. 2 (the inverse covariance holds each member's regression on
    all others); Ledoit & Wolf 2004, "A well-conditioned estimator for large-dimensional covariance
    matrices" (shrink towards the simple; here by members to samples); Huber 1964 (what lies far out
    teaches little). Memory: 490 B a series and 160 B a table of 32, whatever the size of the group.

    River's HalfSpaceTrees and scikit-learn's IsolationForest cut one series at a time, so they find each
    value usual: where all are given equally few false alarms they told at most one in six of the broken
    bonds of which this told all, half and all, and cost 60 us a group and 220 us a group of six. A
    Mahalanobis distance of the whole group told 1.0, 0.8 and 1.0 of them, but cannot say who it is
    (benchmarks/detection/together.py).

    Args:
        args: warm_up in samples; memory, bonds, span and relearn in seconds; band in surprise.

    >>> d, rows = Together(), np.arange(3, dtype=np.int32)
    >>> d.seat_many(rows, np.zeros(3, np.int32), np.zeros(3, np.int32))
    >>> load = 50 + 10 * np.sin(0.7 * np.arange(400.0) ** 1.1)
    >>> for k in range(399):
    ...     surprise, _ = d.take_many(rows, np.full(3, 60.0 * k), load[k] * np.array([1.0, 3.0, 0.2]))
    >>> surprise.round(1)
    array([0.2, 0.2, 0.2])
    >>> d.score_many(rows, np.full(3, 60.0 * 399), np.array([58.0, 174.0, 8.4])).round(1)
    array([  0.4,   0.4, 163.1])
    """

    def __init__(self, args: Args | None = None) -> None:
        self.args = args or Args()
        one, looks = np.zeros(1), np.zeros((LOOKS, 1))
        self._columns = Columns(
            {
                "seen": one,  # samples learned
                "last": one,  # time of the newest, s
                "cadence": one,  # seconds between two
                "level": one,
                "stray": one,  # mean absolute distance from the level
                "newest": one,  # distance of the newest from its level, in spreads
                "judged": one,  # samples held against others
                "lean": one,  # mean distance from what the others said, about the last few samples
                "energy": one + 1.0,  # mean square of it
                "rest": one + 1.0,  # its root, usually
                "usual": looks,  # mean of each distance
                "edge": looks + tails.PRIOR_EDGE,
                "stretch": looks + tails.PRIOR_STRETCH,
                "out": one,  # odd samples lately; others count against them
                "since": one,  # time of the first, s
                "alone": one,  # time of the newest that was odd by itself, whatever came before it, s
                "burst": one,  # time of the first of these that followed each other, s
            }
        )
        self._bonds = Bonds(self.args.bonds)

    def seat_many(self, series: Rows, group: Rows, side: Rows) -> None:
        self._grow(series)
        moved = np.flatnonzero(self._bonds.group[series] != group)
        self.forget_many(series[moved])
        for k in moved.tolist():
            self._bonds.sit(int(series[k]), int(group[k]))

    def score_many(self, series: Rows, time: Floats, value: Floats) -> Floats:
        self._grow(series)
        clean = measured(value)
        surprise = np.full(len(series), np.nan)
        for part in self._parts(series, clean):
            state = self._columns.look(series[part])
            look = self._look(series[part], state, time[part], clean[part])
            surprise[part] = self._surprise(state, look)
        return surprise

    def learn_many(self, series: Rows, time: Floats, value: Floats) -> None:
        self.take_many(series, time, value)

    def take_many(self, series: Rows, time: Floats, value: Floats) -> tuple[Floats, Floats]:
        self._grow(series)
        expected = self.expect_many(series, time).expected
        clean = measured(value)
        surprise = np.full(len(series), np.nan)
        for part in self._parts(series, clean):
            state = self._columns.look(series[part])
            look = self._look(series[part], state, time[part], clean[part])
            surprise[part] = self._surprise(state, look)
            self._learn(series[part], state, look, time[part], clean[part], surprise[part])
        return surprise, expected

    def expect_many(self, series: Rows, time: Floats) -> Band:
        """Return what the newest samples of the others say; it is NaN for a row that has no seat."""
        self._grow(series)
        kept, bonds = self._columns.kept, self._bonds
        state = {
            name: kept[name][..., series] for name in ("seen", "level", "stray", "edge", "stretch", "usual")
        }
        ties = bonds.inverse[series].astype(np.float64)
        members = bonds.members[bonds.table[series]]
        z = np.where(members >= 0, kept["newest"][members], 0.0)
        pick = np.arange(len(series))
        seat = bonds.seat[series]
        own = np.maximum(ties[pick, seat], 0.01)
        ties[pick, seat] = 0.0
        spread = _spread(state)
        seated = (state["seen"] >= self.args.warm_up) & (bonds.table[series] >= 0)
        expected = np.where(seated, state["level"] - spread * (ties * z).sum(axis=1) / own, np.nan)
        reach = tails.distance(self.args.band, state["edge"][0], state["stretch"][0])
        half = spread * reach * np.maximum(NORMAL * state["usual"][0], 1e-3) / np.sqrt(own)
        return Band(expected, expected - half, expected + half)

    def forget_many(self, series: Rows) -> None:
        known = series[series < self._columns.have]
        self._columns.forget(known)
        for row in known.tolist():
            self._bonds.leave(row)

    def facts_of(self, series: int, time: float, value: float) -> Facts:
        row = np.array([series], np.int32)
        state = self._columns.look(row)
        peers = int(self._bonds.counted[self._bonds.table[series]].sum()) - 1
        # What is seen over the last few samples stays odd for a while after an earlier trouble.
        onset = max(float(state["since"][0]), float(state["burst"][0])) if state["out"][0] else math.nan
        usual = float(self.expect_many(row, np.array([time])).expected[0])
        return Facts(onset=onset, peers=max(peers, 0), usual=usual)

    def _grow(self, series: Rows) -> None:
        need = int(series.max(initial=-1)) + 1
        if need > self._columns.have:
            self._columns.look(np.array([need - 1], np.int32))
        self._bonds.grow(self._columns.have)

    def _parts(self, series: Rows, clean: Floats) -> list[Places]:
        use = np.flatnonzero(np.isfinite(clean))
        return [use[part] for part in self._bonds.parts(series[use], BLOCK)]

    def _look(self, series: Rows, state: State, time: Floats, value: Floats) -> _Look:
        kept = self._columns.kept
        company = self._bonds.company(series)
        members, row, seat = company.members, company.row, company.seat
        own = np.where(state["seen"] > 0, (value - state["level"]) / _spread(state), 0.0)
        own = np.clip(own, -FAR, FAR)

        now = np.full(len(members), -np.inf)
        np.maximum.at(now, row, time)
        cadence = np.zeros(len(members))
        np.maximum.at(cadence, row, state["cadence"])
        fresh = now[:, None] - kept["last"][members] <= FRESH * kept["cadence"][members]
        fresh[row, seat] = True
        present = fresh & (members >= 0) & (kept["seen"][members] >= SETTLED)
        z = kept["newest"][members]
        z[row, seat] = own
        z = np.where(present, z, 0.0)

        inverse, due = self._bonds.inverses(company, present, cadence)
        off, strongest = _apart(inverse, z)
        apart = off[row, seat]
        judged = present[row, seat] & (present.sum(axis=1) > 1)[row]

        pace = np.clip(state["cadence"] / self.args.span, 0.02, 0.25)
        lean = state["lean"] + pace * (apart - state["lean"])
        energy = state["energy"] + pace * (np.minimum(apart * apart, 50.0) - state["energy"])
        distance = np.stack((np.abs(apart), np.abs(lean), np.sqrt(energy) - state["rest"]))
        return _Look(
            company, z, present, inverse, due, strongest, cadence, own, apart, judged, lean, energy, distance
        )

    def _surprise(self, state: State, look: _Look) -> Floats:
        part = tails.rarity(look.distance / _unit(state), state["edge"], state["stretch"])
        # The three of a sample are mostly odd together, and a table has one culprit at a time: taken as
        # they are, quiet series show 0.6 to 1.8 times as many as they should (benchmarks/detection).
        highest = part.max(axis=0)
        enough = state["judged"] >= self.args.warm_up - SETTLED - 1
        # Who is alone is not unlike the others.
        surprise = np.where(look.judged, np.where(enough, highest, np.nan), 0.0)
        known: Floats = np.where(state["seen"] >= self.args.warm_up, surprise, np.nan)
        return known

    def _learn(
        self, series: Rows, state: State, look: _Look, time: Floats, value: Floats, surprise: Floats
    ) -> None:
        seen = state["seen"]
        step = np.clip(time - state["last"], 0.0, None)
        cadence = np.where(seen == 1, step, state["cadence"])
        cadence += 0.05 * (np.minimum(step, 4 * cadence) - cadence) * (seen > 1)
        state["cadence"] = np.where(seen == 0, 0.0, cadence)
        state["last"] = np.where(seen == 0, time, np.maximum(time, state["last"]))
        state["newest"] = look.own

        again = self._count_odd(state, look, time, surprise)
        self._remember(state, look)
        self._follow(state, value)
        state["seen"] = seen + 1
        self._columns.put(series, state)

        share = np.bincount(look.company.row, minlength=len(look.z)) / np.maximum(look.present.sum(axis=1), 1)
        weight = np.minimum(share, 1.0) * np.minimum(1.0, (HARD / np.maximum(look.strongest, 1e-9)) ** 2)
        self._bonds.keep(look.company, look.inverse, look.present, look.due)
        self._bonds.learn(look.company, look.z, look.present, weight, look.cadence, again)

    def _count_odd(self, state: State, look: _Look, time: Floats, surprise: Floats) -> Mask:
        """Count odd samples; return which tables, (t,), were odd for so long that their ties must be anew."""
        odd = surprise >= ODD
        out = np.where(odd, state["out"] + 1, np.maximum(state["out"] - 2, 0))
        state["since"] = np.where(odd & (state["out"] == 0), time, state["since"])
        alone = odd & (
            tails.rarity(look.distance[0] / _unit(state)[0], state["edge"][0], state["stretch"][0]) >= ODD
        )
        apart = time - state["alone"] > GAP * state["cadence"]
        state["burst"] = np.where(alone & apart, time, state["burst"])
        state["alone"] = np.where(alone, time, state["alone"])
        long = (out >= 20) & (time - state["since"] >= self.args.relearn)
        state["out"] = np.where(long, 0.0, out)
        again = np.zeros(len(look.z), np.bool_)
        again[look.company.row[long]] = True
        return again

    def _remember(self, state: State, look: _Look) -> None:
        """Learn how far from the others is usual, and the tails of that."""
        judged = state["judged"]
        quiet = look.judged & (state["out"] == 0)
        rate = np.where(quiet & (judged >= 30), 3.0 / np.minimum(judged + 100.0, 6000.0), 0.0)
        unit = _unit(state)
        state["edge"], state["stretch"] = tails.learned(
            look.distance / unit, state["edge"], state["stretch"], np.broadcast_to(rate, look.distance.shape)
        )
        young = 1.0 / (judged + 1.0)
        pace = np.where(
            look.judged, np.maximum(np.minimum(2 * state["cadence"] / self.args.bonds, 1 / 60), young), 0.0
        )
        far = np.where(judged < 10, np.inf, 4 * unit)
        state["usual"] += pace * (np.minimum(np.abs(look.distance), far) - state["usual"])
        state["rest"] += pace * np.minimum(look.distance[2], far[2])
        state["lean"] = np.where(look.judged, look.lean, state["lean"])
        state["energy"] = np.where(look.judged, look.energy, state["energy"])
        state["judged"] = judged + look.judged

    def _follow(self, state: State, value: Floats) -> None:
        """Move the level towards the sample, but only a little for one far out."""
        seen = state["seen"]
        young = 1.0 / (seen + 1.0)
        pace = np.maximum(np.minimum(state["cadence"] / self.args.memory, 1 / 30), young)
        far = np.where(seen < 10, np.inf, 4 * _spread(state))
        state["level"] = np.where(seen == 0, value, state["level"])
        miss = np.clip(value - state["level"], -far, far)
        state["level"] += pace * miss
        state["stray"] += np.maximum(pace / 4, young) * (np.abs(miss) - state["stray"])


def _apart(inverse: Floats, z: Column) -> tuple[Floats, Floats]:
    """Return how far each member is from what the others say, (t, w), and the largest of each table, (t,).

    Where that is far, the others are held against each other without the one who is so far: it would
    else make every neighbour of its own look odd.
    """
    pick = np.arange(z.shape[1])
    pull = (inverse * z[:, None, :]).sum(axis=2)
    precision = inverse[:, pick, pick]
    off = pull / np.sqrt(np.maximum(precision, 0.01))
    culprit = np.abs(off).argmax(axis=1)
    strongest = np.abs(off[np.arange(len(off)), culprit])
    far = np.flatnonzero(strongest > HARD)
    if len(far):
        who = culprit[far]
        to = inverse[far, who] / precision[far, who][:, None]
        rest = pull[far] - to * pull[far, who][:, None]
        left = precision[far] - to * inverse[far, who]
        without = rest / np.sqrt(np.maximum(left, 0.01))
        without[np.arange(len(far)), who] = off[far, who]
        off[far] = without
    return off, strongest


def _spread(state: State) -> Floats:
    spread: Floats = np.maximum(np.maximum(NORMAL * state["stray"], 1e-3 * np.abs(state["level"])), 1e-9)
    return spread


def _unit(state: State) -> Column:
    """Return what the distances are measured in, (LOOKS, n)."""
    unit: Column = np.maximum(NORMAL * state["usual"], 1e-3)
    return unit
