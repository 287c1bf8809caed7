"""Priority rules: what an incident is worth by who is hit, how many complain and which rule speaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import config
from pipeline.commands.test import told
from pipeline.priority import Priority, weigh
from pipeline.topology import Customer, Service, Topology
from pipeline.types import Incident, Signal, State

SHOP = Topology(
    {"pay": Service(tier="critical"), "cart": Service(tier="2")},
    {"acme": Customer("gold", ("pay",)), "bob": Customer("silver", ("cart",))},
)
SIGNAL = Signal(
    "s", "metric", "pay", "orders", {"service": "pay", "region": "eu"}, "orders and logins",
    10.0, 20.0, 9.0, 1.0, 5.0, True, "orders fell",
)  # fmt: skip
INCIDENT = Incident(
    "i", 20.0, 20.0, "orders fell", "P3", ("pay", "cart"), (SIGNAL,), customers=("acme", "bob"), voices=2
)


def rule(**asks: Any) -> Priority:
    return config.parse({"name": "r", "priority": "P1", **asks}, Priority)


def worth(incident: Incident, *rules: Priority) -> str:
    [found] = weigh([incident], rules, SHOP, 30.0)
    return found.priority


@pytest.mark.parametrize(
    ("asks", "holds"),
    [
        pytest.param({"matchers": ['rule=~"orders.*", region="eu"']}, True, id="a rule and a label"),
        pytest.param({"matchers": ['rule="orders and logins"', 'region="us"']}, False, id="another label"),
        pytest.param({"services": "pay|db"}, True, id="the first suspect"),
        pytest.param({"services": "cart"}, False, id="only the first suspect"),
        pytest.param({"tiers": ["critical", "1"]}, True, id="the first suspect's tier"),
        pytest.param({"tiers": ["2"]}, False, id="another's tier"),
        pytest.param({"voices": 2}, True, id="as many who complain"),
        pytest.param({"voices": 3}, False, id="fewer who complain"),
        pytest.param({"customers": 2}, True, id="as many affected"),
        pytest.param({"customers": 3}, False, id="fewer affected"),
        pytest.param({"customer_tiers": ["gold"]}, True, id="one of a tier affected"),
        pytest.param({"customer_tiers": ["platinum"]}, False, id="none of a tier affected"),
        pytest.param({"voices": 2, "services": "cart"}, False, id="all of it, not some"),
    ],
)
def test_what_a_priority_rule_asks_for(asks: dict[str, Any], holds: bool) -> None:
    assert worth(INCIDENT, rule(**asks)) == ("P1" if holds else "P3")


@pytest.mark.parametrize(
    "signal",
    [
        pytest.param(replace(SIGNAL, page=False), id="evidence alone"),
        pytest.param(replace(SIGNAL, ended=25.0), id="what is over"),
    ],
)
def test_only_what_is_on_and_pages_counts(signal: Signal) -> None:
    assert worth(replace(INCIDENT, signals=(signal,)), rule(matchers=['kind="metric"'])) == "P3"


def test_the_highest_rule_counts_and_the_timeline_says_which() -> None:
    rules = [rule(name="second", priority="P2", voices=1), rule(name="first", voices=1)]

    [found] = weigh([INCIDENT], rules, SHOP, 30.0)

    assert (found.priority, found.updated) == ("P1", 30.0)
    assert [e.what for e in found.timeline] == ['P1, not P3: rule "first"']
    assert weigh([found], rules, SHOP, 31.0) == (found,), "said once"


def test_rules_only_raise_and_leave_what_is_over_alone() -> None:
    assert worth(replace(INCIDENT, priority="P1"), rule(priority="P2", voices=1)) == "P1"
    assert worth(replace(INCIDENT, state=State.RESOLVED), rule(voices=1)) == "P3"


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ({}, '"r" asks for nothing: every incident would be P1'),
        ({"priority": "P0", "voices": 1}, 'priority: "P0" is not known here'),
        ({"voice": 3}, 'voice: unknown key; did you mean "voices"?'),
        ({"matchers": ["rule=="]}, "matchers, services: rule"),
        ({"services": "("}, "matchers, services: "),
        ({"voices": -1}, "voices, customers: expected 0 or more"),
    ],
)
def test_a_wrong_priority_rule_is_refused_with_the_right_word(asks: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        rule(**asks)

    assert said in str(refused.value)


def test_a_failing_test_of_a_rule_file_says_what_came(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(
        "priorities: [{name: r, priority: P2, voices: 2}]\n"
        "tests: [{name: t, incidents: [{priority: P1, service: pay, voices: 2}]}]"
    )

    held = told(path)

    assert not held
    assert 'expected an incident of pay to be P1, got P2: P2, not P4: rule "r"' in capsys.readouterr().out
