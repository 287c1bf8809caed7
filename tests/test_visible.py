"""What nobody sees reaches no page and parts no word; what changes what is seen stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pipeline.console import templates
from pipeline.visible import visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        pytest.param("photo\u202egpj.exe", "photogpj.exe", id="what follows would be read backwards"),
        pytest.param("\u2067all\u2069 of \u202bit\u202c\u200f\u061c", "all of it", id="isolates and marks"),
        pytest.param("pass\u200bword pass\u00adword", "password password", id="blanks of no width"),
        pytest.param("\ufeffit fails\u2060 again", "it fails again", id="a mark of bytes, a joiner of words"),
        pytest.param("ch\u200deck\u200cout", "checkout", id="joiners where nothing is joined"),
        pytest.param("订\u200d单\u200c", "订单", id="joiners in Chinese"),
        pytest.param("it \x1b[2Jfails\x00\x07\x9b", "it [2Jfails", id="what a terminal obeys"),
        pytest.param("a\U000e0041\U000e007f", "a", id="letters of tags"),
        pytest.param("one\r\ntwo\rthree\u2028four\x85five", "one\ntwo\nthree\nfour\nfive", id="ends"),
    ],
)
def test_what_nobody_sees_is_taken_out(text: str, seen: str) -> None:
    assert visible(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("👨\u200d👩\u200d👧 ❤\ufe0f\u200d🔥", id="a family, a heart on fire"),
        pytest.param("می\u200cخواهم", id="Persian"),
        pytest.param("क्\u200dष", id="a script of India"),
        pytest.param("שלום, مرحبا, 你好, naïve", id="letters that are read from the right, and others"),
        pytest.param("a\tb\n> c", id="a tab and a line's end"),
        pytest.param("5\u00a0€ – 3\u202f%", id="blanks of some width"),
    ],
)
def test_what_changes_what_is_seen_stays(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(categories=["Cf", "Cc", "Lu", "Nd", "So", "Lo", "Zl"]), max_size=40))
def test_of_any_text_only_joiners_tabs_and_ends_stay_that_are_not_seen(text: str) -> None:
    left = visible(text)

    assert visible(left) == left
    hidden = {c for c in left if unicodedata.category(c) in ("Cc", "Zl")} - {"\t", "\n"}
    turning = {
        c for c in left if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI")
    }
    assert hidden | turning == set()


def test_no_page_prints_what_turns_its_words_whoever_sent_it() -> None:
    page = templates().from_string("<b>{{ title }}</b>{{ mark }}")

    assert page.render(title="\u202e<i>pay\u200b", mark=Markup("<b></b>")) == "<b>&lt;i&gt;pay</b><b></b>"
