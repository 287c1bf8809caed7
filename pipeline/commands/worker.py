"""`forewarn worker`: the Kafka engine; frames from a topic in, incidents and actions to topics out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
import msgspec

from pipeline import config
from pipeline.ingest.recording import Recording
from pipeline.run import kafka, saying, topics


@click.command()
@click.option(
    "--config.file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its key `kafka` says where.  [default: forewarn.yaml of this folder, where there is one]",
)
@click.option(
    "--storage.path", "storage", help="Also record each step in this folder, and perform its actions."
)
@click.option(
    "--feed",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Put the frames of a recording into the topic, and end.",
)
@click.option(
    "--ticks/--no-ticks", default=True, help="Let time pass where no frame comes.  [default: ticks]"
)
@click.option(
    "--log.level", "level", type=click.Choice(list(saying.LEVELS)), default="info", show_default=True
)
@click.option("--log.format", "form", type=click.Choice(saying.FORMATS), default="auto", show_default=True)
def command(
    file: Path | None, storage: str | None, feed: Path | None, ticks: bool, level: str, form: str
) -> None:
    """Step the frames of the topic PREFIX.frames; SIGTERM ends it with nothing unsaved."""
    saying.say(level, form)
    try:
        settings = config.load(file or config.default())
        if feed is not None:
            done = asyncio.run(_feed(settings.kafka, feed))
            click.echo(f"{done:,} frames into {settings.kafka.prefix}.frames")
            return
        if storage is not None:
            kept = msgspec.structs.replace(settings.storage, path=storage)
            settings = msgspec.structs.replace(settings, storage=kept)
        kafka.work(settings, ticks=ticks, act=storage is not None)
    except ValueError as error:
        raise click.ClickException(str(error)) from error


async def _feed(settings: config.Kafka, folder: Path) -> int:
    await topics.declare(settings)
    return await topics.feed(settings, Recording(folder).frames())
