"""A real Chromium at the desk: an answer goes out by keyboard, and a customer says that it works."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from pipeline import clock
from pipeline.types import Step
from tests.console import cases, shop
from tests.console.test_browser import Screen
from tests.console.test_browser import screen as screen

pytestmark = pytest.mark.browser


async def fill(screen: Screen) -> None:
    await screen.store.record(shop.afternoon(), 1)
    await screen.store.record(cases.shifted(clock.wall() - shop.NOW), 2)


async def test_an_answer_is_written_and_sent_by_keyboard(screen: Screen) -> None:
    await fill(screen)
    page = await screen.open("/desk")
    await page.get_by_label("You").fill("ann")
    first = page.locator("#case-m1")

    await first.get_by_label("To the customer").fill("We are on it")
    await page.keyboard.press("Enter")
    event = await asyncio.wait_for(screen.asked.get(), 10)

    await expect(first.locator(".clock")).to_contain_text("respond was due 18 min ago")
    assert dict(event.labels) == {"do": "reply", "by": "ann", "complaint": "m1"}
    assert event.text == "We are on it"
    assert screen.wrong == []


async def test_a_new_complaint_appears_without_a_reload(screen: Screen) -> None:
    page = await screen.open("/desk")
    await expect(page.get_by_text("No complaint is open.")).to_be_visible()

    await fill(screen)

    await expect(page.locator(".case")).to_have_count(4)
    assert await page.evaluate("window.untouched")


async def test_a_customer_says_on_the_board_that_it_works(screen: Screen) -> None:
    await fill(screen)
    page = await screen.open("/board/harbour-cafe")

    await page.get_by_label("Score").select_option("5")
    await page.get_by_role("button", name="Yes, it works").click()
    event = await asyncio.wait_for(screen.asked.get(), 10)

    assert event.labels["complaint"] == "m4"
    assert (event.labels["helped"], event.labels["score"]) == ("yes", "5")
    await expect(page.get_by_text("What you told us")).to_be_visible()
    assert screen.wrong == []


@pytest.mark.parametrize("path", ["/desk", "/board/harbour-cafe"])
async def test_it_fits_a_phone(screen: Screen, path: str) -> None:
    await fill(screen)
    page = await screen.open(path, viewport={"width": 360, "height": 740})

    assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_what_is_typed_at_the_desk_outlives_a_change_of_the_page(screen: Screen) -> None:
    await fill(screen)
    page = await screen.open("/desk")
    field = page.locator("#case-m2").get_by_label("To the customer")
    await field.fill("We found")

    await screen.store.record(Step(clock.wall(), heard={"pay": clock.wall()}), 3)
    await field.press_sequentially(" it")

    assert await field.input_value() == "We found it"


async def test_a_complaint_is_closed_with_what_it_was_about(screen: Screen) -> None:
    await fill(screen)
    page = await screen.open("/desk")
    first = page.locator("#case-m1")

    await first.get_by_text("Close, and say what it was about").click()
    about = first.locator(".about")
    await about.get_by_label("Topic").fill("card declined")
    await about.get_by_label("Service").select_option("payment")
    await about.get_by_role("button", name="Close").click()
    event = await asyncio.wait_for(screen.asked.get(), 10)

    assert (event.labels["do"], event.labels["complaint"]) == ("close", "m1")
    assert (event.labels["topic"], event.labels["service"]) == ("card declined", "payment")
    assert screen.wrong == []
