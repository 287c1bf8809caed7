"""The cases and incidents of a day to the daily report: what came in, was promised, and was kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import TypeAlias

from detectors.calendars import Calendar
from pipeline.follow.hours import midnight
from pipeline.types import Case, Incident, Progress, Seconds

TOP = 10  # topics, services and broken promises that are named; the others are counted
Times: TypeAlias = tuple[Seconds, Seconds, Seconds]
KINDS = ("respond", "update", "resolve")


@dataclass(frozen=True, slots=True)
class Word:
    """Promises of one kind that came to their end on the day, by being kept or by breaking."""

    what: str
    kept: int
    broken: int


@dataclass(frozen=True, slots=True)
class Report:
    """One local day, and the one before it to compare with."""

    day: date
    since: Seconds
    until: Seconds
    received: int
    before: int  # received the day before
    customers: int
    urgent: int
    closed: int
    open: int  # at the end of the day
    topics: tuple[tuple[str, int], ...]  # most first
    services: tuple[tuple[str, int], ...]  # the likeliest one of each complaint; "unknown" is one
    promises: tuple[Word, ...]
    broken: tuple[tuple[Case, str], ...]  # which promises broke, urgent ones first
    answered: Seconds | None  # median time to the first answer
    scores: tuple[int, ...]
    helped: int
    not_helped: int
    unsaid: int  # closed without a word from the customer
    incidents: tuple[Incident, ...]  # opened on the day, worst first
    leads: tuple[Seconds, ...]  # first complaint minus first page, of those


def times_of(day: date, calendar: Calendar) -> Times:
    """Return when the day before, the day and the day after begin over there: it has 23 to 25 hours."""
    before, begin, end = (midnight(calendar, day + timedelta(days=k)) for k in (-1, 0, 1))
    return before, begin, end


def reckon(
    day: date, times: Times, cases: Sequence[Case], incidents: Sequence[Incident], now: Seconds
) -> Report:
    """Return the report of a day, as far as it has come, from the cases under way since the day before."""
    yesterday, since, until = times
    until = min(until, now)
    incidents = [i for i in incidents if since <= i.opened < until]

    def today(at: Seconds | None) -> bool:
        return at is not None and since <= at < until

    new = [c for c in cases if today(c.received)]
    closed = [c for c in cases if c.progress is Progress.CLOSED and today(c.updated)]
    still = [c for c in cases if c.received < until and not _over(c, until)]
    broken = [(c, p.what) for c in cases for p in c.promises if p.broken(until) and today(p.due)]
    broken.sort(key=lambda b: (b[0].pressing is None, b[0].received, b[0].complaint, b[1]))
    firsts = [p for c in cases for p in c.promises if p.what == "respond" and today(p.ended)]
    rated = [c for c in cases if c.helped is not None and today(c.updated)]
    leads = sorted(i.lead for i in incidents if i.lead is not None)
    return Report(
        day, since, until,
        received=len(new),
        before=sum(yesterday <= c.received < since for c in cases),
        customers=len({c.customer for c in new if c.customer}),
        urgent=sum(c.urgent != "" for c in new),
        closed=len(closed),
        open=len(still),
        topics=_topics(new),
        services=_top(next(iter(c.services), "unknown") for c in new),
        promises=tuple(_word(what, cases, today, until) for what in KINDS),
        broken=tuple(broken),
        answered=median(p.ended - p.since for p in firsts if p.ended is not None) if firsts else None,
        scores=tuple(sorted(c.score for c in rated if c.score)),
        helped=sum(c.helped is True for c in rated),
        not_helped=sum(c.helped is False for c in rated),
        unsaid=sum(c.helped is None for c in closed),
        incidents=tuple(sorted(incidents, key=lambda i: (i.priority, i.opened, i.id))),
        leads=tuple(leads),
    )  # fmt: skip


def _word(what: str, cases: Sequence[Case], today: Callable[[Seconds | None], bool], until: Seconds) -> Word:
    """Count a promise on the day it broke, or else on the day it was kept."""
    mine = [p for c in cases for p in c.promises if p.what == what]
    kept = sum(today(p.ended) and not p.late for p in mine)
    return Word(what, kept, sum(p.broken(until) and today(p.due) for p in mine))


def _over(case: Case, at: Seconds) -> bool:
    return case.progress is Progress.CLOSED and case.updated < at


def _topics(cases: Sequence[Case]) -> tuple[tuple[str, int], ...]:
    """Count topics by their number, the first word: what a topic is called may change within a day."""
    called = {c.topic.partition(" ")[0]: c.topic or "unknown" for c in cases}
    return _top(called[c.topic.partition(" ")[0]] for c in cases)


def _top(words: Iterator[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(words).items(), key=lambda w: (-w[1], w[0])))
