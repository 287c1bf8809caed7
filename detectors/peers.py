"""Members of groups and their newest samples to how far each is from where its peers put it."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from detectors import pooled
from detectors.base import Floats
from detectors.groups import Mask, Picture, count, fresh, measured, median

Members: TypeAlias = NDArray[np.void]  # of dtype ROW

NORMAL = 1.2533  # standard deviations a mean absolute deviation, for a normal distribution
MIDDLE = 0.6745  # standard deviations a median absolute deviation, likewise
GONE = -7.0  # log ratio of nothing at all where the peers have something: below a thousandth
CLIP = 6.0  # spreads that one sample may add to the mean of the last ones
PRIOR_SLOW = 0.16  # stretch of the tail of means, which are nearer to normal than what they are of
DOUBT = 3  # members' worth of belief that the group is as wide now as it usually is
SETTLED = 20  # samples before a member has a say in how wide the group is now

ROW = np.dtype(
    [
        ("heard", "i4"),  # samples
        ("seen", "i4"),  # of them, beside enough peers to be learned
        ("last", "f8"),  # time of the newest, s
        ("cadence", "f8"),  # seconds between two
        ("value", "f8"),  # the newest
        ("offset", "f8", (2,)),  # from the peers: as a difference, as a log ratio
        ("stray", "f8", (2,)),  # mean distance from there
        ("near", "f8", (2,)),  # mean offset of about the last ten, whatever they were
        ("near_stray", "f8", (2,)),
        ("size", "f8"),  # mean log of where the peers are
        ("absent", "f8"),  # share of samples that have no log ratio
        ("slow", "f8"),  # mean of the last ones, in spreads
        ("slow_stray", "f8"),
        # Where the tail begins, as log distance, and how far it reaches: of one sample and of the mean;
        # below and above.
        ("edge", "f8", (2, 2)),
        ("stretch", "f8", (2, 2)),
        ("out", "i4"),  # samples out of band lately; those back inside count against them
        ("since", "f8"),  # time of the first of them, s
    ]
)


class Place(NamedTuple):
    """Where the peers of a member are, (m,) over the members of the groups that are looked at."""

    far: Floats  # (m, 2) from them, as a difference and as a log ratio
    has_ratio: Mask
    ratio: NDArray[np.intp]  # 1 where the log ratio is looked at, for it has fitted the member better
    at: Floats  # the peers' median
    log_at: Floats
    spread: Floats  # one standard deviation from there
    enough: Mask  # members in the picture


class Look(NamedTuple):
    """Rows of one call beside their peers of this moment, (n,) unless said otherwise."""

    state: Members  # before the sample
    known: Mask  # measured, and beside enough peers
    far: Floats  # (n, 2)
    has_ratio: Mask
    log_at: Floats
    mean_offset: Floats  # (n, 2) of the group
    z: Floats  # (n, 2): in spreads of one sample; of the mean of the last ones
    slow: Floats  # that mean after the sample
    pace: Floats  # of that mean
    group: NDArray[np.intp]

    def only(self, use: Mask) -> Look:
        return Look(
            self.state[use],
            self.known[use],
            self.far[use],
            self.has_ratio[use],
            self.log_at[use],
            self.mean_offset[use],
            self.z[use],
            self.slow[use],
            self.pace[use],
            self.group[use],
        )


def look(
    picture: Picture, member: Members, time: Floats, value: Floats, least: int, floor: float, near: float
) -> Look:
    """Return how far each sample (n,) is from its peers; `near` is in seconds, else as in `place`."""
    group, here, ok = picture.group, picture.here, measured(value)
    mine, at = np.zeros(len(member), np.bool_), np.full(len(member), np.nan)
    newest = member["value"].copy()
    mine[here[ok]], at[here[ok]], newest[here[ok]] = True, time[ok], value[ok]
    been = member["heard"] > 0
    present = mine | (been & fresh(picture, member["last"], member["cadence"], at, mine))
    there = place(picture, member, newest, present, least, floor)
    offset = np.where(present[:, None], member["offset"], 0.0)
    u = (there.far - member["offset"])[np.arange(len(member)), there.ratio] / there.spread

    # How wide the group is now beside how wide it usually is: a group in turmoil has no outliers.
    say = present & (member["seen"] >= SETTLED)
    n = count(picture, say)
    middle = median(picture, np.abs(u), say)
    wide = (DOUBT * MIDDLE + n * np.where(n > 0, middle, 0.0)) / ((DOUBT + n) * MIDDLE)
    state = member[here]
    u = u[here] / np.maximum(wide, 1.0)[group[here]]
    pace = np.clip(state["cadence"] / near, 1e-4, 0.1)
    slow = state["slow"] + pace * (np.clip(u, -CLIP, CLIP) - state["slow"])
    # Less than independent samples make it stray is not believed.
    strays = np.maximum(NORMAL * state["slow_stray"], np.sqrt(pace / (2 - pace)))
    z = np.stack((u, slow / strays), axis=1)
    mean = np.add.reduceat(offset, picture.first) / np.maximum(count(picture, present), 1)[:, None]
    known = ok & there.enough[here]
    of = group[here]
    far, has_ratio, log_at = there.far[here], there.has_ratio[here], there.log_at[here]
    return Look(state, known, far, has_ratio, log_at, mean[of], z, slow, pace, of)


def place(
    picture: Picture, member: Members, newest: Floats, present: Mask, least: int, floor: float
) -> Place:
    """Return where the peers of each member are, by the newest values (m,) of those present.

    Fewer than `least` others are not enough; floor is the least spread, as a share of the level.
    """
    group, offset, stray = picture.group, member["offset"], member["stray"]
    at = median(picture, newest - offset[:, 0], present)
    positive = newest > 0
    log = np.log(np.where(positive, newest, 1.0))
    log_at = median(picture, log - offset[:, 1], present & positive)
    many = count(picture, present)
    log_at = np.where(2 * count(picture, present & positive) > many, log_at, np.nan)
    at, log_at = at[group], log_at[group]
    has_ratio = np.isfinite(log_at)
    far = np.stack((newest - at, np.where(positive & has_ratio, log - log_at, GONE)), axis=1)
    better = stray[:, 1] * np.exp(np.minimum(member["size"], 700.0)) < stray[:, 0]
    ratio = (has_ratio & better & (member["absent"] < 0.02)).astype(np.intp)
    lowest = np.where(ratio == 1, floor, np.maximum(floor * np.abs(at), 1e-9))
    spread = np.maximum(NORMAL * np.where(ratio == 1, stray[:, 1], stray[:, 0]), lowest)
    return Place(far, has_ratio, ratio, at, log_at, spread, (many > least)[group])


def fresh_rows(n: int) -> Members:
    rows = np.zeros(n, ROW)
    rows["edge"], rows["stretch"] = pooled.PRIOR_EDGE, np.array([[pooled.PRIOR_STRETCH], [PRIOR_SLOW]])
    return rows


def tail_of(picture: Picture, member: Members) -> tuple[Floats, Floats, Floats]:
    """Return the groups' edge and stretch, (g, 2, 2), and how many samples have taught them, (g,)."""
    weight = np.maximum(member["seen"], 1e-9)[:, None, None]
    learned = np.add.reduceat(weight, picture.first)
    edge, stretch = (
        np.add.reduceat(weight * member[k], picture.first) / learned for k in ("edge", "stretch")
    )
    return edge, stretch, learned[:, 0, 0]
