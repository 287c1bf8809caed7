"""Incidents to actions: who is told, which playbook fits, and its next step as plain data.

A playbook is one file of playbooks/:

    name: rollback-deploy
    what: Rolls a service back when it grows ill right after a deploy.
    when: {suspect: change, change: [deploy], service: payment|checkout}
    mode: auto                       # or approve (the default), or dry_run
    blast_radius: {services: 1, runs_per_hour: 2}
    cooldown: 30m
    steps:
      - do: http
        what: Roll {service} back behind {change}
        args:
          method: POST
          url: http://127.0.0.1:8500/services/{service}/rollback
          json: {change: "{change}", because: "{incident}"}
        undo:
          do: http
          what: Deploy {change} of {service} again
          args: {url: "http://127.0.0.1:8500/services/{service}/deploy", json: {change: "{change}"}}
    verify: {hold: 20s, within: 3m}  # the signals of {service} have ended, and stay so for 20 s

The fields are those of template.FIELDS. Steps go out one at a time; the next waits for the outcome of the
one before, which comes back as an event. What fails is undone, last step first, but for a step that was
refused outright: that one did nothing. A playbook runs at most once on an incident, and none follows one
that was done.

Who is told stands in forewarn.yaml:

    response:
      receivers:
        - name: oncall
          via: [{do: webhook, args: {url_file: /run/secrets/pager}}]
        - name: lead
          via: [{do: email, args: {to: [lead@example.org]}}]
      receiver: oncall
      escalation: [{after: 5m, receiver: lead}]
      targets: {P1: {acknowledge: 5m, resolve: 1h}}
      executables: [/usr/bin/systemctl]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.respond import commands, heal, tell
from pipeline.respond.desk import Desk
from pipeline.respond.desk import RespondState as RespondState
from pipeline.respond.playbook import Playbook as Playbook
from pipeline.respond.playbook import Receiver as Receiver
from pipeline.respond.playbook import Response as Response
from pipeline.respond.playbook import forbidden as forbidden
from pipeline.respond.regroup import list_news
from pipeline.respond.roll import Roll as Roll
from pipeline.respond.runs import look
from pipeline.types import Action, Event, Incident, Run, Seconds, Verdict


def respond(
    state: RespondState,
    incidents: Sequence[Incident],
    verdicts: Mapping[str, Verdict],
    events: Iterable[Event],
    response: Response,
    now: Seconds,
    roll: Roll | None = None,
) -> tuple[tuple[Incident, ...], tuple[Action, ...], tuple[Run, ...]]:
    """Return the incidents with what was done in their timelines, the new actions, the runs that changed.

    `roll` knows the alerts of incidents, which webhooks list.
    """
    desk = Desk(state, response, {i.id: i for i in incidents}, now, roll or Roll())
    for event in events:
        if event.kind == "command":
            commands.obey(desk, event)
        elif event.kind == "outcome":
            commands.hear(desk, event)
    for run in list(state.runs.values()):
        desk.take(look(run, desk.incidents.get(run.run.incident), now))
    for incident in incidents:
        verdict = verdicts.get(incident.id)
        asks = heal.heal(desk, incident, verdict)
        tell.tell(desk, incident, verdict, asks)
    list_news(desk, incidents, verdicts)
    return tuple(desk.told(i) for i in incidents), tuple(desk.actions), tuple(desk.runs.values())
