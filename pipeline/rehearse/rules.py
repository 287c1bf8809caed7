"""The `tests:` inside rule files to what is wrong with them, one sentence each; none = they hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import numpy as np

from pipeline import frame
from pipeline.clock import Span
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.inhibit import Inhibitor
from pipeline.patterns import PatternState, notice
from pipeline.priority import weigh
from pipeline.rehearse.notation import NAN, labels, values
from pipeline.respond.template import spell
from pipeline.rulefile import ExpectedSignal, GivenEvent, GivenIncident, Rules, RuleTest
from pipeline.series import pack, service_of
from pipeline.topology import Customer, Service, Topology
from pipeline.types import Event, Incident, Seconds, Signal

START: Seconds = 1_700_000_000.0


def rules(file: Rules) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield each test's name and what is wrong."""
    for test in file.tests:
        yield test.name, _rule(file, test)


def _rule(file: Rules, test: RuleTest) -> list[str]:
    try:
        said = _signals(file, test)
    except ValueError as error:
        return [str(error)]
    wrong = [*_muted(file, test), *_weighed(file, test)]
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


def _weighed(file: Rules, test: RuleTest) -> Iterator[str]:
    """Yield which of the test's incidents are worth something else than it says."""
    for given in test.incidents:
        users = {f"customer-{k}": Customer(tier) for k, tier in enumerate(given.customers)}
        services = {given.service: Service(tier=given.tier)} if given.service else {}
        [got] = weigh([_incident(given, tuple(users))], file.priorities, Topology(services, users), START)
        if got.priority != given.priority:
            whose = f"an incident of {given.service}" if given.service else "an incident"
            said = f": {got.timeline[-1].what}" if got.timeline else ""
            yield f"expected {whose} to be {given.priority}, got {got.priority}{said}"


def _incident(given: GivenIncident, customers: tuple[str, ...]) -> Incident:
    events = (GivenEvent("signal", labels=labels) for labels in given.signals)
    signals = (_signal(event, str(k)) for k, event in enumerate(events))
    return Incident(
        "test-1", START, START, "a test", given.before, (given.service,) if given.service else (),
        tuple(replace(s, page=s.labels.get("page") != "false") for s in signals),
        customers=customers, voices=given.voices,
    )  # fmt: skip


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
