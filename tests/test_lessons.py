"""What people say of a surge teaches what its like must be to page; nothing else is touched."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pipeline.complaints import ComplaintState, hear, lessons
from pipeline.complaints.heard import Said
from pipeline.complaints.lessons import LASTS, LEAST, MAX_LESSONS, MORE, TIMES
from pipeline.complaints.words import Vector
from pipeline.types import Event, Seconds, Signal
from tests.test_surge_states import NOW, PAYMENT, burst, hearing, known, said, word


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
