"""Means of new and of old instances to how surprising their difference is, whenever one looks."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from detectors import means
from detectors.base import Floats
from detectors.groups import Mask, Picture, count

LEAST = 8  # samples of an instance before its mean counts
PRIOR = 4.0  # instances' worth of belief in Args.alike
UNSURE = 0.25  # share of its squared standard error that a new mean's spread is at least
TRIM = 10  # of so many baseline instances, the least and the most are taken for their neighbours


class Verdict(NamedTuple):
    """The two sides of each group, (groups,)."""

    surprise: Floats  # NaN while one side has nothing to show
    spread: Floats  # standard deviation of the difference if the release changed nothing
    freedom: Floats  # degrees of freedom of that
    instances: NDArray[np.intp]  # of the baseline that are compared with


def judge(
    picture: Picture, member: NDArray[np.void], present: Mask, new: Mask, effect: float, alike: float
) -> Verdict:
    """Compare the two sides of each group by the means of its members (m,) that are present."""
    mean, error = means.mean_of(member)
    shown = (
        present & (member["taken"] >= LEAST) & (member["start"] >= start_of(picture, member)[picture.group])
    )
    span = np.where(shown, member["last"] - member["began"], -1.0)
    # Who came late has not seen what the others have: a member counts from half of the time on.
    counts = shown & (span >= 0.5 * np.maximum.reduceat(span, picture.first)[picture.group])
    old, new = counts & ~new, counts & new
    usual = member["usual"] / np.maximum(member["taken"], 1)

    base, spread0, free0, n0 = _winsorised(picture, mean, old)
    many, n1 = np.maximum(n0, 1), count(picture, new)
    sum1 = _sum(picture, mean, new)
    mean1 = sum1 / np.maximum(n1, 1)
    free1 = np.maximum(n1 - 1, 0)
    spread1 = _sum(picture, (mean - mean1[picture.group]) ** 2, new)
    differ = mean1 - base
    level = np.maximum(np.abs(_sum(picture, usual + mean, old) / many), np.abs(differ))
    free = PRIOR + free0 + free1
    noise = _sum(picture, error, old | new) / np.maximum(n0 + n1, 1)
    prior = (alike * level) ** 2 + noise
    square = (PRIOR * prior + free0 * spread0 + spread1) / free
    # A mean that owes itself to a sample or two is not held against the release, whatever the others are.
    unsure = UNSURE * _sum(picture, error, new) / np.maximum(n1, 1)
    square = np.maximum(np.maximum(square, unsure), 1e-18) * (1 / np.maximum(n1, 1) + 1 / many)
    ratio = (effect * level) ** 2 / square
    z = differ**2 / square
    log = np.log1p(z / free) - np.log1p(z / (free * (1 + ratio)))
    evidence = (0.5 * (free + 1) * log - 0.5 * np.log1p(ratio)) / math.log(10)
    both = (n0 > 0) & (n1 > 0)
    surprise = np.where(both, np.maximum(evidence, 0.0), np.nan)
    return Verdict(surprise, np.sqrt(square), free.astype(np.float64), n0)


def start_of(picture: Picture, member: NDArray[np.void]) -> Floats:
    """Return when the evidence of each group began, (groups,); -inf = it has not."""
    found: Floats = np.maximum.reduceat(member["start"], picture.first)
    return found


def _sum(picture: Picture, value: Floats, use: Mask) -> Floats:
    found: Floats = np.bincount(picture.group[use], value[use], picture.groups).astype(np.float64)
    return found


def _winsorised(
    picture: Picture, value: Floats, use: Mask
) -> tuple[Floats, Floats, NDArray[np.intp], NDArray[np.intp]]:
    """Return mean, variance, degrees of freedom and number of each group's members, outliers drawn in.

    Tukey & McLaughlin 1963, "Less vulnerable confidence and significance procedures".
    """
    n = count(picture, use)
    group, value = picture.group[use], value[use]
    order = np.lexsort((value, group))
    group, first = group[order], np.cumsum(n) - n
    cut = n // TRIM
    rank = np.arange(len(order)) - first[group]
    drawn = value[order][first[group] + np.clip(rank, cut[group], (n - cut - 1)[group])]
    many = np.maximum(n, 1).astype(np.float64)
    mean = np.bincount(group, drawn, picture.groups) / many
    square = np.bincount(group, (drawn - mean[group]) ** 2, picture.groups)
    # What is left of a normal distribution's variance once its ends are drawn in.
    end = special.ndtri(np.clip(cut / many, 1e-12, 0.5))
    inner: Floats = 1.0 - 2 * cut / many + 2 * end * np.exp(-0.5 * end**2) / math.sqrt(2 * math.pi)
    left = np.where(cut > 0, inner + 2 * cut / many * end**2, 1.0)
    free = np.maximum(n - 2 * cut - 1, 0)
    return mean, square / np.maximum(n - 1, 1) / left, free, n
