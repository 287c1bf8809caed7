"""Correlation rules: so many, so many different, in order, not at all; what they say, when they are over."""

from __future__ import annotations

from dataclasses import replace as but
from typing import Any

import pytest

from pipeline.patterns import condition, state
from pipeline.patterns.rule import MOST
from pipeline.patterns.state import LATE
from tests.patterns.world import (
    INSTANCES,
    MINUTE,
    SILENT,
    START,
    UNDONE,
    UNENDED,
    World,
    change,
    minutes,
    over,
    rule,
    signal,
)  # fmt: skip

needs_cel = pytest.mark.skipif(not condition.installed(), reason=condition.MISSING)


def test_three_within_ten_minutes_are_told_once_with_their_numbers_and_the_rule() -> None:
    world = World([rule(says="look at its memory")])

    said = [word for k in range(3) for word in world.at(3 * k, change(f"r-{k}", 3 * k))]

    assert [(s.kind, s.service, s.series, s.detector, s.page) for s in said] == [
        ("pattern", "pay", 'loop{service="pay"}', "loop", False)
    ]
    assert (said[0].since, said[0].at, said[0].observed) == (START, START + 6 * MINUTE, 3.0)
    assert said[0].reason == (
        "3 changes of pay within 6 min, 3 are enough: deploy r-0, deploy r-1, deploy r-2; "
        'rule "loop"; look at its memory'
    )


def test_three_in_a_longer_time_or_of_three_services_are_nothing() -> None:
    apart, mixed = World([rule()]), World([rule()])

    assert [w for k in range(9) for w in apart.at(6 * k, change(f"r-{k}", 6 * k))] == []
    assert mixed.at(0, *(change(f"r-{k}", 0, service=f"s{k}") for k in range(9))) == []


def test_what_is_told_twice_counts_once() -> None:
    world = World([rule()])

    assert world.at(0, *[change("r-1", 0)] * 5) == []
    assert world.at(1, *[change("r-1", 0)] * 5) == []
    assert len(world.state.groups["loop"]["pay",].hits) == 1


def test_what_does_not_say_whose_it_is_has_nothing_in_common_with_others() -> None:
    world = World([rule()])

    assert world.at(0, *(change(f"r-{k}", 0, service="") for k in range(9))) == []
    assert world.state.groups == {"loop": {}}


def test_a_signal_that_began_long_before_it_could_be_told_counts() -> None:
    world = World([rule(INSTANCES)])

    said = world.at(300, *(signal(k, 0, instance=k) for k in "abc"))

    assert [(s.since, s.observed) for s in said] == [(START + 290 * MINUTE, 3.0)]


def test_a_later_word_of_a_signal_is_no_news() -> None:
    world = World([rule(INSTANCES, distinct=None, count={"of": {}, "at_least": 2})])
    world.at(0, signal("long", 0))

    assert world.at(60, signal("long", 0), signal("new", 60)) == []


def test_it_is_told_again_when_it_has_doubled_and_once_more_when_it_is_over() -> None:
    world = World([rule(clear="5m")])
    words = [w for k in range(8) for w in world.at(k, change(f"r-{k}", k))]

    words += [w for k in range(8, 20) for w in world.at(k)]

    assert minutes(words) == [(2, False), (5, False), (12, True)]
    assert [w.observed for w in words[:2]] == [3, 6]
    assert len({w.id for w in words}) == 1
    assert (words[-1].ended, words[-1].reason) == (
        START + 7 * MINUTE, 'loop{service="pay"}: has not been so again',
    )  # fmt: skip


def test_a_second_bout_is_another_signal() -> None:
    world = World([rule()])

    words = [w for k in range(90) for w in world.at(k, *([change(f"r-{k}", k)] if k % 60 < 3 else []))]

    assert minutes(words) == [(2, False), (7, True), (62, False), (67, True)]
    assert words[0].id != words[2].id


def test_values_of_a_label_are_told_apart() -> None:
    world = World([rule(INSTANCES)])

    same = world.at(0, *(signal(f"s-{k}", 0, instance="a") for k in range(5)))
    said = world.at(2, signal("t", 2, instance="b"), signal("u", 2, instance="c"), signal("v", 2))

    assert same == []
    assert [s.reason for s in said] == [
        'signals of pay with 3 values of instance within 2 min, 3 are enough: a, b, c; rule "many"'
    ]


def test_one_signal_that_grows_worse_counts_once_until_it_has_ended() -> None:
    world = World([rule(INSTANCES, distinct=None, count={"of": {}, "at_least": 2})])
    first = signal("s", 0)

    assert world.at(0, first) == []
    assert world.at(1, but(first, at=START + MINUTE)) == []
    assert world.at(2, over(first, 2)) == []
    assert minutes(world.at(3, but(first, since=START + 3 * MINUTE))) == [], (
        "the same signal is one happening"
    )
    assert minutes(world.at(4, signal("t", 4))) == [(4, False)]


def test_a_sequence_asks_for_order_within_its_time() -> None:
    world = World([rule(UNDONE)])

    before = world.at(0, change("b-0", 0, "rollback"))
    late = [*world.at(1, change("d-1", 1)), *world.at(70, change("b-1", 70, "rollback"))]
    said = [*world.at(80, change("d-2", 80)), *world.at(90, change("b-2", 90, "rollback"))]

    assert before == late == []
    assert [s.reason for s in said] == [
        'deploy d-2 was followed by rollback b-2, within 10 min; rule "undone"'
    ]
    assert said[0].since == START + 80 * MINUTE


def test_what_begins_a_sequence_twice_does_not_end_it() -> None:
    world = World([rule(UNDONE)])
    world.at(0, change("d-0", 0))

    assert world.at(5, change("d-1", 5)) == []
    assert minutes(world.at(6, change("r-0", 6, "rollback"))) == [(6, False)]


def test_a_sequence_of_the_same_twice_needs_two() -> None:
    twice = [{"what": "change"}, {"what": "change"}]

    one, again, together, two = (World([rule(UNDONE, sequence=twice)]) for _ in range(4))

    assert one.at(0, change("a", 0), change("a", 0)) == []
    assert again.at(1, change("a", 0), change("a", 1)) == [], "the same, its time corrected"
    assert together.at(0, change("a", 0), change("b", 0)) == [], "nobody can tell which was first"
    assert len(two.at(1, change("a", 0), change("b", 1))) == 1


def test_what_comes_late_is_put_where_it_belongs() -> None:
    world = World([rule(UNDONE)])
    world.at(30, change("b", 30, "rollback"))

    said = world.at(33, change("d", 29))

    assert [s.since for s in said] == [START + 29 * MINUTE]


def test_what_comes_far_too_late_is_counted_and_left_out() -> None:
    world = World([rule()])
    much = 10 + LATE / MINUTE + 1

    said = world.at(much, *(change(f"r-{k}", 0) for k in range(3)))

    assert said == []
    assert world.state.dropped == {"told too late": 3}


def test_what_does_not_end_in_time_is_told_then_and_is_over_when_it_ends() -> None:
    world = World([rule(UNENDED)])
    slow, quick = signal("slow", 0), signal("quick", 0, service="cart")
    world.at(0, slow, quick)
    world.at(5, over(quick, 5))

    said = [w for k in range(6, 15) for w in world.at(k)]
    said += world.at(20, over(slow, 20))

    assert minutes(said) == [(10, False), (20, True)]
    assert said[0].reason == 'no ended signal followed cpu{slow} within 10 min; rule "unended"'
    assert said[1].reason.endswith("the end of cpu{slow} came at last")


def test_what_begins_again_is_no_answer_to_what_began_before() -> None:
    world = World([rule(UNENDED)])
    world.at(0, signal("slow", 0))
    world.at(5, signal("slower", 5))

    said = [w for k in range(6, 16) for w in world.at(k)]

    assert [(w.at, w.observed) for w in said] == [(START + 10 * MINUTE, 1.0), (START + 15 * MINUTE, 2.0)]


def test_an_answer_in_the_frame_in_which_the_time_is_up_is_in_time() -> None:
    world = World([rule(UNENDED)])
    slow = signal("slow", 0)
    world.at(0, slow)

    assert world.at(10, over(slow, 10)) == []


def test_a_heartbeat_that_stops_is_told_and_is_over_when_it_comes_again() -> None:
    world = World([rule(SILENT)])
    world.at(0, change("b-0", 0, "backup"))
    world.at(50, change("b-1", 50, "backup"))

    said = [w for k in range(51, 130) for w in world.at(k)]
    said += world.at(130, change("b-2", 130, "backup"))

    assert minutes(said) == [(110, False), (130, True)]
    assert said[0].observed == 1.0
    assert said[0].reason == (
        'no backup of pay for 60 min, at most 60 min may pass, the last was backup b-1; rule "silent"'
    )


def test_without_groups_a_heartbeat_is_missed_though_it_never_came() -> None:
    world = World([rule(SILENT, by=[])])

    said = [w for k in range(0, 70, 5) for w in world.at(k)]

    assert minutes(said) == [(60, False)]
    assert said[0].service == ""


def test_an_absence_that_nobody_answers_is_over_after_its_time() -> None:
    world = World([rule(SILENT, clear="2h")])
    world.at(0, change("b-0", 0, "backup"))

    said = [w for k in range(1, 300) for w in world.at(k)]

    assert minutes(said) == [(60, False), (180, True)]
    assert world.state.groups == {"silent": {}}


def test_matchers_look_at_labels_and_at_what_it_is() -> None:
    asks = [{"matchers": ['kind="metric", instance=~"a|b"', 'service!="cart"']}]
    world = World([rule(name=f"r{k}", count={"of": of, "at_least": 2}) for k, of in enumerate(asks)])

    said = world.at(
        0, signal("1", 0, instance="a"), signal("2", 0, instance="b"), signal("3", 0, instance="c"),
        signal("4", 0, instance="a", service="cart"), signal("5", 0, instance="b", service="cart"),
    )  # fmt: skip

    assert [(s.series, s.observed) for s in said] == [('r0{service="pay"}', 2.0)]


@needs_cel
def test_a_condition_is_asked_of_what_the_matchers_let_through() -> None:
    when = 'surprise > 6.0 && labels["instance"].startsWith("a")'
    world = World([rule(count={"of": {"when": when}, "at_least": 2})])

    said = world.at(
        0, signal("1", 0, instance="a1"), signal("2", 0, instance="a2"), signal("3", 0, instance="b"),
        but(signal("4", 0, instance="a3"), surprise=5.0), signal("5", 0),
    )  # fmt: skip

    assert [s.observed for s in said] == [2.0]
    assert world.state.dropped == {"conditions that found no answer": 1}, "the fifth has no instance"


@needs_cel
@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            "surprize > 6.0",
            "when: character 1: undeclared reference to 'surprize'; did you mean \"surprise\"?",
        ),
        (
            'label.region == "eu"',
            "when: character 6: undeclared reference to 'label.region'; did you mean \"labels\"?",
        ),
        (
            "surprise > 6",
            "when: character 10: found no matching overload for '_>_' applied to '(double, int)'",
        ),
        ("surprise", "when: expected a condition that is true or false"),
        ("surprise >", "when: character 11: Syntax error"),
    ],
)
def test_a_condition_that_cannot_be_right_is_refused(when: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        rule(count={"of": {"when": when}, "at_least": 2})

    assert said in str(refused.value)


def test_without_its_package_a_condition_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condition, "installed", lambda: False)

    with pytest.raises(ValueError, match=r'pip install "forewarn\[cel\]"'):
        rule(count={"of": {"when": "true"}, "at_least": 2})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"count": None}, "expected one of count, distinct, sequence, absence, got none"),
        ({"sequence": UNDONE["sequence"]}, "got count and sequence"),
        ({"count": {"of": {}, "at_least": 1}}, "count: at_least: expected 2 to 500, got 1"),
        ({"count": {"of": {}, "at_lest": 3}}, 'count.at_lest: unknown key; did you mean "at_least"?'),
        (
            {"count": {"of": {"what": "chnge"}, "at_least": 3}},
            '"chnge" is not known here; did you mean "change"?',
        ),
        ({"count": {"of": {"matchers": ["kind==x"]}, "at_least": 3}}, 'did you mean "="?'),
        ({"within": "0s"}, "within, clear: expected above 0 and at most 30d"),
        ({"within": "soon"}, 'within: expected a duration such as "30s"'),
        ({"surprise": 0}, "surprise: expected above 0"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_right_word(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        rule(**changes)

    assert said in str(refused.value)


def test_other_rules_end_what_the_former_ones_had_on_and_leave_the_rest() -> None:
    kept, gone = rule(), rule(name="gone")
    world = World((kept, gone))
    for k in range(3):
        world.at(k, change(f"r-{k}", k))

    world.rules = (kept, rule(name="new"))
    said = world.at(3)
    after = world.at(4, change("r-4", 4), change("r-5", 4), change("r-6", 4))

    assert [(s.detector, s.ended) for s in said] == [("gone", START + 3 * MINUTE)]
    assert [(s.detector, s.observed) for s in after] == [("loop", 6.0), ("new", 3.0)]


def test_each_table_has_its_bound_and_counts_what_it_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "MAX_GROUPS", 10)
    monkeypatch.setattr(state, "MAX_KNOWN", 10)
    world = World([rule(count={"of": {"what": "change"}, "at_least": MOST})])

    world.at(0, *(change(f"g-{k}", 0, service=f"s{k}") for k in range(25)))
    world.at(1, *(change(f"h-{k}", 1) for k in range(MOST + 7)))
    world.at(2, *(signal(f"s-{k}", 2) for k in range(12)))

    assert len(world.state.groups["loop"]) == 10
    assert len(world.state.groups["loop"][("pay",)].hits) == MOST
    assert world.state.dropped == {
        "groups of a rule": 16, "happenings of a group": 7, "signals that are on": 2,
    }  # fmt: skip
