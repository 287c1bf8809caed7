"""`forewarn detect`: one series as CSV in, each sample's surprise and expected band as CSV out."""

from __future__ import annotations

import csv
import importlib.util
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import click
import numpy as np
from rich.console import Console
from rich.progress import wrap_file

from detectors.base import Detector
from detectors.novelty import Args, Novelty
from pipeline.types import Seconds

COLUMNS = ("timestamp", "value", "surprise", "expected", "lower", "upper", "told", "alert")
ALERT = 4.0  # surprise that notifies: once in 10,000 samples where a series is old and nothing happens
WARM_UP = 300  # samples in silence: a file is not a person who waits
MUTED = 200  # samples without a sign of it end what was told; until then only what is more surprising is
SIGN = 1.0  # surprise that shows that what was told goes on


class Row(NamedTuple):
    """One sample as it was read; `stamp` is the time as the file writes it."""

    stamp: str
    time: Seconds
    value: float


class Seen(NamedTuple):
    """What is known of a row, NaN where nothing is."""

    row: Row
    surprise: float
    expected: float
    lower: float
    upper: float
    told: float
    alert: bool


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Also draw it, as PNG.")
def command(file: str, plot: Path | None) -> None:
    """Read `timestamp,value` rows from FILE (- for a pipe) and print how surprising each is.

    Timestamps are seconds since 1970 or 2026-01-31 12:00:00 (UTC); an empty value is a missing one.
    One fixed setting, no look-ahead: a row is printed before the next is read.
    """
    if plot is not None and importlib.util.find_spec("matplotlib") is None:
        raise click.ClickException("--plot needs matplotlib: pip install 'forewarn[plot]'")
    try:
        with _opened(file) as lines:
            seen = printed(look(read(lines)), at_once=file == "-")
            kept = list(seen) if plot is not None else deque(seen, maxlen=0)
        if plot is not None:
            draw(kept, plot)
    except (ValueError, csv.Error) as error:
        raise click.ClickException(f"{file}: {error}") from error


def look(rows: Iterable[Row]) -> Iterator[Seen]:
    """Yield what is known of each row, from what came before it only."""
    detector, mute = shipped(), Mute()
    series = np.zeros(1, np.int32)
    for row in rows:
        time, value = np.array([row.time]), np.array([row.value])
        band = detector.expect_many(series, time)
        surprise = float(detector.take_many(series, time, value)[0][0])
        told = mute.tell(surprise)
        expected, lower, upper = (float(b[0]) for b in band)
        yield Seen(row, surprise, expected, lower, upper, told, told >= ALERT)


def shipped() -> Detector:
    """Return the detector as a file is scored with, fresh."""
    return Novelty(Args(warm_up=WARM_UP))


@dataclass(slots=True)
class Mute:
    """Lets through what beats the last thing told, until MUTED samples have shown no sign of it."""

    sign: float = SIGN
    peak: float = 0.0
    since: int = 0

    def tell(self, surprise: float) -> float:
        """Return the surprise, or 0 where it repeats what was told or is not known."""
        self.since += 1
        if self.since >= MUTED:
            self.peak = 0.0
        if surprise > self.peak:
            self.peak, self.since = surprise, 0
            return surprise
        if surprise >= self.sign:
            self.since = 0
        return 0.0


def read(lines: Iterable[str]) -> Iterator[Row]:
    """Yield the rows of a CSV; raises ValueError that names the line."""
    rows = csv.reader(lines)
    head = next(rows, None)
    if head is None:
        raise ValueError("empty: expected a header `timestamp,value` and rows")
    names = [name.strip().lower() for name in head]
    if {"timestamp", "value"} <= set(names):
        at, of = names.index("timestamp"), names.index("value")
    else:
        at, of = 0, 1
        yield _row(head, at, of, f"line 1: expected a header `timestamp,value` or a sample, got {_cut(head)}")
    for row in rows:
        if row:
            yield _row(row, at, of, f"line {rows.line_num}: expected `timestamp,value`, got {_cut(row)}")


def printed(seen: Iterable[Seen], at_once: bool) -> Iterator[Seen]:
    """Print each row as it passes; `at_once` for a pipe, whose reader waits for each."""
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(COLUMNS)
    for each in seen:
        known = (_text(v) for v in (each.row.value, each.surprise, each.expected, each.lower, each.upper))
        out.writerow((each.row.stamp, *known, _text(each.told), int(each.alert)))
        if at_once:
            sys.stdout.flush()
        yield each


def draw(seen: Iterable[Seen], path: Path) -> None:
    """Write a PNG: values, the expected band, and what would be alerted."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    rows = list(seen)
    time = [datetime.fromtimestamp(each.row.time, UTC) for each in rows]
    figure, (top, below) = plt.subplots(2, 1, figsize=(14, 7), sharex=True, height_ratios=(3, 1))
    top.fill_between(
        time, [each.lower for each in rows], [each.upper for each in rows], color="#cfe2f3", label="expected"
    )
    top.plot(time, [each.row.value for each in rows], color="#1f3b57", linewidth=0.8, label="value")
    told = [(t, each) for t, each in zip(time, rows, strict=True) if each.alert]
    top.plot([t for t, _ in told], [each.row.value for _, each in told], "o", color="#c0392b", label="alert")
    top.legend(loc="upper left")
    below.plot(time, [each.surprise for each in rows], color="#7f8c8d", linewidth=0.8)
    below.axhline(ALERT, color="#c0392b", linewidth=0.8)
    below.set_ylabel("surprise")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


@contextmanager
def _opened(file: str) -> Iterator[Iterable[str]]:
    """Yield the lines; a bar on a terminal's stderr follows a file that is not printed to it."""
    if file == "-":
        yield sys.stdin
        return
    with open(file, "rb") as raw, ExitStack() as stack:
        shown: BinaryIO = raw
        if sys.stderr.isatty() and not sys.stdout.isatty():
            size, console = os.path.getsize(file), Console(stderr=True)
            bar = wrap_file(raw, size, description=Path(file).name, console=console, transient=True)
            shown = stack.enter_context(bar)
        yield (line.decode() for line in shown)


def _text(number: float) -> str:
    return "" if number != number else f"{number:.9g}"


def _cut(row: list[str]) -> str:
    return repr(",".join(row)[:60])


def _row(row: list[str], at: int, of: int, complaint: str) -> Row:
    try:
        stamp, text = row[at].strip(), row[of].strip()
        return Row(stamp, _time(stamp), float(text) if text else float("nan"))
    except (ValueError, IndexError) as error:
        raise ValueError(complaint) from error


def _time(stamp: str) -> Seconds:
    try:
        return float(stamp)
    except ValueError:
        when = datetime.fromisoformat(stamp)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
