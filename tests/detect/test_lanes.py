"""Watches beside others, groups, series that come late or leave, and what a reason says of them."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline import snapshot
from pipeline.detect.records import DAYS, Records
from pipeline.series import LOOKS
from tests.detect.world import START, World, usual, watch

DAY = 86400.0


def test_a_watch_beside_others_speaks_of_series_that_another_has() -> None:
    world = World([watch(name="own"), watch(name="beside", beside=True, surprise=5), watch(name="none")])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0])

    assert [s.detector for s in said] == ["own", "beside"]
    assert said[0].id != said[1].id
    assert world.state.desks.keys() == {"seasonal {}"}, "one desk serves both, in two slots"


def test_a_beside_watch_that_ends_leaves_the_other_on() -> None:
    world = World([watch(name="own", clear="10m"), watch(name="beside", beside=True)])
    world.feed(pay__p90_s=usual(100))

    said = world.feed(pay__p90_s=[50.0, *usual(6)])

    assert [(s.detector, s.ended is None) for s in said] == [
        ("own", True), ("beside", True), ("beside", False),
    ]  # fmt: skip


def test_a_series_that_is_new_learns_from_the_eldest_of_its_name() -> None:
    world = World([watch()])
    world.feed(pay_1__p90_s=usual(200))
    world.feed(pay_2__p90_s=usual(12, 1000.0, seed=2), pay_2__other=usual(12, 1000.0, seed=2))

    said = world.feed(pay_2__p90_s=[9000.0], pay_2__other=[9000.0])

    assert [s.labels["instance"] + s.labels["__name__"] for s in said] == ["2p90_s"]


def test_a_series_silent_for_a_day_leaves_and_another_has_its_place() -> None:
    world = World([watch()], every=3600.0)
    world.feed(pay__p90_s=usual(100), cart__p90_s=usual(100, seed=1))
    rows = dict(world.series.rows)
    world.feed(cart__p90_s=usual(LOOKS + 2, seed=2))

    assert len(world.series.rows) == 1
    before = world.state.desks["seasonal {}"].size
    said = world.feed(new__p90_s=usual(100, 1e6), cart__p90_s=usual(100, seed=3))

    assert said == [], "nothing of what the former series was is left"
    assert sorted(world.series.rows.values()) == sorted(rows.values())
    assert world.state.desks["seasonal {}"].size == before
    assert [s.service for s in world.feed(new__p90_s=[5e6])] == ["new"]


def test_hours_in_which_we_were_down_make_no_series_idle() -> None:
    world = World([watch()])
    world.feed(pay__p90_s=usual(100), cart__p90_s=usual(100, seed=1))
    world.now += 3 * DAY

    world.feed(pay__p90_s=usual(5))

    assert len(world.series.rows) == 2


def test_a_series_out_of_band_that_leaves_has_its_last_word() -> None:
    world = World([watch()], every=3600.0)
    world.feed(pay__p90_s=usual(100), cart__p90_s=usual(100, seed=1))
    world.feed(pay__p90_s=[50.0], cart__p90_s=[10.0])
    for bout in world.state.bouts.values():
        bout.last = np.inf  # as if it had not been missed before

    said = world.feed(cart__p90_s=usual(LOOKS + 2, seed=2))

    assert [s.reason.rpartition(", ")[2] for s in said if s.ended and s.kind == "metric"] == [
        "and sends no more"
    ]


def test_a_reason_says_how_long_nothing_as_high_was_seen() -> None:
    world = World([watch()], every=3600.0)
    values = usual(24 * 12)
    values[20] = 60.0
    world.feed(pay__p90_s=values)

    said = world.feed(pay__p90_s=[50.0])

    assert said[0].reason.endswith("for 60 min; highest in 10 days")


def test_a_snapshot_with_lanes_goes_on_identically() -> None:
    world = World([watch(name="own"), watch(name="beside", beside=True, surprise=5)])
    world.feed(pay__p90_s=usual(100))
    twin = World(world.watches, snapshot.load(snapshot.dump(world.state)), world.series, world.now)

    assert world.feed(pay__p90_s=[50.0, 10.0]) == twin.feed(pay__p90_s=[50.0, 10.0])


@pytest.mark.parametrize(
    ("days", "value", "highest"),
    [
        pytest.param([1, 2, 9, 3, 3], 5, 1 * DAY, id="since the day that was higher"),
        pytest.param([1, 2, 3], 5, 2 * DAY, id="as long as it is known"),
        pytest.param([9, 1, None, 2, 2], 5, 3 * DAY, id="days without samples count as lower"),
        pytest.param([1, 1, 9], 5, None, id="today it was higher"),
        pytest.param([5], 5, None, id="too new to say"),
        pytest.param(
            [9] + [1] * (DAYS - 1), 5, (DAYS - 2) * DAY, id="up to the day it was higher, four weeks ago"
        ),
        pytest.param([9] + [1] * DAYS, 5, (DAYS - 1) * DAY, id="four weeks at most"),
    ],
)
def test_records_of_days(days: list[float | None], value: float, highest: float | None) -> None:
    records, slot = Records(), np.array([3], np.int32)
    for k, most in enumerate(days):
        if most is not None:
            records.take(slot, np.full(1, START + k * DAY), np.array([most], float))

    found, low = records.since(3, value)
    mirrored = Records()
    for k, most in enumerate(days):
        if most is not None:
            mirrored.take(slot, np.full(1, START + k * DAY), -np.array([most], float))

    assert (None if np.isnan(found) else found) == highest
    assert (None if np.isnan(mirrored.since(3, -value)[1]) else mirrored.since(3, -value)[1]) == highest
    assert low != highest or highest is None
