"""What a customer says now is kept of a mail; its script tells the language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.complaints.door import language, said_now

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


@given(st.text(max_size=300) | st.text("> \n-:abFrom wrote", max_size=300))
def test_any_text_can_be_stripped_and_something_stays(text: str) -> None:
    said = said_now(text)

    assert len(said) <= len(text)
    assert bool(said) == bool(text.strip())


@pytest.mark.parametrize(
    ("text", "given", "lang"),
    [
        pytest.param("cannot pay", "de", "de", id="as its sender says"),
        pytest.param("注文できません", "", "ja", id="Japanese with Chinese characters"),
        pytest.param("无法下单", "", "zh", id="Chinese"),
        pytest.param("لا استطيع الدفع", "", "ar", id="Arabic"),
        pytest.param("не могу войти", "", "ru", id="Russian"),
        pytest.param("cannot pay", "", "", id="Latin letters tell nothing"),
    ],
)
def test_the_script_tells_the_language(text: str, given: str, lang: str) -> None:
    assert language(text, given) == lang
