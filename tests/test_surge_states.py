"""A surge emerges, is confirmed, grows quiet, comes again or is forgotten; and people teach it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pipeline import snapshot
from pipeline.complaints import ComplaintState, hear, lessons, tuned
from pipeline.complaints.heard import Said
from pipeline.complaints.lessons import LASTS, LEAST, MAX_LESSONS, MORE, TIMES
from pipeline.complaints.surge import CLOSED, JOINED, QUIET
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.words import Vector
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


def paged(told: list[Signal]) -> int:
    """Return the customers at whom it paged, 99 for never."""
    return next((int(s.observed) for s in told if s.page and s.ended is None), 99)


def test_what_was_called_noise_needs_more_voices_and_says_who_said_so() -> None:
    plain, taught = known(), known()
    for state in (plain, taught):
        [surge] = {s.id for s in hearing(state, burst(NOW, n=6))}
    told = NOW + 1800

    before = hearing(plain, burst(told + 600, "t", n=30))
    after = hearing(taught, [word("noise", surge, told), *burst(told + 600, "t", n=30)])

    assert paged(before) < paged(after)
    assert "the like of it was called noise by ada on 2023-11-21: " in after[-1].reason
    assert "called noise" not in before[-1].reason


def test_what_is_taught_is_about_complaints_alike_and_nothing_else() -> None:
    plain, taught = known(), known()
    for state in (plain, taught):
        [surge] = {s.id for s in hearing(state, burst(NOW, n=6))}
    other = [said(f"x{k}", NOW + 3600 + 60 * k, f"charged twice for {k} books") for k in range(8)]

    before = hearing(plain, other)
    after = hearing(taught, [word("noise", surge, NOW + 1800), *other])

    assert [s for s in after if s.ended is None] == [s for s in before if s.ended is None]
    assert before != []


@pytest.mark.parametrize(
    ("words", "lift"),
    [
        pytest.param(["confirm"], -0.2, id="confirmed: a little less"),
        pytest.param(["confirm"] * 9, LEAST, id="confirmed nine times: bounded"),
        pytest.param(["noise", "confirm"], -0.2, id="the newest word counts"),
    ],
)
def test_a_lesson_is_bounded_and_the_newest_counts(words: list[str], lift: float) -> None:
    state = known()
    [surge] = {s.id for s in hearing(state, burst(NOW))}

    hearing(state, [word(do, surge, NOW + 1800 + k) for k, do in enumerate(words)])

    assert [lesson.lift for lesson in state.surges.lessons.taught] == [pytest.approx(lift)]
    assert LEAST < 0


def called_noise(n: int, gap: float = 60.0) -> ComplaintState:
    state = known()
    [surge] = {s.id for s in hearing(state, burst(NOW, n=n, gap=gap))}
    hearing(state, [word("noise", surge, NOW + 86400)])
    return state


@pytest.mark.parametrize("n", [6, 12, 40, 80])
def test_however_loud_it_was_what_looks_like_what_was_called_noise_stays_silent(n: int) -> None:
    told = hearing(called_noise(n), burst(NOW + 2 * 86400, "t", n=n + n // 2))

    assert paged(told) == 99
    assert told != []


@pytest.mark.parametrize("n", [6, 12, 40])
def test_a_much_larger_outbreak_of_what_was_called_noise_is_told(n: int) -> None:
    told = hearing(called_noise(n), burst(NOW + 2 * 86400, "t", n=3 * n + 10, gap=30.0))

    assert n < paged(told) <= 2 * n + 5


def test_the_same_thing_once_more_is_seldom_told() -> None:
    """Of a stream in which m wrote, so many or more write by chance: Poisson, its rate known by m alone."""
    dismissed = np.arange(3, 500)

    again = stats.nbinom.sf(np.ceil(TIMES * dismissed + MORE) - 1, dismissed + 0.5, 0.5)

    assert again.max() < 1 / 50


def test_what_comes_all_at_once_is_not_what_came_over_a_day_and_was_called_noise() -> None:
    state = called_noise(30, gap=1200.0)

    assert paged(hearing(state, burst(NOW + 2 * 86400, "t", n=30, gap=10.0))) <= 15


def test_a_surge_is_what_was_called_noise_though_one_in_it_words_it_otherwise() -> None:
    state = called_noise(12)
    hearing(state, [*burst(NOW + 2 * 86400, "t", n=10), said("other", NOW + 2 * 86400 + 3600, "Danke")])
    heard, taught = state.heard, state.surges.lessons
    vector = Vector(heard.index[-1 + len(heard)], heard.weight[-1 + len(heard)])
    other = Said(vector, heard.dense[0], latent=heard.places[-1 + len(heard)])

    assert taught.of(heard, other, [], "") is None
    assert taught.of(heard, other, heard.rows(tuple(f"t{k}" for k in range(8))), "") is taught.taught[0]


TROUBLES = (
    *("page is blank", "says my card is unknown", "has no way to choose another bank", "loops to the basket"),
    *(
        "sent two mails, no order",
        "asks for a code",
        "shows error 500",
        "button is grey",
        "cannot take an iban",
    ),
    *("is in the wrong currency", "timed out on me", "wants an old address"),
)


def named(state: ComplaintState, at: Seconds, name: str) -> list[Signal]:
    """Hear twelve customers whose complaints have nothing in common but the service that they name."""
    events = [said(f"{name}{k}", at + 60.0 * k, f"payment {what}") for k, what in enumerate(TROUBLES)]
    return linked(state, events)


def linked(state: ComplaintState, events: list[Event]) -> list[Signal]:
    return [s for e in events for s in hear(state, (e,), PAYMENT, e.time)[0]]


def test_a_surge_that_only_a_service_held_together_is_silent_too_once_it_was_called_noise() -> None:
    state = known()
    [surge] = {s.id for s in named(state, NOW, "s")}
    hearing(state, [word("noise", surge, NOW + 86400)])

    silent = named(state, NOW + 2 * 86400, "t")
    alike = linked(state, burst(NOW + 4 * 86400, "u", about="payment by card"))
    hearing(state, [word("unteach", surge, NOW + 5 * 86400)])
    again = named(state, NOW + 6 * 86400, "v")

    assert (paged(silent), silent[-1].service) == (99, "payment")
    assert paged(alike) <= 8
    assert (paged(again), state.surges.lessons.taught) == (3, [])


def test_what_was_confirmed_pages_no_later_than_before() -> None:
    plain, taught = known(), known()
    for state in (plain, taught):
        [surge] = {s.id for s in hearing(state, burst(NOW))}

    before = hearing(plain, burst(NOW + 3600, "t", about="seat plan"))
    after = hearing(taught, [word("confirm", surge, NOW + 1800), *burst(NOW + 3600, "t", about="seat plan")])

    assert paged(after) <= paged(before) < 99
    assert not taught.surges.lessons.taught[0].hushes(np.zeros(6))
    assert after[-1].reason.endswith("the like of it was confirmed by ada on 2023-11-21: 0.2 lower bar")


def test_what_was_called_noise_twice_is_held_to_the_larger_of_both() -> None:
    state = called_noise(30)
    [surge] = {s.id for s in hearing(state, burst(NOW + 2 * 86400, "t", n=8))}

    hearing(state, [word("noise", surge, NOW + 3 * 86400)])

    [lesson] = state.surges.lessons.taught
    assert lesson.crowd.tolist() == [10, 20, 30, 30, 30, 30]
    assert lesson.told() == "called noise by ada on 2023-11-24: it pages again from 65 customers in 90 min"


def test_after_a_month_people_are_asked_anew() -> None:
    loud = hearing(called_noise(12), burst(NOW + 86400 + LASTS - 3600, "t", n=12))
    late = hearing(called_noise(12), burst(NOW + 86400 + LASTS + 3600, "t", n=12))

    assert paged(loud) == 99
    assert paged(late) <= 12


def test_what_is_taken_back_is_as_if_it_had_never_been_taught() -> None:
    plain, taught = known(), known()
    for state in (plain, taught):
        [surge] = {s.id for s in hearing(state, burst(NOW, n=6))}
    hearing(taught, [word("noise", surge, NOW + 1800), word("unteach", surge, NOW + 1900)])

    assert taught.surges.lessons.taught == []
    after, before = (hearing(state, burst(NOW + 3600, "t")) for state in (taught, plain))
    assert [s for s in after if s.ended is None] == [s for s in before if s.ended is None]
    assert any(s.page for s in after)


def test_past_the_bound_the_oldest_lesson_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "MAX_LESSONS", 1)
    state = known()
    one, two = (
        {s.id for s in hearing(state, burst(NOW + 9000 * k, name, about=about))}.pop()
        for k, (name, about) in enumerate((("s", "seat map"), ("t", "gift voucher refund")))
    )

    hearing(state, [word("noise", one, NOW + 18_000), word("confirm", two, NOW + 18_001)])

    assert [lesson.word for lesson in state.surges.lessons.taught] == ["confirm"]


def test_a_lesson_fades_after_a_month() -> None:
    state = known()
    [surge] = {s.id for s in hearing(state, burst(NOW))}
    hearing(state, [word("noise", surge, NOW + 1800)])

    hearing(state, [word("noise", "some other", NOW + 1801 + LASTS)])

    assert state.surges.lessons.taught == []


def test_a_word_about_what_nobody_knows_teaches_nothing() -> None:
    state = known()

    hearing(state, [word("noise", f"surge-{k}", NOW + k) for k in range(2 * MAX_LESSONS)])

    assert state.surges.lessons.taught == []


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
