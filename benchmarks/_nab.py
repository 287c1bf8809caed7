"""NAB's published rules: labelled series and what was told of each to scores, hits and false alerts.

Lavin and Ahmad 2015, "Evaluating real-time anomaly detection algorithms", ICMLA, sec. III, and the notes
beside NAB's scorer. A window's first detection earns the more the earlier it is, a missed window and a row
told outside of windows cost; the first 15 % of rows, at most 750, are free.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "nab_dev"
FREE_SHARE, FREE_ROWS = 0.15, 750
NEAR = 12  # rows from one told row to the next that is still the same alert
DRAWS = 1_000
SEED = 7
GRID = 400  # thresholds that a draw of files chooses from


class Profile(NamedTuple):
    """What a detected window earns, a missed one costs, and a row that is far from any costs."""

    hit: float
    miss: float
    false: float


PROFILES = {
    "standard": Profile(1.0, 1.0, 0.11),
    "low_fp": Profile(1.0, 1.0, 0.22),
    "low_fn": Profile(1.0, 2.0, 0.11),
}


class Labelled(NamedTuple):
    """One series with its windows of anomaly, first and last row of each."""

    name: str
    time: Floats
    value: Floats
    windows: NDArray[np.int64]  # (w, 2)


class Steps(NamedTuple):
    """What a series' raw score is from each threshold down to the next, from above all to the least."""

    at: Floats  # falling; inf first
    raw: Floats


class Found(NamedTuple):
    """What is told at one threshold, counted as a person would."""

    hit: int
    false: int
    windows: int
    days: float

    @property
    def f1(self) -> float:
        return 2 * self.hit / max(1, self.hit + self.false + self.windows)

    @property
    def false_a_day(self) -> float:
        return self.false / self.days


def corpus(data: Path = DATA) -> list[Labelled]:
    """Return the labelled series of a folder, by name."""
    labels = json.loads((data / "labels" / "combined_windows.json").read_text("utf-8"))
    return [_labelled(data / "data" / name, name, labels[name]) for name in sorted(labels)]


def _labelled(path: Path, name: str, labels: list[list[str]]) -> Labelled:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["timestamp"], float(row["value"])) for row in csv.DictReader(file)]
    stamps = np.array([stamp for stamp, _ in rows], "datetime64[s]")
    ends = np.array(labels, "datetime64[s]").reshape(-1, 2)
    places = np.array([[int(np.argmax(stamps == end)) for end in pair] for pair in ends], np.int64)
    time = stamps.astype(np.int64).astype(np.float64)
    return Labelled(name, time, np.array([v for _, v in rows]), places.reshape(-1, 2))


def worth(given: Labelled) -> tuple[Floats, NDArray[np.int64]]:
    """Return what a detection at each row is worth, -1 to 1, and the window it is in, -1 = none."""
    rows = np.arange(len(given.value))
    value, window = np.full(len(rows), -1.0), np.full(len(rows), -1)
    for k, (first, last) in enumerate(given.windows):
        width = last - first + 1
        after = rows > last
        value[after] = _fades((rows[after] - last) / max(width - 1, 1))
        inside = slice(first, last + 1)
        value[inside] = _fades((rows[inside] - last - 1) / width) / _fades(np.array(-1.0))
        window[inside] = k
    return value, window


def _fades(distance: Floats) -> Floats:
    """Return NAB's sigmoid of the distance from a window's end in widths of it."""
    return np.where(distance > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(distance, 4))) - 1)


def steps(given: Labelled, told: Floats, profile: Profile) -> Steps:
    """Return the raw score of one series at every threshold on what was told of its rows."""
    value, window = worth(given)
    told = np.nan_to_num(told)
    scored = np.arange(len(told)) >= free(len(told))
    outside = scored & (window < 0)
    at, gain = [told[outside]], [profile.false * value[outside]]
    for k in range(len(given.windows)):
        inside = np.flatnonzero(scored & (window == k))
        order = inside[np.argsort(-told[inside], kind="stable")]
        # The earliest of the rows told so far is what counts; it earns the most.
        earned = profile.hit * np.maximum.accumulate(value[order])
        at.append(told[order])
        gain.append(np.diff(earned, prepend=-profile.miss))
    thresholds, gains = np.concatenate(at), np.concatenate(gain)
    order = np.argsort(-thresholds, kind="stable")
    thresholds, raw = thresholds[order], np.cumsum(gains[order]) - profile.miss * len(given.windows)
    ends = np.flatnonzero(np.diff(thresholds, append=np.nan) != 0)
    return Steps(np.r_[np.inf, thresholds[ends]], np.r_[-profile.miss * len(given.windows), raw[ends]])


def free(rows: int) -> int:
    return min(int(FREE_SHARE * rows), FREE_ROWS)


def table(found: Sequence[Steps], thresholds: Floats) -> Floats:
    """Return the raw score of each series at each threshold, (series, thresholds)."""
    return np.array([each.raw[np.searchsorted(-each.at, -thresholds, "right") - 1] for each in found])


def score(series: Sequence[Labelled], told: Sequence[Floats], profile: Profile) -> tuple[float, float]:
    """Return the best score there is, 100 = perfect and 0 = silence, and the threshold it is had at."""
    found = [steps(s, t, profile) for s, t in zip(series, told, strict=True)]
    thresholds = np.unique(np.concatenate([each.at for each in found]))[::-1]
    raw = np.zeros(len(thresholds))
    for each in found:
        raw += each.raw[np.searchsorted(-each.at, -thresholds, "right") - 1]
    best = int(np.argmax(raw))
    windows = sum(len(s.windows) for s in series)
    return float(_share(raw[best], windows, profile)), float(thresholds[best])


def score_at(series: Sequence[Labelled], told: Sequence[Floats], profile: Profile, threshold: float) -> float:
    found = [steps(s, t, profile) for s, t in zip(series, told, strict=True)]
    windows = sum(len(s.windows) for s in series)
    return float(_share(table(found, np.array([threshold])).sum(), windows, profile))


def drawn(
    series: Sequence[Labelled], told: Sequence[Floats], profile: Profile, threshold: float | None = None
) -> Floats:
    """Return the score of each of DRAWS draws of files, with replacement, (DRAWS,); the same draws each time.

    At a threshold, or each draw at its own best of a grid.
    """
    found = [steps(s, t, profile) for s, t in zip(series, told, strict=True)]
    if threshold is None:
        known = np.unique(np.concatenate([each.at for each in found]))
        thresholds = known[np.unique(np.linspace(0, len(known) - 1, GRID).astype(int))]
    else:
        thresholds = np.array([threshold])
    times = np.random.default_rng(SEED).multinomial(len(series), np.full(len(series), 1 / len(series)), DRAWS)
    windows = times @ np.array([len(s.windows) for s in series])
    return np.asarray(_share((times @ table(found, thresholds)).max(axis=1), windows, profile))


def _share(raw: Floats, windows: NDArray[np.int64] | int, profile: Profile) -> Floats:
    silence, perfect = -profile.miss * windows, profile.hit * windows
    return 100 * (raw - silence) / (perfect - silence)


def counted(series: Sequence[Labelled], told: Sequence[Floats], threshold: float) -> Found:
    """Return windows hit and alerts outside of any at a threshold; free rows count for neither."""
    hit = false = windows = 0
    days = 0.0
    for given, each in zip(series, told, strict=True):
        _, window = worth(given)
        over = np.flatnonzero((each >= threshold) & (np.arange(len(each)) >= free(len(each))))
        hit += len(set(window[over].tolist()) - {-1})
        false += int((np.diff(over[window[over] < 0], prepend=-NEAR - 1) > NEAR).sum())
        windows += len(given.windows)
        days += (given.time[-1] - given.time[0]) / 86400
    return Found(hit, false, windows, days)
