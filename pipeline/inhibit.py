"""Alertmanager's inhibition rules: while a source is on, the targets that equal it are not told."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeAlias, cast

from pipeline.inhibition import Inhibition, Kind, Kinds
from pipeline.labelsets import Shape, Values
from pipeline.series import service_of, unpack
from pipeline.types import Labels, Seconds, Signal

__all__ = ["Held", "Inhibition", "Inhibitor"]

SHOWN = 50  # label sets behind an owner that are looked at one by one, where silences ask for them
MAX_CHAIN = 100  # owners that are followed to see whether a loop of rules would silence them all

# Of a rule, whether the source matches its target side as well, and the values of its `equal`, as one text.
Key: TypeAlias = str
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
    group, or itself alone. It is muted while each of its members is. Memory: 100 B a member, and 300 B more
    where it mutes others. It has no bound of its own: members are alerts and signals, which have one.
    """

    rules: tuple[Inhibition, ...] = ()
    # Owner -> its members -> their labels; None where a member is its own label set, packed.
    behind: dict[str, dict[str | bytes, Labels | None]] = field(default_factory=dict)
    # -> the owner of the one member, or of how many members each owner has.
    sources: dict[Key, str | dict[str, int]] = field(default_factory=dict)
    active: dict[int, int] = field(default_factory=dict)  # rule -> keys of sources
    owners: dict[str, tuple[Seconds, str, int]] = field(
        default_factory=dict
    )  # of sources: since, name, count
    adopted: Seconds = -math.inf  # when the rules were last others than before
    kinds: Kinds = field(default_factory=lambda: Kinds(()), repr=False)
    turn: int = 0  # how often the sources have changed
    # Owner -> the turn in which one of its members was not muted, and which.
    told: dict[str, tuple[int, str | bytes]] = field(default_factory=dict)
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
        self._mute(owner, _keys(self.kinds.find(labels), labels), since, name)

    def begin_alert(
        self, owner: str, packed: bytes, shape: Shape, values: Values, since: Seconds, name: str
    ) -> None:
        """Take in one alert that is on."""
        members = self.behind.get(owner)
        if members is None:
            self.behind[owner] = {packed: None}
        else:
            members[packed] = None
        if self.rules:
            self.mute_alert(owner, shape, values, since, name)

    def mute_alert(self, owner: str, shape: Shape, values: Values, since: Seconds, name: str) -> None:
        """Let an alert that is on mute what it is a source of: under rules that are new, it does so anew."""
        kind = self.kinds.of_alert(shape, values)
        if not kind.sources:
            return
        if self.kinds.plain(shape):
            keys = [_key(*one, shape.pick(one[2])(values)) for one in kind.sources]
        else:
            keys = _keys(kind, self.kinds.view_of(shape, values))
        self._mute(owner, keys, since, name)

    def end(self, owner: str, member: str | bytes) -> None:
        """Take out what was taken in; nothing where it was not."""
        members = self.behind.get(owner, {})
        if member not in members:
            return
        if owner in self.owners:
            labels = self._labels(member, members[member])
            self._unmute(owner, _keys(self.kinds.find(labels), labels))
        del members[member]
        self.hushed.pop(owner, None)
        if not members:
            del self.behind[owner]
            self.told.pop(owner, None)

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
        last, known = self.told.get(owner, (-1, owner))
        if known in members and (
            last == self.turn or self._muter(self._labels(known, members[known])) is None
        ):
            self.told[owner] = self.turn, known
            return None
        turn, count, muters = self.hushed.get(owner, (self.turn, 0, ()))
        found = dict.fromkeys(muters if turn == self.turn else ())
        for member, labels in islice(members.items(), count if turn == self.turn else 0, None):
            one = self._muter(self._labels(member, labels))
            if one is None:
                self.told[owner] = self.turn, member
                return None
            found[one] = None
        muters = tuple(found)
        self.hushed[owner] = self.turn, len(members), muters
        return muters

    def _muter(self, labels: Labels) -> Muter | None:
        """Return the first rule, and the owner of its first source, that mute such members."""
        targets = self.kinds.find(labels).targets
        for rule in sorted(self.active.keys() & targets.keys()):
            # What matches both sides of a rule is not muted by what does so too, itself least of all.
            for both in (False,) if targets[rule] else (False, True):
                equal = self.rules[rule].equal
                found = self.sources.get(_key(rule, both, equal, tuple(map(labels.get, equal))))
                if found is not None:
                    return rule, found if isinstance(found, str) else next(iter(found))
        return None

    def _labels(self, member: str | bytes, labels: Labels | None) -> Labels:
        """Return what rules look at of a member."""
        if labels is not None or isinstance(member, str):
            return labels or {}
        own = unpack(member)
        return self.kinds.view(own, service_of(own), "alert")

    def _age(self, owner: str) -> tuple[Seconds, str]:
        return self.owners[owner][0] if owner in self.owners else math.inf, owner

    def _mute(self, owner: str, keys: Sequence[Key], since: Seconds, name: str) -> None:
        if not keys:
            return
        for key in keys:
            known = self.sources.get(key)
            if known is None:
                self.sources[key] = owner
                rule = _rule(key)
                self.active[rule] = self.active.get(rule, 0) + 1
                continue
            if isinstance(known, str):
                known = self.sources[key] = {known: 1}
            known[owner] = known.get(owner, 0) + 1
        self.turn += 1
        since, name, count = self.owners.get(owner, (since, name, 0))
        self.owners[owner] = since, name, count + 1

    def _unmute(self, owner: str, keys: Sequence[Key]) -> None:
        if not keys:
            return
        for key in keys:
            known = self.sources[key]
            if not isinstance(known, str):
                known[owner] -= 1
                if not known[owner]:
                    del known[owner]
                if known:
                    continue
            del self.sources[key]
            rule = _rule(key)
            self.active[rule] -= 1
            if not self.active[rule]:
                del self.active[rule]
        self.turn += 1
        since, name, count = self.owners.pop(owner)
        if count > 1:
            self.owners[owner] = since, name, count - 1


def _keys(kind: Kind, labels: Labels) -> list[Key]:
    """Return the keys of what such a label set mutes."""
    return [_key(*one, tuple(map(labels.get, one[2]))) for one in kind.sources]


def _key(rule: int, both: bool, equal: Sequence[str], values: Sequence[str | None]) -> Key:
    if None in values:
        values = [value or "" for value in values]
    text = "\0".join((f"{rule}", "b" if both else "", *values))  # type: ignore[arg-type]  # there is no None
    return text if text.count("\0") == len(equal) + 1 else f"{rule}\0{both, values!r}"


def _rule(key: Key) -> int:
    return int(key[: key.index("\0")])
