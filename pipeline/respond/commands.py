"""What people and finished actions say, to playbook runs that go on, stop or may begin."""

from __future__ import annotations

from pipeline.respond import runs, tell
from pipeline.respond.desk import Desk
from pipeline.respond.heal import refusal, started
from pipeline.respond.runs import Underway
from pipeline.types import Event, State


def obey(desk: Desk, event: Event) -> None:
    """Take one command; those that are not for playbooks are left to the other stages."""
    do, by = event.labels.get("do", ""), event.labels.get("by", "")
    if do == "stop" and event.labels.get("playbook"):
        _halt(desk, f"{event.labels.get('incident')}/{event.labels['playbook']}", by)
    elif do == "stop":
        desk.state.stopped = by or "somebody"
        for u in list(desk.state.runs.values()):
            desk.take((runs.stop(u, f"{desk.state.stopped} stopped all playbooks", desk.now), ()))
    elif do == "start":
        desk.state.stopped = ""
    elif do in {"approve", "deny"}:
        asked = _asked(desk, event)
        if asked is not None:
            _answer(desk, asked, do, by)
    elif do == "resolve":
        for u in [u for u in desk.state.runs.values() if u.run.incident == event.labels.get("incident")]:
            desk.take((runs.stop(u, f"{by or 'somebody'} resolved the incident", desk.now), ()))


def hear(desk: Desk, event: Event) -> None:
    """Take the outcome of an action, be it a step or a notification."""
    key = event.labels.get("key", "")
    for u in list(desk.state.runs.values()):
        if u.due == key:
            desk.take(runs.hear(u, event, desk.now))
            return
    tell.hear(desk, event)


def _halt(desk: Desk, run: str, by: str) -> None:
    """Stop one run; the others, and what may still start, are left alone."""
    for u in [u for u in desk.state.runs.values() if u.run.id == run]:
        desk.take((runs.stop(u, f"{by or 'somebody'} stopped it", desk.now), ()))


def _asked(desk: Desk, event: Event) -> Underway | None:
    """Return the run that the answer is for: the one named, or the one of that incident that asks."""
    incident, book = event.labels.get("incident", ""), event.labels.get("playbook", "")
    asking = [
        u
        for u in desk.state.runs.values()
        if u.run.incident == incident and u.run.state == "wants approval" and book in {"", u.run.playbook}
    ]
    if not asking and incident in desk.state.notes:
        desk.say(incident, f"Nothing here waits for approval: {event.labels.get('do')} had no effect")
    return asking[0] if asking else None


def _answer(desk: Desk, u: Underway, do: str, by: str) -> None:
    """Take a yes or a no. A yes counts from those who may give it, while it may still run."""
    allowed = u.playbook.approval.by
    incident = desk.incidents.get(u.run.incident)
    if not by or (allowed and by not in allowed):
        who = f"one of {', '.join(allowed)}" if allowed else "somebody with a name"
        desk.say(u.run.incident, f"Playbook {u.run.playbook}: {do} by {by or 'nobody'} not taken: ask {who}")
    elif do == "deny":
        desk.take((runs.stop(u, f"denied by {by}", desk.now), ()))
    elif incident is not None and incident.state is State.RESOLVED:
        desk.take((runs.stop(u, "it was over before the approval came", desk.now), ()))
    elif why := refusal(desk, u.playbook, u.fields["service"]):
        desk.say(u.run.incident, f"Playbook {u.run.playbook}: approved by {by}, but may not run: {why}")
    else:
        started(desk, u)
        desk.take(runs.approve(u, by, desk.now))
