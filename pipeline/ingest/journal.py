"""Encoded frames in, positions out once they are on disk: append-only segment files, group-committed.

A record is its length, a CRC-32 of position and body, and the body. A segment file is named after the
position of its first record, so positions have no gap and need not be stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipeline import clock
from pipeline.types import Seconds

MAGIC = b"FWJ1"
_RECORD = struct.Struct("<II")  # length, check sum

SEGMENT = 64 * 1024 * 1024
# One commit writes at most so much at once: larger groups gain nothing and make the first one wait.
GROUP = 4 * 1024 * 1024


class Unwritable(Exception):
    """The records are not on disk and never will be: whoever sent them must send them again."""


class Damaged(ValueError):
    """A record before the end of the journal is not as it was written."""


class Journal:
    """Owns its folder. What waits to be written is bounded by the caller, who sees each future."""

    def __init__(self, folder: Path, segment: int = SEGMENT) -> None:
        self.folder = folder
        self.first = 0  # position of the oldest record kept
        self.next = 0  # position that the next record gets
        self.last: bytes | None = None  # the newest record found at opening
        self.cut = 0  # bytes of a torn tail that opening removed
        self.synced: Callable[[Seconds], None] = lambda span: None
        self._segment = segment
        self._size = 0  # durable bytes of the newest segment
        self._file = -1
        self._waiting: deque[tuple[Sequence[bytes], asyncio.Future[int]]] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(1, "journal")
        self._open()

    def append(self, raws: Sequence[bytes]) -> asyncio.Future[int]:
        """Return the position of the first, once all are durable; futures come true in order of the calls.

        Raises Unwritable in the future where the disk is full or fails; later calls may work again.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((raws, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return future

    def replay(self, start: int, end: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Yield (position, record) from `start` to before `end`, or to what is durable now."""
        end = self.next if end is None else min(end, self.next)
        paths = self._paths()
        for path, following in zip(paths, [*map(_first_of, paths[1:]), self.next], strict=True):
            if following <= start or _first_of(path) >= end:
                continue
            position = _first_of(path)
            for raw in _records(path.read_bytes(), position):
                if start <= position < end:
                    yield position, raw
                position += 1
            if position < min(following, end):  # past `end` another thread may be writing
                raise Damaged(f"{path}: record {position} is damaged, and it is not the end of the journal")

    def forget(self, before: int) -> None:
        """Delete the segments whose records are all older than this position."""
        paths = self._paths()
        for path, following in itertools.pairwise(paths):
            if _first_of(following) <= before:
                path.unlink()
        self.first = _first_of(self._paths()[0])

    def skip_to(self, position: int) -> None:
        """Go on at a later position: for a snapshot that is newer than the journal beside it."""
        for path in self._paths():
            path.unlink()
        self.first = self.next = position
        self._roll()

    async def close(self) -> None:
        """Write what waits, then close the file."""
        if self._writer is not None:
            await self._writer
        self._thread.shutdown()
        os.close(self._file)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group = self._group()
            began = clock.steady()
            try:
                raws = [raw for some, _ in group for raw in some]
                first = await loop.run_in_executor(self._thread, self._commit, raws)
            except OSError as error:
                for _, future in group:
                    _fail(future, Unwritable(f"journal: {error.strerror or error}"))
                continue
            self.synced(clock.steady() - began)
            for some, future in group:
                if not future.done():
                    future.set_result(first)
                first += len(some)

    def _group(self) -> list[tuple[Sequence[bytes], asyncio.Future[int]]]:
        group = [self._waiting.popleft()]
        size = sum(map(len, group[0][0]))
        while self._waiting and size < GROUP:
            size += sum(map(len, self._waiting[0][0]))
            group.append(self._waiting.popleft())
        return group

    def _commit(self, raws: Sequence[bytes]) -> int:
        """Return the position of the first once all are durable; runs in the journal's own thread."""
        first = self.next
        try:
            if self._size >= self._segment:
                self._roll()
            parts: list[bytes] = []
            for position, raw in enumerate(raws, first):
                parts += (_RECORD.pack(len(raw), _sum(position, raw)), raw)
            size = _write_all(self._file, b"".join(parts), self._size)
            os.fdatasync(self._file)
        except OSError:
            with contextlib.suppress(OSError):  # the next commit writes over it anyway
                os.ftruncate(self._file, self._size)
            raise
        self._size += size
        self.next = first + len(raws)
        return first

    def _roll(self) -> None:
        path = self.folder / f"{self.next:020d}.journal"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o640)
        try:
            _write_all(file, MAGIC, 0)
            os.fdatasync(file)
            sync_folder(self.folder)
        except OSError:
            os.close(file)
            raise
        if self._file >= 0:
            os.close(self._file)
        self._file, self._size = file, len(MAGIC)

    def _open(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        paths = self._paths()
        while paths and paths[-1].stat().st_size <= len(MAGIC):
            paths.pop().unlink()  # a crash while it was begun: nothing is in it
        if not paths:
            self._roll()
            return
        self.first = _first_of(paths[0])
        for path in paths[-2:]:
            self.next, self._size = _first_of(path), len(MAGIC)
            for raw in _records(path.read_bytes(), self.next):
                self.next, self._size, self.last = self.next + 1, self._size + _RECORD.size + len(raw), raw
        self._file = os.open(paths[-1], os.O_RDWR)
        self.cut = os.fstat(self._file).st_size - self._size
        if self.cut:
            os.ftruncate(self._file, self._size)
            os.fdatasync(self._file)

    def _paths(self) -> list[Path]:
        return sorted(self.folder.glob("*.journal"))


def _records(raw: bytes, position: int) -> Iterator[bytes]:
    """Yield the bodies of a segment up to the first that is not whole."""
    at = len(MAGIC)
    while at + _RECORD.size <= len(raw):
        length, check = _RECORD.unpack_from(raw, at)
        body = raw[at + _RECORD.size : at + _RECORD.size + length]
        if len(body) < length or _sum(position, body) != check:
            return
        yield body
        at += _RECORD.size + length
        position += 1


def _sum(position: int, body: bytes) -> int:
    return zlib.crc32(body, position & 0xFFFFFFFF)


def _first_of(path: Path) -> int:
    return int(path.stem)


def _write_all(file: int, raw: bytes, at: int) -> int:
    done = 0
    while done < len(raw):
        done += os.pwrite(file, memoryview(raw)[done:], at + done)
    return done


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, as they are now."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _fail(future: asyncio.Future[int], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
