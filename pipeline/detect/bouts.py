"""Samples out of band to signals: a bout begins, lasts long enough to speak of, grows worse, ends."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

from detectors.base import Facts
from pipeline import units
from pipeline.detect import words
from pipeline.detect.watch import Watch
from pipeline.series import SERVICE_LABELS, show
from pipeline.types import Labels, Seconds, Signal

# Labels that say whose a series is; __name__ is said first.
WHOSE = frozenset((*SERVICE_LABELS, "__name__", "instance"))

# Told again when its surprise has grown by half: every sample of an outage is not news.
WORSE = 1.5

# After so many samples in band a bout is another one, though the detector may still remember the one before.
APART = 30


@dataclass(frozen=True, slots=True)
class Subject:
    """The series a bout is of, in the words of a signal."""

    series: str
    service: str
    labels: Labels
    row: int
    rate: str  # "a second" for the rate of a counter

    @property
    def metric(self) -> str:
        return self.series.partition("{")[0]

    @property
    def told(self) -> str:
        """The series as a person on call reads it: whose it is stands beside it, not inside.

        >>> Subject('p{job="a",q=".9"}', "a", {"__name__": "p", "job": "a", "q": ".9"}, 0, "").told
        'p{q=".9"}'
        """
        more = {k: v for k, v in self.labels.items() if k not in WHOSE and v != self.service}
        return show({"__name__": self.metric} | more)


class Sample(NamedTuple):
    time: Seconds
    value: float
    expected: float
    surprise: float
    cadence: Seconds  # of the series; a sample stands for the interval before it
    facts: Facts = Facts()


@dataclass(slots=True)
class Bout:
    """One series out of its band, from its first such sample on; about 300 B."""

    watch: Watch
    subject: Subject
    since: Seconds
    last: Seconds
    samples: int = 0
    worst: Sample | None = None
    calm: Seconds | None = None  # since when it is back
    id: str = ""  # "" until it has been spoken of
    told: float = 0.0  # surprise when it was last spoken of
    drawn: bool = False  # its past has been handed out
    note: str = ""  # what people said of it before
    before: float = math.nan  # what was expected as it began
    after: Seconds = -math.inf  # when the one before it ended, if that was spoken of

    @property
    def onset(self) -> Seconds:
        """When it began: as the detector estimates, or its first sample out of band."""
        assert self.worst is not None
        return min(self.since, self.worst.facts.onset) if self.worst.facts.onset > 0 else self.since

    def out(self, sample: Sample, now: Seconds) -> Signal | None:
        """Take a sample out of band; return a signal where there is something to say."""
        self.samples += 1
        if sample.facts.onset <= self.after < self.since - APART * sample.cadence:
            sample = sample._replace(facts=sample.facts._replace(onset=math.nan))
        self.last, self.calm = sample.time, None
        if self.worst is None:
            self.before = sample.expected
        if self.worst is None or sample.surprise > self.worst.surprise:
            self.worst = sample
        if self.id:
            return self._say(now) if self.worst.surprise >= WORSE * self.told else None
        lasted = sample.time - self.since + sample.cadence
        if self.samples < self.watch.samples or lasted < self.watch.hold:
            return None
        self.id = name_of(self.watch.name, self.subject.series, self.since)
        return self._say(now)

    def back(self, sample: Sample, now: Seconds) -> tuple[bool, Signal | None]:
        """Take a sample in band; return whether the bout is over, and its last word if it ever spoke."""
        self.last = sample.time
        self.calm = sample.time if self.calm is None else self.calm
        lasted = sample.time - self.calm + sample.cadence
        if not self.id:
            return lasted >= self.watch.hold / 4, None
        if lasted < self.watch.clear:
            return False, None
        if settled := self._settled(sample.value):
            return True, replace(self.end(now, self.calm, f"has settled at {settled}"), settled=settled)
        return True, self.end(
            now, self.calm, f"is back at {units.quantity(sample.value, self.subject.metric)}"
        )

    def end(self, now: Seconds, ended: Seconds, how: str) -> Signal:
        assert self.worst is not None
        was = self._compared(ended - self.since)
        return self._signal(now, f"{self.subject.told} was {was}, and {how}", ended)

    def _settled(self, value: float) -> str:
        """Return the value and what was expected before, "" where it is nearer to that than to the worst."""
        assert self.worst is not None
        if not abs(value - self.before) > abs(value - self.worst.value):
            return ""
        return f"{words.compared(value, self.before, self.subject.metric, self.subject.rate)} before"

    def _say(self, now: Seconds) -> Signal:
        assert self.worst is not None
        self.told = self.worst.surprise
        lasted = self.last - self.since + self.worst.cadence
        said = [f"is {self._compared(lasted)}"]
        worst = self.worst
        said += words.facts(worst.facts, self.subject.metric, self.last, worst.expected, worst.value, lasted)
        return self._signal(
            now, f"{self.subject.told} {'; '.join([*said, *filter(None, [self.watch.says, self.note])])}"
        )

    def _compared(self, lasted: Seconds) -> str:
        assert self.worst is not None
        metric, rate = self.subject.metric, self.subject.rate
        value, expected = self.worst.value, self.worst.expected
        # What stands still is odd for that, however far from what is usual it does.
        return words.compared(value, value if self.worst.facts.still else expected, metric, rate, lasted)

    def _signal(self, now: Seconds, reason: str, ended: Seconds | None = None) -> Signal:
        assert self.worst is not None
        subject, worst = self.subject, self.worst
        return Signal(
            self.id, "metric", subject.service, subject.series, subject.labels, self.watch.name,
            self.onset, now, worst.surprise, worst.value, worst.expected, self.watch.page, reason,
            ended, row=subject.row,
        )  # fmt: skip


def name_of(detector: str, series: str, since: Seconds) -> str:
    """Return the id of a signal: the same wherever and whenever the same samples are replayed."""
    return hashlib.blake2s(f"{detector}\n{series}\n{since!r}".encode(), digest_size=8).hexdigest()
