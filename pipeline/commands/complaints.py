"""`forewarn complaints`: complaints of a file or a pipe to topics, services and surges, as JSON lines."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import click
import msgspec

from pipeline import topology
from pipeline.complaints import ComplaintState, encoders, hear, tuned
from pipeline.complaints.encoders import Encoder
from pipeline.complaints.reading import Reading, readings
from pipeline.complaints.tuning import Complaints
from pipeline.markup import seen
from pipeline.pseudonym import pseudonym
from pipeline.redact import redact
from pipeline.topology import Topology
from pipeline.types import Event
from pipeline.visible import visible

LABELS = ("customer", "channel", "lang", "version", "platform", "region", "topic")
MASKED = ("channel", "lang", "version", "platform", "region", "topic")
MAX_TIME = 4_102_444_800.0  # the year 2100: what lies past it was not written in seconds
AROUND = 200  # bytes of a bad line that are masked, of which the first are told
BLOCK = 128  # complaints of a file that are read ahead


class Row(msgspec.Struct):
    """One line of complaints.jsonl."""

    t: float
    id: str
    text: str
    customer: str = ""
    channel: str = ""
    lang: str = ""
    version: str = ""
    platform: str = ""
    region: str = ""
    topic: str = ""  # what it is about, where a person said so


@click.command("complaints")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--catalog",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The service catalogue whose aliases link complaints to services.",
)
@click.option(
    "--encoder",
    type=click.Choice(["auto", "none", "use"]),
    default="auto",
    help="What compares meanings; auto is the sentence encoder where it is installed.",
)
def command(file: str, catalog: Path | None, encoder: Literal["auto", "none", "use"]) -> None:
    """Print {"id", "topic", "urgent", "services"} for each complaint of FILE ("-" reads a pipe).

    And {"surge", "at", "ids"} the moment one is known: more customers say the same than is usual.
    A file that ends in .gz is unpacked; a line that is no complaint is told on stderr. What is
    personal is masked.
    """
    try:
        known = topology.load(catalog) if catalog is not None else Topology()
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    state = tuned(ComplaintState(), Complaints(encoder=encoder))
    told: set[str] = set()
    out = click.get_binary_stream("stdout")
    model = encoders.encoder(state.sense.encoder)
    live = not os.path.isfile(file)
    with gzip.open(file) if file.endswith(".gz") else click.open_file(file, "rb") as lines:
        for row, ahead in _ahead(_rows(lines), model, 1 if live else BLOCK):
            labels = {name: getattr(row, name) for name in LABELS}
            event = Event("complaint", row.id, row.t, labels, row.text)
            signals, read = hear(state, (event,), known, row.t, ahead=ahead)
            said: list[dict[str, Any]] = [
                {"id": c.id, "topic": c.topic, "urgent": c.urgent, "services": c.services} for c in read
            ]
            told.difference_update(s.id for s in signals if s.ended is not None)
            new = [s for s in signals if s.page and s.ended is None and s.id not in told]
            said += [{"surge": s.id, "at": s.at, "ids": s.ids, "reason": s.reason} for s in new]
            told.update(s.id for s in new)
            out.write(b"".join(msgspec.json.encode(one) + b"\n" for one in said))
            if live:
                out.flush()
    if twice := state.dropped["heard before"]:
        click.echo(f"{twice} left out: a complaint of that id came before", err=True)


def _ahead(rows: Iterator[Row], model: Encoder, block: int) -> Iterator[tuple[Row, Mapping[str, Reading]]]:
    """Yield each complaint with the texts of its block as they are read, which is quicker done at once."""
    while some := list(islice(rows, block)):
        known = readings((row.text for row in some), model)
        yield from ((row, known) for row in some)


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """Yield the complaints as the door takes them; a line that is none is told on stderr and left out."""
    decode = msgspec.json.Decoder(Row, strict=False).decode
    for number, line in enumerate(lines, start=1):
        try:
            row = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            begins = redact(line[:AROUND].decode(errors="replace"))[:60]
            click.echo(f"line {number}: {error}: {begins!r}", err=True)
            continue
        if 0 <= row.t < MAX_TIME:
            masked = {name: redact(visible(getattr(row, name))) for name in MASKED if getattr(row, name)}
            who = pseudonym(row.customer)
            yield msgspec.structs.replace(row, text=redact(visible(seen(row.text))), customer=who, **masked)
        else:
            click.echo(f"line {number}: t: expected s since 1970, got {row.t:.0f}", err=True)
