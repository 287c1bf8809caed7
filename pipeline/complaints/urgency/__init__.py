"""A complaint's text to why it cannot wait, "" for most: one small lexicon a language, then what it means."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Protocol

from pipeline.complaints.door import simplified
from pipeline.complaints.encoders import Dense
from pipeline.complaints.urgency import ar, de, denials, en, es, fr, ja, pt, zh
from pipeline.complaints.urgency.meant import meant
from pipeline.complaints.urgency.sieve import Sieve, sieve

MAX_TEXT = 4_000  # characters that are read: who is in danger says so early
SHOWN = 60
MIXED = 3  # small words from which a second language is spoken, too
# The most urgent first: where two fit, the earlier is the reason.
ORDER = ("life and safety", "security", "business blocked", "money", "legal")

_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_WORD = re.compile(r"[a-z][a-z']*")
_LATIN = re.compile(r"[a-z]{2}")
_MARKS = re.compile(r"[\u0300-\u036f\u064b-\u0655\u0640]")
_SPELLING = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي"})
_BEFORE = 60  # characters before a find in which a "not" or an "if" is looked for


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What one language calls harm, what only sounds so, and what says that it did not happen."""

    patterns: tuple[tuple[int, re.Pattern[str]], ...]  # with the rank of their reason, in its order
    sieve: Sieve  # of the patterns, one by one
    quiet: re.Pattern[str]
    denied: re.Pattern[str]
    unharmed: re.Pattern[str]


class Words(Protocol):
    """What each file of this folder has."""

    REASONS: dict[str, tuple[str, ...]]
    NEAR: dict[str, tuple[tuple[str, str, int], ...]]
    MORE: dict[str, str]
    QUIET: tuple[str, ...]
    NOT: tuple[str, ...]


def _lexicon(words: Words, denial: str = r"(?!)", size: int = 3) -> Lexicon:
    each: list[tuple[int, str]] = []
    for rank, reason in enumerate(ORDER):
        parts = [*words.REASONS.get(reason, ()), *filter(None, [words.MORE.get(reason, "")])]
        for one, other, apart in words.NEAR.get(reason, ()):
            gap = rf"[^.!?。!?]{{0,{apart}}}"
            parts.append(f"{one}{gap}{other}|{other}{gap}{one}")
        each += [(rank, part) for part in parts]
    return Lexicon(
        tuple((rank, re.compile(part)) for rank, part in each),
        sieve([part for _, part in each], size),
        re.compile("|".join(words.QUIET)),
        re.compile("|".join(words.NOT)),
        re.compile(denial),
    )


_DENIALS = {en: denials.EN, es: denials.ES, de: denials.DE, fr: denials.FR, pt: denials.PT}
_LATINS = tuple((_lexicon(m, said), frozenset(m.WORDS.split())) for m, said in _DENIALS.items())
_CHINESE = _lexicon(zh, denials.ZH, 1)
_JAPANESE = _lexicon(ja, denials.JA, 1)
_OF_ARABIC = _lexicon(ar)


def urgent(text: str, *, dense: Dense | None = None) -> str:
    """Return the reason and the words that gave it, "" where the complaint can take its turn.

    `dense` is the text's row of the encoder "use", as it came from it; where no word of harm was used,
    its meaning and letters decide, without it the letters alone. Not in Arabic, where 1 ordinary text
    in 80 was taken for urgent.

    Every language whose script the text uses is asked, whatever its sender says it is: people mix them.

    >>> urgent("All our stores are down and we cannot take payments")
    'business blocked: "all our stores are down and we cannot"'
    >>> urgent("How do I change my emergency contact?")
    ''
    """
    said = folded(text)
    spoken = _spoken(said)
    left = _happened(spoken, said)
    rank, words = _worst(spoken, left)
    if not words:
        # The vector is of the whole text: it cannot tell what is said not to have happened.
        meaning = dense if left == said else None
        reason = meant(left, meaning, taught=_taught(said)) if _ARABIC.search(said) is None else ""
        return f'{reason}: by its meaning, "{said[:SHOWN]}"' if reason else ""
    return f'{ORDER[rank]}: "{words[:SHOWN]}"'


def worst(said: str) -> tuple[int, str]:
    """Return the rank of the most urgent reason that a lexicon gives a folded text, and its words or ""."""
    spoken = _spoken(said)
    return _worst(spoken, _happened(spoken, said))


def _worst(spoken: list[Lexicon], said: str) -> tuple[int, str]:
    found = [hit for lexicon in spoken if (hit := _first(lexicon, said)) is not None]
    return min(found, default=(len(ORDER), ""))


def _happened(spoken: list[Lexicon], said: str) -> str:
    """Return the text without the harm that it says did not happen."""
    for lexicon in spoken:
        said = lexicon.unharmed.sub(" - ", said)
    return said


def folded(text: str) -> str:
    """Return the text as the lexicons spell it: NFKC, small letters, no accents, simplified characters."""
    said = unicodedata.normalize("NFKC", text[:MAX_TEXT]).casefold().translate(_SPELLING)
    if not said.isascii():
        said = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", said)))
        said = said if _KANA.search(said) else simplified(said)
    return " ".join(said.split())


def _spoken(said: str) -> list[Lexicon]:
    found = _latins(said) if _LATIN.search(said) else []
    if _KANA.search(said):
        found.append(_JAPANESE)
    elif _HAN.search(said):
        found.append(_CHINESE)
    if _ARABIC.search(said):
        found.append(_OF_ARABIC)
    return found


def _taught(said: str) -> bool:
    """Say whether the text is in one of the languages whose letters were taught."""
    if _KANA.search(said) or _HAN.search(said):
        return _KANA.search(said) is None
    used = set(_WORD.findall(said))
    count = [len(used & words) for _, words in _LATINS]
    return max(count) > count[-1]


def _latins(said: str) -> list[Lexicon]:
    """Return the languages that the small words speak for: words of one mean nothing in another."""
    used = set(_WORD.findall(said))
    count = [len(used & words) for _, words in _LATINS]
    most = max(count)
    return [lexicon for (lexicon, _), n in zip(_LATINS, count, strict=True) if n == most or n >= MIXED]


def _first(lexicon: Lexicon, said: str) -> tuple[int, str] | None:
    """Return the rank of the most urgent reason and its words, as far as they are not denied."""
    said = lexicon.quiet.sub(" - ", said)
    may = [lexicon.patterns[k] for k in sorted(lexicon.sieve.may_fit(said))]
    for rank, those in groupby(may, key=itemgetter(0)):
        found = _undenied(lexicon, [pattern for _, pattern in those], said)
        if found:
            return rank, found
    return None


def _undenied(lexicon: Lexicon, patterns: list[re.Pattern[str]], said: str) -> str:
    """Return the first words in the text that one of the patterns fits and that are not denied, or ""."""
    found = [(pattern, pattern.search(said)) for pattern in patterns]
    while hits := [hit for _, hit in found if hit is not None]:
        first = min(hits, key=lambda hit: hit.start())
        if lexicon.denied.search(said[max(0, first.start() - _BEFORE) : first.start()]) is None:
            return first[0]
        at = max(first.end(), first.start() + 1)
        found = [(p, p.search(said, at) if hit and hit.start() < at else hit) for p, hit in found]
    return ""
