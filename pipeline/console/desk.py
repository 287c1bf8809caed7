"""Complaints for the two who wait: the desk sees which promise breaks next, a customer how far it is."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.clock import Clock
from pipeline.complaints import Names
from pipeline.console.api import said_json, said_no
from pipeline.console.ask import Submit, ask
from pipeline.console.live import Words
from pipeline.console.names import nobody
from pipeline.console.own import fits, texts, told
from pipeline.console.reply import WORDS, word
from pipeline.console.topics import surging
from pipeline.follow.obey import FITS
from pipeline.pseudonym import pseudonym
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Case, Complaint, Progress, Promise, Seconds

MAX_SHOWN = 200  # open complaints, those first whose promise breaks first
RECENT: Seconds = 30 * 86400.0


@dataclass(frozen=True, slots=True)
class Row:
    """An open complaint as the desk sees it; `clock` is "broken", "at risk", "on time" or "stands"."""

    case: Case
    complaint: Complaint | None
    promise: Promise | None
    clock: str

    @property
    def fits(self) -> list[str]:
        """Return what the desk may say of it now."""
        return [do for do, (_, whose) in WORDS.items() if whose == "desk" and self.case.progress in FITS[do]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Pages and API of complaints."""

    store: Store
    clock: Clock
    submit: Submit
    topology: Callable[[], Topology] = Topology
    names: Callable[[], Awaitable[Names]] = nobody

    async def page(self, request: Request) -> Words:
        now = self.clock()
        found = await self.store.cases(open_only=True, limit=MAX_SHOWN + 1)
        newest = await self.store.cases(limit=MAX_SHOWN)
        closed = [c for c in newest if c.progress is Progress.CLOSED][:12]
        text = await texts(self.store, [*found, *closed])
        rows = [Row(c, text.get(c.complaint), c.next, standing(c, now)) for c in found]
        scores = [c.score for c in newest if c.score and c.updated > now - RECENT]
        return {
            "title": "Desk",
            "now": now,
            "rows": rows[:MAX_SHOWN],
            "more": len(rows) > MAX_SHOWN,
            "emerging": [s for s in await surging(self.store) if s.state == "emerging"],
            "closed": [(c, text.get(c.complaint)) for c in closed],
            "counts": {
                clock: sum(r.clock == clock for r in rows) for clock in ("broken", "at risk", "stands")
            },
            "names": await self.names(),
            "services": sorted(self.topology().services),
            "scores": scores,
            "mean": sum(scores) / len(scores) if scores else math.nan,
        }

    async def show(self, request: Request) -> Response:
        """Answer with what the customer may know of one complaint."""
        case = await self.store.case(request.path_params["id"])
        return said_no("no such complaint", 404) if case is None else said_json(told(case, self.clock()))

    async def take(self, do: str, request: Request) -> Response:
        """Take what a program says of one complaint, for the desk or for the customer."""
        fields = await said(request)
        if fields is None:
            return said_no("expected a JSON object", 400)
        asked = fields | {"do": do, "complaint": request.path_params["id"]}
        asked.pop("incident", None)
        return await self._say(asked)

    async def hear(self, request: Request) -> Response:
        """Take a form of a customer's board: it speaks of that customer's complaints only."""
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        customer = pseudonym(request.path_params["customer"])
        case = await self.store.case(fields.get("complaint", ""))
        theirs = WORDS.get(fields.get("do", ""), (False, ""))[1] == "customer"
        if case is None or case.customer != customer or not theirs:
            return said_no("no such complaint of yours", 404)
        answer = await self._say({k: v for k, v in fields.items() if k != "incident"})
        return answer if answer.status_code >= 400 else RedirectResponse(f"/board/{quote(customer)}", 303)

    async def _say(self, asked: Mapping[str, str]) -> Response:
        try:
            event = word(asked, asked.get("by", "")[:80].strip() or "console", self.clock())
        except ValueError as error:
            return said_no(str(error), 400)
        case = await self.store.case(event.labels["complaint"])
        if case is None:
            return said_no("no such complaint", 404)
        if not fits(case, asked["do"], self.clock()):
            return said_no(f"{asked['do']}: not while it is {case.progress.value}", 409)
        await ask(event, self.submit)
        return said_json({"id": event.id, **event.labels}, 202)


def standing(case: Case, now: Seconds) -> str:
    """Say how the clock of its next promise stands."""
    promise = case.next
    if promise is None:
        return "stands"
    if promise.broken(now):
        return "broken"
    return "at risk" if promise.warn is not None and promise.warn <= now else "on time"


async def said(request: Request) -> dict[str, str] | None:
    try:
        fields = orjson.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return {k: str(v) for k, v in fields.items()} if isinstance(fields, dict) else None
