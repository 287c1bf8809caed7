"""The rules of the AIOps challenge of 2018: labelled series and their scores to F1, of points and of events.

An anomaly counts with all its points if one of its first eight is told, else with none; a told point beside
anomalies is false. One threshold for all series, the best on the first halves, judges the second halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detectors.base import Floats

DATA = Path(__file__).parents[1].parent / "shared" / "data" / "kpi_dev"
DELAY = 7  # points after its first that an anomaly may be told at
AGAIN = 60  # points after which a false alert that lasts is charged again


class Labelled(NamedTuple):
    name: str
    time: Floats
    value: Floats
    wrong: NDArray[np.bool_]
    half: int  # points of the first half


class Part(NamedTuple):
    """A stretch of one series and what was scored of it."""

    score: Floats
    wrong: NDArray[np.bool_]


class Judged(NamedTuple):
    """F1 of the second halves; `best` is had with a threshold that nobody could have known."""

    threshold: float
    delay_f1: float
    best_delay_f1: float
    event_f1: float


def corpus(data: Path = DATA) -> list[Labelled]:
    return [_labelled(path) for path in sorted(data.glob("*.npz"))]


def _labelled(path: Path) -> Labelled:
    with np.load(path) as kept:
        value = kept["value"].astype(np.float64)
        time = float(kept["start"]) + float(kept["step"]) * np.arange(len(value), dtype=np.float64)
        return Labelled(path.stem, time, value, kept["label"] > 0, int(kept["n_train"]))


def judge(series: Sequence[Labelled], scores: Sequence[Floats]) -> Judged:
    """Return how well the scores, NaN = 0, tell the second halves at the first halves' best threshold."""
    known = [np.nan_to_num(score) for score in scores]
    first = [Part(k[: s.half], s.wrong[: s.half]) for s, k in zip(series, known, strict=True)]
    second = [Part(k[s.half :], s.wrong[s.half :]) for s, k in zip(series, known, strict=True)]
    threshold = _best(first)[0]
    at = float(delay_f1(second, np.array([threshold]))[0])
    return Judged(threshold, at, _best(second)[1], event_f1(second, threshold))


def _best(parts: Sequence[Part]) -> tuple[float, float]:
    """Return the threshold with the best F1, and that F1."""
    peaks = np.unique(np.concatenate([_peaks(part)[0] for part in parts]))
    peaks = peaks[peaks > 0]
    if not len(peaks):
        return np.inf, 0.0
    found = delay_f1(parts, peaks)
    return float(peaks[np.argmax(found)]), float(found.max())


def delay_f1(parts: Sequence[Part], thresholds: Floats) -> Floats:
    """Return F1 of points, those of all series as one, at each threshold."""
    hit, false, wrong = np.zeros(len(thresholds)), np.zeros(len(thresholds)), 0
    for part in parts:
        peak, length = _peaks(part)
        order = np.argsort(peak)
        more = np.r_[0, np.cumsum(length[order][::-1])][::-1]
        hit += more[np.searchsorted(peak[order], thresholds)]
        calm = np.sort(part.score[~part.wrong])
        false += len(calm) - np.searchsorted(calm, thresholds)
        wrong += int(length.sum())
    return 2 * hit / np.maximum(hit + false + wrong, 1)


def _peaks(part: Part) -> tuple[Floats, NDArray[np.int64]]:
    """Return the highest score in time of each anomaly, and its points."""
    first, end = _anomalies(part.wrong)
    soon = np.minimum(first + DELAY + 1, end)
    peak = [part.score[a:b].max() for a, b in zip(first, soon, strict=True)]
    return np.array(peak, np.float64), end - first


def _anomalies(wrong: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each run of wrong points begins, and where it is over."""
    turns = np.diff(wrong.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)


def event_f1(parts: Sequence[Part], threshold: float) -> float:
    """Return F1 of anomalies found in time and false alerts, one that lasts charged every AGAIN points."""
    hit = false = anomalies = 0
    for part in parts:
        peak, _ = _peaks(part)
        hit += int((peak >= threshold).sum())
        anomalies += len(peak)
        charged = -AGAIN
        for k in np.flatnonzero((part.score >= threshold) & ~part.wrong).tolist():
            if k - charged >= AGAIN:
                false, charged = false + 1, k
    return 2 * hit / max(1, hit + false + anomalies)
