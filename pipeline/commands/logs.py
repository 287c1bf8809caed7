"""`forewarn logs`: lines of a file or a pipe to their templates, one JSON object a line."""

from __future__ import annotations

import gzip
import os
import sys
from collections.abc import Iterator
from typing import BinaryIO, cast

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from pipeline.logs.templates import Templates, take_block, text_of

BLOCK = 256 * 1024  # bytes read at a time; a pipe gives what it has


@click.command("logs")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
def command(file: str) -> None:
    """Print {"line", "template_id", "template"} for each line of FILE ("-" reads a pipe), in order.

    Ids are final when printed; `template` is how the template reads at that moment: a word that later
    lines prove to vary becomes <*>. Should two templates turn out to be one, {"merged", "into"} says
    so; the shipped engine never needs it. A file that ends in .gz is unpacked.
    """
    state = Templates()
    out = click.get_binary_stream("stdout")
    encode = msgspec.json.encode
    live, packed = not os.path.isfile(file), file.endswith(".gz")
    size = 0 if live or packed else os.path.getsize(file)
    number = 0
    with gzip.open(file) if packed else click.open_file(file, "rb") as opened:
        for block in _watched(_blocks(cast(BinaryIO, opened)), size):
            ids, counts = take_block(state, block)
            texts = {id: text_of(state, id) for id in counts}
            for id in ids:
                number += 1
                out.write(encode({"line": number, "template_id": id, "template": texts[id]}) + b"\n")
            if live:
                out.flush()


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes in blocks of whole lines."""
    rest: list[bytes] = []
    while read := _read(file):
        end = read.rfind(b"\n") + 1
        if end:
            yield b"".join((*rest, read[:end]))
            rest = []
        rest.append(read[end:])
    if last := b"".join(rest):
        yield last


def _read(file: BinaryIO) -> bytes:
    """Return what there is, BLOCK bytes at most; b"" at the end. A full read would hold back a slow pipe."""
    read = getattr(file, "read1", file.read)
    return cast(bytes, read(BLOCK))


def _watched(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the blocks; where the size is known and a person looks on, draw how far it is."""
    if not size or not sys.stderr.isatty():
        yield from blocks
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("lines", total=size)
        for block in blocks:
            bar.advance(task, len(block))
            yield block
