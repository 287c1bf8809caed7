"""The REST API: the store as JSON, commands in; documented in the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from pipeline.console.ask import TAKES, Submit, about, ask, command
from pipeline.console.pages import MAX_OPEN, Pages, silences
from pipeline.describe import describe
from pipeline.silence import conditions, covered, touched
from pipeline.types import Event, Incident, Seconds

MAX_LIMIT = 1_000


class Api:
    def __init__(self, pages: Pages, submit: Submit, longest: Callable[[], Seconds]) -> None:
        self.pages = pages
        self.longest = longest
        self.store = pages.store
        self.submit = submit

    async def incidents(self, request: Request) -> Response:
        state, limit = request.query_params.get("state", ""), request.query_params.get("limit", "200")
        if not limit.isdigit() or not 0 < int(limit) <= MAX_LIMIT:
            return said_no(f"limit: expected 1 to {MAX_LIMIT}", 400)
        found = await self.store.incidents(open_only=state == "open", limit=int(limit))
        return said_json([whole(i) for i in found])

    async def incident(self, request: Request) -> Response:
        found = await self.store.incident(request.path_params["id"])
        if found is None:
            return said_no("no such incident", 404)
        verdicts = await self.store.verdicts(found.id)
        more = {
            "runs": await self.store.runs(found.id),
            "verdicts": [
                {"at": at, "act": v.act, "reason": v.reason, "by": v.by, "because": v.because}
                for at, v in verdicts
            ],
            "actions": [
                {
                    "key": a.key,
                    "kind": a.kind,
                    "do": a.do,
                    "what": a.what,
                    "at": a.at,
                    "state": state,
                    "outcome": o,
                }
                for a, state, o in await self.store.actions(found.id)
            ],
        }
        return said_json(whole(found) | more)

    async def answer(self, do: str, request: Request) -> Response:
        """Take what a program says of one incident: one of ANSWERS, with the fields that TAKES names."""
        return await self._asked(request, {"do": do, "incident": request.path_params["id"]})

    async def silences(self, request: Request) -> Response:
        asked = await self.pages.store.commands(0.0)
        return said_json([_silence(s) for s in silences(asked, self.pages.clock())])

    async def silence(self, request: Request) -> Response:
        return await self._asked(request, {"do": "silence"})

    async def preview(self, request: Request) -> Response:
        """Answer what a silence would mute now; nothing is silenced."""
        fields = await fields_of(request)
        if fields is None:
            return said_no("expected a JSON object", 400)
        asked = {name: value for name, value in fields.items() if name in TAKES["silence"] and value}
        try:
            written = [str(m) for m in conditions(asked)]
            known = await self.store.incidents(open_only=True, limit=MAX_OPEN)
            muted, partly = covered(asked, known), touched(asked, known)
        except ValueError as error:
            return said_no(str(error), 400)
        shown = {"incidents": [whole(i) for i in muted], "partly": [whole(i) for i in partly]}
        return said_json({"matchers": written, **shown})

    async def board(self, request: Request) -> Response:
        words = await self.pages.board(request)
        if words is None:
            return said_no("no such customer", 404)
        rows = [
            {"service": words["titles"][s.service], "state": s.state, "since": s.since, "heard_at": s.heard}
            for s in words["services"]
        ]
        return said_json({"customer": words["customer"], "at": words["now"], "services": rows})

    async def press(self, request: Request) -> Response:
        """Take a button of the console: a form in, back to the page it came from."""
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        try:
            event = command(fields, self.pages.clock(), self.longest())
        except ValueError as error:
            return said_no(str(error), 400)
        known = await self._about(event)
        if isinstance(known, str):
            return said_no(known, 404)
        await ask(known, self.submit)
        back = fields.get("back", "/")
        safe = back if back.startswith("/") and not back.startswith(("//", "/\\")) else "/"
        return RedirectResponse(safe, 303)

    async def _asked(self, request: Request, fixed: dict[str, str]) -> Response:
        fields = await fields_of(request)
        if fields is None:
            return said_no("expected a JSON object", 400)
        try:
            event = command(fields | fixed, self.pages.clock(), self.longest())
        except ValueError as error:
            return said_no(str(error), 400)
        known = await self._about(event)
        if isinstance(known, str):
            return said_no(known, 404)
        await ask(known, self.submit)
        return said_json({"id": known.id, **known.labels, "until": known.until}, 202)

    async def _about(self, event: Event) -> Event | str:
        """Return the command with all that it speaks of, or in words what of that there is not."""
        said = event.labels
        if "complaint" in said:
            return event if await self.store.case(said["complaint"]) else "no such complaint"
        if "incident" not in said:
            return event
        incident = await self.store.incident(said["incident"])
        if incident is None:
            return "no such incident"
        if "into" in said and await self.store.incident(said["into"]) is None:
            return f"into: no such incident: {said['into']}"
        if "out" in said and said["out"] not in (*incident.services, *(s.service for s in incident.signals)):
            part = await self.store.incident(said["out"])
            if part is None or part.by != incident.id:
                return f"out: {said['out']} is no service of this incident, and was not merged into it"
        return about(event, incident)


def whole(incident: Incident) -> dict[str, Any]:
    """Return an incident as the API answers it: as replay writes it, and how it stands."""
    return describe(incident) | {
        "state": incident.state,
        "by": incident.by,
        "updated_at": incident.updated,
        "acknowledged_at": incident.acknowledged,
        "quiet_since": incident.quiet,
    }


async def fields_of(request: Request) -> dict[str, str] | None:
    """Return the fields of a JSON object; None where the body is none."""
    try:
        found = orjson.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return {k: str(v) for k, v in found.items()} if isinstance(found, dict) else None


def _silence(event: Event) -> dict[str, Any]:
    known = {k: v for k, v in event.labels.items() if k != "do"}
    return {"id": event.id, "at": event.time, "until": event.until, **known}


def said_json(value: Any, code: int = 200) -> Response:
    return Response(orjson.dumps(value), code, media_type="application/json")


def said_no(why: str, code: int) -> Response:
    return PlainTextResponse(why + "\n", code)
