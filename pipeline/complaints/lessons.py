"""What people said of a surge, to how many customers, or how surprising, its like must be to page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.encoders import Dense
from pipeline.complaints.heard import LENGTHS, WINDOWS, Heard, Said, voices
from pipeline.complaints.usual import mix
from pipeline.complaints.words import Ints, Singles, Vector, alike
from pipeline.types import Event, Floats, Seconds

# Customers, as a multiple of those in what was called noise and so many more: the same thing once more
# reaches them by chance less than once in fifty times, however few it was.
TIMES, MORE = 2.0, 5.0
LEAST, LOWER = -0.6, 0.2  # decades of surprise: each time a surge is confirmed, and at most
LASTS = 30 * 86400.0  # a lesson nobody repeats fades
SAME = 0.3  # from which complaints are like those in a surge
EXAMPLES = 8  # complaints of a surge that a lesson is about
MAX_SPOKEN, MAX_LESSONS = 1_000, 100
WORDS = ("noise", "confirm", "unteach")


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What was said of one surge: it holds in full for LASTS, then people are asked anew.

    Decades of surprise cannot say how large is too large: what a person saw and called noise was so many
    customers, and a few more of them at night are a surprise again. So the like of it is silent up to
    twice as many customers in every window, whatever the surprise. Beyond that in any window it is another
    thing, as is what comes all at once where that came over a day.
    """

    lift: float  # of the bar, decades, <= 0
    word: str  # "noise" or "confirm"
    by: str
    at: Seconds
    index: Ints  # (n, WIDTH) of the examples, and so on
    weight: Singles
    dense: Dense
    topic: NDArray[np.int64]
    sure: Floats
    crowd: Floats = field(default_factory=lambda: np.zeros(len(LENGTHS)))  # (6,) in each of LENGTHS
    service: str = ""  # that they named, where that was all they had in common

    @property
    def enough(self) -> Floats:
        """Return the customers from which it is more than what was called noise, (6,) for LENGTHS."""
        return TIMES * self.crowd + MORE

    def hushes(self, crowd: Floats) -> bool:
        """Say whether so many customers, (6,) in each of LENGTHS, look like what was called noise."""
        return self.word == "noise" and not bool((crowd >= self.enough).any())

    def told(self) -> str:
        """Return the lesson in words, to stand behind a signal's reason."""
        day = np.datetime64(int(self.at), "s").astype("datetime64[D]")
        by = f"by {self.by or 'someone'} on {day}"
        if self.word == "noise":
            most, length = self.enough[len(WINDOWS) - 1], WINDOWS[-1] / 60
            return f"called noise {by}: it pages again from {most:.0f} customers in {length:.0f} min"
        return f"confirmed {by}: {-self.lift:.1f} lower bar"


@dataclass(slots=True)
class Lessons:
    """Surges spoken of lately and what was said of them. Owned by Surges; 2 MB when full."""

    spoken: dict[str, tuple[tuple[str, ...], Floats]] = field(default_factory=dict)  # complaints, crowd
    named: dict[str, str] = field(default_factory=dict)  # service of those that only its name held together
    taught: list[Lesson] = field(default_factory=list)  # oldest first

    def spoke(self, surge: str, complaints: tuple[str, ...], crowd: Floats, service: str) -> None:
        """Remember a surge that people may speak of, and the most customers in each of LENGTHS, (6,).

        `service` is what they name, where that makes the surge and not that they are alike.
        """
        most = np.maximum(crowd, self.spoken.pop(surge, ((), crowd))[1])
        self.spoken[surge] = complaints[-EXAMPLES:], most
        if service:
            self.named[surge] = service
        if len(self.spoken) > MAX_SPOKEN:
            oldest = next(iter(self.spoken))
            del self.spoken[oldest]
            self.named.pop(oldest, None)

    def of(self, heard: Heard, said: Said, rows: Sequence[int], service: str) -> Lesson | None:
        """Return the newest lesson about complaints like this one or those, None where nobody taught any.

        `rows` are the complaints that may page with this one, which may word it otherwise, and `service` what
        they name, where that is all that makes them a surge.
        """
        for lesson in reversed(self.taught):
            if _like(lesson, heard, said) >= SAME or (len(rows) and _about(lesson, heard, rows, service)):
                return lesson
        return None

    def hear(self, events: Iterable[Event], heard: Heard, now: Seconds) -> None:
        """Take what people say: a command "noise", "confirm" or "unteach" names its `signals`."""
        self.taught = [lesson for lesson in self.taught if now - lesson.at <= LASTS]
        commands = (e for e in events if e.kind == "command" and e.labels.get("do") in WORDS)
        for event in sorted(commands, key=lambda e: (e.time, e.id)):
            for surge in event.labels.get("signals", "").split(","):
                if surge in self.spoken:
                    self._teach(event, heard, surge, now)

    def _teach(self, event: Event, heard: Heard, surge: str, now: Seconds) -> None:
        complaints, crowd = self.spoken[surge]
        rows = heard.rows(complaints)
        if not rows:
            return
        service = self.named.get(surge, "")
        known = [lesson for lesson in self.taught if _about(lesson, heard, rows, service)]
        self.taught = [lesson for lesson in self.taught if not any(lesson is one for one in known)]
        word = event.labels["do"]
        if word == "unteach":
            return
        if word == "noise":
            lift, crowd = 0.0, np.maximum.reduce([crowd, *(lesson.crowd for lesson in known)])
        else:
            before = known[-1].lift if known else 0.0
            lift, crowd = max(before - LOWER, LEAST), np.zeros(len(LENGTHS))
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
            crowd=crowd,
            service=service,
        )
        self.taught.append(lesson)
        del self.taught[:-MAX_LESSONS]


def crowd(heard: Heard, rows: NDArray[np.intp], voice: int, time: Seconds) -> Floats:
    """Return the customers of those rows, and one more now, in each of LENGTHS, (6,)."""
    age = np.append(time - heard.time[rows], 0.0)
    who = np.append(heard.voice[rows], voice)
    return voices(age, who, np.ones(len(age)))


def _about(lesson: Lesson, heard: Heard, rows: Sequence[int], service: str) -> bool:
    """Say whether the complaints of those rows are, most of them, what the lesson is about."""
    if service and lesson.service == service:
        return True
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
