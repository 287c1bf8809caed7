"""Steps into one SQLite file, what the console shows out of it.

SQLite 3.37 or newer, write-ahead log, synchronous=FULL: a step is on disk when `record` returns, and a
reader never waits for the writer. One thread writes and one reads, so the event loop never blocks.
When the disk is full or gone, `record` raises sqlite3.Error and nothing of the step is kept.

    storage: {path: data}     # the file is data/forewarn.sqlite
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from pipeline.store import _tables
from pipeline.store._tables import Db
from pipeline.types import (
    Action,
    Case,
    Complaint,
    Event,
    Evidence,
    Incident,
    Outcome,
    Run,
    Seconds,
    Step,
    Verdict,
)

T = TypeVar("T")

FILE = "forewarn.sqlite"


def open(path: Path) -> Sqlite:
    """Open the store in a folder, made where missing; raises ValueError for a file of another version."""
    path.mkdir(parents=True, exist_ok=True)
    file = path / FILE
    db = _connect(file)
    _prepare(db, file)
    return Sqlite(db, _connect(file))


def look(path: Path) -> Sqlite:
    """Open the store in a folder to be read only, in use or not; raises ValueError as `open` does."""
    file = path / FILE
    first, second = _connect_to_read(file), _connect_to_read(file)
    _check(first, file)
    return Sqlite(first, second)


class Sqlite:
    """A Store. Two connections, each used by its own thread only."""

    def __init__(self, write_db: Db, read_db: Db) -> None:
        self._writer = ThreadPoolExecutor(1, "store-write")
        self._reader = ThreadPoolExecutor(1, "store-read")
        self._write_db = write_db
        self._read_db = read_db
        self._read_db.execute("PRAGMA query_only = 1")
        self._touched: dict[str, int] = {}  # rows of evidence since a signal was last cut to its bound

    async def record(self, step: Step, position: int) -> tuple[Action, ...]:
        return await self._write(lambda db: _tables.keep(db, step, position, self._touched))

    async def claim(self, key: str, now: Seconds) -> bool:
        sql = "UPDATE actions SET state = 'begun', begun = ? WHERE key = ? AND state = 'waiting'"
        return await self._write(lambda db: db.execute(sql, (now, key)).rowcount == 1)

    async def finish(self, action: Action, outcome: Outcome, now: Seconds) -> None:
        sql = "UPDATE actions SET state = ?, finished = ?, outcome = ? WHERE key = ?"
        row = ("done" if outcome.ok else "failed", now, _tables.pack(outcome), action.key)
        await self._write(lambda db: db.execute(sql, row))

    async def waiting(self) -> tuple[Action, ...]:
        return await self._all(
            _tables.read_action, "SELECT record FROM actions WHERE state = 'waiting' ORDER BY n"
        )

    async def interrupted(self) -> tuple[Action, ...]:
        return await self._all(
            _tables.read_action, "SELECT record FROM actions WHERE state = 'begun' ORDER BY n"
        )

    async def incidents(self, *, open_only: bool = False, limit: int = 200) -> tuple[Incident, ...]:
        where = "WHERE resolved IS NULL " if open_only else ""
        sql = f"SELECT record FROM incidents {where}ORDER BY opened DESC, id LIMIT ?"  # noqa: S608 two constants
        return await self._all(_tables.read_incident, sql, limit)

    async def incident(self, id: str) -> Incident | None:
        found = await self._all(_tables.read_incident, "SELECT record FROM incidents WHERE id = ?", id)
        return found[0] if found else None

    async def verdicts(self, incident: str) -> tuple[tuple[Seconds, Verdict], ...]:
        sql = "SELECT at, record FROM verdicts WHERE incident = ? ORDER BY position"
        return tuple((at, _tables.read_verdict(raw)) for at, raw in await self._rows(sql, incident))

    async def actions(self, incident: str) -> tuple[tuple[Action, str, Outcome | None], ...]:
        sql = "SELECT record, state, outcome FROM actions WHERE incident = ? ORDER BY n"
        rows = await self._rows(sql, incident)
        return tuple(
            (_tables.read_action(a), state, _tables.read_outcome(o) if o else None) for a, state, o in rows
        )

    async def runs(self, incident: str | None = None) -> tuple[Run, ...]:
        if incident is None:
            return await self._all(_tables.read_run, "SELECT record FROM runs ORDER BY started, id")
        return await self._all(
            _tables.read_run, "SELECT record FROM runs WHERE incident = ? ORDER BY started, id", incident
        )

    async def evidence(self, signal: str) -> Evidence | None:
        sql = "SELECT columns FROM evidence WHERE signal = ? ORDER BY position"
        return _tables.joined(signal, [raw for (raw,) in await self._rows(sql, signal)])

    async def complaints(self, ids: Sequence[str]) -> tuple[Complaint, ...]:
        sql = "SELECT record FROM complaints WHERE id IN (SELECT value FROM json_each(?)) ORDER BY time, id"
        return await self._all(_tables.read_complaint, sql, msgspec.json.encode(list(ids)).decode())

    async def case(self, complaint: str) -> Case | None:
        sql = "SELECT record FROM cases WHERE complaint = ?"
        found = await self._all(_tables.read_case, sql, complaint)
        return found[0] if found else None

    async def cases(
        self, *, customer: str | None = None, open_only: bool = False, limit: int = 200
    ) -> tuple[Case, ...]:
        where = "closed IS NULL" if open_only else "1"
        order = "due IS NULL, due, received, complaint" if open_only else "received DESC, complaint"
        of, args = ("", ()) if customer is None else (" AND customer = ?", (customer,))
        sql = f"SELECT record FROM cases WHERE {where}{of} ORDER BY {order} LIMIT ?"  # noqa: S608 constants
        return await self._all(_tables.read_case, sql, *args, limit)

    async def cases_between(self, since: Seconds, until: Seconds) -> tuple[Case, ...]:
        where = "received < ? AND (closed IS NULL OR closed >= ?)"
        sql = f"SELECT record FROM cases WHERE {where} ORDER BY received, complaint"  # noqa: S608 constant
        return await self._all(_tables.read_case, sql, until, since)

    async def changes(self, since: Seconds) -> tuple[Event, ...]:
        return await self._all(
            _tables.read_event, "SELECT record FROM changes WHERE time >= ? ORDER BY time DESC, id", since
        )

    async def commands(self, since: Seconds) -> tuple[Event, ...]:
        sql = "SELECT record FROM commands WHERE time >= ? OR until >= ? ORDER BY time DESC, id"
        return await self._all(_tables.read_event, sql, since, since)

    async def heard(self) -> Mapping[str, Seconds]:
        return dict(await self._rows("SELECT service, time FROM heard ORDER BY service"))

    async def version(self) -> int:
        return int((await self._rows("PRAGMA data_version"))[0][0])

    async def forget(self, before: Seconds) -> int:
        return await self._write(lambda db: _tables.forget(db, before))

    async def close(self) -> None:
        await self._call(self._reader, self._read_db.close)
        await self._call(self._writer, self._write_db.close)
        self._reader.shutdown()
        self._writer.shutdown()

    async def _write(self, work: Callable[[Db], T]) -> T:
        return await self._call(self._writer, lambda: _transaction(self._write_db, work))

    async def _rows(self, sql: str, *args: Any) -> list[Any]:
        return await self._call(self._reader, lambda: self._read_db.execute(sql, args).fetchall())

    async def _all(self, decode: Callable[[bytes], T], sql: str, *args: Any) -> tuple[T, ...]:
        return tuple(decode(raw) for (raw,) in await self._rows(sql, *args))

    @staticmethod
    async def _call(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(thread, work)


def _connect(file: Path) -> Db:
    db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _connect_to_read(file: Path) -> Db:
    uri = f"{file.absolute().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)


def _prepare(db: Db, file: Path) -> None:
    _check(db, file)
    db.executescript(f"BEGIN IMMEDIATE; {_tables.SCHEMA} PRAGMA user_version = {_tables.VERSION}; COMMIT;")


def _check(db: Db, file: Path) -> None:
    found = db.execute("PRAGMA user_version").fetchone()[0]
    if found not in (0, _tables.VERSION):
        db.close()
        raise ValueError(
            f"{file}: written by another version: expected tables {_tables.VERSION}, found {found}"
        )


def _transaction(db: Db, work: Callable[[Db], T]) -> T:
    db.execute("BEGIN IMMEDIATE")
    try:
        found = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # SQLite has rolled back by itself where the disk is full or fails
            db.execute("ROLLBACK")
        raise
    return found
