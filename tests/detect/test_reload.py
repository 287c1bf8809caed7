"""Rules that change and rows that change hands: each series is looked at as what it is, beside its peers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from detectors.canary import Canary
from pipeline.clock import DAY
from pipeline.detect.desk import Desk
from pipeline.detect.watch import Watch, build
from pipeline.series import LOOKS, pack
from pipeline.types import Batch
from tests.detect.world import World, labels_of, usual, watch


def watches_of(world: World) -> dict[str, str]:
    lane, names = world.state.lanes[0], [w.name for w in world.state.watches]
    return {
        labels["__name__"] + labels.get("quantile", ""): names[lane.watch[row]]
        if lane.watch[row] >= 0
        else ""
        for row, labels in enumerate(world.series.labels)
    }


def test_a_mean_is_watched_under_its_common_name_after_a_reload() -> None:
    world = World([watch(name="mean", metrics=["took_seconds"]), watch(name="parts", metrics=["took_.*"])])
    world.feed(pay__took_seconds_sum=[1.0, 2.0], pay__took_seconds_count=[10.0, 20.0])
    before = watches_of(world)

    world.watches = [*world.watches, watch(name="new", metrics=["none"])]
    world.feed(pay__took_seconds_sum=[3.0], pay__took_seconds_count=[30.0])

    assert before == watches_of(world) == {"took_seconds_sum": "mean", "took_seconds_count": "parts"}


def test_percentiles_in_the_row_of_a_series_that_left_are_watched() -> None:
    world = World([watch(metrics=["took_seconds"])])
    world.feed(old__a=[1.0], old__b=[1.0], old__c=[1.0])
    world.series.looked, world.series.missed[:] = 0.0, LOOKS  # about to be let go

    sets = [{"__name__": "took_seconds_bucket", "service": "pay", "le": le} for le in ("0.1", "1", "+Inf")]
    world.series.reborn.clear()
    batch = Batch(world.series.intern([pack(each) for each in sets]), np.full(3, world.now), np.zeros(3))
    world.step(batch)

    percentiles = {name: w for name, w in watches_of(world).items() if name.startswith("took_seconds0")}
    assert percentiles == {"took_seconds0.5": "w", "took_seconds0.9": "w", "took_seconds0.99": "w"}
    assert len(world.series) == 6, "they sit where others sat"


@pytest.mark.parametrize(
    ("settings", "group", "side"),
    [
        pytest.param({}, [0, 0], [0, 1], id="as before"),
        pytest.param({"side": {"instance": "1"}}, [0, 0], [1, 0], id="the other is new now"),
        pytest.param({"group": ["instance"]}, [1, 2], [0, 1], id="each is a group of its own now"),
    ],
)
def test_other_groups_of_the_same_detector_are_taken_over(
    settings: dict[str, Any], group: list[int], side: list[int]
) -> None:
    def canary(**changes: Any) -> Watch:
        return watch(**{"detector": "canary", "group": ["service"], "side": {"instance": "2"}, **changes})

    world = World([canary()])
    world.feed(pay_1__p90_s=usual(5), pay_2__p90_s=usual(5))
    world.watches = [canary(**settings)]
    world.feed(pay_1__p90_s=usual(1), pay_2__p90_s=usual(1))

    (desk,) = world.state.desks.values()
    assert isinstance(desk.detector, Canary)
    assert desk.group[:2].tolist() == desk.detector._groups.group[:2].tolist() == group
    assert desk.detector._groups.side[:2].tolist() == side
    assert sorted(desk.groups.values()) == sorted(set(group))


def test_groups_that_come_and_go_leave_nothing_behind() -> None:
    own = watch(detector="burn", group=["instance"], side={"code": "5.."})
    desk = Desk(build(own))
    for k in range(50):
        desk.leave(desk.seat([{"instance": f"{k}"}], ["pay"], [own]))

    assert (desk.groups, desk.vacant) == ({}, [0])


def test_a_row_given_to_a_series_without_a_sample_is_watched_from_its_first() -> None:
    world = World([watch(metrics=["b"])])
    world.feed(pay__a=[1.0])
    world.series.looked, world.series.missed[:] = 0.0, LOOKS
    world.now += DAY
    world.step(Batch())

    world.series.reborn.clear()
    world.series.intern([pack(labels_of("cart__b"))])
    world.step(Batch())
    world.feed(cart__b=[1.0])

    assert watches_of(world) == {"b": "w"}
    assert world.state.ears.number["cart"] == world.state.ears.owner[0]
