"""`forewarn check`: forewarn.yaml and all it names, to what is wrong with them; exit 1 where anything is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pipeline import config
from pipeline.config import Config, Invalid

MAX_DOUBTS = 10


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
def command(file: Path | None) -> None:
    """Check FILE, a forewarn.yaml, with the rules and playbooks it names.

    Without FILE: forewarn.yaml of this folder, or what Forewarn ships where there is none.
    """
    file = file or config.default()
    click.echo(f"Checking '{file or 'what ships'}'  ", nl=False)
    try:
        found = config.load(file)
    except Invalid as invalid:
        click.echo("FAILED")
        for error in invalid.errors:
            click.echo(f"  {error}")
        sys.exit(1)
    click.echo("SUCCESS")
    click.echo(summary(found))
    for note in notes(found):
        click.echo(f"Note: {note}")


def notes(found: Config) -> Iterator[str]:
    """Yield what is allowed, and perhaps not meant."""
    if not found.response.receiver:
        yield "nobody is told of incidents, because response.receiver names no receiver"
    yield from found.topology.doubts[:MAX_DOUBTS]
    if len(found.topology.doubts) > MAX_DOUBTS:
        yield f"and {len(found.topology.doubts) - MAX_DOUBTS} more of the catalogue"


def summary(found: Config) -> str:
    """Return what was found, as amtool prints it."""
    response = found.response
    counts = {
        "watches": len(found.watches) - 2 * len(found.slos),
        "objectives": len(found.slos),
        "correlation rules": len(found.patterns),
        "priority rules": len(found.priorities),
        "inhibition rules": len(found.inhibit_rules),
        "playbooks": len(response.playbooks),
        "receivers": len(response.receivers),
        "rungs of escalation": len(response.escalation),
        "services": len(found.topology.services),
        "customers": len(found.topology.customers),
    }
    return "\n".join(["Found:", *(f" - {count} {what}" for what, count in counts.items())])
