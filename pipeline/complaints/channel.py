"""Complaints that stop while everything else goes on: the channel that brings them may be down."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pipeline.types import Complaint, Floats, Seconds, Signal
from pipeline.units import span

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
HISTORY = 14 * DAY  # before which nobody can say what is usual
BAR = 6.0  # surprise from which nothing heard is told
SPREAD = 0.1  # variance of what is usual beyond Poisson, over mean**2: holidays, campaigns
BUSY = 5.0  # complaints a day from which a channel is watched by itself
ALIVE = 300.0  # s since something else was heard, within which the silence is not our own
FADE = 0.75  # of what is known of a channel that is left a week later
SHRINK = 1.0  # days of the mean rate that each hour's own rate is mixed with
MAX_CHANNELS = 50
ALL = ""  # all channels together


@dataclass(slots=True)
class Channel:
    """How often a channel speaks, by hour of weekdays and of weekends, and for how long it has not."""

    began: Seconds
    newest: Seconds
    day: int
    hours: Floats = field(default_factory=lambda: np.zeros(48))
    days: Floats = field(default_factory=lambda: np.zeros(2))  # full ones behind them
    missed: float = 0.0  # complaints usual in the time since the newest in which all else went on

    def pass_to(self, time: Seconds) -> None:
        """Count the days that are over; those of old weigh less each week."""
        while self.day < int(time // DAY):
            self.days[_weekend(self.day)] += 1
            self.day += 1
            if self.day % 7 == 0:
                self.hours *= FADE
                self.days *= FADE

    def rate(self, time: Seconds) -> float:
        """Return the complaints a second that are usual at this hour, at least a day's history given."""
        mean = float(self.hours.sum()) / (24 * max(float(self.days.sum()), 1.0))
        lived = float(self.days[_weekend(int(time // DAY))])
        return (float(self.hours[_hour(time)]) + SHRINK * mean) / (lived + SHRINK) / HOUR

    def a_day(self) -> float:
        return float(self.hours.sum()) / max(float(self.days.sum()), 1.0)


@dataclass(slots=True)
class Channels:
    """What each channel usually brings. Owned by ComplaintState; 1 kB a channel, at most MAX_CHANNELS."""

    known: dict[str, Channel] = field(default_factory=dict)  # ALL is one of them
    on: dict[str, Signal] = field(default_factory=dict)  # by channel
    alive: Seconds = -math.inf  # when anything else was last heard
    looked: Seconds = -math.inf


def silences(state: Channels, read: Sequence[Complaint], now: Seconds, *, alive: bool) -> list[Signal]:
    """Return the channels that have fallen silent, and those that speak again.

    `alive` says that samples or log lines came too: where nothing comes at all, it is not the channel.
    Where all are silent together it is said once, of all of them.
    """
    said = []
    for complaint in read:
        for name in dict.fromkeys((ALL, complaint.channel)):
            said += _spoke(state, name, complaint.time, now)
    state.alive = now if alive else state.alive
    if now - state.looked < MINUTE:
        return said
    # After a gap of our own nobody knows what came in it.
    went_on = now - state.alive <= ALIVE and now - state.looked <= ALIVE
    since, state.looked = state.looked, now
    for channel in state.known.values():
        channel.pass_to(now)
        if went_on:
            channel.missed += channel.rate(now) * (now - max(since, channel.newest))
    return said + (_missing(state, now) if went_on else [])


def nothing(expected: float) -> float:
    """Return how surprising it is to hear nothing where so many are usual, -log10 p.

    >>> round(nothing(31.0), 2)
    6.13
    """
    return math.log10(1 + SPREAD * expected) / SPREAD


def _spoke(state: Channels, name: str, time: Seconds, now: Seconds) -> list[Signal]:
    if name not in state.known and len(state.known) >= MAX_CHANNELS:
        return []
    channel = state.known.setdefault(name, Channel(time, time, int(time // DAY) + 1))
    channel.pass_to(time)
    channel.newest, channel.missed = max(channel.newest, time), 0.0
    if int(time // DAY) >= int(channel.began // DAY) + 1:  # a first day cut short is no measure
        channel.hours[_hour(time)] += 1
    known = state.on.pop(name, None)
    return [replace(known, at=now, ended=now)] if known is not None else []


def _missing(state: Channels, now: Seconds) -> list[Signal]:
    said = []
    for name, channel in state.known.items():
        if now - channel.began < HISTORY or (name != ALL and channel.a_day() < BUSY):
            continue
        surprise = nothing(channel.missed)
        if surprise < BAR or name in state.on or (name != ALL and ALL in state.on):
            continue
        state.on[name] = _signal(name, channel, surprise, now)
        said.append(state.on[name])
    return said


def _signal(name: str, channel: Channel, surprise: float, now: Seconds) -> Signal:
    by = f" by {name}" if name else ""
    named = f"{name} {channel.newest!r}".encode("utf-8", "replace")
    return Signal(
        id="silence-" + hashlib.blake2b(named, digest_size=8).hexdigest(),
        kind="complaint",
        service="",
        series=f"no complaint{by}",
        labels={"channel": name},
        detector="channel",
        since=channel.newest,
        at=now,
        surprise=round(surprise, 3),
        observed=0.0,
        expected=channel.missed,
        page=True,
        reason=f"no complaint{by} for {span(now - channel.newest)} where {channel.missed:.0f} are usual: "
        "is the channel down?",
    )


def _weekend(day: int) -> int:
    """Return 1 at weekends. 1970 began on a Thursday."""
    return int((day + 3) % 7 >= 5)


def _hour(time: Seconds) -> int:
    """Return the hour of day, 24 later at weekends."""
    return int(time % DAY // HOUR) + 24 * _weekend(int(time // DAY))
