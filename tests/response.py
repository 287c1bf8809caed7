"""Incidents, playbooks and a stage to play them on: what the tests of the response share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from pipeline import config, snapshot
from pipeline.respond import Playbook, RespondState, Response, respond
from pipeline.types import (
    Action,
    Event,
    Incident,
    Reason,
    Run,
    Seconds,
    Signal,
    State,
    Suspect,
    Verdict,
)

ROLLBACK = """
name: rollback
when: {suspect: change, change: [deploy]}
mode: auto
blast_radius: {services: 1, runs_per_hour: 2}
cooldown: 30m
steps:
  - do: http
    what: Roll {service} back behind {change}
    args: {url: "http://deployer/{service}/rollback", json: {change: "{change}"}}
    undo:
      do: http
      what: Deploy {change} again
      args: {url: "http://deployer/{service}/deploy", json: {change: "{change}"}}
verify: {hold: 20s, within: 3m}
"""

ONCALL = """
receivers:
  - {name: oncall, via: [{do: webhook, args: {url: "http://pager/"}}]}
  - {name: lead, via: [{do: email, args: {to: [lead@example.org]}}, {do: webhook, args: {url: "http://lead/"}}]}
receiver: oncall
escalation: [{after: 5m, receiver: lead}]
"""


def book(text: str = ROLLBACK, **changes: Any) -> Playbook:
    return config.parse({**yaml.safe_load(text), **changes}, Playbook)


def answer(*books: Playbook, text: str = ONCALL) -> Response:
    found = config.parse(yaml.safe_load(text), Response)
    return Response(found.receivers, found.receiver, found.escalation, found.targets, (), books)


def signal(service: str = "payment", ended: Seconds | None = None, **changes: Any) -> Signal:
    known = Signal(
        f"s-{service}", "metric", service, f'latency{{service="{service}"}}', {"service": service},
        "seasonal", 95.0, 100.0, 12.0, 2.4, 0.2, True, f"{service} latency is 2.4 s, 0.2 s expected", ended,
    )  # fmt: skip
    return replace(known, **changes)


def incident(id: str = "payment-1", service: str = "payment", **changes: Any) -> Incident:
    deploy = Event("change", "d-42", 90.0, {"service": service, "kind": "deploy"}, "payment 1.9.0")
    known = Incident(
        id, 100.0, 100.0, f"{service} answers slowly", "P1", (service,), (signal(service),),
        suspects=(Suspect(service, 9.0, "deployed 5 s before the onset", "d-42"),),
        changes=(deploy,), first_signal=95.0,
    )  # fmt: skip
    return replace(known, **changes)


def over(at: Seconds) -> tuple[Signal, ...]:
    return (signal(ended=at),)


@dataclass
class Stage:
    """Plays frames to `respond`, and forgets nothing; every frame goes through a snapshot first."""

    response: Response
    incident: Incident = field(default_factory=incident)
    state: RespondState = field(default_factory=RespondState)
    actions: list[Action] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)

    def at(
        self, now: Seconds, *events: Event, verdict: Verdict | None = None, others: Iterable[Incident] = ()
    ) -> list[Action]:
        """Play one frame; return its actions."""
        self.state = snapshot.load(snapshot.dump(self.state))
        verdicts: Mapping[str, Verdict] = {self.incident.id: verdict} if verdict else {}
        given = (self.incident, *others)
        told, actions, runs = respond(self.state, given, verdicts, events, self.response, now)
        self.incident = told[0]
        self.actions += actions
        self.runs |= {r.id: r for r in runs}
        return list(actions)

    def page(self, now: Seconds = 100.0, *events: Event) -> list[Action]:
        """Play the frame in which `decide` pages for the incident."""
        self.incident = replace(self.incident, paged=now)
        return self.at(now, *events, verdict=Verdict(True, Reason.NEW, because="latency alone is enough"))

    def set(self, **changes: Any) -> None:
        self.incident = replace(self.incident, **changes)

    def resolve(self, now: Seconds) -> list[Action]:
        self.set(state=State.RESOLVED, resolved=now)
        return self.at(now, verdict=Verdict(True, Reason.RESOLVED, because="over after 60 s"))

    @property
    def told(self) -> list[str]:
        return [e.what for e in self.incident.timeline]

    def steps(self) -> list[str]:
        return [a.key.partition("/")[2] for a in self.actions if a.kind != "notify"]

    def pages(self) -> list[tuple[str, str]]:
        """Return receiver and reason of each notification."""
        return [(a.args["receiver"], a.args["notice"]["reason"]) for a in self.actions if a.kind == "notify"]

    def run(self) -> str:
        return next(iter(self.runs.values())).state if self.runs else ""


def outcome(action: Action | str, ok: bool = True, detail: str = "200 OK", effect: str = "") -> Event:
    key = action if isinstance(action, str) else action.key
    labels = {"key": key, "ok": str(ok).lower(), "incident": key.split("/")[0], "detail": detail}
    return Event("outcome", key, 0.0, {**labels, "effect": effect} if effect else labels)


def command(do: str, by: str = "ada", **more: str) -> Event:
    return Event("command", f"c-{do}", 0.0, {"do": do, "by": by, "incident": "payment-1", **more})
