"""What the desk or a customer says of a complaint, to the marks that follow from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.types import Case, Event, Mark, Progress, Seconds

P = Progress
OPEN = (P.RECEIVED, P.LOOKED_AT, P.CAUSE_KNOWN)
# What may be said when; said at any other time it changes nothing.
FITS: Mapping[str, Sequence[Progress]] = {
    "reply": (*OPEN, P.WAITING, P.FIXED),
    "ask": OPEN,
    "cause": (P.RECEIVED, P.LOOKED_AT),
    "fixed": (*OPEN, P.WAITING),
    "close": (*OPEN, P.WAITING, P.FIXED),
    "answer": (P.WAITING,),
    "reopen": (P.FIXED, P.CLOSED),
    "rate": (P.FIXED, P.CLOSED),
}
DONE = {"close": "closed", "reopen": "reopened"}
OURS = frozenset(FITS)


def obey(case: Case, event: Event, now: Seconds) -> tuple[Case, tuple[Mark, ...]]:
    """Return the case with what was said of it, and the marks to set."""
    do, by = event.labels.get("do", ""), event.labels.get("by", "")
    if case.progress not in FITS[do]:
        return case, ()
    if do == "rate":
        return _rated(case, event, now)
    if do == "close":
        case = _sorted(case, event.labels)
    elif do == "reopen":  # what its customer said of the help before holds no more
        case = replace(case, helped=None, score=0)
    return case, (Mark(now, DONE.get(do, do), by, event.text),)


def _sorted(case: Case, said: Mapping[str, str]) -> Case:
    """Return the case as about what the one who closes it says, the word of a person first."""
    service, topic = said.get("service", ""), said.get("topic", "")
    others = tuple(s for s in case.services if s != service)
    services = (service, *others)[:3] if service else case.services
    if (services, topic or case.topic) == (case.services, case.topic):
        return case
    return replace(case, services=services, topic=topic or case.topic)


def _rated(case: Case, event: Event, now: Seconds) -> tuple[Case, tuple[Mark, ...]]:
    """Take whether we helped: a no opens the complaint again, a yes closes it."""
    helped = event.labels.get("helped") == "yes"
    score = event.labels.get("score", "")
    rated = replace(case, helped=helped, score=int(score) if score in tuple("12345") else case.score)
    if not helped:
        return rated, (Mark(now, "reopened", "customer", event.text),)
    closed = case.progress is P.CLOSED
    return rated, () if closed else (Mark(now, "closed", "customer", event.text),)
