"""`forewarn replay`: a recording in, incidents, signals, actions and a summary out as files."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import clock, config
from pipeline.ingest.recording import Recording
from pipeline.run.replay import replay
from pipeline.types import Seconds

Follow = Callable[[Seconds, Counter[str]], None]


@click.command()
@click.argument("recording", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--config", "settings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("replay"), show_default=True
)
@click.option("--speed", default="max", show_default=True, help='"max", or how many times as fast as life.')
def command(recording: Path, settings: Path | None, out: Path, speed: str) -> None:
    """Replay RECORDING in event time; nothing is performed, and twice gives the same bytes."""
    times = _times(speed)
    try:
        source = Recording(recording)
        loaded = config.load(settings, catalog=source.catalog)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        try:
            summary = replay(source, loaded, out, _follow(bar, source.span(), times))
        except ValueError as error:
            raise click.ClickException(str(error)) from error
    for reason, n in sorted(source.bad.items()):
        console.print(f"left out {n:,}: {reason}", highlight=False)
    console.print(
        f"{out}: {summary['signals']:,} signals, {summary['incidents']:,} incidents, "
        f"{summary['pages']:,} pages, {summary['actions']:,} actions",
        highlight=False,
    )


def _times(speed: str) -> float | None:
    """Return how many times as fast as life; None for as fast as it goes."""
    if speed == "max":
        return None
    try:
        times = float(speed)
    except ValueError:
        times = 0.0
    if not 0 < times < math.inf:
        raise click.BadParameter(f'expected "max" or a number above 0, got "{speed}"', param_hint="--speed")
    return times


def _follow(bar: Progress, span: tuple[Seconds, Seconds] | None, times: float | None) -> Follow:
    """Return what draws the bar, and waits where a pace was asked for."""
    task = bar.add_task("replay", total=span[1] - span[0] if span else None)
    began: list[float] = []
    shown = 0.0

    def follow(at: Seconds, counted: Counter[str]) -> None:
        nonlocal shown
        began[:] = began or [at, clock.steady()]
        if times is not None:
            time.sleep(max(0.0, (at - began[0]) / times - (clock.steady() - began[1])))
        if clock.steady() - shown > 0.1:
            shown = clock.steady()
            said = f"{counted['signal']:,} signals, {counted['incident']:,} incidents"
            bar.update(task, completed=at - began[0], description=said)

    return follow
