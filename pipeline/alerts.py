"""Other systems' alerts to signals: one alert is one signal from its start to its end."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipeline.series import service_of, show
from pipeline.types import Event, Seconds, Signal

MAX_ALERTS = 500_000  # firing ones, about 1 kB each, 16 kB at the very most

# Looks that nobody waits for any more, of ends that were moved forward, before they are cleared away.
SLACK = 1_000

# An alert without endsAt is over so long after its last word (Alertmanager's resolve_timeout).
RESOLVE_TIMEOUT: Seconds = 300.0

# A firing alert notifies, as with Alertmanager, unless its sender says that nobody needs to hear it.
CALM = {"info", "none", "informational", "debug"}

# Another system's judgement has no p-value; its severity stands for one, on the scale of our own signals.
SURPRISE = {
    "critical": 20.0, "page": 20.0, "emergency": 20.0, "error": 15.0, "high": 15.0,
    "warning": 10.0, "ticket": 8.0, "low": 6.0, "info": 4.0, "none": 2.0,
}  # fmt: skip


@dataclass(slots=True)
class Firing:
    """One alert that is on: its signal, and when it ends as far as is known."""

    signal: Signal
    ends: Seconds
    guessed: bool  # its sender gave no end
    looked: Seconds  # when its end is looked at next; never after `ends`


@dataclass(slots=True)
class AlertState:
    """The alerts that are firing, by fingerprint. At most MAX_ALERTS; past it new ones are turned away."""

    firing: dict[str, Firing] = field(default_factory=dict)
    due: list[tuple[Seconds, str]] = field(default_factory=list)  # a heap of `looked`
    dropped: Counter[str] = field(default_factory=Counter)


def take_alerts(state: AlertState, events: Iterable[Event], now: Seconds) -> tuple[Signal, ...]:
    """Return a signal for each alert that began, changed its word or ended; repeats stay silent.

    An event's id is the alert's fingerprint.
    """
    said: dict[str, Signal] = {}
    for event in sorted((e for e in events if e.kind == "alert"), key=lambda e: (e.time, e.id)):
        signal = _take(state, event, now)
        if signal is not None:
            said[signal.id] = signal
    while state.due and state.due[0][0] <= now:
        looked, fingerprint = heapq.heappop(state.due)
        found = state.firing.get(fingerprint)
        if found is None or found.looked != looked:
            continue
        if found.ends <= now:
            del state.firing[fingerprint]
            said[found.signal.id] = replace(found.signal, at=now, ended=found.ends)
        else:
            _look(state, fingerprint, found)
    return tuple(said.values())


def _take(state: AlertState, event: Event, now: Seconds) -> Signal | None:
    """Merge one word of an alert with what is known of it."""
    ends = now + RESOLVE_TIMEOUT if event.until is None else event.until
    had = state.firing.get(event.id)
    if had is None:
        return _begin(state, event, ends, now)
    # Alertmanager's merge: an end that the sender gave is not shortened by a guess.
    if event.until is not None or had.guessed or ends > had.ends:
        had.ends, had.guessed = ends, event.until is None
        if ends < had.looked:
            _look(state, event.id, had)
    since, text = min(had.signal.since, event.time), _reason(event)
    if (since, text) == (had.signal.since, had.signal.reason):
        return None
    had.signal = replace(had.signal, since=since, reason=text, at=now)
    return had.signal


def _begin(state: AlertState, event: Event, ends: Seconds, now: Seconds) -> Signal | None:
    if ends <= now:
        return None
    if len(state.firing) >= MAX_ALERTS:
        state.dropped["alert limit"] += 1
        return None
    found = Firing(_signal(event, now), ends, event.until is None, ends)
    state.firing[event.id] = found
    _look(state, event.id, found)
    return found.signal


def _look(state: AlertState, fingerprint: str, found: Firing) -> None:
    found.looked = found.ends
    heapq.heappush(state.due, (found.looked, fingerprint))
    if len(state.due) > 2 * len(state.firing) + SLACK:
        state.due = [(firing.looked, id) for id, firing in state.firing.items()]
        heapq.heapify(state.due)


def _signal(event: Event, now: Seconds) -> Signal:
    labels = {k: v for k, v in event.labels.items() if v}
    severity = labels.get("severity", "").lower()
    surprise = SURPRISE.get(severity, SURPRISE["warning"])
    return Signal(
        f"alert/{event.id}/{event.time:.3f}", "alert", service_of(labels),
        show({**labels, "__name__": labels.get("alertname", "alert")}), labels, "alert",
        event.time, now, surprise, float("nan"), float("nan"), severity not in CALM, _reason(event),
    )  # fmt: skip


def _reason(event: Event) -> str:
    """Return the alert in one sentence: its summary, else its description, else its name."""
    notes = event.notes
    said = notes.get("summary") or notes.get("description") or notes.get("message")
    name = event.labels.get("alertname", "an alert")
    return " ".join(said.split())[:500] if said else f"{name} fires"
