"""The phrases that judge urgency and redaction: written apart from that code, counted here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

PHRASES = Path(__file__).parent / "phrases"
REASONS = ("life and safety", "business blocked", "legal", "security", "money")
LANGUAGES = ("en", "zh", "es", "de", "fr")


def read(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (PHRASES / name).read_text(encoding="utf-8").splitlines()]


def test_every_language_has_as_many_phrases_of_each_reason() -> None:
    seen = Counter((row["lang"], row["urgent"]) for row in read("urgent.jsonl"))

    urgent = {(lang, reason): 12 for lang in LANGUAGES for reason in REASONS}
    assert seen == urgent | {(lang, ""): 120 for lang in LANGUAGES}


def test_half_the_personal_phrases_are_english_and_half_chinese() -> None:
    assert Counter(row["lang"] for row in read("personal.jsonl")) == {"en": 60, "zh": 60}


def test_each_line_has_its_fields_and_no_others() -> None:
    assert {tuple(row) for row in read("urgent.jsonl")} == {("text", "lang", "urgent")}
    assert {tuple(row) for row in read("personal.jsonl")} == {("text", "lang", "hide", "keep")}


def test_no_text_is_empty_or_comes_twice() -> None:
    for name in ("urgent.jsonl", "personal.jsonl"):
        texts = [row["text"].strip().casefold() for row in read(name)]

        assert all(texts), name
        assert [text for text, times in Counter(texts).items() if times > 1] == [], name


def test_what_to_hide_and_to_keep_stands_in_its_text() -> None:
    for row in read("personal.jsonl"):
        pieces = row["hide"] + row["keep"]

        assert pieces, row
        assert all(piece and piece in row["text"] for piece in pieces), row


def test_nothing_is_both_hidden_and_kept() -> None:
    for row in read("personal.jsonl"):
        rest = row["text"]
        for piece in row["hide"]:
            rest = rest.replace(piece, "\0")

        assert all(piece in rest for piece in row["keep"]), row
