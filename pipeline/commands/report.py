"""`forewarn report`: one day of the store to the daily report, as text or HTML."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from pathlib import Path

import click

from detectors.calendars import Calendar
from pipeline import clock, config
from pipeline.console import report as shown
from pipeline.console import templates
from pipeline.follow.hours import local_day
from pipeline.report import Report, reckon, times_of
from pipeline.store import sqlite
from pipeline.types import Seconds

MAX_INCIDENTS = 10_000  # the newest


@click.command()
@click.option("--day", help="As 2026-11-22, by the local time of promises.hours.  [default: yesterday]")
@click.option("--html", "page", is_flag=True, help="A page that stands alone, to mail or to keep.")
@click.option(
    "--config.file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="[default: forewarn.yaml of this folder, where there is one]",
)
@click.option("--storage.path", "storage", help="Folder of the store.  [default: data]")
def command(day: str | None, page: bool, file: Path | None, storage: str | None) -> None:
    """Print the report of one day: complaints, promises kept and broken, lead time, satisfaction."""
    try:
        settings = config.load(file or config.default())
    except config.Invalid as error:
        raise click.ClickException(str(error)) from error
    home = Path(storage or settings.storage.path)
    if not (home / sqlite.FILE).exists():
        raise click.ClickException(f"{home / sqlite.FILE}: no such file; is --storage.path right?")
    hours = settings.promises.hours
    calendar = hours.calendar if hours else Calendar()
    report = asyncio.run(read(home, _day(day, calendar), calendar, clock.wall()))
    if page:
        html = templates().get_template("report.html")
        title = f"Forewarn, {report.day:%A %-d %B %Y}"
        click.echo(html.render(title=title, sections=shown.sections(report)))
    else:
        click.echo(shown.text(report), nl=False)


def _day(said: str | None, calendar: Calendar) -> date:
    if said is None:
        return local_day(calendar, clock.wall()) - timedelta(days=1)
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise click.BadParameter(
            f'expected a day such as 2026-11-22, got "{said}"', param_hint="--day"
        ) from error


async def read(home: Path, day: date, calendar: Calendar, now: Seconds) -> Report:
    """Return the report of a local day; the store may be in use."""
    store, times = sqlite.open(home), times_of(day, calendar)
    try:
        cases = await store.cases_between(times[0], times[2])
        return reckon(day, times, cases, await store.incidents(limit=MAX_INCIDENTS), now)
    finally:
        await store.close()
