"""Snapshots on disk: pieces in at a position, the newest first out, the last few kept."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.ingest.journal import sync_folder

# Should the newest be damaged the one before it and the journal since then give the same state.
KEPT = 2


class Shelf:
    """Owns its folder; one file a snapshot, named after the position of the last frame in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for half in folder.glob("*.half"):
            half.unlink()  # a crash came while it was written

    def put(self, pieces: Iterable[bytes], position: int) -> None:
        """Write the snapshot, whole or not at all; only the last few stay."""
        put_whole(self.folder / f"{position:020d}.snapshot", pieces)
        for old in self._paths()[KEPT:]:
            old.unlink()

    def newest_first(self) -> Iterator[tuple[Path, int, bytes]]:
        for path in self._paths():
            yield path, int(path.stem), path.read_bytes()

    def oldest(self) -> int:
        """Return the position of the oldest snapshot kept; -1 where there are fewer than are to be kept."""
        paths = self._paths()
        return int(paths[-1].stem) if len(paths) >= KEPT else -1

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.snapshot"), reverse=True)


def put_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that a crash leaves it whole, or as it was before."""
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    sync_folder(path.parent)
