"""The `tests:` inside rules and playbooks to what is wrong with them, one sentence each; none = they hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from pipeline import frame
from pipeline.clock import Span
from pipeline.config import Config, ExpectedSignal, GivenEvent, Rules, RuleTest
from pipeline.flow import Pipeline
from pipeline.inhibit import Inhibitor
from pipeline.patterns import PatternState, notice
from pipeline.respond import Playbook, RespondState, Response, respond
from pipeline.respond.playbook import Expected, Given, PlaybookTest
from pipeline.respond.runs import ENDED
from pipeline.respond.template import spell
from pipeline.series import pack, service_of
from pipeline.types import Action, Event, Floats, Incident, Run, Seconds, Signal, Suspect

START: Seconds = 1_700_000_000.0
DAY: Seconds = 86400.0  # no playbook of a test lasts longer
NAN = float("nan")

_SERIES = re.compile(r"\s*([a-zA-Z_:][\w:]*)?\s*(?:\{(.*)\})?\s*$")
_LABEL = re.compile(r'\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RUN = re.compile(rf"({_NUMBER})(?:([+-](?:\d+\.?\d*|\.\d+)))?x(\d+)$")


def rules(file: Rules) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each test's name and what is wrong."""
    for test in file.tests:
        yield test.name, _rule(file, test)


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


def values(notation: str) -> Floats:
    """Return the values that promtool's series notation stands for, (n,); NaN where there is no sample.

    >>> values("1x2 5+10x2 _ 7 _x2").tolist()
    [1.0, 1.0, 1.0, 5.0, 15.0, 25.0, nan, 7.0, nan, nan]
    """
    found: list[float] = []
    for word in notation.split():
        run = _RUN.match(word)
        if run:
            first, by = float(run[1]), float(run[2] or 0)
            found += [first + by * k for k in range(int(run[3]) + 1)]
        elif word in {"_", "stale"}:
            found.append(NAN)
        elif re.match(r"_x\d+$", word):
            found += [NAN] * int(word[2:])
        elif re.match(rf"{_NUMBER}$", word):
            found.append(float(word))
        else:
            raise ValueError(f'values: expected a number, "0.2x60", "1+2x5", "_" or "stale", got "{word}"')
    return np.array(found)


def labels(series: str) -> dict[str, str]:
    """Return the label set of a series as Prometheus writes it.

    >>> labels('up{job="pay"}')
    {'__name__': 'up', 'job': 'pay'}
    """
    found = _SERIES.match(series)
    inner = found[2] or "" if found else ""
    if found is None or _LABEL.sub("", inner).strip():
        raise ValueError(f"series: expected name{{label=\"value\"}}, got '{series}'")
    named = {"__name__": found[1]} if found[1] else {}
    return named | {k: re.sub(r"\\(.)", r"\1", v) for k, v in _LABEL.findall(inner)}


def _rule(file: Rules, test: RuleTest) -> list[str]:
    try:
        said = _signals(file, test)
    except ValueError as error:
        return [str(error)]
    wrong = _muted(file, test)
    wrong += [
        f"expected {_told(e)}, got nothing of the kind"
        for e in test.signals
        if not any(_is(e, s) for s in said)
    ]
    for s in said:
        if not any(_is(e, s) for e in test.signals):
            wrong.append(f"expected no such signal: {s.series} after {spell(s.at - START)}: {s.reason}")
    return wrong


def _muted(file: Rules, test: RuleTest) -> list[str]:
    """Return which of the test's alerts are muted otherwise than it says."""
    inhibitor = Inhibitor()
    inhibitor.adopt(file.inhibit_rules)
    for k, alert in enumerate(test.alerts):
        known = {"kind": "alert", "service": service_of(alert.labels), **alert.labels}
        inhibitor.begin(str(k), str(k), known)
    wrong = []
    for k, alert in enumerate(test.alerts):
        held = inhibitor.held(str(k))
        got = held.rule if held else ""
        if got != alert.inhibited_by:
            wanted, found = (f'muted by "{by}"' if by else "told" for by in (alert.inhibited_by, got))
            wrong.append(f"expected alert {dict(alert.labels)} to be {wanted}, got {found}")
    return wrong


def _signals(file: Rules, test: RuleTest) -> list[Signal]:
    """Return the first word of each signal that the file's rules give of what the test gives."""
    pipeline, noticed = Pipeline(Config(watches=file.looks)), PatternState()
    sets = [pack(labels(s.series)) for s in test.input_series]
    table = [values(s.values) for s in test.input_series]
    events = sorted(_given(test), key=lambda e: e.at)
    first: dict[str, Signal] = {}
    for k in range(_frames(file, test, max((len(column) for column in table), default=0))):
        now = START + k * test.interval
        rows = [n for n, column in enumerate(table) if k < len(column) and not np.isnan(column[k])]
        given = frame.samples(
            now,
            "test",
            sets,
            np.array(rows, np.int32),
            np.full(len(rows), now),
            np.array([table[n][k] for n in rows]),
        )
        step = pipeline.take(given, k)
        own = step.signals if step else ()
        due = [e for e in events if e.at <= k * test.interval]
        events = events[len(due) :]
        told = [(n, e) for n, e in enumerate(due) if e.what in ("signal", "recovery")]
        seen = (*own, *(_signal(e, f"{k}.{n}") for n, e in told))
        rest = [
            _event(e, f"{e.what}-{k}.{n}") for n, e in enumerate(due) if e.what not in ("signal", "recovery")
        ]
        said = notice(noticed, seen, rest, file.patterns, now)
        for signal in (*own, *said[len(seen) :]):
            first.setdefault(signal.id, signal)
    return list(first.values())


def _frames(file: Rules, test: RuleTest, samples: int) -> int:
    """Return how many frames the test lasts: all that is given, and time enough for what does not come."""
    last = max((e.at for e in _given(test)), default=None)
    if last is None:
        return samples
    within = max((p.within for p in file.patterns), default=0.0)
    return max(samples, math.ceil((last + within) / test.interval) + 2)


def _given(test: RuleTest) -> list[GivenEvent]:
    """Return what happens, each time by itself."""
    return [
        msgspec.structs.replace(e, at=Span(e.at + n * e.every), times=1)
        for e in test.input_events
        for n in range(e.times)
    ]


def _event(given: GivenEvent, id: str) -> Event:
    return Event(given.what, id, START + given.at, given.labels, given.text)


def _signal(given: GivenEvent, id: str) -> Signal:
    """Return the first or the last word of a signal with the labels that a rule looks at."""
    named, at = given.labels, START + given.at
    kind, service = named.get("kind", "metric"), service_of(named)
    series = named.get("alertname") or named.get("__name__") or kind
    return Signal(
        f"given-{id}", kind, service, series, named, named.get("rule", ""), at, at, 10.0, NAN, NAN,
        named.get("page") == "true", given.text or f"{series} is abnormal",
        at if given.what == "recovery" else None,
    )  # fmt: skip


def _is(expected: ExpectedSignal, signal: Signal) -> bool:
    after = signal.at - START
    in_time = after >= expected.after and (not expected.by or after <= expected.by)
    pages = expected.page is None or expected.page == signal.page
    said = (
        (expected.series, signal.series), (expected.rule, signal.detector), (expected.reason, signal.reason),
    )  # fmt: skip
    return in_time and pages and all(re.search(wanted, found) for wanted, found in said)


def _told(expected: ExpectedSignal) -> str:
    after = f" after {spell(expected.after)}" if expected.after else ""
    after += f" by {spell(expected.by)}" if expected.by else ""
    rule = f" by the rule {expected.rule}" if expected.rule else ""
    pages = {None: "", True: " that pages", False: " that pages nobody"}[expected.page]
    said = f' that says "{expected.reason}"' if expected.reason else ""
    return f"a signal of {expected.series}{rule}{pages}{after}{said}"


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
