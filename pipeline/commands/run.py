"""`forewarn run`: feeds in over HTTP, incidents and the console out; needs no server and no settings."""

from __future__ import annotations

from pathlib import Path

import click
import uvloop

from pipeline import config
from pipeline.config import Invalid
from pipeline.run import saying
from pipeline.run.serve import Launch, serve

NONE = "none; a forewarn.yaml in this folder would be read"
FIRST = """
  console     http://{at}
  settings    {file}
  an incident of your own, in three lines:

    curl {at}/api/v1/changes -d '{{"service": "pay", "kind": "deploy", "summary": "pay 1.4.2"}}'
    curl {at}/api/v2/alerts -H 'Content-Type: application/json' -d '[{{"labels": {{"alertname": "HighErrors",
      "service": "pay", "severity": "critical"}}, "annotations": {{"summary": "5 % of payments fail"}}}}]'

  Prometheus  remote_write url http://{at}/api/v1/write, alertmanagers target {at}
"""


@click.command()
@click.option(
    "--config.file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="[default: forewarn.yaml of this folder, where there is one]",
)
@click.option("--storage.path", "storage", help="Folder of journal, snapshots and store.  [default: data]")
@click.option("--web.listen-address", "listen", help="HOST:PORT  [default: 127.0.0.1:9093]")
@click.option(
    "--log.level", "level", type=click.Choice(list(saying.LEVELS)), default="info", show_default=True
)
@click.option("--log.format", "form", type=click.Choice(saying.FORMATS), default="auto", show_default=True)
def command(file: Path | None, storage: str | None, listen: str | None, level: str, form: str) -> None:
    """Run Forewarn: take in what is posted, open the console; SIGHUP reloads, SIGTERM ends it cleanly."""
    saying.say(level, form)
    launch = Launch(file or config.default(), storage, listen)
    try:
        uvloop.run(serve(launch, lambda at: click.echo(FIRST.format(at=at, file=launch.file or NONE))))
    except Invalid as error:
        raise click.ClickException(str(error)) from error
    except (OSError, ValueError) as error:
        raise click.ClickException(getattr(error, "strerror", None) or str(error)) from error
