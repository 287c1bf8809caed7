"""Log lines to templates, and to signals where a template is new or more frequent than usual."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import compress

from pipeline.logs.drain3 import Drained
from pipeline.logs.evidence import Changes, evidence_of, samples_of
from pipeline.logs.heard import BAD, ERRORS, NOVEL, OTHERS, Heard, Key, heard_of
from pipeline.logs.joined import join_lines
from pipeline.logs.sessions import SessionState, end_sessions, hear_lines
from pipeline.logs.severity import severities
from pipeline.logs.templates import Templates, templates_of, text_of
from pipeline.logs.usual import SLOT, Tally, faded
from pipeline.logs.values import ValueState, end_values, hear_values
from pipeline.logs.vanished import BeatState, end_beats, hear_beat
from pipeline.series import Series
from pipeline.types import Batch, Lines, Seconds, Signal
from pipeline.units import span

MAX_TALLIES = 20_000  # about 8 MB; past it the quarter that was silent longest is forgotten
MAX_ON = 1_000  # signals at a time
LATE = 300.0  # s; older lines (an agent sends its backlog) teach templates but are not counted
LEARN = int(120 / SLOT)  # slots in which everything about a service is new
FRESH = int(600 / SLOT)  # slots for which a template counts as new
QUIET = int(120 / SLOT)  # slots without surprise that end a signal
LONGEST = int(3600 / SLOT)  # slots after which what lasts is the new usual
STAY = 2.0  # surprise above which a signal stays on
WORSE = 1.5  # times the surprise that was told: worth another word


@dataclass(slots=True)
class LogState:
    """The templates, what is usual of each, and which signals are on. Owned by the pipeline.

    Bounded by MAX_TEMPLATES, MAX_TALLIES and MAX_ON; what that turned away is counted in `dropped`.
    """

    templates: Templates = field(default_factory=Templates)
    tallies: dict[Key, Tally] = field(default_factory=dict)
    on: dict[Key, Signal] = field(default_factory=dict)
    hot: dict[Key, int] = field(default_factory=dict)  # newest slot in which it was surprising
    sessions: SessionState = field(default_factory=SessionState)
    values: ValueState = field(default_factory=ValueState)
    beats: BeatState = field(default_factory=BeatState)
    changes: Changes = field(default_factory=Changes)
    severities: dict[bytes, str] = field(default_factory=dict)  # see `severity.severities`
    dropped: Counter[str] = field(default_factory=Counter)


def using(state: LogState, templates: str) -> LogState:
    """Return the state if it uses that engine for templates, "shape" or "drain3"; else a new one that does.

    What is known of templates goes by their ids, and those of one engine mean nothing to the other.
    """
    if (state.templates.drained is not None) == (templates == "drain3"):
        return state
    return LogState(Templates(drained=Drained() if templates == "drain3" else None))


def read_lines(state: LogState, batch: Batch, series: Series, now: Seconds) -> tuple[Signal, ...]:
    """Return a signal for each (service, template) that is new and bad, or more frequent than usual.

    A new template counts only with error or critical severity: a new INFO line is what a deploy brings.
    Time is the lines' own, never after `now`; a line later than LATE is not counted.
    """
    state.changes.hear(batch.events)
    said = _heard(state, batch.lines, series, now) if batch.lines.text else []
    said += _endings(state, int(now // SLOT), now)
    said += end_sessions(state.sessions, state.templates, now)
    said += end_values(state.values, now)
    said += end_beats(state.beats, state.templates, now)
    return tuple(evidence_of(state.changes, signal, SLOT) for signal in said)


def _heard(state: LogState, given: Lines, series: Series, now: Seconds) -> list[Signal]:
    """Count what was heard and return the words to give about it."""
    said: list[Signal] = []
    lines = join_lines(given)
    state.dropped["continued line"] += len(given.text) - len(lines.text)
    for slot, found in _by_slot(state, lines, series, now):
        born: dict[str, int] = {}
        for key in sorted(found):
            heard = found[key]
            if key.service not in born:
                born[key.service] = _born(state, key.service, slot)
            said += _weigh(state, key, heard, born[key.service], slot, now)
            if key.what >= 0 and heard.severity not in BAD:
                hear_beat(state.beats, key.service, key.what, slot, heard.lines, heard.samples[0])
    return said


def _by_slot(
    state: LogState, lines: Lines, series: Series, now: Seconds
) -> list[tuple[int, dict[Key, Heard]]]:
    """Return the slots that the lines fall in, oldest first, with what was heard in each."""
    ids = templates_of(state.templates, lines.text)
    kept = (lines.time >= now - LATE).tolist()
    state.dropped["late line"] += kept.count(False)
    texts, given = list(compress(lines.text, kept)), list(compress(lines.severity, kept))
    ids = list(compress(ids, kept))
    services = [series.services[row] for row in compress(lines.series.tolist(), kept)]
    times = [min(time, now) for time in compress(lines.time.tolist(), kept)]
    hear_lines(state.sessions, services, texts, ids, times, now)
    hear_values(state.values, state.templates, services, texts, ids, times, now)
    slots = [int(time // SLOT) for time in times]
    return heard_of(slots, services, ids, severities(state.severities, given, texts), texts)


def _weigh(state: LogState, key: Key, heard: Heard, born: int, slot: int, now: Seconds) -> list[Signal]:
    """Count what was heard and return the word to give about it, if any; its service was born in `born`."""
    tally = _tally(state, key, born, slot)
    tally.add(slot, heard.lines)
    learning = slot - born < LEARN
    error = heard.severity in BAD
    fresh = key.what >= 0 and tally.born - born >= LEARN and slot - tally.born < FRESH
    against = tally
    if fresh and error:
        against = _tally(state, Key(key.service, NOVEL), born, slot)
        against.add(slot, heard.lines)
    if learning or key.what in (OTHERS, NOVEL) or (fresh and not error):
        return []
    known = state.on.get(key)
    if known is not None:
        surprise = tally.surprise(known.expected * SLOT / 60, against.spread())
        return _again(state, key, known, tally, surprise, heard, now)
    usual, count = against.usual(), sum(tally.recent)
    if count < 3 * usual or (not fresh and count < 5):
        return []
    if not error:
        usual *= _traffic(state, key, tally)
    surprise = tally.surprise(usual, against.spread())
    if surprise < (3.0 if fresh else 5.0 if error else 6.0) or count < 3 * usual:
        return []
    if len(state.on) >= MAX_ON:
        state.dropped["signal limit"] += 1
        return []
    return [_begin(state, key, tally, usual, surprise, heard, fresh, now)]


def _born(state: LogState, service: str, slot: int) -> int:
    """Return the slot in which the service was first heard."""
    known = (state.tallies.get(Key(service, what)) for what in (OTHERS, ERRORS))
    return min((tally.born for tally in known if tally is not None), default=slot)


def _tally(state: LogState, key: Key, born: int, slot: int) -> Tally:
    tally = state.tallies.get(key)
    if tally is None:
        if len(state.tallies) >= MAX_TALLIES:
            _forget(state)
        tally = state.tallies[key] = Tally(slot, slot, slots=faded(slot - born))
    return tally


def _forget(state: LogState) -> None:
    """Drop the quarter of the tallies that was silent longest; a signal that is on keeps its own."""
    idle = sorted((tally.slot, key) for key, tally in state.tallies.items() if key not in state.on)
    for _, key in idle[: MAX_TALLIES // 4]:
        del state.tallies[key]
    state.dropped["idle template"] += min(len(idle), MAX_TALLIES // 4)


def _traffic(state: LogState, key: Key, tally: Tally) -> float:
    """Return by how much the other ordinary lines of the service are up, >= 1: it explains this one."""
    others = state.tallies.get(Key(key.service, OTHERS))
    if others is None or key.what == OTHERS:
        return 1.0
    count = sum(others.recent) - sum(tally.recent)
    usual = 60 / SLOT * (others.usual() - tally.usual())
    return max(1.0, (count + 1) / (max(usual, 0.0) + 1))


def _begin(
    state: LogState,
    key: Key,
    tally: Tally,
    usual: float,
    surprise: float,
    heard: Heard,
    fresh: bool,
    now: Seconds,
) -> Signal:
    since = tally.onset(usual)
    text = "error lines" if key.what == ERRORS else text_of(state.templates, key.what)
    name = f"{key.service}\0{text}\0{since}".encode("utf-8", "replace")
    signal = Signal(
        id="log-" + hashlib.blake2b(name, digest_size=8).hexdigest(),
        kind="log",
        service=key.service,
        series=text,
        labels={"service": key.service, "severity": heard.severity},
        detector="errors" if key.what == ERRORS else "new template" if fresh else "template rate",
        since=since,
        at=now,
        surprise=round(surprise, 3),
        observed=sum(tally.recent),
        expected=usual * 60 / SLOT,
        page=_pages(key, tally, usual, surprise, heard),
        reason="",
        samples=samples_of(heard.samples),
    )
    signal = replace(signal, reason=_reason(signal, tally))
    tally.held = True
    state.on[key], state.hot[key] = signal, tally.slot
    return signal


def _again(
    state: LogState, key: Key, known: Signal, tally: Tally, surprise: float, heard: Heard, now: Seconds
) -> list[Signal]:
    if surprise >= STAY:
        state.hot[key] = tally.slot
    page = known.page or _pages(key, tally, known.expected * SLOT / 60, surprise, heard)
    if surprise < WORSE * known.surprise and page == known.page:
        return []
    worse = replace(
        known,
        at=now,
        surprise=round(max(surprise, known.surprise), 3),
        observed=max(sum(tally.recent), known.observed),
        page=page,
        samples=samples_of(heard.samples, known.samples),
    )
    state.on[key] = replace(worse, reason=_reason(worse, tally))
    return [state.on[key]]


def _pages(key: Key, tally: Tally, usual: float, surprise: float, heard: Heard) -> bool:
    """Say whether it is enough to page: a service's errors for half a minute, or a critical line thrice."""
    count = sum(tally.recent)
    if key.what == ERRORS:
        return surprise >= 8 and count >= 10 and tally.lasting(usual)
    return heard.severity == "critical" and surprise >= 6 and count >= 3


def _reason(signal: Signal, tally: Tally) -> str:
    lines = "1 line" if signal.observed == 1 else f"{signal.observed:.0f} lines"
    where = f"of {signal.service}" if signal.service else "of no known service"
    sample = signal.samples[0]
    if signal.detector == "new template":
        return f'{lines} {where} in 60 s of a kind never seen there, {signal.labels["severity"]}: "{sample}"'
    known = signal.since - tally.born * SLOT
    first = f"; first seen {span(known)} before" if known > 0 else ""
    if signal.detector == "errors":
        return (
            f"{signal.observed:.0f} error {'line' if signal.observed == 1 else 'lines'} {where} in 60 s "
            f'where {signal.expected:.2g} are usual, such as "{sample}"{first}'
        )
    return f'{lines} {where} in 60 s where {signal.expected:.2g} are usual: "{sample}"{first}'


def _endings(state: LogState, slot: int, now: Seconds) -> list[Signal]:
    """Return the last word of each signal that went quiet, or lasted so long that it is the usual."""
    said = []
    for key in sorted(state.on):
        quiet = slot - state.hot[key] > QUIET
        settled = slot - int(state.on[key].since // SLOT) > LONGEST
        if not quiet and not settled:
            continue
        tally = state.tallies[key]
        tally.roll(slot)
        tally.held = False
        if settled and not quiet:
            tally.adopt()
        ended = min(now, (state.hot.pop(key) + 1) * SLOT)
        said.append(replace(state.on.pop(key), at=now, ended=ended))
    return said
