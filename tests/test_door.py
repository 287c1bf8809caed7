"""What a customer says now is kept of a mail, in one script for Chinese."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.complaints import ComplaintState, hear, tuned
from pipeline.complaints.door import said_now, simplified
from pipeline.complaints.tuning import Complaints
from pipeline.topology import Service, Topology
from pipeline.types import Event

MINE = "The export fails since this morning."


@pytest.mark.parametrize(
    "below",
    [
        pytest.param("\n\nOn Mon, 5 Jan 2026 at 10:00, Ann wrote:\n> Hello\n> there", id="English"),
        pytest.param("\n\nAm 05.01.2026 um 10:00 schrieb Ann:\nHallo", id="German"),
        pytest.param("\n\nLe lun. 5 janv. 2026, Ann a écrit :\n> Bonjour", id="French"),
        pytest.param("\n\nEl lun, 5 ene 2026, Ann escribió:\n> Hola", id="Spanish"),
        pytest.param("\n\n在 2026年1月5日,客服 写道:\n> 您好", id="Chinese"),
        pytest.param("\n\n-----Original Message-----\nFrom: Ann\nSent: today\n", id="Outlook"),
        pytest.param("\n\nFrom: Ann\nSent: today\nTo: me\nSubject: Export\n\nHello", id="header lines"),
        pytest.param("\n-- \nBob Lee\nAcme Ltd\n", id="signature after its dashes"),
        pytest.param("\n\nSent from my iPhone", id="what a telephone adds"),
        pytest.param("\n\nBest regards,\nBob Lee\nAcme Ltd", id="greeting and signature"),
        pytest.param("\n> and a quote", id="quoted lines"),
        pytest.param(
            "\n\nOn Mon, Jan 5, 2026 at 10:00 AM Support with a long\nname <x> wrote:\n\n> Hi", id="wrapped"
        ),
        pytest.param("\n\nIl giorno lun 5 gen 2026 alle ore 10:00 Ann <x> ha scritto:\nciao", id="Italian"),
        pytest.param("\n\nOp ma 5 jan. 2026 om 10:00 schreef Ann <x>:\nhoi", id="Dutch"),
        pytest.param("\n\n5 января 2026 г., 10:00, Ann <x> написал(а):\nпривет", id="Russian"),
        pytest.param("\n\nAnn <x> 于2026年1月5日周一 10:00写道：\n您好", id="Chinese, the name first"),
        pytest.param("\n\n2026年1月5日(月) 10:00 サポート <x>:\n> こんにちは", id="any day above a quote"),
        pytest.param("\n\niPhoneから送信", id="what a Japanese telephone adds"),
        pytest.param("\n\nThanks,\nBob", id="thanks"),
        pytest.param("\n\nС уважением,\nИван", id="Russian greeting"),
        pytest.param(
            "\n\nKind regards\nBob\n\nThis e-mail is confidential." + " Word" * 300, id="disclaimer"
        ),
    ],
)
def test_quotes_and_signatures_are_left_out(below: str) -> None:
    assert said_now(MINE + below) == MINE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("> all of it is quoted", id="a quote alone"),
        pytest.param("On Monday it broke.\nOn Tuesday, too.", id="days"),
        pytest.param("-- \nBob", id="a signature alone"),
    ],
)
def test_a_text_is_never_stripped_of_all_its_words(text: str) -> None:
    assert said_now(text) == text


def test_a_line_that_is_no_greeting_and_what_follows_a_greeting_stay() -> None:
    failed = "I tried\ncheers\nbut then it failed again and I lost money"

    assert said_now(failed) == failed
    assert said_now(f"{MINE}\nThanks,\nBob\nPS: there is smoke") == f"{MINE}\nthere is smoke"
    assert said_now(f"{MINE}\nThanks for your help") == f"{MINE}\nThanks for your help"


def test_a_sentence_that_tells_what_was_written_is_no_mail_before() -> None:
    said = f"{MINE}\nOn the third try the page wrote: E500, and my money is gone"

    assert said_now(said) == said


@given(st.text(max_size=300) | st.text("> \n-:abFrom wrote", max_size=300))
def test_any_text_can_be_stripped_and_something_stays(text: str) -> None:
    said = said_now(text)

    assert len(said) <= len(text)
    assert bool(said) == bool(text.strip())


@given(
    st.lists(
        st.sampled_from(["> ", "On 5 May 2026, A wrote:", "Regards,", "from: a", "-- ", "x", " ", "\x0b"])
    )
)
def test_a_text_of_one_line_was_all_said_now_as_after_an_empty_line(parts: list[str]) -> None:
    line = "".join(parts)

    assert said_now(line) == said_now("\n" + line) == line.strip()


@pytest.mark.skipif(find_spec("opencc") is None, reason="opencc of the extra `languages` is not installed")
@pytest.mark.parametrize(
    ("text", "same"),
    [
        pytest.param("無法下單，支付一直轉圈", "无法下单，支付一直转圈", id="traditional Chinese"),
        pytest.param("无法下单", "无法下单", id="simplified Chinese"),
        pytest.param("東京の銀行で機械が動きません", "東京の銀行で機械が動きません", id="Japanese"),
        pytest.param("checkout fails", "checkout fails", id="no Chinese"),
    ],
)
def test_chinese_of_both_scripts_is_compared_as_one(text: str, same: str) -> None:
    assert simplified(text) == same


@pytest.mark.skipif(find_spec("opencc") is None, reason="opencc of the extra `languages` is not installed")
def test_a_traditional_complaint_is_about_what_its_simplified_twin_is_about() -> None:
    shop = Topology({"order": Service(aliases={"zh": ("下单", "购物车")}), "mail": Service()})
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    events = [Event("complaint", text, 0.0, {}, text) for text in ("購物車無法下單", "购物车无法下单")]

    _, read = hear(state, events, shop, 0.0)

    assert [c.services[0][0] for c in read] == ["order", "order"]
    assert read[0].topic == read[1].topic
