"""A complaint's way from received to closed, and the promises on it: through the real pipeline."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config, snapshot
from pipeline.flow import Pipeline
from pipeline.follow import standing
from pipeline.follow import state as bounds
from pipeline.types import Batch, Event, Progress
from tests.following import KNOWN, OVER, T0, Desk, berlin, desk, incident, settings, written


def test_a_complaint_goes_with_its_incident_until_it_is_fixed() -> None:
    stage = desk()
    found = [stage.cases["m1"].progress]
    story: tuple[dict[str, Any], ...] = ({"paged": None}, {}, KNOWN, OVER)

    for k, changes in enumerate(story):
        stage.at(T0 + 60 * (k + 1), touched=(incident(**changes),))
        found.append(stage.cases["m1"].progress)

    assert found == [
        Progress.RECEIVED, Progress.RECEIVED, Progress.LOOKED_AT, Progress.CAUSE_KNOWN, Progress.FIXED
    ]  # fmt: skip
    assert stage.cases["m1"].incident == "i1"


def test_what_comes_back_with_its_incident_is_looked_at_again() -> None:
    stage = desk()
    stage.at(T0 + 300, touched=(incident(**OVER),))

    stage.at(T0 + 400, touched=(incident(),))

    assert stage.cases["m1"].progress == Progress.LOOKED_AT


def test_a_customers_no_outweighs_the_incident_that_says_it_is_over() -> None:
    stage = desk()
    stage.at(T0 + 300, touched=(incident(**OVER),))
    stage.say(T0 + 400, "rate", helped="no", score="1")

    stage.at(T0 + 401, touched=(incident(**OVER, rev=9),))

    assert (stage.cases["m1"].progress, stage.cases["m1"].score) == (Progress.LOOKED_AT, 1)


def test_a_customers_yes_closes_and_is_kept_with_the_score() -> None:
    stage = desk()
    stage.say(T0 + 60, "fixed", text="The till is back.")

    stage.say(T0 + 120, "rate", helped="yes", score="5")

    case = stage.cases["m1"]
    assert (case.progress, case.helped, case.score) == (Progress.CLOSED, True, 5)


def test_what_a_customer_is_told_holds_no_internal_word() -> None:
    stage = desk()

    stage.at(T0 + 300, touched=(incident(**OVER, title="pay-7.internal leaks"),))

    (told,) = [a.args for a in stage.actions if a.args["receiver"] == "portal"]
    assert told["notice"]["because"].startswith("It should work again.")
    assert not {"payment", "pay-7.internal", "i1"} & set(str(told).replace("'", " ").split())


def test_a_promise_is_warned_of_once_before_it_breaks_and_told_once_when_it_broke() -> None:
    stage = desk(update="0", resolve="0")

    stage.until(T0 + 3600)

    assert stage.warned == [(480, "respond", "warned"), (610, "respond", "broken")]


@pytest.mark.parametrize(
    "do",
    [
        pytest.param("reply", id="an answer"),
        pytest.param("close", id="closed"),
        pytest.param("ask", id="asked"),
    ],
)
def test_what_a_person_says_in_time_keeps_the_promise_to_respond(do: str) -> None:
    stage = desk(update="0", resolve="0")

    stage.say(T0 + 400, do)
    stage.until(T0 + 3600, T0 + 400)

    assert stage.warned == []
    assert stage.cases["m1"].promises[0].ended == T0 + 400


def test_that_a_machine_has_found_the_incident_is_no_answer() -> None:
    stage = desk(update="0", resolve="0")

    stage.at(T0 + 60, touched=(incident(),))
    stage.until(T0 + 3600, T0 + 60)

    assert [what for _, _, what in stage.warned] == ["warned", "broken"]


def test_each_word_starts_the_promise_of_the_next_one() -> None:
    stage = desk(respond="0", resolve="0", update="10m")
    stage.say(T0 + 400, "reply")
    stage.until(T0 + 800, T0 + 400)

    stage.until(T0 + 900, T0 + 800)

    assert stage.warned == [(880, "update", "warned")]


def test_the_clock_stands_while_the_customer_is_asked_something() -> None:
    stage = desk(respond="0", update="0", resolve="1h")
    stage.say(T0 + 600, "ask", text="Which card?")
    stage.until(T0 + 86400, T0 + 600, beat=600)
    stage.say(T0 + 86400, "answer", by="customer")

    (left,) = [p for p in stage.cases["m1"].promises if p.what == "resolve"]

    assert stage.warned == []
    assert left.due == pytest.approx(T0 + 86400 + 3000, abs=0.01)


def test_an_opened_again_complaint_has_the_time_left_that_it_had() -> None:
    stage = desk(respond="0", update="0", resolve="1h")
    stage.say(T0 + 600, "fixed")
    stage.say(T0 + 5000, "reopen", by="customer")

    assert stage.cases["m1"].promises[-1].due == pytest.approx(T0 + 5000 + 3000, abs=0.01)


def test_an_urgent_complaint_does_not_wait_for_the_morning() -> None:
    night = berlin("2026-05-13T22:00")  # 14 May is a holiday
    stage = Desk(settings(hours=yaml.safe_load(HOURS)))

    stage.at(night, said=(written(), written("m2", urgent="life and safety")))

    due = {c.complaint: c.next for c in stage.cases.values()}
    assert due["m2"] is not None
    assert due["m2"].due == pytest.approx(night + 900, abs=0.01)
    assert due["m1"] is not None
    assert due["m1"].due == pytest.approx(berlin("2026-05-15T09:10"), abs=0.01)


def test_what_an_incident_makes_urgent_later_never_breaks_in_that_moment() -> None:
    stage = desk(respond="2h", urgent={"respond": "5m", "update": "0", "resolve": "0"})

    stage.at(T0 + 3600, touched=(incident(priority="P1"),))

    respond = stage.cases["m1"].promises[0]
    assert respond.due == pytest.approx(T0 + 3900, abs=0.01)


def test_a_customers_tier_has_its_own_promises() -> None:
    stage = Desk(settings(tiers={"gold": {"respond": "1m"}}))

    stage.at(T0, said=(written(customer="customer-1"),))

    assert stage.cases["m1"].promises[0].due == pytest.approx(T0 + 60, abs=0.01)


def test_fifty_complaints_of_one_incident_warn_the_desk_once() -> None:
    stage = Desk(settings(update="0", resolve="0"))
    many = [written(f"m{k}", f"shop-{k}") for k in range(50)]
    for k, one in enumerate(many):
        stage.at(T0 + k, said=(one,))
    stage.at(T0 + 60, touched=(incident(complaints=tuple(c.id for c in many)),))

    stage.until(T0 + 580, T0 + 60)

    (told,) = [a.args["notice"] for a in stage.actions]
    assert told["title"] == "50 complaints want a first answer: the first is due in 2 min"
    assert all(any("warned" in t for t in c.told) for c in stage.cases.values())


def test_promises_that_break_within_minutes_of_each_other_are_told_together() -> None:
    stage = Desk(settings(update="0", resolve="0"))
    for k in range(4):
        stage.at(T0 + 30 * k, said=(written(f"m{k}", f"shop-{k}"),))

    stage.until(T0 + 3600, T0 + 90)

    broken = [a.args["notice"] for a in stage.actions if "/broken/" in a.key]
    assert [(n["at"] - T0, n["complaints"]) for n in broken] == [(610, 1), (910, 3)]
    assert broken[1]["title"] == "3 complaints want a first answer: the first is 5 min late"


def test_what_broke_while_nobody_was_looking_is_told_as_broken_and_not_as_at_risk() -> None:
    stage = desk(update="0", resolve="0")

    stage.at(T0 + 7200)

    assert stage.warned == [(7200, "respond", "broken")]


def test_a_complaint_of_an_incident_that_nobody_was_told_of_still_belongs_to_it() -> None:
    stage = desk()

    stage.at(T0 + 60, touched=(incident(paged=None),))

    assert (stage.cases["m1"].incident, stage.cases["m1"].progress) == ("i1", Progress.RECEIVED)


def test_a_word_about_an_incident_is_one_about_all_its_complaints() -> None:
    stage = Desk(settings())
    stage.at(T0, said=(written("m1"), written("m2", "customer-3")))
    stage.at(T0 + 1, touched=(incident(complaints=("m1", "m2")),))

    stage.at(
        T0 + 60, Event("command", "r", T0, {"do": "reply", "incident": "i1", "by": "ada"}, "We are on it.")
    )

    assert {c.marks[-1].text for c in stage.cases.values()} == {"We are on it."}


def test_a_change_of_the_promises_counts_at_once() -> None:
    stage = desk()

    stage.settings = settings(respond="1m")
    stage.at(T0 + 50)

    assert stage.warned == [(50, "respond", "warned")]


def test_a_complaint_that_nobody_speaks_of_for_a_month_is_closed() -> None:
    stage = desk()

    stage.at(T0 + 31 * 86400)

    assert stage.cases["m1"].marks[-1].by == "time"
    assert stage.cases["m1"].progress == Progress.CLOSED


def test_one_customer_cannot_fill_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_OF_ONE", 3)
    stage = Desk(settings())

    stage.at(T0, said=tuple(written(f"m{k}") for k in range(5)))

    assert len(stage.state.cases) == 3
    assert stage.state.dropped == {"complaints of one customer": 2}


def test_closed_complaints_make_room_for_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MAX_CASES", 2)
    stage = Desk(settings())
    stage.at(T0, said=(written("m1", "a"), written("m2", "b")))
    stage.say(T0 + 1, "close", "m1")

    stage.at(T0 + 2, said=(written("m3", "c"), written("m4", "d")))

    assert [*stage.state.cases] == ["m2", "m3"]
    assert stage.state.dropped == {"complaints past the bound": 1}


HOURS = '{opens: "09:00", closes: "17:00", calendar: {timezone: Europe/Berlin, country: DE}}'


DO = st.sampled_from(
    ["reply", "ask", "answer", "fixed", "close", "reopen", "rate", "known", "seen", "over", "more"]
)
STORY = st.lists(st.tuples(st.integers(1, 60), DO), max_size=8)
SHORT = {"respond": "5m", "update": "12m", "resolve": "40m", "confirm": "1h"}
INCIDENTS: dict[str, dict[str, Any]] = {"seen": {}, "known": KNOWN, "over": OVER}


def play(story: list[tuple[int, str]], restored_at: int = -1, hours: str = "null") -> Desk:
    """Play things at minutes after each other, with a look each minute, and two hours more."""
    stage = Desk(settings(**SHORT, hours=yaml.safe_load(hours)))
    stage.at(T0, said=(written(),))
    now = T0
    for k, (wait, do) in enumerate([*story, (120, "")]):
        stage.until(now + wait * 60, now, beat=60)
        now += wait * 60
        if k == restored_at:
            stage.state = snapshot.load(snapshot.dump(stage.state))
        if do in INCIDENTS:
            stage.at(now, touched=(incident(**INCIDENTS[do], rev=k),))
        elif do == "more":
            stage.at(now, said=(written(f"n{k}", f"customer-{k}"),))
        elif do:
            stage.say(now, do, helped="no", score="2")
    return stage


@given(STORY)
def test_a_promise_warns_exactly_once_before_it_breaks_and_never_for_what_is_closed(
    story: list[tuple[int, str]],
) -> None:
    stage = play(story)
    keys = [a.key for a in stage.actions]
    told = {(c.complaint, t) for c in stage.cases.values() for t in c.told}

    assert len(set(keys)) == len(keys)
    assert not {Progress.WAITING, Progress.FIXED, Progress.CLOSED} & set(stage.rung)
    for case in stage.cases.values():
        for promise in case.promises:
            end = math.inf if promise.ended is None else promise.ended
            name = f"{promise.what}.{promise.since:.3f}"
            rose = promise.warn is not None and promise.warn + 60 < min(
                end, stage.actions[-1].at if keys else 0
            )
            assert not rose or (case.complaint, f"{name}/warned") in told
            broke = (case.complaint, f"{name}/broken") in told
            assert not broke or (case.complaint, f"{name}/warned") in told
            assert not broke or promise.broken(T0 + 1e9)


@given(STORY, st.integers(0, 7))
def test_a_restored_desk_goes_on_as_if_nothing_had_been(story: list[tuple[int, str]], at: int) -> None:
    assert play(story).actions == play(story, at).actions


def test_the_pipeline_follows_a_complaint_from_the_door_to_the_desk() -> None:
    pipeline = Pipeline(settings(update="0", resolve="0"))
    event = Event("complaint", "m1", T0, {"customer": "customer-1", "lang": "en"}, "I cannot pay")
    fixed = Event("command", "c1", T0 + 500, {"do": "fixed", "by": "ada", "complaint": "m1"}, "Done.")

    first = pipeline.step(Batch(events=(event,)), T0)
    pipeline = Pipeline.restore(pipeline.config, pipeline.snapshot())
    warned = pipeline.step(Batch(), T0 + 1790)
    last = pipeline.step(Batch(events=(fixed,)), T0 + 1795)

    assert [c.progress for c in first.cases] == [Progress.RECEIVED]
    assert [a.args["notice"]["reason"] for a in warned.actions] == ["promise at risk"]
    assert [c.progress for c in last.cases] == [Progress.FIXED]
    assert [a.args["receiver"] for a in last.actions] == ["portal"]


def test_a_receiver_that_nobody_described_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "forewarn.yaml"
    file.write_text("promises: {receiver: dsek}\nresponse: {receivers: [{name: desk, via: []}]}\n")

    with pytest.raises(config.Invalid, match='no receiver "dsek"; did you mean "desk"'):
        config.load(file)


def test_promises_that_are_not_kept_yet_are_counted_by_how_they_stand() -> None:
    played = desk()

    counted = {at: standing(played.state, T0 + at) for at in (0, 480, 601)}
    played.say(T0 + 700, "ask", text="Which card?")

    assert counted[0] == {("respond", "open"): 1, ("update", "open"): 1, ("resolve", "open"): 1}
    assert counted[480]["respond", "warned"] == 1
    assert counted[601]["respond", "broken"] == 1
    assert standing(played.state, T0 + 701) == {("resolve", "stands"): 1}


def test_of_the_services_of_a_complaint_that_is_closed_the_likeliest_three_are_kept() -> None:
    played = desk()
    played.state.cases["m1"] = replace(played.state.cases["m1"], services=("payment", "front", "mail"))

    played.say(T0 + 60, "close", service="cart")

    assert played.cases["m1"].services == ("cart", "payment", "front")


def test_who_closes_a_complaint_says_what_it_was_about() -> None:
    played = desk()

    played.say(T0 + 60, "close", topic="card declined", service="cart")

    case = played.cases["m1"]
    assert (case.topic, case.services, case.progress) == (
        "card declined",
        ("cart", "payment"),
        Progress.CLOSED,
    )
