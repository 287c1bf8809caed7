"""Which playbooks may start on an incident now, and why the others may not."""

from __future__ import annotations

from pipeline.respond import runs
from pipeline.respond.desk import HOUR, MAX_RUNS, Desk, Notes, Start
from pipeline.respond.match import fit
from pipeline.respond.playbook import Playbook
from pipeline.respond.runs import Underway
from pipeline.respond.template import spell
from pipeline.types import Incident, Reason, State, Verdict

# Somebody or something has said that this incident is not to be acted on now.
HELD = {
    *(Reason.SILENCED, Reason.INHIBITED, Reason.MAINTENANCE, Reason.MUTED),
    *(Reason.FLAPPING, Reason.TRANSIENT),
}


def heal(desk: Desk, incident: Incident, verdict: Verdict | None) -> bool:
    """Start the playbook that fits, if one may; say whether one now asks for approval."""
    if not desk.response.playbooks or incident.state is State.RESOLVED:
        return False
    if verdict is not None and verdict.reason in HELD:
        return False
    asks = False
    for book in desk.response.playbooks:
        asks |= _consider(desk, incident, book)
    return asks


def refusal(desk: Desk, book: Playbook, service: str) -> str:
    """Return why a playbook may not act on this service now; "" where it may."""
    state, now = desk.state, desk.now
    if state.stopped:
        return f"{state.stopped} stopped all playbooks"
    recent = [s for s in state.starts if s.playbook == book.name]
    last = max((s.at for s in recent if s.service == service), default=None)
    if last is not None and book.cooldown is not None and now - last < book.cooldown:
        return f"it ran on {service} {spell(now - last)} ago, its cooldown is {spell(book.cooldown)}"
    if book.blast_radius is None:
        return ""
    hour = [s for s in recent if now - s.at < HOUR]
    touched = {s.service for s in hour} | {service}
    if len(hour) >= book.blast_radius.runs_per_hour:
        most = book.blast_radius.runs_per_hour
        return f"it ran {len(hour)} times within the hour, its blast radius allows {most}"
    if len(touched) > book.blast_radius.services:
        return (
            f"{service} would be service {len(touched)} that it touches within the hour, "
            f"its blast radius allows {book.blast_radius.services}"
        )
    return ""


def started(desk: Desk, u: Underway) -> None:
    """Remember that a run began to act, for cooldowns and blast radius."""
    keep = max([HOUR, *(b.cooldown for b in desk.response.playbooks if b.cooldown is not None)])
    recent = (s for s in desk.state.starts if desk.now - s.at < keep)
    desk.state.starts = (*recent, Start(desk.now, u.playbook.name, u.fields["service"]))


def _consider(desk: Desk, incident: Incident, book: Playbook) -> bool:
    """Start one playbook on one incident where it fits and may; say whether it now asks for approval."""
    known = desk.state.notes.get(incident.id)
    if known is not None and _over(known, book):
        return False
    if f"{incident.id}/{book.name}" in desk.state.runs:
        return False
    fields = fit(book, incident)
    if fields is None:
        return False
    notes = desk.notes(incident)
    if book.mode == "dry_run":
        desk.take((runs.rehearse(book, fields, desk.now), ()))
        return False
    why = _busy(desk, incident, fields["service"]) or refusal(desk, book, fields["service"])
    if why:
        if notes.refused.get(book.name) is None:
            desk.say(incident.id, f"Playbook {book.name}: does not start: {why}")
        notes.refused[book.name] = why
        return False
    # Who has acknowledged is at work on it already: ask before reaching into their hands.
    ask = book.mode == "approve" or incident.state is State.ACKNOWLEDGED
    move = runs.begin(book, fields, ask, desk.now)
    if not ask:
        started(desk, move[0])
    desk.take(move)
    return ask


def _over(notes: Notes, book: Playbook) -> bool:
    return book.name in notes.ended or any(r.state == "done" for r in notes.ended.values())


def _busy(desk: Desk, incident: Incident, service: str) -> str:
    """Return which other run stands in the way; one at a time, on an incident and on a service."""
    for u in desk.state.runs.values():
        if u.run.incident == incident.id:
            return f"{u.run.playbook} comes first"
        if u.fields["service"] == service:
            return f"{u.run.playbook} is at work on {service} for {u.run.incident}"
    if len(desk.state.runs) >= MAX_RUNS:
        desk.state.dropped["runs"] += 1
        return f"{MAX_RUNS} playbooks are under way already"
    return ""
