"""A knowledge base's files, the answers that a book finds in it, and what outcomes do to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import knowledge
from pipeline.complaints import answers
from pipeline.complaints.answers import Book, Entry, advise, bind
from pipeline.complaints.encoders import encoder
from pipeline.complaints.outcomes import BOUND, Tally, factor, tallies
from pipeline.plain import Invalid
from pipeline.types import Event

NONE = encoder("none")
ENTRIES = (
    Entry("refund", ("where is my refund", "when does my refund arrive", "refund still not on my card",
                     "how long does a refund take", "退款什么时候到账", "退款还没收到")),
    Entry("password", ("I forgot my password", "how do I reset my password", "password reset mail is missing",
                       "cannot log in, wrong password", "忘记密码了怎么办", "怎么重置密码")),
    Entry("address", ("change my delivery address", "wrong delivery address on my order",
                      "can I still change the address", "deliver to another address",
                      "修改收货地址", "地址写错了")),
    Entry("invoice", ("I need an invoice", "invoice with our tax number", "download the invoice of my order",
                      "invoice was not in the parcel", "怎么开发票", "发票开错了")),
)  # fmt: skip
BOOK = bind(ENTRIES, NONE)


def said(do: str, key: str, id: str, **more: str) -> Event:
    return Event("command", id, 0.0, {"do": do, "answer": key, "by": "ann", **more})


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("my refund has not arrived on the card", "refund"),
        ("please reset the password, I forgot it", "password"),
        ("我的退款还没到账", "refund"),
        ("发票怎么开", "invoice"),
    ],
)
def test_a_question_in_other_words_finds_its_entry(text: str, key: str) -> None:
    assert advise(BOOK, text, NONE).found[0].key == key


def test_a_book_of_two_things_does_not_answer_what_is_about_a_third() -> None:
    slow, password = ("The app is slow today", "Forgot my password")
    both = [Entry(text, tuple(f"{text} {k}" for k in range(20))) for text in (slow, password)]

    advice = advise(bind(both, NONE), "how long until my refund comes, the trolley is empty", NONE)

    assert advice.found == ()
    assert advice.why.endswith('the nearest is "The app is slow today 0", it scores 0.04, wanted is 0.15')
    assert [s.key for s in advise(bind(both, NONE), "app is slow", NONE).found] == [slow]


@pytest.mark.parametrize(
    "text", ["what is the capital of France", "tell me a joke", "今天天气怎么样", "👍", "", "ok", "?"]
)
def test_an_unrelated_text_is_answered_with_i_do_not_know(text: str) -> None:
    advice = advise(BOOK, text, NONE)

    assert (advice.found, advice.sure) == ((), False)


def test_a_suggestion_says_what_it_is_like_and_how_far_ahead() -> None:
    advice = advise(BOOK, "where is my refund", NONE)

    assert advice.found[0].why == 'like "where is my refund" (1.00)'
    assert advice.why.startswith(f"the best scores {advice.found[0].score:.2f}, +")


def test_a_text_that_helped_elsewhere_does_not_make_a_book_know() -> None:
    loved = {e.key: Tally(100, 0, 100, 100) for e in ENTRIES}

    advice = advise(BOOK, "tell me a joke", NONE, loved)

    assert advice.found == ()
    assert advice.chance == pytest.approx(advise(BOOK, "tell me a joke", NONE).chance)


def test_answers_that_never_helped_fall_behind_one_that_did() -> None:
    text = "is my refund for the wrong delivery address"
    plain = [s.key for s in advise(BOOK, text, NONE).found]

    moved = advise(BOOK, text, NONE, {plain[0]: Tally(0, 40, 40, 0), plain[1]: Tally(40, 0, 40, 40)})

    assert plain[:2] == ["address", "refund"]
    assert [s.key for s in moved.found][:2] == ["refund", "address"]
    assert "helped 40 of 40 times, so its score counts 1.45 times" in moved.found[0].why


def test_a_question_about_two_things_has_two_answers_and_neither_is_sure() -> None:
    advice = advise(BOOK, "where is my refund, and where is my invoice, I need an invoice", NONE)

    assert ({s.key for s in advice.found}, advice.sure) == ({"refund", "invoice"}, False)


def test_the_order_of_entries_changes_nothing() -> None:
    turned = bind(ENTRIES[::-1], NONE)

    one, other = advise(BOOK, "refund of my order", NONE), advise(turned, "refund of my order", NONE)

    assert [s.key for s in one.found] == [s.key for s in other.found]
    assert one.chance == pytest.approx(other.chance, abs=1e-4)


def test_an_empty_book_knows_nothing() -> None:
    assert advise(bind((), NONE), "where is my refund", NONE).found == ()


def test_a_book_of_one_entry_answers_its_own_question_and_nothing_else() -> None:
    book = bind(ENTRIES[:1], NONE)

    assert [s.key for s in advise(book, "where is my refund", NONE).found] == ["refund"]
    assert advise(book, "tell me a joke", NONE).found == ()


def test_questions_over_the_bound_are_left_out_evenly_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "MAX_LEARNED", 9)

    book = bind(ENTRIES, NONE)

    assert (np.bincount(book.owner).tolist(), book.left_out) == ([3, 2, 2, 2], 15)


@given(st.text(max_size=200))
def test_any_text_gets_at_most_three_and_a_chance(text: str) -> None:
    advice = advise(BOOK, text, NONE)

    assert len(advice.found) <= 3
    assert 0.0 <= advice.chance <= 1.0


def test_the_same_book_comes_from_the_same_entries() -> None:
    again: Book = bind(ENTRIES, NONE)

    assert again.known == BOOK.known
    assert again.belongs.tobytes() == BOOK.belongs.tobytes()


@given(st.lists(st.booleans(), max_size=60))
def test_however_often_it_helped_a_score_counts_within_its_bound(words: list[bool]) -> None:
    asked = [said("helped" if good else "unhelpful", "refund", str(k)) for k, good in enumerate(words)]

    counts = factor(tallies(asked).get("refund"))

    assert 1 / BOUND < counts < BOUND


def test_an_outcome_of_another_topic_counts_half() -> None:
    asked = [said("helped", "refund", "1", topic="7 card"), said("unhelpful", "refund", "2", topic="9 login")]

    assert tallies(asked, "7 card")["refund"] == Tally(1.0, 0.5, 2, 1)


def test_a_second_word_of_the_same_person_on_the_same_complaint_replaces_the_first() -> None:
    newest_first = [
        said("unhelpful", "refund", "2", complaint="c1"),
        said("helped", "refund", "1", complaint="c1"),
    ]

    assert tallies(newest_first)["refund"] == Tally(0.0, 1.0, 1, 0)


def test_pages_of_one_name_in_two_languages_are_one_article(tmp_path: Path) -> None:
    (tmp_path / "refund.en.md").write_text("---\nquestions: [where is it]\n---\n# Refund\nFive days.\n")
    (tmp_path / "refund.zh.md").write_text("---\ntitle: 退款\nservices: [payment]\n---\n五天。\n")

    (article,), files = knowledge.load(tmp_path)

    assert (article.id, article.title, article.services) == (
        "refund",
        {"en": "Refund", "zh": "退款"},
        ("payment",),
    )
    assert article.asked() == ("Refund", "退款", "where is it")
    assert [knowledge.told(article.answer, lang) for lang in ("zh-CN", "en", "fr")] == [
        "五天。",
        "Five days.",
        "Five days.",
    ]
    assert len(files) == 2


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{id: a, title: T, answer: A, quesions: {}}", 'quesions: unknown key; did you mean "questions"?'),
        ("{id: a, title: T, answer: ''}", "a: answer: expected text, got nothing"),
        ("{id: a, title: T}", "answer: missing, and there is no default"),
        ("articles: [{id: a, title: T, answer: A}, {id: a, title: T, answer: A}]", 'id: "a" is there twice'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_article_is_said_with_file_and_key(
    tmp_path: Path, text: str, wrong: str
) -> None:
    file = tmp_path / "kb.yaml"
    file.write_text(text)

    with pytest.raises(Invalid) as error:
        knowledge.load(file)

    assert error.value.errors == [f"{file}: {wrong}"]


def test_an_article_is_valid_from_its_first_day_until_its_last(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "{id: a, title: T, answer: A, valid_from: 1970-01-02, valid_until: 1970-01-03}"
    )

    (article,), _ = knowledge.load(tmp_path)

    assert [article.valid(t) for t in (86399.0, 86400.0, 172799.0, 172800.0)] == [False, True, True, False]


def test_an_answer_that_only_its_outcomes_brought_to_the_top_is_not_sure() -> None:
    helped = {"invoice": Tally(90, 0, 90, 90)}

    plain, moved = (advise(BOOK, "change invoice address", NONE, t) for t in (None, helped))

    assert (plain.found[0].key, plain.sure) == ("address", True)
    assert (moved.found[0].key, moved.sure) == ("invoice", False)
