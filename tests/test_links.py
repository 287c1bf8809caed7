"""Complaints find their service by what it is called, by what was labelled, and by what others said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.complaints import head as head_module
from pipeline.complaints import kin as kin_module
from pipeline.complaints.head import Head
from pipeline.complaints.kin import Kin
from pipeline.complaints.link import TOP, link
from pipeline.complaints.words import Rarity, Vector, columns, plain
from pipeline.topology import Service, Topology

SHOP = Topology(
    {
        "checkout-service": Service(aliases={"en": ("checkout", "placing an order"), "zh": ("下单",)}),
        "payment-service": Service(aliases={"en": ("payment", "paying by card"), "zh": ("支付", "付款")}),
        "mail-service": Service(),
    }
)
CHATTER = ("Where is my parcel", "Forgot my password", "Do you ship to Norway", "Change my phone number")


def vector(text: str, rarity: Rarity | None = None) -> Vector:
    return (rarity or Rarity()).weigh(*columns([plain(text)])[0])


@pytest.mark.parametrize(
    ("text", "service"),
    [
        pytest.param("The CHECKOUT fails", "checkout-service", id="a name"),
        pytest.param("下单一直失败", "checkout-service", id="a Chinese name"),
        pytest.param("I was paying by cards", "payment-service", id="a name in another form"),
        pytest.param("no mail came", "mail-service", id="the engineers' name"),
    ],
)
def test_a_name_said_in_any_language_is_rather_right_than_not(text: str, service: str) -> None:
    [(name, score), *_] = link(text, SHOP)

    assert name == service
    assert score > 0.5


def test_a_name_that_customers_use_is_trusted_more_than_that_of_engineers() -> None:
    catalog = Topology({"mail": Service(), "post": Service(aliases={"en": ("mail",)})})

    assert [name for name, _ in link("no mail came", catalog)] == ["post", "mail"]


def test_without_a_catalogue_every_service_is_unknown() -> None:
    assert link("The checkout fails", Topology()) == ()


@given(st.text(max_size=200))
def test_any_text_has_few_links_with_scores_that_fall(text: str) -> None:
    scores = [score for _, score in link(text, SHOP)]

    assert len(scores) <= TOP
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score <= 1 for score in scores)


def test_labels_teach_words_that_no_catalogue_has() -> None:
    head = Head()
    for k in range(5):
        head.teach(f"a{k}", "checkout-service", vector(f"the basket page hangs {k}"))
        head.teach(f"b{k}", "payment-service", vector(f"my visa was refused {k}"))

    found = head.evidence(("checkout-service", "mail-service", "payment-service"), vector("basket hangs"))

    assert found[0] > 0 > found[2]
    assert found[0] > found[1]


def test_before_two_services_have_labels_the_catalogue_alone_decides() -> None:
    head = Head()
    head.teach("a", "checkout-service", vector("the basket page hangs"))

    assert head.evidence(("checkout-service", "payment-service"), vector("basket")).tolist() == [0, 0]


def test_a_label_told_again_is_corrected() -> None:
    head = Head()
    said = vector("the basket page hangs")
    head.teach("other", "mail-service", vector("no letter came"))
    head.teach("a", "payment-service", said)

    for _ in range(3):
        head.teach("a", "checkout-service", said)

    found = head.evidence(("checkout-service", "payment-service"), said)
    assert found[0] > 0 > found[1]
    assert len(head.names) == 2


def test_labels_keep_the_newest_within_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_module, "MAX_LABELS", 4)
    monkeypatch.setattr(head_module, "MAX_SERVICES", 2)
    head = Head()

    for k in range(10):
        head.teach(f"c{k}", f"s{k % 2}", vector(f"text {k} of {k % 2}"))
    head.teach("one more", "s2", vector("of a third"))

    assert sorted(head.ids) == ["c6", "c7", "c8", "c9"]
    assert head.dropped["labels of further services"] == 1
    # The words of labels that went are forgotten to rounding: what is left is the sum of what is kept.
    left = np.zeros_like(head.words)
    for row in range(4):
        np.add.at(left, head.index[row], np.outer(head.weight[row], head.pull[row]))
    assert np.allclose(head.words, left, atol=1e-5)


def test_a_head_and_kin_survive_a_snapshot() -> None:
    head, kin = Head(), Kin()
    for k, text in enumerate(CHATTER):
        head.teach(str(k), f"s{k % 2}", vector(text))
        kin.add(str(k), text)

    again, alike = snapshot.load(snapshot.dump((head, kin)))

    said = vector("Where is my parcel")
    assert again.evidence(("s0", "s1"), said).tolist() == head.evidence(("s0", "s1"), said).tolist()
    assert alike.near("0").tolist() == kin.near("0").tolist()


def gathered() -> Kin:
    kin = Kin()
    for k, text in enumerate(CHATTER * 3):
        kin.add(f"chat{k}", f"{text} please")
    for k, text in enumerate(("the basket page hangs", "basket page is empty", "my basket page is gone")):
        kin.add(f"a{k}", text)
    for k, text in enumerate(("my visa was refused", "visa card refused", "they refused my visa")):
        kin.add(f"b{k}", text)
    return kin


@pytest.mark.parametrize(
    ("text", "belongs"),
    [
        pytest.param("the basket page does not load", [True, False], id="to the first"),
        pytest.param("Visa refused again", [False, True], id="to the second"),
        pytest.param("Where is my parcel", [False, False], id="to none: everyone says it every day"),
        pytest.param("", [False, False], id="to none: it says nothing"),
    ],
)
def test_a_complaint_is_close_to_those_that_say_the_same(text: str, belongs: list[bool]) -> None:
    kin = gathered()
    kin.add("new", text)

    close = kin.closeness(kin.near("new"), [["a0", "a1", "a2"], ["b0", "b1", "b2"]], ["new"])

    assert (close > 0).tolist() == belongs


def test_kin_keeps_the_newest_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kin_module, "MAX_KEPT", 3)
    kin = Kin()

    for k in range(5):
        kin.add(f"c{k}", f"text {k}")

    assert sorted(kin.rows) == ["c2", "c3", "c4"]
    assert kin.near("c0").tolist() == [0, 0, 0]


def test_rows_of_an_encoder_count_beside_the_words() -> None:
    kin = Kin()
    east, north = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    kin.add("a", "the basket hangs", east)
    kin.add("b", "购物车卡住了", east)
    kin.add("c", "Visa refused", north)

    near = kin.near("b")

    assert near[0] == pytest.approx(kin_module.MEANING)
    assert near[2] == pytest.approx(0)
