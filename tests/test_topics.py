"""Complaints become topics with names that stay, nights mend what was split, and labels say what it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.complaints import topic_notes, topics
from pipeline.complaints.encoders import encoder, use
from pipeline.complaints.topic_words import labels
from pipeline.complaints.topics import Topics
from pipeline.complaints.words import Rarity, Vector, columns, plain

DAY = 86400.0
START = 19_700 * DAY
CARD = ("my card was declined", "card declined again", "why is my card declined at the shop")
PARCEL = ("where is my parcel", "my parcel has not come", "the parcel is late, where is it")
PAY = ("付款一直失败", "怎么付款失败了", "付款失败怎么办", "又付款失败")


def vectors(texts: list[str]) -> list[Vector]:
    rarity = Rarity()
    return [rarity.weigh(*cut) for cut in columns([plain(text) for text in texts])] if texts else []


def placed(texts: list[str], step: float = 60.0, state: Topics | None = None) -> tuple[Topics, list[str]]:
    state = state or Topics()
    told = [
        state.place(vector, text, time=START + step * k, customer=f"u{k}")
        for k, (vector, text) in enumerate(zip(vectors(texts), texts, strict=True))
    ]
    return state, told


def turned(rounds: int) -> list[str]:
    return [text for _ in range(rounds) for pair in zip(CARD, PARCEL, PAY[:3], strict=True) for text in pair]


def test_what_says_the_same_has_one_topic_and_what_does_not_another() -> None:
    _, told = placed(turned(4))

    newest = told[-9:]
    assert len(set(newest[0::3])) == len(set(newest[1::3])) == len(set(newest[2::3])) == 1
    assert len(set(newest)) == 3


def test_a_name_is_a_number_and_the_words_that_led_the_topic() -> None:
    _, told = placed(["My  card\nwas declined", "Where is my parcel"])

    assert told == ["1 My card was declined", "2 Where is my parcel"]


def test_a_text_that_says_nothing_is_of_no_topic() -> None:
    topics, nothing = Topics(), Rarity().weigh(*columns([""])[0])

    assert (topics.place(nothing, " "), topics.notes) == ("", [])


def test_no_customer_is_named_by_a_topic_its_label_or_its_typical_sentence() -> None:
    state = Topics()
    for vector in vectors(["this is ann-17, my card is declined"] * 3):
        state.place(vector, "This is Ann-17, my card is declined", time=START, customer="ann-17")

    (topic,) = state.listed(START)

    assert topic.name == "1 This is …, my card is declined"
    assert topic.typical == "This is …, my card is declined"
    assert "ann" not in topic.label
    assert topic.customers == ("ann-17",)


def test_a_topic_tells_trend_first_seen_customers_and_versions() -> None:
    state = Topics()
    for k, vector in enumerate(vectors(["card declined"] * 5)):
        version = "3.1" if k else "3.0"
        state.place(
            vector, "card declined", time=START + DAY * (k // 2), customer=f"u{k % 3}", version=version
        )

    (topic,) = state.listed(START + 2 * DAY)

    assert topic.trend[-3:] == (2, 2, 1)
    assert (topic.first, topic.last, topic.count) == (START, START + 2 * DAY, 5)
    assert topic.customers == ("u2", "u0", "u1")
    assert topic.affected == 3
    assert topic.versions == (("3.1", 4), ("3.0", 1))


def test_customers_past_the_bound_are_counted_no_longer_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topic_notes, "MAX_CUSTOMERS", 3)

    state, _ = placed(["card declined"] * 5)

    (topic,) = state.listed(START)
    assert topic.customers == ("u2", "u3", "u4")
    assert topic.affected == 5


def test_a_night_makes_one_topic_of_two_and_the_younger_name_is_still_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(topics, "SETTLED", 1)
    state, told = placed(["card declined", "where is my parcel"])
    state.space.near = 2.0  # too careful: what follows is split off
    told += placed(["the card was declined"], state=state)[1]

    before = state.resolve(told[2])
    state.consolidate()

    assert before == told[2] == "3 the card was declined"
    assert state.resolve(told[2]) == state.resolve("3") == told[0]
    assert [state.resolve(name) for name in told[:2]] == told[:2]
    card = next(topic for topic in state.listed(START) if topic.id == 1)
    assert (card.was, card.count) == ((3,), 2)


def test_what_is_new_leads_a_topic_of_its_own_beside_a_few_sentences_said_again_and_again() -> None:
    state, rarity = Topics(), Rarity()
    usual = ("Where is my parcel", "Forgot my password", "怎么开发票", "Do you ship to Norway")

    def said(text: str) -> str:
        return state.place(rarity.weigh(*columns([plain(text)])[0]), text)

    for k in range(400):
        said(f"{usual[k % 4]} {k}")
    told = [said(text) for text in ("my trolley is empty", "the trolley hangs", "Where is my parcel")]

    assert told == ["5 my trolley is empty", "5 my trolley is empty", "1 Where is my parcel 0"]


def test_what_hundreds_paste_does_not_make_all_else_one_topic() -> None:
    others = ["🔥🔥😡", "please stop", "take me off the list", "why do I get this", "what does the sale mean"]

    _, told = placed(others[:1] + ["The gift voucher code is rejected as already used"] * 500 + others[1:])

    assert len(set(told)) == 6


def test_an_unknown_topic_resolves_to_nothing() -> None:
    state, _ = placed(list(CARD))

    assert [state.resolve(name) for name in ("99", "", "²", "no number")] == [""] * 4


def test_nothing_is_merged_before_the_day_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    nights = []
    monkeypatch.setattr(Topics, "consolidate", lambda self: nights.append(self.heard))

    placed(["card declined"] * 30, step=3 * 3600.0)

    assert nights == [8, 16, 24]


def test_a_complaint_that_comes_late_turns_no_day_back(monkeypatch: pytest.MonkeyPatch) -> None:
    nights = []
    monkeypatch.setattr(Topics, "consolidate", lambda self: nights.append(self.heard))
    state = Topics()

    for at, vector in zip((0, 1, 0, 1, 2), vectors(["card declined"] * 5), strict=True):
        state.place(vector, "card declined", time=START + at * DAY)

    assert nights == [1, 4]


def test_the_topic_unheard_of_longest_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics, "MAX_TOPICS", 2)

    state, told = placed(["card declined", "where is my parcel", "card declined", "付款一直失败"])

    assert state.forgotten == 1
    assert state.resolve(told[1]) == ""
    assert [state.resolve(told[0]), state.resolve(told[3])] == [told[0], told[3]]


def test_the_sums_are_those_of_the_complaints_whatever_moved_under_them() -> None:
    chance = np.random.default_rng(5)
    texts = turned(40)
    state = Topics()
    for vector, text in zip(vectors(texts), texts, strict=True):
        row = chance.normal(size=16).astype(np.float32)
        state.place(vector, text, dense=row / np.linalg.norm(row))

    space, n = state.space, state.space.topics
    assert space.ground > 0  # the lens was made anew on the way
    raw = np.concatenate([space.said[:, :n].T, space.rows[:n] @ space.lens], axis=1)
    np.testing.assert_allclose(space.square[:n], (raw**2).sum(axis=1), rtol=1e-3)
    np.testing.assert_allclose(space.along[:n], raw @ space.mean, rtol=1e-2, atol=1e-2)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=12), st.integers(0, 12))
def test_a_restored_state_goes_on_as_if_it_had_never_stopped(texts: list[str], cut: int) -> None:
    whole, told = placed(texts)

    state, first = placed(texts[:cut])
    restored = snapshot.load(snapshot.dump(state))
    later = [
        restored.place(vector, text, time=START + 60.0 * k, customer=f"u{k}")
        for k, (vector, text) in list(enumerate(zip(vectors(texts), texts, strict=True)))[cut:]
    ]

    assert first + later == told
    assert restored.listed(START) == whole.listed(START)


def test_a_label_holds_the_terms_that_set_a_topic_apart() -> None:
    card, parcel, pay = labels([CARD, PARCEL, PAY])

    assert card.split(", ")[:2] == ["declined", "card"]
    assert parcel.startswith(("parcel", "my parcel", "where is", "the parcel"))
    assert pay.split(", ")[0] == "付款失败"


def test_a_part_of_a_chinese_word_is_no_term_beside_it() -> None:
    (label,) = labels([("验证码收不到", "收不到验证码", "验证码在哪里")])

    assert "验证码" in label.split(", ")
    assert "验证" not in label.split(", ")


def test_a_topic_without_words_has_no_label() -> None:
    assert labels([["😀"], []]) == ["", ""]


@pytest.mark.skipif(not use.installed(), reason="the sentence encoder is not installed")
def test_with_the_encoder_the_same_in_two_languages_is_one_topic() -> None:
    texts = ["I cannot pay by card", "where is my parcel", "无法用银行卡付款", "我的包裹在哪里"]
    rows = encoder("use").encode(texts)
    state = Topics()

    told = [state.place(v, t, dense=r) for v, t, r in zip(vectors(texts), texts, rows, strict=True)]

    assert told[2:] == told[:2]
    assert told[0] != told[1]
