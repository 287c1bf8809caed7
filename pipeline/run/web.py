"""HTTP in: a door's answer waits for the disk, every other path is a page's or one of /-/."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline import clock, kinds
from pipeline.console.guard import READING, foreign, strange
from pipeline.ingest.dead_letters import DeadLetters
from pipeline.ingest.door import Decoded, Door, Refused, Rejects, Telling
from pipeline.ingest.journal import Unwritable
from pipeline.run.embedded import Busy, Engine
from pipeline.types import Seconds

FAMILY = "pipeline.ingest"
PATIENCE: Seconds = 60.0  # for all of a body to arrive
LINGER: Seconds = 5.0  # for the rest of a body that was refused: a client that still writes cannot read
IN_FLIGHT = 4  # bodies of the largest size that may be in memory at once
LARGE = 64 * 1024  # bytes; decoding more than that would keep others waiting
RETRY_AFTER = b"2"
# Alertmanager's APIs, whose clients (Prometheus, amtool, karma, Grafana) hear what there is instead of what
# they ask for; other paths under /api/v1/ are ours.
GONE = ("/api/v1/alerts", "/api/v1/receivers", "/api/v1/silence/", "/api/v1/status")
UNSPOKEN = "/api/v2/"
# By the console; alerts themselves come in at a door of the same path.
SPOKEN = tuple(f"/api/v2/{what}" for what in ("alerts", "silences", "silence/", "receivers", "status"))
INSTEAD = b"read incidents at /api/v1/incidents, silences at /api/v1/silences"
# Asked for by programs and proxies under any name; nothing there is a secret.
PUBLIC = ("/-/healthy", "/-/ready", "/metrics", "/board/", "/static/")
SAY_EVERY: Seconds = 60.0

log = structlog.get_logger()


class _Gone(Exception):
    """The client left before its request was whole."""


def doors() -> dict[str, tuple[str, Door]]:
    """Return name and door by path: every file of ingest/ that has PATHS."""
    found: dict[str, tuple[str, Door]] = {}
    for name in kinds.names(FAMILY):
        module = kinds.find(FAMILY, name)
        for path in getattr(module, "PATHS", ()):
            found[path] = (name, module)
    return found


@dataclass(slots=True)
class Post:
    """What a program posts to a door."""

    name: str
    door: Door
    headers: Mapping[str, str]


class Web:
    """The ASGI application. `pages` answers what is not a door's."""

    def __init__(self, engine: Engine, pages: ASGIApp) -> None:
        self.engine = engine
        self.pages = pages
        self.doors = doors()
        self.letters = DeadLetters(Path(engine.config.storage.path))
        self._held = 0  # bytes of bodies in memory
        self._thread = ThreadPoolExecutor(1, "decode")
        self._said: dict[str, Seconds] = {}  # by door, when a rejection was last logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        no = self._unasked(path, Headers(scope=scope), scope["method"]) if path else None
        if no is not None:
            await _answer(send, *no)
        elif path in self.doors and scope["method"] == "POST":
            await self._enter(*self.doors[path], scope, receive, send)
        elif refused := self._instead(path):
            name, status, text = refused
            self.engine.metrics.answered(name, status)
            await _answer(send, status, text, *([(b"allow", b"POST")] if status == 405 else []))
        else:
            await self.pages(scope, receive, send)

    def small(self, size: bytes) -> bool:
        """Say whether run.shortcut may take a body of so many bytes, as its header says, whole."""
        return size.isdigit() and int(size) < min(LARGE, self.engine.config.limits.body) and self.engine.ready

    def quick(self, url: bytes, headers: Mapping[bytes, bytes]) -> Post | None:
        """Return what run.shortcut may take: what a program posts to a door; None for all else."""
        known = self.doors.get(url.decode("latin-1"))
        if known is None or b"origin" in headers or b"sec-fetch-site" in headers:
            return None
        return Post(*known, {k.decode("latin-1"): v.decode("latin-1") for k, v in headers.items()})

    def take(self, post: Post, body: bytes) -> tuple[Decoded, asyncio.Future[int]] | None:
        """Take a post in, and tell when it is durable; None, and nothing is taken, where not all is well."""
        try:
            found = post.door.decode(body, post.headers, clock.wall(), self.engine.config.limits)
            return None if found.rejects else (found, self.engine.offer(found.frames))
        except Exception:  # whatever it is, the ordinary way finds it again and says it
            return None

    def took(self, post: Post) -> int:
        """Count a post that is durable; return the status of its answer."""
        self.engine.metrics.answered(post.name, post.door.STATUS)
        return post.door.STATUS

    def _instead(self, path: str) -> tuple[str, int, bytes] | None:
        """Return door, status and words for what a door or an API of Alertmanager cannot give; else None."""
        if path in self.doors and path not in SPOKEN:
            return self.doors[path][0], 405, b"expected POST: things come in here; " + INSTEAD
        if path.startswith(GONE):
            return "api_v1", 410, b"API v1 of Alertmanager is gone: send alerts to /api/v2/alerts"
        if path.startswith(UNSPOKEN) and not path.startswith(SPOKEN):
            return "api_v2", 501, b"this is nothing of Alertmanager's API v2; " + INSTEAD
        return None

    def _unasked(self, path: str, headers: Headers, method: str) -> tuple[int, bytes] | None:
        """Return the answer to what a browser sends for a page that is not ours; None where it may go on.

        A page anywhere could tell of a change that never was, and a playbook would roll back a service.
        """
        if method not in READING and foreign(headers):
            return 403, b"a page of another site may not do this"
        browser = "origin" in headers or "sec-fetch-site" in headers
        if path.startswith(PUBLIC) or (path in self.doors and not browser):
            return None
        web = self.engine.config.web
        if strange(headers.get("host", ""), (urlsplit(web.external_url).netloc, web.listen)):
            return 421, b"this name is not known to be ours: put it into web.external_url"
        return None

    async def _enter(self, name: str, door: Door, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        body = _Body()
        try:
            if not self.engine.ready:
                raise Refused(503, "not ready", "not ready yet: state is being restored")
            await self._read(body, headers, receive)
            found = await self._decode(name, door, b"".join(body.parts), headers)
            await self._take_in(found)
            self._rejected(name, found.rejects, body)
            if found.rejects and not found.partial:
                status = 400
                await _answer(send, status, str(found.rejects).encode())
            else:
                status = door.STATUS
                await _answer(send, status, found.answer, kind=found.kind)
        except Refused as no:
            status = no.status
            self._rejected(name, Rejects(Counter({no.reason: 1}), [str(no)]), body)
            told = door.refusal(no, headers) if isinstance(door, Telling) else ("", str(no).encode())
            await _refuse(no, told, headers, None if body.complete else receive, send)
        except _Gone:
            status = 499  # as nginx counts it; nobody is there to read an answer
        finally:
            self._held -= body.size
        self.engine.metrics.answered(name, status)

    async def _read(self, body: _Body, headers: Mapping[str, str], receive: Receive) -> None:
        limit = self.engine.config.limits.body
        declared = headers.get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            raise Refused(413, "too large", f"body is {declared} bytes, at most {limit}")
        try:
            async with asyncio.timeout(PATIENCE):
                while not body.complete:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    part = message.get("body", b"")
                    self._held += len(part)
                    body.size += len(part)
                    body.parts.append(part)
                    body.complete = not message.get("more_body")
                    if body.size > limit:
                        raise Refused(413, "too large", f"body is over {limit} bytes")
                    if self._held > IN_FLIGHT * limit:
                        raise Refused(429, "too many bodies", "too many large requests at once")
        except TimeoutError:
            raise Refused(408, "too slow", f"body did not arrive within {PATIENCE:g} s") from None

    async def _decode(self, name: str, door: Door, body: bytes, headers: Mapping[str, str]) -> Decoded:
        work = partial(door.decode, body, headers, clock.wall(), self.engine.config.limits)
        try:
            if len(body) < LARGE:
                return work()
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Refused:
            raise
        except Exception as error:
            # A sender keeps and repeats what is answered 5xx: our own mistake must not stop its queue.
            log.exception("door failed", door=name)
            raise Refused(400, "unreadable", f"cannot be read: {type(error).__name__}") from error

    async def _take_in(self, found: Decoded) -> None:
        try:
            await self.engine.take_in(found.frames)
        except Busy:
            raise Refused(429, "queue full", "the queue is full: send again later") from None
        except Unwritable as error:
            raise Refused(503, "journal", f"not kept, send again: {error}") from error

    def _rejected(self, name: str, rejects: Rejects, body: _Body) -> None:
        """Count what was turned away, keep the first bytes as a dead letter, log it once a minute."""
        if not rejects:
            return
        self.engine.turned_away.setdefault(name, Counter()).update(rejects.count)
        reason = next(iter(rejects.count))
        now = clock.wall()
        with contextlib.suppress(OSError):  # what is refused because the disk is full cannot be kept
            self.letters.add(now, name, reason, str(rejects), b"".join(body.parts[:1]))
        if now - self._said.get(name, 0.0) >= SAY_EVERY:
            self._said[name] = now
            log.warning("input rejected", door=name, **rejects.count, first=rejects.said[0][:200])


@dataclass(slots=True)
class _Body:
    parts: list[bytes] = field(default_factory=list)
    size: int = 0
    complete: bool = False


async def _refuse(
    no: Refused, told: tuple[str, bytes], headers: Mapping[str, str], receive: Receive | None, send: Send
) -> None:
    """Answer; a client that still writes hears why before it is cut off, for else it could not read it."""
    extra = [(b"retry-after", RETRY_AFTER)] if no.status in (429, 503) else []
    if receive is not None:
        extra.append((b"connection", b"close"))
    kind, text = told
    await _begin(send, no.status, text, *extra, kind=kind)
    if receive is not None and headers.get("expect", "").lower() != "100-continue":
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while (await receive()).get("more_body"):
                    pass
    await _end(send)


async def _answer(send: Send, status: int, text: bytes, *extra: tuple[bytes, bytes], kind: str = "") -> None:
    """Send a whole answer."""
    await send(_head(status, text, *extra, kind=kind))
    await send({"type": "http.response.body", "body": text})


async def _begin(send: Send, status: int, text: bytes, *extra: tuple[bytes, bytes], kind: str = "") -> None:
    """Send all of an answer but its end."""
    await send(_head(status, text, *extra, kind=kind))
    await send({"type": "http.response.body", "body": text, "more_body": True})


def _head(status: int, text: bytes, *extra: tuple[bytes, bytes], kind: str = "") -> Message:
    headers = [*headers_of(status, text, kind), *extra]
    return {"type": "http.response.start", "status": status, "headers": headers}


def headers_of(status: int, text: bytes, kind: str = "") -> list[tuple[bytes, bytes]]:
    """Return the headers that tell what an answer is; where no content type is named, as it looks."""
    size = [] if status == 204 else [(b"content-length", b"%d" % len(text))]
    looks = "application/json" if text[:1] in b"[{" else "text/plain; charset=utf-8"
    return [*size, (b"content-type", (kind or looks).encode())] if text or kind else size


async def _end(send: Send) -> None:
    await send({"type": "http.response.body", "body": b""})
