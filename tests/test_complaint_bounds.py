"""What complaints leave behind is bounded, the oldest goes first, and what stays is still right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pipeline.complaints import answers, copies, lessons, link, outcomes, proposals, topics
from pipeline.complaints.affected import Affected
from pipeline.complaints.answers import Entry, advise, bind
from pipeline.complaints.channel import ALL, Channels, silences
from pipeline.complaints.copies import Mails
from pipeline.complaints.encoders import encoder
from pipeline.complaints.lessons import Lessons
from pipeline.complaints.outcomes import tallies
from pipeline.complaints.proposals import Proposals
from pipeline.complaints.topic_space import Space
from pipeline.complaints.topics import Topics
from pipeline.topology import Service, Topology
from pipeline.types import Complaint, Event
from tests.nouns import signal
from tests.test_topics import START, placed

FOOTER = "\n> Unsubscribe here."
LINES = {name: f"> {name} of the great spring sale of garden chairs" for name in ("one", "two", "six")}
UNLIKE = ["card declined", "where is my parcel", "付款一直失败", "forgot my password"]


def answered(mails: Mails, line: str, voice: int) -> str:
    return mails.answered(f"stop{line}{FOOTER}", "stop", voice)


def test_the_line_of_a_mail_that_was_unheard_of_longest_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "MAX_LINES", 2)
    mails, (one, two, six) = Mails(), (f"\n{line}" for line in LINES.values())

    answered(mails, one, 1), answered(mails, two, 1), answered(mails, one, 2), answered(mails, six, 1)

    assert answered(mails, two, 2) == ""
    assert len(mails.lines) == 2


def test_a_mail_is_known_by_any_of_its_lines() -> None:
    mails = Mails()
    for voice, name in enumerate(("Ann Lee", "Bob Roe")):
        own = f"\n> Dear {name}, whom we have missed for so long\n{LINES['one']}"
        found = answered(mails, own, voice)

    assert (
        found == 'an answer to a mail that was sent to many: "one of the great spring sale of garden chairs"'
    )


def test_no_more_voices_of_a_line_are_counted_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "MAX_VOICES", 3)
    mails = Mails()
    for voice in range(9):
        answered(mails, f"\n{LINES['one']}", voice)

    assert [len(voices) for voices in mails.lines.values()] == [3]


def versions(here: str, elsewhere: str) -> str:
    """Return what stands out of a surge, given a letter for the version of each complaint."""
    found = Affected()
    for k, version in enumerate(here + elsewhere):
        found.hear(f"c{k}", {"version": version})
    ids = tuple(f"c{k}" for k in range(len(here)))
    surge = replace(signal("s", 0.0, kind="complaint"), ids=ids, reason="r")
    return found.told(surge).reason.partition("; ")[2]


def test_a_version_that_fewer_than_half_have_does_not_stand_out() -> None:
    assert versions("aaabbcc", "d" * 20) == ""
    assert versions("aaabb", "d" * 20) == "3 of 5 that name a version have a, where 0% have it elsewhere"


def test_one_complaint_elsewhere_says_little_of_what_is_usual() -> None:
    assert versions("aaab", "a") == "3 of 4 that name a version have a"


def test_the_service_whose_surge_is_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MAX_SERVICES", 2)
    found = Proposals()
    for k, service in enumerate(("cart", "pay", "cart", "login")):
        found.hear(f"c{k}", k, "the trolley is empty")
        found.tell(service, f"s{k}", (f"c{k}",))

    assert sorted(found.inside) == ["cart", "login"]


def test_voices_past_the_bound_are_counted_and_no_longer_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MAX_VOICES", 3)
    found = Proposals()
    for k in range(5):
        found.hear(f"c{k}", k, "the trolley is empty")
        found.tell("cart", "s", (f"c{k}",))

    assert (list(found.inside["cart"].voices), found.inside["cart"].told) == ([2, 3, 4], 5)


def nights(monkeypatch: pytest.MonkeyPatch, *pairs: tuple[tuple[int, int], ...]) -> tuple[Topics, list[str]]:
    """Return four topics after nights, in each of which those pairs of rows were as good as one."""
    state, told = placed(UNLIKE)
    assert len(set(told)) == 4
    for alike in pairs:
        n = state.space.topics
        near = np.eye(n)
        for k, (a, b) in enumerate(alike):
            near[a, b] = near[b, a] = 0.95 - 0.05 * k
        monkeypatch.setattr(Space, "between", _always(near))
        state.consolidate()
    return state, told


def _always(near: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> Callable[[Space], object]:
    return lambda self: near.copy()


def test_what_was_merged_into_a_topic_that_was_merged_itself_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topics, "SETTLED", 1)

    state, told = nights(monkeypatch, ((2, 1),), ((1, 0),))

    assert [state.resolve(name) for name in told] == [told[0], told[0], told[0], told[3]]


def test_in_one_night_a_topic_that_is_gone_takes_no_other_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "SETTLED", 1)

    state, told = nights(monkeypatch, ((2, 1), (3, 2)))

    assert [state.resolve(name) for name in told] == [told[0], told[1], told[1], told[3]]
    assert sum(topic.count for topic in state.listed(START)) == 4


def test_topics_of_few_complaints_are_not_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    state, told = nights(monkeypatch, ((2, 1), (3, 0)))

    assert [state.resolve(name) for name in told] == told


def test_merged_names_past_the_bound_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "SETTLED", 1)
    monkeypatch.setattr(topics, "MAX_MERGED", 1)

    state, told = nights(monkeypatch, ((1, 0), (3, 2)))

    assert [state.resolve(name) for name in told] == [told[0], "", told[2], told[2]]


def test_only_the_newest_outcomes_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "MAX_OUTCOMES", 2)
    words = [
        Event("command", f"k{k}", 9.0 - k, {"do": "helped", "answer": "a", "by": f"u{k}"}) for k in range(5)
    ]

    assert tallies(words)["a"].times == 2


def test_surges_that_may_be_spoken_of_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lessons, "MAX_SPOKEN", 2)
    found = Lessons()
    for surge in ("a", "b", "a", "c"):
        found.spoke(surge, ("x",), np.ones(6), "pay")

    assert list(found.spoken) == ["a", "c"]
    assert sorted(found.named) == ["a", "c"]


def test_of_a_surge_that_may_be_spoken_of_the_most_customers_are_known() -> None:
    found = Lessons()
    for many in (3.0, 9.0, 5.0):
        found.spoke("a", ("x",), np.full(6, many), "")

    assert found.spoken["a"][1].tolist() == [9.0] * 6


def test_a_first_day_that_was_cut_short_is_no_measure_of_a_channel() -> None:
    state = Channels()
    for k in range(5):
        at = START + 80_000.0 + 60 * k
        silences(state, [Complaint(f"c{k}", at, "u", "chat", "en", "x", "1 x", "", ())], at, alive=True)

    assert state.known[ALL].hours.sum() == 0


def test_a_text_that_quotes_nothing_is_no_answer_however_its_lines_are_spelt() -> None:
    """The own words are compared in simplified characters, the lines of the text stand as they came."""
    mails = Mails()
    text = "我想退訂你們的電子報" + "，但是頁面一直打不開" * 5

    found = [mails.answered(text, text.replace("訂", "订").replace("電", "电"), voice) for voice in range(4)]

    assert found == [""] * 4
    assert mails.lines == {}


BOOK = [Entry(f"e{k}", (f"{about} {'at all ' * 40}{k}", f"{about} again")) for k, about in enumerate(UNLIKE)]


def test_a_book_holds_no_more_entries_and_questions_than_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_LEARNED", 3)

    book = bind(BOOK, encoder("none"))

    assert [entry.key for entry in book.entries] == ["e0", "e1", "e2"]
    assert book.questions == tuple(entry.asked[0] for entry in BOOK[:3])
    assert book.left_out == 5


def test_what_was_asked_before_is_told_cut_however_long_it_was() -> None:
    book = bind(BOOK, encoder("none"))

    [found, *_] = advise(book, BOOK[0].asked[0], encoder("none")).found
    nothing = advise(book, "at all at all", encoder("none"))

    assert f'like "{BOOK[0].asked[0][:80]}" (' in found.why
    assert nothing.found == ()
    assert nothing.why.split('"')[1] in {entry.asked[0][:80] for entry in BOOK}


def test_no_more_than_three_are_suggested_though_more_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "KNOWN", 0.0)
    wrong = ("declined", "stolen", "lost", "frozen", "swallowed")
    book = bind(
        [Entry(w, (f"my card was {w} at the shop", f"card {w} again")) for w in wrong], encoder("none")
    )

    found = advise(
        book, "my card was declined again, not stolen, not lost, not frozen", encoder("none")
    ).found

    assert [one.key for one in found] == ["declined", "stolen", "frozen"]


def test_a_name_that_was_dismissed_again_is_remembered_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "MAX_DISMISSED", 2)
    state = Proposals()
    for k, alias in enumerate(("trolley", "basket", "trolley", "cart")):
        labels = {"do": "dismiss", "service": "cart", "alias": alias}
        state.obey([Event("command", f"d{k}", START + k, labels)])

    assert [alias for _, alias in state.never] == ["trolley", "cart"]


def test_a_complaint_that_comes_late_does_not_make_its_channel_older() -> None:
    state = Channels()
    for at in (START + 500.0, START + 100.0):
        silences(
            state, [Complaint(str(at), at, "u", "chat", "en", "x", "1 x", "", ())], START + 500.0, alive=True
        )

    assert [channel.newest for channel in state.known.values()] == [START + 500.0] * 2


def test_a_text_is_about_each_service_to_the_last_bit_in_whatever_order_a_set_gives_its_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = (*UNLIKE, "placing an order", "paying by card or voucher", "my parcel has not arrived")
    shop = Topology({f"s{k}": Service(aliases={"en": (said,)}) for k, said in enumerate(named)})
    text = "my card was declined when I asked where my parcel is and then I forgot my own password, too"
    found = []
    for turn in (1, -1):
        monkeypatch.setattr(
            link, "frozenset", lambda said, turn=turn: sorted(set(said))[::turn], raising=False
        )
        found.append(link.evidence(text, shop)[1].tobytes())

    assert found[0] == found[1]
