"""Every page has its reason, and so has every silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pipeline.clock import Span
from pipeline.config import parse
from pipeline.decide import MAX_TOLD, DecideState, Policy, Told, decide
from pipeline.types import Event, Incident, Reason, Seconds, State
from pipeline.windows import Maintenance
from tests.nouns import command, incident, signal

POLICY = Policy(repeat_interval=Span(3600))
NEW = incident(signal("payment", 1000))
WEAK = incident(signal("payment", 1000, page=False))
SEEN = replace(NEW, state=State.ACKNOWLEDGED, by="ada")
DONE = replace(NEW, state=State.RESOLVED, resolved=1500.0)


def reason(
    state: DecideState, now: Seconds, given: Incident, events: tuple[Event, ...] = (), policy: Policy = POLICY
) -> Reason:
    return decide(state, [given], events, policy, now)[1][given.id].reason


def told(at: Seconds = 1000, priority: str = "P3", *, resolved: bool = False) -> DecideState:
    return DecideState(told={"i1": Told(at, priority, resolved)})


@pytest.mark.parametrize(
    ("state", "given", "now", "expected"),
    [
        pytest.param(DecideState(), NEW, 1000, Reason.NEW, id="never told"),
        pytest.param(DecideState(), WEAK, 1000, Reason.TENTATIVE, id="evidence only"),
        pytest.param(told(), NEW, 1060, Reason.NOTHING_NEW, id="a minute later, nothing new"),
        pytest.param(told(), NEW, 1000 + 3599, Reason.NOTHING_NEW, id="just before the repeat interval"),
        pytest.param(told(), NEW, 1000 + 3600, Reason.REPEAT, id="repeat interval has passed"),
        pytest.param(told(), replace(NEW, priority="P2"), 1060, Reason.WORSE, id="priority rose"),
        pytest.param(told(), DONE, 1500, Reason.RESOLVED, id="over, and they were told of it"),
        pytest.param(DecideState(), DONE, 1500, Reason.NOTHING_NEW, id="over, and nobody was told of it"),
        pytest.param(told(resolved=True), DONE, 1600, Reason.NOTHING_NEW, id="over, and told so"),
        pytest.param(told(resolved=True), NEW, 1600, Reason.WORSE, id="came back after it was over"),
        pytest.param(told(), SEEN, 9000, Reason.ACKNOWLEDGED, id="acknowledged: no repeat"),
        pytest.param(DecideState(), SEEN, 1060, Reason.ACKNOWLEDGED, id="acknowledged before any page"),
        pytest.param(told(), replace(SEEN, priority="P1"), 1060, Reason.WORSE, id="acknowledged, then worse"),
    ],
)
def test_a_verdict_has_the_first_reason_that_holds(
    state: DecideState, given: Incident, now: Seconds, expected: Reason
) -> None:
    assert reason(state, now, given) is expected


@pytest.mark.parametrize(
    ("state", "given", "now", "because"),
    [
        pytest.param(told(), NEW, 4600, "still on 60 min after it was last told", id="told again"),
        pytest.param(
            told(resolved=True), NEW, 1600, "came back 10 min after it had resolved", id="back after its end"
        ),
        pytest.param(told(), replace(NEW, priority="P2"), 1060, "priority rose from P3 to P2", id="worse"),
        pytest.param(told(), DONE, 1500, "over after 8 min", id="over"),
        pytest.param(
            told(),
            replace(
                DONE, signals=(replace(DONE.signals[0], settled="96 %, 4 times the 24 % expected before"),)
            ),
            1500,
            "over after 8 min; not as it was: cpu_ratio of payment has settled at"
            " 96 %, 4 times the 24 % expected before",
            id="over at another level",
        ),
    ],
)
def test_a_page_that_is_not_the_first_says_how_long_it_is_since(
    state: DecideState, given: Incident, now: Seconds, because: str
) -> None:
    assert decide(state, [given], (), POLICY, now)[1]["i1"].because == because


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        pytest.param([("metric", 8.0), ("log", 7.0)], Reason.NEW, id="two kinds, each worth something"),
        pytest.param([("metric", 8.0), ("metric", 9.0)], Reason.TENTATIVE, id="one kind twice"),
        pytest.param(
            [("metric", 8.0), ("log", 1.0)], Reason.TENTATIVE, id="one of the two is next to nothing"
        ),
    ],
)
def test_kinds_of_evidence_too_weak_alone_page_together(
    signals: list[tuple[str, float]], expected: Reason
) -> None:
    weak = [
        signal("payment", 1000, f"m{k}", kind=kind, surprise=surprise, page=False)
        for k, (kind, surprise) in enumerate(signals)
    ]

    assert reason(DecideState(), 1000, incident(*weak)) is expected


def test_customers_enough_make_evidence_page() -> None:
    assert reason(DecideState(), 1000, replace(WEAK, voices=2)) is Reason.TENTATIVE
    assert reason(DecideState(), 1000, replace(WEAK, voices=3)) is Reason.NEW


def test_a_small_surge_about_a_service_pages_once_enough_customers_speak_within_minutes() -> None:
    surge = incident(signal("payment", 1000, kind="complaint", page=False))

    assert reason(DecideState(), 1000, replace(surge, voices=2)) is Reason.TENTATIVE
    assert reason(DecideState(), 1000, replace(surge, voices=3)) is Reason.NEW


def test_what_has_ended_does_not_page_late() -> None:
    assert reason(DecideState(), 1100, incident(signal("payment", 1000, ended=1090))) is Reason.TENTATIVE


def test_a_page_marks_the_incident_once_and_says_so_in_its_timeline() -> None:
    state = DecideState()

    [first], _ = decide(state, [NEW], (), POLICY, 1000)
    [again], _ = decide(state, [replace(first, priority="P1")], (), POLICY, 1200)

    assert (first.paged, again.paged) == (1000, 1000)
    assert [e.what.split(":")[0] for e in again.timeline] == ["paged (new)", "paged (worse)"]


@pytest.mark.parametrize(
    ("labels", "now", "expected"),
    [
        pytest.param({"service": "payment"}, 1999, Reason.SILENCED, id="its service"),
        pytest.param({"service": "cart"}, 1999, Reason.NEW, id="another service"),
        pytest.param({"incident": "i1"}, 1999, Reason.SILENCED, id="the incident itself"),
        pytest.param({"incident": "i2"}, 1999, Reason.NEW, id="another incident"),
        pytest.param(
            {"service": "payment", "__name__": "cpu_ratio"}, 1999, Reason.SILENCED, id="all labels match"
        ),
        pytest.param({"service": "payment", "__name__": "up"}, 1999, Reason.NEW, id="one label differs"),
        pytest.param({"service": "payment"}, 2000, Reason.NEW, id="the silence has ended and it still burns"),
    ],
)
def test_a_silence_covers_what_matches_until_it_ends(
    labels: dict[str, str], now: Seconds, expected: Reason
) -> None:
    state = DecideState()
    decide(state, [], [command("silence", 1000, 2000, **labels)], POLICY, 1000)

    assert reason(state, now, NEW) is expected


def test_a_silence_of_one_service_does_not_hide_another_service_of_the_incident() -> None:
    both = incident(signal("payment", 1000), signal("cart", 1000))

    assert reason(DecideState(), 1000, both, (command("silence", 1000, service="payment"),)) is Reason.NEW


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param({"silence": "silence-1000"}, id="by its id"),
        pytest.param({"service": "payment"}, id="by what it matches"),
    ],
)
def test_a_silence_is_lifted(labels: dict[str, str]) -> None:
    state = DecideState()
    decide(state, [], [command("silence", 1000, service="payment")], POLICY, 1000)

    assert reason(state, 1010, NEW, (command("unsilence", 1010, **labels),)) is Reason.NEW


def test_those_who_were_paged_are_told_that_it_is_over_though_it_is_silenced_now() -> None:
    state = told()

    assert reason(state, 1500, DONE, (command("silence", 1400, service="payment"),)) is Reason.RESOLVED


@pytest.mark.parametrize(
    ("services", "now", "expected"),
    [
        pytest.param(("payment",), 1010, Reason.MAINTENANCE, id="inside the window"),
        pytest.param(("payment",), 2000, Reason.NEW, id="the end is exclusive"),
        pytest.param(("payment",), 1009, Reason.NEW, id="before the window"),
        pytest.param(("cart",), 1010, Reason.NEW, id="another service"),
    ],
)
def test_planned_work_is_silent(services: tuple[str, ...], now: Seconds, expected: Reason) -> None:
    window = Maintenance(services, datetime.fromtimestamp(1010, UTC), datetime.fromtimestamp(2000, UTC))

    assert reason(DecideState(), now, NEW, policy=Policy(maintenance=(window,))) is expected


def test_a_window_needs_a_time_zone() -> None:
    window = {"services": ["pay"], "starts": "2026-11-22T10:00:00", "ends": "2026-11-22T12:00:00Z"}

    with pytest.raises(ValueError, match=r"maintenance\[0\]\.starts: .*timezone"):
        parse({"maintenance": [window]}, Policy)


def test_a_symptom_is_inhibited_while_its_cause_has_paged_and_is_not_over() -> None:
    state = DecideState()
    cause = incident(signal("payment", 1000), id="cause")
    symptom = incident(signal("front", 1010), id="symptom", cause="cause")

    _, both = decide(state, [symptom, cause], (), POLICY, 1010)
    decide(state, [replace(cause, state=State.RESOLVED, resolved=1100.0)], (), POLICY, 1100)

    assert (both["cause"].reason, both["symptom"].reason) == (Reason.NEW, Reason.INHIBITED)
    assert both["symptom"].by == "cause"
    assert reason(state, 1110, symptom) is Reason.NEW


def test_a_service_that_opens_too_often_flaps_until_it_is_calm() -> None:
    state, policy = DecideState(), Policy(flap_opens=3, flap_calm=1, flap_window=Span(600))
    opened = [0, 100, 200, 500, 790, 1400]

    reasons = [
        reason(state, at, incident(signal("payment", at), id=f"i{at}"), policy=policy) for at in opened
    ]

    assert reasons == [Reason.NEW, Reason.NEW, Reason.FLAPPING, Reason.FLAPPING, Reason.FLAPPING, Reason.NEW]


def test_evidence_is_gathered_before_the_first_page_where_the_policy_says_so() -> None:
    state, policy = DecideState(), Policy(group_wait=Span(30))

    assert reason(state, 1029, NEW, policy=policy) is Reason.TENTATIVE
    assert reason(state, 1030, NEW, policy=policy) is Reason.NEW


def test_what_was_told_is_remembered_within_a_bound_and_the_open_ones_longest() -> None:
    state = DecideState(told={f"r{k}": Told(0, "P3", k > 0) for k in range(MAX_TOLD)})

    decide(state, [NEW], (), POLICY, 1000)

    assert len(state.told) == MAX_TOLD
    assert "r0" in state.told
    assert "r1" not in state.told
