"""Alertmanager's inhibition rules: while a source is on, the targets that equal it are not told."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeAlias, cast

from pipeline.inhibition import Inhibition, Kind, Kinds
from pipeline.series import service_of, unpack
from pipeline.types import Labels, Seconds, Signal

__all__ = ["Held", "Inhibition", "Inhibitor"]

MAX_SOURCES = 1_000_000  # members that are on and mute others, about 400 B each
SHOWN = 50  # label sets behind an owner that are looked at one by one, where silences ask for them
MAX_CHAIN = 100  # owners that are followed to see whether a loop of rules would silence them all

# A rule, the values of its `equal`, and whether the source matches the rule's target side as well.
Key: TypeAlias = tuple[int, tuple[str, ...], bool]
# A rule that mutes something, and the owner of the source that it does so for.
Muter: TypeAlias = tuple[int, str]


class Held(NamedTuple):
    """Why something is not told."""

    rule: str
    source: str  # owner of what is on, and mutes
    named: str  # in words


@dataclass(slots=True)
class Inhibitor:
    """What is on, whose it is, and what of it mutes others; what is muted is worked out when it is asked.

    An owner is what is told or not: a signal. Its members are the label sets behind it: the alerts of a
    group, or itself alone. It is muted while each of its members is. Memory: 100 B a member.
    """

    rules: tuple[Inhibition, ...] = ()
    # Owner -> its members -> their labels; None where a member is its own label set, packed.
    behind: dict[str, dict[str | bytes, Labels | None]] = field(default_factory=dict)
    sources: dict[Key, dict[str | bytes, str]] = field(default_factory=dict)  # -> member -> its owner
    active: dict[int, int] = field(default_factory=dict)  # rule -> keys of sources
    owners: dict[str, tuple[Seconds, str, int]] = field(
        default_factory=dict
    )  # of sources: since, name, count
    members: int = 0  # in sources
    dropped: Counter[str] = field(default_factory=Counter)
    adopted: Seconds = -math.inf  # when the rules were last others than before
    kinds: Kinds = field(default_factory=lambda: Kinds(()), repr=False)
    turn: int = 0  # how often the sources have changed
    told: dict[str, str | bytes] = field(default_factory=dict)  # owner -> a member that was not muted
    # Owner -> the turn in which so many of its members, the first ones, were all muted, and by what.
    hushed: dict[str, tuple[int, int, tuple[Muter, ...]]] = field(default_factory=dict)

    def adopt(self, rules: Sequence[Inhibition], now: Seconds = 0.0) -> bool:
        """Use these rules; True where they are others than before: then no source is known to be on."""
        if rules is self.rules:
            return False
        same, self.rules = tuple(rules) == self.rules, tuple(rules)
        if same:
            return False
        self.adopted = now
        for owner in [o for o, members in self.behind.items() if o in members]:
            del self.behind[owner]  # a signal alone: it is taken in anew where the new rules look at it
        self.sources.clear()
        self.active.clear()
        self.owners.clear()
        self.told.clear()
        self.hushed.clear()
        self.members = 0
        self.kinds = Kinds(self.rules)
        return True

    def take(self, signals: Iterable[Signal]) -> None:
        """Take in what is said of signals: each is its own only member. Those of alerts have others."""
        if not self.rules:
            return
        for signal in signals:
            if signal.kind == "alert":
                continue
            if signal.ended is None and signal.id not in self.behind:
                labels = self.kinds.view(signal.labels, signal.service, signal.kind)
                if self.kinds.find(labels):
                    self.begin(signal.id, signal.id, labels, signal.since, signal.series)
            elif signal.ended is not None:
                self.end(signal.id, signal.id)

    def begin(self, owner: str, member: str, labels: Labels, since: Seconds = 0.0, name: str = "") -> None:
        """Take in one label set that is on."""
        members = self.behind.get(owner)
        if members is None:
            members = self.behind[owner] = {}
        members[member] = labels
        self.mute(owner, member, self.kinds.find(labels), labels, since, name)

    def begin_alert(self, owner: str, packed: bytes) -> None:
        """Take in an alert that is on; `mute` follows where it is a source."""
        members = self.behind.get(owner)
        if members is None:
            self.behind[owner] = {packed: None}
        else:
            members[packed] = None

    def end(self, owner: str, member: str | bytes) -> None:
        """Take out what was taken in; nothing where it was not."""
        members = self.behind.get(owner, {})
        if member not in members:
            return
        if self.owners:
            labels = self._labels(member, members[member])
            self._unmute(owner, member, labels)
        del members[member]
        self.hushed.pop(owner, None)
        if not members:
            del self.behind[owner]
            self.told.pop(owner, None)

    def mute(
        self, owner: str, member: str | bytes, kind: Kind, labels: Labels, since: Seconds, name: str
    ) -> None:
        """Let a member that is on mute what it is a source of."""
        if not kind.sources:
            return
        if self.members >= MAX_SOURCES:
            self.dropped["sources of inhibition"] += 1
            return
        for key in _keys(kind, labels):
            held = self.sources.get(key)
            if held is None:
                held = self.sources[key] = {}
                self.active[key[0]] = self.active.get(key[0], 0) + 1
            held[member] = owner
        self.members += 1
        self.turn += 1
        since, name, count = self.owners.get(owner, (since, name, 0))
        self.owners[owner] = since, name, count + 1

    def parts(self, owner: str) -> Sequence[Labels]:
        """Return the label sets behind an owner where they are several and not too many; () elsewhere."""
        known = self.behind.get(owner, {})
        return [self._labels(*each) for each in known.items()] if 1 < len(known) <= SHOWN else ()

    def alerts(self, owner: str) -> Collection[bytes]:
        """Return the alerts that are on behind an owner, the first first; none behind what is alone."""
        known = self.behind.get(owner, {})
        return () if owner in known else cast(Collection[bytes], known.keys())

    def held(self, owner: str) -> Held | None:
        """Return what mutes the owner; None where it is to be told.

        Rules in a circle mute nobody's last word: where all that mutes it is muted in its turn by no more
        than one another, the one that began first is told.
        """
        first = self._muting(owner)
        if first is None:
            return None
        rule, source = next((one for one in first if one[1] != owner), first[0])
        reached, waiting = {owner: None}, deque(s for _, s in first)
        while waiting and len(reached) < MAX_CHAIN:
            above = waiting.popleft()
            if above in reached:
                continue
            muted = self._muting(above)
            if muted is None:
                return Held(str(self.rules[rule]), source, self.owners[source][1])
            reached[above] = None
            waiting.extend(s for _, s in muted)
        if owner == min(reached, key=self._age):
            return None
        return Held(str(self.rules[rule]), source, self.owners[source][1])

    def _muting(self, owner: str) -> tuple[Muter, ...] | None:
        """Return what mutes its members; None where one of them is not muted.

        Mostly one is not, and it is looked at first: 3 us, however many there are. Of those that are all
        muted only the new ones are looked at while no source comes or goes.
        """
        members = self.behind.get(owner)
        if not members or not self.active:
            return None
        last = self.told.get(owner, owner)
        if last in members and self._muter(self._labels(last, members[last])) is None:
            return None
        turn, count, muters = self.hushed.get(owner, (self.turn, 0, ()))
        found = dict.fromkeys(muters if turn == self.turn else ())
        for member, labels in islice(members.items(), count if turn == self.turn else 0, None):
            one = self._muter(self._labels(member, labels))
            if one is None:
                self.told[owner] = member
                return None
            found[one] = None
        muters = tuple(found)
        self.hushed[owner] = self.turn, len(members), muters
        return muters

    def _muter(self, labels: Labels) -> Muter | None:
        """Return the first rule, and the owner of its first source, that mute such members."""
        targets = self.kinds.find(labels).targets
        for rule in sorted(self.active.keys() & targets.keys()):
            equal = _values(labels, self.rules[rule].equal)
            # What matches both sides of a rule is not muted by what does so too, itself least of all.
            for both in (False,) if targets[rule] else (False, True):
                if sources := self.sources.get((rule, equal, both)):
                    return rule, next(iter(sources.values()))
        return None

    def _labels(self, member: str | bytes, labels: Labels | None) -> Labels:
        """Return what rules look at of a member."""
        if labels is not None or isinstance(member, str):
            return labels or {}
        own = unpack(member)
        return self.kinds.view(own, service_of(own), "alert")

    def _age(self, owner: str) -> tuple[Seconds, str]:
        return self.owners[owner][0] if owner in self.owners else math.inf, owner

    def _unmute(self, owner: str, member: str | bytes, labels: Labels) -> None:
        keys = _keys(self.kinds.find(labels), labels)
        if not keys or member not in self.sources.get(keys[0], ()):
            return
        for key in keys:
            del self.sources[key][member]
            if not self.sources[key]:
                del self.sources[key]
                self.active[key[0]] -= 1
                if not self.active[key[0]]:
                    del self.active[key[0]]
        self.members -= 1
        self.turn += 1
        since, name, count = self.owners.pop(owner)
        if count > 1:
            self.owners[owner] = since, name, count - 1


def _keys(kind: Kind, labels: Labels) -> list[Key]:
    """Return the keys of what such a label set mutes."""
    return [(rule, _values(labels, equal), both) for rule, equal, both in kind.sources]


def _values(labels: Labels, names: Sequence[str]) -> tuple[str, ...]:
    return tuple([labels.get(name, "") for name in names])
