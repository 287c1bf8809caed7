"""A signal into its incident: the one that has it, one it fits, one that was just over, or a new one."""

from __future__ import annotations

from bisect import bisect
from dataclasses import replace
from hashlib import blake2b

from pipeline.correlate.anew import VOICES, part, release
from pipeline.correlate.behind import fewest, full, stand_behind
from pipeline.correlate.habits import WINDOW
from pipeline.correlate.parts import merge
from pipeline.correlate.picture import say
from pipeline.correlate.place import back, beside, by_habit, fitting, lag
from pipeline.correlate.state import STORM, CorrelateState
from pipeline.correlate.voices import explained, speaking, take_in
from pipeline.topology import Topology
from pipeline.types import Incident, Seconds, Signal, State

MINUTE: Seconds = 60.0
# The severity of an alert that always fires, as kube-prometheus's Watchdog: it says that its sender lives.
HEARTBEAT = "none"


def admit(
    state: CorrelateState, signal: Signal, topology: Topology, stale: dict[str, None], now: Seconds
) -> None:
    """Put the signal into the incident that has it, that it fits, that was just over, or a new one."""
    parted: dict[str, Seconds] = {}
    if signal.kind == "complaint" and signal.page:
        release(state, signal)
        parted = part(state, signal, now) if signal.ended is None else {}
    id = homed = state.home.get(signal.id)
    if id is None and signal.ended is not None:
        return
    if id is not None and _outgrew(state, state.get(id), signal):
        id = None
    if id is not None and _is_of_another(state, state.get(id), signal):
        _leave(state, state.get(id), signal, stale, now)
        id = homed = None
    begins = id is None
    if id is None and signal.kind == "alert" and signal.labels.get("severity", "").lower() == HEARTBEAT:
        return
    if id is None:
        signal = speaking(state, signal) if signal.kind == "complaint" else signal
        if parted:
            signal = replace(signal, since=max([signal.since, *parted.values()]))
        id = _home(state, signal, topology, stale, now)
        if id is None:
            state.dropped["incident limit"] += 1
            return
    incident = state.get(id)
    for other in parted:
        incident = say(incident, now, f"so many wrote again that it is not {other} going on")
    if full(state, incident, signal):
        stand_behind(state, incident, signal)
        return
    had = incident.signals if homed else incident.signals[:1]  # a new incident has what it opened with
    known = next((s for s in had if s.id == signal.id), None)
    if signal.page and signal.kind != "complaint" and (begins or known is None or not known.page):
        state.habits.hear(signal)
    if incident.state is not State.RESOLVED:
        stale[id] = None
        if signal.page and (known is None or not known.page):
            whose = f" of {signal.service}" if signal.service else ""
            near = beside(topology, incident, signal)
            incident = say(incident, now, f"{signal.kind}{whose}{near and ', '}{near}: {signal.reason}")
    if known is not None and signal.kind == "complaint":
        signal = replace(signal, service=known.service, since=max(known.since, signal.since))
    if known is not None and signal.ended is not None:
        signal = replace(signal, reason=known.reason)  # what it was, not that it is back, is the evidence
    signals = fewest(state, id, _with(incident.signals, known, signal))
    incident = replace(incident, signals=signals, updated=now)
    state.put(incident)
    if signal.ids:
        take_in(state, incident, signal, stale, now)


def _outgrew(state: CorrelateState, incident: Incident, signal: Signal) -> bool:
    """Say whether what belonged to an incident now over has grown strong enough to page, or new voices."""
    if incident.state is not State.RESOLVED or signal.ended is not None or not signal.page:
        return False
    if signal.kind == "complaint":
        return sum(c in state.loose for c in signal.ids[-2 * VOICES :]) >= VOICES
    return not next((s for s in incident.signals if s.id == signal.id), signal).page


def _is_of_another(state: CorrelateState, incident: Incident, signal: Signal) -> bool:
    """Say whether a surge that has only now grown strong enough to page is what another one explains."""
    if signal.kind != "complaint" or not signal.page:
        return False
    known = next((s for s in incident.signals if s.id == signal.id), None)
    if known is None or known.page:
        return False
    other = explained(state, signal)
    return other is not None and other != incident.id and other in state.burning


def _leave(
    state: CorrelateState, incident: Incident, signal: Signal, stale: dict[str, None], now: Seconds
) -> None:
    """Take a signal out of its incident, which is over where it had no other."""
    rest = tuple(s for s in incident.signals if s.id != signal.id)
    del state.home[signal.id]
    if rest:
        state.put(say(replace(incident, signals=rest, updated=now), now, f"not of it: {signal.reason}"))
        stale[incident.id] = None
    elif incident.state is not State.RESOLVED:
        over = replace(incident, state=State.RESOLVED, resolved=now, quiet=now, updated=now)
        state.resolve(say(over, now, "over: what customers say is of another incident"), now)
        stale.pop(incident.id, None)


def _home(
    state: CorrelateState, signal: Signal, topology: Topology, stale: dict[str, None], now: Seconds
) -> str | None:
    spoken_of = explained(state, signal) if signal.kind == "complaint" else None
    if spoken_of is not None:
        state.home[signal.id] = spoken_of
        return spoken_of
    fits = fitting(state, topology, signal)
    if fits:
        first = fits[0]
        if signal.page:
            for other in fits[1:]:
                parted = other.id in state.apart.get(first.id, ())
                if lag(state, first, other.signals[0]) <= WINDOW and not parted:
                    why = f"{signal.reason.rstrip('.')} bridges them"
                    first = merge(state, first, other, why, stale, now)
        state.home[signal.id] = first.id
        return first.id
    if signal.page and (found := by_habit(state, signal)) is not None:
        known, why = found
        state.put(say(known, now, f"joined by {signal.kind} of {signal.service or 'no service'}: {why}"))
        state.habits.join(signal)
        state.home[signal.id] = known.id
        return known.id
    again = back(state, topology, signal)
    if again is not None:
        told = say(again, now, f"came back: {signal.reason}")
        state.reopen(replace(told, state=State.OPEN, resolved=None, quiet=None, updated=now))
        state.home[signal.id] = again.id
        return again.id
    storm = len(state.opened) == STORM and now - state.opened[0] <= MINUTE
    if storm and state.storm in state.burning:
        state.home[signal.id] = state.storm
        return state.storm
    if not state.room(now):
        return None
    new = _open(signal, now)
    if storm:
        why = f"a storm: {STORM} incidents have opened within a minute, what fits none of them joins this one"
        new, state.storm = say(new, now, why), new.id
    state.add(new)
    state.home[signal.id] = new.id
    return new.id


def _open(signal: Signal, now: Seconds) -> Incident:
    name = "".join(c if c.isalnum() or c in "-_." else "-" for c in signal.service)[:40] or "unknown"
    id = f"{name}-{blake2b(f'{signal.id} {now}'.encode(), digest_size=4).hexdigest()}"
    services = (signal.service,) if signal.service else ()
    new = Incident(id, now, now, signal.reason, "P4", services, (signal,), first_signal=signal.since)
    return say(new, now, f"opened by {signal.kind}: {signal.reason}") if not signal.page else new


def _with(signals: tuple[Signal, ...], known: Signal | None, signal: Signal) -> tuple[Signal, ...]:
    """Return the signals with the newest word of one, earliest first."""
    if known is not None:
        signals = tuple(s for s in signals if s is not known)
    at = bisect(signals, _age(signal), key=_age)
    return (*signals[:at], signal, *signals[at:])


def _age(signal: Signal) -> tuple[Seconds, str]:
    return signal.since, signal.id
