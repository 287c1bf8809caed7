"""`forewarn cause`: a recording and a window to the services that most likely caused it, with reasons."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.console.words import iso
from pipeline.evidence import Window
from pipeline.run.inquest import MODALITIES, inquire, open_recording, suspects
from pipeline.types import Seconds

SHOWN = 5


class _Time(click.ParamType):
    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Seconds:
        """Return seconds since 1970 of either a number or an ISO 8601 time, UTC where it names no zone."""
        text = str(value)
        try:
            return float(text)
        except ValueError:
            pass
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f'expected 2026-11-22T10:00:00 or seconds since 1970, got "{text}"', param, ctx)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


@click.command()
@click.argument("recording", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--from", "since", type=_Time(), required=True, help="When it was noticed.")
@click.option("--to", "until", type=_Time(), required=True, help="Nothing from after it is looked at.")
@click.option(
    "--trouble",
    type=(_Time(), _Time()),
    multiple=True,
    help="From and to of an earlier incident: no measure of what is usual. May be given again.",
)
@click.option("--of", type=click.Choice(MODALITIES), multiple=True, help="[default: all]")
@click.option("--json", "as_json", is_flag=True, help="One object a service, all of them.")
def command(
    recording: Path,
    since: Seconds,
    until: Seconds,
    trouble: tuple[tuple[Seconds, Seconds], ...],
    of: tuple[str, ...],
    as_json: bool,
) -> None:
    """Rank the services of RECORDING by what its metrics, and evidence/ spans and logs, say of a window.

    What is usual is learned from the time before the window.
    """
    if not since < until:
        raise click.BadParameter(f"expected --from before --to, got {iso(since)} and {iso(until)}")
    try:
        inquest = open_recording(recording)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    ranked = suspects(inquest, inquire(inquest, Window(since, until, trouble)), of or MODALITIES)
    if as_json:
        for each in ranked:
            click.echo(json.dumps({"service": each.service, "score": each.score, "reason": each.reason}))
        return
    table = Table("", "service", "score", "why")
    for at, each in enumerate((s for s in ranked[:SHOWN] if s.score > 0), 1):
        table.add_row(str(at), Text(each.service), f"{each.score:.1f}", Text(each.reason))
    if not table.rows:
        click.echo("nothing differs from what is usual")
        return
    Console(width=110).print(table)
