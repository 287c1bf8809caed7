"""Verdicts, rungs and outcomes to notifications: who is told what, and what follows when nobody hears."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline import oncall
from pipeline.respond.desk import Desk, Notes
from pipeline.respond.heal import HELD
from pipeline.respond.notices import healing, notice
from pipeline.respond.roll import CHANNEL, Call
from pipeline.respond.template import spell
from pipeline.types import Action, Event, Incident, Reason, State, Verdict

TIMEOUT = 30.0
NONE = Call()


def tell(desk: Desk, incident: Incident, verdict: Verdict | None, asks: bool) -> None:
    """Tell whom the verdict says, then climb the escalation where its clock has run out."""
    _wind(desk, incident, verdict)
    notes = desk.state.notes.get(incident.id)
    if verdict is not None and verdict.act:
        _page(desk, incident, verdict)
    elif asks:
        who = _told(desk, incident)
        _send(desk, incident, who, "approval wanted", "A playbook may heal this, and needs your yes.")
    if notes is not None and notes.mishap:
        _send(desk, incident, _told(desk, incident), "playbook failed", notes.mishap)
        notes.mishap = ""
    if incident.paged is None:
        return
    if verdict is None or verdict.reason not in HELD:
        _escalate(desk, incident)
    _promises(desk, incident)


def hear(desk: Desk, outcome: Event) -> None:
    """Take the outcome of a notification; where every channel failed, the next rung is climbed at once."""
    incident, key = outcome.labels.get("incident", ""), outcome.labels.get("key", "")
    notes = desk.state.notes.get(incident)
    number = notes.pending.pop(key, None) if notes else None
    if notes is None or number is None:
        return
    if outcome.labels.get("ok") == "true":
        notes.reached.add(number)
    else:
        name, do = key.split("/")[-2:]
        desk.say(incident, f"Could not tell {name} by {do}: {outcome.labels.get('detail', '')}")
    if number not in notes.pending.values():
        notes.unreached = number not in notes.reached
        notes.reached.discard(number)


def _wind(desk: Desk, incident: Incident, verdict: Verdict | None) -> None:
    """Start or stop the clock of the escalation."""
    told = verdict is not None and verdict.act
    notes = desk.notes(incident) if told else desk.state.notes.get(incident.id)
    if notes is None:
        return
    since = oncall.clock(incident, notes.since, told, desk.now)
    if notes.since is None and since is not None:
        notes.climbed = 0
    notes.since = since


def _page(desk: Desk, incident: Incident, verdict: Verdict) -> None:
    who = _told(desk, incident)
    if not who:
        if verdict.reason is Reason.NEW:
            desk.say(incident.id, "Nobody is told: response.receiver names no receiver")
        return
    _send(desk, incident, who, verdict.reason.value, verdict.because)


def _escalate(desk: Desk, incident: Incident) -> None:
    notes = desk.notes(incident)
    if notes.unreached and notes.since is not None:
        notes.unreached = False
        _climb(desk, incident, notes, "Who was to be told could not be reached.")
    for rung in oncall.due(desk.response.escalation, notes.since, notes.climbed, desk.now):
        _climb(desk, incident, notes, f"Nobody acknowledged within {spell(rung.after)} of the page.")


def _climb(desk: Desk, incident: Incident, notes: Notes, because: str) -> None:
    if notes.climbed >= len(desk.response.escalation):
        desk.say(incident.id, f"{because} There is no further receiver to escalate to")
        return
    rung = desk.response.escalation[notes.climbed]
    notes.climbed += 1
    desk.say(incident.id, f"Escalated to {rung.receiver}: {because}")
    _send(desk, incident, (rung.receiver,), "escalated", because)


def _promises(desk: Desk, incident: Incident) -> None:
    """Say once in the timeline that a promised time has passed."""
    if not desk.response.targets or incident.state is State.RESOLVED:
        return
    notes = desk.notes(incident)
    for what, span in oncall.missed(desk.response.targets, incident, desk.now):
        if what not in notes.missed:
            notes.missed = (*notes.missed, what)
            desk.say(incident.id, f"Target missed: {incident.priority} is to be {what}d within {spell(span)}")


def _told(desk: Desk, incident: Incident) -> tuple[str, ...]:
    """Return who knows of the incident; who is told first where nobody does yet."""
    first = (desk.response.receiver,) if desk.response.receiver else ()
    return desk.notes(incident).receivers or first


def _send(desk: Desk, incident: Incident, who: tuple[str, ...], reason: str, because: str) -> None:
    """Put one notification for each channel of each receiver on its way."""
    notes = desk.notes(incident)
    told = [r for r in desk.response.receivers if r.name in who]
    call = NONE
    if any(via.do == CHANNEL for r in told for via in r.via):
        call = desk.roll.page(incident)
        notes.called = desk.now
        if notes.first_called is None:
            notes.first_called = desk.now
        notes.listed += call.listed - call.ended
    for receiver in told:
        notes.told += 1
        if receiver.name not in notes.receivers:
            notes.receivers = (*notes.receivers, receiver.name)
        for k, via in enumerate(receiver.via):
            listed = call if via.do == CHANNEL else NONE
            args = listing(desk, incident, receiver.name, reason, because, listed)
            key = f"{incident.id}/told/{notes.told}.{k}/{receiver.name}/{via.do}"
            notes.pending[key] = notes.told
            what = f"Tell {receiver.name} by {via.do}: {reason}"
            desk.actions.append(
                Action(key, incident.id, "notify", via.do, {**args, "via": k}, what, desk.now, TIMEOUT)
            )
        desk.say(
            incident.id, f"Telling {receiver.name} by {' and '.join(v.do for v in receiver.via)}: {reason}"
        )


def listing(
    desk: Desk, incident: Incident, receiver: str, reason: str, because: str, call: Call
) -> dict[str, Any]:
    """Return what is recorded of a notification: the words and the receiver's name, none of its secrets."""
    notes = desk.notes(incident)
    at_work = [u for u in desk.state.runs.values() if u.run.incident == incident.id]
    coming = oncall.upcoming(desk.response.escalation, notes.since, notes.climbed)
    heals = healing(at_work, notes.ended.values())
    told = notice(incident, reason, because, receiver, heals, coming, desk.now)
    told = msgspec.structs.replace(told, alerts=call.alerts, more_alerts=call.unlisted)
    return {"receiver": receiver, "notice": msgspec.to_builtins(told)}
