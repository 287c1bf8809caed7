"""The page of topics says what customers complain of, since when, whom it hits, and what surges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from pipeline import console
from pipeline.complaints.topic_notes import Topic
from pipeline.console.topics import trend
from pipeline.frame import Frame
from pipeline.types import Step
from tests.console import shop
from tests.console.conftest import Site

DECLINED = Topic(
    id=7,
    name="7 My card is <b>declined</b>",
    label="card declined, terminal",
    typical="Our card <b>terminal</b> declines all",
    first=shop.NOW - 3 * 86400,
    last=shop.NOW - 60,
    count=31,
    trend=(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5, 20),
    customers=("north-books", "harbour-cafe"),
    affected=12,
    versions=(("3.1.0", 9), ("3.0.2", 2)),
    was=(9,),
)
LATE = replace(
    DECLINED,
    id=3,
    name="3 Where is it",
    label="parcel, late",
    typical="Where is my parcel?",
    was=(),
    versions=(),
)


async def both() -> Sequence[Topic]:
    return LATE, DECLINED


@pytest.fixture
async def client(site: Site) -> httpx.AsyncClient:
    """The shop on its bad afternoon, while the topic that was once called 9 surges."""

    async def submit(frame: Frame) -> None:
        raise AssertionError(frame)

    surging = replace(shop.SURGE, series="9 Card says no")
    burning = replace(shop.INCIDENT, signals=(*shop.INCIDENT.signals[:-1], surging), rev=20)
    await site.store.record(Step(shop.NOW, incidents=(burning,)), 2)
    routes = console.routes(site.store, submit, lambda: shop.NOW, lambda: shop.TOPOLOGY, topics=both)
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=routes)), base_url="http://forewarn"
    )


async def test_a_topic_shows_label_typical_sentence_trend_customers_and_versions(
    client: httpx.AsyncClient,
) -> None:
    text = (await client.get("/complaints")).text

    for said in (
        "card declined, terminal",
        "topic 7, with 9",
        "Our card &lt;b&gt;terminal&lt;/b&gt; declines all",
        'aria-label="complaints a day, today last: 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4, 5, 20"',
        "19 Nov 14:00",  # first seen
        "harbour-cafe, north-books, …",
        "3.1.0 <small>9</small>",
    ):
        assert said in text, said


async def test_a_surge_is_found_under_the_topic_that_took_its_own_in_and_comes_first(
    client: httpx.AsyncClient,
) -> None:
    text = (await client.get("/complaints")).text

    assert text.index("card declined, terminal") < text.index("parcel, late")
    assert text.count('<span class="chip open">surge</span>') == 1
    assert 'href="/incidents/inc-0031"' in text


async def test_the_api_tells_the_same(client: httpx.AsyncClient) -> None:
    found = (await client.get("/api/v1/topics")).json()

    assert [one["id"] for one in found] == [7, 3]
    assert found[0]["surge"] == {
        "id": "s-say", "since": shop.SURGE.since, "customers": 5.0, "incident": "inc-0031",
        "state": "confirmed",
    }  # fmt: skip
    assert found[0]["versions"] == [["3.1.0", 9], ["3.0.2", 2]]
    assert found[1]["surge"] is None


async def test_the_desk_is_warned_of_a_surge_that_emerges_and_of_no_other(site: Site) -> None:
    emerging = replace(shop.SURGE, labels={"state": "emerging"}, page=False, reason="3 say <b>no</b>")
    burning = replace(shop.INCIDENT, signals=(*shop.INCIDENT.signals[:-1], emerging), rev=20)

    before = await site.page("/desk")
    await site.store.record(Step(shop.NOW, incidents=(burning,)), 2)
    after = await site.page("/desk")

    assert "Emerging, nobody paged yet" not in before
    assert "Emerging, nobody paged yet: 3 say &lt;b&gt;no&lt;/b&gt;" in after


async def test_without_an_engine_beside_it_the_page_says_that_nothing_was_heard(site: Site) -> None:
    assert "No complaint has been heard yet." in await site.page("/complaints")


def test_the_busiest_day_fills_the_height_and_a_day_without_complaints_has_no_bar() -> None:
    drawn = str(trend((0, 1, 4)))

    assert drawn.count("<rect") == 2
    assert 'y="21.0" width="38.0" height="7.0"' in drawn
    assert 'y="0.0" width="38.0" height="28.0"' in drawn


def test_a_topic_without_days_draws_nothing() -> None:
    assert "<rect" not in trend(())
