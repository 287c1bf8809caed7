"""What a person asks for, as a command frame: the console itself changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

from pipeline import frame
from pipeline.console.reply import WORDS, word
from pipeline.frame import Frame
from pipeline.matchers import MAX_TEXT
from pipeline.redact import redact
from pipeline.silence import conditions
from pipeline.types import Event, Incident, Seconds
from pipeline.units import span

Submit: TypeAlias = Callable[[Frame], Awaitable[object]]

MAX_NAME = 80
MAX_SILENCE = 30 * 86400.0
OWNED = 86400.0  # s; who silences more than one incident for longer must say by whom
LEAST_IDLE = 60.0  # s
# Characters of a field: a list of matchers that were cut would mute something else.
MOST = {"match": MAX_TEXT + 1}
# What each command speaks of. "stop" alone is the kill switch; with an incident and a playbook, one run.
TAKES: Mapping[str, tuple[str, ...]] = {
    "acknowledge": ("incident",),
    "resolve": ("incident",),
    "merge": ("incident", "into"),  # another open incident
    "split": ("incident", "out"),  # an incident that was merged into it, or a service
    "confirm": ("incident",),
    "noise": ("incident",),
    "unteach": ("incident",),
    "silence": ("incident", "service", "match"),  # one of them is enough
    "unsilence": ("silence",),
    "approve": ("incident", "playbook"),
    "deny": ("incident", "playbook"),
    "stop": ("incident", "playbook"),
    "start": (),
    "alias": ("service", "alias"),
    "unalias": ("service", "alias"),
    "dismiss": ("service", "alias"),
}
# What may be said besides: the service that an incident's complaints were about, as a person knows.
BESIDES: Mapping[str, tuple[str, ...]] = {"resolve": ("service",), "confirm": ("service",)}
TEACH = ("confirm", "noise", "unteach")  # said of an incident's signals
MAX_SIGNALS = 100  # of one incident that a lesson is about
NAMED = ("approve", "deny")  # who let a playbook act must be readable afterwards


def command(asked: Mapping[str, str], now: Seconds, longest: Seconds = MAX_SILENCE) -> Event:
    """Turn the fields of a form or of JSON into a command event; raises ValueError that names the field.

    Fields: do, by, why, what TAKES says, and for a silence `seconds` or `until`, not after `longest`; it may
    end sooner, once what it covers is over (`ends`: "resolved") or once it has covered nothing for `idle`
    seconds. A word about a complaint has those of reply.word.
    """
    do = asked.get("do", "")
    if do in WORDS:
        return word(asked, _line(asked.get("by", ""), MAX_NAME) or "console", now)
    if do not in TAKES:
        raise ValueError(f'do: expected one of {", ".join((*TAKES, *WORDS))}, got "{do[:MAX_NAME]}"')
    given = {name: asked[name][: MOST.get(name, 200)] for name in TAKES[do] if asked.get(name)}
    if "alias" in given:
        given["alias"] = redact(given["alias"])
    if not _enough(do, len(given)):
        wanted = "incident or service or match" if do == "silence" else " and ".join(TAKES[do])
        raise ValueError(f"{do}: expected {wanted}, got {', '.join(given) or 'neither'}")
    if do in NAMED and not asked.get("by", "").strip():
        raise ValueError(f"by: say who you are, to {do}")
    besides = {name: asked[name][:200] for name in BESIDES.get(do, ()) if asked.get(name)}
    labels = {"do": do, "by": _line(asked.get("by", ""), MAX_NAME) or "console", **given, **besides}
    if why := _line(asked.get("why", ""), 500):
        labels["why"] = why
    until = None
    if do == "silence":
        conditions(given)
        labels |= _sooner(asked)
        timed = asked.get("seconds") or asked.get("until") or len(labels.keys() & {"ends", "idle"}) == 0
        until = _until(asked, now, longest) if timed else now + longest
        if until - now > OWNED and "incident" not in given and not asked.get("by", "").strip():
            raise ValueError(f"by: say who you are, to silence for more than {span(OWNED)}")
    return Event("command", f"cmd-{secrets.token_hex(8)}", now, labels, until=until)


def about(event: Event, incident: Incident) -> Event:
    """Return the command with the signals that it speaks of, where it is a lesson."""
    if event.labels["do"] not in TEACH:
        return event
    surges = [s.id for s in incident.signals if s.detector == "surge"]
    measured = [s.id for s in incident.signals if s.kind == "metric" and s.detector != "lost series"]
    signals = (surges + measured)[:MAX_SIGNALS]
    return replace(event, labels={**event.labels, "signals": ",".join(signals)})


def ask(event: Event, submit: Submit) -> Awaitable[object]:
    """Send the command the way everything enters: through the journal."""
    return submit(frame.events(event.time, "console", [event]))


def _enough(do: str, given: int) -> bool:
    if do == "silence":
        return given > 0
    if do == "stop":
        return given in (0, 2)
    return given == len(TAKES[do])


def _until(asked: Mapping[str, str], now: Seconds, longest: Seconds) -> Seconds:
    seconds, until = asked.get("seconds", ""), asked.get("until", "")
    try:
        end = now + float(seconds) if seconds else _moment(until)
    except ValueError:
        raise ValueError(
            "until: expected `seconds` from now, s since 1970, or 2026-11-22T15:00 UTC"
        ) from None
    if not now < end <= now + longest:
        raise ValueError(f"until: expected a time from now to {span(longest)} ahead")
    return end


def _sooner(asked: Mapping[str, str]) -> dict[str, str]:
    """Return what may end a silence before its time."""
    found = {}
    if ends := asked.get("ends", ""):
        if ends != "resolved":
            raise ValueError(f'ends: expected "resolved", got "{ends[:MAX_NAME]}"')
        found["ends"] = ends
    if idle := asked.get("idle", ""):
        seconds = float(idle) if idle.replace(".", "", 1).isdigit() else 0.0
        if not seconds >= LEAST_IDLE:
            raise ValueError(f'idle: expected seconds, {LEAST_IDLE:g} at least, got "{idle[:MAX_NAME]}"')
        found["idle"] = f"{seconds:g}"
    return found


def _moment(raw: str) -> Seconds:
    if "T" not in raw:
        return float(raw)
    found = datetime.fromisoformat(raw)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _line(raw: str, most: int) -> str:
    return "".join(c for c in raw if c.isprintable()).strip()[:most]
