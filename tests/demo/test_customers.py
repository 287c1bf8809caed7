"""When a customer of the demo complains, and in which words."""

from __future__ import annotations

import json
import random
import time

import httpx
import pytest

from pipeline.demo import customers, words
from pipeline.demo.customers import PEOPLE, REST, WITHIN, Customer, Mood, Person


def mood(patience: int) -> Mood:
    return Mood(patience, random.Random(7))


def test_a_customer_who_is_served_well_never_complains() -> None:
    content = mood(2)

    assert [content.tried("", now) for now in range(100)] == [None] * 100


def test_the_last_straw_sets_a_complaint_on_its_way_after_a_persons_delay() -> None:
    patient = mood(3)

    delays = [patient.tried("failed", now) for now in (0.0, 5.0, 9.0)]

    assert delays[:2] == [None, None]
    assert 25.0 <= (delays[2] or 0.0) <= 90.0


def test_bad_tries_that_lie_far_apart_do_not_add_up() -> None:
    forgiving = mood(2)

    assert [forgiving.tried("slow", k * (WITHIN + 1)) for k in range(5)] == [None] * 5


def test_a_customer_who_has_written_does_not_write_again_for_a_while() -> None:
    angry = mood(2)
    angry.tried("failed", 0.0)
    angry.tried("failed", 1.0)

    soon = [angry.tried("failed", 2.0 + k) for k in range(20)]
    later = [angry.tried("failed", REST + 2.0 + k) for k in range(2)]

    assert soon == [None] * 20
    assert later[0] is None
    assert later[1] is not None


@pytest.mark.parametrize(
    ("took", "since_trouble", "helped", "scores"),
    [
        pytest.param(60.0, 120.0, "yes", (4, 5), id="soon, and it works"),
        pytest.param(300.0, 120.0, "yes", (3, 4), id="later"),
        pytest.param(800.0, 120.0, "yes", (2, 3), id="late"),
        pytest.param(60.0, 5.0, "no", (1, 2), id="it still fails"),
    ],
)
def test_what_a_customer_answers_depends_on_how_it_went(
    took: float, since_trouble: float, helped: str, scores: tuple[int, int]
) -> None:
    angry = mood(9)
    angry.tried("failed", 1_000.0 - since_trouble)

    answers = [angry.rates(took, 1_000.0) for _ in range(30)]

    assert {said["helped"] for said in answers} == {helped}
    assert {said["score"] for said in answers} == set(scores)


async def test_a_customer_answers_once_when_asked_and_never_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(customers, "LOOK", 0.0)
    asked, posts = iter([None, None, "Did we help?"]), list[bytes]()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            posts.append(request.url.path.encode() + b" " + request.content)
            return httpx.Response(202)
        return httpx.Response(200, json={"asks": next(asked)})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        person = Customer(PEOPLE[0], "http://shop", "http://forewarn", 1, client)
        await person.rate("c1", time.monotonic())

    assert [post.split(b" ")[0] for post in posts] == [b"/api/v1/complaints/c1/rate"]
    assert json.loads(posts[0].split(b" ", 1)[1])["helped"] == "yes"


def test_the_same_seed_makes_the_same_customers() -> None:
    patience = [[Mood.of(p, seed).patience for p in PEOPLE] for seed in (1, 1, 2)]

    assert patience[0] == patience[1] != patience[2]


@pytest.mark.parametrize("person", PEOPLE, ids=lambda p: p.name)
@pytest.mark.parametrize("step", ["browse", "cart", "checkout"])
@pytest.mark.parametrize("trouble", ["failed", "slow"])
def test_everybody_finds_words_for_every_trouble(person: Person, step: str, trouble: str) -> None:
    assert words.complaint(person.lang, step, trouble, random.Random(0))
