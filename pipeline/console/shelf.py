"""The books a desk looks into - articles, and complaints that were solved - and what may be told just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline import knowledge
from pipeline.clock import Clock
from pipeline.complaints import Names
from pipeline.complaints.answers import TOP, Advice, Book, Entry, advise, bind
from pipeline.complaints.encoders import Encoder
from pipeline.complaints.link import link
from pipeline.complaints.outcomes import tallies
from pipeline.console.names import nobody
from pipeline.console.standing import Standing, World, felt
from pipeline.console.telling import language, sentence, was
from pipeline.knowledge import Article
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Case, Mark, Progress, Run, Seconds, State

MAX_SOLVED = 500  # cases looked at, the newest
MAX_ALIKE = 20  # complaints of one incident, or with one answer, that are learned
MAX_OPEN = 10_000
LEARN_EVERY: Seconds = 30.0  # solved complaints are learned anew at most so often
WORTH = ("reply", "fixed", "closed")  # marks in which a desk says what the answer was
NOBODY = ("", "customer", "incident", "time")  # who speaks in marks and is no person of the desk


@dataclass(frozen=True, slots=True)
class Question:
    """What a caller says, as far as it is known who and of what."""

    text: str
    customer: str = ""
    lang: str = ""
    complaint: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller may be told of one service just now, in the words that boards use."""

    service: str
    state: str
    text: str
    incident: str


@dataclass(frozen=True, slots=True)
class Found:
    """One suggestion as the desk sees it; `kind` is "article", "solved" or "incident"."""

    answer: str  # its key
    kind: str
    title: str
    text: str
    score: float
    why: str
    sure: bool


@dataclass(slots=True)
class Shelf:
    """Owned by the console. One book of articles, one of at most MAX_SOLVED cases; 25 kB a question."""

    store: Store
    clock: Clock
    topology: Callable[[], Topology]
    articles: Callable[[], tuple[Article, ...]]
    encoder: Encoder
    names: Callable[[], Awaitable[Names]] = nobody
    _articles: tuple[Article, ...] = ()  # that `_kb` was learned from
    _kb: Book | None = None
    _solved: Book | None = None
    _texts: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # of solved ones: title and answer by key
    _learned: Seconds = -1e18

    async def answer(self, question: Question) -> dict[str, Any]:
        """Return what may be told now, whether an answer is known and why, and the suggestions."""
        now = self.clock()
        await self._learn(now)
        counted = tallies(await self.store.commands(now - 30 * 86400), question.topic)
        lang = language(question.lang, question.text)
        advices = [
            await asyncio.to_thread(advise, book, question.text, self.encoder, counted)
            for book in (self._kb, self._solved)
            if book is not None and book.entries
        ]
        by_id = {a.id: a for a in self._articles}
        found = [self._shown(advice, n, by_id, lang) for advice in advices for n in range(len(advice.found))]
        found.sort(key=lambda pair: (-pair[0], pair[1].answer))
        best = max(advices, key=lambda a: a.chance, default=None)
        return {
            "now": await self._now(question, lang, now),
            "known": bool(found),
            "why": best.why if best else "no knowledge base is configured and nothing was solved yet",
            "suggestions": tuple(each for _, each in found[:TOP]),
        }

    async def holds(self, key: str) -> bool:
        await self._learn(self.clock())
        books = [b for b in (self._kb, self._solved) if b is not None]
        return any(key == e.key for b in books for e in b.entries)

    async def _learn(self, now: Seconds) -> None:
        valid = tuple(a for a in self.articles() if a.valid(now))
        if self._kb is None or valid != self._articles:
            entries = [Entry(f"article/{a.id}", a.asked()) for a in valid]
            self._kb = await asyncio.to_thread(bind, entries, self.encoder)
            self._articles = valid
        if now - self._learned < LEARN_EVERY:
            return
        self._learned = now
        entries, self._texts = await self._cases()
        if self._solved is None or tuple(entries) != self._solved.entries:
            self._solved = await asyncio.to_thread(bind, entries, self.encoder)

    async def _cases(self) -> tuple[list[Entry], dict[str, tuple[str, str]]]:
        """Return solved complaints by what solved them: an answer of the desk, or the end of an incident."""
        cases = [c for c in await self.store.cases(limit=MAX_SOLVED) if solved(c)]
        texts = {c.id: c.text for c in await self.store.complaints([c.complaint for c in cases])}
        groups: dict[str, list[Case]] = {}
        for case in cases:
            mark = solution(case)
            if mark is not None or case.incident:
                groups.setdefault(mark.text if mark else f"incident/{case.incident}", []).append(case)
        entries, told = [], {}
        for name, group in groups.items():
            asked = tuple(texts[c.complaint] for c in group[:MAX_ALIKE] if c.complaint in texts)
            key = name if solution(group[0]) is None else f"solved/{min(c.complaint for c in group)}"
            title, text = (asked[0][:80] if asked else "", name)
            if key == name:
                incident = await self.store.incident(group[0].incident)
                if incident is None or incident.state is not State.RESOLVED or not incident.services:
                    continue
                title, text = incident.title, was(incident, self.topology())
            if asked:
                entries.append(Entry(key, asked))
                told[key] = (title, text)
        return sorted(entries, key=lambda e: e.key), told

    def _shown(self, advice: Advice, n: int, by_id: Mapping[str, Article], lang: str) -> tuple[float, Found]:
        """Return how near to the top it belongs among both books, and the suggestion."""
        s = advice.found[n]
        kind, _, name = s.key.partition("/")
        if kind == "article":
            title, text = (knowledge.told(said, lang) for said in (by_id[name].title, by_id[name].answer))
        else:
            title, text = self._texts[s.key]
        shown = Found(s.key, kind, title, text, round(s.score, 3), s.why, advice.sure and n == 0)
        return advice.chance / (n + 1), shown

    async def _now(self, question: Question, lang: str, now: Seconds) -> tuple[Told, ...]:
        """Return what may be told of open incidents: what the caller names first, then what they use."""
        topology = self.topology()
        given = (await self.names()).by_service
        named = [service for service, _ in link(question.text, topology, more=given)]
        customer = topology.customers.get(question.customer)
        uses = (
            [*dict.fromkeys([*(s for s in named if s in customer.uses), *customer.uses])]
            if customer
            else named
        )
        world = await self._world(topology, now)
        judged = [felt(world, question.customer, service) for service in uses]
        return tuple(_told(s, topology, lang) for s in judged if s.incidents)

    async def _world(self, topology: Topology, now: Seconds) -> World:
        open_now = await self.store.incidents(open_only=True, limit=MAX_OPEN)
        runs: dict[str, list[Run]] = {i.id: [] for i in open_now}
        for run in await self.store.runs() if open_now else ():
            if run.incident in runs:
                runs[run.incident].append(run)
        return World(now, topology, open_now, await self.store.heard(), runs)


def solved(case: Case) -> bool:
    return case.progress in (Progress.FIXED, Progress.CLOSED) and case.helped is not False


def solution(case: Case) -> Mark | None:
    """Return the last word of the desk, None where nobody said one."""
    words: Sequence[Mark] = [m for m in case.marks if m.what in WORTH and m.text and m.by not in NOBODY]
    return words[-1] if words else None


def _told(standing: Standing, topology: Topology, lang: str) -> Told:
    return Told(
        standing.service,
        standing.state.value,
        sentence(standing, topology, lang),
        standing.incidents[0].id,
    )
