"""What is kept of an incident and one id in, each stage's verdict and numbers out: plain data, times in s."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from pipeline.describe import describe
from pipeline.series import fingerprint, pack
from pipeline.silence import Asked, conditions, spoken
from pipeline.types import Action, Complaint, Entry, Incident, Outcome, Reason, Run, Seconds, Signal, Verdict

Told: TypeAlias = dict[str, Any]
Acted: TypeAlias = tuple[Action, str, Outcome | None]

NEAREST = 5
MAX_COMPARED = 2_000  # ids, the first ones given: to compare one takes some 10 us
# Timeline lines of what was decided or done: the other ones are what was seen.
_DEEDS = (
    "paged (", "told that", "Telling ", "Nobody is told", "Could not tell", "Escalated", "Playbook ",
    "Target miss",
)  # fmt: skip
# Nobody measured how rare these are.
_STATED = {"alert": "what its severity stands for", "pattern": "what its rule stands for"}
_MEANS = {
    Reason.NEW: "page: nobody had been told of it",
    Reason.WORSE: "page again: it grew worse",
    Reason.REPEAT: "page again: still on, and the last word is long ago",
    Reason.RESOLVED: "say that it is over to those who were paged",
    Reason.TENTATIVE: "no page yet: the evidence is not strong enough",
    Reason.ACKNOWLEDGED: "no page: somebody has it in hand",
    Reason.SILENCED: "no page: a silence covers it",
    Reason.INHIBITED: "no page: its cause has paged already, or a rule mutes it while something else is on",
    Reason.MAINTENANCE: "no page: a maintenance window covers it",
    Reason.MUTED: "no page: nobody is told of such things at this time",
    Reason.FLAPPING: "no page: its service comes and goes",
    Reason.TRANSIENT: "no page yet: its kind has always cleared by itself",
    Reason.NOTHING_NEW: "no page: everything was told before",
}


@dataclass(frozen=True, slots=True)
class Story:
    """What is kept of one incident; None where such things are not kept, as in a replay's folder."""

    incident: Incident
    complaints: tuple[Complaint, ...] | None = None
    verdicts: tuple[tuple[Seconds, Verdict], ...] | None = None
    actions: tuple[Acted, ...] = ()
    runs: tuple[Run, ...] | None = None
    asked: tuple[Asked, ...] | None = None  # silences


def explain(story: Story, id: str) -> Told:
    """Return what the incident, or something of it, is and went through; LookupError where id is neither."""
    incident = story.incident
    whole = _incident(story)
    if id == incident.id:
        return {"id": id, "is": "incident", **whole}
    if signals := [s for s in incident.signals if goes_by(s, id)]:
        is_, own = "alert" if signals[0].kind == "alert" else "signal", _detection(signals)
        said = [e for e in incident.timeline if any(_speaks(e, s) for s in signals)]
        return {
            "id": id,
            "is": is_,
            "this": own,
            "said": _lines(said),
            **whole,
            "silences": _silences(story, signals),
        }
    if id in incident.complaints:
        own = [c for c in whole["complaints"] if c["id"] == id]
        said = [e for e in incident.timeline if "complain" in e.what]
        return {"id": id, "is": "complaint", "this": own, "said": _lines(said), **whole}
    if changed := [c for c in whole["incident"]["changes"] if c["id"] == id]:
        why = next((s.reason for s in incident.suspects if s.change == id), "")
        said = [e for e in incident.timeline if why and why in e.what]
        return {
            "id": id,
            "is": "change",
            "this": [{**changed[0], "suspected": why}],
            "said": _lines(said),
            **whole,
        }
    if acted := [_action(*a) for a in story.actions if a[0].key == id]:
        said = [e for e in incident.timeline if e.at == acted[0]["at"]]
        return {"id": id, "is": "action", "this": acted, "said": _lines(said), **whole}
    raise LookupError(id)


def alone(thing: Signal | Complaint | Acted, id: str) -> Told:
    """Return what is known of a signal, complaint or action that belongs to no incident."""
    if isinstance(thing, tuple):
        return {"id": id, "is": "action", "this": [_action(*thing)], "incident": None}
    if isinstance(thing, Complaint):
        return {"id": id, "is": "complaint", "this": [_complaint(thing)], "incident": None}
    is_ = "alert" if thing.kind == "alert" else "signal"
    return {"id": id, "is": is_, "this": _detection([thing]), "incident": None}


def goes_by(signal: Signal, id: str) -> bool:
    """Say whether it is the signal's id; an alert also goes by its name and by its fingerprint."""
    if id in names(signal):
        return True
    return signal.kind == "alert" and len(id) == 16 and fingerprint(pack(signal.labels)) == id


def names(signal: Signal) -> tuple[str, ...]:
    """Return what a signal is called."""
    if signal.kind != "alert":
        return (signal.id,)
    return (signal.id, signal.labels.get("alertname") or signal.series.partition("{")[0])


def holds(incident: Incident, id: str) -> bool:
    """Say whether it is the id of the incident, or of a signal, a complaint or a change of it."""
    if id == incident.id or id in incident.complaints or any(c.id == id for c in incident.changes):
        return True
    return any(goes_by(s, id) for s in incident.signals)


def foremost(incidents: Iterable[Incident], id: str) -> Incident | None:
    """Return the first incident that the id is of; of a change that is near several, who suspects it most."""
    held = [i for i in incidents if holds(i, id)]
    return min(
        held, key=lambda i: next((k for k, s in enumerate(i.suspects) if s.change == id), 99), default=None
    )


def ids(incident: Incident) -> Iterator[str]:
    """Yield what can be asked for of the incident, but for its actions."""
    yield incident.id
    for signal in incident.signals:
        yield from names(signal)
    yield from incident.complaints
    yield from (change.id for change in incident.changes)


def nearest(id: str, known: Sequence[str]) -> list[str]:
    """Return the ids most like it, those that begin with it or hold it first.

    >>> nearest("pay", ["cart-1", "payment-2", "payment-1"])
    ['payment-1', 'payment-2']
    >>> nearest("paymnt-1", ["cart-1", "payment-1"])[0]
    'payment-1'
    """
    every = sorted(list(dict.fromkeys(known))[:MAX_COMPARED])
    within = sorted((k for k in every if id and id in k), key=lambda k: (not k.startswith(id), k))
    alike = difflib.get_close_matches(id, every, NEAREST, 0.5)
    return list(dict.fromkeys([*within, *alike]))[:NEAREST]


def meaning(surprise: float) -> str:
    """Return what a surprise says, in words.

    >>> meaning(3), meaning(6.99), meaning(12)
    ('once in 1,000 by chance', 'once in 10 million by chance', 'less than once in a billion by chance')
    """
    if not math.isfinite(surprise):
        return "not known yet"
    if surprise >= 9:
        return "less than once in a billion by chance"
    times = float(f"{10 ** max(surprise, 0.0):.1g}")
    return (
        f"once in {times / 1e6:,.0f} million by chance" if times >= 1e6 else f"once in {times:,.0f} by chance"
    )


def _incident(story: Story) -> Told:
    incident = story.incident
    known = None if story.complaints is None else {c.id: _complaint(c) for c in story.complaints}
    return {
        "incident": {
            **{k: v for k, v in describe(incident).items() if k not in ("signals", "timeline")},
            "state": incident.state.value,
            "by": incident.by,
            "cause": incident.cause or None,
            "changes": [{"id": c.id, "at": c.time, **c.labels, "summary": c.text} for c in incident.changes],
        },
        "detection": _detection(incident.signals),
        "joined": _lines([e for e in incident.timeline if _seen(e)]),
        "rankings": list(_rankings(incident.timeline)),
        "done": _lines([e for e in incident.timeline if e.what.startswith(_DEEDS)]),
        "silences": _silences(story, incident.signals),
        "verdicts": None if story.verdicts is None else [_verdict(at, v) for at, v in story.verdicts],
        "actions": [_action(*a) for a in story.actions],
        "runs": None if story.runs is None else [asdict(r) for r in story.runs],
        "complaints": [(known or {}).get(id, {"id": id}) for id in incident.complaints],
    }


def _detection(signals: Sequence[Signal]) -> list[Told]:
    return [
        {
            "id": s.id,
            "kind": s.kind,
            "service": s.service,
            "series": s.series,
            "labels": dict(sorted(s.labels.items())),
            "detector": s.detector,
            "since": s.since,
            "at": s.at,
            "ended": s.ended,
            "surprise": _number(s.surprise),
            "means": _STATED.get(s.kind) or meaning(s.surprise),
            "observed": _number(s.observed),
            "expected": _number(s.expected),
            "page": s.page,
            "reason": s.reason,
            "samples": list(s.samples),
        }
        for s in signals
    ]


def _silences(story: Story, signals: Sequence[Signal]) -> list[Told] | None:
    """Return the silences that covered any of the signals while it was on, and how many they covered."""
    if story.asked is None:
        return None
    covered: dict[str, list[str]] = {}
    for signal in signals:
        for each in spoken(story.asked, story.incident, signal):
            covered.setdefault(each.silence.id, []).append(signal.id)
    return [
        {
            "id": s.id,
            "by": s.by,
            "why": s.why,
            "matchers": [str(m) for m in conditions(s.matchers)],
            "starts": s.starts,
            "until": s.until if each.ended is None else each.ended,
            "signals": covered[s.id],
        }
        for each in story.asked
        if (s := each.silence).id in covered
    ]


def _speaks(entry: Entry, signal: Signal) -> bool:
    """Say whether the line is of the signal: by what it names first, for its numbers change."""
    named = signal.reason.split(" ", 1)[0]
    by_name = "{" in named and named in entry.what
    return (
        by_name
        or signal.reason in entry.what
        or (entry.at == signal.at and entry.what.startswith(signal.kind))
    )


def _lines(entries: Sequence[Entry]) -> list[Told]:
    return [{"at": e.at, "what": e.what} for e in entries]


def _seen(entry: Entry) -> bool:
    return not entry.suspects and not entry.what.startswith(_DEEDS)


def _rankings(timeline: Sequence[Entry]) -> Iterator[Told]:
    """Yield each ranking with the evidence that came since the one before it."""
    since: list[str] = []
    for entry in timeline:
        if _seen(entry):
            since.append(entry.what)
        if entry.suspects:
            yield {"at": entry.at, "suspects": list(entry.suspects), "what": entry.what, "after": since}
            since = []


def _verdict(at: Seconds, verdict: Verdict) -> Told:
    return {
        "at": at,
        "act": verdict.act,
        "reason": verdict.reason.value,
        "means": _MEANS[verdict.reason],
        "by": verdict.by,
        "because": verdict.because,
    }


def _action(action: Action, state: str, outcome: Outcome | None) -> Told:
    said = {"ok": outcome.ok, "detail": outcome.detail, "took": outcome.took} if outcome else None
    return {
        "key": action.key,
        "at": action.at,
        "kind": action.kind,
        "do": action.do,
        "what": action.what,
        "state": state,
        "outcome": said,
    }


def _complaint(complaint: Complaint) -> Told:
    return {
        "id": complaint.id,
        "at": complaint.time,
        "customer": complaint.customer,
        "text": complaint.text,
        "topic": complaint.topic,
        "urgent": complaint.urgent,
        "aside": complaint.aside,
        "links": [{"service": s, "score": round(score, 3)} for s, score in complaint.services],
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
