"""Complaints that came in a service's surge to names for it that a person may accept, and those accepted."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipeline.complaints.link import EMPTY
from pipeline.complaints.words import Rarity, columns, plain
from pipeline.types import Event, Seconds

MAX_SERVICES = 200  # with phrases counted; the one unheard of longest goes first
MAX_PHRASES = 300  # of a service; the rarest go first
MAX_VOICES = 300  # customers of a service who are known to have spoken, the newest
MAX_LATELY = 1_000  # complaints whose text is at hand when their surge is confirmed
MAX_TEXTS = 40  # of a service, to show one that says the phrase
MAX_SURGES = 5
MAX_TEXT = 300  # characters of a complaint that are looked at
MAX_ALIASES = 1_000  # accepted; further ones are counted and left out
MAX_DISMISSED = 5_000  # the oldest go first
SHOWN = 10  # proposals of a service
VOICES = 3  # customers that a name needs
LONGEST = 6  # characters of a Chinese name
SHORTEST = 3  # letters of a word in a name
OFTEN = 5.0  # times as often here as elsewhere that a phrase must be said
WORDS = ("alias", "unalias", "dismiss")  # what a person may say of a name: yes, no longer, never

_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A name that customers may have for a service, and what speaks for it."""

    service: str
    alias: str
    voices: int  # customers who said it in surges of the service
    of: int  # customers who spoke in those surges
    elsewhere: float  # share of all other complaints that say it, at most
    surges: tuple[str, ...]  # surges, and incidents that are over, the newest last
    example: str


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that a person gave a service."""

    service: str
    alias: str
    by: str
    at: Seconds


@dataclass(slots=True)
class Spoken:
    """What was said in the surges of one service; one customer has one voice."""

    voices: dict[int, None] = field(default_factory=dict)
    told: int = 0  # customers, with those no longer known
    phrases: Counter[str] = field(default_factory=Counter)
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=MAX_TEXTS))
    surges: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Proposals:
    """Phrases of surges by service, and what people said of them. Owned by ComplaintState; 20 MB when full.

    A complaint that lands in a surge is but a weak label: nothing counts as a name before a person says so.
    """

    lately: dict[str, tuple[int, str]] = field(default_factory=dict)  # complaint -> voice, text
    inside: dict[str, Spoken] = field(default_factory=dict)  # by service, the oldest first
    given: dict[tuple[str, str], Alias] = field(default_factory=dict)
    never: dict[tuple[str, str], None] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # that people gave each service
    dropped: Counter[str] = field(default_factory=Counter)

    def hear(self, id: str, voice: int, text: str) -> None:
        """Keep what a complaint says for a while: its surge may be confirmed later."""
        self.lately[id] = voice, text[:MAX_TEXT]
        if len(self.lately) > MAX_LATELY:
            del self.lately[next(iter(self.lately))]

    def tell(self, service: str, surge: str, ids: Iterable[str]) -> None:
        """Count what the complaints say that came in a confirmed surge of this service, each once."""
        new = [self.lately.pop(id) for id in ids if id in self.lately]
        if not new:
            return
        spoken = self.inside.pop(service) if service in self.inside else Spoken()
        self.inside[service] = spoken
        spoken.surges.pop(surge, None)
        spoken.surges[surge] = None
        if len(spoken.surges) > MAX_SURGES:
            del spoken.surges[next(iter(spoken.surges))]
        for voice, text in new:
            if voice in spoken.voices:
                continue
            spoken.voices[voice] = None
            spoken.told += 1
            spoken.texts.append(text)
            spoken.phrases.update(_phrases(text))
        while len(spoken.voices) > MAX_VOICES:
            del spoken.voices[next(iter(spoken.voices))]
        _fewest(spoken.phrases, MAX_PHRASES)
        if len(self.inside) > MAX_SERVICES:
            del self.inside[next(iter(self.inside))]

    def obey(self, events: Iterable[Event]) -> None:
        """Take what people say: a command names the `service` and the `alias`."""
        asked = (e for e in events if e.kind == "command" and e.labels.get("do") in WORDS)
        for event in sorted(asked, key=lambda e: (e.time, e.id)):
            service, alias = event.labels.get("service", ""), plain(event.labels.get("alias", ""))
            do, key = event.labels["do"], (service, alias)
            if not service or not alias:
                continue
            self.given.pop(key, None)
            self.never.pop(key, None)
            if do == "alias" and len(self.given) >= MAX_ALIASES:
                self.dropped["aliases past the bound"] += 1
            elif do == "alias":
                self.given[key] = Alias(service, alias, event.labels.get("by", ""), event.time)
            else:  # a name that was taken back is not proposed again either
                self.never[key] = None
                if len(self.never) > MAX_DISMISSED:
                    del self.never[next(iter(self.never))]
            self.names = of_each(self.given.values())

    def proposed(self, rarity: Rarity, known: Mapping[str, Sequence[str]]) -> tuple[Proposal, ...]:
        """Return what may name the services that `known` holds with the names they have; best first.

        At most SHOWN a service; none that is part of another here or of a name, nor one that was dismissed.
        """
        return tuple(p for service in sorted(known) for p in self._of(service, rarity, known[service]))

    def _of(self, service: str, rarity: Rarity, known: Sequence[str]) -> list[Proposal]:
        spoken = self.inside.get(service)
        if spoken is None:
            return []
        said = [alias for of, alias in (*self.given, *self.never) if of == service]
        have = [*(plain(name) for name in known), *said]
        others = max(rarity.texts - spoken.told, 1)
        found: list[tuple[float, str, int, float]] = []
        for phrase, n in spoken.phrases.items():
            if n < VOICES or any(_within(phrase, name) or _within(name, phrase) for name in have):
                continue
            elsewhere = max(_seen(rarity, phrase) - n, 0) / others
            odds = n / spoken.told / max(elsewhere, 1 / others)
            if odds > OFTEN:
                found.append((odds * n, phrase, n, elsewhere))
        kept: list[Proposal] = []
        for _, phrase, n, elsewhere in sorted(found, key=lambda f: (-f[0], -len(f[1]), f[1])):
            if not any(_overlap(phrase, other.alias) for other in kept):
                example = next((text for text in reversed(spoken.texts) if phrase in plain(text)), "")
                surges = tuple(spoken.surges)
                kept.append(Proposal(service, phrase, n, spoken.told, elsewhere, surges, example))
        return kept[:SHOWN]


def of_each(given: Iterable[Alias]) -> Mapping[str, tuple[str, ...]]:
    """Return the names that people gave each service, in order."""
    found: dict[str, tuple[str, ...]] = {}
    for service, alias in sorted((one.service, one.alias) for one in given):
        found[service] = (*found.get(service, ()), alias)
    return found


def _phrases(text: str) -> set[str]:
    """Return a text's words and pairs of words, and 2 to LONGEST characters of Chinese, each once."""
    said = plain(text)
    return {*_runs(said), *_pairs(said)}


def _runs(said: str) -> Iterator[str]:
    for run in _CJK.findall(said):
        lengths = range(2, LONGEST + 1)
        yield from (run[k : k + n] for n in lengths for k in range(len(run) - n + 1))


def _pairs(said: str) -> Iterator[str]:
    words = _WORD.findall(_CJK.sub(" ", said))
    names = [w if len(w) >= SHORTEST and w.isalpha() and w not in EMPTY else "" for w in words]
    yield from filter(None, names)
    yield from (f"{a} {b}" for a, b in pairwise(names) if a and b)


def _within(part: str, whole: str) -> bool:
    """Say whether a name holds the other: by words, and by characters in Chinese."""
    return part in whole if _CJK.search(part) else f" {part} " in f" {whole} "


def _overlap(one: str, other: str) -> bool:
    """Say whether two names are of one phrase: one holds the other, or in Chinese begins as it ends."""
    if _within(one, other) or _within(other, one):
        return True
    joints = range(2, min(len(one), len(other))) if _CJK.search(one) else ()
    return any(one[-k:] == other[:k] or other[-k:] == one[:k] for k in joints)


def _seen(rarity: Rarity, phrase: str) -> float:
    """Return how many complaints said the phrase, at most: no n-gram of it was met in fewer."""
    index, _ = columns([phrase])[0]
    return float(rarity.seen[index].min()) if len(index) else 0.0


def _fewest(counted: Counter[str], most: int) -> None:
    """Drop the rarest down to three quarters, once there are more than `most`; ties by name."""
    if len(counted) <= most:
        return
    for phrase, _ in sorted(counted.items(), key=lambda c: (c[1], c[0]))[: len(counted) - 3 * most // 4]:
        del counted[phrase]
