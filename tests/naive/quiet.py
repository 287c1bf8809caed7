"""pipeline/decide.py and all that keeps silent, judged from the whole story each time, with plain loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.inhibit import Inhibition
from pipeline.silence import asked_in, conditions
from pipeline.types import Event, Incident, Reason, Seconds, Signal, State
from tests.naive.inhibit import naive_muting


@dataclass
class NaiveDecide:
    """One page an incident, with an interval of repeats; nothing flaps and everything may page."""

    rules: Sequence[Inhibition]
    repeat: Seconds
    events: list[Event] = field(default_factory=list)
    on: dict[str, Signal] = field(default_factory=dict)
    told: dict[str, tuple[Seconds, bool]] = field(default_factory=dict)  # when, and whether it was over
    quiet: set[str] = field(default_factory=set)  # told, and kept silent since

    def judge(
        self, incidents: Sequence[Incident], events: Sequence[Event], signals: Sequence[Signal], now: Seconds
    ) -> dict[str, Reason]:
        self.events += events
        for signal in signals:
            self.on.pop(signal.id, None)
            if signal.ended is None:
                self.on[signal.id] = signal
        found = {}
        for incident in sorted(incidents, key=lambda i: (i.cause != "", i.opened, i.id)):
            found[incident.id] = reason = self.reason(incident, now)
            if reason in (Reason.NEW, Reason.REPEAT, Reason.WORSE, Reason.RESOLVED):
                self.told[incident.id] = now, reason is Reason.RESOLVED
                self.quiet.discard(incident.id)
        return found

    def reason(self, incident: Incident, now: Seconds) -> Reason:
        at, over = self.told.get(incident.id, (None, True))
        if incident.state is State.RESOLVED:
            return Reason.NOTHING_NEW if over else Reason.RESOLVED
        held = self.held(incident, now)
        if held is not None:
            if not over:
                self.quiet.add(incident.id)
            return held
        if at is None:
            told, over_too = self.told.get(incident.cause, (None, True))
            if not any(s.ended is None for s in incident.signals):
                return Reason.TENTATIVE
            return Reason.NEW if told is None or over_too else Reason.INHIBITED
        if over:
            return Reason.WORSE
        if incident.id in self.quiet and any(s.ended is None for s in incident.signals):
            return Reason.REPEAT
        return Reason.REPEAT if now - at >= self.repeat else Reason.NOTHING_NEW

    def held(self, incident: Incident, now: Seconds) -> Reason | None:
        lifted = {e.labels["silence"]: e.time for e in self.events if e.labels.get("do") == "unsilence"}
        on = [s for s in incident.signals if s.ended is None] or incident.signals
        left = [{**s.labels, "service": s.service, "incident": incident.id} for s in on]
        for e in self.events:
            starts = float(e.labels.get("starts", e.time))
            if e.labels.get("do") != "silence" or e.id in lifted or not starts <= now < (e.until or 0.0):
                continue
            asked = conditions(asked_in(e.labels))
            left = [view for view in left if not all(m(view) for m in asked)]
        if not left:
            return Reason.SILENCED
        newest = {e.id: e for e in self.events if e.kind == "change"}
        opened = {e.labels["service"] for e in newest.values() if e.time <= now < (e.until or 0.0)}
        if {s.service for s in on} <= opened:
            return Reason.MAINTENANCE
        labels = {s.id: {"kind": s.kind, **s.labels} for s in self.on.values()}
        mine = [s for s in incident.signals if s.ended is None]
        if mine and all(s.id in labels and naive_muting(self.rules, labels, s.id) for s in mine):
            return Reason.INHIBITED
        return None
