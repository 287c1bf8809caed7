"""What the page Answers and its API say, over a real store; what they post."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from pipeline import console
from pipeline.frame import Frame
from pipeline.knowledge import Article
from pipeline.store import sqlite
from pipeline.types import Case, Complaint, Event, Mark, Progress, Step
from tests.console import shop
from tests.console.conftest import Site

ARTICLES = (
    Article(
        "refund", {"en": "When a refund arrives", "zh": "退款多久到账"},
        {"en": "Within five working days.", "zh": "五个工作日内到账。"},
        {"en": ("where is my refund", "how long does a refund take", "refund not on my card yet"),
         "zh": ("退款什么时候到账", "还没收到退款")},
    ),
    Article(
        "password", "Reset a password", "Press <b>Forgot</b> below the form.",
        {"en": ("I forgot my password", "how do I reset my password", "cannot log in, wrong password"),
         "zh": ("忘记密码了怎么办", "怎么重置密码")},
    ),
    Article(
        "invoice", "Get an invoice", "It is in your orders.",
        {"en": ("I need an invoice", "invoice with our tax number", "download the invoice of my order"),
         "zh": ("怎么开发票", "发票开错了")},
    ),
)  # fmt: skip


def case(id: str, text: str, answer: str, **more: Any) -> tuple[Case, Complaint]:
    """Return a complaint that the desk has closed with an answer."""
    at = shop.NOW - 4000
    marks = (
        Mark(at, "received", "customer"),
        Mark(at + 60, "reply", "ann", answer),
        Mark(at + 90, "closed", "ann"),
    )
    told = Case(id, "north-books", "en", "4 slip", ("front",), "", marks, Progress.CLOSED, ())
    return replace(told, **more), Complaint(id, at, "north-books", "mail", "en", text, "4 slip", "", ())


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Site]:
    """The shop on its bad afternoon, with a knowledge base and a complaint that was solved."""
    store = sqlite.open(tmp_path)
    posted: list[Frame] = []

    async def submit(frame: Frame) -> int:
        posted.append(frame)
        await store.record(Step(shop.NOW, commands=frame.events), 10 + len(posted))
        return len(posted)

    routes = console.routes(store, submit, lambda: shop.NOW, lambda: shop.TOPOLOGY, articles=lambda: ARTICLES)
    transport = httpx.ASGITransport(Starlette(routes=routes))
    async with httpx.AsyncClient(transport=transport, base_url="http://forewarn") as client:
        await store.record(shop.afternoon(), 1)
        yield Site(store, client, posted)
    await store.close()


async def ask(desk: Site, text: str, **more: str) -> dict[str, Any]:
    answer = await desk.client.post("/api/v1/answers", json={"text": text, **more})
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def test_a_question_in_the_callers_words_finds_its_article(desk: Site) -> None:
    told = await ask(desk, "my refund is not there yet")

    first = told["suggestions"][0]
    assert (first["answer"], first["title"]) == ("article/refund", "When a refund arrives")
    assert first["text"] == "Within five working days."
    assert first["why"].startswith('like "')


async def test_a_chinese_caller_is_answered_in_chinese(desk: Site) -> None:
    told = await ask(desk, "退款还没到账")

    assert told["suggestions"][0]["text"] == "五个工作日内到账。"


async def test_an_unrelated_question_is_answered_with_i_do_not_know(desk: Site) -> None:
    told = await ask(desk, "what is the tallest mountain")

    assert (told["known"], told["suggestions"]) == (False, [])
    assert told["why"].startswith("nothing here is near enough")


async def test_what_may_be_told_of_an_open_incident_comes_first(desk: Site) -> None:
    told = await ask(desk, "I forgot my password", customer="harbour-cafe")

    assert [(t["service"], t["state"]) for t in told["now"]] == [
        ("checkout", "investigating"),
        ("payment", "investigating"),
    ]
    assert told["now"][1]["text"] == (
        "Payments: we noticed a disturbance at 13:51 UTC and are looking for its cause."
    )


async def test_a_customer_who_is_not_touched_is_told_nothing(desk: Site) -> None:
    assert (await ask(desk, "where is my refund", customer="north-books"))["now"] == []


async def test_what_may_be_told_names_no_suspect_no_customer_and_no_number(desk: Site) -> None:
    said = " ".join(t["text"] for t in (await ask(desk, "hello", customer="harbour-cafe"))["now"])

    assert not any(word in said for word in ("2.4.1", "deploy", "latency", "north-books", "P1"))


async def test_a_complaint_that_was_taken_in_is_looked_up_by_its_id(desk: Site) -> None:
    answer = await desk.client.get("/api/v1/complaints/m1/answers")

    assert [t["service"] for t in answer.json()["now"]] == ["checkout", "payment"]
    assert (await desk.client.get("/api/v1/complaints/nobody/answers")).status_code == 404


async def test_a_complaint_that_the_desk_solved_answers_the_next_one_like_it(desk: Site) -> None:
    told, complaint = case("c1", "the parcel came without a packing slip", "Print it under Orders, Papers.")
    await desk.store.record(Step(shop.NOW, complaints=(complaint,), cases=(told,)), 2)

    found = (await ask(desk, "our parcel came without its packing slip"))["suggestions"]

    assert [(s["answer"], s["kind"], s["text"]) for s in found] == [
        ("solved/c1", "solved", "Print it under Orders, Papers.")
    ]


async def test_an_answer_that_did_not_help_its_customer_is_not_suggested(desk: Site) -> None:
    told, complaint = case("c1", "the parcel came without a packing slip", "Print it.", helped=False)
    await desk.store.record(Step(shop.NOW, complaints=(complaint,), cases=(told,)), 2)

    assert (await ask(desk, "our parcel came without its packing slip"))["suggestions"] == []


async def test_an_outcome_is_journaled_and_shows_in_the_reason(desk: Site) -> None:
    said = {"answer": "refund", "helped": False, "by": "ann"}
    answer = await desk.client.post("/api/v1/answers/outcome", json=said)

    (event,) = desk.commands
    assert (answer.status_code, event.labels) == (
        202,
        {"do": "unhelpful", "by": "ann", "answer": "article/refund"},
    )
    why = (await ask(desk, "where is my refund"))["suggestions"][0]["why"]
    assert "helped 0 of 1 times, so its score counts 0.92 times" in why


async def test_an_outcome_of_a_complaint_carries_its_topic(desk: Site) -> None:
    await desk.client.post("/api/v1/complaints/m1/outcome", json={"article": "refund", "helped": True})

    event: Event = desk.commands[0]
    assert (event.labels["topic"], event.labels["complaint"]) == ("card declined", "m1")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/v1/answers", "[]", 400),
        ("/api/v1/answers", "{", 400),
        ("/api/v1/answers", "{}", 400),
        ("/api/v1/answers/outcome", '{"answer": "nothing", "helped": true}', 404),
        ("/api/v1/answers/outcome", '{"answer": "refund", "helped": "perhaps"}', 400),
        ("/api/v1/complaints/nobody/outcome", '{"answer": "refund", "helped": true}', 404),
    ],
)
async def test_what_cannot_be_read_is_refused(desk: Site, path: str, body: str, status: int) -> None:
    answer = await desk.client.post(path, content=body)

    assert (answer.status_code, desk.commands) == (status, [])


async def test_the_page_answers_a_form_and_escapes_what_was_typed(desk: Site) -> None:
    html = (await desk.client.post("/answers", data={"text": "<i>reset</i> my password, I forgot it"})).text

    assert "Reset a password" in html
    assert "Press &lt;b&gt;Forgot&lt;/b&gt; below" in html
    assert "<i>reset" not in html


async def test_a_script_gets_the_answers_without_the_page_around_them(desk: Site) -> None:
    html = (await desk.client.post("/answers", data={"text": "sing me a song"}, headers={"x-part": "1"})).text

    assert html.lstrip().startswith("<h2>I don't know</h2>")


async def test_a_button_of_the_page_notes_the_outcome(desk: Site) -> None:
    answer = await desk.client.post("/answers/outcome", data={"answer": "article/refund", "do": "helped"})

    assert (answer.status_code, answer.headers["location"]) == (303, "/answers")
    assert desk.commands[0].labels["do"] == "helped"


async def test_nothing_that_is_typed_is_journaled(desk: Site) -> None:
    await ask(desk, "my card 4111 1111 1111 1111 was charged twice")

    assert desk.posted == []


async def test_without_a_knowledge_base_the_page_says_so(site: Site) -> None:
    told = await ask(site, "where is my refund")

    assert told["why"] == "no knowledge base is configured and nothing was solved yet"
