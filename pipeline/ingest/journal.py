"""Encoded frames in, positions out once they are on disk: append-only segment files, group-committed.

A record is its length, a CRC-32 of position and body, and the body. A segment file is named after the
position of its first record, so positions have no gap and need not be stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TypeAlias

from pipeline import clock
from pipeline.types import Seconds

MAGIC = b"FWJ1"
_RECORD = struct.Struct("<II")  # length, check sum

SEGMENT = 64 * 1024 * 1024
# One commit writes at most so much at once: larger groups gain nothing and make the first one wait.
GROUP = 4 * 1024 * 1024
# Of more bytes CPython sums up while other threads run, and whoever answers posts waits for one of them.
AT_ONCE = 5 * 1024
# Two commits do not begin sooner after one another: each costs as much CPU time as a hundred alerts, and what
# came meanwhile shares the next. Nothing waits while the journal is idle.
APART: Seconds = 0.002

# Written and durable in one call, where there is such a call: after each the thread waits for its turn.
DURABLY = getattr(os, "RWF_DSYNC", 0)
_UNKNOWN = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # says a kernel, or a sandbox, that has none

_Waiting: TypeAlias = tuple[Callable[[], Sequence[bytes]], asyncio.Future[int]]
_Group: TypeAlias = list[tuple[Sequence[bytes], asyncio.Future[int]]]


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
        self._waiting: deque[_Waiting] = deque()
        self._busy = False  # a commit is under way, or will begin by itself
        self._began = 0.0  # the last commit
        self._closed: asyncio.Future[None] | None = None
        self._durably = DURABLY
        self._groups: SimpleQueue[tuple[asyncio.AbstractEventLoop, _Group, bytes] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._open()

    @property
    def busy(self) -> bool:
        """Whether something is being written, or waits to be."""
        return self._busy

    def append(self, raws: Sequence[bytes]) -> asyncio.Future[int]:
        """Return the position of the first, once all are durable; futures come true in order of the calls.

        Raises Unwritable in the future where the disk is full or fails; later calls may work again.
        """
        return self.append_late(lambda: raws)

    def append_late(self, made: Callable[[], Sequence[bytes]]) -> asyncio.Future[int]:
        """Append what `made` returns once its commit begins: until then its caller may add to it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        self._waiting.append((made, future))
        if not self._busy:
            self._soon(loop)
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
        if self._busy:
            self._closed = asyncio.get_running_loop().create_future()
            await self._closed
        if self._thread is not None:
            self._groups.put(None)
            self._thread.join()
        os.close(self._file)

    def _soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """Commit what waits, and what comes until then."""
        self._busy = True
        wait = 0.0 if self._closed else self._began + APART - clock.steady()
        if wait > 0:
            loop.call_later(wait, self._begin, loop)
        else:
            loop.call_soon(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._began = clock.steady()
        if self._thread is None:
            self._thread = Thread(target=self._write, name="journal", daemon=True)
            self._thread.start()
        group = self._group()
        try:
            packed = _packed(self.next, [raw for some, _ in group for raw in some])
        except MemoryError as error:
            self._wrote(loop, group, -1, Unwritable(f"journal: {error!r}"), 0.0)
        else:
            self._groups.put((loop, group, packed))

    def _write(self) -> None:
        """Commit group after group; runs in the journal's own thread."""
        while (work := self._groups.get()) is not None:
            loop, group, packed = work
            began = clock.steady()
            first, wrong = self.next, None
            try:
                self._commit(packed, sum(len(some) for some, _ in group))
            except OSError as error:
                wrong = Unwritable(f"journal: {error.strerror or error!r}")
            loop.call_soon_threadsafe(self._wrote, loop, group, first, wrong, clock.steady() - began)

    def _wrote(
        self, loop: asyncio.AbstractEventLoop, group: _Group, first: int, wrong: Unwritable | None,
        span: Seconds,
    ) -> None:  # fmt: skip
        """Tell whoever waits for a group, and begin the next."""
        if wrong is None:
            self.synced(span)
        for some, future in group:
            if not future.done():
                if wrong is not None:
                    future.set_exception(wrong)
                else:
                    future.set_result(first)
            first += len(some)
        self._busy = False
        if self._waiting:
            self._soon(loop)
        elif self._closed is not None:
            self._closed.set_result(None)

    def _group(self) -> _Group:
        group: _Group = []
        size = 0
        while self._waiting and size < GROUP:
            made, future = self._waiting.popleft()
            group.append((made(), future))
            size += sum(map(len, group[-1][0]))
        return group

    def _commit(self, packed: bytes, count: int) -> None:
        """Write so many records, durably; runs in the journal's own thread."""
        try:
            if self._size >= self._segment:
                self._roll()
            self._keep(packed)
        except OSError:
            with contextlib.suppress(OSError):  # the next commit writes over it anyway
                os.ftruncate(self._file, self._size)
            raise
        self._size += len(packed)
        self.next += count

    def _keep(self, packed: bytes) -> None:
        """Write behind what there is, and return once it is on disk."""
        done = 0
        while self._durably and done < len(packed):
            try:
                rest = [memoryview(packed)[done:]]
                done += os.pwritev(self._file, rest, self._size + done, self._durably)
            except OSError as error:
                if error.errno not in _UNKNOWN:
                    raise
                self._durably = 0
        if done < len(packed):
            _write_all(self._file, packed, self._size)
            os.fdatasync(self._file)

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


def _packed(first: int, raws: Sequence[bytes]) -> bytes:
    """Return records as they lie in a segment, the first at this position."""
    parts: list[bytes] = []
    for position, raw in enumerate(raws, first):
        parts += (_RECORD.pack(len(raw), _sum(position, raw)), raw)
    return b"".join(parts)


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
    check, rest = position & 0xFFFFFFFF, memoryview(body)
    for at in range(0, len(body), AT_ONCE):
        check = zlib.crc32(rest[at : at + AT_ONCE], check)
    return check


def _first_of(path: Path) -> int:
    return int(path.stem)


def _write_all(file: int, raw: bytes, at: int) -> None:
    done = 0
    while done < len(raw):
        done += os.pwrite(file, memoryview(raw)[done:], at + done)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, as they are now."""
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
