"""One more complaint to a surge, where more customers say the same than is usual at this hour."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.complaints.heard import WINDOWS, Heard
from pipeline.complaints.words import Vector
from pipeline.types import Complaint, Floats, Seconds, Signal

# Surprise beyond log10(complaints a week), so that chance makes as many false surges a week at any volume.
# Measured on arrivals simulated from banking77 and CIC at 3,700 a week: at -0.4 at most one a week.
CONFIRMED = -0.4  # pages
EMERGING = -1.4  # is shown, and is evidence
VOICES = 3  # customers that a surge needs at least
QUIET = 1800.0  # s without another voice that end it
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

    def endings(self, now: Seconds) -> list[Signal]:
        """Return the last word of each surge that nobody joined for a while."""
        over = [id for id in self.on if now - self.newest[id] > QUIET]
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
    n, time = len(heard), complaint.time
    by_words = heard.alike(vector)
    by_name = (heard.service[:n] == surges.number(named)) & (named != "")
    ways = [(heard.rise(same, time, voice), same) for same in (by_words, by_name.astype(np.float64))]
    rise, same = max(ways, key=lambda way: way[0].surprise)
    bar = float(np.log10(heard.weekly(time)))
    when = heard.time[:n]
    rows = np.flatnonzero((same >= SAME) & (when > time - WINDOWS[-1]) & (when <= time))
    rows = rows[np.argsort(when[rows], kind="stable")]
    voices = len({voice, *heard.voice[rows].tolist()})
    ids = (*(heard.ids[row] for row in rows.tolist()), complaint.id)
    confirmed = voices >= VOICES and rise.surprise >= bar + CONFIRMED
    known = _joined(surges, heard, by_words, named)
    if known is not None:
        surges.newest[known.id] = max(surges.newest[known.id], time)
        all_ids = tuple(dict.fromkeys((*known.ids, *ids)))[-MAX_IDS:]
        grown = replace(
            known,
            at=now,
            ids=all_ids,
            surprise=round(max(known.surprise, rise.surprise), 3),
            observed=max(known.observed, float(voices)),
            service=known.service or _service(surges, heard, rows, named),
            page=known.page or confirmed,
        )
    elif voices >= VOICES and rise.surprise >= bar + EMERGING and len(surges.on) < MAX_ON:
        since = float(when[rows[0]])
        service = _service(surges, heard, rows, named)
        grown = Signal(
            id="surge-"
            + hashlib.blake2b(ids[0].encode("utf-8", "replace") + b"%f" % since, digest_size=8).hexdigest(),
            kind="complaint",
            service=service,
            series=complaint.topic,
            labels={"service": service, "topic": complaint.topic},
            detector="surge",
            since=since,
            at=now,
            surprise=round(rise.surprise, 3),
            observed=float(voices),
            expected=rise.expected,
            page=confirmed,
            reason="",
            ids=ids[-MAX_IDS:],
        )
        surges.newest[grown.id] = time
    else:
        return []
    surges.on[grown.id] = replace(grown, reason=_reason(grown, complaint, rise.window))
    return [surges.on[grown.id]]


def _id(first: str) -> str:
    return "surge-" + hashlib.blake2b(first.encode("utf-8", "replace"), digest_size=8).hexdigest()


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


def _reason(signal: Signal, complaint: Complaint, window: Seconds) -> str:
    about = f" about {signal.service}" if signal.service else ""
    return (
        f"{signal.observed:.0f} customers complain alike{about} within {WINDOWS[-1] / 60:.0f} min, "
        f"where {signal.expected:.2g} is usual in {window / 60:.0f} min; the latest: "
        f'"{" ".join(complaint.text.split())[:120]}"'
    )
