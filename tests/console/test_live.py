"""Streams: each section once, then what changed; bounded, and ended when a server stops."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request

from pipeline import console
from pipeline.console.live import MAX_STREAMS, STREAM_FOR, Live, Page
from pipeline.console.pages import Pages
from pipeline.types import State, Step
from tests.console import shop
from tests.console.conftest import Site


def request(path: str = "/live", **params: str) -> Request:
    return Request({"type": "http", "method": "GET", "path": path, "headers": [], "path_params": params})


def watching(site: Site) -> tuple[Live, Page]:
    live = Live(site.store, lambda: site.now, console.templates(), beat=0.001)
    pages = Pages(site.store, lambda: site.now, lambda: shop.TOPOLOGY, 120.0)
    return live, Page("board", ("services", "past"), pages.board)


async def sections(stream: AsyncIterator[bytes]) -> list[dict[str, Any]]:
    """Read on to the next sign that all is told, and return the sections told."""
    found = []
    async for message in stream:
        if message.startswith(b"data: "):
            found.append(orjson.loads(message[6:]))
        if message.startswith(b"event: pulse"):
            return found
    return found


async def test_a_stream_tells_each_section_once_and_then_only_what_changed(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))
    first = await sections(stream)

    over = replace(shop.INCIDENT, quiet=shop.NOW - 20, rev=9)
    await site.store.record(Step(shop.NOW, incidents=(over,)), 2)
    second = await sections(stream)

    assert [s["id"] for s in first] == ["services", "past"]
    assert [s["id"] for s in second] == ["services"]
    assert '<span class="state">recovering</span>' in second[0]["html"]
    assert second[0]["mark"] != first[0]["mark"]
    assert second[0]["at"] == shop.NOW


async def test_what_the_page_shows_at_first_bears_the_same_mark_as_the_stream(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))

    told = await sections(stream)
    text = await site.page("/board/harbour-cafe")

    assert all(f'id="{s["id"]}" data-live data-mark="{s["mark"]}"' in text for s in told)


async def test_a_feed_that_goes_quiet_is_told_though_nothing_was_recorded(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))
    await sections(stream)

    site.now += 300
    told = await sections(stream)

    assert '<span class="state">unknown</span>' in told[0]["html"]


async def test_a_hundred_watchers_of_a_page_render_it_once(site: Site) -> None:
    live, page = watching(site)
    asked = []

    async def counted(given: Request) -> Any:
        asked.append(given)
        return await page.words(given)

    counting = replace(page, words=counted)
    streams = [live.changes(counting, request(customer="harbour-cafe")) for _ in range(100)]
    told = [await sections(s) for s in streams]

    assert len(asked) == 1
    assert live.streams == 100
    assert all(t == told[0] for t in told)


async def test_a_stream_that_ends_makes_room(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))
    await sections(stream)

    await stream.aclose()  # type: ignore[attr-defined]

    assert live.streams == 0


async def test_past_the_bound_a_browser_is_told_to_come_back(site: Site) -> None:
    live, page = watching(site)
    live.streams = MAX_STREAMS

    answer = await live.follow(page, request(customer="harbour-cafe"))

    assert (answer.status_code, answer.headers["retry-after"]) == (429, "15")


async def test_a_stream_ends_when_the_server_stops(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))
    await sections(stream)

    live.stopping = lambda: True

    assert [message async for message in stream] == []


async def test_a_stream_ends_when_it_has_lasted_long_enough(site: Site) -> None:
    live, page = watching(site)
    stream = live.changes(page, request(customer="harbour-cafe"))
    await sections(stream)

    site.now += STREAM_FOR

    assert [message async for message in stream] == []


async def test_streams_are_served_as_server_sent_events(site: Site) -> None:
    live, page = watching(site)

    answer = await live.follow(page, request(customer="harbour-cafe"))

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"


async def test_an_incident_that_is_forgotten_while_watched_ends_its_sections(site: Site) -> None:
    live, _ = watching(site)
    pages = Pages(site.store, lambda: site.now, lambda: shop.TOPOLOGY, 120.0)
    page = Page("incident", ("head",), pages.incident)
    stream = live.changes(page, request(id="inc-0031"))
    await sections(stream)

    over = replace(shop.INCIDENT, state=State.RESOLVED, resolved=1.0, rev=9)
    await site.store.record(Step(shop.NOW, incidents=(over,)), 2)
    await site.store.forget(shop.NOW)

    assert await sections(stream) == []
