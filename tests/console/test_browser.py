"""A real Chromium on the console: an incident appears without a reload, a click posts its command."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright, expect
from starlette.applications import Starlette

from pipeline import clock, console
from pipeline.frame import Frame
from pipeline.store import Store, sqlite
from pipeline.types import Event, State, Step
from tests.console import shop

pytestmark = pytest.mark.browser

# Without the network flags Chromium looks up hosts of its own at every start.
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
FOCUSED = """(() => { const e = document.activeElement;
    return [e.innerText || e.id, getComputedStyle(e).outlineStyle]; })()"""


@dataclass
class Screen:
    store: Store
    url: str
    browser: Browser
    asked: asyncio.Queue[Event]
    cut: Callable[[], None]  # ends the server
    wrong: list[str]  # what the browser complained of

    async def open(self, path: str, **look: object) -> Page:
        page = await self.browser.new_page(**look)  # type: ignore[arg-type]
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda m: self.wrong.append(m.text) if m.type == "error" else None)
        await page.goto(self.url + path)
        await expect(page.locator("#pulse")).to_have_text("live")
        await page.evaluate("window.untouched = true")
        return page


@pytest.fixture
async def screen(tmp_path: Path, free_port: Callable[[], int], chromium: str) -> AsyncIterator[Screen]:
    store, asked, port = sqlite.open(tmp_path), asyncio.Queue[Event](), free_port()

    async def submit(frame: Frame) -> None:
        for event in frame.events:
            await asked.put(event)

    routes = console.routes(
        store, submit, clock.wall, lambda: shop.TOPOLOGY, stopping=lambda: server.should_exit
    )
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), port=port, log_level="warning", lifespan="off")
    )

    def cut() -> None:
        server.should_exit = True

    serving = asyncio.create_task(server.serve())
    async with async_playwright() as p:
        browser = await p.chromium.launch(executable_path=chromium, args=list(FLAGS))
        with contextlib.suppress(asyncio.CancelledError):
            yield Screen(store, f"http://127.0.0.1:{port}", browser, asked, cut, [])
        await browser.close()
    cut()
    await serving
    await store.close()


async def test_an_incident_appears_without_a_reload_and_a_click_acknowledges_it(screen: Screen) -> None:
    page = await screen.open("/")
    await expect(page.get_by_text("No open incidents.")).to_be_visible()

    await screen.store.record(shop.afternoon(), 1)
    await page.get_by_role("link", name="payment is slow").click()
    await page.get_by_label("You").fill("ann")
    await expect(page.locator("svg.plot")).to_have_count(2)
    await page.get_by_role("button", name="Acknowledge").click()
    event = await asyncio.wait_for(screen.asked.get(), 10)
    await page.evaluate("window.untouched = true")
    known = shop.replaced(state=State.ACKNOWLEDGED, by="ann", acknowledged=clock.wall(), rev=8)
    await screen.store.record(Step(clock.wall(), incidents=(known,)), 2)

    assert event.labels == {"do": "acknowledge", "by": "ann", "incident": "inc-0031"}
    await expect(page.get_by_text("Acknowledged by ann")).to_be_visible()
    await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    assert await page.evaluate("window.untouched"), "the page was loaded anew"
    assert screen.wrong == []


async def test_the_overview_changes_under_the_reader(screen: Screen) -> None:
    page = await screen.open("/")

    await screen.store.record(shop.afternoon(), 1)

    await expect(page.locator(".card h3").first).to_contain_text(
        "payment is slow & checkout fails <b>often</b>"
    )
    assert await page.evaluate("window.untouched")
    assert screen.wrong == []


async def test_a_board_turns_as_the_incident_does(screen: Screen) -> None:
    heard = dict.fromkeys(shop.TOPOLOGY.services, clock.wall())
    await screen.store.record(Step(clock.wall(), heard=heard), 1)
    page = await screen.open("/board/harbour-cafe")
    states = page.locator(".board .state")
    await expect(states).to_have_text(["operational"] * 3)

    payments = page.locator(".board li", has_text="Payments").locator(".state")
    story = (
        (shop.replaced(rev=10), "investigating"),
        (shop.replaced(rev=11, state=State.ACKNOWLEDGED), "identified"),
        (shop.replaced(rev=12, quiet=clock.wall()), "recovering"),
        (shop.replaced(rev=13, state=State.RESOLVED, resolved=clock.wall()), "recovered"),
    )
    for position, (incident, state) in enumerate(story, 2):
        await screen.store.record(Step(clock.wall(), incidents=(incident,)), position)
        await expect(payments).to_have_text(state)

    assert await page.evaluate("window.untouched")
    assert screen.wrong == []


async def test_what_is_typed_is_not_lost_when_the_page_changes(screen: Screen) -> None:
    await screen.store.record(shop.afternoon(), 1)
    page = await screen.open("/incidents/inc-0031")
    await page.get_by_text("Silence", exact=True).click()
    await page.get_by_label("Why").fill("moving a ra")

    quiet = shop.replaced(quiet=clock.wall(), rev=8)
    await screen.store.record(Step(clock.wall(), incidents=(quiet,), heard={"pay": clock.wall()}), 2)
    await page.get_by_label("Why").press_sequentially("ck")
    await page.wait_for_function("document.querySelector('#head').dataset.mark !== undefined")

    assert await page.get_by_label("Why").input_value() == "moving a rack"
    assert screen.wrong == []


async def test_the_page_fits_a_phone_and_says_when_it_is_cut_off(screen: Screen) -> None:
    await screen.store.record(shop.afternoon(), 1)
    page = await screen.open("/incidents/inc-0031", viewport={"width": 360, "height": 740})

    wide = await page.evaluate("document.documentElement.scrollWidth")
    screen.cut()

    assert wide <= 360
    await expect(page.locator("#lost")).to_be_visible()
    await expect(page.locator("#pulse")).to_have_text("not live")


async def test_every_control_can_be_reached_and_seen_by_keyboard(screen: Screen) -> None:
    await screen.store.record(shop.afternoon(), 1)
    page = await screen.open("/incidents/inc-0031")
    reached: list[list[str]] = []

    for _ in range(23):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate(FOCUSED))

    names = [name for name, _ in reached]
    named = {"Skip to content", "Services", "who", "Acknowledge", "Resolve", "Silence", "Approve", "Refuse"}
    assert named - set(names) == set()
    assert [name for name, outline in reached if outline == "none"] == []
