"""Samples, log lines and alerts a second through the whole trip on one core, and where the time goes.

Each kind is posted to a `forewarn run` of its own, held to one core, until the last of it is stepped and
stored. Then the same bodies go through the stages one by one, each beside plain code that does the same work.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

from rich.console import Console
from rich.table import Table

from benchmarks._loads import Load, loads
from benchmarks._served import Served
from pipeline import config, frame
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.journal import Journal
from pipeline.store import sqlite
from pipeline.types import Seconds, Step

T = TypeVar("T")
PRODUCERS = 8  # requests that wait for the journal at the same time
REST = "HTTP, threads, ticks"


class Whole(NamedTuple):
    """A load posted to a process of its own."""

    cpu: Seconds  # of that process
    wall: Seconds


def run() -> dict[str, float]:
    """Print a table for each kind of input, and return every figure in them."""
    figures: dict[str, float] = {}
    for load in loads(time.time()):
        whole, spent = over_http(load), one_by_one(load)
        spent[REST] = max(0.0, whole.cpu - sum(spent.values()))
        twins = {stage: (name, work()) for stage, (name, work) in load.twins.items()}
        twins["journal"] = "one fdatasync a frame", _synced_one_by_one(load)
        Console(width=110).print(_table(load, whole, spent, twins))
        figures |= _figures(load, whole, spent, twins)
    return figures


def over_http(load: Load) -> Whole:
    with tempfile.TemporaryDirectory() as folder, Served(Path(folder)) as forewarn:
        forewarn.post(load, load.before)
        cpu, wall = forewarn.cpu(), time.perf_counter()
        forewarn.post(load, load.bodies)
        return Whole(forewarn.cpu() - cpu, time.perf_counter() - wall)


def one_by_one(load: Load) -> dict[str, Seconds]:
    """Return the CPU seconds of each stage, with the state that `load.before` leaves."""
    pipeline, now = Pipeline(config.load()), time.time()
    before = _decoded(load, load.before, now)
    for position, taken in enumerate(before):
        pipeline.take(taken, position)
    spent: dict[str, Seconds] = {}
    frames = _timed(spent, "decode", lambda: _decoded(load, load.bodies, now))
    raws = _timed(spent, "frame to bytes", lambda: [frame.encode(taken) for taken in frames])
    with tempfile.TemporaryDirectory() as folder:
        _timed(spent, "journal", lambda: asyncio.run(_journaled(Path(folder), raws)))
        steps = _timed(spent, "step", lambda: _stepped(pipeline, frames, len(before)))
        _timed(spent, "store", lambda: asyncio.run(_stored(Path(folder), steps)))
    return spent


def _timed(spent: dict[str, Seconds], stage: str, work: Callable[[], T]) -> T:
    began = time.process_time()
    done = work()
    spent[stage] = time.process_time() - began
    return done


def _decoded(load: Load, bodies: Sequence[bytes], now: Seconds) -> list[Frame]:
    limits = config.Limits()
    return [taken for body in bodies for taken in load.door.decode(body, {}, now, limits).frames]


async def _journaled(folder: Path, raws: Sequence[bytes]) -> None:
    journal = Journal(folder / "journal")
    left = iter(raws)

    async def produce() -> None:
        for raw in left:
            await journal.append([raw])

    await asyncio.gather(*(produce() for _ in range(PRODUCERS)))
    await journal.close()


def _stepped(pipeline: Pipeline, frames: Sequence[Frame], first: int) -> list[Step]:
    steps = [pipeline.take(taken, position) for position, taken in enumerate(frames, first)]
    return [step for step in steps if step]


async def _stored(folder: Path, steps: Sequence[Step]) -> None:
    store = sqlite.open(folder)
    for position, step in enumerate(steps):
        await store.record(step, position)
    await store.close()


def _synced_one_by_one(load: Load) -> Seconds:
    """Return the CPU seconds of the plainest durable file: each frame written and synced before the next."""
    raws = [frame.encode(taken) for taken in _decoded(load, load.bodies, time.time())]
    with tempfile.TemporaryFile(buffering=0) as file:
        began = time.process_time()
        for raw in raws:
            file.write(raw)
            os.fdatasync(file.fileno())
        return time.process_time() - began


def _table(
    load: Load, whole: Whole, spent: dict[str, Seconds], twins: dict[str, tuple[str, Seconds]]
) -> Table:
    title = (
        f"{load.name} on one core: {load.count / whole.cpu:,.0f} a CPU second, "
        f"{load.count / whole.wall:,.0f} a second of wall time"
    )
    table = Table(
        "stage", "us each", "share", "plain twin", "us each", "twin / ours", title=title, title_justify="left"
    )
    for column in (1, 2, 4, 5):
        table.columns[column].justify = "right"
    for stage, cpu in spent.items():
        name, twin = twins.get(stage, ("", 0.0))
        beside = (name, f"{_each(load, twin):.2f}", f"{twin / cpu:.1f}x") if name and cpu else ("", "", "")
        table.add_row(stage, f"{_each(load, cpu):.2f}", f"{cpu / sum(spent.values()):.0%}", *beside)
    return table


def _figures(
    load: Load, whole: Whole, spent: dict[str, Seconds], twins: dict[str, tuple[str, Seconds]]
) -> dict[str, float]:
    rates = {f"{load.name}/CPU s": load.count / whole.cpu, f"{load.name}/s": load.count / whole.wall}
    stages = {f"{load.name}: {stage} us": _each(load, cpu) for stage, cpu in spent.items()}
    ratios = {
        f"{load.name}: {twins[s][0]} / {s}": twins[s][1] / cpu
        for s, cpu in spent.items()
        if s in twins and cpu
    }
    return rates | stages | ratios


def _each(load: Load, cpu: Seconds) -> float:
    return cpu / load.count * 1e6
