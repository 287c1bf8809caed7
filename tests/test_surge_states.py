"""A surge emerges, is confirmed, grows quiet, comes again or is forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.surge import CLOSED, JOINED, QUIET
from pipeline.complaints.tuning import Complaints
from pipeline.correlate import CorrelateState, correlate
from pipeline.decide import DecideState, Policy, decide
from pipeline.topology import Service, Topology
from pipeline.types import Event, Reason, Seconds, Signal
from tests.nouns import signal

START = 1_700_000_000.0
NOW = START + 86400.0 * 7
PAYMENT = Topology({"payment": Service(aliases={"en": ("payment",)})})
CHATTER = ("Where is my parcel", "Forgot my password", "怎么开发票", "Do you ship to Norway", "Thank you")


def said(id: str, at: Seconds, text: str, customer: str = "") -> Event:
    return Event("complaint", id, at, {"customer": customer or id}, text)


def hearing(state: ComplaintState, events: list[Event]) -> list[Signal]:
    """Hear each at its own time; a command is a word about surges."""
    told: list[Signal] = []
    for event in events:
        told += hear(state, (event,), Topology(), event.time)[0]
    return told


def week() -> bytes:
    """A question every ten minutes."""
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    hearing(state, [said(f"w{k}", START + 600.0 * k, f"{CHATTER[k % 5]} {k}") for k in range(1008)])
    return snapshot.dump(state)


WEEK = week()


def known() -> ComplaintState:
    state: ComplaintState = snapshot.load(WEEK)
    return state


def burst(
    at: Seconds, name: str = "s", n: int = 8, about: str = "seat map", gap: float = 60.0
) -> list[Event]:
    return [said(f"{name}{k}", at + gap * k, f"the {k}th {about} never loads") for k in range(n)]


def states(told: list[Signal]) -> list[str]:
    found = [s.labels["state"] for s in told]
    return [one for k, one in enumerate(found) if k == 0 or found[k - 1] != one]


def word(do: str, surge: str, at: Seconds, by: str = "ada") -> Event:
    return Event("command", f"{do} {at}", at, {"do": do, "signals": surge, "by": by})


def slowly(at: Seconds, name: str) -> list[Event]:
    return [said(f"{name}{k}", at + 900.0 * k, f"the {k}th seat map never loads") for k in range(4)]


def test_a_surge_emerges_without_a_page_is_confirmed_with_one_and_ends_quiet() -> None:
    state = known()
    state.surges.budget.allow(1e-6)  # so strict that three voices are not enough

    told = hearing(state, slowly(NOW, "s"))
    told += hear(state, (), Topology(), NOW + 2700 + QUIET + 1)[0]

    assert states(told) == ["emerging", "confirmed", "quiet"]
    assert {(s.labels["state"], s.page) for s in told} == {
        ("emerging", False), ("confirmed", True), ("quiet", True)
    }  # fmt: skip
    assert [s.ended for s in told if s.labels["state"] == "quiet"] == [NOW + 2700]


def test_one_that_emerged_only_is_over_when_nobody_joins_and_does_not_come_again() -> None:
    state = known()
    state.surges.budget.allow(1e-6)

    told = hearing(state, slowly(NOW, "s")[:3])
    told += hear(state, (), Topology(), NOW + 1800 + JOINED + 1)[0]

    assert states(told) == ["emerging", "quiet"]
    assert not any(s.page for s in told)
    assert state.surges.quiet == {}


def test_one_that_comes_again_within_a_day_is_the_same_surge_and_later_another() -> None:
    state = known()
    [first] = {s.id for s in hearing(state, burst(NOW))}

    again = hearing(state, burst(NOW + 6 * 3600, "t"))
    later = hearing(state, burst(NOW + 6 * 3600 + 420 + CLOSED + 3600, "u"))

    assert {s.id for s in again if s.ended is None} == {first}
    assert first not in {s.id for s in later if s.ended is None}
    assert first not in state.surges.quiet
    begun = next(s for s in again if s.ended is None)
    assert begun.since == pytest.approx(NOW + 6 * 3600)
    assert all(one.startswith("t") for one in begun.ids)


def test_one_more_voice_does_not_wake_a_quiet_surge() -> None:
    state = known()
    hearing(state, burst(NOW))

    told = hearing(state, burst(NOW + 3600, "t", n=1))

    assert [s for s in told if s.ended is None] == []
    assert len(state.surges.quiet) == 1


def test_what_was_quiet_is_not_woken_by_another_thing() -> None:
    state = known()
    [first] = {s.id for s in hearing(state, burst(NOW))}

    told = hearing(
        state, [said(f"x{k}", NOW + 3600 + 60 * k, f"charged twice for {k} books") for k in range(8)]
    )

    assert {s.id for s in told if s.ended is None}.isdisjoint({first})
    assert any(s.page for s in told if s.ended is None)


def test_one_customer_who_says_it_often_makes_nothing_emerge() -> None:
    loud = [replace(e, labels={"customer": "ann"}) for e in burst(NOW, n=20)]

    assert hearing(known(), loud) == []


STEPS = {  # what may be told of one surge after what
    "": {"emerging", "confirmed"},
    "emerging": {"emerging", "confirmed", "quiet"},
    "confirmed": {"confirmed", "quiet"},
    "quiet": {"emerging", "confirmed"},
}
SPANS = st.sampled_from([10.0, 60.0, 250.0, 3600.0, 6000.0, 90_000.0])
THINGS = st.sampled_from(["seat map", "card reader", "voucher"])
WORDS = st.sampled_from(["", "", "", "", "noise", "confirm", "unteach"])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(SPANS, THINGS, WORDS), min_size=1, max_size=60), st.integers(0, 60))
def test_no_surge_skips_a_state_and_a_snapshot_in_the_middle_changes_nothing(
    moves: list[tuple[float, str, str]], cut: int
) -> None:
    at, events = NOW, []
    for k, (after, about, do) in enumerate(moves):
        at += after
        events.append(said(f"m{k}", at, f"the {k}th {about} never loads"))
        if do:
            events.append(Event("command", f"d{k}", at, {"do": do, "signals": "", "by": "ada"}))
    straight, broken = known(), known()

    told = hearing(straight, events)
    parts = hearing(broken, events[:cut])
    parts += hearing(snapshot.load(snapshot.dump(broken)), events[cut:])

    assert told == parts
    newest: dict[str, str] = {}
    for one in told:
        state = one.labels["state"]
        assert state in STEPS[newest.get(one.id, "")]
        assert one.page == (state == "confirmed") or state == "quiet"
        assert (one.ended is not None) == (state == "quiet")
        newest[one.id] = state


def judged(events: list[Event], weak: tuple[Signal, ...]) -> Reason:
    """Return why the incident of payment pages or does not, given complaints and measured signals."""
    state, held, deciding, verdict = known(), CorrelateState(), DecideState(), Reason.TENTATIVE
    state.surges.budget.allow(1e-6)
    for event in [*events, Event("change", "none", NOW + 921, {})]:
        signals, read = hear(state, (event,), PAYMENT, event.time)
        measured = weak if event.kind == "change" else ()
        seen = correlate(held, (*signals, *measured), read, (event,), PAYMENT, event.time)
        _, verdicts = decide(deciding, seen, (event,), Policy(), event.time)
        verdict = next((v.reason for v in verdicts.values()), verdict)
    return verdict


def test_an_emerging_surge_and_one_weak_metric_of_its_service_page_together_and_neither_alone() -> None:
    surge = [said(f"p{k}", NOW + 460.0 * k, f"the {k}th payment never ends") for k in range(3)]
    weak = (signal("payment", NOW + 900, surprise=6.5, page=False),)

    assert judged(surge, ()) is Reason.TENTATIVE
    assert judged([], weak) is Reason.TENTATIVE
    assert judged(surge, weak) is Reason.NEW


def test_where_nothing_was_heard_before_a_crowd_is_a_surge() -> None:
    state = tuned(ComplaintState(), Complaints(encoder="none"))

    told = [hearing(state, [e]) for e in (replace(b, time=NOW + k) for k, b in enumerate(burst(NOW, n=12)))]

    paged = [k for k, signals in enumerate(told) if any(s.page for s in signals)]
    assert paged == [*range(7, 12)]


@pytest.mark.parametrize("others", [pytest.param(0, id="too few"), pytest.param(14, id="not most of all")])
def test_where_nothing_was_heard_before_others_are_none(others: int) -> None:
    """On its first day a busy desk hears a lot of everything at once."""
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    alike = [replace(b, time=NOW + k) for k, b in enumerate(burst(NOW, n=12 if others else 7))]
    mixed = [said(f"o{k}", NOW + k % 12 + 0.5, CHATTER[k % 5] * (k % 3 + 1)) for k in range(others)]

    told = hearing(state, sorted((*alike, *mixed), key=lambda e: e.time))

    assert not any(s.page for s in told)
