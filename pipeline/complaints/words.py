"""Texts to weighted character n-grams, the same for every language, and to how alike they are."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy.sparse._sparsetools import csr_matvec

from pipeline.types import Floats

BITS = 16
SIZE = 1 << BITS
WIDTH = 128  # n-grams kept of a text, the rarest: a long mail weighs as much as a sentence
MAX_TEXT = 2_000  # characters that are read
MAX_WORDS, SHORT = 16_384, 32  # words of so many letters whose columns are remembered: 0.3 kB each

Ints = NDArray[np.int32]
Singles = NDArray[np.float32]

_NOISE = re.compile(r"https?://\S+|\S+@\S+|<(?:email|phone|card|id|iban|name|address)>")
_DIGITS = re.compile(r"\d+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"\w+")


def plain(text: str) -> str:
    """Return the text in one spelling: compatible characters, small letters, numbers as 0, no addresses.

    >>> plain("Ｃheckout  FAILED 3 times https://x.example")
    'checkout failed 0 times'
    """
    text = unicodedata.normalize("NFKC", text[:MAX_TEXT]).lower()
    return " ".join(_DIGITS.sub("0", _NOISE.sub(" ", text)).split())


def grams(text: str) -> list[str]:
    """Return a plain text's n-grams: 1-3 of Chinese, Japanese, Korean; words, pairs and 3-5 elsewhere.

    Chinese is not cut into words: its characters alone group better than jieba's words do.
    """
    runs, words = _cut(text)
    found = [gram for run in runs for gram in _in_run(run)]
    return found + [gram for word in words for gram in _in_word(word)] + _pairs(words)


@dataclass(frozen=True, slots=True)
class Vector:
    """A text as at most WIDTH columns with weights of length 1; padded with weight 0."""

    index: Ints  # (WIDTH,)
    weight: Singles  # (WIDTH,)


@dataclass(slots=True)
class Rarity:
    """In how many texts each column was seen: 256 kB. What everyone says weighs little."""

    texts: int = 0
    seen: Singles = field(default_factory=lambda: np.zeros(SIZE, np.float32))

    def weigh(self, columns: Ints, counts: Singles) -> Vector:
        """Return the vector of one text, by the texts met so far and itself, and remember it."""
        seen = self.seen[columns] + 1
        self.seen[columns] = seen
        self.texts += 1
        weight = (1 + np.log(counts)) * np.log(1 + (self.texts + 1) / (seen + 0.5))
        if len(weight) > WIDTH:
            best = np.argsort(-weight, kind="stable")[:WIDTH]
            columns, weight = columns[best], weight[best]
        index, padded = np.zeros(WIDTH, np.int32), np.zeros(WIDTH, np.float32)
        index[: len(columns)] = columns
        padded[: len(weight)] = weight / max(float(np.sqrt(weight @ weight)), 1e-9)
        return Vector(index, padded)


def columns(texts: list[str]) -> list[tuple[Ints, Singles]]:
    """Return each plain text's columns, sorted, with how often it uses them. About 30 us a text.

    A column is the check sum of the n-gram: the same in every process and on every machine.
    """
    return [_columns(text) for text in texts]


def _columns(text: str) -> tuple[Ints, Singles]:
    runs, words = _cut(text)
    rare = [gram for run in runs for gram in _in_run(run)] + _pairs(words)
    parts = [_of_word(word) if len(word) <= SHORT else _checked(_in_word(word)) for word in words]
    found = np.concatenate([_checked(rare), *parts])
    found.sort()
    ends = np.ones(len(found) + 1, np.bool_)
    np.not_equal(found[1:], found[:-1], out=ends[1:-1])
    at = np.flatnonzero(ends)
    return found[at[:-1]], (at[1:] - at[:-1]).astype(np.float32)


@lru_cache(maxsize=MAX_WORDS)
def _of_word(word: str) -> Ints:
    return _checked(_in_word(word))


def _checked(grams: list[str]) -> Ints:
    return np.array([crc32(gram.encode("utf-8", "surrogatepass")) & (SIZE - 1) for gram in grams], np.int32)


def _cut(text: str) -> tuple[list[str], list[str]]:
    """Return the runs of Chinese, Japanese, Korean of a plain text, and its other words."""
    runs = _CJK.findall(text)
    return runs, _WORD.findall(_CJK.sub(" ", text) if runs else text)


def _in_run(run: str) -> list[str]:
    return [run[k : k + n] for n in (1, 2, 3) for k in range(len(run) - n + 1)]


def _in_word(word: str) -> list[str]:
    edged = f" {word} "
    return [*(edged[k : k + n] for n in (3, 4, 5) for k in range(len(edged) - n + 1)), f"w:{word}"]


def _pairs(words: list[str]) -> list[str]:
    return [f"w:{a} {b}" for a, b in pairwise(words)]


def alike(index: Ints, weight: Singles, vector: Vector) -> Floats:
    """Return the cosine of the vector with each row of (n, WIDTH) columns, (n,) in 0-1."""
    spread = np.zeros(SIZE, np.float32)
    used = np.count_nonzero(vector.weight)
    spread[vector.index[:used]] = vector.weight[:used]
    n, width = index.shape
    ends = np.arange(0, n * width + 1, width, dtype=np.int32)
    found = np.zeros(n, np.float32)
    # The product itself: a matrix of scipy, made to be used once, takes as long again.
    csr_matvec(n, SIZE, ends, index.ravel(), weight.ravel(), spread, found)
    return found.astype(np.float64)
