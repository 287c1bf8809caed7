"""Answers to one mail are no surge; what customers say by themselves is, however alike it is."""

from __future__ import annotations

from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.copies import MAX_LINES, Mails
from pipeline.complaints.door import said_now
from pipeline.complaints.tuning import Complaints
from pipeline.topology import Topology
from pipeline.types import Complaint, Event, Signal

CAMPAIGN = """
On Mon, 5 Jan 2026, Shop wrote:
> Spring is here: thirty percent off all garden chairs until Sunday night.
> You get this because you are a customer. Unsubscribe here.
"""
TICKET = """
On Mon, 5 Jan 2026, Support wrote:
> Thank you for writing to us, we have your ticket and will answer soon.
"""


def week() -> ComplaintState:
    """Two weeks in which somebody asks something else every half hour."""
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    for k in range(600):
        texts = ("where is my parcel", "how do I change my address", "the invoice lacks our number")
        event = Event("complaint", f"w{k}", 1800.0 * k, {"customer": f"w{k}"}, f"{texts[k % 3]} {k}")
        hear(state, (event,), Topology(), event.time)
    return state


def heard(state: ComplaintState, texts: list[str], customers: int) -> tuple[list[Signal], list[Complaint]]:
    signals: list[Signal] = []
    read: list[Complaint] = []
    for k, text in enumerate(texts):
        at = 1800.0 * 600 + 10 * k
        told, found = hear(
            state, (Event("complaint", f"n{k}", at, {"customer": f"n{k % customers}"}, text),), Topology(), at
        )
        signals += told
        read += found
    return signals, read


def test_a_mail_that_hundreds_answer_is_no_surge_and_says_why() -> None:
    signals, read = heard(week(), [f"please take me off your list {CAMPAIGN}"] * 60, 60)

    assert [s for s in signals if s.page] == []
    assert read[0].aside == ""
    assert {c.aside for c in read[1:]} == {
        'an answer to a mail that was sent to many: "spring is here: thirty percent off all garden chairs '
        'until sunday night."'
    }


def test_the_same_text_pasted_by_hundreds_is_a_surge_of_as_many_voices() -> None:
    signals, _ = heard(week(), ["the checkout never ends, please share this"] * 500, 500)

    assert [s for s in signals if s.page] != []
    assert max(s.observed for s in signals) >= 100


def test_one_customer_who_writes_the_same_fifty_times_is_one_voice() -> None:
    signals, _ = heard(week(), ["the checkout never ends"] * 50, 1)

    assert [s for s in signals if s.page] == []


def test_a_desks_own_answer_that_all_quote_is_no_campaign() -> None:
    mails = Mails()

    asides = [
        mails.answered(text := f"still cannot pay {k} {TICKET}", said_now(text), voice=k) for k in range(10)
    ]

    assert asides == [""] * 10


def test_lines_of_mails_are_bounded() -> None:
    mails = Mails()

    for k in range(MAX_LINES + 100):
        name = "".join("abcdefghij"[int(digit)] for digit in str(k))
        text = f"stop\n> a line of the mail named {name} that is long enough to tell one\n> unsubscribe"
        mails.answered(text, "stop", k)

    assert len(mails.lines) == MAX_LINES


def test_odd_texts_are_read_without_a_word() -> None:
    odd = ["", "😀", "😀😀 支付 failed سداد", "x", "a" * 100_000, "> " * 50_000, "\n" * 10_000]

    _, read = heard(week(), odd, len(odd))

    assert [c.id for c in read] == [f"n{k}" for k in range(len(odd))]
