"""Silences by matchers: what they mute, for how long, and that what still burns is told again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.clock import Span
from pipeline.decide import DecideState, Policy, asked, decide
from pipeline.silence import Silence, Silences, conditions, covered, covering, history
from pipeline.types import Event, Incident, Labels, Reason, Seconds, State, Verdict
from tests import nouns
from tests.nouns import command, incident, over, signal

DAY = 86400.0
POLICY = Policy(repeat_interval=Span(4 * 3600))
PAY = incident(signal("payment", 1000))
BOTH = incident(signal("payment", 1000), signal("cart", 1000))


def judged(state: DecideState, now: Seconds, given: Incident = PAY, *events: Event) -> Verdict:
    return decide(state, [given], events, POLICY, now)[1][given.id]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        pytest.param('service=~"pay.*"', Reason.SILENCED, id="a regex of its service"),
        pytest.param("{service=~cart|payment, __name__!=up}", Reason.SILENCED, id="two, in braces"),
        pytest.param('service=~"pay.*", __name__="up"', Reason.NEW, id="one of two does not match"),
        pytest.param('service="payment", team=""', Reason.SILENCED, id="a label that it lacks is empty"),
        pytest.param(
            'service="payment", team=~".+"', Reason.NEW, id="a label that it lacks must not be empty"
        ),
        pytest.param('incident="i1"', Reason.SILENCED, id="the incident itself"),
    ],
)
def test_a_silence_takes_alertmanagers_matchers(match: str, expected: Reason) -> None:
    assert judged(DecideState(), 1000, PAY, command("silence", 1000, match=match)).reason is expected


def test_matchers_and_exact_labels_of_one_silence_must_both_hold() -> None:
    asked = command("silence", 1000, service="payment", match='__name__=~"up|down"')

    assert judged(DecideState(), 1000, PAY, asked).reason is Reason.NEW


def test_each_signal_that_could_page_must_be_covered() -> None:
    one, all_of_them = (
        command("silence", 1000, match=m) for m in ("service=payment", 'service=~"payment|cart"')
    )

    assert judged(DecideState(), 1000, BOTH, one).reason is Reason.NEW
    assert judged(DecideState(), 1000, BOTH, all_of_them).reason is Reason.SILENCED


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({"match": "service=="}, id="not a matcher"),
        pytest.param({"match": 'service=~"("'}, id="not a regex"),
        pytest.param({"match": 'service=~".*"'}, id="it would mute everything"),
        pytest.param({"service": ""}, id="an empty value"),
        pytest.param({}, id="nothing"),
    ],
)
def test_a_silence_that_is_no_silence_is_counted_and_mutes_nothing(labels: dict[str, str]) -> None:
    state = DecideState()

    assert judged(state, 1000, PAY, command("silence", 1000, **labels)).reason is Reason.NEW
    assert state.quiet.silences.held == {}
    assert state.dropped == {"silences that nobody can read": 1}


def test_no_silence_is_longer_than_the_policy_allows() -> None:
    state = DecideState()
    forever = command("silence", 1000, 1e12, service="payment")

    assert judged(state, 1000 + 30 * DAY - 1, PAY, replace(forever, id="s")).reason is Reason.SILENCED
    decide(state, [], [replace(forever, id="t")], Policy(silence_longest=Span(3600)), 1000)
    assert state.quiet.silences.held["t"].until == 1000 + 3600


def test_what_opened_in_a_silence_and_still_burns_is_told_when_it_ends() -> None:
    state = DecideState()

    during = judged(state, 1100, PAY, command("silence", 1000, 2000, match="service=payment"))

    assert (during.act, during.reason) == (False, Reason.SILENCED)
    assert judged(state, 1999).reason is Reason.SILENCED
    assert (judged(state, 2000).reason, judged(state, 2001).reason) == (Reason.NEW, Reason.NOTHING_NEW)


def test_what_was_told_before_a_silence_is_told_again_once_when_it_ends() -> None:
    state = DecideState()
    judged(state, 1000)
    judged(state, 1100, PAY, command("silence", 1100, 2000, by="ann", match="service=payment"))

    after = judged(state, 2000)

    assert (after.act, after.reason) == (True, Reason.REPEAT)
    assert after.because == "still on when the silence by ann ended"
    assert judged(state, 2001).reason is Reason.NOTHING_NEW


def test_a_silence_that_has_ended_is_not_forgotten_before_what_it_covered_is_told_again() -> None:
    state = DecideState()
    judged(state, 1000)
    first, second = (command("silence", 500 + k, 900 + 1100 * k, service="payment") for k in range(2))
    judged(state, 1000, PAY, first, second)

    after = judged(state, 2000, PAY, command("unsilence", 2000, silence="another"))

    assert (after.reason, after.by) == (Reason.REPEAT, second.id)


def test_an_ended_silence_is_forgotten_in_time() -> None:
    state = DecideState()
    judged(state, 1000, PAY, command("silence", 1000, 2000, service="payment"))

    judged(state, 2000 + 3600, PAY, command("unsilence", 5600, silence="another"))

    assert state.quiet.silences.held == {}


@pytest.mark.parametrize(
    ("given", "now"),
    [
        pytest.param(replace(PAY, state=State.ACKNOWLEDGED, by="ada"), 2000, id="somebody is on it"),
        pytest.param(BOTH, 2000, id="the silence did not cover it"),
    ],
)
def test_it_is_not_told_again_when_a_silence_ends_where(given: Incident, now: Seconds) -> None:
    state = DecideState()
    judged(state, 1000, given=replace(given, state=State.OPEN))
    judged(state, 1100, given, command("silence", 1100, 2000, match="service=payment"))

    assert not judged(state, now, given).act


CART = replace(incident(signal("cart", 1000)), id="i2")


def test_a_silence_until_resolved_ends_with_the_last_incident_that_it_covered() -> None:
    state = DecideState()
    until_over = command("silence", 1000, match='service=~"pay.*|cart"', ends="resolved")
    given = [PAY, CART]
    decide(state, [], [until_over], POLICY, 900)  # nothing to cover yet: it waits

    first = decide(state, given, (), POLICY, 1000)[1]
    decide(state, [replace(PAY, state=State.RESOLVED, resolved=1100.0)], (), POLICY, 1100)
    still = judged(state, 1101, CART)
    decide(state, [replace(CART, state=State.RESOLVED, resolved=1200.0)], (), POLICY, 1200)
    [lifted] = asked(state, (), 1200)

    assert [v.reason for v in first.values()] == [Reason.SILENCED, Reason.SILENCED]
    assert still.reason is Reason.SILENCED
    assert lifted.labels == {
        "do": "unsilence", "silence": "silence-1000", "by": "Forewarn",
        "why": "nothing that it covered is open any more",
    }  # fmt: skip
    assert judged(state, 1300, PAY).reason is Reason.NEW
    assert asked(state, (), 1300) == ()


def test_a_silence_until_idle_ends_when_it_has_covered_nothing_for_so_long() -> None:
    state = DecideState()
    judged(state, 1000, CART, command("silence", 1000, service="payment", idle="600"))

    decide(state, [PAY], (), POLICY, 1599)
    decide(state, [replace(PAY, state=State.RESOLVED, resolved=1700.0)], (), POLICY, 1700)

    assert judged(state, 2299, PAY).reason is Reason.SILENCED
    decide(state, [replace(PAY, state=State.RESOLVED, resolved=2300.0)], (), POLICY, 2300)
    assert judged(state, 2900, PAY).reason is Reason.NEW
    assert [e.labels["why"] for e in asked(state, (), 2900)] == ["it covered nothing for 10 min"]


def test_what_joins_an_incident_is_told_and_does_not_end_the_silence_of_what_burns_on() -> None:
    state = DecideState()
    pay, cart = BOTH.signals
    judged(state, 1000, PAY, command("silence", 1000, service="payment", ends="resolved"))

    joined = judged(state, 1100, BOTH)
    alone = judged(state, 99999, replace(BOTH, signals=(pay, over(cart, 1200))))
    last = judged(state, 99999, replace(BOTH, signals=(over(pay, 1300), cart)))

    assert (joined.reason, alone.reason, last.reason) == (Reason.NEW, Reason.SILENCED, Reason.REPEAT)
    assert list(state.quiet.silences.held) == ["silence-1000"]


def test_a_fading_silence_that_no_longer_matches_ends() -> None:
    state = DecideState()
    judged(state, 1000, PAY, command("silence", 1000, service="payment", ends="resolved"))

    judged(state, 1100, replace(CART, id=PAY.id))

    assert state.quiet.silences.held == {}


def test_signals_of_one_incident_may_each_have_a_silence_of_their_own() -> None:
    state = DecideState()
    pay, cart = (command("silence", 1000, service=name) for name in ("payment", "cart"))

    verdict = judged(state, 1000, BOTH, replace(pay, id="pay"), replace(cart, id="cart"))

    assert (verdict.reason, verdict.by) == (Reason.SILENCED, "pay")
    lifted = command("unsilence", 1100, silence="cart")
    assert judged(state, 1100, BOTH, lifted).reason is Reason.NEW


def test_a_page_gives_what_is_heard_as_its_reason_and_not_what_is_silenced_beside_it() -> None:
    given = incident(signal("payment", 1000, surprise=30.0), signal("cart", 1000, surprise=8.0))
    loud, silenced = given.signals[1], command("silence", 1000, service="payment")

    found = judged(DecideState(), 1000, given, silenced)

    assert (found.reason, found.because) == (Reason.NEW, loud.reason)
    assert judged(DecideState(), 1000, given).because == given.signals[0].reason


def test_what_is_over_does_not_page_for_what_is_silenced_and_goes_on() -> None:
    state = DecideState()
    pay, cart = BOTH.signals
    judged(state, 1000, replace(BOTH, signals=(pay,)))
    judged(state, 1100, BOTH, command("silence", 1050, 1050 + 10 * DAY, service="cart"))
    left = replace(BOTH, signals=(over(pay, 1200), cart))

    later = [judged(state, 1000 + DAY * k, left).reason for k in range(1, 4)]

    assert later == [Reason.SILENCED] * 3
    gone = replace(BOTH, signals=(over(pay, 1200), over(cart, 1300)))
    assert judged(state, 1300, gone).reason is Reason.NOTHING_NEW  # both are over, and one was none of it


def test_a_silence_without_a_reason_is_told_without_one() -> None:
    said = [
        judged(DecideState(), 1000, PAY, command("silence", 1000, service="payment", **why)).because
        for why in ({}, {"why": "known"})
    ]

    assert said == ["silenced by ada", "silenced by ada: known"]


def test_a_silence_may_begin_later_and_be_changed_under_its_id() -> None:
    state = DecideState()
    later = command("silence", 1000, 3000, service="payment", starts="2000")

    assert judged(state, 1000, PAY, later).reason is Reason.NEW
    assert judged(state, 2000).reason is Reason.SILENCED
    shorter = replace(command("silence", 2100, 2200, service="payment", silence=later.id), id="other")
    assert judged(state, 2100, PAY, shorter).reason is Reason.SILENCED
    assert judged(state, 2200).reason is Reason.REPEAT


def test_too_many_silences_are_turned_away_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.silence.MAX_SILENCES", 1)
    state = DecideState()
    first, second = (command("silence", 1000 + k, service=name) for k, name in enumerate(("cart", "payment")))

    assert judged(state, 1001, PAY, first, second).reason is Reason.NEW
    assert state.dropped == {"silences": 1}


@pytest.mark.parametrize("covers", [True, False])
def test_a_silence_that_is_changed_fades_as_it_now_says(covers: bool) -> None:
    silences = Silences()
    fading = Silence("a", "ann", 9000, {"service": "payment"}, idle=60)
    silences.add(fading, 1000)
    if covers:
        silences.covering(PAY, 1010)

    silences.add(replace(fading, idle=0.0), 1020)
    silences.tidy(2000)
    lasting = list(silences.held)
    silences.add(fading, 2000)
    silences.tidy(2061)

    assert lasting == ["a"]
    assert list(silences.held) == (["a"] if covers else [])


def test_no_more_silences_fade_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.silence.MAX_FADING", 1)
    silences = Silences()
    first = Silence("a", "ann", 2000, {"service": "cart"}, resolved=True)

    added = [
        silences.add(each, 1000) for each in (first, replace(first, id="b"), first, replace(first, idle=60))
    ]
    silences.end("a")

    assert added == [True, False, True, True]
    assert silences.add(replace(first, id="b"), 1000)


def test_the_history_of_commands_tells_every_silence_as_it_stands() -> None:
    first = command("silence", 1000, 3000, service="cart")
    moved = replace(command("silence", 1100, 4000, service="cart", silence=first.id), id="moved")
    other = command("silence", 1200, 5000, match="service==")
    lifted = command("unsilence", 1300, silence=first.id)

    held, ended = history([other, moved, first]), history([lifted, moved, first])

    assert [(id, a.silence.starts, a.silence.until, a.ended) for id, a in held.items()] == [
        ("silence-1000", 1000, 4000, None)
    ]
    assert ended[first.id].ended == 1300


def test_a_preview_names_the_incidents_that_a_silence_would_mute() -> None:
    cart = replace(incident(signal("cart", 1000)), id="i2")

    assert covered({"match": 'service=~"pay.*"'}, [PAY, cart]) == [PAY]
    assert covered({"service": "cart"}, [PAY, cart, BOTH]) == [cart]
    with pytest.raises(ValueError, match="expected one that an empty value does not match"):
        covered({"match": 'team!="x"'}, [PAY])


def test_a_silence_that_older_code_took_is_never_in_the_way() -> None:
    odd = Silence("s", "ann", 9000.0, {"match": "=="})

    assert covering([odd], PAY, 1000) is None


NAMES = st.sampled_from(("service", "__name__", "incident", "team"))
ASKED = st.dictionaries(NAMES, st.sampled_from(("payment", "cart", "up", "i1", "")), max_size=2)


def naive_covering(silences: list[Labels], given: Incident) -> list[str]:
    """Look at every condition of every silence and at every signal that could page and is on, or could."""
    loud = [s for s in given.signals if s.page] or list(given.signals)
    on = [s for s in loud if s.ended is None] or loud
    views = [{**s.labels, "service": s.service, "incident": given.id} for s in on]
    hit = [[k for k, a in enumerate(silences) if all(m(v) for m in conditions(a))] for v in views]
    if not all(hit):
        return []
    return [str(k) for k in hit[0] if all(k in each for each in hit)] or [str(hit[0][0])]


@given(
    st.lists(ASKED.filter(lambda a: any(a.values())), max_size=6),
    st.lists(
        st.tuples(
            st.sampled_from(("payment", "cart")),
            st.sampled_from(("up", "lag")),
            st.booleans(),
            st.sampled_from((None, 1100.0)),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_the_silence_that_covers_an_incident_is_the_plain_loops(
    silences: list[Labels], spoken: list[tuple[str, str, bool, Seconds | None]]
) -> None:
    given = incident(
        *(nouns.signal(of, 1000, name, page=page, ended=ended) for of, name, page, ended in spoken)
    )
    known = [Silence(str(k), "ann", 2000.0, asked) for k, asked in enumerate(silences)]

    held = Silences()
    for silence in known:
        held.add(silence, 1000)
    expected = next(iter(naive_covering(silences, given)), None)

    found = covering(known, given, 1000)
    assert (found.id if found else None) == expected
    again = held.covering(given, 1000)
    assert (again.id if again else None) == expected
    if again is not None:
        held.end(again.id)
        after = held.covering(given, 1000)
        left = [{"team": "none"} if str(k) == again.id else asked for k, asked in enumerate(silences)]
        assert (after.id if after else None) == next(iter(naive_covering(left, given)), None)
