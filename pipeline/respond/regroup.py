"""News of the alerts of incidents that have paged to further calls of the webhooks that heard of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.respond.desk import Desk
from pipeline.respond.heal import HELD
from pipeline.respond.roll import CHANNEL, Call
from pipeline.respond.tell import TIMEOUT, listing
from pipeline.types import Action, Incident, Seconds, State, Verdict

MAX_CALLS = 2  # in one step, 3 ms each
SOON: Seconds = 1.0  # between two calls about one incident, however many alerts join it


def list_news(desk: Desk, incidents: Sequence[Incident], verdicts: Mapping[str, Verdict]) -> None:
    """List what joined or left an incident since its webhooks were called, where it is time to.

    A step lists no more than MAX_CALLS do; the steps that follow list the rest.
    """
    calling = desk.state.calling
    for incident in incidents:
        if incident.state is State.RESOLVED:
            calling.pop(incident.id, None)
            desk.roll.forget(incident)
    if desk.roll.due(desk.now):
        heard = [i for i in incidents if i.id not in calling and _may_hear(desk, i, verdicts.get(i.id))]
        # To find whose the news is takes 0.5 us a signal: it is not asked where nobody would be told.
        news = desk.roll.news(i for i in heard if _due(desk, i.id, desk.roll.alerts.untold.count))
        for id, signals in news.items():
            if _due(desk, id, desk.roll.count(signals)):
                calling[id] = signals[::-1]
    for _ in range(MAX_CALLS):
        if not calling:
            return
        id, signals = next(iter(calling.items()))
        found = desk.incidents.get(id) or desk.roll.correlate.incidents.get(id)
        if found is not None:
            _call(desk, found, desk.roll.call(found, signals))
        if found is None or not signals:
            del calling[id]


def _may_hear(desk: Desk, incident: Incident, verdict: Verdict | None) -> bool:
    """Say whether anybody was called about it, and it is not silent now."""
    if incident.state is State.RESOLVED or (verdict is not None and verdict.reason in HELD):
        return False
    notes = desk.state.notes.get(incident.id)
    return notes is not None and notes.called is not None


def _due(desk: Desk, id: str, began: int) -> bool:
    """Say whether an incident's webhooks are to be called where so many alerts have joined it."""
    notes = desk.state.notes[id]
    called = notes.called or 0.0
    waited = desk.now - called
    # Of a storm all is told soon after it has ended, by nine calls in the first five minutes at most.
    young = max(SOON, called - (notes.first_called or 0.0))
    return waited >= min(young, desk.roll.interval) or (waited >= SOON and began >= max(1, notes.listed))


def _call(desk: Desk, incident: Incident, call: Call) -> None:
    """Put a call of each webhook that knows of the incident on its way."""
    if not call.listed:
        return
    notes = desk.notes(incident)
    notes.called = desk.now
    notes.listed += call.listed - call.ended
    began = call.listed - call.ended
    reason = "new alerts added" if began else "some alerts resolved"
    more = f"{began} more alert{'s' * (began != 1)} of this incident fire{'s' * (began == 1)}"
    because = f"{more}, {call.ended} {'is' if call.ended == 1 else 'are'} over"
    for receiver in desk.response.receivers:
        if receiver.name not in notes.receivers:
            continue
        notes.told += 1
        args = listing(desk, incident, receiver.name, reason, because, call)
        for k, via in enumerate(receiver.via):
            if via.do == CHANNEL:
                key = f"{incident.id}/told/{notes.told}.{k}/{receiver.name}/{via.do}"
                what = f"List {call.listed} alert{'s' * (call.listed > 1)} to {receiver.name}"
                told = Action(key, incident.id, "notify", via.do, {**args, "via": k}, what, desk.now, TIMEOUT)
                desk.actions.append(told)
