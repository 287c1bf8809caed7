"""Names that customers may have for services stand on the desk, to be accepted or dismissed by a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httpx
import pytest
from starlette.applications import Starlette

from pipeline import console
from pipeline.complaints import Names
from pipeline.complaints.proposals import Alias, Proposal
from pipeline.frame import Frame
from pipeline.topology import Service, Topology
from pipeline.types import Event
from tests.console import shop
from tests.console.cases import at_the_desk
from tests.console.conftest import Site

TROLLEY = Proposal("cart", "<b>trolley", 8, 11, 0.004, ("surge-a", "inc-7"), "my <b>trolley is empty")
NAMES = Names((TROLLEY,), (Alias("cart", "basket", "ada", shop.NOW - 60),), ("card declined",))
SHOP = Topology({**shop.TOPOLOGY.services, "cart": Service(), "payment": Service()})


@dataclass
class Desk:
    client: httpx.AsyncClient
    asked: list[Event] = field(default_factory=list)


@pytest.fixture
async def desk(site: Site) -> AsyncIterator[Desk]:
    asked: list[Event] = []

    async def submit(frame: Frame) -> None:
        asked.extend(frame.events)

    async def names() -> Names:
        return NAMES

    await site.store.record(at_the_desk(), 2)
    routes = console.routes(site.store, submit, lambda: shop.NOW, lambda: SHOP, names=names)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://forewarn") as client:
        yield Desk(client, asked)


async def test_a_proposal_stands_on_the_desk_with_what_speaks_for_it(desk: Desk) -> None:
    page = (await desk.client.get("/desk")).text

    for said in (
        "&lt;b&gt;trolley",
        "8 of 11 customers",
        "at most 0.4 % of complaints",
        "my &lt;b&gt;trolley is empty",
        'title="surge-a, inc-7"',
        "accepted by ada",
        "1 name that customers may have for services waits for your word",
    ):
        assert said in page, said


async def test_a_desk_without_proposals_says_nothing_of_them(site: Site) -> None:
    assert "What customers may call" not in await site.page("/desk")


@pytest.mark.parametrize("do", ["alias", "dismiss", "unalias"])
async def test_a_click_becomes_a_command(desk: Desk, do: str) -> None:
    fields = {"do": do, "service": "cart", "alias": "trolley", "by": "ann", "back": "/desk"}

    answer = await desk.client.post("/do", data=fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert [dict(e.labels) for e in desk.asked] == [
        {"do": do, "by": "ann", "service": "cart", "alias": "trolley"}
    ]


async def test_a_program_reads_and_answers_proposals(desk: Desk) -> None:
    said = (await desk.client.get("/api/v1/aliases")).json()
    fields = {"service": "cart", "alias": "trolley", "by": "bot"}
    answers = [
        await desk.client.post(f"/api/v1/aliases{way}", json=fields) for way in ("", "/dismiss", "/unalias")
    ]

    assert [(p["service"], p["voices"], p["elsewhere"]) for p in said["proposed"]] == [("cart", 8, 0.004)]
    assert [(a["alias"], a["by"]) for a in said["given"]] == [("basket", "ada")]
    assert [a.status_code for a in answers] == [202] * 3
    assert [e.labels["do"] for e in desk.asked] == ["alias", "dismiss", "unalias"]


@pytest.mark.parametrize(
    ("body", "status", "why"),
    [
        pytest.param({"service": "cart"}, 400, "alias: expected service and alias", id="no name"),
        pytest.param({"service": "kart", "alias": "x"}, 404, "service: no such service", id="nobody's"),
        pytest.param([1], 400, "expected a JSON object", id="no object"),
    ],
)
async def test_what_is_no_name_of_a_service_is_refused(
    desk: Desk, body: object, status: int, why: str
) -> None:
    answer = await desk.client.post("/api/v1/aliases", json=body)

    assert (answer.status_code, desk.asked) == (status, [])
    assert answer.text.startswith(why)


async def test_who_closes_a_complaint_may_say_what_it_was_about(desk: Desk) -> None:
    page = (await desk.client.get("/desk")).text
    fields = {"do": "close", "complaint": "m1", "topic": "card +44 20 7946 0958", "service": "payment"}
    answer = await desk.client.post("/do", data={**fields, "by": "ann"})

    assert '<option value="payment" selected>' in page
    assert '<option value="card declined">' in page
    assert answer.status_code == 303
    assert [dict(e.labels) for e in desk.asked] == [
        {"do": "close", "by": "ann", "complaint": "m1", "topic": "card <phone>", "service": "payment"}
    ]


async def test_a_program_closes_with_topic_and_service(desk: Desk) -> None:
    answer = await desk.client.post(
        "/api/v1/complaints/m1/close", json={"by": "ann", "topic": "card declined", "service": "payment"}
    )

    assert answer.status_code == 202
    assert (desk.asked[0].labels["topic"], desk.asked[0].labels["service"]) == ("card declined", "payment")


async def test_another_word_of_the_desk_carries_no_topic(desk: Desk) -> None:
    await desk.client.post("/api/v1/complaints/m1/reply", json={"text": "soon", "topic": "x", "service": "y"})

    assert sorted(desk.asked[0].labels) == ["by", "complaint", "do"]
