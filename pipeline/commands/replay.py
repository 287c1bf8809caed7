"""`forewarn replay`: a recording in, incidents, signals, actions and a summary out as files; two compared."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline import clock, config, plain
from pipeline.config import Config, Main, Rules
from pipeline.ingest.recording import Recording
from pipeline.run import compare
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
@click.option(
    "--compare",
    "other",
    type=click.Path(exists=True, path_type=Path),
    help="Another forewarn.yaml, or rules beside those in use: say page by page what it would have done.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def command(
    recording: Path, settings: Path | None, out: Path, speed: str, other: Path | None, as_json: bool
) -> None:
    """Replay RECORDING in event time; nothing is performed, and twice gives the same bytes."""
    if as_json and other is None:
        raise click.UsageError("--json prints a comparison: it needs --compare OTHER")
    times = _times(speed)
    try:
        catalog = Recording(recording).catalog
        settled = config.load(settings, catalog)
        others = [_other(other, settings, catalog)] if other is not None else []
        for loaded, folder in zip([settled, *others], (out, out / "other"), strict=False):
            _run(Recording(recording), loaded, folder, times)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if other is None:
        return
    pairs = compare.compare(_incidents(out), _incidents(out / "other"))
    if as_json:
        told = {"pages": compare.rows(pairs), "totals": compare.totals(pairs)}
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
    else:
        click.echo("\n".join(compare.table(pairs)))


def _run(source: Recording, loaded: Config, out: Path, times: float | None) -> None:
    """Replay once, into files; progress and what was found go to stderr."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        summary = replay(source, loaded, out, _follow(bar, source.span(), times))
    for reason, n in sorted(source.bad.items()):
        console.print(f"left out {n:,}: {reason}", highlight=False)
    console.print(
        f"{out}: {summary['signals']:,} signals, {summary['incidents']:,} incidents, "
        f"{summary['pages']:,} pages, {summary['actions']:,} actions",
        highlight=False,
    )


def _other(other: Path, settings: Path | None, catalog: Path | None) -> Config:
    """Return what OTHER configures; a rule file, or a folder of them, comes on top of what is in use."""
    if other.is_dir() or _keys(other) & {f.encode_name for f in msgspec.structs.fields(Rules)} - _MAIN:
        return config.load(settings, catalog, more=(other,))
    return config.load(other, catalog)


_MAIN = {f.encode_name for f in msgspec.structs.fields(Main)}


def _keys(file: Path) -> set[str]:
    found = plain.read(file)
    return set(found) if isinstance(found, dict) else set()


def _incidents(out: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (out / "incidents.jsonl").read_bytes().splitlines()]


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
