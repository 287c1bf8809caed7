"""Frames that no code of ours could step: their positions, on disk, so that every replay skips them too."""

from __future__ import annotations

import traceback
from pathlib import Path

import msgspec

from pipeline.run.shelf import put_whole


class Skipped(msgspec.Struct, frozen=True):
    """A line of the file."""

    position: int
    source: str
    error: str
    trace: str


class Poison:
    """Owns skipped.jsonl; bounded by the frames that the journal still holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: dict[int, Skipped] = {}
        if path.exists():
            for line in path.read_bytes().splitlines():
                self._keep(line)

    def __contains__(self, position: int) -> bool:
        return position in self._found

    def __len__(self) -> int:
        return len(self._found)

    def add(self, position: int, source: str, error: Exception) -> None:
        """Keep the position durably; the traceback says where our code gave up."""
        trace = "".join(traceback.format_exception(error))[-4000:]
        self._found[position] = Skipped(position, source, repr(error)[:300], trace)
        self._write()

    def forget(self, before: int) -> None:
        """Drop what is older than the journal."""
        old = [position for position in self._found if position < before]
        for position in old:
            del self._found[position]
        if old:
            self._write()

    def _keep(self, line: bytes) -> None:
        try:
            found = msgspec.json.decode(line, type=Skipped)
        except msgspec.DecodeError:
            return
        self._found[found.position] = found

    def _write(self) -> None:
        lines = (msgspec.json.encode(found) + b"\n" for found in self._found.values())
        put_whole(self.path, lines)
