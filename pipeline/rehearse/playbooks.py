"""The `tests:` inside playbooks to what is wrong with them, one sentence each; none = they hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from pipeline.rehearse.notation import NAN
from pipeline.respond import Playbook, RespondState, Response, respond
from pipeline.respond.playbook import Expected, Given, PlaybookTest
from pipeline.respond.runs import ENDED
from pipeline.types import Action, Event, Incident, Run, Seconds, Signal, Suspect

START: Seconds = 1_700_000_000.0
DAY: Seconds = 86400.0  # no playbook of a test lasts longer


def playbook(book: Playbook) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each test's name and what is wrong."""
    for test in book.tests:
        yield test.name, _compare(test, act(book, test.given))


def act(book: Playbook, given: Given) -> Sequence[Action]:
    """Return all that the playbook does on this incident when it is let and each step succeeds."""
    book = msgspec.structs.replace(book, mode="approve")
    response, state, now = Response(playbooks=(book,)), RespondState(), START
    events: list[Event] = []
    actions: list[Action] = []
    runs: dict[str, Run] = {}
    ended: Seconds | None = None
    while now < START + DAY and not any(r.state in ENDED for r in runs.values()):
        given_now = [_incident(given, ended)]
        _, new, changed = respond(state, given_now, {}, events, response, now)
        actions += new
        runs |= {r.id: r for r in changed}
        if not runs:
            break
        asks = any(r.state == "wants approval" for r in changed)
        events = [_word(a.key) for a in new] + ([_yes(book)] if asks else [])
        if any(r.state == "waiting" for r in changed):
            ended = now
        now += 1
    return actions


def _compare(test: PlaybookTest, done: Sequence[Action]) -> list[str]:
    wanted = [f"    {e.what} {dict(e.args) or ''}".rstrip() for e in test.then]
    got = [f"    {a.what} {dict(a.args)}" for a in done]
    if len(test.then) == len(done) and all(map(_same, test.then, done)):
        return []
    return ["\n".join(["expected:", *(wanted or ["    nothing"]), "  got:", *(got or ["    nothing"])])]


def _same(expected: Expected, action: Action) -> bool:
    return expected.what == action.what and all(action.args.get(k) == v for k, v in expected.args.items())


def _incident(given: Given, ended: Seconds | None) -> Incident:
    signals = tuple(
        Signal(
            f"s{k}", s.kind, s.service, s.series, {"service": s.service}, "test",
            START, START, 10.0, NAN, NAN, True, f"{s.series} is abnormal", ended,
        )
        for k, s in enumerate(given.signals)
    )  # fmt: skip
    suspects = tuple(Suspect(s.service, 1.0, "given", s.change or None) for s in given.suspects)
    changes = tuple(
        Event("change", s.change, START, {"service": s.service, "kind": s.kind})
        for s in given.suspects
        if s.change
    )
    named = [s.service for s in given.suspects] + [s.service for s in given.signals]
    services = tuple(dict.fromkeys(s for s in named if s))
    known = Incident("test-1", START, START, "a test", given.priority, services, signals, suspects, changes)
    return replace(known, paged=START if given.paged else None)


def _word(key: str) -> Event:
    return Event("outcome", key, START, {"key": key, "ok": "true", "incident": "test-1"})


def _yes(book: Playbook) -> Event:
    by = book.approval.by[0] if book.approval.by else "test"
    return Event("command", "yes", START, {"do": "approve", "by": by, "incident": "test-1"})
