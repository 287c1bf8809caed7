"""Other systems' alerts to signals: those of one name on one service are one signal while any of them fires.

An alert is a row of columns, found by the bytes of its label set; a repeat touches nothing else. A storm of
them stays a handful of signals a service: the first few names speak for themselves, the rest are counted.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.inhibit import Inhibition, Inhibitor
from pipeline.labelsets import Shape, Values, cut
from pipeline.types import Alerts, Floats, Labels, Rows, Seconds, Signal
from pipeline.untold import Listed, Untold

MAX_ALERTS = 500_000  # firing ones, about 1 kB each, 16 kB at the very most

# Looks that nobody waits for any more, of one second, before they are cleared away.
SLACK = 1_000

# An alert without endsAt is over so long after its last word (Alertmanager's resolve_timeout).
RESOLVE_TIMEOUT: Seconds = 300.0

# So many names of one service and severity are signals of their own; a storm's others are counted in one.
SHOWN = 4

# A firing alert notifies, as with Alertmanager, unless its sender says that nobody needs to hear it.
CALM = {"info", "none", "informational", "debug"}

# Another system's judgement has no p-value; its severity stands for one, on the scale of our own signals.
SURPRISE = {
    "critical": 20.0, "page": 20.0, "emergency": 20.0, "error": 15.0, "high": 15.0,
    "warning": 10.0, "ticket": 8.0, "low": 6.0, "info": 4.0, "none": 2.0,
}  # fmt: skip


@dataclass(slots=True, eq=False)
class Crowd:
    """All alerts of one service and severity that are on; of one name, where they name no service."""

    key: tuple[str, str]
    service: str
    groups: dict[str, Group] = field(default_factory=dict)  # the first few by name, each a signal of its own
    hidden: int = 0  # alerts of other names
    told: int = 0  # of those, when they were last told
    signal: Signal | None = None  # speaks for the hidden ones


@dataclass(slots=True, eq=False)
class Group:
    """The alerts of one name, service and severity that are on."""

    name: str
    crowd: tuple[str, str]  # key of what it is a part of
    lead: int  # row of the first, whose words are shown
    signal: Signal
    firing: int = 1
    told: int = 1  # how many fired when they were last told


@dataclass(slots=True)
class AlertState:
    """The alerts that are firing, a row each. At most MAX_ALERTS; past it new ones are turned away."""

    rows: dict[bytes, int] = field(default_factory=dict)  # canonical label set -> row
    labels: list[bytes] = field(default_factory=list)
    notes: list[bytes] = field(default_factory=list)
    group: list[Group | Crowd | None] = field(default_factory=list)  # which counts it
    since: Floats = field(default_factory=lambda: np.zeros(0))
    ends: Floats = field(default_factory=lambda: np.zeros(0))
    looked: Floats = field(
        default_factory=lambda: np.zeros(0)
    )  # when its end is looked at, after which second
    guessed: NDArray[np.bool_] = field(
        default_factory=lambda: np.zeros(0, np.bool_)
    )  # its sender gave no end
    free: list[int] = field(default_factory=list)  # rows of alerts that are over
    crowds: dict[tuple[str, str], Crowd] = field(default_factory=dict)
    due: dict[int, list[int]] = field(default_factory=dict)  # second -> rows whose end is looked at then
    seconds: list[int] = field(default_factory=list)  # a heap of the keys of `due`
    dropped: Counter[str] = field(default_factory=Counter)
    inhibitor: Inhibitor = field(
        default_factory=Inhibitor
    )  # alerts are members of the signal that tells them

    untold: Untold = field(default_factory=Untold)

    def __post_init__(self) -> None:
        self.untold.dropped = self.dropped

    def __len__(self) -> int:
        return len(self.rows)


def take_alerts(
    state: AlertState, alerts: Alerts, now: Seconds, rules: Sequence[Inhibition] = ()
) -> tuple[Signal, ...]:
    """Return a signal for each group that began, grew, changed its word or ended; repeats stay silent.

    `rules` say which alerts mute which others: see AlertState.inhibitor.
    """
    said: dict[str, Signal] = {}
    if state.inhibitor.adopt(rules, now):
        for row, (shape, values) in zip(state.rows.values(), cut([*state.rows]), strict=True):
            if (owner := state.group[row]) is not None and (signal := owner.signal) is not None:
                since = float(state.since[row])
                state.inhibitor.mute_alert(signal.id, shape, values, since, signal.series)
    if alerts.labels:
        _hear(state, alerts, said, now)
    while state.seconds and state.seconds[0] <= now:
        second = heapq.heappop(state.seconds)
        _look(state, second, said, now)
    return tuple(said.values())


def _hear(state: AlertState, alerts: Alerts, said: dict[str, Signal], now: Seconds) -> None:
    """Merge what was said of alerts with what is known of them."""
    if len(set(alerts.labels)) < len(alerts.labels):  # two words of one alert: the one that ends later counts
        until = np.where(np.isnan(alerts.until), now + RESOLVE_TIMEOUT, alerts.until).tolist()
        order = sorted(range(len(until)), key=lambda k: (alerts.time[k], alerts.labels[k], until[k]))
        for k in order:
            one = slice(k, k + 1)
            alone = Alerts(alerts.labels[one], alerts.notes[one], alerts.time[one], alerts.until[one])
            _hear(state, alone, said, now)
        return
    guessed = np.isnan(alerts.until)
    until = np.where(guessed, now + RESOLVE_TIMEOUT, alerts.until)
    rows = np.array([state.rows.get(raw, -1) for raw in alerts.labels], np.int32)
    known = np.flatnonzero(rows >= 0)
    if len(known):
        notes = [alerts.notes[k] for k in known.tolist()] if len(known) < len(rows) else alerts.notes
        _again(state, rows[known], notes, alerts.time[known], until[known], guessed[known], said, now)
    if len(known) < len(rows):
        _begin(state, alerts, until, np.flatnonzero((rows < 0) & (until > now)).tolist(), said, now)


def _begin(
    state: AlertState, alerts: Alerts, until: Floats, new: list[int], said: dict[str, Signal], now: Seconds
) -> None:
    """Take in the alerts that were not firing, the earliest first."""
    since = alerts.time.tolist()
    new.sort(key=lambda k: (since[k], alerts.labels[k]))
    room = MAX_ALERTS - len(state.rows)
    if len(new) > room:
        state.dropped["alert limit"] += len(new) - room
        del new[room:]
    packed = [alerts.labels[k] for k in new]
    rows = _rows(state, packed, [alerts.notes[k] for k in new])
    state.since[rows], state.ends[rows] = alerts.time[new], until[new]
    state.guessed[rows] = np.isnan(alerts.until[new])
    seconds = np.ceil(until[new])
    state.looked[rows] = seconds
    ending: dict[int, list[int]] = {}
    for row, second in zip(rows, seconds.tolist(), strict=True):
        ending.setdefault(int(second), []).append(row)
    for second, those in ending.items():
        _expect(state, second, those)
    for row, k, (shape, values) in zip(rows, new, cut(packed), strict=True):
        _join(state, row, shape, values, since[k], said, now)


def _join(
    state: AlertState, row: int, shape: Shape, values: Values, since: Seconds,
    said: dict[str, Signal], now: Seconds,
) -> None:  # fmt: skip
    """Put an alert into its group, and tell of it where that is news."""
    name, service = values[shape.place("alertname")] or "alert", values[shape.service] or ""
    severity = (values[shape.place("severity")] or "").lower()
    key = service or name, severity
    crowd = state.crowds.get(key)
    if crowd is None:
        crowd = state.crowds[key] = Crowd(key, service)
    group = crowd.groups.get(name)
    if group is not None:
        state.group[row] = group
        group.firing += 1
        _grow(group, shape, values, said, now)
    elif len(crowd.groups) < SHOWN:
        text = _text(name, state.notes[row])
        signal = _signal((service, severity, name), shape.labels(values), text, since, now)
        state.group[row] = crowd.groups[name] = Group(name, key, row, signal)
        said[signal.id] = signal
    else:
        state.group[row] = crowd
        crowd.hidden += 1
        if crowd.hidden >= 2 * crowd.told:
            _swell(crowd, name, shape.labels(values), since, said, now)
    if (owner := state.group[row]) is not None and (teller := owner.signal) is not None:
        state.inhibitor.begin_alert(teller.id, state.labels[row], shape, values, since, teller.series)
        state.untold.begin(teller.id, row)


def _grow(group: Group, shape: Shape, values: Values, said: dict[str, Signal], now: Seconds) -> None:
    """Tell of a group when it has doubled, or its alerts have less in common than was told."""
    signal, place = group.signal, shape.places.get
    common = {name: value for name, value in signal.labels.items() if values[place(name, -1)] == value}
    if group.firing < 2 * group.told and len(common) == len(signal.labels):
        return
    group.told = group.firing
    reason = _many(group, signal.reason)
    group.signal = said[signal.id] = _again_said(signal, now, reason, float(group.firing), common)


def _swell(
    crowd: Crowd, name: str, labels: Labels, since: Seconds, said: dict[str, Signal], now: Seconds
) -> None:
    """Tell of the alerts that are not shown one by one: when they began, and whenever they have doubled."""
    crowd.told = crowd.hidden
    reason = f"{crowd.hidden} more alert{'s' * (crowd.hidden > 1)} of {crowd.service}, such as {name}"
    if crowd.signal is None:
        common = {k: v for k, v in labels.items() if v in crowd.key}
        signal = _signal((*crowd.key, "more alerts"), common, reason, since, now, 1.0)
    else:
        signal = _again_said(crowd.signal, now, reason, float(crowd.hidden), crowd.signal.labels)
    crowd.signal = said[signal.id] = signal


def _again(
    state: AlertState, rows: Rows, notes: Sequence[bytes], time: Floats, until: Floats,
    guessed: NDArray[np.bool_], said: dict[str, Signal], now: Seconds,
) -> None:  # fmt: skip
    """Merge further words, (n,) rows of alerts that fire, with what is known. Cost: 0.3 us an alert."""
    # Alertmanager's merge: an end that the sender gave is not shortened by a guess.
    moves = ~guessed | state.guessed[rows] | (until > state.ends[rows])
    moved, ends = rows[moves], until[moves]
    state.ends[moved], state.guessed[moved] = ends, guessed[moves]
    sooner = np.ceil(ends) < state.looked[moved]
    for row, end in zip(moved[sooner].tolist(), ends[sooner].tolist(), strict=True):
        _wait(state, row, end)
    earlier = time < state.since[rows]
    changed = rows[earlier].tolist()
    state.since[changed] = time[earlier]
    kept = state.notes
    for row, note in zip(rows.tolist(), notes, strict=True):
        if kept[row] is not note and kept[row] != note:
            kept[row] = note
            changed.append(row)
    for row in sorted(set(changed)):
        _reword(state, row, said, now)


def _reword(state: AlertState, row: int, said: dict[str, Signal], now: Seconds) -> None:
    """Tell of a group again where its first alert says something else, or began earlier."""
    group = state.group[row]
    if not isinstance(group, Group) or group.lead != row:
        return
    since, text = float(state.since[row]), _text(group.name, state.notes[row])
    text = text if group.firing == 1 else _many(group, text)
    if (since, text) != (group.signal.since, group.signal.reason):
        group.signal = replace(group.signal, since=min(since, group.signal.since), reason=text, at=now)
        said[group.signal.id] = group.signal


def _look(state: AlertState, second: int, said: dict[str, Signal], now: Seconds) -> None:
    """End what is over of the alerts that were to be looked at; the others have been heard of since."""
    for row in state.due.pop(second):
        group = state.group[row]
        if group is None or state.looked[row] != second:
            continue
        if state.ends[row] > now:
            _wait(state, row, float(state.ends[row]))
            continue
        ended = float(state.ends[row])
        if group.signal is not None:
            state.inhibitor.end(group.signal.id, state.labels[row])
            over = Listed(state.labels[row], state.notes[row], float(state.since[row]), ended)
            state.untold.end(group.signal.id, row, over)
        del state.rows[state.labels[row]]
        state.labels[row] = state.notes[row] = b""
        state.group[row], state.looked[row] = None, math.nan
        state.free.append(row)
        _leave(state, group, ended, said, now)


def _leave(
    state: AlertState, group: Group | Crowd, ended: Seconds, said: dict[str, Signal], now: Seconds
) -> None:
    """Take one alert out of what counts it; with the last of them its signal is over."""
    if isinstance(group, Group):
        crowd = state.crowds[group.crowd]
        group.firing -= 1
        if not group.firing:
            del crowd.groups[group.name]
            said[group.signal.id] = replace(group.signal, at=now, ended=ended)
    else:
        crowd = group
        crowd.hidden -= 1
        if not crowd.hidden and crowd.signal is not None:
            said[crowd.signal.id] = replace(crowd.signal, at=now, ended=ended)
            crowd.signal, crowd.told = None, 0
    if not crowd.groups and not crowd.hidden:
        del state.crowds[crowd.key]


def _rows(state: AlertState, packed: Sequence[bytes], notes: Sequence[bytes]) -> list[int]:
    """Return a row for each new alert."""
    reused = min(len(packed), len(state.free))
    rows = [state.free.pop() for _ in range(reused)]
    for row, raw, note in zip(rows, packed, notes, strict=False):
        state.labels[row], state.notes[row] = raw, note
    first = len(state.labels)
    rows += range(first, first + len(packed) - reused)
    state.labels += packed[reused:]
    state.notes += notes[reused:]
    state.group += [None] * (len(packed) - reused)
    if (short := len(state.labels) - len(state.since)) > 0:
        more = max(1024, first, short)
        for name in ("since", "ends", "looked", "guessed"):
            setattr(state, name, np.pad(getattr(state, name), (0, more)))
    state.rows.update(zip(packed, rows, strict=True))
    return rows


def _wait(state: AlertState, row: int, ends: Seconds) -> None:
    """Look at the alert's end in the second that follows it."""
    second = math.ceil(ends)
    state.looked[row] = second
    _expect(state, second, [row])


def _expect(state: AlertState, second: int, new: list[int]) -> None:
    """Look at these rows in that second."""
    rows = state.due.get(second)
    if rows is None:
        state.due[second] = new
        heapq.heappush(state.seconds, second)
    elif rows[-1] != new[-1]:
        rows += new
        if len(rows) > 2 * len(state.rows) + SLACK:  # mostly of alerts that ended before
            state.due[second] = [r for r in dict.fromkeys(rows) if state.looked[r] == second]


def _signal(
    key: tuple[str, str, str], labels: Labels, reason: str, since: Seconds, now: Seconds,
    observed: float = math.nan,
) -> Signal:  # fmt: skip
    service, severity, name = key
    series = f'{name}{{service="{service}"}}' if service else name
    surprise = SURPRISE.get(severity, SURPRISE["warning"])
    id = blake2b("\xff".join(key).encode("utf-8", "replace"), digest_size=8).hexdigest()
    return Signal(
        f"alert/{id}/{since:.3f}", "alert", service, series, labels, "alert",
        since, now, surprise, observed, math.nan, severity not in CALM, reason,
    )  # fmt: skip


def _again_said(s: Signal, now: Seconds, reason: str, observed: float, labels: Labels) -> Signal:
    """Return the next word of a signal: dataclasses.replace would take five times as long."""
    return Signal(
        s.id, s.kind, s.service, s.series, labels, s.detector, s.since, now, s.surprise, observed,
        s.expected, s.page, reason,
    )  # fmt: skip


def _text(name: str, raw: bytes) -> str:
    """Return the alert in one sentence: its summary, else its description, else its name."""
    notes: Mapping[str, str] = msgspec.json.decode(raw)
    said = notes.get("summary") or notes.get("description") or notes.get("message")
    return " ".join(said.split())[:500] if said else f"{name} fires"


def _many(group: Group, text: str) -> str:
    return f"{group.firing} alerts {group.name}, such as: {text.rpartition(', such as: ')[2]}"
