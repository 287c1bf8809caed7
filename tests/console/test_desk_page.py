"""The desk's page, the API of complaints and the customer's board: who sees what, and what may be said."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from pipeline.console.explained import sections
from pipeline.types import Step
from tests.console.cases import FIXED, SAID, at_the_desk, shifted
from tests.console.conftest import Site
from tests.console.shop import NOW

API = "/api/v1/complaints"


@pytest.fixture
async def desk(site: Site) -> Site:
    await site.store.record(at_the_desk(), 2)
    return site


async def test_the_promise_that_breaks_next_stands_first(desk: Site) -> None:
    page = await desk.page("/desk")

    order = [page.index(f'id="case-{id}"') for id in ("m1", "m2", "m4", "m3")]
    assert order == sorted(order)
    assert 'class="case broken" id="case-m1"' in page
    assert 'class="case at-risk" id="case-m2"' in page
    assert 'class="case stands" id="case-m3"' in page
    assert 'href="/incidents/inc-0031"' in page


async def test_what_customers_wrote_stays_text(desk: Site) -> None:
    page = await desk.page("/desk")

    assert "The lamp is &lt;b&gt;green&lt;/b&gt;" in page


async def test_the_desk_says_how_it_went(desk: Site) -> None:
    page = await desk.page("/desk")

    assert "respond late" in page
    assert "yes, 4 of 5" in page
    assert '<dd>4.0</dd><dd class="sub">of 5, 1 answer in 30 days' in page


async def test_a_reply_of_the_desk_goes_through_the_journal_with_personal_data_masked(desk: Site) -> None:
    answer = await desk.press(
        do="reply", complaint="m1", by="ann", text="Call +44 20 7946 0958", back="/desk"
    )

    (event,) = desk.commands
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert dict(event.labels) == {"do": "reply", "by": "ann", "complaint": "m1"}
    assert event.text == "Call <phone>"


async def test_the_api_tells_a_customer_how_far_it_is_and_nothing_internal(desk: Site) -> None:
    answer = await desk.client.get(f"{API}/m1")

    said = answer.json()
    assert (said["state"], said["says"]) == ("being looked at", "We are looking at it.")
    assert said["next"]["promise"] == "respond"
    assert not [word for word in ("payment", "inc-0031", "ada", "declined") if word in answer.text]


@pytest.mark.parametrize("id", ["SUP-1/2?x=1#3", "50%2F", "../m2", "a b+c", "投诉/1", "m9/"])
async def test_a_complaint_is_asked_for_whatever_stands_in_its_id(desk: Site, id: str) -> None:
    text = replace(SAID[1], id=id, customer="4/2 & more")
    case = replace(FIXED, complaint=id, customer="4/2 & more")
    await desk.store.record(Step(NOW, complaints=(text,), cases=(case,)), 3)
    place = f"{API}/{quote(id, safe='')}"

    shown = await desk.client.get(place)
    replied = await desk.client.post(f"{place}/reply", json={"by": "ann", "text": "Soon."})
    rated = await desk.client.post(f"{place}/rate", json={"helped": "yes"})
    why = await desk.client.get(f"/api/v1/explain/{quote(id, safe='')}")

    assert shown.json()["id"] == id
    assert (replied.status_code, rated.status_code, why.status_code) == (202, 202, 200)
    assert [e.labels["complaint"] for e in desk.commands] == [id, id]


async def test_a_board_is_shown_and_spoken_on_whatever_stands_in_its_customers_name(site: Site) -> None:
    case = replace(FIXED, complaint="m/9", customer="4/2 & more")
    await site.store.record(Step(NOW, complaints=(replace(SAID[1], id="m/9"),), cases=(case,)), 3)
    board = f"/board/{quote('4/2 & more', safe='')}"

    said = await site.client.post(f"{board}/say", data={"do": "rate", "complaint": "m/9", "helped": "yes"})

    assert (said.status_code, said.headers["location"]) == (303, "/board/4/2%20%26%20more")
    assert [e.labels["complaint"] for e in site.commands] == ["m/9"]


async def test_who_answered_is_us(desk: Site) -> None:
    said = (await desk.client.get(f"{API}/m2")).json()

    assert said["says"] == "我们正在处理。"
    assert [(m["from"], m["text"]) for m in said["messages"]] == [("us", "We are looking at your payments.")]


async def test_satisfaction_is_asked_at_the_end_only(desk: Site) -> None:
    asks = {id: (await desk.client.get(f"{API}/{id}")).json()["asks"] for id in ("m1", "m4", "m5")}

    assert asks["m4"].startswith("Did we help?")
    assert (asks["m1"], asks["m5"]) == (None, None)


async def test_a_rating_becomes_a_command(desk: Site) -> None:
    answer = await desk.client.post(f"{API}/m4/rate", json={"helped": "yes", "score": 5})

    assert answer.status_code == 202
    wanted = {"do": "rate", "by": "customer", "complaint": "m4", "helped": "yes", "score": "5"}
    assert [dict(e.labels) for e in desk.commands] == [wanted]


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        pytest.param("m4/rate", {"helped": "perhaps"}, 400, "helped: expected yes or no", id="no rating"),
        pytest.param("m4/rate", {"helped": "no", "score": 9}, 400, "score: expected 1", id="a wrong score"),
        pytest.param(
            "m1/rate", {"helped": "yes"}, 409, "rate: not while it is being looked at", id="too early"
        ),
        pytest.param("m1/reply", {}, 400, "text: expected what to tell", id="an empty reply"),
        pytest.param("m5/reply", {"text": "x"}, 409, "reply: not while it is closed", id="it is closed"),
        pytest.param("m9/close", {}, 404, "no such complaint", id="nobody's"),
        pytest.param("m1/close", [1], 400, "expected a JSON object", id="no object"),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_reason(
    desk: Site, path: str, body: object, status: int, why: str
) -> None:
    answer = await desk.client.post(f"{API}/{path}", json=body)

    assert (answer.status_code, desk.commands) == (status, [])
    assert answer.text.startswith(why)


async def test_a_board_shows_its_customers_complaints_and_nobody_elses(desk: Site) -> None:
    page = await desk.page("/board/harbour-cafe")

    assert "My basket was empty again" in page
    assert "fixed - please confirm" in page
    assert "Which lamp was it?" in page
    assert "parcel" not in page
    assert "ada" not in page


async def test_a_board_admits_a_promise_that_broke_and_names_the_next(desk: Site) -> None:
    late, kept = await desk.page("/board/harbour-cafe"), await desk.page("/board/north-books")

    assert "We are looking at it. We promised an answer by <time" in late
    assert "我们正在处理。 You hear more by <time" in kept


async def test_what_is_closed_may_be_opened_again_on_the_board(desk: Site) -> None:
    page = await desk.page("/board/north-books")

    assert page.count('name="do" value="reopen"') == 1
    assert "Open it again" in page


async def test_an_answer_to_a_mail_to_many_says_so_at_the_desk_and_where_it_is_explained(site: Site) -> None:
    why = 'an answer to a mail that was sent to many: "spring is here"'
    step = at_the_desk()
    said = tuple(replace(c, aside=why) if c.id == "m4" else c for c in step.complaints)
    await site.store.record(replace(step, complaints=said), 2)

    page = await site.page("/desk")
    told = (await site.client.get("/api/v1/explain/m4")).json()

    assert page.count("an answer to a mail that was sent to many: &#34;spring is here&#34;") == 1
    assert [one["aside"] for one in told["this"]] == [why]
    assert ("counts to no surge", why) in [row for _, rows in sections(told) for row in rows]


async def test_what_was_closed_more_than_a_week_ago_offers_nothing_and_takes_nothing(site: Site) -> None:
    await site.store.record(shifted(-8 * 86400.0), 2)

    page = await site.page("/board/north-books")
    answer = await site.client.post(f"{API}/m5/reopen", json={"text": "again"})

    assert "Where is my parcel?" in page
    assert "Open it again" not in page
    assert (answer.status_code, answer.text) == (409, "reopen: not while it is closed\n")
    assert site.commands == []


async def test_a_customer_says_on_the_board_that_it_works(desk: Site) -> None:
    fields = {"do": "rate", "complaint": "m4", "helped": "yes", "score": "4", "incident": "inc-0031"}

    answer = await desk.client.post("/board/harbour-cafe/say", data=fields)

    (event,) = desk.commands
    assert (answer.status_code, answer.headers["location"]) == (303, "/board/harbour-cafe")
    assert (event.labels["complaint"], event.labels["helped"]) == ("m4", "yes")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"do": "rate", "complaint": "m5", "helped": "no"}, id="another customer's complaint"),
        pytest.param({"do": "close", "complaint": "m4"}, id="a word of the desk"),
        pytest.param({"do": "stop"}, id="the kill switch"),
    ],
)
async def test_a_board_takes_nothing_else(desk: Site, fields: dict[str, str]) -> None:
    answer = await desk.client.post("/board/harbour-cafe/say", data=fields)

    assert (answer.status_code, desk.commands) == (404, [])


async def test_another_sites_page_cannot_rate(desk: Site) -> None:
    fields = {"do": "rate", "complaint": "m4", "helped": "no"}

    answer = await desk.client.post(
        "/board/harbour-cafe/say", data=fields, headers={"Origin": "https://evil.example"}
    )

    assert (answer.status_code, desk.commands) == (403, [])


async def test_the_desk_of_a_quiet_day_says_so(site: Site) -> None:
    assert "No complaint is open." in await site.page("/desk")
