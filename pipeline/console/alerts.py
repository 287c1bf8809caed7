"""Alerts over HTTP as Alertmanager's API v2 lists them, for Grafana and amtool: an incident is a group.

    GET /api/v2/alerts?filter=...&receiver=...   those that fire; active, silenced, inhibited: true or false
    GET /api/v2/alerts/groups                    the same, those of one incident together
    GET /api/v2/receivers
    GET /api/v2/status

Speaks the API of Alertmanager 0.25. An alert is updated when it began, as far as is known here, and
inhibited where all alerts of its name, service and severity are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from pipeline.console.alertmanager import Silencing, answer, iso, refuse
from pipeline.firing import Firing
from pipeline.matchers import Matcher, Op, matchers
from pipeline.series import fingerprint, fingerprints, unpack
from pipeline.silence import conditions
from pipeline.types import Seconds
from pipeline.untold import SOURCE

SPEAKS = "0.25.0"
NOBODY = "nobody"  # Alertmanager always has a receiver


async def nothing() -> tuple[Firing, ...]:
    return ()


class Alerting:
    """`firing` is asked for the alerts, `receiver` for who hears of them first."""

    def __init__(
        self,
        silencing: Silencing,
        started: Seconds,
        firing: Callable[[], Awaitable[Sequence[Firing]]],
        receiver: Callable[[], str],
    ) -> None:
        self.silencing = silencing
        self.firing = firing
        self.receiver = receiver
        self.started = started

    async def all(self, request: Request) -> Response:
        return await self._answer(request, lambda found: [alert for _, alert in found])

    async def groups(self, request: Request) -> Response:
        return await self._answer(request, _grouped)

    async def receivers(self, request: Request) -> Response:
        return answer([{"name": self._name()}])

    async def status(self, request: Request) -> Response:
        names = ("revision", "branch", "buildUser", "buildDate", "goVersion")
        return answer(
            {
                "cluster": {"name": "", "status": "disabled", "peers": []},
                "versionInfo": {"version": SPEAKS} | dict.fromkeys(names, "Forewarn"),
                "config": {"original": self._config()},
                "uptime": iso(self.started),
            }
        )

    def _name(self) -> str:
        return self.receiver() or NOBODY

    def _config(self) -> str:
        """Return what Alertmanager would have to be told to behave so, as far as it can."""
        name = msgspec.json.encode(self._name()).decode()
        return f"route:\n  receiver: {name}\n  group_by: [incident]\nreceivers:\n- name: {name}\n"

    async def _answer(self, request: Request, shape: Callable[[list[tuple[str, Any]]], Any]) -> Response:
        asked = request.query_params
        try:
            wanted = [m for text in asked.getlist("filter") for m in matchers(text)]
            hears = Matcher("receiver", Op.MATCH, asked.get("receiver") or ".*")
        except ValueError as error:
            return refuse(400, f"bad filter: {error}")
        shown = {what for what in ("active", "silenced", "inhibited") if asked.get(what, "true") != "false"}
        name = self._name()
        alerts = await self.firing() if hears({"receiver": name}) else ()
        silences = await self.silencing.active()
        # A hundred thousand alerts take seconds.
        return answer(await asyncio.to_thread(lambda: shape(_read(alerts, wanted, shown, silences, name))))


def _read(
    alerts: Sequence[Firing],
    wanted: Sequence[Matcher],
    shown: set[str],
    silences: Mapping[str, Mapping[str, str]],
    receiver: str,
) -> list[tuple[str, Any]]:
    """Return incident and alert of those that are asked for, by fingerprint."""
    rules = {id: conditions(asked) for id, asked in silences.items()}
    found = []
    for known, alert in sorted(zip(fingerprints([a.labels for a in alerts]), alerts, strict=True)):
        labels = unpack(alert.labels)
        if not all(matches(labels) for matches in wanted):
            continue
        silenced = [id for id, asked in rules.items() if all(matches(labels) for matches in asked)]
        inhibited = [fingerprint(alert.held)] if alert.held else []
        states = {"silenced"} if silenced else set()
        states |= {"inhibited"} if inhibited else set()
        if (states or {"active"}) <= shown:
            found.append((alert.incident, _told(alert, labels, known, receiver, silenced, inhibited)))
    return found


def _told(
    alert: Firing, labels: Mapping[str, str], known: str, receiver: str, silenced: Any, inhibited: Any
) -> dict[str, Any]:
    """Return an alert as Alertmanager tells it."""
    notes = msgspec.json.decode(alert.notes, type=dict[str, str])
    since, state = iso(alert.since), "suppressed" if silenced or inhibited else "active"
    return {
        "annotations": notes,
        "endsAt": iso(alert.ends),
        "fingerprint": known,
        "receivers": [{"name": receiver}],
        "startsAt": since,
        "status": {"inhibitedBy": inhibited, "silencedBy": silenced, "state": state},
        "updatedAt": since,
        "generatorURL": notes.pop(SOURCE, ""),
        "labels": labels,
    }


def _grouped(alerts: Iterable[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Return those of each incident together; those of none come first."""
    groups: dict[str, list[Any]] = {}
    for incident, alert in alerts:
        groups.setdefault(incident, []).append(alert)
    return [
        {
            "alerts": groups[id],
            "labels": {"incident": id} if id else {},
            "receiver": groups[id][0]["receivers"][0],
        }
        for id in sorted(groups)
    ]
