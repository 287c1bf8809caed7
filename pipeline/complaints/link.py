"""A complaint's text to the services it is likely about, by what the catalogue says people call them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense, encoder
from pipeline.complaints.words import grams, plain
from pipeline.topology import Topology
from pipeline.types import Floats

TOP = 3
# Below it the honest answer is that the service is unknown: of what scores less, one in five is right.
KNOWN = 0.1
OTHER = 0.02  # from which another service is told beside the first
ENGINEERS = 0.7  # trust in the name that engineers gave a service, where customers' names have 1
SHARP = 10.0  # of the soft maximum over a service's aliases: two that fit a little are more than one

# Fitted on half of the intents of banking77, CLINC150 and CIC together, with texts about something else.
# What is left is how often a score is right: see benchmarks/_complaint_links.py.
BY_WORDS, BIAS_WORDS = 9.4, 3.3
BY_BOTH, BY_MEANING, BIAS_BOTH = 5.8, 7.3, 4.8
BEHIND = 0.5  # of what another service has more, taken off

_HOUSE = re.compile(r"^(?:ts|svc|srv)-|[-_]?(?:service|svc|server|api|app)$")
_WORD = re.compile(r"\w+")
# English words that say nothing of what a text is about.
EMPTY = frozenset(
    {"the", "a", "an", "my", "your", "our", "their", "some", "to", "of", "for", "in", "on", "at", "is", "are"}
    | {"it", "this", "that", "and", "or", "with", "part", "what", "how", "i", "do", "when", "you", "we"}
)

Listed = tuple[tuple[str, tuple[str, ...]], ...]  # service, its aliases
Links = tuple[tuple[str, float], ...]  # service, its score
NO_ROW: Dense = np.zeros(0, np.float32)
NO_NAMES: Mapping[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Names:
    """All that a catalogue calls its services, as one index from n-gram to alias."""

    services: tuple[str, ...]
    first: NDArray[np.intp]  # (services,) the first alias of each
    texts: tuple[str, ...]  # (aliases,)
    trust: Floats  # (aliases,)
    length: Floats  # (aliases,)
    weight: Mapping[str, float]  # n-gram -> how telling it is
    places: Mapping[str, NDArray[np.intp]]  # n-gram -> aliases
    strange: float  # weight of an n-gram that no alias has


def link(
    text: str,
    topology: Topology,
    model: str = "none",
    row: Dense = NO_ROW,
    more: Mapping[str, tuple[str, ...]] = NO_NAMES,
) -> Links:
    """Return the likely services, best first, at most TOP, scores in 0-1; () = unknown.

    A score is calibrated: of the complaints that score .7, some 70 % are about that service. `row` (dim,)
    is the text's of the named encoder, less the mean of the rows before it, of length 1.
    Cost: 100 us a text, and 0.1 us an alias.
    """
    return ranked(*evidence(text, topology, model, row, more))


def ranked(services: tuple[str, ...], logits: Floats) -> Links:
    """Return the likely services with their scores, from the log odds of each."""
    if not len(services):
        return ()
    score = 1 / (1 + np.exp(-(logits - BEHIND * (logits.max() - logits))))
    if round(float(score.max()), 3) < KNOWN:
        return ()
    best = sorted((-round(p, 3), name) for p, name in zip(score.tolist(), services, strict=True))[:TOP]
    return tuple((name, -less) for less, name in best if -less >= OTHER)


def evidence(
    text: str,
    topology: Topology,
    model: str = "none",
    row: Dense = NO_ROW,
    more: Mapping[str, tuple[str, ...]] = NO_NAMES,
) -> tuple[tuple[str, ...], Floats]:
    """Return the services of the catalogue and the log odds that the text is about each, (services,).

    `more` are names that people gave its services since it was written.
    """
    names = _names(_listed(topology, more))
    if not names.services:
        return (), np.zeros(0)
    words = _soft(_by_words(names, text), names)
    if not len(row):
        return names.services, BY_WORDS * words - BIAS_WORDS
    meaning = _soft(names.trust * (_rows(names.texts, model) @ row), names)
    return names.services, BY_BOTH * words + BY_MEANING * meaning - BIAS_BOTH


def _by_words(names: Names, text: str) -> Floats:
    """Return how far each alias is said, (aliases,) in 0-1: rather how much of it than of the text."""
    pieces = frozenset(grams(_telling(text)))
    known = [piece for piece in pieces if piece in names.weight]
    shared = np.zeros(len(names.texts))
    if not known:
        return shared
    known.sort()  # the same sum to the last bit in every process
    square = np.array([names.weight[piece] for piece in known]) ** 2
    places = [names.places[piece] for piece in known]
    each = np.repeat(square, [len(found) for found in places])
    shared += np.bincount(np.concatenate(places), each, len(shared))
    said = np.sqrt(square.sum() + (len(pieces) - len(known)) * names.strange**2)
    return np.asarray(names.trust * shared / (names.length**1.5 * np.sqrt(said)), np.float64)


def _soft(near: Floats, names: Names) -> Floats:
    """Return the soft maximum over each service's aliases, (services,); 0 where none is near."""
    grown = np.add.reduceat(np.expm1(SHARP * np.maximum(near, 0)), names.first)
    return np.asarray(np.log1p(grown) / SHARP, np.float64)


@lru_cache(maxsize=8)
def _rows(texts: tuple[str, ...], model: str) -> Dense:
    """Return the aliases' rows without their mean, (aliases, dim), of length 1."""
    rows = encoder(model).encode(list(texts)).astype(np.float64)
    rows -= rows.mean(0)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9), np.float32)


def names_of(topology: Topology) -> Mapping[str, tuple[str, ...]]:
    """Return all that each service of the catalogue is called, with the engineers' name as words."""
    return {service: (*said, _spoken(service)) for service, said in _listed(topology, NO_NAMES)}


def _listed(topology: Topology, more: Mapping[str, tuple[str, ...]]) -> Listed:
    """Return each service with its aliases of every language: complaints mix them."""
    if not more:
        return topology.called
    return tuple((name, (*said, *more.get(name, ()))) for name, said in topology.called)


@lru_cache(maxsize=8)
def _names(listed: Listed) -> Names:
    called = [
        (service, text, trust)
        for service, said in listed
        for text, trust in [*((plain(alias), 1.0) for alias in said), (_spoken(service), ENGINEERS)]
        if _WORD.search(text)
    ]
    cut = [sorted(set(grams(_telling(text)))) for _, text, _ in called]
    users = Counter(
        piece
        for service, _ in listed
        for piece in {
            p for (s, _, _), pieces in zip(called, cut, strict=True) if s == service for p in pieces
        }
    )
    owners = [service for service, _, _ in called]
    services = tuple(dict.fromkeys(owners))
    weight = {piece: float(np.log1p((len(services) + 1) / (n + 0.5))) for piece, n in users.items()}
    places: dict[str, list[int]] = {}
    for k, pieces in enumerate(cut):
        for piece in pieces:
            places.setdefault(piece, []).append(k)
    return Names(
        services,
        np.array([owners.index(service) for service in services], np.intp),
        tuple(text for _, text, _ in called),
        np.array([trust for _, _, trust in called]),
        np.array([max(sum(weight[p] ** 2 for p in pieces), 1e-9) ** 0.5 for pieces in cut]),
        weight,
        {piece: np.array(found, np.intp) for piece, found in places.items()},
        float(np.log1p((len(services) + 1) / 0.5)),
    )


def _telling(text: str) -> str:
    """Return the text without the English words that say nothing; with them where nothing else is left."""
    words = plain(text).split()
    return " ".join(w for w in words if w.strip("?!.,;:'\"()") not in EMPTY) or " ".join(words)


def _spoken(service: str) -> str:
    """Return an engineer's name as words: "ts-order-service" is "order"."""
    return plain(_HOUSE.sub("", _HOUSE.sub("", service)).replace("-", " ").replace("_", " "))
