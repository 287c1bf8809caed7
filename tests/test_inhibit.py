"""Inhibition is Alertmanager's, but that rules in a circle never silence everything."""

from __future__ import annotations

import pickle
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.config import Rules, parse
from pipeline.decide import DecideState, Policy, decide
from pipeline.inhibit import Held, Inhibition, Inhibitor
from pipeline.types import Incident, Labels, Reason, Signal, State, Verdict
from tests.naive.inhibit import naive_muting
from tests.nouns import incident, over, signal

AMTOOL = shutil.which("amtool")
NODE = Inhibition("node", ("alertname=NodeDown",), ("severity=warning",), ("node",))
DOWN, WARNING = {"alertname": "NodeDown", "node": "a"}, {"severity": "warning", "node": "a"}


def on(*sets: Labels, rules: Sequence[Inhibition] = (NODE,)) -> Inhibitor:
    """Return an inhibitor for which these label sets are on, named by their place."""
    found = Inhibitor()
    found.adopt(tuple(rules))
    for k, labels in enumerate(sets):
        found.begin(str(k), str(k), labels, k, f"alert {k}")
    return found


@pytest.mark.parametrize(
    ("source", "target", "rule", "expected"),
    [
        pytest.param(DOWN, WARNING, NODE, True, id="the labels of equal are equal"),
        pytest.param(DOWN, WARNING | {"node": "b"}, NODE, False, id="they differ"),
        pytest.param({"alertname": "NodeDown"}, {"severity": "warning"}, NODE, True, id="both lack them"),
        pytest.param(DOWN, {"severity": "warning"}, NODE, False, id="one lacks them"),
        pytest.param(DOWN | {"node": ""}, {"severity": "warning"}, NODE, True, id="one has them empty"),
        pytest.param(DOWN, WARNING | {"severity": "page"}, NODE, False, id="it is no target"),
        pytest.param(DOWN | {"alertname": "x"}, WARNING, NODE, False, id="there is no source"),
        pytest.param(DOWN | WARNING, WARNING, NODE, True, id="a source on both sides mutes a mere target"),
        pytest.param(DOWN, DOWN | WARNING, NODE, True, id="a mere source mutes what is on both sides"),
        pytest.param(DOWN | WARNING, DOWN | WARNING, NODE, False, id="both on both sides: neither"),
        pytest.param({}, {"a": "b"}, Inhibition("all"), False, id="no matchers: all are on both sides"),
    ],
)  # fmt: skip
def test_a_target_is_muted_as_alertmanager_would(
    source: Labels, target: Labels, rule: Inhibition, expected: bool
) -> None:
    assert (on(source, target, rules=[rule]).held("1") is not None) is expected


def test_what_mutes_is_named() -> None:
    assert on(DOWN, WARNING).held("1") == Held("node", "0", "alert 0")


def test_nothing_inhibits_itself() -> None:
    assert on(DOWN | WARNING).held("0") is None


def test_a_target_is_told_once_its_last_source_is_over() -> None:
    found = on(DOWN, DOWN | {"instance": "2"}, WARNING)

    found.end("0", "0")
    still = found.held("2")
    found.end("1", "1")

    assert still == Held("node", "1", "alert 1")
    assert found.held("2") is None


def test_a_group_is_muted_only_while_each_of_its_alerts_is() -> None:
    found = on(DOWN)
    found.begin("group", "x", WARNING)
    alone = found.held("group")
    found.begin("group", "y", WARNING | {"node": "b"})
    mixed = found.held("group")
    found.end("group", "y")
    found.begin("group", "z", {"severity": "page"})

    assert alone is not None
    assert mixed is None
    assert found.held("group") is None


A, B, C = ({"alertname": name} for name in "abc")
CIRCLE = [Inhibition(f"{s}{t}", (f"alertname={s}",), (f"alertname={t}",)) for s, t in ("ab", "bc", "ca")]


def test_of_rules_in_a_circle_the_one_that_began_first_is_told() -> None:
    found = on(B, C, A, rules=CIRCLE)

    assert [found.held(str(k)) is None for k in range(3)] == [True, False, False]


def test_what_a_circle_mutes_is_muted() -> None:
    beside = Inhibition("beside", ("alertname=a",), ("alertname=d",))

    assert on(A, B, C, {"alertname": "d"}, rules=[*CIRCLE, beside]).held("3") is not None


def test_of_a_group_whose_alerts_mute_one_another_what_mutes_it_from_outside_is_named() -> None:
    found = on(rules=CIRCLE[:2])
    found.begin("outside", "a", A, 1, "alert a")
    found.begin("group", "b", B, 2, "the group")
    found.begin("group", "c", C, 2, "the group")

    assert found.held("group") == Held("ab", "outside", "alert a")


def test_a_source_that_is_muted_itself_still_mutes() -> None:
    found = on(A, B, C, rules=CIRCLE[:2])

    assert [found.held(str(k)) is None for k in range(3)] == [True, False, False]


def test_the_block_of_an_alertmanager_is_taken_as_it_is() -> None:
    block = """
inhibit_rules:
- source_match: {severity: critical}
  target_match_re: {severity: "warn.*|info"}
  equal: [alertname, dev, instance]
- source_matchers: [ 'alertname = "NodeDown"', zone != "" ]
  target_matchers: ['{severity="warning", team=~"a|b"}']
"""
    rules = parse(yaml.safe_load(block), Rules).inhibit_rules
    source = {"alertname": "x", "severity": "critical", "instance": "1"}

    found = on(
        source,
        source | {"severity": "warning"},
        source | {"severity": "warning", "instance": "2"},
        rules=rules,
    )

    assert found.held("1") == Held('severity="critical" > severity=~"warn.*|info"', "0", "alert 0")
    assert found.held("2") is None
    assert str(rules[1]) == 'alertname="NodeDown", zone!="" > severity="warning", team=~"a|b"'


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"source_matchers": ["a==b"]}, r'inhibit_rules\[0\]: source_matchers: a: .* did you mean "="'),
        ({"target_match_re": {"a": "("}}, r'inhibit_rules\[0\]: target_matchers: "\(" is not a regex'),
        ({"source_macher": {}}, r'source_macher: unknown key; did you mean "source_match(ers)?"'),
    ],
)
def test_a_rule_that_is_wrong_is_named_with_the_nearest_right_word(rule: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse({"inhibit_rules": [rule]}, Rules)


@pytest.mark.skipif(AMTOOL is None, reason="amtool (Debian's prometheus-alertmanager) is not installed")
@pytest.mark.parametrize(
    ("rule", "right"),
    [
        ({"source_matchers": ["a=b"], "target_matchers": ["c=~d.*"], "equal": ["e"]}, True),
        ({"source_matchers": ['{a="b",c!="d"}', "e!~f|g"]}, True),
        ({"source_match": {"a": "b"}, "target_match_re": {"c": "[[:alpha:]]+"}}, True),
        ({}, True),
        ({"source_matchers": ["a"]}, False),
        ({"target_matchers": ['a=~"("']}, False),
        ({"target_matchers": ['a=~"(?=b)"']}, False),
        ({"target_match_re": {"a": "*"}}, False),
        ({"equals": ["a"]}, False),
    ],
)
def test_amtool_takes_and_refuses_the_same_rules(tmp_path: Path, rule: dict[str, Any], right: bool) -> None:
    file = tmp_path / "alertmanager.yml"
    whole = {"route": {"receiver": "x"}, "receivers": [{"name": "x"}], "inhibit_rules": [rule]}
    file.write_text(yaml.safe_dump(whole), encoding="utf-8")

    done = subprocess.run([str(AMTOOL), "check-config", file], capture_output=True, check=False)
    try:
        parse({"inhibit_rules": [rule]}, Rules)
    except ValueError:
        ours = False
    else:
        ours = True

    assert ((done.returncode == 0), ours) == (right, right), done.stdout


VALUES = st.sampled_from(("", "x", "y"))
SETS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)
SIDES = st.lists(st.sampled_from(("a=x", "a!=x", "b=~x|y", "b!~y", 'c=""', "c=y", "a=~.+")), max_size=2)
RULES = st.lists(
    st.builds(
        lambda s, t, e: Inhibition("", tuple(s), tuple(t), tuple(e)),
        SIDES, SIDES, st.lists(st.sampled_from("abc"), max_size=2),
    ),
    max_size=4, unique_by=str,
)  # fmt: skip
# What is said: alert 0 to 7 begins with these labels, or ends where it is on.
STREAM = st.lists(st.tuples(st.integers(0, 7), SETS), max_size=25)


def run(
    rules: Sequence[Inhibition], stream: Sequence[tuple[int, Labels]]
) -> Iterator[tuple[Inhibitor, dict[str, Labels]]]:
    """Yield the inhibitor and what is on after each word; alert k belongs to owner k % 5."""
    found, said = on(rules=rules), dict[str, Labels]()
    for at, (k, labels) in enumerate(stream):
        if str(k) in said:
            del said[str(k)]
            found.end(f"o{k % 5}", str(k))
        else:
            said[str(k)] = labels
            found.begin(f"o{k % 5}", str(k), labels, at)
        yield found, said


@given(RULES, STREAM)
def test_owners_are_muted_as_the_plain_loop_mutes_their_alerts(
    rules: list[Inhibition], stream: list[tuple[int, Labels]]
) -> None:
    for found, said in run(rules, stream):
        for owner in {f"o{int(k) % 5}" for k in said}:
            mine = [k for k in said if f"o{int(k) % 5}" == owner]
            expected = all(naive_muting(rules, said, k) for k in mine)
            assert (found._muting(owner) is not None) is expected


@given(RULES, STREAM)
def test_whatever_the_rules_something_that_is_on_is_told_and_mutes_the_rest(
    rules: list[Inhibition], stream: list[tuple[int, Labels]]
) -> None:
    for found, said in run(rules, stream):
        owners = {f"o{int(k) % 5}" for k in said}
        assert not owners or any(found.held(o) is None for o in owners)
        for owner in owners:
            held = found.held(owner)
            assert held is None or held.source in owners - {owner}


@given(RULES, STREAM, st.integers(0, 24))
def test_a_restart_in_the_middle_changes_nothing_and_nothing_is_left_at_the_end(
    rules: list[Inhibition], stream: list[tuple[int, Labels]], cut: int
) -> None:
    at = 0
    for at, (found, said) in enumerate(run(rules, stream)):
        again: Inhibitor = snapshot.load(snapshot.dump(found))
        if at >= cut:
            assert not again.adopt(tuple(rules))
            assert [again.held(f"o{k}") for k in range(5)] == [found.held(f"o{k}") for k in range(5)]
        if at == len(stream) - 1:
            for k in said:
                again.end(f"o{int(k) % 5}", k)
            assert (again.sources, again.active, again.behind, again.owners) == ({}, {}, {}, {})


def test_values_with_a_nul_are_not_taken_for_others() -> None:
    rule = Inhibition("ab", ("alertname=NodeDown",), ("severity=warning",), ("a", "b"))

    found = on(
        {"alertname": "NodeDown", "a": "x\0y", "b": "z"},
        {"severity": "warning", "a": "x", "b": "y\0z"},
        {"severity": "warning", "a": "x\0y", "b": "z"},
        rules=[rule],
    )

    assert [found.held(k) is not None for k in "12"] == [False, True]


POLICY = Policy()
RULE = (Inhibition("db over callers", ("service=db",), ("service=~cart|front",)),)
DB = signal("db", 1000)
CART = signal("cart", 1010)


class Judge:
    """Decides on incidents while signals come and go."""

    def __init__(self, rules: tuple[Inhibition, ...] = RULE) -> None:
        self.state = DecideState()
        self.inhibitor = on(rules=rules)

    def says(self, now: float, given: Incident, *said: Signal) -> Verdict:
        return decide(self.state, [given], (), POLICY, now, said, self.inhibitor)[1][given.id]


def test_an_incident_of_inhibited_signals_is_not_told_and_names_rule_and_source() -> None:
    found = Judge().says(1010, incident(CART), DB, CART)

    assert (found.act, found.reason, found.by) == (False, Reason.INHIBITED, "db over callers")
    assert found.because == 'inhibited by rule "db over callers" while cpu_ratio/db/ is on'


def test_an_incident_is_told_for_what_is_not_inhibited_in_it() -> None:
    other, weak = signal("mail", 1010), signal("mail", 1010, page=False)

    assert Judge().says(1010, incident(CART, other), DB, CART, other).reason is Reason.NEW
    assert Judge().says(1010, incident(CART, weak), DB, CART, weak).reason is Reason.INHIBITED


def test_what_was_never_told_is_told_when_its_source_is_over() -> None:
    judge = Judge()
    judge.says(1010, incident(CART), DB, CART)

    assert judge.says(1100, incident(CART), over(DB, 1100)).reason is Reason.NEW
    assert judge.says(1101, incident(CART)).reason is Reason.NOTHING_NEW


def test_what_was_told_before_is_told_again_once_when_its_source_is_over() -> None:
    judge = Judge()
    judge.says(1010, incident(CART), CART)
    during = judge.says(1020, incident(CART), DB)

    after = judge.says(1100, incident(CART), over(DB, 1100))

    assert during.reason is Reason.INHIBITED
    assert (after.act, after.reason, after.because) == (
        True, Reason.REPEAT, "still on when cpu_ratio/db/ ended",
    )  # fmt: skip
    assert judge.says(1101, incident(CART)).reason is Reason.NOTHING_NEW


def test_those_who_were_paged_hear_the_end_of_what_is_inhibited_by_then() -> None:
    judge = Judge()
    judge.says(1010, incident(CART), CART)
    judge.says(1020, incident(CART), DB)

    done = replace(incident(CART), state=State.RESOLVED, resolved=1030.0)

    assert judge.says(1030, done).reason is Reason.RESOLVED
    assert judge.state.hushed == {}


def test_rules_that_a_reload_brings_hold_for_what_is_on_already() -> None:
    judge = Judge(())
    both = [replace(incident(DB), id="db"), incident(CART)]
    decide(judge.state, both, (), POLICY, 1010, (DB, CART), judge.inhibitor)
    judge.inhibitor.adopt(RULE, 1011)

    _, found = decide(judge.state, both, (), POLICY, 1011, (), judge.inhibitor)

    assert found["i1"].reason is Reason.INHIBITED
    judge.inhibitor.adopt((), 1012)
    assert judge.says(1012, incident(CART)).act


def test_a_pickle_of_what_is_on_goes_on_as_if_nothing_had_been() -> None:
    found = on(DOWN, WARNING)

    again = pickle.loads(pickle.dumps(found))
    again.end("0", "0")

    assert found.held("1") is not None
    assert again.held("1") is None
