"""What a step becomes in SQLite: columns for what is searched, one msgpack record for the rest."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec
import numpy as np

from pipeline.store import MAX_EVIDENCE, MAX_VERDICTS
from pipeline.types import (
    Action,
    Case,
    Complaint,
    Event,
    Evidence,
    Incident,
    Outcome,
    Progress,
    Run,
    Seconds,
    Step,
    Verdict,
)

Db = sqlite3.Connection

VERSION = 1
FOREVER = 1e18  # s since 1970
MAX_TOUCHED = 10_000  # signals whose evidence is counted in memory; past it all are counted anew

SCHEMA = """
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, rev INTEGER NOT NULL, state TEXT NOT NULL, priority TEXT NOT NULL,
    title TEXT NOT NULL, opened REAL NOT NULL, resolved REAL, record BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS incidents_opened ON incidents (opened);
CREATE INDEX IF NOT EXISTS incidents_open ON incidents (opened) WHERE resolved IS NULL;

CREATE TABLE IF NOT EXISTS verdicts (
    incident TEXT NOT NULL, position INTEGER NOT NULL, at REAL NOT NULL, record BLOB NOT NULL,
    PRIMARY KEY (incident, position)) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS actions (
    n INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, incident TEXT NOT NULL, state TEXT NOT NULL,
    begun REAL, finished REAL, record BLOB NOT NULL, outcome BLOB) STRICT;
CREATE INDEX IF NOT EXISTS actions_incident ON actions (incident);
CREATE INDEX IF NOT EXISTS actions_unfinished ON actions (state) WHERE finished IS NULL;

CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, incident TEXT NOT NULL, position INTEGER NOT NULL, started REAL NOT NULL,
    record BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS runs_incident ON runs (incident);

CREATE TABLE IF NOT EXISTS evidence (
    signal TEXT NOT NULL, position INTEGER NOT NULL, newest REAL NOT NULL, n INTEGER NOT NULL,
    columns BLOB NOT NULL, PRIMARY KEY (signal, position)) STRICT;

CREATE TABLE IF NOT EXISTS complaints (id TEXT PRIMARY KEY, time REAL NOT NULL, record BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS changes (id TEXT PRIMARY KEY, time REAL NOT NULL, record BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS changes_time ON changes (time);
CREATE TABLE IF NOT EXISTS commands (
    id TEXT PRIMARY KEY, time REAL NOT NULL, until REAL, record BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS commands_time ON commands (time);

CREATE TABLE IF NOT EXISTS cases (
    complaint TEXT PRIMARY KEY, customer TEXT NOT NULL, rev INTEGER NOT NULL, received REAL NOT NULL,
    due REAL, closed REAL, record BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS cases_received ON cases (received);
CREATE INDEX IF NOT EXISTS cases_customer ON cases (customer, received);
CREATE INDEX IF NOT EXISTS cases_open ON cases (due) WHERE closed IS NULL;

CREATE TABLE IF NOT EXISTS heard (service TEXT PRIMARY KEY, time REAL NOT NULL) STRICT;
"""


def keep(db: Db, step: Step, position: int, touched: dict[str, int]) -> tuple[Action, ...]:
    """Write the step; return its actions that no step had before. `touched` counts evidence rows a signal."""
    db.executemany(
        "INSERT INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET rev = excluded.rev, state = excluded.state,"
        " priority = excluded.priority, title = excluded.title, opened = excluded.opened,"
        " resolved = excluded.resolved, record = excluded.record"
        " WHERE excluded.rev > rev",
        [(i.id, i.rev, i.state, i.priority, i.title, i.opened, i.resolved, pack(i)) for i in step.incidents],
    )
    db.executemany(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET position = excluded.position,"
        " record = excluded.record WHERE excluded.position > position",
        [(r.id, r.incident, position, r.started, pack(r)) for r in step.runs],
    )
    for table, what in (("complaints", step.complaints), ("changes", step.changes)):
        sql = f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?)"  # noqa: S608 two constants
        db.executemany(sql, [(each.id, each.time, pack(each)) for each in what])
    asked = [(c.id, c.time, _holds(c), pack(c)) for c in step.commands]
    db.executemany("INSERT OR IGNORE INTO commands VALUES (?, ?, ?, ?)", asked)
    db.executemany(
        "INSERT INTO heard VALUES (?, ?) ON CONFLICT (service) DO UPDATE SET time = max(time, excluded.time)",
        list(step.heard.items()),
    )
    db.executemany(
        "INSERT INTO cases VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (complaint) DO UPDATE SET"
        " rev = excluded.rev, received = excluded.received, due = excluded.due, closed = excluded.closed,"
        " record = excluded.record WHERE excluded.rev > rev OR excluded.received > received",
        [_case(c) for c in step.cases],
    )
    for incident, verdict in step.verdicts.items():
        _keep_verdict(db, incident, verdict, step.at, position)
    for evidence in step.evidence:
        _keep_evidence(db, evidence, position, touched)
    insert = "INSERT OR IGNORE INTO actions (key, incident, state, record) VALUES (?, ?, 'waiting', ?)"
    return tuple(a for a in step.actions if db.execute(insert, (a.key, a.incident, pack(a))).rowcount == 1)


def _case(case: Case) -> tuple[str, str, int, Seconds, Seconds | None, Seconds | None, bytes]:
    closed = case.updated if case.progress is Progress.CLOSED else None
    due = case.next.due if case.next else None
    return case.complaint, case.customer, case.rev, case.received, due, closed, pack(case)


def _holds(command: Event) -> Seconds | None:
    """Return until when a command holds: a silence says so, the kill switch until the word that ends it."""
    of_all = command.labels.get("do") in ("stop", "start") and not command.labels.get("incident")
    return FOREVER if of_all else command.until


def _keep_verdict(db: Db, incident: str, verdict: Verdict, at: Seconds, position: int) -> None:
    """Keep what differs from the word before it, and every word that was acted on."""
    newest_first = "FROM verdicts WHERE incident = ? AND position < ? ORDER BY position DESC LIMIT 1"
    before = db.execute(f"SELECT record {newest_first}", (incident, position)).fetchone()
    if before is not None and not verdict.act:
        last = read_verdict(before[0])
        if (last.act, last.reason, last.by) == (False, verdict.reason, verdict.by):
            return
    row = (incident, position, at, pack(verdict))
    db.execute("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?, ?)", row)
    db.execute(
        "DELETE FROM verdicts WHERE incident = ?1 AND position <= (SELECT position FROM verdicts"
        " WHERE incident = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2)",
        (incident, MAX_VERDICTS),
    )


def _keep_evidence(db: Db, evidence: Evidence, position: int, touched: dict[str, int]) -> None:
    n = len(evidence.time)
    if n == 0:
        return
    rows = (evidence.time, evidence.value, evidence.expected, evidence.lower, evidence.upper)
    columns = np.ascontiguousarray(np.stack(rows), "<f8")[:, -MAX_EVIDENCE:]
    row = (evidence.signal, position, float(columns[0].max()), columns.shape[1], columns.tobytes())
    db.execute("INSERT OR REPLACE INTO evidence VALUES (?, ?, ?, ?, ?)", row)
    touched[evidence.signal] = touched.get(evidence.signal, MAX_EVIDENCE) + n
    if touched[evidence.signal] < MAX_EVIDENCE // 4:
        return
    db.execute(
        "DELETE FROM evidence WHERE signal = ?1 AND position <= (SELECT max(position) FROM (SELECT"
        " position, sum(n) OVER (ORDER BY position DESC) - n AS newer FROM evidence WHERE signal = ?1)"
        " WHERE newer >= ?2)",
        (evidence.signal, MAX_EVIDENCE),
    )
    if len(touched) > MAX_TOUCHED:
        touched.clear()
    touched[evidence.signal] = 0


def forget(db: Db, before: Seconds) -> int:
    """Drop what Store.forget promises to drop; what an incident that stays points to is kept."""
    gone = [id for (id,) in db.execute("SELECT id FROM incidents WHERE resolved < ?", (before,))]
    db.execute("DELETE FROM incidents WHERE resolved < ?", (before,))
    for table in ("verdicts", "actions", "runs"):
        sql = f"DELETE FROM {table} WHERE incident = ?"  # noqa: S608 three constants
        db.executemany(sql, [(id,) for id in gone])
    db.execute("CREATE TEMP TABLE IF NOT EXISTS kept (id TEXT PRIMARY KEY)")
    db.execute("DELETE FROM kept")
    for (raw,) in db.execute("SELECT record FROM incidents").fetchall():
        incident = read_incident(raw)
        hanging = [*incident.complaints, *(s.id for s in incident.signals), *(c.id for c in incident.changes)]
        db.executemany("INSERT OR IGNORE INTO kept VALUES (?)", [(id,) for id in hanging])
    _forget_cases(db, before)
    for table in ("complaints", "changes"):
        sql = f"DELETE FROM {table} WHERE time < ? AND id NOT IN kept"  # noqa: S608 two constants
        db.execute(sql, (before,))
    db.execute(
        "DELETE FROM evidence WHERE signal NOT IN kept AND signal IN"
        " (SELECT signal FROM evidence GROUP BY signal HAVING max(newest) < ?)",
        (before,),
    )
    db.execute("DELETE FROM commands WHERE time < ?1 AND (until IS NULL OR until < ?1)", (before,))
    db.execute("DELETE FROM heard WHERE time < ?", (before,))
    return len(gone)


def _forget_cases(db: Db, before: Seconds) -> None:
    """Drop cases closed before; the complaints of the others are kept, and so is what was told of them."""
    db.execute("DELETE FROM cases WHERE closed < ?", (before,))
    db.execute("INSERT OR IGNORE INTO kept SELECT complaint FROM cases")
    db.execute(
        "DELETE FROM actions WHERE incident LIKE 'complaint/%' AND finished < ?"
        " AND substr(incident, 11) NOT IN (SELECT complaint FROM cases)",
        (before,),
    )


def joined(signal: str, chunks: list[bytes]) -> Evidence | None:
    """Join the chunks by time; where two tell of the same time the later one counts."""
    if not chunks:
        return None
    rows = np.concatenate([np.frombuffer(raw, "<f8").reshape(5, -1) for raw in chunks], axis=1)
    rows = rows[:, np.argsort(rows[0], kind="stable")]
    rows = rows[:, np.append(rows[0, 1:] != rows[0, :-1], True)][:, -MAX_EVIDENCE:]
    return Evidence(signal, *rows)


def _plain(value: Any) -> Any:
    """Turn a numpy scalar, which arithmetic leaves in a record, into the number it is."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a record holds {type(value).__name__}, which no store can keep")


# msgpack, for JSON has no NaN, and a record must come back as it went in.
pack = msgspec.msgpack.Encoder(enc_hook=_plain).encode
read_incident = msgspec.msgpack.Decoder(Incident).decode
read_verdict = msgspec.msgpack.Decoder(Verdict).decode
read_action = msgspec.msgpack.Decoder(Action).decode
read_outcome = msgspec.msgpack.Decoder(Outcome).decode
read_run = msgspec.msgpack.Decoder(Run).decode
read_event = msgspec.msgpack.Decoder(Event).decode
read_case = msgspec.msgpack.Decoder(Case).decode
read_complaint = msgspec.msgpack.Decoder(Complaint).decode
