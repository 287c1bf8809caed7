"""When each template was heard to signals that one came no more while its service still speaks."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np

from detectors.counts import surprise_of_silence
from pipeline.logs.evidence import samples_of
from pipeline.logs.templates import Templates, text_of
from pipeline.logs.usual import SLOT
from pipeline.types import Seconds, Signal
from pipeline.units import span

MAX_BEATS = 20_000  # some 0.8 kB each; past it the quarter that was silent longest is forgotten
MAX_SERVICES = 5_000
MAX_ON = 200  # signals at a time
LEARN = 50  # gaps of a template before one can be too long
BAR = 8.0  # surprise: thousands of templates are asked six times a minute
LONGER = 2.0  # times the longest gap so far
STEADY = 5.0  # slots by which the longest gap, less two mean ones, may be: what comes by phases is not missed
# A gap is as surprising as so many Poisson events in a row that did not come; more are never believed.
STAGES = 5
FADE = 0.01  # of what is known at each gap, and of the lines of a service at each slot
# Of the longest gap in a slot: half after twelve hours, so that one outage does not make deaf for ever.
KEPT = 0.5 ** (SLOT / (12 * 3600))
LASTS = int(3600 / SLOT)  # slots after which what is gone is taken to be gone
LONG = 300  # characters of a line that are kept


@dataclass(slots=True)
class Clock:
    """The time of one service: a slot as busy as usual is 1, one with half the lines 0.5, one with none 0."""

    slot: int  # the newest
    time: float = 0.0
    lines: int = 0  # in the newest slot
    usual: float = 0.0  # lines in a slot
    slots: int = 0

    def turn(self, slot: int) -> None:
        """Close the slots before this one."""
        passed = slot - self.slot
        if passed <= 0:
            return
        self.slots += 1
        self.usual += max(FADE, 1 / self.slots) * (self.lines - self.usual)
        if self.lines:
            self.time += min(1.0, self.lines / self.usual)
        self.usual *= (1 - FADE) ** (passed - 1)
        self.slot, self.lines = slot, 0


@dataclass(slots=True)
class Beat:
    """How one template recurs, in slots of its service's clock."""

    seen: int  # slot of its last line
    last: float  # time of its last line by the clock
    said: str  # its last line
    gaps: int = 0
    mean: float = 0.0
    variance: float = 0.0
    longest: float = 0.0
    lines: float = 0.0  # in a slot that had any
    newest: int = 0  # lines in the slot of its last

    def hear(self, slot: int, time: float, lines: int, said: str) -> None:
        """Learn the gap that this line ends."""
        gap = time - self.last
        if slot > self.seen and gap > 0:
            self.gaps += 1
            step = max(FADE, 1 / self.gaps)
            self.variance += step * ((gap - self.mean) ** 2 - self.variance)
            self.mean += step * (gap - self.mean)
            self.longest = max(gap, self.longest * KEPT ** (slot - self.seen))
            self.lines += step * (self.newest - self.lines)
        self.newest = lines if slot > self.seen else self.newest + lines
        self.seen, self.last, self.said = max(slot, self.seen), time, said[:LONG]

    def surprise(self, gap: float) -> float:
        """Return -log10 p of a gap at least as long: Erlang, as regular as the gaps were."""
        regular = self.mean**2 / max(self.variance, self.mean**2 / STAGES)
        stages = max(1.0, np.floor(regular + 1e-9))
        return float(surprise_of_silence(np.array([stages - 1]), np.array([stages * gap / self.mean]))[0])


@dataclass(slots=True)
class BeatState:
    """The clock of each service, the beat of each template, and who is missed. Owned by LogState."""

    clocks: dict[str, Clock] = field(default_factory=dict)
    beats: dict[tuple[str, int], Beat] = field(default_factory=dict)  # by service and template
    on: dict[tuple[str, int], Signal] = field(default_factory=dict)
    looked: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def hear_beat(state: BeatState, service: str, template: int, slot: int, lines: int, said: str) -> None:
    """Take the lines of one template in one slot. Cost: 2 us; errors are not given: none misses them."""
    clock = state.clocks.get(service)
    if clock is None:
        if len(state.clocks) >= MAX_SERVICES:
            state.dropped["service limit"] += 1
            return
        clock = state.clocks[service] = Clock(slot)
    clock.turn(slot)
    clock.lines += lines
    beat = state.beats.get((service, template))
    if beat is None:
        if len(state.beats) >= MAX_BEATS:
            _forget(state)
        beat = state.beats[service, template] = Beat(slot, clock.time, said)
    beat.hear(slot, clock.time, lines, said)


def end_beats(state: BeatState, templates: Templates, now: Seconds) -> list[Signal]:
    """Return a signal for each template that its service says no more, and a last word for each that is back.

    Evidence, never a page. A silent service's clock stands still: it is blind, and none of its templates
    has vanished. Once a slot; cost: 0.5 us a template.
    """
    slot = int(now // SLOT)
    if slot <= state.looked:
        return []
    state.looked = slot
    for clock in state.clocks.values():
        clock.turn(slot)
    said = _back(state, now)
    for key in sorted(key for key, beat in state.beats.items() if _late(state, key, beat)):
        beat = state.beats[key]
        gap = state.clocks[key[0]].time - beat.last
        surprise = beat.surprise(gap)
        if surprise < BAR:
            continue
        if len(state.on) >= MAX_ON:
            state.dropped["signal limit"] += 1
            continue
        state.on[key] = _signal(key, beat, gap, surprise, text_of(templates, key[1]), now)
        said.append(state.on[key])
    return said


def _late(state: BeatState, key: tuple[str, int], beat: Beat) -> bool:
    gap = state.clocks[key[0]].time - beat.last
    steady = beat.longest <= 2 * beat.mean + STEADY
    return beat.gaps >= LEARN and steady and gap > LONGER * beat.longest + 1 and key not in state.on


def _back(state: BeatState, now: Seconds) -> list[Signal]:
    said = []
    for key in sorted(state.on):
        signal, beat = state.on[key], state.beats[key]
        if (beat.seen + 1) * SLOT > signal.since:
            ended = min(now, max(beat.seen * SLOT, signal.since))
        elif state.looked - beat.seen > LASTS:
            ended = now
            del state.beats[key]
        else:
            continue
        said.append(replace(state.on.pop(key), at=now, ended=ended))
    return said


def _signal(key: tuple[str, int], beat: Beat, gap: float, surprise: float, text: str, now: Seconds) -> Signal:
    service, _ = key
    since = (beat.seen + 1) * SLOT
    expected = gap / beat.mean * beat.lines
    name = f"{service}\0vanished\0{text}\0{since}".encode("utf-8", "replace")
    samples = samples_of([beat.said])
    return Signal(
        id="log-" + hashlib.blake2b(name, digest_size=8).hexdigest(),
        kind="log",
        service=service,
        series=text,
        labels={"service": service},
        detector="vanished",
        since=since,
        at=now,
        surprise=round(surprise, 3),
        observed=0.0,
        expected=expected,
        page=False,
        reason=f"no line of {service or 'no known service'} for {span(now - since)} where {expected:.2g} are "
        f'usual, while others of it come: "{samples[0]}"',
        samples=samples,
    )


def _forget(state: BeatState) -> None:
    """Drop the quarter of the beats that was silent longest; one that is missed stays."""
    idle = sorted((beat.seen, key) for key, beat in state.beats.items() if key not in state.on)
    for _, key in idle[: MAX_BEATS // 4]:
        del state.beats[key]
    state.dropped["idle beat"] += min(len(idle), MAX_BEATS // 4)
