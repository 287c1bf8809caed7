"""What keeps an incident silent whatever it does: silences, windows, mute intervals, inhibition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pipeline.inhibit import Held, Inhibitor
from pipeline.policy import Policy, strong
from pipeline.silence import Silences, asked_in, read
from pipeline.types import Event, Incident, Reason, Seconds, Signal, Verdict
from pipeline.windows import Calendar, Openings

LEARN: Seconds = 2.0  # after the rules have changed: within that each open incident has come by


@dataclass(slots=True)
class QuietState:
    """The silences, and the windows that changes opened. Each has its bound."""

    silences: Silences = field(default_factory=Silences)
    opened: Openings = field(default_factory=Openings)
    under: Mapping[str, str] = field(default_factory=dict)  # services in a window of `opened` now, and why
    dropped: Counter[str] = field(default_factory=Counter)


class Quiet(NamedTuple):
    verdict: Verdict
    what: str  # keeps it silent, in words: told again when that ends


def hear(
    state: QuietState,
    incidents: Iterable[Incident],
    signals: Iterable[Signal],
    inhibitor: Inhibitor,
    events: Iterable[Event],
    policy: Policy,
    now: Seconds,
) -> None:
    """Take in what people ask, what changes declare, and which signals are on; end what time has ended."""
    for event in events:
        if event.kind == "command":
            _command(state, event, policy, now)
        elif event.kind == "change":
            state.opened.hear(event, policy.silence_longest)
    if now - inhibitor.adopted < LEARN:
        inhibitor.take(s for i in incidents for s in i.signals)
    inhibitor.take(signals)
    state.silences.faded.clear()
    state.silences.tidy(now)
    state.under = state.opened.services(now)


def quieting(
    state: QuietState, incident: Incident, inhibitor: Inhibitor, policy: Policy, now: Seconds
) -> Quiet | None:
    """Return what keeps the incident silent now; None where nothing does."""
    if silence := state.silences.covering(incident, now, inhibitor.parts):
        by = silence.by or "someone"
        because = f"silenced by {by}: {silence.why}" if silence.why else f"silenced by {by}"
        verdict = Verdict(False, Reason.SILENCED, silence.id, because)
        return Quiet(verdict, f"the silence by {by}")
    calendar = _calendar(policy)
    if why := calendar.maintained(incident, state.under, now):
        return Quiet(
            Verdict(False, Reason.MAINTENANCE, because=f"maintenance: {why}"), f"maintenance ({why})"
        )
    if why := calendar.muted(incident, inhibitor.parts, now):
        return Quiet(Verdict(False, Reason.MUTED, because=why), f"what was {why}")
    if held := _held(state.silences, inhibitor, incident, policy, now):
        because = f'inhibited by rule "{held.rule}" while {held.named} is on'
        return Quiet(Verdict(False, Reason.INHIBITED, held.rule, because), held.named)
    return None


def _command(state: QuietState, event: Event, policy: Policy, now: Seconds) -> None:
    """Take a silence, or end one: by its id, or all that speak of the same incident or service."""
    labels = asked_in(event.labels)
    do, ended = event.labels.get("do", ""), event.labels.get("silence", "")
    if do == "silence":
        try:
            silence = read(event, policy.silence_longest)
        except ValueError:
            state.dropped["silences that nobody can read"] += 1
        else:
            if not state.silences.add(silence, now):
                state.dropped["silences"] += 1
    if do == "unsilence":
        held = state.silences.held.items()
        for id in [id for id, s in held if id == ended or (labels and s.matchers == labels)]:
            state.silences.end(id)


def _held(
    silences: Silences, inhibitor: Inhibitor, incident: Incident, policy: Policy, now: Seconds
) -> Held | None:
    """Return what inhibits the incident: without its inhibited and its silenced signals it would not page."""
    if not inhibitor.active:
        return None
    on = [s for s in incident.signals if s.ended is None]
    found = {s.id: held for s in on if (held := inhibitor.held(s.id))}
    if not found:
        return None
    parts = inhibitor.parts
    rest = [s for s in on if s.id not in found and not silences.covers_one(s, incident, now, parts)]
    if strong(policy, incident, rest):
        return None
    return next(iter(found.values()))


@lru_cache(maxsize=4)
def _calendar(policy: Policy) -> Calendar:
    return Calendar(policy.maintenance, policy.mutes, policy.time_intervals)
