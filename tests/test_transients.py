"""What always clears by itself within minutes waits before it pages, and says so."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.decide import DecideState, Policy, decide
from pipeline.transients import ENOUGH, LAST, LONGER, MAX_KINDS, MAX_LEARNED, SHORT, Transients
from pipeline.types import Entry, Incident, Reason, Seconds, State
from tests.nouns import incident, signal


def opened(k: int, at: Seconds, service: str = "payment", **known: Any) -> Incident:
    return incident(signal(service, at), id=f"{service}-{k}", opened=at, updated=at, **known)


def ended(k: int, at: Seconds, lasted: Seconds = 60, **known: Any) -> Incident:
    done = {"state": State.RESOLVED, "quiet": at + lasted, "resolved": at + lasted + 180, **known}
    return opened(k, at, **done)


def taught(*ends: Incident) -> Transients:
    transients = Transients()
    for one in ends:
        transients.learn(one)
    return transients


ALWAYS = [ended(k, k * 3600.0) for k in range(ENOUGH)]
NEXT = opened(99, 9e5)


def waits(transients: Transients, given: Incident = NEXT) -> bool:
    return transients.patience(given)[0] > given.opened


def test_the_page_of_what_always_cleared_waits_a_little_longer_than_ever_before() -> None:
    state = DecideState(transients=taught(*ALWAYS))

    def reason(after: Seconds) -> Reason:
        return decide(state, [NEXT], (), Policy(), NEXT.opened + after)[1][NEXT.id].reason

    assert [reason(0), reason(LONGER * 60 - 1), reason(LONGER * 60)] == [
        *[Reason.TRANSIENT] * 2,
        Reason.NEW,
    ]


def test_why_it_waits_is_told_with_its_numbers() -> None:
    verdict = decide(DecideState(transients=taught(*ALWAYS)), [NEXT], (), Policy(), NEXT.opened)[1][NEXT.id]

    assert verdict.because == (
        "cpu_ratio of payment cleared by itself within 60 s each of the last 5 times: it has 90 s to do so"
    )


def test_ends_are_learned_by_deciding() -> None:
    state = DecideState()
    for one in ALWAYS:
        decide(state, [one], (), Policy(), one.resolved or 0.0)

    assert waits(state.transients)


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"lasted": SHORT + 1}, id="it took too long"),
        pytest.param({"by": "ada"}, id="a person resolved it"),
        pytest.param({"acknowledged": 1.0}, id="a person saw to it"),
        pytest.param({"voices": 1}, id="a customer complained"),
        pytest.param({"timeline": (Entry(1.0, "Playbook restart: runs"),)}, id="a playbook healed it"),
    ],
)
def test_one_end_that_was_not_by_itself_makes_the_next_page_at_once(odd: dict[str, Any]) -> None:
    transients = taught(*ALWAYS, ended(50, 5e5, **odd))

    assert not waits(transients)


def test_it_is_held_against_a_kind_for_so_many_ends_and_no_longer() -> None:
    bad = ended(50, 5e5, by="ada")
    after = [ended(100 + k, 6e5 + k * 3600) for k in range(LAST)]

    assert not waits(taught(*ALWAYS, bad, *after[:-1]))
    assert waits(taught(*ALWAYS, bad, *after))


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(NEXT, True, id="the same kind"),
        pytest.param(opened(99, 9e5, "checkout"), False, id="another service"),
        pytest.param(replace(NEXT, voices=1), False, id="a customer complains"),
        pytest.param(replace(NEXT, priority="P1"), False, id="most urgent"),
        pytest.param(
            replace(NEXT, signals=(*NEXT.signals, signal("payment", 9e5, "errors"))), False, id="more than it"
        ),
        pytest.param(
            replace(NEXT, signals=(*NEXT.signals, signal("payment", 9e5, "errors", page=False))),
            True,
            id="evidence beside it",
        ),
    ],
)
def test_only_what_is_all_of_known_kinds_waits(known: Incident, expected: bool) -> None:
    assert waits(taught(*ALWAYS), known) is expected


def test_too_few_ends_prove_nothing_and_one_incident_counts_once() -> None:
    assert not waits(taught(*ALWAYS[:-1]))
    assert not waits(taught(*[ALWAYS[0]] * ENOUGH))


@given(st.lists(st.floats(0, 2 * SHORT), max_size=40))
def test_no_page_waits_longer_than_what_is_short(ends: list[Seconds]) -> None:
    transients = taught(*(ended(k, k * 3600.0, lasted) for k, lasted in enumerate(ends)))

    until, why = transients.patience(NEXT)

    assert until <= NEXT.opened + SHORT
    assert (until == -math.inf) is (why == "")
    assert snapshot.load(snapshot.dump(transients)) == transients


def test_kinds_and_incidents_remembered_are_bounded() -> None:
    transients = taught(*(ended(k, k * 3600.0, service=f"svc-{k}") for k in range(MAX_KINDS + 10)))

    assert len(transients.lasted) == MAX_KINDS
    assert len(transients.learned) == MAX_LEARNED
