"""How a service stands: the worst of what touches it, and never green where nobody can see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.console.standing import RECOVERED_FOR, Now, World, felt, past, standing
from pipeline.types import Incident, Run, State
from tests.console.shop import CALM, INCIDENT, LATENCY, NOW, ROLLBACK, TOPOLOGY

HEARD = dict.fromkeys(TOPOLOGY.services, NOW - 5)
OVER = replace(INCIDENT, state=State.RESOLVED, resolved=NOW - 60)


def world(*incidents: Incident, runs: tuple[Run, ...] = (), **heard: float) -> World:
    return World(NOW, TOPOLOGY, incidents, {**HEARD, **heard}, {"inc-0031": runs}, 120.0)


@pytest.mark.parametrize(
    ("incident", "runs", "state"),
    [
        pytest.param(INCIDENT, (), Now.INVESTIGATING, id="open"),
        pytest.param(replace(INCIDENT, state=State.ACKNOWLEDGED), (), Now.IDENTIFIED, id="a person has it"),
        pytest.param(INCIDENT, (replace(ROLLBACK, state="running"),), Now.IDENTIFIED, id="a playbook heals"),
        pytest.param(INCIDENT, (ROLLBACK,), Now.INVESTIGATING, id="a playbook only waits for a yes"),
        pytest.param(INCIDENT, (replace(ROLLBACK, state="failed"),), Now.INVESTIGATING, id="it failed"),
        pytest.param(replace(INCIDENT, quiet=NOW - 9), (), Now.RECOVERING, id="no signal is on any more"),
        pytest.param(OVER, (), Now.RECOVERED, id="over a minute ago"),
        pytest.param(replace(OVER, resolved=NOW - RECOVERED_FOR), (), Now.OPERATIONAL, id="over an hour ago"),
    ],
)
def test_a_board_follows_an_incident_to_its_end(
    incident: Incident, runs: tuple[Run, ...], state: Now
) -> None:
    assert felt(world(incident, runs=runs), "harbour-cafe", "payment").state == state


def test_of_two_incidents_the_one_less_understood_is_shown() -> None:
    other = replace(INCIDENT, id="other", quiet=NOW - 5)

    assert standing(world(other, INCIDENT), "payment").state == Now.INVESTIGATING


def test_an_incident_that_nobody_was_told_of_is_no_customers_business() -> None:
    tentative = replace(INCIDENT, paged=None, first_complaint=None)

    assert felt(world(tentative), "harbour-cafe", "payment").state == Now.OPERATIONAL
    assert standing(world(tentative), "payment").state == Now.INVESTIGATING


def test_a_grave_incident_below_reaches_those_who_depend_on_it() -> None:
    below = replace(INCIDENT, services=("inventory",), customers=("harbour-cafe",))

    assert felt(world(below), "harbour-cafe", "checkout").state == Now.INVESTIGATING
    assert felt(world(below), "harbour-cafe", "payment").state == Now.OPERATIONAL


def test_a_mild_incident_below_does_not() -> None:
    below = replace(INCIDENT, services=("inventory",), customers=("harbour-cafe",), priority="P3")

    assert felt(world(below), "harbour-cafe", "checkout").state == Now.OPERATIONAL


@pytest.mark.parametrize(
    ("age", "state"),
    [(120.0, Now.OPERATIONAL), (120.5, Now.UNKNOWN)],
    ids=["heard just in time", "not heard for too long"],
)
def test_silence_is_not_health(age: float, state: Now) -> None:
    assert standing(world(cart=NOW - age), "cart").state == state


def test_a_service_never_heard_is_unknown() -> None:
    never = World(NOW, TOPOLOGY, (), {}, {})

    found = standing(never, "cart")

    assert (found.state, found.heard) == (Now.UNKNOWN, None)


def test_a_signal_of_blindness_makes_a_service_unknown_though_logs_still_come() -> None:
    blind = replace(LATENCY, kind="blind", service="cart")
    watched = replace(CALM, signals=(blind,))

    assert standing(world(watched), "cart").state == Now.UNKNOWN
    seen_again = replace(watched, signals=(replace(blind, ended=NOW),))
    assert standing(world(seen_again), "cart").state == Now.OPERATIONAL


def test_an_incident_outweighs_blindness() -> None:
    assert standing(world(INCIDENT, payment=0.0), "payment").state == Now.INVESTIGATING


def test_the_past_is_told_from_the_first_signal_to_the_end() -> None:
    (told,) = past(world(OVER), "harbour-cafe", NOW - 90)

    assert (told.services, told.begun, told.over) == (("checkout", "payment"), NOW - 500, NOW - 60)
    assert past(world(OVER), "harbour-cafe", NOW) == []
