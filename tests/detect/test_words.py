"""Reasons say what is odd of a series, and nothing twice."""

from __future__ import annotations

import math

import pytest

from detectors.base import Facts
from pipeline.detect.words import facts
from tests.detect.world import World, usual, watch


def test_what_fills_up_is_told_with_the_hour_and_not_compared_with_itself() -> None:
    world = World([watch(detector="limit", **{"with": {"limit": 1.0}}, surprise=1, samples=2)])

    said = world.feed(db__disk_used_ratio=[0.3 + 0.001 * k for k in range(520)])

    assert said[0].reason.startswith("disk_used_ratio is 76.1 %, for 2 min; reaches 100 % in ")
    assert "expected" not in said[0].reason


def test_what_stands_still_is_told_to_be_unchanged() -> None:
    world = World([watch(detector="stuck", surprise=6, samples=2)])

    said = world.feed(pay__offset=[7.0 * k for k in range(200)] + [1400.0] * 40)

    assert said[0].reason.startswith("offset is 1.4 k, for 2 min; unchanged for 15 min")
    assert "expected" not in said[0].reason


def test_what_parts_from_other_metrics_is_told_what_they_suggest() -> None:
    wave = [10 + 3 * math.sin(0.7 * k**1.1) for k in range(400)]
    world = World([watch(detector="together", group=["service"], surprise=6, samples=3)])

    said = world.feed(pay__ops=wave, pay__cpu=[*wave[:390], *[10.0] * 10], pay__fds=wave)

    assert said[0].reason.startswith("cpu is 10 where ")
    assert "; its 2 peers suggest " in said[0].reason


@pytest.mark.parametrize(
    ("known", "told"),
    [
        pytest.param(Facts(usual=0.2), ["20 % is usual for this hour"], id="another than expected"),
        pytest.param(Facts(usual=0.3), [], id="what was expected is said already"),
        pytest.param(Facts(usual=0.3, peers=2), ["its 2 peers suggest 30 %"], id="of peers"),
        pytest.param(Facts(onset=0.0), [], id="nothing has begun yet"),
        pytest.param(Facts(onset=1e9), ["it began 5 min ago"], id="it began"),
    ],
)
def test_each_fact_is_told_once(known: Facts, told: list[str]) -> None:
    assert list(facts(known, "cpu_ratio", 1e9 + 300, 0.3)) == told


def test_what_peers_suggest_is_nothing_where_it_is_nothing_beside_what_was_seen() -> None:
    known = Facts(usual=8.74e-10, peers=3)

    assert list(facts(known, "ops", 1e9, 0.0, 0.0667)) == ["its 3 peers suggest 0"]


@pytest.mark.parametrize(("lasted", "told"), [(180.0, ["it began 5 min ago"]), (300.0, []), (360.0, [])])
def test_when_it_began_is_told_where_it_was_longer_ago_than_it_has_lasted(
    lasted: float, told: list[str]
) -> None:
    assert list(facts(Facts(onset=1e9), "ops", 1e9 + 300, lasted=lasted)) == told


def test_a_shift_out_of_range_before_anything_began_has_no_onset() -> None:
    world = World([watch(detector="shift", data_range=[0, 50])])

    said = world.feed(pay__p90_s=[*usual(5), 90.0])

    assert [s.reason for s in said] == ["p90_s is 90 s, outside the range it may have, for 60 s"]
