"""A small whole post to a door in, its answer out: Web's way without a task, an event or a queue of messages.

Only what goes well is answered here. All else - a body that is large, late or bad, a browser, a queue that
is full - goes to Web as uvicorn would have sent it at once: there is one place that refuses.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from typing import Any, NamedTuple, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from pipeline.ingest.door import Decoded
from pipeline.run.web import Post, Web, headers_of
from pipeline.types import Seconds

# A body that takes longer to arrive is Web's, which waits for it and counts what it holds.
SOON: Seconds = 1.0


class _Held(NamedTuple):
    """A post whose body is on its way."""

    cycle: RequestResponseCycle
    post: Post


class Shortcut(HttpToolsProtocol):
    """One connection; it holds at most one post back, of less than web.LARGE bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._web = cast(Web, self.app)
        self._held: _Held | None = None
        self._late: TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._held is not None and self._late is None:
            self._late = self.loop.call_later(SOON, self._give_up)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self._held is not None:
            held = self._release(self._held)
            if not self._answering(held):
                super()._start_asgi_task(held.cycle, self.app)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up()
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        whole_later = cycle.more_body and not cycle.waiting_for_100_continue
        post = self._web.quick(cast(Scope, cycle.scope)) if whole_later and app is self.app else None
        if post is None:
            super()._start_asgi_task(cycle, app)
        else:
            self._held = _Held(cycle, post)

    def _give_up(self) -> None:
        if self._held is not None:
            super()._start_asgi_task(self._release(self._held).cycle, self.app)

    def _release(self, held: _Held) -> _Held:
        self._held = None
        if self._late is not None:
            self._late.cancel()
            self._late = None
        return held

    def _answering(self, held: _Held) -> bool:
        """Take in what is posted, and say whether the answer will follow by itself."""
        taken = None if self.flow.write_paused else self._web.take(held.post, bytes(held.cycle.body))
        if taken is None:
            return False
        found, durable = taken
        durable.add_done_callback(lambda done: self._answer(held, found, done))
        return True

    def _answer(self, held: _Held, found: Decoded, durable: asyncio.Future[int]) -> None:
        cycle = held.cycle
        if durable.exception() is not None:
            super()._start_asgi_task(cycle, self.app)
            return
        status = self._web.took(held.post)
        cycle.response_started = cycle.response_complete = True
        if cycle.disconnected:
            return
        close = [] if cycle.keep_alive else [(b"connection", b"close")]
        lines = (*self.server_state.default_headers, *headers_of(status, found.answer, found.kind), *close)
        head = b"".join([STATUS_LINE[status], *(b"%b: %b\r\n" % line for line in lines), b"\r\n"])
        self.transport.write(head + found.answer)
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
