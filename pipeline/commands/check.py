"""`forewarn check`: forewarn.yaml and all it names, to what is wrong with them; exit 1 where anything is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipeline import config
from pipeline.config import Config, Invalid


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
    if not found.response.receiver:
        click.echo("Note: nobody is told of incidents, because response.receiver names no receiver")


def summary(found: Config) -> str:
    """Return what was found, as amtool prints it."""
    response = found.response
    counts = {
        "watches": len(found.watches),
        "playbooks": len(response.playbooks),
        "receivers": len(response.receivers),
        "rungs of escalation": len(response.escalation),
        "services": len(found.topology.services),
        "customers": len(found.topology.customers),
    }
    return "\n".join(["Found:", *(f" - {count} {what}" for what, count in counts.items())])
