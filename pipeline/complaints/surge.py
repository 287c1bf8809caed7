"""One more complaint to a surge, where more customers say the same than is usual at this hour."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.heard import WINDOWS, Heard, Rise
from pipeline.complaints.words import Vector
from pipeline.types import Complaint, Floats, Seconds, Signal

# Surprise beyond log10(complaints a week), so that chance makes as many false surges a week at any volume.
# Measured on arrivals simulated from banking77 and CIC at 3,700 a week: at -0.4 at most one a week.
CONFIRMED = -0.4  # pages
EMERGING = -1.4  # is shown, and is evidence
VOICES = 3  # customers that a surge needs at least
AGAIN = 2  # of them, those not heard in a surge that has ended
QUIET = 300.0  # s without another voice that end it; the next burst is a new page
SAME = 0.3  # from which two complaints count as saying the same
MAX_ON = 200
MAX_IDS = 500
MAX_SERVICES = 10_000


@dataclass(slots=True)
class Surges:
    """The surges that are on, by id, and the numbers of services. Owned by ComplaintState."""

    on: dict[str, Signal] = field(default_factory=dict)
    newest: dict[str, Seconds] = field(default_factory=dict)  # of each surge's complaints
    services: dict[str, int] = field(default_factory=lambda: {"": 0})

    def number(self, service: str) -> int:
        """Return the service's number, 0 where it is unknown or there are too many."""
        if service not in self.services and len(self.services) < MAX_SERVICES:
            self.services[service] = len(self.services)
        return self.services.get(service, 0)

    def endings(self, heard: Heard, now: Seconds) -> list[Signal]:
        """Return the last word of each surge that nobody joined for a while.

        Its complaints are spent: a single one more, a little later, does not make the same surge anew.
        """
        over = [id for id in self.on if now - self.newest[id] > QUIET]
        for id in over:
            heard.spent[[heard.rows[one] for one in self.on[id].ids if one in heard.rows]] = True
        return [replace(self.on.pop(id), at=now, ended=self.newest.pop(id)) for id in over]


def notice(
    surges: Surges,
    heard: Heard,
    complaint: Complaint,
    vector: Vector,
    voice: int,
    named: str,
    now: Seconds,
) -> list[Signal]:
    """Return the word to give about the surge that this complaint begins or joins, if any.

    Two ways to say the same, the more surprising counts: like words, or naming the same service,
    in whatever language.
    """
    by_words = heard.alike(vector)
    says = [by_words]
    if named:
        says.append((heard.service[: len(heard)] == surges.number(named)).astype(np.float64))
    ways = [(heard.rise(same, complaint.time, voice), same) for same in says]
    rise, same = max(ways, key=lambda way: way[0].surprise)
    rows = heard.lately(same >= SAME, complaint.time)
    voices = len({voice, *heard.voice[rows].tolist()})
    fresh = len({voice, *heard.voice[rows[~heard.spent[rows]]].tolist()})
    beyond = rise.surprise - float(np.log10(heard.weekly(complaint.time)))
    confirmed = voices >= VOICES and beyond >= CONFIRMED
    known = _joined(surges, heard, by_words, named)
    if known is None and (voices < VOICES or fresh < AGAIN or beyond < EMERGING or len(surges.on) >= MAX_ON):
        return []
    service = _service(surges, heard, rows, named)
    signal = known or _new(complaint, float(heard.time[rows[0]]), service, rise)
    signal = replace(
        signal,
        at=now,
        service=signal.service or service,
        surprise=round(max(signal.surprise, rise.surprise), 3),
        observed=max(signal.observed, float(voices)),
        page=signal.page or confirmed,
        ids=_all(signal.ids, [heard.ids[row] for row in rows.tolist()], complaint.id),
    )
    surges.on[signal.id] = replace(signal, reason=_reason(signal, complaint, rise))
    surges.newest[signal.id] = max(surges.newest.get(signal.id, 0.0), complaint.time)
    return [surges.on[signal.id]]


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


def _all(known: tuple[str, ...], rows: list[str], newest: str) -> tuple[str, ...]:
    """Return the ids of all the complaints behind the surge, at most MAX_IDS, the newest last."""
    return tuple(dict.fromkeys((*known, *rows, newest)))[-MAX_IDS:]


def _joined(surges: Surges, heard: Heard, by_words: Floats, named: str) -> Signal | None:
    """Return the surge that the complaint belongs to: the same service, or words like those in it."""
    for known in surges.on.values():
        if named and known.service == named:
            return known
        rows = [heard.rows[id] for id in known.ids[-20:] if id in heard.rows]
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


def _reason(signal: Signal, complaint: Complaint, rise: Rise) -> str:
    about = f" about {signal.service}" if signal.service else ""
    usual = f", where {rise.expected:.2g} would be usual in {rise.window / 60:.0f} min" if rise.window else ""
    return (
        f"{signal.observed:.0f} customers complain alike{about} within {WINDOWS[-1] / 60:.0f} min{usual}; "
        f'the latest: "{" ".join(complaint.text.split())[:120]}"'
    )
