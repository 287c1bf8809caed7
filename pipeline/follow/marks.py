"""What happened to a complaint, to how far it is and how each promise stands: pure, from the marks alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.follow.hours import Hours, after, worked
from pipeline.follow.terms import Promises, Terms
from pipeline.types import Mark, Progress, Promise, Seconds

MAX_PROMISES = 24  # of one complaint, the newest; "resolve" is always among them
RESTING = (Progress.WAITING, Progress.FIXED, Progress.CLOSED)  # the next word is the customer's
# What a person has done; that a machine found the incident is no answer.
ANSWERS = ("reply", "ask", "cause", "fixed", "closed")


@dataclass(frozen=True, slots=True)
class Regime:
    """Terms that hold from a time on, by some hours."""

    terms: Terms
    hours: Hours | None
    since: Seconds


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Time in which a clock may run; `end` is None where it still does."""

    start: Seconds
    end: Seconds | None


def regimes(promises: Promises, tier: str, received: Seconds, pressing: Seconds | None) -> tuple[Regime, ...]:
    """Return the terms of a complaint. Where two hold, the earlier deadline counts.

    What becomes urgent later counts from then on, so that nothing breaks in that moment.
    """
    usual = Regime(promises.of(tier), promises.hours, received)
    return (usual,) if pressing is None else (usual, Regime(promises.urgent, None, pressing))


def progress(marks: Sequence[Mark]) -> Progress:
    return _states(marks)[-1]


def reckon(marks: Sequence[Mark], given: Sequence[Regime], warn: float) -> tuple[Promise, ...]:
    """Return the promises, oldest first; their clocks stand while the next word is the customer's."""
    states = _states(marks)
    found = [p for what in ("respond", "update") for p in _rounds(what, marks, states, given, warn)]
    found.sort(key=lambda p: (p.since, p.what))
    stretches = list(_stretches(marks, states))
    ended = marks[-1].at if states[-1] is Progress.CLOSED else None
    resolve = _promise("resolve", stretches, ended, given, warn)
    return tuple(p for p in (*found[1 - MAX_PROMISES :], resolve) if p is not None)


def _states(marks: Sequence[Mark]) -> list[Progress]:
    """Return how far it was after each mark."""
    now = before = Progress.RECEIVED
    found = []
    for mark in marks:
        now, before = _after(mark.what, now, before), before if now is Progress.WAITING else now
        found.append(now)
    return found


def _after(what: str, now: Progress, before: Progress) -> Progress:
    """Return how far it is after one thing more; `before` is what it was before it waited."""
    waiting = now is Progress.WAITING
    if what in ("looked at", "reply"):
        return Progress.LOOKED_AT if now is Progress.RECEIVED else now
    if what == "cause":
        return Progress.CAUSE_KNOWN if now in (Progress.RECEIVED, Progress.LOOKED_AT) else now
    if what == "answer":
        return max(before, Progress.LOOKED_AT, key=list(Progress).index) if waiting else now
    moves = {
        "ask": Progress.WAITING,
        "fixed": Progress.FIXED,
        "closed": Progress.CLOSED,
        "reopened": Progress.LOOKED_AT,
    }
    return moves.get(what, now)


def _rounds(
    what: str, marks: Sequence[Mark], states: Sequence[Progress], given: Sequence[Regime], warn: float
) -> Iterator[Promise]:
    """Yield each round of a promise that begins again: an answer to each call, a word after each word."""
    for k, (mark, state) in enumerate(zip(marks, states, strict=True)):
        if state in RESTING or (what == "respond" and mark.what not in ("received", "reopened")):
            continue
        later = (m.at for m in marks[k + 1 :] if what == "update" or m.what in ANSWERS)
        ended = next(later, None)
        promise = _promise(what, [_Stretch(mark.at, ended)], ended, given, warn)
        if promise is not None:
            yield promise


def _stretches(marks: Sequence[Mark], states: Sequence[Progress]) -> Iterator[_Stretch]:
    """Yield the time in which it was ours to act."""
    start: Seconds | None = None
    for mark, state in zip(marks, states, strict=True):
        if start is None and state not in RESTING:
            start = mark.at
        elif start is not None and state in RESTING:
            yield _Stretch(start, mark.at)
            start = None
    if start is not None:
        yield _Stretch(start, None)


def _promise(
    what: str,
    stretches: Sequence[_Stretch],
    ended: Seconds | None,
    given: Sequence[Regime],
    warn: float,
) -> Promise | None:
    """Return one promise; None where the terms promise nothing of the kind."""
    spans = [(regime, getattr(regime.terms, what)) for regime in given]
    spans = [(regime, span) for regime, span in spans if span > 0]
    if not spans or not stretches:
        return None
    dues = [_when(stretches, regime, span) for regime, span in spans]
    warns = [_when(stretches, regime, warn * span) for regime, span in spans]
    return Promise(what, stretches[0].start, _first(warns), _first(dues), ended)


def _when(stretches: Sequence[_Stretch], regime: Regime, span: Seconds) -> Seconds | None:
    """Return when the clock has run for `span`; None where it stands before that, or was stopped."""
    left = span
    for stretch in stretches:
        start = max(stretch.start, regime.since)
        if stretch.end is None:
            return after(regime.hours, start, left)
        ran = worked(regime.hours, start, max(start, stretch.end))
        if ran > left:
            return after(regime.hours, start, left)
        left -= ran
    return None


def _first(times: Sequence[Seconds | None]) -> Seconds | None:
    return min((t for t in times if t is not None), default=None)
