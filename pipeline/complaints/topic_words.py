"""Samples of each topic to the few terms that set it apart from the others, in any script."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from pipeline.complaints.words import plain

TERMS = 3  # of a label
LONGEST = 6  # characters of a Chinese, Japanese or Korean term
WHOLE = 0.7  # share of a term's uses inside one longer term from which it is only a part of that
SHARED = 2  # samples of a topic that must use a term, where it has more than three
READ = 200  # characters that are read of a sample

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W\d_][\w'’]*")


def labels(samples: Sequence[Sequence[str]]) -> list[str]:
    """Return a label for each topic's samples: its terms by class-based TF-IDF, "" for no samples.

    A term's weight is the share of the topic's samples that use it, times the logarithm of how rare it
    is over all topics (Grootendorst 2022, "BERTopic", sec. 3.3). A part of a longer term that the topic
    hardly uses elsewhere gives way to it: so Chinese comes out in words, without a segmenter.
    """
    found = [[terms(text) for text in topic] for topic in samples]
    used = [Counter(term for one in topic for term in one) for topic in found]
    everywhere: Counter[str] = Counter()
    for topic in used:
        everywhere.update(topic.keys())
    return [
        ", ".join(_best(one, len(topic), everywhere, len(used)))
        for one, topic in zip(used, found, strict=True)
    ]


def terms(text: str) -> set[str]:
    """Return the terms of a text: words and pairs of words; runs of 2 to LONGEST characters in Chinese.

    >>> sorted(terms("Card declined"))
    ['card', 'card declined', 'declined']
    >>> sorted(terms("不能付款"))
    ['不能', '不能付', '不能付款', '付款', '能付', '能付款']
    """
    text = plain(text[:READ])
    found = {
        run[k : k + n]
        for run in _CJK.findall(text)
        for n in range(2, LONGEST + 1)
        for k in range(len(run) - n + 1)
    }
    words = _WORD.findall(_CJK.sub(" ", text))
    found.update(word for word in words if len(word) > 1)
    found.update(f"{a} {b}" for a, b in pairwise(words))
    return found


def _best(used: Counter[str], texts: int, everywhere: Counter[str], topics: int) -> list[str]:
    """Return the heaviest terms, none of which is a part of another."""
    least = SHARED if texts > 3 else 1
    weight = {term: n * math.log((1 + topics) / everywhere[term]) for term, n in used.items() if n >= least}
    chosen: list[str] = []
    for term in sorted(weight, key=lambda t: (-weight[t] * _whole(t, used), -len(t), t)):
        if not any(_overlap(term, other) for other in chosen):
            chosen.append(term)
        if len(chosen) == TERMS:
            break
    return chosen


def _whole(term: str, used: Counter[str]) -> float:
    """Return how far the term stands by itself: little for a part of one longer term, else 1."""
    longer = [n for other, n in used.items() if term != other and term in other]
    return 0.3 if longer and max(longer) >= WHOLE * used[term] else 1.0


def _overlap(a: str, b: str) -> bool:
    """Say whether two terms share a word, or two Chinese ones a character."""
    if _CJK.fullmatch(a) and _CJK.fullmatch(b):
        return bool(set(a) & set(b))
    return bool(set(a.split()) & set(b.split()))
