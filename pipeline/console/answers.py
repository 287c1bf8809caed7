"""What a desk may answer while the caller still talks: page and API over articles and solved complaints.

    POST /api/v1/answers                    {"text": "...", "customer": "", "lang": ""}
    GET  /api/v1/complaints/ID/answers      the same for a complaint that was taken in
    POST /api/v1/answers/outcome            {"answer": KEY, "helped": true, "by": "ann", "topic": ""}
    POST /api/v1/complaints/ID/outcome      the same for that complaint: its topic is known

Answered are `now`, what may be told of open incidents; `known` and `why`; and at most three `suggestions`.
What is typed is answered and not kept. An outcome counts for as long as the store keeps commands.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import orjson
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from pipeline.clock import Clock
from pipeline.complaints import Names
from pipeline.complaints.encoders import encoder
from pipeline.complaints.outcomes import HELPED, UNHELPFUL
from pipeline.console.ask import Submit, ask
from pipeline.console.names import nobody
from pipeline.console.shelf import Question, Shelf
from pipeline.knowledge import Article
from pipeline.pseudonym import pseudonym
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Event
from pipeline.visible import visible

MAX_TEXT = 8_000  # characters that are looked at
MAX_NAME = 200
PART = "x-part"  # header of a script that wants the answers alone, not the page around them

Call = tuple[str, str, Callable[[Request], Awaitable[Response]]]


class Answers:
    """Page and API. `articles` is asked each time, so that a reload shows."""

    def __init__(
        self,
        store: Store,
        submit: Submit,
        clock: Clock,
        topology: Callable[[], Topology],
        templates: Environment,
        articles: Callable[[], tuple[Article, ...]],
        model: str = "none",
        names: Callable[[], Awaitable[Names]] = nobody,
    ) -> None:
        self.store, self.submit, self.clock, self.templates = store, submit, clock, templates
        self.shelf = Shelf(store, clock, topology, articles, encoder(model), names)
        self._turn = asyncio.Lock()  # one book is learned at a time

    def calls(self) -> tuple[Call, ...]:
        return (
            ("GET", "/answers", self.page),
            ("POST", "/answers", self.page),
            ("POST", "/answers/outcome", self.press),
            ("POST", "/api/v1/answers", self.typed),
            ("POST", "/api/v1/answers/outcome", partial(self.outcome, False)),
            ("GET", "/api/v1/complaints/{id:path}/answers", self.complaint),
            ("POST", "/api/v1/complaints/{id:path}/outcome", partial(self.outcome, True)),
        )

    async def page(self, request: Request) -> Response:
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        question = asked(fields)
        known = await self._answer(question) if question.text else None
        words = {"title": "Answers", "now": self.clock(), "asked": question, "reply": known}
        name = "answers/found.html" if request.headers.get(PART) else "answers.html"
        return HTMLResponse(self.templates.get_template(name).render(**words))

    async def typed(self, request: Request) -> Response:
        fields = await _json(request)
        if fields is None or not fields.get("text"):
            return _refused('expected a JSON object with "text"', 400)
        return _answered(await self._answer(asked(fields)))

    async def complaint(self, request: Request) -> Response:
        question = await self._complaint(request.path_params["id"])
        return (
            _refused("no such complaint", 404)
            if question is None
            else _answered(await self._answer(question))
        )

    async def outcome(self, of_complaint: bool, request: Request) -> Response:
        fields = await _json(request)
        if fields is None or fields.get("helped") not in ("True", "False"):
            return _refused('expected a JSON object with "answer" and "helped": true or false', 400)
        about: Mapping[str, str] = {"topic": fields.get("topic", "")}
        if of_complaint:
            question = await self._complaint(request.path_params["id"])
            if question is None:
                return _refused("no such complaint", 404)
            about = {"topic": question.topic, "complaint": question.complaint}
        key = fields.get("answer") or fields.get("article", "")
        return await self._learn(key, fields["helped"] == "True", fields.get("by", ""), about)

    async def press(self, request: Request) -> Response:
        """Take a button of the page."""
        fields = dict(parse_qsl((await request.body()).decode(errors="replace")))
        helped = fields.get("do") == HELPED
        said = await self._learn(fields.get("answer", ""), helped, fields.get("by", ""), {})
        return said if said.status_code >= 400 else RedirectResponse("/answers", 303)

    async def _answer(self, question: Question) -> dict[str, Any]:
        async with self._turn:
            return await self.shelf.answer(question)

    async def _complaint(self, id: str) -> Question | None:
        found = await self.store.complaints([id])
        if not found:
            return None
        c = found[0]
        return Question(c.text[:MAX_TEXT], c.customer, c.lang, c.id, c.topic)

    async def _learn(self, key: str, helped: bool, by: str, about: Mapping[str, str]) -> Response:
        name = key if "/" in key else f"article/{key}"
        async with self._turn:
            if not await self.shelf.holds(name):
                return _refused("answer: no such article or solved complaint", 404)
        labels = {"do": HELPED if helped else UNHELPFUL, "by": by[:80].strip() or "console", "answer": name}
        labels |= {k: v[:MAX_NAME] for k, v in about.items() if v}
        event = Event("command", f"cmd-{secrets.token_hex(8)}", self.clock(), labels)
        await ask(event, self.submit)
        return _answered({"id": event.id, **labels}, 202)


def asked(fields: Mapping[str, str]) -> Question:
    return Question(
        visible(fields.get("text", "")[:MAX_TEXT]).strip(),
        pseudonym(fields.get("customer", "")[:MAX_NAME].strip()),
        fields.get("lang", "")[:MAX_NAME].strip(),
        topic=fields.get("topic", "")[:MAX_NAME],
    )


async def _json(request: Request) -> dict[str, str] | None:
    try:
        fields = orjson.loads(await request.body() or b"{}")
    except ValueError:
        return None
    return {k: str(v) for k, v in fields.items()} if isinstance(fields, dict) else None


def _answered(value: Mapping[str, Any], code: int = 200) -> Response:
    plain = {k: [asdict(each) for each in v] if isinstance(v, tuple) else v for k, v in value.items()}
    return Response(orjson.dumps(plain), code, media_type="application/json")


def _refused(why: str, code: int) -> Response:
    return PlainTextResponse(why + "\n", code)
