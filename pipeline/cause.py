"""An incident's signals, complaints and changes to its suspects: services and changes, likeliest first."""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pipeline.spans.ends import slow_ends
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Seconds, Signal, Suspect
from pipeline.units import span

MAX_SUSPECTS = 10

# In reach: this long before the onset, or this little after it, for clocks differ and onsets are estimates.
REACH: Seconds = 1800.0
AHEAD: Seconds = 120.0
# A culprit was released about two minutes before the alarm, half of all within 86 to 145 s (ChangeRCA, n=51).
USUAL_LAG: Seconds = 300.0
# A change told after the onset is the cause only as far as the onset, or its sender's clock, is off.
DOUBTFUL: Seconds = 30.0

# A link below it is rather another's: it would only make a voice against the innocent.
NAMED = 0.35

# What a metric's name says it measures, in the words of Prometheus and OpenTelemetry naming.
_SLOW = re.compile(r"latency|duration|response_time|rtt|delay|(^|_)p\d\d|_seconds|_ms(_|$)|_s$")
_OWN = re.compile(r"cpu|mem|disk|heap|thread|_fds|queue|load\d*$")
_GAP = re.compile(r"(^|_)gap(_|$)")
_WAITS = re.compile(r"client|outgoing|upstream")
_FAILS = re.compile(r"error|fail|success|availab|exception|5xx|4xx|reject|timeout|restart")
_TRAFFIC = re.compile(r"ops$|qps|rps|request|throughput|_rx|_tx|network|receive|transmit|rate$")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Labels that carry the HTTP status a request was answered with.
_CODES = ("code", "status", "status_code", "http_response_status_code")


@dataclass(slots=True)
class Case:
    """What speaks against one service, each the strongest of its sort in square root of surprise."""

    own: float = 0.0  # resources, logs, alerts of no symptom: nobody else explains them
    slow: float = 0.0  # its own latency
    edges: list[float] = field(default_factory=list)  # latency of calls into it
    waits: float = 0.0  # for those it calls: speaks of them, but does not say which
    fails: float = 0.0
    traffic: float = 0.0
    blind: float = 0.0
    voice: float = 0.0  # customers who name it
    voices: int = 0
    since: Seconds = math.inf
    best: Signal | None = None

    @property
    def late(self) -> float:
        """Return how slow it answers: its own word, or the middle one of those who call it."""
        return max(self.slow, sorted(self.edges)[len(self.edges) // 2] if self.edges else 0.0)


class Fault(NamedTuple):
    """What a service's faults explain of those who call it."""

    late: float
    slow: float  # of their slowness
    worst: float  # of their errors


def rank(
    signals: Iterable[Signal],
    complaints: Iterable[Complaint],
    changes: Iterable[Event],
    topology: Topology,
    onset: Seconds,
) -> tuple[Suspect, ...]:
    """Return at most MAX_SUSPECTS; ties go to the earlier onset, then by name, never by hash order."""
    cases: dict[str, Case] = {}
    named = [(s, _called(s, topology)) for s in signals if s.service]
    slow = [(s, ends(s)) for s, _ in named if sort_of(s) == "gap"]
    blamed = slow_ends({way: max(0.1, s.surprise) for s, way in slow}, topology)
    for signal, way in slow:
        for end in way:
            _hear(cases.setdefault(end, Case()), signal, "edge" if end == blamed[way] else "waits")
    named = [(s, callees) for s, callees in named if sort_of(s) != "gap"]
    for signal, callees in named:
        _hear(cases.setdefault(signal.service, Case()), signal, "fails" if callees else sort_of(signal))
    for signal, callees in named:
        for callee in callees:
            case = cases.setdefault(callee, Case())
            own = case.best
            _hear(case, signal, "edge")
            case.best = own or case.best  # its own words explain it better than its callers' do
    for complaint in complaints:
        for service, score in complaint.services[:3]:
            if score < NAMED:
                continue
            case = cases.setdefault(service, Case())
            case.voice += score
            case.voices += 1
    faults = {name: _fault(case) for name, case in cases.items()}
    scores = {name: _score(name, case, faults, topology) for name, case in cases.items()}
    top = max(scores.values(), default=1.0)
    found = [(-score, cases[name].since, name, "", -1) for name, score in scores.items()]
    changed: list[Suspect] = []
    for event in changes:
        service = event.labels["service"]
        suspect = _changed(event, service in cases, scores.get(service, 0.0), top, onset)
        since = cases[service].since if service in cases else math.inf
        found.append((-suspect.score, since, service, event.id, len(changed)))
        changed.append(suspect)
    return tuple(
        changed[k] if k >= 0 else _suspect(name, -score, cases[name], faults, topology)
        for score, _, name, _, k in heapq.nsmallest(MAX_SUSPECTS, found)
    )


def services(suspects: Sequence[Suspect]) -> tuple[str, ...]:
    """Return the services of a ranking, each once, best first."""
    return tuple(dict.fromkeys(s.service for s in suspects))


def within_reach(change: Event, onset: Seconds) -> bool:
    return onset - REACH <= change.time <= onset + AHEAD


def _called(signal: Signal, topology: Topology) -> list[str]:
    """Return the callees that a log of their caller names: it tells of them, not of whom it is by.

    What we say of its lines may name others, such as a change that came before.
    """
    if signal.kind != "log":
        return []
    words = set(re.findall(r"[\w-]+", " ".join((signal.series, *signal.samples))))
    return sorted(words & topology.callees.get(signal.service, frozenset()))


def ends(signal: Signal) -> tuple[str, str]:
    """Return caller and callee of a signal about the calls between two."""
    caller, _, callee = signal.labels.get("entity", "").partition("->")
    return caller, callee


def _hear(case: Case, signal: Signal, sort: str) -> None:
    weight = math.sqrt(max(0.0, signal.surprise))
    case.since = min(case.since, signal.since)
    if case.best is None or (signal.surprise, signal.id) > (case.best.surprise, case.best.id):
        case.best = signal
    match sort:
        case "edge":
            case.edges.append(weight)
        case "slow":
            case.slow = max(case.slow, weight)
        case "waits":
            case.waits = max(case.waits, weight)
        case "fails":
            case.fails = max(case.fails, weight)
        case "traffic":
            case.traffic = max(case.traffic, weight)
        case "blind":
            case.blind = max(case.blind, weight)
        case "voice":
            case.voice += 1.0
        case _:
            case.own = max(case.own, weight)


def sort_of(signal: Signal) -> str:
    """Return what a signal is evidence of: own, slow, edge, gap, waits, fails, traffic, blind or voice."""
    if signal.kind == "alert":
        return _symptom(signal.labels.get("alertname", ""))
    if signal.kind == "log":
        return "own"
    if signal.kind == "complaint":
        return "voice"
    if signal.kind == "blind":
        return "blind"
    name = signal.labels.get("__name__", signal.series).lower()
    if any(signal.labels.get(code, "").startswith("5") for code in _CODES):
        return "fails"
    if _OWN.search(name):
        return "own"
    if _FAILS.search(name):
        return "fails"
    if _SLOW.search(name):
        if "->" in signal.labels.get("entity", ""):
            return "gap" if _GAP.search(name) else "edge"
        return "waits" if _WAITS.search(name) else "slow"
    return "traffic" if _TRAFFIC.search(name) else "own"


@lru_cache(maxsize=4096)
def _symptom(alertname: str) -> str:
    """Return what an alert is evidence of, by its name: slow, fails, and where that says neither its own.

    >>> _symptom("HighErrorRate"), _symptom("SlowCheckout"), _symptom("DiskFailing"), _symptom("InstanceDown")
    ('fails', 'slow', 'own', 'own')
    """
    name = _HUMP.sub("_", alertname).lower()
    if _OWN.search(name):
        return "own"
    if _FAILS.search(name):
        return "fails"
    return "slow" if "slow" in name or _SLOW.search(name) else "own"


def _fault(case: Case) -> Fault:
    late = case.late
    return Fault(late, max(late, 1.5 * case.own), max(case.fails, late, case.own))


def _score(name: str, case: Case, faults: Mapping[str, Fault], topology: Topology) -> float:
    """Weigh one service: what a slow or failing callee explains does not count against its caller."""
    slower = failing = 0.0
    for callee in topology.below(name) & faults.keys():
        _, slow, worst = faults[callee]
        slower, failing = max(slower, slow), max(failing, worst)
    late = faults[name].late
    score = 2 * case.own + max(0.0, late - slower) + 0.05 * late
    score += max(0.0, case.fails - failing) + 0.1 * case.fails
    return score + (0.1 * case.waits + 0.2 * case.traffic + 0.3 * case.blind + 2 * math.log2(1 + case.voice))


def _suspect(name: str, score: float, case: Case, faults: Mapping[str, Fault], topology: Topology) -> Suspect:
    """Say in one sentence what speaks against a service, and which callee speaks for it."""
    said = [case.best.reason.rstrip(".")] if case.best else []
    if case.voices:
        said.append(f"{case.voices} complaint{'s' * (case.voices > 1)} may mean it")
    below = [(faults[callee].worst, callee) for callee in topology.below(name) & faults.keys()]
    if below and case.late + case.fails > 0 and max(below)[0] > 0:
        said.append(f"{max(below)[1]}, which it depends on, explains part of it")
    return Suspect(name, score, "; ".join(said))


def _changed(event: Event, spoken: bool, own: float, top: float, onset: Seconds) -> Suspect:
    """Weigh one change: near the onset and on a service that is itself suspected."""
    service = event.labels["service"]
    lag = onset - event.time
    near = math.exp(-lag / USUAL_LAG) if lag >= 0 else math.exp(lag / DOUBTFUL)
    score = max(0.0, own) * (1 + near) + 0.5 * top * near
    when = f"{span(abs(lag))} {'before' if lag >= 0 else 'after'} the first signal"
    what = event.labels.get("kind") or "change"
    seen = "" if spoken else "; nothing else speaks against it"
    return Suspect(service, score, f"{what} {event.text or event.id}, {when}{seen}", event.id)
