"""Lines that share an id to sessions; signals where odd ones are many or a service is unlike itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from detectors.sessions import ODD, Usual, learn, odd
from pipeline.logs.budget import Budget, affords, whole
from pipeline.logs.evidence import samples_of
from pipeline.logs.ids import Ids, id_of
from pipeline.logs.oddities import Oddities, Oddity, Told, count, endings, tell
from pipeline.logs.templates import Templates, text_of
from pipeline.logs.traces import SLOW, Place, Traces, Unlike, unlike, visit, wait
from pipeline.logs.usual import SLOT
from pipeline.types import Seconds, Signal

MAX_OPEN = 20_000  # sessions, 2 to 10 kB each; past it the one silent longest is taken for finished
MAX_MET = 60  # (service, template) of one session that are counted
MAX_SAID = 3  # lines of a session that are kept to be shown
LONG = 300  # characters of each
MAX_HOMES = 5_000
IDLE = 60.0  # s without a line, and a session is over
LEARN = 200.0  # sessions before one can be odd
SPAN = 120.0  # s over which a service is compared with itself
EVERY = 3  # slots between two such comparisons
UNLIKE = 10.0  # surprise: traces come in clumps, each of which counts more than once


@dataclass(slots=True)
class Session:
    """Lines that share an id, while they come."""

    service: str  # of its last line
    last: Seconds  # time of its last line
    touched: Seconds  # when that was read
    whole: bool  # heard from its first line; else it is not judged
    met: Counter[tuple[str, int]] = field(default_factory=Counter)  # lines by service and template
    said: list[str] = field(default_factory=list)


@dataclass(slots=True)
class SessionState:
    """Open sessions, what is usual of them, and which signals are on. Owned by LogState; bounded as above."""

    ids: Ids = field(default_factory=Ids)
    budget: Budget = field(default_factory=Budget)
    traces: Traces = field(default_factory=Traces)
    usual: Usual = field(default_factory=Usual)
    open: dict[str, Session] = field(default_factory=dict)  # the one silent longest first
    homes: dict[int, str] = field(default_factory=dict)  # template -> the service that said it last
    odd: Oddities = field(default_factory=Oddities)
    born: int = 0  # slot of the first session
    compared: int = 0  # slot of the last comparison of services
    dropped: Counter[str] = field(default_factory=Counter)


def hear_lines(
    state: SessionState,
    services: Sequence[str],
    texts: Sequence[str],
    templates: Sequence[int],
    times: Sequence[Seconds],
    now: Seconds,
) -> None:
    """Add each line to its session, if it has one that is among those heard (see `budget`).

    Cost: 0.1 us a line where no id ties lines, 12 us with an id, 2 us of a session that is not heard.
    """
    slot = int(now // SLOT)
    for service, text, template, time in zip(services, texts, templates, times, strict=True):
        id = id_of(state.ids, text, template)
        if not id:
            continue
        if affords(state.budget, id, slot):
            _hear(state, id, service, text, template, time, now)
        else:
            state.open.pop(id, None)
            state.dropped["unheard line"] += 1


def _hear(
    state: SessionState, id: str, service: str, text: str, template: int, time: Seconds, now: Seconds
) -> None:
    session = state.open.pop(id, None)
    slot = int(time // SLOT)
    if session is None:
        state.born = state.born or slot
        session = Session(service, time, now, whole(state.budget, id))
    else:
        wait(state.traces, Place(session.service, service), time - session.last, slot)
        session.service, session.last, session.touched = service, time, now
    state.open[id] = session  # the youngest is last, so that the oldest is first
    if not session.whole:
        return
    key = (service, template)
    if key not in session.met:
        if len(session.met) >= MAX_MET:
            state.dropped["long session"] += 1
            return
        visit(state.traces, service, template, slot, all(place != service for place, _ in session.met))
        if template in state.homes or len(state.homes) < MAX_HOMES:
            state.homes[template] = service
    session.met[key] += 1
    if len(session.said) < MAX_SAID:
        session.said.append(text[:LONG])


def end_sessions(state: SessionState, templates: Templates, now: Seconds) -> list[Signal]:
    """Judge the sessions that are over and return signals; evidence only, none of them pages.

    One odd session is no news. Told is when odd ones of one sort are more than usual, and a service whose
    visits or waits are unlike what they were (`log_surprise`).
    """
    said: list[Signal] = []
    while state.open:
        id, session = next(iter(state.open.items()))
        if now - session.touched < IDLE and len(state.open) <= MAX_OPEN:
            break
        if len(state.open) > MAX_OPEN:
            state.dropped["open session"] += 1
        del state.open[id]
        if session.whole:
            said += _finish(state, templates, id, session, now)
    slot = int(now // SLOT)
    if state.ids.order and slot - state.compared >= EVERY:
        state.compared = slot
        said += _compare(state, templates, now)
    return said + endings(state.odd, slot, now)


def log_surprise(state: SessionState, since: Seconds, now: Seconds) -> dict[str, Unlike]:
    """Return how unlike its usual self each service is in its logs' traces, from `since` to `now`.

    For ranking the suspects of an incident that began at `since`, up to 300 s ago; changes nothing.
    """
    return unlike(state.traces, since, now)


def _finish(
    state: SessionState, templates: Templates, id: str, session: Session, now: Seconds
) -> list[Signal]:
    lines: Counter[int] = Counter()
    for (_, template), met in session.met.items():
        lines[template] += met
    verdict = odd(state.usual, lines)
    known = state.usual.sessions
    learn(state.usual, lines)
    if known < LEARN or not verdict.surprise >= ODD:
        return []
    service = state.homes.get(verdict.template, session.service)
    key = Oddity(service, verdict.template, "lacks" if verdict.missing else "holds")
    tally = count(state.odd, key, state.born, int(session.last // SLOT))
    if tally is None:
        return []
    sessions, usual = sum(tally.recent), tally.usual()
    what = text_of(templates, verdict.template)
    reason = (
        f"{sessions:.0f} sessions of {service or 'no known service'} in 60 s "
        f'{"lack" if verdict.missing else "hold"} "{what}", where {usual * 60 / SLOT:.2g} are usual, '
        f"such as {id}"
    )
    surprise = tally.surprise(usual, tally.spread())
    told = Told(
        "session",
        what,
        reason,
        surprise,
        sessions,
        usual * 60 / SLOT,
        tally.onset(usual),
        samples_of(session.said),
    )
    return tell(state.odd, key, told, now)


def _compare(state: SessionState, templates: Templates, now: Seconds) -> list[Signal]:
    said: list[Signal] = []
    if state.usual.sessions < LEARN:
        return said
    for service, found in sorted(log_surprise(state, now - SPAN, now).items()):
        if found.surprise < UNLIKE:
            continue
        key = Oddity(service, found.template, "unlike")
        if found.template == SLOW:
            what = f"{found.place.service} -> {found.place.to}"
            reason = f"{found.share:.0%} of the waits from {found.place.service} to {found.place.to} are slow"
        else:
            what = text_of(templates, found.template)
            reason = f'{found.share:.0%} of the traces through {service} hold "{what}"'
        reason += f" in {SPAN:.0f} s where {found.usual:.0%} is usual"
        told = Told("trace", what, reason, found.surprise, found.share, found.usual, now - SPAN)
        said += tell(state.odd, key, told, now)
    return said
