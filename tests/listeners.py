"""Real servers on loopback that hear what Forewarn sends: HTTP by uvicorn, SMTP by aiosmtpd."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import orjson
import uvicorn
from aiosmtpd.controller import Controller
from starlette.requests import Request
from starlette.responses import Response


@dataclass
class Heard:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    client: Any = None  # host and port

    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Web:
    """Answers with the next of `answers`, then 200 for ever; a status of 0 hangs until the client goes."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    url: str = ""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        path = request.scope["raw_path"].decode()
        headers, body = dict(request.headers), await request.body()
        self.heard.append(Heard(request.method, path, headers, body, request.client))
        self.arrived.set()
        status, more = self.answers.pop(0) if self.answers else (200, {})
        if not status:
            await receive()
            return
        await Response(f"status {status}", status, more)(scope, receive, send)


@asynccontextmanager
async def web(*answers: int | tuple[int, dict[str, str]]) -> AsyncIterator[Web]:
    """Listen on a free port of loopback."""
    app = Web([a if isinstance(a, tuple) else (a, {}) for a in answers])
    listener = socket.create_server(("127.0.0.1", 0))
    app.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    try:
        yield app
    finally:
        server.should_exit = True
        await serving
        listener.close()


@dataclass
class Mailbox:
    """Takes mail; the next of `answers` is said instead of 250 where there is one."""

    answers: list[str] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    address: str = ""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answers:
            return self.answers.pop(0)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 taken"


@contextmanager
def mailbox(*answers: str) -> Iterator[Mailbox]:
    """Serve SMTP on a free port of loopback."""
    box = Mailbox(list(answers))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    box.address = f"127.0.0.1:{port}"
    try:
        yield box
    finally:
        controller.stop()
