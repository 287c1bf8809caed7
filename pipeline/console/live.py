"""Pages that keep themselves current: a page is named sections, and a stream sends those that changed."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from pipeline.clock import Clock
from pipeline.store import Store
from pipeline.types import Seconds

Words: TypeAlias = Mapping[str, Any]
MAX_STREAMS = 200  # each costs one store look-up a beat; past it a browser is told to come back
MAX_RENDERED = 64  # pages kept rendered, so that a hundred watchers cost as much as one
REDRAW = 10.0  # s; a feed that goes quiet changes nothing in the store, but its service is unknown by then
STREAM_FOR = 600.0  # s; a browser comes back by itself, and nobody is served by a forgotten tab for ever


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its layout, its sections (a template each, in the folder of the layout), what they show."""

    name: str
    sections: tuple[str, ...]
    words: Callable[[Request], Awaitable[Words | None]]  # None = there is no such thing: 404


@dataclass(frozen=True, slots=True)
class Section:
    html: Markup
    mark: str  # differs where the html differs


@dataclass(slots=True)
class Live:
    """Renders pages and feeds streams. Owned by the console; bounds are above."""

    store: Store
    clock: Clock
    templates: Environment
    stopping: Callable[[], bool] = bool
    beat: Seconds = 0.5  # how long until a change is seen
    streams: int = 0
    rendered: OrderedDict[str, tuple[tuple[int, int], Mapping[str, Section]]] = field(
        default_factory=OrderedDict
    )

    async def show(self, page: Page, request: Request) -> Response:
        """Answer with the whole page."""
        words = await page.words(request)
        if words is None:
            missing = self.templates.get_template("missing.html").render(title="Not here", kind=page.name)
            return HTMLResponse(missing, 404)
        sections = self._sections(page, words)
        layout = self.templates.get_template(f"{page.name}.html")
        # Below the page's own place: a board must not repeat an address that was asked for.
        text = layout.render(**words, sections=sections, stream="/live")
        return HTMLResponse(text)

    async def follow(self, page: Page, request: Request) -> Response:
        """Answer with a stream of the sections that change."""
        if self.streams >= MAX_STREAMS:
            return PlainTextResponse("too many open pages\n", 429, {"Retry-After": "15"})
        if await page.words(request) is None:
            return PlainTextResponse("no such page\n", 404)
        headers = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
        return StreamingResponse(self.changes(page, request), 200, headers, "text/event-stream")

    async def changes(self, page: Page, request: Request) -> AsyncIterator[bytes]:
        """Yield server-sent events: each section once, then each time it is other than it was."""
        self.streams += 1
        sent: dict[str, str] = {}
        until = self.clock() + STREAM_FOR
        try:
            yield b"retry: 2000\n\n"
            while self.clock() < until and not self.stopping():
                stamp = await self._stamp()
                for name, section in (await self._current(page, request, stamp)).items():
                    if sent.get(name) != section.mark:
                        sent[name] = section.mark
                        told = {
                            "id": name,
                            "mark": section.mark,
                            "html": str(section.html),
                            "at": self.clock(),
                        }
                        yield b"data: " + orjson.dumps(told) + b"\n\n"
                yield b"event: pulse\ndata: %.3f\n\n" % self.clock()
                # Not an Event: the one that writes may be another process.
                while stamp == await self._stamp() and not self.stopping():  # noqa: ASYNC110
                    await asyncio.sleep(self.beat)
        finally:
            self.streams -= 1

    async def _stamp(self) -> tuple[int, int]:
        return await self.store.version(), int(self.clock() // REDRAW)

    async def _current(self, page: Page, request: Request, stamp: tuple[int, int]) -> Mapping[str, Section]:
        key = request.url.path
        kept = self.rendered.get(key)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        words = await page.words(request)
        sections = {} if words is None else self._sections(page, words)
        self.rendered[key] = (stamp, sections)
        self.rendered.move_to_end(key)
        if len(self.rendered) > MAX_RENDERED:
            self.rendered.popitem(last=False)
        return sections

    def _sections(self, page: Page, words: Words) -> dict[str, Section]:
        found = {}
        for name in page.sections:
            html = self.templates.get_template(f"{page.name}/{name}.html").render(**words)
            mark = hashlib.blake2b(html.encode(), digest_size=6).hexdigest()
            found[name] = Section(Markup(html), mark)  # noqa: S704 a template with autoescape made it
        return found
