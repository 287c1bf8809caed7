"""A complaint's language is what its sender says, what its script tells, or what a model is sure of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.complaints import languages
from pipeline.complaints.languages import LATIN, SCRIPTS, language, modelled
from tests.test_phrases import read

needs_model = pytest.mark.skipif(not modelled(), reason="py3langid of the extra `languages` is not installed")


@pytest.mark.parametrize(
    ("text", "given", "lang"),
    [
        pytest.param("cannot pay", "de", "de", id="as its sender says"),
        pytest.param("注文できません", "", "ja", id="Japanese with Chinese characters"),
        pytest.param("无法下单", "", "zh", id="Chinese"),
        pytest.param("checkout 一直报错, order-service 503", "", "zh", id="Chinese with English names"),
        pytest.param("لا استطيع الدفع", "", "ar", id="Arabic"),
        pytest.param("не могу войти", "", "ru", id="Russian"),
        pytest.param("", "", "", id="nothing"),
        pytest.param("500 ?! 😡", "", "", id="no letter"),
    ],
)
def test_the_script_tells_the_language(text: str, given: str, lang: str) -> None:
    assert language(text, given) == lang


def test_one_foreign_name_does_not_make_a_text_foreign() -> None:
    assert language("I ordered the 茶 set last week and nobody has sent it to me yet") in ("", "en")


def test_without_the_model_latin_letters_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "_model", lambda: None)

    assert language("I cannot pay with my card") == ""


@needs_model
@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("I cannot pay with my card", "en"),
        ("Ich kann mit meiner Karte nicht bezahlen", "de"),
        ("Je ne peux pas payer avec ma carte", "fr"),
        ("No puedo pagar con mi tarjeta", "es"),
        ("Não consigo pagar com o meu cartão", "pt"),
        ("Non riesco a pagare con la mia carta", "it"),
    ],
)
def test_the_model_tells_the_languages_of_one_script_apart(text: str, lang: str) -> None:
    assert language(text) == lang


@needs_model
@pytest.mark.parametrize("text", ["ok", "help", "ERR_CONN", "refund"])
def test_a_word_that_many_languages_have_tells_none(text: str) -> None:
    assert language(text) == ""


@needs_model
def test_nearly_all_of_the_phrases_written_apart_are_told_and_none_wrongly() -> None:
    rows = [row for row in read("urgent.jsonl") if row["lang"] != "zh"]

    told = [(language(row["text"]), row["lang"]) for row in rows]

    assert sum(found != "" for found, _ in told) >= 0.98 * len(told)
    assert [pair for pair in told if pair[0] not in ("", pair[1])] == []


@given(st.text(max_size=300))
def test_any_text_has_a_known_language_or_none(text: str) -> None:
    assert language(text) in {"", *LATIN, *(name for name, _ in SCRIPTS)}
