"""`forewarn logs`: lines of a file or a pipe to their templates, one JSON object a line."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterable, Iterator

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from pipeline.logs.templates import Templates, template_of, text_of


@click.command("logs")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def command(file: str) -> None:
    """Print {"line", "template_id", "template"} for each line of FILE ("-" reads a pipe), in order.

    Ids are final when printed; `template` is how the template reads at that moment. Should two
    templates turn out to be one, {"merged", "into"} says so; the shipped engine never needs it.
    A file that ends in .gz is unpacked.
    """
    state = Templates()
    out = click.get_binary_stream("stdout")
    encode = msgspec.json.encode
    live, packed = not os.path.isfile(file), file.endswith(".gz")
    size = 0 if live or packed else os.path.getsize(file)
    with gzip.open(file) if packed else click.open_file(file, "rb") as lines:
        for number, raw in enumerate(_watched(lines, size), start=1):
            id = template_of(state, raw.rstrip(b"\r\n").decode("utf-8", "replace"))
            said = {"line": number, "template_id": id, "template": text_of(state, id)}
            out.write(encode(said) + b"\n")
            if live:
                out.flush()


def _watched(file: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the lines; where the size is known and a person looks on, draw how far it is."""
    if not size or not sys.stderr.isatty():
        yield from file
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("lines", total=size)
        read = 0
        for number, raw in enumerate(file):
            read += len(raw)
            if number % 1000 == 0:
                bar.update(task, completed=read)
            yield raw
