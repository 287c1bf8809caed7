"""A small whole post to a door in, its answer out: Web's way without a task, an event or a queue of messages.

Only what goes well is answered here. All else - a body that is large, late or bad, a browser, a queue that
is full - goes to Web as uvicorn would have sent it at once: there is one place that refuses.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from pipeline.ingest.door import Decoded
from pipeline.run.web import Post, Web, headers_of
from pipeline.types import Seconds

# A body that takes longer to arrive is Web's, which waits for it and counts what it holds.
SOON: Seconds = 1.0


@dataclass(slots=True)
class _Held:
    """A post on its way. uvicorn finds it where its own cycle would be, and asks no more of it than this."""

    post: Post
    url: bytes
    headers: list[tuple[bytes, bytes]]
    version: str
    keep_alive: bool
    body: list[bytes] = field(default_factory=list)
    whole: bool = False
    disconnected: bool = False
    response_complete: bool = False

    @property
    def message_event(self) -> _Held:
        return self

    def set(self) -> None:
        """Wake who waits for more of the body: nobody does."""


class Shortcut(HttpToolsProtocol):
    """One connection; it holds at most one post back, of less than web.LARGE bytes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._web = cast(Web, self.app)
        self._held: _Held | None = None  # whose body is not whole yet
        self._late: TimerHandle | None = None
        self._asked: tuple[bytes, dict[bytes, bytes]] = b"", {}  # of the last post, but for its length
        self._post: Post | None = None  # what that is
        self._head: tuple[object, int, bytes] = (
            None,
            0,
            b"",
        )  # of an empty answer; made of what, for which status

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._held is not None and self._late is None:
            self._late = self.loop.call_later(SOON, self._give_up)

    def on_headers_complete(self) -> None:
        held = self._hold()
        if held is None:
            super().on_headers_complete()
        else:
            self._held = held
            self.cycle = cast(RequestResponseCycle, held)

    def on_body(self, body: bytes) -> None:
        if self._held is None:
            super().on_body(body)
        else:
            self._held.body.append(body)

    def on_message_complete(self) -> None:
        if self._held is None:
            super().on_message_complete()
            return
        held = self._release(self._held)
        held.whole = True
        if not self._answering(held):
            self._hand_over(held)

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_up()
        super().connection_lost(exc)

    def _hold(self) -> _Held | None:
        """Return the post that begins; None where it is not one for here, or another is not answered yet."""
        if self.cycle is not None and not self.cycle.response_complete:
            return None
        parser = self.parser
        if self.expect_100_continue or parser.get_method() != b"POST" or parser.should_upgrade():
            return None
        headers = dict(self.headers)
        size = headers.pop(b"content-length", b"")
        if not self._web.small(size):
            return None
        asked = self.url, headers
        if asked != self._asked:
            self._asked, self._post = asked, self._web.quick(*asked)
        if self._post is None:
            return None
        version = parser.get_http_version()
        keep_alive = version != "1.0" and parser.should_keep_alive()
        return _Held(self._post, self.url, self.headers, version, keep_alive)

    def _give_up(self) -> None:
        if self._held is not None:
            self._hand_over(self._release(self._held))

    def _release(self, held: _Held) -> _Held:
        self._held = None
        if self._late is not None:
            self._late.cancel()
            self._late = None
        return held

    def _hand_over(self, held: _Held) -> None:
        """Begin the request as uvicorn would have at once."""
        cycle = RequestResponseCycle(
            scope={
                "type": "http", "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
                "http_version": held.version, "server": self.server, "client": self.client,
                "scheme": self.scheme or "http", "method": "POST", "root_path": self.root_path,
                "path": held.url.decode("ascii"), "raw_path": held.url, "query_string": b"",
                "headers": held.headers, "state": self.app_state.copy(),
            },
            transport=self.transport, flow=self.flow, logger=self.logger, access_logger=self.access_logger,
            access_log=self.access_log, default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(), expect_100_continue=False, keep_alive=held.keep_alive,
            on_response=self.on_response_complete,
        )  # fmt: skip
        cycle.body += b"".join(held.body)
        cycle.more_body = not held.whole
        cycle.disconnected = held.disconnected
        cycle.message_event.set()
        if self.cycle is cast(RequestResponseCycle, held):
            self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def _answering(self, held: _Held) -> bool:
        """Take in what is posted, and say whether the answer will follow by itself."""
        taken = None if self.flow.write_paused else self._web.take(held.post, b"".join(held.body))
        if taken is None:
            return False
        found, durable = taken
        durable.add_done_callback(partial(self._answer, held, found))
        return True

    def _answer(self, held: _Held, found: Decoded, durable: asyncio.Future[int]) -> None:
        if durable.exception() is not None:
            self._hand_over(held)
            return
        status = self._web.took(held.post)
        held.response_complete = True
        if held.disconnected:
            return
        self.transport.write(self._answered(status, found, held.keep_alive))
        if not held.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _answered(self, status: int, found: Decoded, keep_alive: bool) -> bytes:
        """Return the whole answer; the head of an empty one is made once a second, when its date changes."""
        own = self.server_state.default_headers
        if found.answer or found.kind or not keep_alive:
            close = [] if keep_alive else [(b"connection", b"close")]
            return (
                _lines(status, [*own, *headers_of(status, found.answer, found.kind), *close]) + found.answer
            )
        if self._head[0] is not own or self._head[1] != status:
            self._head = own, status, _lines(status, [*own, *headers_of(status, b"")])
        return self._head[2]


def _lines(status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
    return b"".join([STATUS_LINE[status], *(b"%b: %b\r\n" % line for line in headers), b"\r\n"])
