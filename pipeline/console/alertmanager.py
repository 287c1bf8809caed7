"""Alertmanager's silences over HTTP, API v2, as amtool speaks it: the store out, commands in.

    GET    /api/v2/silences?filter=...   all that hold, wait for their time, or ended in the last five days
    POST   /api/v2/silences              a new one, or one changed, as amtool writes them
    GET    /api/v2/silence/ID
    DELETE /api/v2/silence/ID            ends it

Speaks the API of Alertmanager 0.25. A silence is asked for like anything else a person asks: it shows once
its command has been stepped, a moment after the answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from pipeline.clock import Clock
from pipeline.console.ask import MAX_NAME, Submit, ask
from pipeline.matchers import Matcher, Op, matchers
from pipeline.silence import Asked, conditions, history
from pipeline.store import Store
from pipeline.types import Event, Seconds
from pipeline.units import span

KEPT: Seconds = 120 * 3600.0  # Alertmanager's data.retention
# By isRegex and isEqual.
OPS = {
    (False, True): Op.EQUAL, (False, False): Op.DIFFERENT, (True, True): Op.MATCH, (True, False): Op.NO_MATCH,
}  # fmt: skip
MAX_COMMENT = 500  # characters
ORDER = ("active", "pending", "expired")


class Given(msgspec.Struct, rename="camel"):
    name: str
    value: str
    is_regex: bool
    is_equal: bool = True


class Posted(msgspec.Struct, rename="camel"):
    matchers: tuple[Given, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    id: str = ""


class Silencing:
    """No silence lasts for more than `longest`."""

    def __init__(self, store: Store, submit: Submit, clock: Clock, longest: Callable[[], Seconds]) -> None:
        self.store = store
        self.submit = submit
        self.clock = clock
        self.longest = longest

    async def list(self, request: Request) -> Response:
        now = self.clock()
        try:
            wanted = [m for text in request.query_params.getlist("filter") for m in matchers(text)]
        except ValueError as error:
            return refuse(400, f"bad filter: {error}")
        told = [_told(id, each, now) for id, each in (await self._known()).items()]
        found = [t for t in told if all(m({g["name"]: g["value"] for g in t["matchers"]}) for m in wanted)]
        return answer(sorted(found, key=lambda t: (ORDER.index(t["status"]["state"]), t["endsAt"], t["id"])))

    async def show(self, request: Request) -> Response:
        id = request.path_params["id"]
        found = (await self._known()).get(id)
        return answer(_told(id, found, self.clock())) if found else refuse(404, f"silence {id} not found")

    async def post(self, request: Request) -> Response:
        now, known = self.clock(), await self._known()
        try:
            posted = msgspec.json.decode(await request.body(), type=Posted)
            asked = _matchers(posted)
            until = _until(posted, now, self.longest())
        except ValueError as error:
            return refuse(400, str(error))
        before, id = known.get(posted.id), posted.id
        if id and before is None:
            return refuse(404, f"silence {id} not found")
        if before is None or _ended(before) <= now:
            id = ""
        elif set(conditions(before.silence.matchers)) != set(asked):
            await ask(_lift(id, now), self.submit)
            id = ""
        event = _command(posted, asked, now, until, id)
        await ask(event, self.submit)
        return answer({"silenceID": id or event.id})

    async def lift(self, request: Request) -> Response:
        id, now = request.path_params["id"], self.clock()
        found = (await self._known()).get(id)
        if found is None:
            return refuse(404, f"silence {id} not found")
        if _ended(found) <= now:
            return refuse(500, f"silence {id} already expired")
        await ask(_lift(id, now), self.submit)
        return Response(status_code=200)

    async def active(self) -> dict[str, Mapping[str, str]]:
        """Return what each silence that holds now asks for."""
        now = self.clock()
        known = (await self._known()).items()
        return {id: s.silence.matchers for id, s in known if s.silence.starts <= now < _ended(s)}

    async def _known(self) -> dict[str, Asked]:
        now = self.clock()
        known = history(await self.store.commands(now - max(KEPT, self.longest())))
        return {id: each for id, each in known.items() if _ended(each) > now - KEPT}


def _command(posted: Posted, asked: tuple[Matcher, ...], now: Seconds, until: Seconds, id: str) -> Event:
    """Return what asks for the silence; of an id where it changes one that is known."""
    labels = {"do": "silence", "by": posted.created_by[:MAX_NAME], "match": ", ".join(map(str, asked))}
    if posted.comment:
        labels["why"] = posted.comment[:MAX_COMMENT]
    if posted.starts_at.timestamp() > now:
        labels["starts"] = str(posted.starts_at.timestamp())
    if id:
        labels["silence"] = id
    return Event("command", str(uuid.uuid4()), now, labels, until=until)


def _lift(id: str, now: Seconds) -> Event:
    return Event("command", str(uuid.uuid4()), now, {"do": "unsilence", "by": "api", "silence": id})


def _matchers(posted: Posted) -> tuple[Matcher, ...]:
    """Return the matchers of a silence; ValueError says which is none, or that they ask nothing."""
    if not posted.created_by.strip():
        raise ValueError("createdBy in body is required")
    found = tuple(Matcher(m.name, OPS[m.is_regex, m.is_equal], m.value) for m in posted.matchers)
    conditions({"match": ", ".join(map(str, found))})
    return found


def _until(posted: Posted, now: Seconds, longest: Seconds) -> Seconds:
    starts, ends = posted.starts_at.timestamp(), posted.ends_at.timestamp()
    if ends <= now:
        raise ValueError("Failed to create silence: end time can't be in the past")
    if starts >= ends:
        raise ValueError("Failed to create silence: start time must be before end time")
    if ends > max(starts, now) + longest:
        raise ValueError(f"endsAt: no silence may last for more than {span(longest)}")
    return ends


def _ended(asked: Asked) -> Seconds:
    return asked.silence.until if asked.ended is None else asked.ended


def _told(id: str, asked: Asked, now: Seconds) -> dict[str, Any]:
    """Return a silence as Alertmanager tells it."""
    silence, ended = asked.silence, _ended(asked)
    state = "expired" if ended <= now else "pending" if silence.starts > now else "active"
    return {
        "id": id,
        "status": {"state": state},
        "updatedAt": iso(asked.event.time if asked.ended is None else asked.ended),
        "comment": silence.why,
        "createdBy": silence.by,
        "startsAt": iso(silence.starts),
        "endsAt": iso(ended),
        "matchers": [
            {
                "name": m.name,
                "value": m.value,
                "isRegex": m.op in (Op.MATCH, Op.NO_MATCH),
                "isEqual": m.op in (Op.EQUAL, Op.MATCH),
            }
            for m in conditions(silence.matchers)
        ],
    }


def iso(at: Seconds) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def answer(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def refuse(status: int, why: str) -> Response:
    """Return a refusal as Alertmanager does: a JSON string."""
    return Response(msgspec.json.encode(why), status, media_type="application/json")
