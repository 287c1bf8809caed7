"""Whether to act on an incident now, and why: silence, window, mute, inhibit, repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.correlate.picture import say, settled
from pipeline.inhibit import Inhibitor
from pipeline.policy import Policy, strong
from pipeline.quiet import QuietState, hear, quieting
from pipeline.transients import Transients
from pipeline.types import Event, Incident, Reason, Seconds, Signal, State, Verdict
from pipeline.units import span

__all__ = ["DecideState", "Policy", "asked", "decide"]

MAX_TOLD = 10_000  # incidents whose page is remembered
MAX_FLAPS = 10_000  # services whose opens are counted


@dataclass(frozen=True, slots=True)
class Told:
    """What those on call last heard of an incident."""

    at: Seconds
    priority: str
    resolved: bool = False


@dataclass(slots=True)
class DecideState:
    """When each incident was last told, what keeps silent, and who opens too often. Bounds are above."""

    told: dict[str, Told] = field(default_factory=dict)  # by incident, longest not told first
    quiet: QuietState = field(default_factory=QuietState)
    hushed: dict[str, Verdict] = field(default_factory=dict)  # told, now kept silent -> the word after that
    opens: dict[str, dict[str, Seconds]] = field(default_factory=dict)  # service -> incident -> when
    flapping: dict[str, None] = field(default_factory=dict)  # services
    transients: Transients = field(default_factory=Transients)
    forgot: Counter[str] = field(default_factory=Counter)

    @property
    def dropped(self) -> Counter[str]:
        return self.forgot + self.quiet.dropped


def decide(
    state: DecideState,
    incidents: Sequence[Incident],
    events: Iterable[Event],
    policy: Policy,
    now: Seconds,
    signals: Iterable[Signal] = (),
    inhibitor: Inhibitor | None = None,
) -> tuple[tuple[Incident, ...], Mapping[str, Verdict]]:
    """Return the incidents, those that page marked so, and a verdict for each.

    `signals` are those said now; the inhibitor knows which of them, and of the alerts, mute which.
    """
    inhibitor = inhibitor or Inhibitor()
    hear(state.quiet, incidents, signals, inhibitor, events, policy, now)
    told: list[Incident] = []
    verdicts: dict[str, Verdict] = {}
    # Causes first, so that a symptom that opens in the same moment finds its cause told; and what was merged
    # into another last, for it is over when that is.
    for incident in sorted(incidents, key=lambda i: (i.by in state.told, i.cause != "", i.opened, i.id)):
        verdicts[incident.id] = verdict = judge(state, incident, inhibitor, policy, now)
        told.append(_note(state, incident, verdict, now))
        if incident.state is State.RESOLVED and incident.by not in state.told:
            state.transients.learn(incident)
    return tuple(told), verdicts


def asked(state: DecideState, events: Iterable[Event], now: Seconds) -> tuple[Event, ...]:
    """Return what people asked for, and for each silence that ended by itself a command that lifts it."""
    lifted = (
        Event("command", f"faded-{id}", now, {"do": "unsilence", "silence": id, "by": "Forewarn", "why": why})
        for id, why in state.quiet.silences.faded.items()
    )
    return (*(e for e in events if e.kind == "command"), *lifted)


def judge(
    state: DecideState, incident: Incident, inhibitor: Inhibitor, policy: Policy, now: Seconds
) -> Verdict:
    """Return the first reason that holds; what silences comes before what pages."""
    told = state.told.get(incident.id)
    if incident.state is State.RESOLVED:
        state.quiet.silences.resolved(incident, now)
        return _over(state, incident, now)
    if quiet := quieting(state.quiet, incident, inhibitor, policy, now):
        if told is not None and not told.resolved:
            because = f"still on when {quiet.what} ended"
            state.hushed[incident.id] = Verdict(True, Reason.REPEAT, quiet.verdict.by, because)
        return quiet.verdict
    if told is None:
        return _first(state, incident, inhibitor, policy, now)
    if told.resolved:
        return Verdict(True, Reason.WORSE, because=f"came back {span(now - told.at)} after it had resolved")
    if incident.priority < told.priority:
        return Verdict(
            True, Reason.WORSE, because=f"priority rose from {told.priority} to {incident.priority}"
        )
    if incident.state is State.ACKNOWLEDGED:
        return Verdict(False, Reason.ACKNOWLEDGED, incident.by)
    hushed = state.hushed.get(incident.id)
    if hushed and any(s.ended is None for s in incident.signals):
        return hushed
    if now - told.at >= policy.repeat_interval:
        return Verdict(True, Reason.REPEAT, because=f"still on {span(now - told.at)} after it was last told")
    return Verdict(False, Reason.NOTHING_NEW)


def _over(state: DecideState, incident: Incident, now: Seconds) -> Verdict:
    told = state.told.get(incident.id)
    if told is None or told.resolved:
        return Verdict(False, Reason.NOTHING_NEW)
    whole = state.told.get(incident.by)
    if whole is not None and not whole.resolved:
        return Verdict(False, Reason.NOTHING_NEW, incident.by, "it is part of another, and over when that is")
    lasted = (incident.resolved or now) - incident.opened
    said = [f"over after {span(lasted)}"]
    if new := settled(incident):
        said.append(new)
    return Verdict(True, Reason.RESOLVED, incident.by, "; ".join(said))


def _first(
    state: DecideState, incident: Incident, inhibitor: Inhibitor, policy: Policy, now: Seconds
) -> Verdict:
    """Judge an incident that nobody was told of yet; what is silenced in it is no reason where another is."""
    on = [s for s in incident.signals if s.ended is None]
    silences, parts = state.quiet.silences, inhibitor.parts
    heard = [s for s in on if not silences.covers_one(s, incident, now, parts)]
    why = strong(policy, incident, heard) or strong(policy, incident, on)
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
        state.forgot["services watched for flapping"] += 1
    if len(found) >= policy.flap_opens:
        state.flapping[service] = None
    elif len(found) <= policy.flap_calm:
        state.flapping.pop(service, None)
    return len(found) if service in state.flapping else 0


def _note(state: DecideState, incident: Incident, verdict: Verdict, now: Seconds) -> Incident:
    """Remember what is told, and write it into the incident."""
    if not verdict.act:
        return incident
    state.told.pop(incident.id, None)
    state.hushed.pop(incident.id, None)
    state.told[incident.id] = Told(now, incident.priority, verdict.reason is Reason.RESOLVED)
    if len(state.told) > MAX_TOLD:
        over = (id for id, t in state.told.items() if t.resolved)
        del state.told[next(over, next(iter(state.told)))]
    what = "told that it is over" if verdict.reason is Reason.RESOLVED else f"paged ({verdict.reason})"
    paged = incident.paged if incident.paged is not None else now
    return say(replace(incident, paged=paged, updated=now), now, f"{what}: {verdict.because}")
