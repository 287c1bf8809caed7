"""What people said of a surge, to how surprising complaints like those in it must be to page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense
from pipeline.complaints.heard import Heard, Said
from pipeline.complaints.usual import mix
from pipeline.complaints.words import Ints, Singles, Vector, alike
from pipeline.types import Event, Floats, Seconds

MOST, LEAST = 2.0, -0.6  # decades of surprise: what is taught hides no disaster and finds no ghosts
ABOVE = 0.3  # beyond what was called noise: the like of it stays silent
LOWER = 0.2  # each time a surge is confirmed
LASTS = 30 * 86400.0  # a lesson nobody repeats fades
SAME = 0.3  # from which complaints are like those in a surge
EXAMPLES = 8  # complaints of a surge that a lesson is about
MAX_SPOKEN, MAX_LESSONS = 1_000, 100
WORDS = ("noise", "confirm", "unteach")


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    lift: float  # of the bar, decades
    word: str  # "noise" or "confirm"
    by: str
    at: Seconds
    index: Ints  # (n, WIDTH) of the examples, and so on
    weight: Singles
    dense: Dense
    topic: NDArray[np.int64]
    sure: Floats

    def told(self) -> str:
        """Return the lesson in words, to stand behind a signal's reason."""
        way = "higher" if self.lift > 0 else "lower" if self.lift < 0 else "usual"
        said = "called noise" if self.word == "noise" else "confirmed"
        day = np.datetime64(int(self.at), "s").astype("datetime64[D]")
        return f"{said} by {self.by or 'someone'} on {day}: {abs(self.lift):.1f} {way} bar"


@dataclass(slots=True)
class Lessons:
    """Surges spoken of lately and what was said of them. Owned by Surges; 2 MB when full."""

    spoken: dict[str, tuple[tuple[str, ...], float]] = field(default_factory=dict)  # complaints, beyond bar
    taught: list[Lesson] = field(default_factory=list)  # oldest first

    def spoke(self, surge: str, complaints: tuple[str, ...], above: float) -> None:
        """Remember a surge that people may speak of, and how far it was above the bar."""
        most = max(above, self.spoken.pop(surge, ((), above))[1])
        self.spoken[surge] = complaints[-EXAMPLES:], most
        if len(self.spoken) > MAX_SPOKEN:
            del self.spoken[next(iter(self.spoken))]

    def of(self, heard: Heard, said: Said, now: Seconds) -> Lesson | None:
        """Return the newest lesson about complaints like this one, None where nobody taught any."""
        for lesson in reversed(self.taught):
            if now - lesson.at <= LASTS and _like(lesson, heard, said) >= SAME:
                return lesson
        return None

    def hear(self, events: Iterable[Event], heard: Heard, now: Seconds) -> None:
        """Take what people say: a command "noise", "confirm" or "unteach" names its `signals`."""
        self.taught = [lesson for lesson in self.taught if now - lesson.at <= LASTS]
        commands = (e for e in events if e.kind == "command" and e.labels.get("do") in WORDS)
        for event in sorted(commands, key=lambda e: (e.time, e.id)):
            for surge in event.labels.get("signals", "").split(","):
                if surge in self.spoken:
                    self._teach(event, heard, *self.spoken[surge], now)

    def _teach(
        self, event: Event, heard: Heard, complaints: tuple[str, ...], above: float, now: Seconds
    ) -> None:
        rows = heard.rows(complaints)
        if not rows:
            return
        known = [lesson for lesson in self.taught if _about(lesson, heard, rows)]
        self.taught = [lesson for lesson in self.taught if not any(lesson is one for one in known)]
        word = event.labels["do"]
        if word == "unteach":
            return
        before = known[-1].lift if known else 0.0
        lift = (
            max(before, min(above + ABOVE, MOST)) if word == "noise" else max(min(before, 0) - LOWER, LEAST)
        )
        lesson = Lesson(
            lift,
            word,
            event.labels.get("by", ""),
            now,
            index=heard.index[rows],
            weight=heard.weight[rows],
            dense=heard.dense[rows],
            topic=heard.topic[rows],
            sure=heard.sure[rows],
        )
        self.taught.append(lesson)
        del self.taught[:-MAX_LESSONS]


def _about(lesson: Lesson, heard: Heard, rows: list[int]) -> bool:
    """Say whether the complaints of those rows are, most of them, what the lesson is about."""
    like = [_like(lesson, heard, _said(heard, row)) for row in rows]
    return float(np.median(like)) >= SAME


def _said(heard: Heard, row: int) -> Said:
    vector = Vector(heard.index[row], heard.weight[row])
    topic, sure = int(heard.topic[row]), float(heard.sure[row])
    return Said(vector, heard.dense[row], topic, sure, latent=heard.places[row])


def _like(lesson: Lesson, heard: Heard, said: Said) -> float:
    """Return how far the complaint says what those of the lesson said, on average."""
    words = alike(lesson.index, lesson.weight, said.vector)
    rows = lesson.dense if len(said.dense) else heard.latent.rows(lesson.index, lesson.weight)
    cosine = mix(words, rows, said.meant)
    return float(heard.usual.same(cosine, lesson.topic, lesson.sure, said.topic, said.sure).mean())
