"""What is told of a topic: when, whom and which versions it concerns, its terms, a typical sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.complaints.topic_words import labels
from pipeline.types import Seconds

K = TypeVar("K")

DAY = 86400.0
DAYS = 28  # days of a trend that are kept
TREND = 14  # days that are shown
MAX_CUSTOMERS = 200  # a topic's customers by name, the newest; the others are counted
MAX_VERSIONS = 20  # and as many platforms and regions; the least heard goes first
SAMPLES = 16  # complaints kept of each topic, the newest
MAX_TEXT = 300  # characters of each
TITLE = 60  # characters of the leading complaint that name the topic


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as people see it."""

    id: int
    name: str  # as printed for each complaint of it, for ever
    label: str  # the terms that set it apart, as they are by now
    typical: str  # the complaint nearest to its centre
    first: Seconds | None
    last: Seconds | None
    count: int
    trend: tuple[int, ...]  # complaints of each of the last TREND days, the last is today
    customers: tuple[str, ...]  # newest last
    affected: int  # customers, with those no longer known by name
    versions: tuple[tuple[str, int], ...]  # of the app, most heard first
    was: tuple[int, ...]  # ids of topics that became part of it
    platforms: tuple[tuple[str, int], ...] = ()
    regions: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Note:
    """What is known of one topic, at most about 8 kB. Owned by Topics."""

    id: int
    name: str
    used: int = 0  # number of its newest complaint
    count: int = 0
    first: Seconds = float("inf")
    last: Seconds = float("-inf")
    more: int = 0  # customers that are no longer known by name
    days: dict[int, int] = field(default_factory=dict)  # day since 1970 -> complaints
    customers: dict[str, None] = field(default_factory=dict)  # newest last
    versions: dict[str, int] = field(default_factory=dict)
    platforms: dict[str, int] = field(default_factory=dict)
    regions: dict[str, int] = field(default_factory=dict)
    samples: list[tuple[float, str]] = field(default_factory=list)  # likeness to the centre, text

    def take(self, number: int, text: str, likeness: float, time: Seconds | None, customer: str) -> None:
        """Note one complaint more."""
        self.used = number
        self.count += 1
        said = without(" ".join(text[: 2 * MAX_TEXT].split()), customer)[:MAX_TEXT]
        if said and said not in [other for _, other in self.samples]:
            self.samples = [*self.samples[-SAMPLES + 1 :], (likeness, said)]
        if time is not None:
            self.first, self.last = min(self.first, time), max(self.last, time)
            day = int(time // DAY)
            self.days[day] = self.days.get(day, 0) + 1
        if customer:
            self.customers.pop(customer, None)
            self.customers[customer] = None
        self._cut()

    def affect(self, version: str, platform: str, region: str) -> None:
        """Note where its customer uses us, as far as a complaint says."""
        for counted, value in ((self.versions, version), (self.platforms, platform), (self.regions, region)):
            if value:
                counted[value] = counted.get(value, 0) + 1
                _fewest(counted)

    def join(self, other: Note) -> None:
        """Take in what is known of a topic that became part of this one."""
        self.used = max(self.used, other.used)
        self.count += other.count
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.more += other.more
        _sum(self.days, other.days)
        for mine, theirs in (
            (self.versions, other.versions),
            (self.platforms, other.platforms),
            (self.regions, other.regions),
        ):
            _sum(mine, theirs)
            _fewest(mine)
        self.customers = dict.fromkeys((*other.customers, *self.customers))
        self.samples = [*other.samples[-SAMPLES // 2 :], *self.samples[-SAMPLES // 2 :]]
        self._cut()

    def lately(self, now: Seconds, days: int) -> int:
        """Return how many complaints came in the last days, today with them."""
        today = int(now // DAY)
        return sum(n for day, n in self.days.items() if today - days < day <= today)

    def _cut(self) -> None:
        while len(self.days) > DAYS:
            del self.days[min(self.days)]
        while len(self.customers) > MAX_CUSTOMERS:
            del self.customers[next(iter(self.customers))]
            self.more += 1


def named(text: str, customer: str) -> str:
    """Return the words that name a topic: how its first complaint began, without who sent it.

    >>> named("Customer c-17 here:  the card\\nis declined", "c-17")
    'Customer … here: the card is declined'
    """
    return without(" ".join(text[: 8 * TITLE].split()), customer)[:TITLE].rstrip()


def without(text: str, customer: str) -> str:
    """Return the text with the customer's id left out."""
    if not customer or customer.casefold() not in text.casefold():
        return text
    return re.sub(rf"(?<!\w){re.escape(customer)}(?!\w)", "…", text, flags=re.IGNORECASE)


def shown(notes: Sequence[Note], was: Mapping[int, Sequence[int]], now: Seconds) -> tuple[Topic, ...]:
    """Return the topics with the terms that set each apart from the others."""
    today = int(now // DAY)
    terms = labels([[text for _, text in note.samples] for note in notes])
    return tuple(
        Topic(
            id=note.id,
            name=note.name,
            label=label,
            typical=max(note.samples, key=lambda s: s[0], default=(0.0, ""))[1],
            first=note.first if note.days else None,
            last=note.last if note.days else None,
            count=note.count,
            trend=tuple(note.days.get(today - k, 0) for k in range(TREND - 1, -1, -1)),
            customers=tuple(note.customers),
            affected=len(note.customers) + note.more,
            versions=_most(note.versions),
            was=tuple(sorted(was.get(note.id, ()))),
            platforms=_most(note.platforms),
            regions=_most(note.regions),
        )
        for note, label in zip(notes, terms, strict=True)
    )


def _sum(mine: dict[K, int], theirs: Mapping[K, int]) -> None:
    for key, n in theirs.items():
        mine[key] = mine.get(key, 0) + n


def _most(counted: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted.items(), key=lambda v: (-v[1], v[0])))


def _fewest(counted: dict[str, int]) -> None:
    while len(counted) > MAX_VERSIONS:
        del counted[min(counted, key=lambda v: (counted[v], v))]
