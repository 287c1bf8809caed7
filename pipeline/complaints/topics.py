"""Complaints to topics for people: each joins the topic nearest to it, or leads a new one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.complaints.topic_notes import Note, Topic, named, shown
from pipeline.complaints.topic_space import Space
from pipeline.complaints.words import Singles, Vector
from pipeline.types import Seconds

MAX_TOPICS = 1_000  # the one unheard of longest goes first; about 20 kB each
MAX_MERGED = 10_000  # ids that a later topic took in; the oldest go first
MAX_SHOWN = 100
# Cosine of two centres from which they are one topic that was split, once so many complaints are behind
# either: below it, topics that people tell apart run together.
ONE = 0.65
# Cosine from which a complaint is its topic in the same words: what hundreds paste is not what everyone says.
SAME = 0.98
SETTLED = 3
DAY = 86400.0


@dataclass(slots=True)
class Topics:
    """What people complain of, by topic, with names that stay. Owned by ComplaintState; 20 MB when full.

    A topic's name is its number and the words that led it. It never changes; a topic that a night merged
    into an older one is found by its old name ever after, see `resolve`.
    """

    made: int = 0
    heard: int = 0
    forgotten: int = 0  # topics that had to make room
    night: float | None = None  # day, in event time, of the newest complaint
    space: Space = field(default_factory=Space)
    notes: list[Note] = field(default_factory=list)  # by row of the space
    merged: dict[int, int] = field(default_factory=dict)  # id -> the id that took it in

    def place(
        self,
        vector: Vector,
        text: str,
        *,
        dense: Singles | None = None,
        time: Seconds | None = None,
        customer: str = "",
        version: str = "",
        platform: str = "",
        region: str = "",
    ) -> str:
        """Return the topic's name, such as "17 Waiting forever for checkout"; "" where nothing was said.

        `dense` is the sentence encoder's row, None without one. The first complaint of a day, in event
        time, finds topics that were split made one.
        """
        if not text.strip():
            return ""
        self._turn(time)
        self.heard += 1
        point = self.space.point(vector, dense)
        cosine = self.space.cosines(point)
        k = int(cosine.argmax()) if len(cosine) else -1
        if k < 0 or cosine[k] < self.space.near:
            k = self._lead(text, customer)
            likeness = 0.0
        else:
            likeness = float(cosine[k])
        self.space.add(k, point)
        if likeness < SAME:
            self.space.learn(point)
        self.notes[k].take(self.heard, text, likeness, time, customer)
        self.notes[k].affect(version, platform, region)
        return self.notes[k].name

    def resolve(self, name: str) -> str:
        """Return the name by which a topic goes now, given its name or number; "" where it is forgotten."""
        number = name.partition(" ")[0]
        id = int(number) if number.isascii() and number.isdigit() else 0
        id = self.merged.get(id, id)
        return next((note.name for note in self.notes if note.id == id), "")

    def listed(self, now: Seconds) -> tuple[Topic, ...]:
        """Return the topics most heard of in the last week, at most MAX_SHOWN; cost: 20 ms."""
        best = sorted(self.notes, key=lambda note: (-note.lately(now, 7), -note.last, note.id))[:MAX_SHOWN]
        was: dict[int, list[int]] = {}
        for old, id in self.merged.items():
            was.setdefault(id, []).append(old)
        return shown(best, was, now)

    def consolidate(self) -> None:
        """Make one of the topics whose centres came together, the likest first; the older name stays."""
        apart = np.tril(self.space.between(), -1)
        young = self.space.size[: self.space.topics] < SETTLED
        apart[young] = apart[:, young] = 0
        gone: set[int] = set()
        for flat in np.argsort(-apart, axis=None, kind="stable").tolist():
            a, b = divmod(flat, len(apart))
            if apart[a, b] < ONE:
                break
            if a in gone or b in gone:
                continue
            old, new = (a, b) if self.notes[a].id < self.notes[b].id else (b, a)
            self._merge(new, old)
            gone.add(new)
        for k in sorted(gone, reverse=True):
            self._drop(k)

    def _turn(self, time: Seconds | None) -> None:
        if time is None:
            return
        day = time // DAY
        if self.night is not None and day > self.night:
            self.consolidate()
        self.night = day if self.night is None else max(day, self.night)

    def _lead(self, text: str, customer: str) -> int:
        if len(self.notes) >= MAX_TOPICS:
            self._drop(min(range(len(self.notes)), key=lambda k: self.notes[k].used))
            self.forgotten += 1
        self.made += 1
        self.notes.append(Note(self.made, f"{self.made} {named(text, customer)}".rstrip()))
        return self.space.lead()

    def _merge(self, k: int, into: int) -> None:
        young, old = self.notes[k], self.notes[into]
        self.space.merge(k, into)
        old.join(young)
        for id in [id for id, now in self.merged.items() if now == young.id]:
            self.merged[id] = old.id
        self.merged[young.id] = old.id
        if len(self.merged) > MAX_MERGED:
            del self.merged[next(iter(self.merged))]

    def _drop(self, k: int) -> None:
        """Forget a row; the last one takes its place."""
        self.space.drop(k)
        last = self.notes.pop()
        if k < len(self.notes):
            self.notes[k] = last
