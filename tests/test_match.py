"""Matchers read as Alertmanager reads them, and an index of rules that answers as the plain loop does."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import regexes
from pipeline.match import ENTRY, Index, Matcher, Op, matchers
from tests.naive.match import naive_find

NAMES = ("service", "env", "größe", "a b")
WORDS = ("", "pay", "payment", "cart", "pay-1", "pay-22", "é", "東京", "a\nb", "x.y", "prod")
PAY = ("pay|cart", "pay.*", "pay-\\d+", "pay(ment)?", "pa?y.*", "pay|ca.*", "pay-[0-9]{2}")
REGEXES = (*PAY, ".*", ".+", "|cart", "[^p].*", "x\\.y", "x.y", "東.*", "é|prod", "a.b", "")
values = st.sampled_from(WORDS) | st.text(max_size=5)
exact = st.builds(Matcher, st.sampled_from(NAMES), st.sampled_from([Op.EQUAL, Op.DIFFERENT]), values)
regex = st.builds(
    Matcher, st.sampled_from(NAMES), st.sampled_from([Op.MATCH, Op.NO_MATCH]), st.sampled_from(REGEXES)
)
rule = st.lists(exact | regex, max_size=5)
labelled = st.dictionaries(st.sampled_from((*NAMES, "other")), values, max_size=4)


@given(st.lists(rule, max_size=30), st.lists(labelled, min_size=1, max_size=10))
def test_the_index_finds_what_the_plain_loop_finds_the_first_time_and_again(
    rules: list[list[Matcher]], asked: list[dict[str, str]]
) -> None:
    index = Index(rules)
    expected = [naive_find(rules, labels) for labels in asked]

    assert [index.find(labels) for labels in (*asked, *asked)] == [*expected, *expected]
    assert [index.first(labels) for labels in asked] == [min(found, default=-1) for found in expected]


@given(st.lists(rule, min_size=1, max_size=5), labelled)
def test_far_more_rules_than_one_machine_word_holds_are_all_found(
    rules: list[list[Matcher]], labels: dict[str, str]
) -> None:
    many = [rules[k % len(rules)] for k in range(700)]

    assert Index(many).find(labels) == naive_find(many, labels)


@given(st.lists(rule, max_size=8), st.lists(labelled, min_size=1, max_size=30))
def test_an_index_that_may_remember_next_to_nothing_still_answers(
    rules: list[list[Matcher]], asked: list[dict[str, str]]
) -> None:
    index = Index(rules, memory=4 * ENTRY)

    assert [index.find(labels) for labels in asked] == [naive_find(rules, labels) for labels in asked]


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        pytest.param('a=~"ab{0}c.*"', "acx", True, id="the last letter before a repeat need not be there"),
        pytest.param('a=~"ab?c.*"', "acx", True, id="nor one that may be left out"),
        pytest.param('a=~"pay|ca.*"', "cart", True, id="the second branch begins otherwise"),
        pytest.param('a=~"ab.*", a=~".*yz"', "abyz", True, id="two regexes on one label, both hold"),
        pytest.param('a=~"ab.*", a=~".*yz"', "abx", False, id="two regexes on one label, the first holds"),
        pytest.param('a=~"ab.*", a=~"ab.*yz"', "abx", False, id="two that begin alike, the first holds"),
        pytest.param('a="x", a="y"', "x", False, id="two values at once"),
        pytest.param('a=~"x|y", a!="y"', "y", False, id="in the list and ruled out"),
    ],
)
def test_what_a_regex_begins_with_never_hides_a_match(rule: str, value: str, expected: bool) -> None:
    assert bool(Index([matchers(rule)]).find({"a": value})) is expected


@given(exact | regex, labelled)
def test_one_matcher_alone_answers_as_the_index(matcher: Matcher, labels: dict[str, str]) -> None:
    assert matcher(labels) is bool(Index([[matcher]]).find(labels))


def test_what_is_remembered_stays_within_its_bound_while_values_keep_coming() -> None:
    index = Index([matchers('service="a"'), matchers('env=~"p.*d"')], memory=40_000)

    for k in range(5_000):
        index.find({"service": f"s{k}", "env": f"p{k}"})

    most = 40_000 // ENTRY
    assert 0 < len(index._found.young) + len(index._found.old) <= most
    assert all(0 < len(c.known.young) + len(c.known.old) <= most for c in index._columns)


def test_regexes_too_large_to_be_tried_together_are_tried_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regexes, "TOGETHER", 20_000)
    rules = [matchers(f'a=~"x.{{{k}}}y.*", a!~".*z{{20}}"') for k in range(40)]
    index = Index(rules)
    asked = [{"a": "x" + "-" * k + "y"} for k in (0, 7, 39, 40)]

    assert [index.find(labels) for labels in asked] == [(0,), (7,), (39,), ()]
    assert len(index._columns[0].regexes._sets or ()) > 2


def test_a_pickle_holds_the_rules_and_not_what_was_asked_of_them() -> None:
    index = Index([matchers('service=~"pay|cart"')])
    before = pickle.dumps(index)
    index.find({"service": "pay"})

    assert pickle.dumps(index) == before
    assert pickle.loads(before).find({"service": "cart"}) == (0,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('service="pay"', [("service", "=", "pay")], id="quoted"),
        pytest.param("service=pay", [("service", "=", "pay")], id="bare"),
        pytest.param(' { a = "pay" , b != prod , } ', [("a", "=", "pay"), ("b", "!=", "prod")], id="braces"),
        pytest.param("service=~pay|cart", [("service", "=~", "pay|cart")], id="a bare regex"),
        pytest.param('path!~"/api/.*"', [("path", "!~", "/api/.*")], id="regex that must not match"),
        pytest.param('"größe in m"="1,5"', [("größe in m", "=", "1,5")], id="a quoted name"),
        pytest.param(r'a="say \"x\" \\ \n"', [("a", "=", 'say "x" \\ \n')], id="escapes"),
        pytest.param(r'a=~"\d+"', [("a", "=~", r"\d+")], id="a regex needs no second backslash"),
        pytest.param("a=", [("a", "=", "")], id="empty, bare"),
        pytest.param('a="",b=x', [("a", "=", ""), ("b", "=", "x")], id="empty, quoted"),
    ],
)  # fmt: skip
def test_matchers_are_read_in_both_spellings(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(m.name, m.op, m.value) for m in matchers(text)] == expected


@given(st.lists(st.builds(Matcher, st.text(min_size=1, max_size=8), st.just(Op.EQUAL), st.text(max_size=8)),
                min_size=1, max_size=4))  # fmt: skip
def test_what_is_written_is_read_back(given: list[Matcher]) -> None:
    assert list(matchers(",".join(map(str, given)))) == given


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param('a=="pay"', 'a: expected =, !=, =~ or !~, got "=="; did you mean "="?', id="=="),
        pytest.param("service~=pay", 'did you mean "=~"?', id="~="),
        pytest.param("service!=~pay", 'did you mean "!~"?', id="!=~"),
        pytest.param("age>3", 'age: expected =, !=, =~ or !~, got ">"', id="more than"),
        pytest.param("service", 'did you mean service="..."?', id="no operator"),
        pytest.param('{service="pay"', 'a brace is missing; write {service="pay"}', id="a brace is missing"),
        pytest.param('service="pay', "a quote opens and does not close", id="a quote is missing"),
        pytest.param("a=[0-9]{2}", "a value with { needs quotes", id="a brace in a bare value"),
        pytest.param('a="b" c="d"', 'expected a comma after a="b"', id="no comma"),
        pytest.param("{}", "expected at least one matcher", id="nothing"),
        pytest.param("=b", "expected the name of a label", id="no name"),
        pytest.param('a=~"("', '"(" is not a regex', id="not a regex"),
        pytest.param(r'a=~"(x)\1"', "invalid escape sequence", id="a back reference"),
        pytest.param('a=~"(?=x)y"', "invalid perl operator: (?=", id="look-ahead"),
        pytest.param('a=~"x++"', "bad repetition operator: ++", id="possessive"),
        pytest.param('a=~"((x{100}){100}){100}"', "invalid repetition size", id="a million of them"),
        pytest.param(r'a=~"x\C"', r"invalid escape sequence: \C", id="one byte, which Go lacks"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_nearest_right_form(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        matchers(text)

    assert why in str(error.value)


@pytest.mark.parametrize(
    ("regex", "value", "expected"),
    [
        pytest.param("pay", "payment", False, id="the whole value, not a part"),
        pytest.param("a|ab", "ab", True, id="the whole value by the second branch"),
        pytest.param("a$", "a\n", False, id="an end is the end, not before a last newline"),
        pytest.param("a.b", "a\nb", False, id="a dot is no newline"),
        pytest.param("\\d", "٣", False, id="digits are ASCII"),
        pytest.param("(?i)É", "é", True, id="case is all of Unicode"),
        pytest.param("(?<x>a)", "a", True, id="Go's named group"),
        pytest.param("a\\z", "a", True, id="Go's end of text"),
        pytest.param("a{,2}", "a{,2}", True, id="to two from nothing is no repeat in Go"),
        pytest.param("[[]x", "[x", True, id="a bracket in a class"),
        pytest.param("[[:alpha:]]+", "pay", True, id="a class by name"),
        pytest.param("\\p{Greek}+", "αβ", True, id="a script"),
        pytest.param(
            "(a|a)*b", "a" * 10_000, False, id="what takes other engines longer than the world stood"
        ),
        pytest.param("(x+x+)+y", "x" * 10_000, False, id="a repeat within a repeat"),
        pytest.param("é?", "\ud800", False, id="half a surrogate pair"),
    ],
)
def test_a_regex_means_what_it_means_to_alertmanager(regex: str, value: str, expected: bool) -> None:
    assert Matcher("a", Op.MATCH, regex)({"a": value}) is expected
    assert bool(Index([[Matcher("a", Op.NO_MATCH, regex)]]).find({"a": value})) is not expected


@given(st.text(max_size=40) | st.text(alphabet='ab="~!{}, \\', max_size=20))
def test_any_text_is_read_and_means_the_same_written_anew_or_is_refused(text: str) -> None:
    try:
        found = matchers(text)
    except ValueError:
        return

    assert found == matchers(",".join(map(str, found)))
