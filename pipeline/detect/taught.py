"""What people said of signals, and changes that explain some, to how surprising a series must be."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pipeline.clock import DAY
from pipeline.detect.watch import Watch
from pipeline.types import Event, Seconds
from pipeline.units import span

MOST, LEAST = 4.0, 0.5  # times the watch's own limit: what is taught hides no disaster and finds no ghosts
ABOVE = 1.1  # times what was called noise: the like of it stays silent
LOWER = 0.8  # times the limit, each time a signal is confirmed
LASTS = 30 * DAY  # a lesson nobody repeats fades with the people and the version that it was about
EXPLAINED = 2.0  # times the limit, for what a change explains
MAX_SPOKEN, MAX_LESSONS, MAX_CHANGES = 10_000, 10_000, 1_000


@dataclass(frozen=True, slots=True)
class Lesson:
    bar: float  # times the watch's limit
    word: str  # "noise" or "confirm"
    by: str
    at: Seconds

    def told(self, limit: float) -> str:
        """Return the lesson in words, to stand behind a signal's reason."""
        way = "higher than" if self.bar > 1 else "lower than" if self.bar < 1 else "like"
        what = "called it noise" if self.word == "noise" else "confirmed one"
        return f"limit {limit * self.bar:.3g}, {way} its watch's {limit:g}: {self.by or 'someone'} {what}"


@dataclass(slots=True)
class Lessons:
    """Signals spoken of lately, what was said of them, changes that explain: bounded, some 3 MB at most."""

    spoken: dict[str, tuple[str, int, float]] = field(default_factory=dict)  # watch, row, surprise; by signal
    taught: dict[tuple[str, int], Lesson] = field(default_factory=dict)  # by watch and row
    changes: dict[str, Event] = field(default_factory=dict)  # newest of each service

    def spoke(self, signal: str, watch: str, row: int, surprise: float) -> None:
        self.spoken.pop(signal, None)
        self.spoken[signal] = watch, row, surprise
        if len(self.spoken) > MAX_SPOKEN:
            del self.spoken[next(iter(self.spoken))]

    def hear(self, events: Iterable[Event], limits: Mapping[str, float], now: Seconds) -> Iterator[Taught]:
        """Take changes and what people say; yield each series whose limit moves, and to what.

        `limits` is the surprise that each watch asks for, by name. A command "noise", "confirm" or "unteach"
        names its `signals`, ids with commas between them.
        """
        for event in events:
            if event.kind == "change" and event.labels.get("service"):
                self.changes.pop(event.labels["service"], None)
                self.changes[event.labels["service"]] = event
                if len(self.changes) > MAX_CHANGES:
                    del self.changes[next(iter(self.changes))]
            elif event.kind == "command":
                for signal in event.labels.get("signals", "").split(","):
                    watch, row, surprise = self.spoken.get(signal, ("", -1, 0.0))
                    if watch in limits:
                        yield from self._teach(event, watch, row, surprise / limits[watch], now)
        for (watch, row), lesson in list(self.taught.items()):
            if now - lesson.at <= LASTS and len(self.taught) <= MAX_LESSONS:
                break  # in the order they were taught
            del self.taught[watch, row]
            yield watch, row, 1.0

    def _teach(self, event: Event, watch: str, row: int, times: float, now: Seconds) -> Iterator[Taught]:
        before = self.taught.get((watch, row))
        word = event.labels.get("do", "")
        if word not in ("noise", "confirm", "unteach"):
            return
        self.taught.pop((watch, row), None)
        if word == "unteach":
            yield watch, row, 1.0
            return
        bar = before.bar if before else 1.0
        bar = max(bar, min(times * ABOVE, MOST)) if word == "noise" else max(min(bar, 1.0) * LOWER, LEAST)
        self.taught[watch, row] = Lesson(bar, word, event.labels.get("by", ""), now)
        yield watch, row, bar

    def explained(self, service: str, watch: Watch, since: Seconds, time: Seconds) -> str:
        """Return in words the change that explains what the watch sees of a service then, "" for none.

        What was so `since` before the change is not explained by it.
        """
        change = self.changes.get(service)
        kind = change.labels.get("kind", "") if change else ""
        if change is None or kind not in watch.relax:
            return ""
        if since < change.time or time - change.time > watch.relax[kind]:
            return ""
        return f"{kind} {change.id} came {span(time - change.time)} before"

    def forget(self, rows: Collection[int]) -> None:
        self.spoken = {s: known for s, known in self.spoken.items() if known[1] not in rows}
        self.taught = {key: lesson for key, lesson in self.taught.items() if key[1] not in rows}


Taught = tuple[str, int, float]  # watch, row, times its limit
