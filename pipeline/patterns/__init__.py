"""Signals and events to what they amount to together: correlation rules, each hit of which is a signal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.detect.bouts import name_of
from pipeline.patterns import condition
from pipeline.patterns.found import Match, deadline, match
from pipeline.patterns.rule import Pattern
from pipeline.patterns.state import LATE, Group, Hit, Key, PatternState
from pipeline.patterns.words import START, sentence
from pipeline.series import service_of, show
from pipeline.types import Event, Seconds, Signal

__all__ = ["Pattern", "PatternState", "notice"]

AGAIN = 2  # times as many: worth another word


def notice(
    state: PatternState,
    signals: Sequence[Signal],
    events: Sequence[Event],
    rules: Sequence[Pattern],
    now: Seconds,
) -> tuple[Signal, ...]:
    """Return the signals of this frame with what the rules say of them and of its events behind them.

    Everything of a frame is taken in before any rule is asked, so order within it does not matter. Cost:
    2 us a signal or event that no rule looks at, however many rules there are.
    """
    said = list(_adopt(state, rules, now))
    if not state.rules:
        return (*signals, *said)
    news: dict[tuple[str, Key], None] = {}
    for happening in sorted(_happenings(state, signals, events), key=lambda h: (h.time, h.id)):
        for rule, hit, key in _hits(state, happening, now):
            if state.add(rule, key, hit):
                news[rule.name, key] = None
    for name, key in sorted({*news, *state.waited(now)}, key=lambda n: (state.number[n[0]], n[1])):
        if key in state.groups[name]:  # else others have taken its place within this frame
            said += _look(state, state.rules[state.number[name]], key, now)
    return (*signals, *said)


@dataclass(frozen=True, slots=True)
class _Happening:
    time: Seconds
    id: str
    labels: Mapping[str, str]
    service: str
    text: str
    signal: Signal | None

    @property
    def what(self) -> str:
        if self.signal is not None:
            over = "the end of " if self.labels["what"] == "recovery" else ""
            return over + self.signal.series
        kind = self.labels.get("kind") if self.labels["what"] == "change" else ""
        return f"{kind or self.labels['what']} {self.id}"

    def known(self) -> dict[str, Any]:
        """Return what a condition may ask for."""
        s, labels = self.signal, dict(self.labels)
        numbers = (s.surprise, s.observed, s.expected) if s else (math.nan,) * 3
        return {
            "labels": labels, "service": self.service, "kind": labels.get("kind", ""), "id": self.id,
            "severity": labels.get("severity", ""), "text": self.text, "page": bool(s and s.page),
            **dict(zip(("surprise", "observed", "expected"), map(float, numbers), strict=True)),
        }  # fmt: skip


def _adopt(state: PatternState, rules: Sequence[Pattern], now: Seconds) -> Iterator[Signal]:
    """Use other rules from now on; what the former ones had on is over."""
    if rules is state.rules:
        return
    if tuple(rules) == state.rules:
        state.rules = tuple(rules)
        return
    for signal in state.adopt(rules):
        yield replace(signal, at=now, ended=now, reason=f"{signal.series} is watched by other rules")
    for rule in rules:
        if rule.absence and not rule.absence.after and not rule.by and not state.groups[rule.name]:
            state.add(rule, (), Hit(now, 0, START, 1, "", "", "the start", now))
            state.wait(rule, (), now + rule.within)


def _happenings(
    state: PatternState, signals: Sequence[Signal], events: Sequence[Event]
) -> Iterator[_Happening]:
    """Yield what begins, what ends and what happened; further words of a signal are no news."""
    for signal in signals:
        own = {"kind": signal.kind, "rule": signal.detector, "page": str(signal.page).lower()}
        labels = {**signal.labels, "service": signal.service, **own}
        if signal.ended is None and state.begins(signal):
            labels["what"] = "signal"
            yield _Happening(signal.since, signal.id, labels, signal.service, signal.reason, signal)
        elif signal.ended is not None:
            state.known.pop(signal.id, None)
            labels["what"] = "recovery"
            yield _Happening(signal.ended, f"{signal.id} over", labels, signal.service, signal.reason, signal)
    for event in events:
        service = service_of(event.labels)
        labels = {**event.labels, "service": service, "what": event.kind}
        yield _Happening(event.time, event.id, labels, service, event.text, None)


def _hits(state: PatternState, happening: _Happening, now: Seconds) -> Iterator[tuple[Pattern, Hit, Key]]:
    """Yield what a happening is to each rule that looks at it, and whose."""
    terms: dict[int, int] = {}
    for number in state.index.find(happening.labels):
        rule, place = state.terms[number]
        if _holds(state, state.rules[rule].terms[place].when, happening):
            terms[rule] = terms.get(rule, 0) | 1 << place
    for number, bits in terms.items():
        asked = state.rules[number]
        key = tuple(happening.labels.get(name, "") for name in asked.by)
        value = happening.labels.get(asked.distinct.label, "") if asked.distinct else ""
        if "" in key or (asked.distinct and not value):
            continue  # what does not say whose it is has nothing in common with others
        # A signal that began long before it could be told counts as far back as the rule looks.
        time = max(happening.time, now - asked.within) if happening.signal else happening.time
        if now - time > asked.within + LATE:
            state.dropped["told too late"] += 1
            continue
        first = (bits & -bits).bit_length() - 1
        whose, what = happening.service, happening.what
        yield asked, Hit(min(time, now), first, happening.id, bits, value, whose, what, now), key


def _holds(state: PatternState, when: str, happening: _Happening) -> bool:
    if not when:
        return True
    try:
        return condition.compiled(when)(happening.known())
    except condition.Failed:
        state.dropped["conditions that found no answer"] += 1
        return False


def _look(state: PatternState, rule: Pattern, key: Key, now: Seconds) -> Iterator[Signal]:
    """Yield the word of one rule on one group, where there is one; forget what is past."""
    group = state.groups[rule.name][key]
    oldest = now - (rule.within + rule.lasts + LATE)
    group.hits = [h for h in group.hits if h.time >= oldest]
    found = match(rule, group.hits, now)
    # What is told late is not over already.
    last = max(found.last, *(h.heard for h in found.hits)) if found else -math.inf
    if found is not None and last + rule.lasts > now:
        group.last = last
        if group.on is None or found.many >= AGAIN * group.told:
            group.told = found.many
            group.on = _signal(rule, found, key, now, group.on)
            yield group.on
    elif group.on is not None:
        yield _ended(rule, group, now)
        group.on, group.told = None, 0
    if not group.hits and group.on is None:
        del state.groups[rule.name][key]
        return
    spent = group.hits[-1].time + rule.within + rule.lasts + LATE if group.hits else now
    on = group.last + rule.lasts if group.on is not None else math.inf
    state.wait(rule, key, min(deadline(rule, group.hits, now), on, max(spent, now + 1)))


def _signal(rule: Pattern, found: Match, key: Key, now: Seconds, before: Signal | None) -> Signal:
    labels = dict(zip(rule.by, key, strict=True))
    services = {h.service for h in found.hits}
    service = labels.get("service") or (services.pop() if len(services) == 1 else "")
    series = show({"__name__": rule.name, **labels})
    since = before.since if before else found.since
    return Signal(
        before.id if before else name_of("pattern", series, since), "pattern", service, series,
        {**labels, "service": service} if service else labels, rule.name, since, now, rule.surprise,
        float(found.many), math.nan, rule.page, sentence(rule, found, key, now),
    )  # fmt: skip


def _ended(rule: Pattern, group: Group, now: Seconds) -> Signal:
    assert group.on is not None
    came = [h for h in group.hits if h.terms >> len(rule.terms) - 1 & 1 and h.time > group.on.since]
    if rule.absence and came:
        how, ended = f"{came[-1].what} came at last", came[-1].time
    else:
        how, ended = "has not been so again", min(max(group.last, group.on.since), now)
    return replace(group.on, at=now, ended=ended, reason=f"{group.on.series}: {how}")
