"""A recording through the same pipeline, in event time, into files; nothing is performed.

Each planned action is answered one tick later with "assumed ok", so that the files show the whole of what
a playbook would have done: its waits and checks still read the recording's own series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline import frame
from pipeline.config import Config
from pipeline.describe import describe
from pipeline.flow import Pipeline
from pipeline.frame import Frame
from pipeline.ingest.recording import Recording
from pipeline.types import Action, Event, Incident, Seconds, Signal, Step


@dataclass(slots=True)
class Replay:
    """What a replay has seen so far. Holds every incident, and the signals that are not over."""

    pipeline: Pipeline
    out: Path
    position: int = -1
    incidents: dict[str, Incident] = field(default_factory=dict)
    burning: dict[str, Signal] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)  # signals, actions
    planned: list[Action] = field(default_factory=list)  # not answered yet


def replay(
    recording: Recording, config: Config, out: Path, follow: Callable[[Seconds, Counter[str]], None]
) -> dict[str, Any]:
    """Replay all of it, write the four files to `out` and return the summary.

    `follow` is told the time of each frame and what has been counted so far; it may wait, to pace.
    """
    out.mkdir(parents=True, exist_ok=True)
    r = Replay(Pipeline(config), out)
    first = last = None
    with (out / "signals.jsonl").open("wb") as signals, (out / "actions.jsonl").open("wb") as actions:
        for each in recording.frames():
            first, last = each.at if first is None else first, each.at
            follow(each.at, r.counted)
            for given in (*_answers(r, each.at), each):
                step = _take(r, given)
                for signal in _over(r, step):
                    signals.write(_line(_signal(signal)))
                for action in step.actions:
                    actions.write(_line(_action(action)))
        for signal in sorted(r.burning.values(), key=lambda s: (s.since, s.id)):
            signals.write(_line(_signal(signal)))
    found = sorted(r.incidents.values(), key=lambda i: (i.opened, i.id))
    (out / "incidents.jsonl").write_bytes(b"".join(_line(describe(i)) for i in found))
    summary = {"from": first, "to": last, **_summary(recording, found, r.counted)}
    (out / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
    return summary


def _take(r: Replay, given: Frame) -> Step:
    r.position += 1
    step = r.pipeline.take(given, r.position)
    if step is None:
        raise LookupError(f"frame {r.position} was taken before")
    r.incidents.update((i.id, i) for i in step.incidents)
    r.counted["incident"] = len(r.incidents)
    r.counted["action"] += len(step.actions)
    r.planned += step.actions
    return step


def _answers(r: Replay, at: Seconds) -> Iterator[Frame]:
    """Yield the outcomes of what was planned before now."""
    due = [a for a in r.planned if a.at < at]
    if due:
        r.planned = [a for a in r.planned if a.at >= at]
        yield frame.events(at, "replay", [_assumed(a, at) for a in due])


def _assumed(action: Action, at: Seconds) -> Event:
    labels = {"key": action.key, "ok": "true", "incident": action.incident, "detail": "assumed"}
    return Event("outcome", action.key, at, labels, "assumed ok: a replay performs nothing")


def _over(r: Replay, step: Step) -> Iterator[Signal]:
    """Yield the signals that ended; the others are kept until they do."""
    for signal in step.signals:
        r.counted["signal"] += signal.id not in r.burning
        if signal.ended is None:
            r.burning[signal.id] = signal
        else:
            r.burning.pop(signal.id, None)
            yield signal


def _summary(recording: Recording, found: list[Incident], counted: Counter[str]) -> dict[str, Any]:
    paged = [i for i in found if i.paged is not None]
    leads = sorted(i.lead for i in paged if i.lead is not None)
    signals = counted["signal"]
    return {
        "events": {k: n for k, n in sorted(recording.taken.items()) if n},
        "bad": dict(sorted(recording.bad.items())),
        "signals": signals,
        "incidents": len(found),
        "pages": len(paged),
        "actions": counted["action"],
        "lead_s": {q: leads[round(f * (len(leads) - 1))] for q, f in _QUANTILES} if leads else None,
        "compression": round(1 - len(found) / signals, 4) if signals else None,
    }


_QUANTILES = (("min", 0.0), ("p10", 0.1), ("p50", 0.5), ("p90", 0.9), ("max", 1.0))


def _signal(signal: Signal) -> dict[str, Any]:
    return {
        "id": signal.id,
        "kind": signal.kind,
        "service": signal.service,
        "series": signal.series,
        "labels": dict(sorted(signal.labels.items())),
        "detector": signal.detector,
        "since": signal.since,
        "at": signal.at,
        "ended": signal.ended,
        "surprise": signal.surprise,
        "observed": signal.observed,
        "expected": signal.expected,
        "page": signal.page,
        "reason": signal.reason,
        "samples": signal.samples,
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "key": action.key,
        "incident": action.incident,
        "at": action.at,
        "kind": action.kind,
        "do": action.do,
        "args": action.args,
        "what": action.what,
    }


def _line(value: dict[str, Any]) -> bytes:
    """Return one line of JSON; numbers that are not known are null."""
    return orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY)
