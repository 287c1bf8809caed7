"""Playbook runs, one step at a time: the word that came back decides what goes out next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec

from pipeline.respond.playbook import Playbook, PlaybookStep, Undo, Wait, span_hook
from pipeline.respond.template import fill, say, spell
from pipeline.types import Action, Entry, Event, Incident, Run, Seconds, State

# An outcome is late by this much past its step's timeout before it is given up: it travels by the journal.
GRACE = 60.0
ENDED = {"done", "failed", "undone", "stopped", "dry run"}


@dataclass(frozen=True, slots=True)
class Underway:
    """A run and all it needs to go on.

    It keeps the playbook by value: what was approved is what runs, whatever the file says by now.
    """

    run: Run
    playbook: Playbook
    fields: Mapping[str, str]
    since: Seconds  # when the step it stands at began
    due: str = ""  # key of the action whose outcome it waits for
    begun: tuple[int, ...] = ()  # steps that may have had an effect and are not undone
    why: str = ""  # it failed
    undid: bool = False
    broken: bool = False  # something could not be undone


Move: TypeAlias = tuple[Underway, tuple[Action, ...]]


def begin(book: Playbook, fields: Mapping[str, str], ask: bool, now: Seconds) -> Move:
    """Open a run: at its first step, or at the question whether it may."""
    incident = fields["incident"]
    run = Run(f"{incident}/{book.name}", incident, book.name, "running", 0, now, now)
    u = Underway(run, book, fields, now)
    if not ask:
        return _go(_say(u, "started by itself", now), 0, now)
    until = spell(book.approval.expires)
    return _stand(_say(u, f"waits for approval, {until} at most", now), "wants approval", now), ()


def rehearse(book: Playbook, fields: Mapping[str, str], now: Seconds) -> Underway:
    """Return the ended run of a playbook that only shows what it would do."""
    u, _ = begin(book, fields, True, now)
    said = tuple(Entry(now, f"would: {what}") for what in steps(book, fields))
    return replace(u, run=replace(u.run, state="dry run", said=said))


def approve(u: Underway, by: str, now: Seconds) -> Move:
    return _go(_say(u, f"approved by {by}", now), 0, now)


def stop(u: Underway, why: str, now: Seconds) -> Underway:
    return _stand(_say(u, f"stopped: {why}", now), "stopped", now)


def hear(u: Underway, outcome: Event, now: Seconds) -> Move:
    """Take the outcome of the step it waits for."""
    ok = outcome.labels.get("ok") == "true"
    detail = outcome.labels.get("detail", "") or ("done" if ok else "failed")
    return _heard(replace(u, due=""), ok, detail, outcome.labels.get("effect") == "none", now)


def look(u: Underway, incident: Incident | None, now: Seconds) -> Move:
    """Let time pass: waits end or run out, outcomes and approvals that never came are given up.

    `incident` is None in a frame that does not bring it; open ones come once a second at least.
    """
    if u.run.state == "wants approval":
        if incident is not None and incident.state is State.RESOLVED:
            return stop(u, "it was over before anybody approved", now), ()
        if now - u.run.started >= u.playbook.approval.expires:
            return stop(u, f"nobody approved within {spell(u.playbook.approval.expires)}", now), ()
        return u, ()
    if u.due:
        late = now - u.since > _at(u).timeout + GRACE
        return _heard(replace(u, due=""), False, "no word came back of it", False, now) if late else (u, ())
    if u.run.state == "waiting":
        return _look(u, incident, now)
    return u, ()


def steps(book: Playbook, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return what the playbook does, a sentence a step."""
    last = (f"Verify: {_until(book.verify, fields)}",) if book.verify else ()
    return (*(say(s.what, fields) for s in book.steps), *last)


def _go(u: Underway, k: int, now: Seconds) -> Move:
    """Enter step k; past the last one comes the verification, past that the end."""
    u = replace(u, run=replace(u.run, step=k), since=now)
    if k >= len(u.playbook.steps):
        if u.playbook.verify is None or k > len(u.playbook.steps):
            return _stand(_say(u, "done", now), "done", now), ()
        return _stand(_say(u, f"verifies: {_until(u.playbook.verify, u.fields)}", now), "waiting", now), ()
    step = u.playbook.steps[k]
    if step.do == "wait":
        return _stand(_say(u, f"waits: {say(step.what, u.fields)}", now), "waiting", now), ()
    try:
        action = _action(u, step, "step", f"{u.run.id}/{k}", now)
    except ValueError as error:
        return _fail(u, f"{say(step.what, u.fields)}: {error}", now)
    return _stand(replace(u, due=action.key, begun=(*u.begun, k)), "running", now), (action,)


def _heard(u: Underway, ok: bool, detail: str, effectless: bool, now: Seconds) -> Move:
    what = say(_at(u).what, u.fields).rstrip(".")
    if u.run.state == "undoing":
        u = _say(u, f"undo: {what}: {detail}", now)
        return _undo(replace(u, undid=u.undid or ok, broken=u.broken or not ok), now)
    if ok:
        return _go(_say(u, f"{what}: {detail}", now), u.run.step + 1, now)
    if effectless:
        u = replace(u, begun=u.begun[:-1])
    return _fail(u, f"{what}: {detail}", now)


def _look(u: Underway, incident: Incident | None, now: Seconds) -> Move:
    wait = _wait(u)
    if incident is None:
        gone = now - u.since > wait.within + GRACE
        return (stop(u, "its incident is no longer kept", now) if gone else u), ()
    on, calm = _calm(wait, incident, u.fields["service"])
    over = incident.state is State.RESOLVED
    if over and on:
        return stop(u, f"its incident was closed while {on[0]} was still on", now), ()
    if not on and (over or now - max(calm, u.since) >= wait.hold):
        return _go(_say(u, "calm again", now), u.run.step + 1, now)
    if now - u.since >= wait.within:
        still = f"{len(on)} still on, first {on[0]}" if on else f"not calm for {spell(wait.hold)} yet"
        return _fail(u, f"not back within {spell(wait.within)}: {still}", now)
    return u, ()


def _calm(wait: Wait, incident: Incident, service: str) -> tuple[tuple[str, ...], Seconds]:
    """Return the series of the signals still on, and when the last of them ended.

    Where some could page by themselves, evidence beside them does not count: it may stay on for long.
    """
    asked = [s for s in incident.signals if s.kind != "complaint"]
    own = [s for s in asked if s.service == service] if wait.of == "service" else asked
    asked = own or asked
    asked = [s for s in asked if s.page] or asked
    on = tuple(s.series for s in asked if s.ended is None)
    return on, max((s.ended for s in asked if s.ended is not None), default=0.0)


def _fail(u: Underway, why: str, now: Seconds) -> Move:
    return _undo(_say(replace(u, why=why), f"failed: {why}", now), now)


def _undo(u: Underway, now: Seconds) -> Move:
    """Undo the last step that may have had an effect, then wait for its outcome before the one before."""
    while u.begun:
        k = u.begun[-1]
        u = replace(u, begun=u.begun[:-1], run=replace(u.run, step=k), since=now)
        undo = u.playbook.steps[k].undo
        if undo is None:
            u = replace(_say(u, f"cannot undo step {k + 1}: the playbook declares no undo", now), broken=True)
        elif undo.do == "nothing":
            u = _say(u, f"nothing to undo of step {k + 1}: {say(undo.what, u.fields)}", now)
        else:
            try:
                action = _action(u, undo, "undo", f"{u.run.id}/{k}/undo", now)
            except ValueError as error:
                u = replace(_say(u, f"cannot undo step {k + 1}: {error}", now), broken=True)
                continue
            return _stand(replace(u, due=action.key), "undoing", now), (action,)
    if u.undid and not u.broken:
        return _stand(_say(u, "everything it did is undone", now), "undone", now), ()
    return _stand(u, "failed", now), ()


def _action(u: Underway, step: PlaybookStep | Undo, kind: str, key: str, now: Seconds) -> Action:
    """Return a step as an action; raises ValueError where a field's value may not stand in its place."""
    args = fill(step.args, u.fields)
    return Action(
        key, u.run.incident, kind, step.do, args, say(step.what, u.fields), now, float(step.timeout)
    )


def _at(u: Underway) -> PlaybookStep | Undo:
    """Return the step it stands at, or that step's undo."""
    step = u.playbook.steps[u.run.step]
    return step.undo if u.run.state == "undoing" and step.undo else step


def _wait(u: Underway) -> Wait:
    """Return what it waits for: a `wait` step's args, or past the last step the verification."""
    if u.run.step < len(u.playbook.steps):
        return msgspec.convert(u.playbook.steps[u.run.step].args, Wait, dec_hook=span_hook)
    return u.playbook.verify or Wait()


def _until(wait: Wait, fields: Mapping[str, str]) -> str:
    of = fields["service"] if wait.of == "service" else "the incident"
    hold = f" and stay so for {spell(wait.hold)}" if wait.hold else ""
    return f"the signals of {of} must end within {spell(wait.within)}{hold}"


def _say(u: Underway, what: str, now: Seconds) -> Underway:
    return replace(u, run=replace(u.run, updated=now, said=(*u.run.said, Entry(now, what))))


def _stand(u: Underway, state: str, now: Seconds) -> Underway:
    return replace(u, run=replace(u.run, state=state, updated=now))
