"""A text to the language it is written in: as its sender says, by its script, else by a model."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from pipeline.complaints.words import MAX_TEXT

SURE = 0.6  # probability from which the model is believed; below it nobody is told a language
# Letters of another script that one of its own outweighs: a Chinese sentence has few, and names products.
OUTWEIGHS = 6
MODEL = "py3langid"  # of the extra `languages`; 15 MB once loaded
LATIN = (
    *("en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "sv", "da", "no", "fi", "cs", "hu", "ro"),
    *("id", "vi"),
)
# In this order: Japanese uses Chinese characters, too.
SCRIPTS = tuple(
    (name, re.compile(f"[{letters}]"))
    for name, letters in (
        ("ja", "\u3040-\u30ff"),
        ("ko", "\uac00-\ud7af"),
        ("zh", "\u3400-\u9fff"),
        ("ar", "\u0600-\u06ff"),
        ("ru", "\u0400-\u04ff"),
        ("el", "\u0370-\u03ff"),
        ("he", "\u0590-\u05ff"),
        ("th", "\u0e00-\u0e7f"),
        ("hi", "\u0900-\u097f"),
    )
)
_LATIN = re.compile(r"[^\W\d_]")


def language(text: str, given: str = "") -> str:
    """Return the language that its sender names, else what script or model tell; "" where neither does.

    30 us for a sentence in Latin letters, measured by benchmarks/_complaint_languages.py; a few without
    the extra `languages`: its language is "" then.

    >>> language("注文できません"), language("无法下单"), language("cannot pay", "en"), language("500?!")
    ('ja', 'zh', 'en', '')
    """
    if given:
        return given
    text = text[:MAX_TEXT]
    if text.isascii():
        return _latin(text)
    letters = len(_LATIN.findall(text))
    for name, script in SCRIPTS:
        own = len(script.findall(text))
        if own and OUTWEIGHS * own >= letters - own:
            return name
    return _latin(text)


def modelled() -> bool:
    """Say whether the model is installed."""
    return find_spec(MODEL) is not None


def _latin(text: str) -> str:
    model = _model()
    if model is None or not _LATIN.search(text):
        return ""
    name, probability = model.classify(text)
    return str(name) if probability >= SURE else ""


@cache
def _model() -> Any:
    """Return py3langid's naive Bayes model for LATIN only, which is ten times as fast as for all."""
    if not modelled():
        return None
    langid = import_module(f"{MODEL}.langid")
    model = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    model.set_languages(LATIN)
    return model
