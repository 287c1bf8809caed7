"""An incident of which customers knew first names what had moved before, and a rule for the next time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from pipeline import config
from pipeline.detect import Watch, hindsight
from pipeline.detect.hindsight import USUAL
from pipeline.types import Incident
from tests.detect.world import World, usual, watch
from tests.nouns import incident, signal

QUIET = USUAL + 15  # minutes of what is usual, the newest quarter of an hour among them


def after_customers(world: World, service: str = "pay", late: float = 60.0, **known: Any) -> Incident:
    """Return an incident that pages now, after a customer complained `late` s ago."""
    return replace(
        incident(signal(service, world.now, kind="complaint")),
        paged=world.now, first_complaint=world.now - late, **known,
    )  # fmt: skip


def told(world: World, given: Incident) -> str:
    [after] = hindsight(world.state, world.series, [given], world.now)
    return "" if after is given else after.timeline[-1].what


def blip(world: World, *, back: int = 3, **values: float) -> World:
    """Feed what is usual, then each value once, then what is usual again."""
    quiet = {name: usual(QUIET, 10.0, k) for k, name in enumerate(values)}
    world.feed(**quiet)
    world.feed(**{name: [value] for name, value in values.items()})
    world.feed(**{name: quiet[name][:back] for name in values})
    return world


def test_a_series_that_moved_once_and_was_not_told_is_named_with_its_numbers() -> None:
    world = blip(World([watch(samples=2)]), pay__queue=40.0, cart__queue=10.0)

    said = told(world, after_customers(world))

    assert said.startswith(
        'customers were first, yet queue{service="pay"} had gone from 9.96 to 40, 2 min before them'
    )
    assert said.endswith("would have paged then, and on 1 of the 1 days that are kept")


def test_the_rule_that_is_proposed_is_one_and_tells_of_it() -> None:
    world = blip(World([watch(samples=2)]), pay__queue=40.0)
    said = told(world, after_customers(world))

    text = said[said.index("{name:") : said.index("} would") + 1]
    rule: Watch = config.parse(yaml.safe_load(text), Watch)

    assert rule.page
    assert not hit(World([rule]), 10.5)
    assert hit(World([rule]), 40.0)


def hit(world: World, value: float) -> bool:
    world.feed(pay__queue=usual(QUIET))
    return bool(world.feed(pay__queue=[value]))


def test_what_fell_is_proposed_with_a_lower_limit() -> None:
    world = blip(World([watch(samples=2)]), pay__orders=1.0)

    assert ".inf]" in told(world, after_customers(world))


@pytest.mark.parametrize(
    ("rule", "value", "service"),
    [
        pytest.param({}, 10.1, "pay", id="nothing moved"),
        pytest.param({}, 40.0, "cart", id="another service moved"),
        pytest.param({"detection_direction": "below"}, 40.0, "pay", id="it moved to the harmless side"),
        pytest.param({"min_dev_from_expected": 50}, 40.0, "pay", id="it moved by less than matters"),
    ],
)
def test_where_nothing_had_moved_that_is_said(rule: dict[str, Any], value: float, service: str) -> None:
    world = blip(World([watch(samples=2, **rule)]), pay__queue=value, cart__queue=10.0)
    world.state.lanes[0].busy[:] = False

    said = told(world, after_customers(world, service))

    assert said == f"customers were first: nothing measured of {service} had moved in the 15 min before"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"late": -60.0}, id="the page came before the first complaint"),
        pytest.param({"paged": None}, id="nobody was paged"),
        pytest.param({"paged": 1.0}, id="it was paged before"),
        pytest.param({"first_complaint": None}, id="nobody complained"),
    ],
)
def test_it_is_said_once_and_only_where_customers_were_first(changes: dict[str, Any]) -> None:
    world = blip(World([watch(samples=2)]), pay__queue=40.0)
    late = changes.pop("late", 60.0)

    assert told(world, replace(after_customers(world, late=late), **changes)) == ""


def test_what_moved_only_after_the_first_complaint_is_no_forewarning() -> None:
    world = blip(World([watch(samples=2)]), pay__queue=40.0)

    assert "nothing measured of pay" in told(world, after_customers(world, late=600.0))


def test_too_short_a_past_says_nothing() -> None:
    world = World([watch(samples=2)])
    world.feed(pay__queue=[10.0, 10.1, 40.0, 10.0])

    assert "nothing measured of pay" in told(world, after_customers(world))
