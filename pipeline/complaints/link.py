"""A complaint's text to the services it is likely about, by what the catalogue says people call them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from pipeline.complaints.words import grams, plain
from pipeline.topology import Topology

TOP = 3
KNOWN = 0.35  # below it the honest answer is that the service is unknown

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_WORD = re.compile(r"\w+")
_END = re.compile(r"(?:ings?|ed|es|s|e)$")
_HOUSE = re.compile(r"^(?:ts|svc|srv)-|[-_]?(?:service|svc|server|api|app)$")
_EMPTY = frozenset(
    {"the", "a", "an", "my", "your", "our", "their", "some", "to", "of", "for", "in", "on", "at", "is", "are"}
    | {"it", "this", "that", "and", "or", "with", "part", "what", "how"}
)


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of one service, cut once."""

    service: str
    text: str
    words: tuple[str, ...]
    grams: frozenset[str]
    trust: float  # a name that customers use, or only the one that engineers gave


@dataclass(frozen=True, slots=True)
class Names:
    """All that a catalogue calls its services, and how telling each word is."""

    aliases: tuple[Alias, ...]
    telling: dict[str, float]  # word or n-gram -> 1 / how many services use it


def link(text: str, topology: Topology) -> tuple[tuple[str, float], ...]:
    """Return the likely services, best first, at most TOP, scores in KNOWN-1; () = unknown.

    Near 1 is a name said as the catalogue has it, in any of its languages; a longer name is nearer.
    Less is a part of a name, by words or by characters, each weighed by how few services share it.
    Cost: 3 us a name.
    """
    names = _names(_listed(topology))
    if not names.aliases:
        return ()
    said = plain(text)
    words = tuple(_stem(word) for word in _WORD.findall(said))
    pieces, one = frozenset(grams(said)), frozenset(words)
    best: dict[str, float] = {}
    for alias in names.aliases:
        score = _score(alias, said, words, one, pieces, names.telling)
        if score > best.get(alias.service, 0.0):
            best[alias.service] = score
    ranked = sorted(((-score, name) for name, score in best.items() if score >= KNOWN))
    return tuple((name, round(-score, 3)) for score, name in ranked[:TOP])


def _listed(topology: Topology) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return each service with its aliases of every language: complaints mix them."""
    return tuple(
        (name, tuple(alias for lang in sorted(service.aliases) for alias in service.aliases[lang]))
        for name, service in sorted(topology.services.items())
    )


@lru_cache(maxsize=8)
def _names(listed: tuple[tuple[str, tuple[str, ...]], ...]) -> Names:
    aliases = [
        Alias(service, text, words, frozenset(grams(text)), trust)
        for service, said in listed
        for text, trust in [*((plain(alias), 1.0) for alias in said), (_spoken(service), 0.7)]
        if (words := tuple(_stem(word) for word in _WORD.findall(text) if word not in _EMPTY))
    ]
    users = Counter(
        piece
        for service, _ in listed
        for piece in set().union(*((*a.words, *a.grams) for a in aliases if a.service == service))
    )
    return Names(tuple(aliases), {piece: 1 / n for piece, n in users.items()})


def _score(
    alias: Alias,
    said: str,
    words: tuple[str, ...],
    one: frozenset[str],
    pieces: frozenset[str],
    telling: dict[str, float],
) -> float:
    """Return 0.9 or more where the name is said in full, else the weighed part of it that is."""
    if _CJK.search(alias.text):
        if alias.text in said:
            return alias.trust * (1 - 0.2 / len(alias.text))
        parts = [piece for piece in alias.grams if len(piece) == 2 and _CJK.match(piece)]
        return 0.85 * alias.trust * _part(parts, pieces, telling)
    n = len(alias.words)
    kept = tuple(word for word in words if word not in _EMPTY)
    if any(kept[k : k + n] == alias.words for k in range(len(kept) - n + 1)):
        return alias.trust * (1 - 0.1 / n)
    by_word = _part(alias.words, one, telling)
    by_sign = _part([piece for piece in alias.grams if len(piece) == 4], pieces, telling)
    return 0.85 * alias.trust * max(by_word, by_sign)


def _part(wanted: tuple[str, ...] | list[str], there: frozenset[str], telling: dict[str, float]) -> float:
    """Return which part of the wanted pieces is there; a piece that many services share counts less."""
    if not wanted:
        return 0.0
    found = sum(telling[piece] for piece in wanted if piece in there)
    return float(found / len(wanted))


def _spoken(service: str) -> str:
    """Return an engineer's name as words: "ts-order-service" is "order"."""
    return plain(_HOUSE.sub("", _HOUSE.sub("", service)).replace("-", " ").replace("_", " "))


def _stem(word: str) -> str:
    """Return an English word without its ending, so that orders and ordering are one."""
    return _END.sub("", word) if len(word) > 4 else word
