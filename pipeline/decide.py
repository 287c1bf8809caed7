"""Whether to act on an incident now, and why: silence, inhibit, repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

import msgspec

from pipeline.clock import Span
from pipeline.correlate.picture import say
from pipeline.silence import Silence, asked_in, conditions, covering, lapsed
from pipeline.transients import Transients
from pipeline.types import Event, Incident, Reason, Seconds, State, Verdict
from pipeline.units import span

MAX_SILENCES = 10_000
MAX_TOLD = 10_000  # incidents whose page is remembered
MAX_FLAPS = 10_000  # services whose opens are counted
SILENCE: Seconds = 3600.0  # where a person does not say until when
REMINDED: Seconds = 3600.0  # a silence that has ended is remembered so long, to tell again what still burns

Time = Annotated[datetime, msgspec.Meta(tz=True)]


class Maintenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A planned window: incidents whose every service is named here stay silent in it."""

    services: tuple[str, ...]
    starts: Time
    ends: Time
    why: str = ""


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a page is due, and when an incident is over."""

    resolve_after: Span = Span(180)  # an incident is over when nothing has been abnormal for so long
    repeat_interval: Span = Span(4 * 3600)
    group_wait: Span = Span(0)  # evidence is gathered for so long before the first page
    combine: int = 2  # kinds of evidence, each too weak alone, that page together
    combine_surprise: float = 6.0  # what each of them must reach at least
    voices: int = 3  # customers who complain that count as one kind of evidence
    flap_opens: int = 6  # so many incidents of one service within flap_window: it flaps
    flap_calm: int = 2  # it flaps until no more than so many are left in the window
    flap_window: Span = Span(3600)
    silence_longest: Span = Span(30 * 86400)  # a silence that asks for more ends then
    maintenance: tuple[Maintenance, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What those on call last heard of an incident."""

    at: Seconds
    priority: str
    resolved: bool = False


@dataclass(slots=True)
class DecideState:
    """When each incident was last told, the silences, and who opens too often. Bounds are above."""

    told: dict[str, Told] = field(default_factory=dict)  # by incident, longest not told first
    silences: dict[str, Silence] = field(default_factory=dict)
    opens: dict[str, dict[str, Seconds]] = field(default_factory=dict)  # service -> incident -> when
    flapping: dict[str, None] = field(default_factory=dict)  # services
    transients: Transients = field(default_factory=Transients)
    dropped: Counter[str] = field(default_factory=Counter)


def decide(
    state: DecideState,
    incidents: Sequence[Incident],
    events: Iterable[Event],
    policy: Policy,
    now: Seconds,
) -> tuple[tuple[Incident, ...], Mapping[str, Verdict]]:
    """Return the incidents, those that page marked so, and a verdict for each."""
    for event in events:
        if event.kind == "command":
            _command(state, event, policy, now)
    told: list[Incident] = []
    verdicts: dict[str, Verdict] = {}
    # Causes first, so that a symptom that opens in the same moment finds its cause told.
    for incident in sorted(incidents, key=lambda i: (i.cause != "", i.opened, i.id)):
        verdicts[incident.id] = verdict = judge(state, incident, policy, now)
        told.append(_note(state, incident, verdict, now))
        if incident.state is State.RESOLVED:
            state.transients.learn(incident)
    return tuple(told), verdicts


def judge(state: DecideState, incident: Incident, policy: Policy, now: Seconds) -> Verdict:
    """Return the first reason that holds; what silences comes before what pages."""
    told = state.told.get(incident.id)
    if incident.state is State.RESOLVED:
        return _over(incident, told, now)
    if silence := covering(state.silences.values(), incident, now):
        return Verdict(
            False, Reason.SILENCED, silence.id, f"silenced by {silence.by or 'someone'}: {silence.why}"
        )
    if window := _window(policy, incident, now):
        return Verdict(False, Reason.MAINTENANCE, because=f"maintenance: {window.why or 'planned'}")
    if told is None:
        return _first(state, incident, policy, now)
    if told.resolved:
        return Verdict(True, Reason.WORSE, because=f"came back {span(now - told.at)} after it had resolved")
    if incident.priority < told.priority:
        return Verdict(
            True, Reason.WORSE, because=f"priority rose from {told.priority} to {incident.priority}"
        )
    if incident.state is State.ACKNOWLEDGED:
        return Verdict(False, Reason.ACKNOWLEDGED, incident.by)
    if silence := lapsed(state.silences.values(), incident, max(told.at, now - REMINDED), now):
        because = f"still on when the silence by {silence.by or 'someone'} ended"
        return Verdict(True, Reason.REPEAT, silence.id, because)
    if now - told.at >= policy.repeat_interval:
        return Verdict(True, Reason.REPEAT, because=f"still on {span(now - told.at)} after it was last told")
    return Verdict(False, Reason.NOTHING_NEW)


def _over(incident: Incident, told: Told | None, now: Seconds) -> Verdict:
    if told is None or told.resolved:
        return Verdict(False, Reason.NOTHING_NEW)
    lasted = (incident.resolved or now) - incident.opened
    return Verdict(True, Reason.RESOLVED, incident.by, f"over after {span(lasted)}")


def _first(state: DecideState, incident: Incident, policy: Policy, now: Seconds) -> Verdict:
    """Judge an incident that nobody was told of yet."""
    why = _strong(incident, policy)
    if not why:
        return Verdict(False, Reason.TENTATIVE, because="no signal is strong enough to page by itself")
    if now - incident.opened < policy.group_wait:
        return Verdict(
            False, Reason.TENTATIVE, because=f"gathers evidence for {span(policy.group_wait)} first"
        )
    if incident.state is State.ACKNOWLEDGED:
        return Verdict(False, Reason.ACKNOWLEDGED, incident.by)
    cause = state.told.get(incident.cause)
    if cause is not None and not cause.resolved:
        return Verdict(
            False, Reason.INHIBITED, incident.cause, f"a symptom of {incident.cause}, which has paged"
        )
    until, waits = state.transients.patience(incident)
    if now < until:
        return Verdict(False, Reason.TRANSIENT, because=waits)
    if opens := _flaps(state, incident, policy, now):
        service = incident.services[0]
        because = f"{service} opened {opens} incidents within {span(policy.flap_window)}"
        return Verdict(False, Reason.FLAPPING, service, because)
    return Verdict(True, Reason.NEW, because=why)


def _strong(incident: Incident, policy: Policy) -> str:
    """Return why the evidence that is on now is enough to page; "" where it is not."""
    on = [s for s in incident.signals if s.ended is None]
    if alone := [s for s in on if s.page]:
        return max(alone, key=lambda s: (s.surprise, s.id)).reason
    kinds = sorted({s.kind for s in on if s.surprise >= policy.combine_surprise})
    if incident.voices >= policy.voices and any(s.kind == "complaint" and s.service for s in on):
        return f"{incident.voices} customers complain of it within minutes"
    if on and incident.voices >= policy.voices and "complaint" not in kinds:
        kinds.append("complaint")
    if len(kinds) >= policy.combine:
        return f"{' and '.join(kinds)} say so together"
    return ""


def _window(policy: Policy, incident: Incident, now: Seconds) -> Maintenance | None:
    for window in policy.maintenance:
        if window.starts.timestamp() <= now < window.ends.timestamp():
            touched = {s.service for s in incident.signals if s.service}
            if touched and touched <= set(window.services):
                return window
    return None


def _flaps(state: DecideState, incident: Incident, policy: Policy, now: Seconds) -> int:
    """Count the opening once; return how many there were where the service flaps, else 0."""
    service = next(iter(incident.services), "")
    found = state.opens.pop(service, {})
    found = {id: at for id, at in found.items() if now - at < policy.flap_window}
    found.setdefault(incident.id, now)
    state.opens[service] = found
    if len(state.opens) > MAX_FLAPS:
        gone = next(iter(state.opens))
        del state.opens[gone]
        state.flapping.pop(gone, None)
        state.dropped["services watched for flapping"] += 1
    if len(found) >= policy.flap_opens:
        state.flapping[service] = None
    elif len(found) <= policy.flap_calm:
        state.flapping.pop(service, None)
    return len(found) if service in state.flapping else 0


def _command(state: DecideState, event: Event, policy: Policy, now: Seconds) -> None:
    """Take a silence, or end one: by its id, or all that speak of the same incident or service."""
    labels = asked_in(event.labels)
    do, by, why, ended = (event.labels.get(name, "") for name in ("do", "by", "why", "silence"))
    if do == "silence":
        until = min(event.until if event.until is not None else now + SILENCE, now + policy.silence_longest)
        try:
            conditions(labels)
        except ValueError:
            state.dropped["silences that nobody can read"] += 1
        else:
            state.silences[event.id] = Silence(event.id, by, until, labels, why)
    if do == "unsilence":
        for id, silence in tuple(state.silences.items()):
            if id == ended or (labels and silence.matchers == labels):
                del state.silences[id]
    for id, silence in tuple(state.silences.items()):
        if silence.until <= now - REMINDED or len(state.silences) > MAX_SILENCES:
            state.dropped["silences"] += silence.until > now
            del state.silences[id]


def _note(state: DecideState, incident: Incident, verdict: Verdict, now: Seconds) -> Incident:
    """Remember what is told, and write it into the incident."""
    if not verdict.act:
        return incident
    state.told.pop(incident.id, None)
    state.told[incident.id] = Told(now, incident.priority, verdict.reason is Reason.RESOLVED)
    if len(state.told) > MAX_TOLD:
        over = (id for id, t in state.told.items() if t.resolved)
        del state.told[next(over, next(iter(state.told)))]
    what = "told that it is over" if verdict.reason is Reason.RESOLVED else f"paged ({verdict.reason})"
    paged = incident.paged if incident.paged is not None else now
    return say(replace(incident, paged=paged, updated=now), now, f"{what}: {verdict.because}")
