"""`forewarn worker`: the Kafka engine; frames from a topic in, incidents and actions to topics out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from pipeline import config
from pipeline.ingest.recording import Recording
from pipeline.run import kafka, topics


@click.command()
@click.option("--config.file", "settings", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--feed", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Put the frames of a recording into the topic, and end.",
)  # fmt: skip
@click.option(
    "--ticks/--no-ticks", default=True, help="Let time pass where no frame comes.  [default: ticks]"
)
def command(settings: Path | None, feed: Path | None, ticks: bool) -> None:
    """Step the frames of KAFKA.PREFIX.frames; ends at SIGTERM with nothing unsaved."""
    try:
        loaded = config.load(settings)
    except config.Invalid as error:
        raise click.ClickException(str(error)) from error
    if feed is not None:
        click.echo(f"{asyncio.run(_feed(loaded.kafka, feed)):,} frames in {loaded.kafka.prefix}.frames")
        return
    kafka.work(loaded, ticks=ticks)


async def _feed(settings: config.Kafka, folder: Path) -> int:
    await topics.declare(settings)
    return await topics.feed(settings, Recording(folder).frames())
