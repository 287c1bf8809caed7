"""Series given to the shipped detector side by side, and what is scored and told of each."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from click.testing import CliRunner
from rich.console import Console
from rich.progress import track

from benchmarks import peers
from detectors.base import Detector, Floats
from pipeline import kinds
from pipeline.commands.detect import SIGN, WARM_UP, Mute, command

T = TypeVar("T")


class Line(NamedTuple):
    """Samples of one series."""

    time: Floats
    value: Floats


class Scored(NamedTuple):
    """Scores of each series, NaN while silent, and the CPU seconds a sample that they took."""

    score: list[Floats]
    seconds: float


def shown(what: Iterable[T], name: str, total: float | None = None) -> Iterable[T]:
    """Pass on what comes, with a bar on a terminal's stderr."""
    silent = not sys.stderr.isatty()
    return track(
        what, name, total, console=Console(stderr=True), transient=True, disable=silent, show_speed=False
    )


def feed(detector: Detector, lines: Sequence[Line], name: str) -> Scored:
    """Return the surprise of all samples, a tick of every series at a time."""
    order = sorted(range(len(lines)), key=lambda k: -len(lines[k].value))
    longest = len(lines[order[0]].value)
    table = np.full((longest, 2, len(lines)), np.nan)
    for column, k in enumerate(order):
        table[: len(lines[k].value), :, column] = np.column_stack(lines[k])
    ends = np.array([len(lines[k].value) for k in order])
    alive = np.searchsorted(-ends, -np.arange(longest), "left")
    surprise = np.full((longest, len(lines)), np.nan)
    series = np.arange(len(lines), dtype=np.int32)
    begun = time.process_time()
    for k in shown(range(longest), name):
        some = slice(0, int(alive[k]))
        surprise[k, some] = detector.take_many(series[some], table[k, 0, some], table[k, 1, some])[0]
    spent = time.process_time() - begun
    found = [np.empty(0)] * len(lines)
    for column, k in enumerate(order):
        found[k] = surprise[: ends[column], column].copy()
    return Scored(found, spent / float(ends.sum()))


def ask(peer: str, lines: Sequence[Line]) -> Scored:
    """Return a peer's scores, silent for as long as the shipped detector is."""
    score: Callable[[Floats, float], Floats] = kinds.find(peers.__name__, peer).score
    begun = time.process_time()
    found = [score(line.value, cadence(line)) for line in shown(lines, peer)]
    spent = time.process_time() - begun
    for each in found:
        each[:WARM_UP] = np.nan
    return Scored(found, spent / sum(len(line.value) for line in lines))


def claims_p(peer: str) -> bool:
    return bool(kinds.find(peers.__name__, peer).CLAIMS_P)


def cadence(line: Line) -> float:
    return float(np.median(np.diff(line.time)))


def told(surprise: Floats, sign: float = SIGN) -> Floats:
    """Return what the alert layer lets through, 0 for what it holds back; `sign` is in the score's unit."""
    mute = Mute(sign)
    return np.array([mute.tell(s) for s in surprise.tolist()])


def printed_told(path: Path) -> Floats:
    """Return what `forewarn detect FILE` prints as told."""
    ran = CliRunner().invoke(command, [str(path)], catch_exceptions=False)
    return np.array([float(row["told"] or 0) for row in csv.DictReader(io.StringIO(ran.stdout))])
