"""One more complaint to a surge, where more customers say the same than is usual at this hour."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.budget import LOW, Budget
from pipeline.complaints.heard import Heard, Rise, Said
from pipeline.complaints.lessons import EXAMPLES, Lesson, Lessons, crowd
from pipeline.types import Complaint, Floats, Seconds, Signal

VOICES = 3  # customers that a surge needs at least
AGAIN = 2  # of them, those not heard in a surge that has ended
QUIET = 180.0  # s without another voice that end it; the next burst is a new page
JOINED = 5400.0  # s within which like complaints belong to it at least
SAME = 0.3  # from which two complaints count as saying the same
NAMED = 2400.0  # s within which like complaints are named when it pages, or those of its window
CLOSED = 86400.0  # s of quiet after which the like of it is a new surge
MAX_ON = 200
MAX_QUIET = 200
MAX_IDS = 500
MAX_SERVICES = 10_000
EMERGING, CONFIRMED, GONE = "emerging", "confirmed", "quiet"  # label "state" of a surge's signal


class Way(NamedTuple):
    """One way in which others say the same as a complaint."""

    same: Floats  # (n,) of late, how far each does, 0-1
    often: float  # how many in the history did
    grain: float  # that they come in, as of Heard.often


@dataclass(slots=True)
class Surges:
    """The surges that are on or quiet, by id, and the numbers of services. Owned by ComplaintState.

    A surge is emerging, for the desk to know of, until it is confirmed and may page. When nobody joins, one
    that was confirmed is quiet for a day and may come again by the same id; then it is closed and forgotten,
    as is at once one that never was.
    """

    on: dict[str, Signal] = field(default_factory=dict)
    quiet: dict[str, Signal] = field(default_factory=dict)  # as they ended, the oldest first
    newest: dict[str, Seconds] = field(default_factory=dict)  # of each surge's complaints
    peak: dict[str, float] = field(default_factory=dict)  # surprise beyond log10(complaints a week)
    services: dict[str, int] = field(default_factory=lambda: {"": 0})
    budget: Budget = field(default_factory=Budget)
    lessons: Lessons = field(default_factory=Lessons)
    earlier: dict[str, tuple[str, ...]] = field(default_factory=dict)  # complaints that a page does not name
    flagged: list[str] = field(default_factory=list)  # complaints whose service was, the newest MAX_IDS

    def number(self, service: str) -> int:
        """Return the service's number, 0 where it is unknown or there are too many."""
        if service not in self.services and len(self.services) < MAX_SERVICES:
            self.services[service] = len(self.services)
        return self.services.get(service, 0)

    def endings(self, heard: Heard, now: Seconds) -> list[Signal]:
        """Return the last word of each surge that nobody joined for a while.

        Its complaints are spent: a single one more, a little later, does not make the same surge anew.
        """
        said = []
        for id, known in list(self.on.items()):
            if now - self.newest[id] <= (QUIET if known.page else JOINED):
                continue
            peak, ended = self.peak.pop(id), self.newest.pop(id)
            self.budget.hear(ended, peak)
            over = replace(known, at=now, ended=ended, labels={**known.labels, "state": GONE})
            if known.page:
                heard.spent[heard.rows((*known.ids, *self.earlier.get(id, ())))] = True
                self.quiet[id] = over
            if peak >= self.budget.shown or known.page:
                said.append(over)
            del self.on[id]
        self._close(now)
        return said

    def _close(self, now: Seconds) -> None:
        for id, known in list(self.quiet.items()):
            if now - (known.ended or 0.0) > CLOSED or len(self.quiet) > MAX_QUIET:
                del self.quiet[id]
        for id in [id for id in self.earlier if id not in self.on and id not in self.quiet]:
            del self.earlier[id]


def notice(
    surges: Surges,
    heard: Heard,
    complaint: Complaint,
    said: Said,
    voice: int,
    named: str,
    now: Seconds,
    *,
    flagged: bool = False,
) -> list[Signal]:
    """Return the word to give about the surge that this complaint begins or joins, if any, and what is over.

    Where its service is flagged already, less is asked of those who say the same about a flagged one.
    """
    over = surges.endings(heard, complaint.time)  # before it could join what nobody joined in time
    budget = surges.budget
    budget.began = max(min(budget.began, complaint.time), heard.usual.stray)
    bar, corroborated_bar = budget.bar, budget.ask(complaint.time, flagged=flagged)
    recent = heard.lately(complaint.time)
    ways = _ways(surges, heard, said, recent, named)
    by_words = ways[0].same
    same, rise, rows = _risen(heard, complaint.time, recent, ways, voice)
    voices = len({voice, *heard.voice[rows].tolist()})
    fresh = len({voice, *heard.voice[rows[~heard.spent[rows]]].tolist()})
    rarity = float(np.log10(heard.weekly(complaint.time)))
    beyond = rise.surprise - rarity
    backed, backers = -math.inf, np.zeros(0, np.intp)
    if flagged:
        backed, backers = _backed(surges, heard, complaint, recent, ways, voice, named)
        budget.flags.hear(
            complaint.id, complaint.time, backed - rarity, (heard.ids[k] for k in backers.tolist())
        )
    known = _joined(surges, surges.on, heard, by_words, recent, named)
    emerging = voices >= VOICES and fresh >= AGAIN and beyond >= LOW
    if known is None and (not emerging or len(surges.on) >= MAX_ON):
        return over
    service = _service(surges, heard, rows, named)
    signal = known or _new(complaint, float(heard.time[rows].min()), service, rise)
    if known is None and (past := _joined(surges, surges.quiet, heard, by_words, recent, named)) is not None:
        signal = replace(signal, id=past.id)
        del surges.quiet[past.id]
    many = crowd(heard, rows, voice, complaint.time)
    by_name = named if named and same is ways[-1].same else ""
    lesson = surges.lessons.of(heard, said, [] if signal.page else rows[-EXAMPLES:].tolist(), by_name)
    lift = lesson.lift if lesson else 0.0
    vouched = backed - rarity >= corroborated_bar + lift
    loud = voices >= VOICES and (beyond >= bar + lift or vouched)
    page = signal.page or (loud and not (lesson and lesson.hushes(many)))
    if page and not signal.page:
        span = complaint.time - max(rise.window, NAMED), complaint.time
        signal = _narrowed(surges, heard, signal, span, rows, backers if vouched else backers[:0])
    ids = _all(surges, heard, signal, rows, complaint.id)
    named_by = len({voice, *heard.voice[heard.rows(ids)].tolist()}) if page else voices
    signal = replace(
        signal,
        at=now,
        labels={**signal.labels, "state": CONFIRMED if page else EMERGING},
        service=signal.service or service,
        surprise=round(max(signal.surprise, rise.surprise), 3),
        observed=max(signal.observed, float(named_by)),
        page=page,
        ids=ids,
    )
    surges.on[signal.id] = replace(signal, reason=_reason(signal, complaint, rise, lesson))
    surges.newest[signal.id] = max(surges.newest.get(signal.id, 0.0), complaint.time)
    surges.peak[signal.id] = max(surges.peak.get(signal.id, beyond), beyond)
    if not signal.page and surges.peak[signal.id] < budget.shown:
        return over
    surges.lessons.spoke(signal.id, signal.ids, many, by_name)
    return [*over, surges.on[signal.id]]


def _ways(surges: Surges, heard: Heard, said: Said, recent: slice, named: str) -> list[Way]:
    """Return up to three ways to say the same, of which the most surprising counts.

    Like words; being about the same known topic; or naming the same service in whatever language.
    """
    ways = [Way(heard.alike(said, recent), *heard.often(said))]
    if said.sure:
        # What is only a little like it counts by words, neither here nor in what is usual of the topic.
        ways.append(Way(heard.about(said, recent), *heard.often_about(said)))
    if named:
        number, usual = surges.number(named), heard.usual
        service = (heard.service[recent] == number).astype(np.float64)
        ways.append(Way(service, float((usual.service == number).sum()) / usual.share, 1.0))
    return ways


def _risen(
    heard: Heard, time: Seconds, recent: slice, ways: Sequence[Way], voice: int
) -> tuple[Floats, Rise, NDArray[np.intp]]:
    """Return how far each says the same in the most surprising way, how surprising, and the rows that do."""
    rises = [heard.rise(way.same, recent, way.often, time, voice, way.grain) for way in ways]
    best = max(range(len(ways)), key=lambda k: rises[k].surprise)
    same, rise, when = ways[best].same, rises[best], heard.time[recent]
    near = (same >= SAME) & (when > time - max(rise.window, JOINED)) & (when <= time)
    return same, rise, np.flatnonzero(near) + recent.start


def _backed(
    surges: Surges,
    heard: Heard,
    complaint: Complaint,
    recent: slice,
    ways: Sequence[Way],
    voice: int,
    named: str,
) -> tuple[float, NDArray[np.intp]]:
    """Return the surprise where of those alike only they count whose service was flagged too, and their rows.

    Who names the same service counts though he came before it was flagged. Where they are too few it is 0.
    """
    too = np.zeros(recent.stop - recent.start)
    if named:
        too[heard.service[recent] == surges.number(named)] = 1.0
    too[[row - recent.start for row in heard.rows(tuple(surges.flagged)) if row >= recent.start]] = 1.0
    surges.flagged.append(complaint.id)
    del surges.flagged[:-MAX_IDS]
    when = heard.time[recent]
    near = (when > complaint.time - JOINED) & (when <= complaint.time)
    found, backers = 0.0, np.zeros(0, np.intp)
    for same, often, grain in ways:
        alike = same * too
        rows = np.flatnonzero((alike >= SAME) & near) + recent.start
        if len({voice, *heard.voice[rows].tolist()}) < VOICES:
            continue
        surprise = heard.rise(alike, recent, often, complaint.time, voice, grain).surprise
        if surprise > found:
            found, backers = surprise, rows
    return found, backers


def _new(complaint: Complaint, since: Seconds, service: str, rise: Rise) -> Signal:
    return Signal(
        id="surge-" + hashlib.blake2b(complaint.id.encode("utf-8", "replace"), digest_size=8).hexdigest(),
        kind="complaint",
        service=service,
        series=complaint.topic,
        labels={"service": service, "topic": complaint.topic},
        detector="surge",
        since=since,
        at=complaint.time,
        surprise=0.0,
        observed=0.0,
        expected=rise.expected,
        page=False,
        reason="",
    )


def _narrowed(
    surges: Surges,
    heard: Heard,
    signal: Signal,
    span: tuple[Seconds, Seconds],
    rows: NDArray[np.intp],
    backers: NDArray[np.intp],
) -> Signal:
    """Return the surge as it begins to page: it names those of the rows and before in the span, and backers.

    What made it emerge earlier may be another trouble. It is remembered: the like of it joins still.
    """
    every = np.union1d(rows, heard.rows(signal.ids)).astype(np.intp)
    now_said = np.union1d(every[heard.time[every] > span[0]], backers).astype(np.intp)
    surges.earlier[signal.id] = tuple(heard.ids[row] for row in np.setdiff1d(every, now_said)[-MAX_IDS:])
    began = float(heard.time[now_said].min(initial=span[1]))
    ids = tuple(heard.ids[row] for row in now_said.tolist())
    return replace(signal, ids=ids, since=began, observed=0.0)


def _all(
    surges: Surges, heard: Heard, signal: Signal, rows: NDArray[np.intp], newest: str
) -> tuple[str, ...]:
    """Return the ids of all complaints behind the surge as they came, at most MAX_IDS, the newest last."""
    left_out = {newest, *surges.earlier.get(signal.id, ())}
    every = dict.fromkeys((*signal.ids, *(heard.ids[row] for row in rows.tolist())))
    # What is no longer kept came before all that is, in the order of before: sorting is stable.
    known = sorted((id for id in every if id not in left_out), key=lambda id: heard.numbers.get(id, -1))
    return (*known, newest)[-MAX_IDS:]


def _joined(
    surges: Surges, some: dict[str, Signal], heard: Heard, by_words: Floats, recent: slice, named: str
) -> Signal | None:
    """Return the surge that the complaint belongs to: the same service, or words like those in it."""
    like = {heard.ids[recent.start + k] for k in np.flatnonzero(by_words >= SAME).tolist()}
    for known in some.values():
        if named and known.service == named:
            return known
        for ids in (known.ids[-20:], surges.earlier.get(known.id, ())[-20:]):
            if like.isdisjoint(ids):  # most of them: the mean is lower still
                continue
            rows = [row - recent.start for row in heard.rows(ids) if row >= recent.start]
            if rows and float(by_words[rows].mean()) >= SAME:
                return known
    return None


def _service(surges: Surges, heard: Heard, rows: NDArray[np.intp], named: str) -> str:
    """Return the service that most of those who name one mean, "" where hardly anybody does."""
    names = list(surges.services)
    said = Counter([named, *(names[k] for k in heard.service[rows].tolist())])
    said.pop("", None)
    service, times = min(said.items(), key=lambda pair: (-pair[1], pair[0]), default=("", 0))
    return service if times >= 2 and 2 * times > said.total() else ""


def _reason(signal: Signal, complaint: Complaint, rise: Rise, lesson: Lesson | None) -> str:
    about = f" about {signal.service}" if signal.service else ""
    usual = f", where {rise.expected:.2g} would be usual in {rise.window / 60:.0f} min" if rise.window else ""
    within = max(complaint.time - signal.since, 60.0) if signal.page else max(rise.window, JOINED)
    taught = f"; the like of it was {lesson.told()}" if lesson else ""
    return (
        f"{signal.observed:.0f} customers complain alike{about} within {math.ceil(within / 60)} min{usual}; "
        f'the latest: "{" ".join(complaint.text.split())[:120]}"{taught}'
    )
