"""`forewarn explain`: an id in, what each stage said of it out, from the store or a replay's folder."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from pipeline import config
from pipeline.console.explain import Unknown, tell
from pipeline.console.explained import show
from pipeline.explain import Story, Told, alone, explain, goes_by, holds, ids, names, nearest
from pipeline.store import sqlite
from pipeline.types import Action, Entry, Incident, Signal, State, Suspect

FILES = ("incidents.jsonl", "signals.jsonl", "actions.jsonl")
MAX_INCIDENTS = 10_000  # the newest


@click.command()
@click.argument("id")
@click.option(
    "--config.file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="[default: forewarn.yaml of this folder, where there is one]",
)
@click.option("--storage.path", "storage", help="Folder of the store.  [default: data]")
@click.option(
    "--out",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Read the folder that `forewarn replay --out` wrote instead.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as one JSON object.")
def command(id: str, file: Path | None, storage: str | None, out: Path | None, as_json: bool) -> None:
    """Tell what each stage said of ID: an incident, signal, complaint, change, action or alert.

    An alert goes by its name or fingerprint, too. The store may be in use; it is only read.
    """
    try:
        told = from_folder(out, id) if out else _from_store(id, file, storage)
    except (Unknown, ValueError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
        return
    show(told)


def _from_store(id: str, file: Path | None, storage: str | None) -> Told:
    home = Path(storage or config.load(file or config.default()).storage.path)
    if not (home / sqlite.FILE).exists():
        raise ValueError(f"{home / sqlite.FILE}: no such file; is --storage.path right?")
    try:
        return asyncio.run(_ask(home, id))
    except sqlite3.Error as error:
        raise ValueError(f"{home / sqlite.FILE}: cannot be read: {error}") from error


async def _ask(home: Path, id: str) -> Told:
    store = sqlite.look(home)
    try:
        return await tell(store, id, str(home / sqlite.FILE), MAX_INCIDENTS)
    finally:
        await store.close()


def from_folder(folder: Path, id: str) -> Told:
    """Return what a replay's files say of the id; raises Unknown, ValueError where they are not there."""
    rows = [_rows(folder / name) for name in FILES]
    signals = {s.id: s for s in map(_signal, rows[1])}
    incidents = [_incident(r, signals) for r in rows[0]]
    actions = [Action(**{"args": {}, **r}) for r in rows[2]]
    for incident in incidents:
        own = tuple((a, "assumed ok", None) for a in actions if a.incident == incident.id)
        if holds(incident, id) or any(a.key == id for a, _, _ in own):
            return explain(Story(incident, actions=own), id)
    if lonely := [s for s in signals.values() if goes_by(s, id)]:
        return alone(lonely[0], id)
    if acted := [a for a in actions if a.key == id]:
        return alone((acted[0], "assumed ok", None), id)
    known = [k for i in incidents for k in ids(i)]
    known += [k for s in signals.values() for k in names(s)] + [a.key for a in actions]
    looked = f"{folder}: {len(incidents):,} incidents, {len(signals):,} signals, {len(actions):,} actions"
    raise Unknown(id, looked, nearest(id, known))


def _rows(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        raise ValueError(f"{path}: no such file; did `forewarn replay --out {path.parent}` write it?")
    return [orjson.loads(line) for line in path.read_bytes().splitlines() if line]


def _signal(row: dict[str, Any]) -> Signal:
    numbers = {k: math.nan if row[k] is None else row[k] for k in ("surprise", "observed", "expected")}
    return Signal(**{**row, **numbers, "samples": tuple(row["samples"])})


def _incident(row: dict[str, Any], signals: dict[str, Signal]) -> Incident:
    over = row["resolved_at"]
    timeline: Sequence[dict[str, Any]] = row["timeline"]
    return Incident(
        id=row["id"],
        opened=row["opened_at"],
        updated=timeline[-1]["at"] if timeline else row["opened_at"],
        title=row["title"],
        priority=row["priority"],
        services=tuple(row["services"]),
        signals=tuple(signals[id] for id in row["signals"] if id in signals),
        suspects=tuple(Suspect(**s) for s in row["suspects"]),
        complaints=tuple(row["complaints"]),
        customers=tuple(row["customers"]),
        timeline=tuple(Entry(e["at"], e["what"], tuple(e["suspects"])) for e in timeline),
        state=State.OPEN if over is None else State.RESOLVED,
        first_signal=row["first_signal_at"],
        first_complaint=row["first_complaint_at"],
        paged=row["paged_at"],
        resolved=over,
    )
