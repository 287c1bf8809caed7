"""`forewarn logs`: lines of a file or a pipe to their templates, or to what is new, rising and vanished."""

from __future__ import annotations

import codecs
import gzip
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

import click
import msgspec
from rich.console import Console
from rich.progress import Progress

from pipeline.logs.compare import Change, Counted, compare
from pipeline.logs.joined import Head, continued
from pipeline.logs.shape import mask
from pipeline.logs.templates import Templates, take_block, text_of
from pipeline.redact import redact

BLOCK = 256 * 1024  # bytes read at a time, a pipe gives what it has; a longer line is cut to it
MOST = 20  # templates of one sort that are shown
SAMPLE = 200  # characters of a line


@click.command("logs")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--top", is_flag=True, help="Print for people what is new, rising, falling and vanished.")
@click.option(
    "--against",
    metavar="OTHER",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="With --top: the file to compare with; without it, FILE's second half is held against its first.",
)
def command(file: str, top: bool, against: str | None) -> None:
    """Print {"line", "template_id", "template"} for each line of FILE ("-" reads a pipe), in order.

    Ids are final when printed; `template` is how the template reads at that moment: a word that later
    lines prove to vary becomes <*>. Should two templates turn out to be one, {"merged", "into"} says
    so; the shipped engine never needs it. The lines of a stack trace have the id of the line they belong
    to. A file that ends in .gz is unpacked; UTF-16 is read where a byte order mark tells it.
    """
    if against is not None and not top:
        raise click.UsageError("--against: needs --top")
    if file == against == "-":
        raise click.UsageError('--against: "-" is FILE already, a pipe is read once')
    if top:
        _top(file, against)
    else:
        _each(file)


def _each(file: str) -> None:
    state = Templates()
    out = click.get_binary_stream("stdout")
    encode = msgspec.json.encode
    live = not os.path.isfile(file)
    number, last = 0, 0
    head: Head | None = None
    for block in _blocks(file, drawn=not sys.stdout.isatty()):
        ids, _ = take_block(state, block)
        more, head = continued(head, block)
        for at in more:
            ids[at] = ids[at - 1] if at else last
        last = ids[-1]
        texts = {id: text_of(state, id) for id in set(ids)}
        for id in ids:
            number += 1
            out.write(encode({"line": number, "template_id": id, "template": texts[id]}) + b"\n")
        if live:
            out.flush()  # once a read: a trickle shows line by line, a torrent by thousands


def _top(file: str, against: str | None) -> None:
    state = Templates()
    counted = _count(state, file)
    before, after = counted.halves() if against is None else (_count(state, against), counted)
    if against is None:
        click.echo(f"second half of {file}, {after.lines:,} lines, against the first, {before.lines:,} lines")
    else:
        click.echo(f"{file}, {after.lines:,} lines, against {against}, {before.lines:,} lines")
    found = compare(before, after)
    for what in ("new", "rising", "falling", "vanished"):
        _print(what, [change for change in found if change.what == what], state)
    if not found:
        click.echo("Nothing is new, rising, falling or vanished beyond what chance explains.")


def _count(state: Templates, file: str) -> Counted:
    counted = Counted()
    for block in _blocks(file, drawn=True):
        counted.take(state, block)
    return counted


def _print(what: str, changes: list[Change], state: Templates) -> None:
    if not changes:
        return
    click.echo(f"\n{what}: {len(changes)}\n{'lines':>9} {'expected':>10} {'surprise':>9}  template")
    for change in changes[:MOST]:
        template = _shown(text_of(state, change.id))
        click.echo(f"{change.lines:>9,} {change.expected:>10,.1f} {change.surprise:>9.1f}  {template}")
        click.echo(f"{'':>32}such as: {_shown(mask(redact(change.sample)))}")
    if len(changes) > MOST:
        click.echo(f"{'':>32}and {len(changes) - MOST:,} less surprising ones")


def _shown(text: str) -> str:
    """Return the text with nothing in it that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text[:SAMPLE])


def _blocks(file: str, drawn: bool) -> Iterator[bytes]:
    """Yield the bytes in blocks of whole lines, unpacked where the name ends in .gz."""
    with click.open_file(file, "rb") as opened:
        raw = cast(BinaryIO, opened)
        size = os.path.getsize(file) if drawn and os.path.isfile(file) else 0
        source = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if file.endswith(".gz") else raw
        try:
            yield from _watched(_whole(source), raw, size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise click.ClickException(f"{file}: not whole as .gz: {error}") from error


def _whole(source: BinaryIO) -> Iterator[bytes]:
    """Yield blocks of whole lines, a line cut to BLOCK bytes wherever the reads ended."""
    rest: list[bytes] = []
    held = 0
    for read in _reads(source):
        end = read.rfind(b"\n") + 1
        if end and held:
            first = read.index(b"\n")
            yield b"".join((*rest, read[:first]))[:BLOCK] + read[first:end]
        elif end:
            yield read[:end]
        if end:
            rest, held = [], 0
        if held < BLOCK:
            rest.append(read[end:])
        held += len(read) - end
    if last := b"".join(rest)[:BLOCK]:
        yield last


def _reads(source: BinaryIO) -> Iterator[bytes]:
    """Yield what there is, BLOCK bytes at most: a full read would hold back a slow pipe. UTF-16 as UTF-8."""
    read = getattr(source, "read1", source.read)
    found = cast(bytes, read(BLOCK)).removeprefix(codecs.BOM_UTF8)
    if not found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        while found:
            yield found
            found = read(BLOCK)
        return
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    while found:
        yield decoder.decode(found).encode("utf-8", "replace")
        found = read(BLOCK)


def _watched(blocks: Iterable[bytes], raw: BinaryIO, size: int) -> Iterator[bytes]:
    """Yield the blocks; where the size is known and a person looks on, draw how far it is."""
    if not size or not sys.stderr.isatty():
        yield from blocks
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("bytes", total=size)
        for block in blocks:
            bar.update(task, completed=raw.tell())
            yield block
