"""The contract of every store for cases: the newest word counts, what breaks first comes first."""

from __future__ import annotations

from dataclasses import replace

from pipeline.store import Store
from pipeline.types import Case, Mark, Outcome, Progress, Promise, Step
from tests.test_store import ACTION, COMPLAINT
from tests.test_store import kind as kind
from tests.test_store import store as store

CASE = Case(
    "m1", "acme", "en", "1 cannot pay", ("pay",), "", (Mark(110.0, "received", "customer"),),
    Progress.RECEIVED, (Promise("respond", 110.0, 150.0, 160.0), Promise("resolve", 110.0, None, None)),
    rev=1,
)  # fmt: skip


def closed(case: Case, at: float) -> Case:
    marks = (*case.marks, Mark(at, "closed", "ann"))
    return replace(case, marks=marks, progress=Progress.CLOSED, promises=(), rev=case.rev + 1)


async def test_a_case_comes_back_as_it_went_in(store: Store) -> None:
    await store.record(Step(110.0, cases=(CASE,)), 1)

    assert await store.case("m1") == CASE
    assert await store.case("m2") is None


async def test_an_older_word_of_a_case_never_replaces_a_newer_one(store: Store) -> None:
    newer = closed(CASE, 200.0)
    await store.record(Step(200.0, cases=(newer,)), 2)

    await store.record(Step(110.0, cases=(CASE,)), 1)

    assert await store.case("m1") == newer


async def test_open_cases_come_in_the_order_in_which_their_promises_break(store: Store) -> None:
    soon = replace(CASE, complaint="m2", promises=(Promise("update", 110.0, 111.0, 112.0),))
    stands = replace(CASE, complaint="m3", customer="bela", promises=())
    over = closed(replace(CASE, complaint="m4"), 115.0)
    await store.record(Step(120.0, cases=(CASE, soon, stands, over)), 1)

    assert [c.complaint for c in await store.cases(open_only=True)] == ["m2", "m1", "m3"]
    assert [c.complaint for c in await store.cases(customer="acme", limit=2)] == ["m1", "m2"]


async def test_cases_of_a_time_are_those_under_way_in_it(store: Store) -> None:
    over, later = closed(CASE, 150.0), replace(CASE, complaint="m2", marks=(Mark(300.0, "received"),))
    await store.record(Step(300.0, cases=(over, later)), 1)

    found = {
        span: [c.complaint for c in await store.cases_between(*span)]
        for span in ((0.0, 110.0), (150.0, 300.0), (151.0, 301.0))
    }

    assert found == {(0.0, 110.0): [], (150.0, 300.0): ["m1"], (151.0, 301.0): ["m2"]}


async def test_a_closed_case_is_forgotten_with_what_was_told_of_it_and_an_open_one_is_not(
    store: Store,
) -> None:
    old, still = closed(CASE, 150.0), replace(CASE, complaint="m2")
    said = tuple(replace(COMPLAINT, id=id) for id in ("m1", "m2"))
    told = replace(ACTION, key="complaint/m1/ask/x", incident="complaint/m1")
    await store.record(Step(150.0, complaints=said, cases=(old, still), actions=(told,)), 1)
    await store.claim(told.key, 150.0)
    await store.finish(told, Outcome(True, "HTTP 200", 0.1), 151.0)

    await store.forget(200.0)

    assert (await store.case("m1"), await store.case("m2")) == (None, still)
    assert [c.id for c in await store.complaints(["m1", "m2"])] == ["m2"]
    assert await store.actions("complaint/m1") == ()
