"""The nouns. Dense things are numpy columns; sparse things are frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Seconds: TypeAlias = float  # a time is s since 1970 UTC, a span is s; never ms
Labels: TypeAlias = Mapping[str, str]
Rows: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
Keys: TypeAlias = NDArray[np.uint64]

NO_ROWS: Rows = np.zeros(0, np.int32)
NO_FLOATS: Floats = np.zeros(0, np.float64)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened once, or a word from a person or from an action that ran.

    kind is "change", "complaint", "command" or "outcome". What `labels` holds:
    change: service, kind; complaint: customer, channel, lang; command: do (acknowledge, resolve, silence,
    unsilence, stop, start, reply ...), incident or complaint, by, and what else it needs; outcome: key, ok
    ("true" or "false"), incident.
    """

    kind: str
    id: str
    time: Seconds
    labels: Labels = field(default_factory=dict)
    text: str = ""
    notes: Labels = field(default_factory=dict)  # an outcome's evidence
    until: Seconds | None = None  # end of a silence, or of a maintenance that a change opens; None = not said


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Log lines as columns, n lines in time order; `series` is the row of the line's stream."""

    series: Rows  # (n,)
    time: Floats  # (n,) event time, s
    text: tuple[str, ...]  # n lines, without their line end
    severity: tuple[str, ...]  # n of "", "debug", "info", "warning", "error", "critical"


NO_LINES = Lines(NO_ROWS, NO_FLOATS, (), ())


@dataclass(frozen=True, slots=True, eq=False)
class Alerts:
    """Words of other systems' alerts as columns, n of them: each fires from its start to its end."""

    labels: tuple[bytes, ...] = ()  # n canonical label sets, see series.pack
    notes: tuple[bytes, ...] = ()  # n annotations, JSON objects of strings
    time: Floats = field(default_factory=lambda: NO_FLOATS)  # (n,) startsAt, s
    until: Floats = field(default_factory=lambda: NO_FLOATS)  # (n,) endsAt, s; NaN = not said


NO_ALERTS = Alerts()


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """Spans of traces as columns, n of them; `labels` are service, role ("" = a root inside), op or peer."""

    labels: tuple[bytes, ...]  # canonical label sets, see series.pack
    kind: Rows  # (n,) index into `labels`
    key: Keys  # (n,) of its trace and itself
    parent: Keys  # (n,) of its trace and its parent; 0 = a root
    end: Floats  # (n,) s
    duration: Floats  # (n,) s
    failed: NDArray[np.bool_]  # (n,)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one frame brings in: n samples as columns, log lines, events."""

    series: Rows = field(default_factory=lambda: NO_ROWS)  # (n,) row in the series index
    time: Floats = field(default_factory=lambda: NO_FLOATS)  # (n,) event time, s
    value: Floats = field(default_factory=lambda: NO_FLOATS)  # (n,) NaN = missing
    lines: Lines = NO_LINES
    events: tuple[Event, ...] = ()
    alerts: Alerts = NO_ALERTS
    spans: Traced | None = None
    derived: int = 0  # so many samples, the last ones, were worked out of spans: nobody misses them

    def of(self, kind: str) -> tuple[Event, ...]:
        return tuple(e for e in self.events if e.kind == kind)

    @property
    def alive(self) -> bool:
        """Whether samples, log lines or spans came: what is watched goes on."""
        return bool(len(self.time) or self.lines.text or self.spans)


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing is abnormal. The same id comes again when it grows worse, and once more when it ends."""

    id: str
    kind: str  # "metric", "log", "complaint", "alert", "blind" or "pattern"
    service: str  # "" when no service could be told
    series: str  # 'latency_seconds{service="checkout"}', a template, a topic, an alert name
    labels: Labels
    detector: str
    since: Seconds  # when it began, as far as can be told
    at: Seconds  # when this word of it was given
    surprise: float  # -log10 p, the worst so far: 3 = once in 1000 samples by chance
    observed: float  # NaN where no number fits
    expected: float
    page: bool  # strong enough to page for by itself; else it is evidence
    reason: str  # one sentence with its numbers
    ended: Seconds | None = None
    ids: tuple[str, ...] = ()  # complaints behind a surge
    row: int = -1  # series row of a metric signal; -1 elsewhere
    samples: tuple[str, ...] = ()  # a few log lines that say it, variables and personal data masked
    settled: str = ""  # the level that is usual from now on, where it is over and not back where it was


@dataclass(frozen=True, slots=True)
class Complaint:
    """A complaint after reading: what it is about and whom it concerns. Text is already redacted."""

    id: str
    time: Seconds
    customer: str
    channel: str
    lang: str
    text: str
    topic: str
    urgent: str  # the reason it goes to the green channel; "" when it does not
    services: tuple[tuple[str, float], ...]  # likely services, best first, score 0-1; () = unknown
    aside: str = ""  # why it counts towards no surge


class State(StrEnum):
    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A service, or a change to it, that may be the cause."""

    service: str
    score: float  # larger is likelier; comparable inside one incident only
    reason: str  # one sentence with its numbers
    change: str | None = None  # id of the change


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an incident's timeline."""

    at: Seconds
    what: str
    suspects: tuple[str, ...] = ()  # the ranking as it stood, services best first; () = not re-ranked


@dataclass(frozen=True, slots=True)
class Incident:
    """Signals that share one cause, as far as we can tell."""

    id: str
    opened: Seconds
    updated: Seconds
    title: str
    priority: str  # "P1" (worst) to "P4"
    services: tuple[str, ...]  # touched, first suspect first
    signals: tuple[Signal, ...]  # newest word of each, earliest first; at most MAX_SIGNALS
    suspects: tuple[Suspect, ...] = ()
    changes: tuple[Event, ...] = ()  # changes within reach of the onset
    complaints: tuple[str, ...] = ()  # ids
    customers: tuple[str, ...] = ()  # affected: complained, or using a touched service
    voices: int = 0  # customers who complained within 15 min, when they were most
    timeline: tuple[Entry, ...] = ()
    state: State = State.OPEN
    by: str = ""  # who acknowledged or resolved
    first_signal: Seconds | None = None
    first_complaint: Seconds | None = None
    paged: Seconds | None = None
    acknowledged: Seconds | None = None
    resolved: Seconds | None = None
    quiet: Seconds | None = None  # since when no signal is on; None = something still is
    cause: str = ""  # the open incident whose first suspect this one's depends on: this is its symptom
    rev: int = 0  # grows with every change, so that a store keeps the newest

    @property
    def lead(self) -> Seconds | None:
        """First complaint minus first page; None until both are known."""
        if self.paged is None or self.first_complaint is None:
            return None
        return self.first_complaint - self.paged


class Reason(StrEnum):
    """Why an incident was acted on, or why not. Every verdict carries one."""

    NEW = "new"
    WORSE = "worse"
    REPEAT = "repeat interval elapsed"
    RESOLVED = "resolved"  # those who were paged are told that it is over
    TENTATIVE = "below the page bar"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    MAINTENANCE = "maintenance"
    MUTED = "muted"  # at these times
    FLAPPING = "flapping"
    TRANSIENT = "transient"  # its kind has always cleared by itself, and is given the time to
    NOTHING_NEW = "nothing new"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Act or not, and why; `by` is the silence, incident or rule that decided."""

    act: bool
    reason: Reason
    by: str = ""
    because: str = ""  # one sentence with its numbers


@dataclass(frozen=True, slots=True)
class Action:
    """One playbook step, notification or escalation, ready to run: plain data to store, show, replay."""

    key: str  # an action with a known key never runs twice
    incident: str
    kind: str  # "notify", "step" or "undo"
    do: str  # file name in notify/ or actions/
    args: Mapping[str, Any]  # JSON values only; secrets are named, never held
    what: str  # one sentence for people
    at: Seconds
    timeout: Seconds = 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did. `retry` asks for another try of a notification after so many seconds."""

    ok: bool
    detail: str
    took: Seconds
    evidence: Labels = field(default_factory=dict)


class Retry(Exception):
    """A notifier or action did nothing this time; another try after so many seconds may do."""

    def __init__(self, after: Seconds, why: str) -> None:
        super().__init__(why)
        self.after = after


class Rejected(Exception):
    """A notifier or action did nothing, and will not however often it is asked: why, in one sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Samples of one signal's series, n rows, kept to be drawn beside what was expected."""

    signal: str
    time: Floats  # (n,)
    value: Floats  # (n,) NaN = missing
    expected: Floats  # (n,) NaN = not known yet
    lower: Floats  # (n,)
    upper: Floats  # (n,)


@dataclass(frozen=True, slots=True)
class Run:
    """One playbook on one incident, as it stands."""

    id: str  # incident/playbook
    incident: str
    playbook: str
    # "running", "waiting", "done", "failed", "undoing", "undone", "stopped", "wants approval" or "dry run"
    state: str
    step: int
    started: Seconds
    updated: Seconds
    said: tuple[Entry, ...] = ()


class Progress(StrEnum):
    """How far a complaint is, in the words that its customer reads."""

    RECEIVED = "received"
    LOOKED_AT = "being looked at"
    CAUSE_KNOWN = "cause known"
    WAITING = "waiting for you"
    FIXED = "fixed - please confirm"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing that happened to a complaint; `text` is for its customer, and already redacted."""

    at: Seconds
    what: str  # "received", "looked at", "cause", "reply", "ask", "answer", "fixed", "closed", "reopened"
    by: str = ""  # a person, "customer", "incident" or "time"
    text: str = ""


@dataclass(frozen=True, slots=True)
class Promise:
    """One word given to a customer, and how it stands."""

    what: str  # "respond", "update" or "resolve"
    since: Seconds
    warn: Seconds | None  # when the desk is warned; None = the clock stands
    due: Seconds | None  # when it breaks; None = the clock stands
    ended: Seconds | None = None  # when it was done

    @property
    def late(self) -> bool:
        """Say whether it was done, and after it broke."""
        return self.ended is not None and self.broken(self.ended)

    def broken(self, now: Seconds) -> bool:
        return self.due is not None and (now if self.ended is None else self.ended) > self.due


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint on its way from received to closed."""

    complaint: str  # id
    customer: str
    lang: str
    topic: str
    services: tuple[str, ...]  # likely ones, best first
    urgent: str  # why it cannot wait; "" when it can
    marks: tuple[Mark, ...]  # oldest first, the first is "received"
    progress: Progress
    promises: tuple[Promise, ...]  # oldest first
    incident: str = ""  # the one it was attached to
    pressing: Seconds | None = None  # since when the urgent terms hold
    told: tuple[str, ...] = ()  # what the desk was warned of or told to be broken
    helped: bool | None = None  # None = the customer has not said
    score: int = 0  # 1 to 5; 0 = the customer has not said
    rev: int = 0  # grows with every change, so that a store keeps the newest

    @property
    def received(self) -> Seconds:
        return self.marks[0].at

    @property
    def updated(self) -> Seconds:
        return self.marks[-1].at

    @property
    def next(self) -> Promise | None:
        """Return the promise that breaks next; None where no clock runs."""
        running = [p for p in self.promises if p.ended is None and p.due is not None]
        return min(running, key=lambda p: (p.due or 0.0, p.what), default=None)


@dataclass(frozen=True, slots=True)
class Step:
    """Everything one frame led to; a store records it before anything acts on it."""

    at: Seconds
    signals: tuple[Signal, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    incidents: tuple[Incident, ...] = ()  # those that changed
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)  # by incident id
    actions: tuple[Action, ...] = ()
    runs: tuple[Run, ...] = ()  # those that changed
    changes: tuple[Event, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    commands: tuple[Event, ...] = ()  # what people asked for: who did what stays readable
    heard: Mapping[str, Seconds] = field(default_factory=dict)  # newest event time of services that spoke
    cases: tuple[Case, ...] = ()  # those that changed

    def __bool__(self) -> bool:
        return bool(
            self.signals
            or self.complaints
            or self.incidents
            or self.verdicts  # an incident that stays as it is may be judged otherwise
            or self.actions
            or self.runs
            or self.changes
            or self.evidence
            or self.commands
            or self.heard
            or self.cases
        )
