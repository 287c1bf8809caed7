"""Complaints of one service's incident to new names for it, which a person may put into the catalogue."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.complaints.words import plain

MAX_SERVICES = 200  # with phrases counted; the one unheard of longest goes first
MAX_PHRASES = 300  # of a service; the rarest go first
MAX_ANYWHERE = 20_000  # phrases counted over all complaints; the rarest go first
SHOWN = 10  # proposals of a service
VOICES = 3  # customers that a name needs
OFTEN = 5.0  # times as often here as anywhere that a phrase must be said

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W\d_]{3,}")


@dataclass(slots=True)
class Proposals:
    """How many complaints said each phrase, anywhere and within each service's incidents; about 4 MB.

    A complaint that comes while an incident of one service is on is but a weak label: a person decides.
    """

    texts: int = 0
    anywhere: Counter[str] = field(default_factory=Counter)
    inside: dict[str, Counter[str]] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=dict)  # complaints of each service's incidents

    def hear(self, text: str) -> None:
        """Count what any complaint says."""
        self.texts += 1
        self.anywhere.update(_phrases(text))
        _fewest(self.anywhere, MAX_ANYWHERE)

    def tell(self, service: str, text: str) -> None:
        """Count what a complaint says that was attached to a confirmed incident of this service alone."""
        counted = self.inside.pop(service, Counter())
        counted.update(_phrases(text))
        _fewest(counted, MAX_PHRASES)
        self.inside[service] = counted
        self.told[service] = self.told.get(service, 0) + 1
        if len(self.inside) > MAX_SERVICES:
            oldest = next(iter(self.inside))
            del self.inside[oldest], self.told[oldest]

    def names(self, service: str, known: tuple[str, ...] = ()) -> list[tuple[str, int]]:
        """Return phrases that may name the service and how many said them, the most telling first.

        At most SHOWN; none that is part of another here, or that the catalogue has in `known`.
        """
        have = [plain(name) for name in known]
        found: list[tuple[float, int, str]] = []
        for phrase, n in self.inside.get(service, Counter()).items():
            here = n / self.told[service]
            there = max(self.anywhere[phrase] - n, 0) + 1
            odds = here * max(self.texts - self.told[service], 1) / there
            if n >= VOICES and odds >= OFTEN and not any(phrase in name or name in phrase for name in have):
                found.append((odds * n, n, phrase))
        kept: list[tuple[str, int]] = []
        for _, n, phrase in sorted(found, key=lambda f: (-f[0], -len(f[2]), f[2])):
            if not any(phrase in other or other in phrase for other, _ in kept):
                kept.append((phrase, n))
        return kept[:SHOWN]


def _phrases(text: str) -> set[str]:
    """Return a text's words and pairs of words, and 2 to 4 characters of Chinese, each once."""
    said = plain(text)
    return {*_runs(said), *_pairs(said)}


def _runs(said: str) -> Iterator[str]:
    for run in _CJK.findall(said):
        yield from (run[k : k + n] for n in (2, 3, 4) for k in range(len(run) - n + 1))


def _pairs(said: str) -> Iterator[str]:
    words = _WORD.findall(_CJK.sub(" ", said))
    yield from words
    yield from (f"{a} {b}" for a, b in pairwise(words))


def _fewest(counted: Counter[str], most: int) -> None:
    """Drop the rarest down to three quarters, once there are more than `most`; ties by name."""
    if len(counted) <= most:
        return
    for phrase, _ in sorted(counted.items(), key=lambda c: (c[1], c[0]))[: len(counted) - 3 * most // 4]:
        del counted[phrase]
