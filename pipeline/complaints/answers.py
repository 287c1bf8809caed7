"""A question to the three entries of a book that may answer it, or to an honest "I don't know".

A book is a knowledge base, or complaints that were solved. Each entry knows a few questions it answers, and
kernel ridge regression tells from those how far a new one belongs to each entry; solving it gives away two
things more without another pass: how each question would have fared had it not been in the book, and how had
its entry not been. From the first come rights and wrongs, from the second what nothing here answers, and a
logistic curve over both is the book's own measure of when to keep silent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.complaints.encoders import Dense, Encoder
from pipeline.complaints.outcomes import Tally, factor
from pipeline.complaints.words import SIZE, columns, plain
from pipeline.types import Floats

TOP = 3
MAX_LEARNED = 1_500  # questions that are compared with, of all entries in turn; 25 kB each
RIDGE = 1.0
MEANING = 0.6  # share of the encoder in how alike two texts are; n-grams have the rest
# Questions that the usual direction of all texts is taken to be known from before there is one: a book of
# three entries is about one thing, and without it everything unlike would look as far away as its opposite.
SHRINK = 50.0
KNOWN = 0.55  # chance that one of the three is right, if every second question had no answer here
SURE = 0.7  # the same of the first alone
# Score below which nothing is known, whatever the curve says: in a book of two or three entries about
# unlike things any text is nearer to one of them than they are to each other.
LEAST = 0.15
WORTH = 0.1  # of the best score, below which a suggestion only takes up room
LEAD = 0.1  # of the first over the next, without which none of them is sure
# A book with fewer questions to learn it from uses the curve of books of 12 entries with 5 questions each.
MIN_TRIED = 12
USUAL = (-5.0, 6.0, 14.0)
SCALE = 10.0  # of the features, so that the curve is fitted and not its penalty

Sparse: TypeAlias = Any  # scipy says nothing of its types


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer of a book and the questions it is known to answer."""

    key: str
    asked: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    key: str
    score: float  # how far the question belongs to it, about 0-1, by its words
    like: str  # the question of it that is most alike
    why: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What a book says to a question: at most TOP suggestions, none where it does not know."""

    found: tuple[Suggestion, ...]
    chance: float  # that one of the three nearest is right
    sure: bool  # the first alone is more likely right than not
    why: str


@dataclass(frozen=True, slots=True)
class Book:
    """Entries learned by heart: built once, never changed."""

    entries: tuple[Entry, ...]
    owner: NDArray[np.intp]  # (n,) entry of each question
    questions: tuple[str, ...]
    words: Sparse  # (n, SIZE) rows of length 1
    rarity: Floats  # (SIZE,)
    meaning: Dense  # (n, dim) rows of length 1, the usual direction taken out; dim 0 without an encoder
    usual: Dense  # (dim,)
    belongs: Floats  # (n, entries)
    known: tuple[float, float, float]  # curve over score and lead of the best
    sure: tuple[float, float, float]
    left_out: int  # questions over the bound


def bind(entries: Sequence[Entry], encoder: Encoder) -> Book:
    """Learn the entries; n questions cost about n**3 / 2e9 CPU seconds, and 2 ms each with an encoder."""
    kept = [e for e in entries if any(map(str.strip, e.asked))][:MAX_LEARNED]
    chosen = _in_turn(kept)
    owner = np.array([k for k, _ in chosen], np.intp)
    questions = tuple(text for _, text in chosen)
    raw = _counted(questions)
    rarity = np.log(1 + (len(questions) + 1) / (np.bincount(raw.indices, minlength=SIZE) + 0.5))
    words = _even(raw.multiply(rarity))
    rows = encoder.encode(list(questions))
    usual = rows.sum(axis=0) / (len(rows) + SHRINK)
    meaning = _straight(rows, usual)
    like = _like(words, meaning, words, meaning)
    member = np.eye(len(kept))[owner] if kept else np.zeros((0, 0))
    inverse = np.asarray(np.linalg.inv(like + RIDGE * np.eye(len(owner))), np.float64)
    belongs = inverse @ member
    known, sure = _curves(inverse, belongs, owner)
    left_out = sum(len(e.asked) for e in entries) - len(questions)
    return Book(tuple(kept), owner, questions, words, rarity, meaning, usual, belongs, known, sure, left_out)


def advise(book: Book, text: str, encoder: Encoder, tallies: Mapping[str, Tally] | None = None) -> Advice:
    """Return what the book knows of the text; 1 ms, and 2 ms more with an encoder.

    `tallies` say how often each entry helped: they move the order, and may make a book doubt, but never
    make it answer what it would not have answered without them.
    """
    said = plain(text)
    if not book.entries or not said:
        return Advice((), 0.0, False, "there is nothing to compare with")
    like, score = _read(book, text, encoder)
    factors = np.array([factor((tallies or {}).get(e.key)) for e in book.entries])
    doubted = score * np.minimum(factors, 1.0)
    chance, sure = _chance(book.known, _standing(doubted)), _chance(book.sure, _standing(doubted))
    order = np.argsort(-(score * factors), kind="stable")[:TOP]
    if chance < KNOWN or doubted.max() < LEAST:
        near = book.questions[int(like.argmax())]
        short = (
            f"chance {chance:.2f}" if chance < KNOWN else f"it scores {doubted.max():.2f}, wanted is {LEAST}"
        )
        return Advice(
            (), chance, False, f'nothing here is near enough: the nearest is "{near[:80]}", {short}'
        )
    found = tuple(
        _suggestion(book, int(k), like, score, tallies or {}) for k in order if score[k] > WORTH * score.max()
    )
    clear = order[0] == int(doubted.argmax()) and _standing(score)[1] >= LEAD
    return Advice(found, chance, bool(clear and sure >= SURE), _because(_standing(score), chance))


def ranked(book: Book, text: str, encoder: Encoder) -> list[str]:
    """Return the keys of all entries, the likeliest first, whether the book knows or not."""
    _, score = _read(book, text, encoder)
    return [book.entries[k].key for k in np.argsort(-score, kind="stable").tolist()]


def _read(book: Book, text: str, encoder: Encoder) -> tuple[Floats, Floats]:
    """Return how alike the text is to each question, (n,), and how far it belongs to each entry."""
    words = _even(_counted([text]).multiply(book.rarity))
    meaning = _straight(encoder.encode([text]), book.usual)
    like = _like(words, meaning, book.words, book.meaning)[0]
    return like, like @ book.belongs


def _suggestion(book: Book, k: int, like: Floats, score: Floats, tallies: Mapping[str, Tally]) -> Suggestion:
    own = np.flatnonzero(book.owner == k)
    nearest = own[int(like[own].argmax())]
    entry, question = book.entries[k], book.questions[nearest]
    why = f'like "{question[:80]}" ({like[nearest]:.2f})'
    tally = tallies.get(entry.key)
    if tally is not None:
        why += f"; {tally}, so its score counts {factor(tally):.2f} times"
    return Suggestion(entry.key, float(score[k]), question, why)


def _because(standing: Floats, chance: float) -> str:
    best, lead = standing.tolist()
    return (
        f"the best scores {best:.2f}, {lead:+.2f} against the next; "
        f"chance that the answer is among these {chance:.2f}"
    )


def _in_turn(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    """Return entry and question: the first of each entry, then the second, up to the bound; by entry."""
    deepest = max((len(e.asked) for e in entries), default=0)
    turns = [(k, e.asked[n]) for n in range(deepest) for k, e in enumerate(entries) if n < len(e.asked)]
    return sorted((t for t in turns[:MAX_LEARNED] if t[1].strip()), key=lambda t: t[0])


def _counted(texts: Sequence[str]) -> Sparse:
    """Return how often each text uses each column, dampened, (n, SIZE)."""
    cut = columns([plain(text) for text in texts]) if texts else []
    ends = np.cumsum([0, *(len(index) for index, _ in cut)])
    index = np.concatenate([np.zeros(0, np.int32), *(index for index, _ in cut)])
    count = np.concatenate([np.zeros(0), *(1 + np.log(count) for _, count in cut)])
    return sparse.csr_matrix((count, index, ends), (len(texts), SIZE))


def _even(rows: Sparse) -> Sparse:
    """Return the rows at length 1."""
    length = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(length, 1e-9)) @ rows)


def _straight(rows: Dense, usual: Dense) -> Dense:
    turned = rows - usual
    found: Dense = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
    return found


def _like(words: Sparse, meaning: Dense, others: Sparse, their_meaning: Dense) -> Floats:
    """Return how alike each text is to each of the others, (n, m), at most 1."""
    by_words: Floats = (words @ others.T).toarray()
    if not meaning.shape[1]:
        return by_words
    return (1 - MEANING) * by_words + MEANING * (meaning @ their_meaning.T).astype(np.float64)


def _standing(score: Floats) -> Floats:
    """Return the best score and its lead over the next, of (..., entries)."""
    best = -np.sort(-score, axis=-1)
    second = best[..., 1] if score.shape[-1] > 1 else np.zeros(score.shape[:-1])
    return np.stack([best[..., 0], best[..., 0] - second], axis=-1)


def _curves(
    inverse: Floats, belongs: Floats, owner: NDArray[np.intp]
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Return the curves of "one of three is right" and "the first is right", learned from the book itself."""
    n, entries = belongs.shape
    if entries < 2:
        return USUAL, USUAL
    member = np.eye(entries)[owner]
    alone = member - belongs / np.diag(inverse)[:, None]
    gone = np.empty_like(alone)
    for k in range(entries):
        own = np.flatnonzero(owner == k)
        gone[own] = member[own] - np.linalg.solve(inverse[np.ix_(own, own)], belongs[own])
        gone[own, k] = -1.0  # it is not in the book
    several = np.bincount(owner, minlength=entries)[owner] > 1
    if several.sum() < MIN_TRIED:
        return USUAL, USUAL
    rank = (alone > alone[np.arange(n), owner][:, None]).sum(axis=1)
    features = np.concatenate([_standing(alone[several]), _standing(gone[several])])
    none = np.zeros(int(several.sum()), bool)
    return (
        _curve(features, np.concatenate([rank[several] < TOP, none])),
        _curve(features, np.concatenate([rank[several] < 1, none])),
    )


def _curve(features: Floats, right: NDArray[np.bool_]) -> tuple[float, float, float]:
    if not right.any():
        return USUAL
    from sklearn.linear_model import LogisticRegression  # 56 MB, which only who has a book pays

    fit = LogisticRegression(C=100.0).fit(features * SCALE, right)
    score, lead = (fit.coef_[0] * SCALE).tolist()
    return float(fit.intercept_[0]), score, lead


def _chance(curve: tuple[float, float, float], standing: Floats) -> float:
    level, score, lead = curve
    return float(1 / (1 + np.exp(-np.clip(level + score * standing[0] + lead * standing[1], -30, 30))))
