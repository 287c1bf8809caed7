"""What people say of signals moves a series' limit, bounded, explained, reversible; changes explain some."""

from __future__ import annotations

import pytest

from pipeline.detect.taught import LASTS, LEAST, MOST, Lesson
from tests.detect.world import World, usual, watch


def odd(world: World, value: float = 14.0) -> list[str]:
    """Feed one odd sample and what is usual after; return the reasons told."""
    said = world.feed(pay__p90_s=[value, *usual(4)])
    return [s.reason for s in said if s.ended is None]


def told(world: World, value: float = 14.0) -> str:
    said = world.feed(pay__p90_s=[value, *usual(4)])
    return said[0].id


def test_the_like_of_what_was_called_noise_is_told_no_more_and_worse_is() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300))
    world.say("command", do="noise", by="ann", signals=told(world))

    assert odd(world) == []
    (reason,) = odd(world, 400.0)
    assert "higher than its watch's 4: ann called it noise" in reason


@pytest.mark.parametrize(
    ("bar", "word", "told"),
    [
        (2.0, "noise", "limit 8, higher than its watch's 4: ann called it noise"),
        (1.0, "noise", "limit 4, like its watch's 4: ann called it noise"),
        (0.8, "confirm", "limit 3.2, lower than its watch's 4: ann confirmed one"),
        (0.9, "noise", "limit 3.6, lower than its watch's 4: ann called it noise"),
    ],
)
def test_a_lesson_names_what_was_said_last(bar: float, word: str, told: str) -> None:
    assert Lesson(bar, word, "ann", 0.0).told(4.0) == told


def test_a_lesson_is_about_one_series_only() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300), cart__p90_s=usual(300, seed=1))
    said = world.feed(pay__p90_s=[14.0, 10.0, 10.0], cart__p90_s=[10.0, 10.0, 10.0])
    world.say("command", do="noise", by="ann", signals=said[0].id)

    assert [s.service for s in world.feed(pay__p90_s=[14.0], cart__p90_s=[14.0])] == ["cart"]


def test_what_is_taken_back_is_told_again() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300))
    signal = told(world)
    world.say("command", do="noise", by="ann", signals=signal)
    world.say("command", do="unteach", by="bob", signals=signal)

    assert len(odd(world)) == 1
    assert world.state.lessons.taught == {}


@pytest.mark.parametrize(("word", "bound"), [("noise", MOST), ("confirm", LEAST)])
def test_a_lesson_is_bounded_however_often_it_is_said(word: str, bound: float) -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300))
    signal = told(world, 1e9)
    for _ in range(9):
        world.say("command", do=word, by="ann", signals=signal)

    assert world.state.lanes[0].bar[0] == bound


def test_a_lesson_fades() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300))
    world.say("command", do="noise", by="ann", signals=told(world))
    world.now += LASTS + 1
    world.say("command", do="acknowledge")

    assert world.state.lanes[0].bar[0] == 1


def test_a_lesson_stays_when_the_rules_are_loaded_anew() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(300))
    world.say("command", do="noise", by="ann", signals=told(world))
    world.watches = [watch(name="first", metrics=["other"]), watch()]

    assert odd(world) == []


def test_a_lesson_about_what_is_not_known_changes_nothing() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100))
    world.say("command", do="noise", by="ann", signals="nothing-known,")
    world.say("command", do="noise", by="ann")

    assert world.state.lessons.taught == {}


@pytest.mark.parametrize(
    ("settings", "change", "value", "count"),
    [
        pytest.param(
            {"relax": {"deploy": "10m"}}, {"kind": "deploy", "service": "pay"}, 14.0, 0, id="explained"
        ),
        pytest.param(
            {"relax": {"deploy": "10m"}}, {"kind": "deploy", "service": "pay"}, 4e4, 1, id="too much"
        ),
        pytest.param(
            {"relax": {"deploy": "10m"}}, {"kind": "scale", "service": "pay"}, 14.0, 1, id="other kind"
        ),
        pytest.param(
            {"relax": {"deploy": "10m"}}, {"kind": "deploy", "service": "cart"}, 14.0, 1, id="elsewhere"
        ),
        pytest.param(
            {"relax": {"deploy": "30s"}}, {"kind": "deploy", "service": "pay"}, 14.0, 1, id="too long ago"
        ),
        pytest.param({}, {"kind": "deploy", "service": "pay"}, 14.0, 1, id="a watch that no change relaxes"),
    ],
)
def test_a_change_relaxes_what_it_explains(
    settings: dict[str, object], change: dict[str, str], value: float, count: int
) -> None:
    world = World([watch(**settings)])
    world.feed(pay__p90_s=usual(300))
    world.say("change", **change)

    assert len(odd(world, value)) == count


def test_what_was_so_before_a_change_is_not_explained_by_it() -> None:
    world = World([watch(relax={"deploy": "10m"})])
    world.feed(pay__p90_s=[*usual(300), 14.0])
    world.now += 10
    world.say("change", kind="deploy", service="pay")

    assert world.feed(pay__p90_s=[14.0, 14.0]) == []
    assert len(world.state.bouts) == 1


def test_what_a_change_explains_after_all_ends_with_its_name() -> None:
    world = World([watch(relax={"deploy": "10m"})])
    world.feed(pay__p90_s=usual(300))
    world.say("change", kind="deploy", service="pay")

    said = world.feed(pay__p90_s=[4e4, 14.0])

    assert said[1].ended is not None
    assert said[1].reason.endswith(
        f"and is explained: deploy {'change-%.0f' % (world.now - 120)} came 2 min before"
    )


def test_no_change_explains_a_value_out_of_its_range() -> None:
    world = World([watch(relax={"deploy": "10m"}, data_range=[0, 0.05])])
    world.feed(pay__error_ratio=[0.01, 0.02, 0.01] * 100)
    world.say("change", kind="deploy", service="pay")

    assert len(world.feed(pay__error_ratio=[0.06])) == 1
