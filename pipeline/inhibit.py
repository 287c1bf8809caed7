"""Alertmanager's inhibition rules: while a source is on, the targets that equal it are not told."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from pipeline.inhibition import Inhibition, Kinds
from pipeline.series import unpack
from pipeline.types import Labels, Seconds, Signal

__all__ = ["Held", "Inhibition", "Inhibitor"]

MAX_SOURCES = 1_000_000  # members that are on and mute others, about 400 B each
SHOWN = 50  # label sets behind an owner that silences look at one by one
MAX_CHAIN = 100  # owners that are followed to see whether a loop of rules would silence them all

# A rule, the values of its `equal`, and whether the source matches the rule's target side as well.
Key: TypeAlias = tuple[int, tuple[str, ...], bool]
# The name of a kind of label set, and the values of the labels that its rules compare.
Sort: TypeAlias = tuple[tuple[int, ...], tuple[str, ...]]
NO_TARGET: Sort = ((), ())


class Held(NamedTuple):
    """Why something is not told."""

    rule: str
    source: str  # owner of what is on, and mutes
    named: str  # in words


@dataclass(slots=True)
class Inhibitor:
    """What is on and mutes others, and what could be muted: counts by what would mute it.

    An owner is what is told or not: a signal. Its members are the label sets behind it: the alerts of a
    group, or itself alone. It is muted while each of its members is. Cost: 3 us a member, at 10 rules and at
    10,000, where it matches as many of them; memory: only members that a rule looks at.
    """

    rules: tuple[Inhibition, ...] = ()
    on: dict[str, Labels] = field(default_factory=dict)  # signals that a rule looks at
    sources: dict[Key, dict[str | bytes, str]] = field(default_factory=dict)  # -> member -> its owner
    active: dict[int, int] = field(default_factory=dict)  # rule -> keys of sources
    targets: dict[str, dict[Sort, int]] = field(default_factory=dict)  # owner -> sorts of its members
    owners: dict[str, tuple[Seconds, str, int]] = field(
        default_factory=dict
    )  # of sources: since, name, count
    members: int = 0  # in sources
    behind: dict[str, list[bytes]] = field(default_factory=dict)  # owner -> label sets, at most SHOWN
    more: dict[str, int] = field(default_factory=dict)  # owner -> how many others there are
    dropped: Counter[str] = field(default_factory=Counter)
    adopted: Seconds = -math.inf  # when the rules were last others than before
    kinds: Kinds = field(default_factory=lambda: Kinds(()), repr=False)

    def adopt(self, rules: Sequence[Inhibition], now: Seconds = 0.0) -> bool:
        """Use these rules; True where they are others than before: then nothing is known to be on."""
        if rules is self.rules:
            return False
        same, self.rules = tuple(rules) == self.rules, tuple(rules)
        if same:
            return False
        self.adopted = now
        self.on.clear()
        self.sources.clear()
        self.active.clear()
        self.targets.clear()
        self.owners.clear()
        self.members = 0
        self.behind.clear()
        self.more.clear()
        self.kinds = Kinds(self.rules)
        return True

    def take(self, signals: Iterable[Signal]) -> None:
        """Take in what is said of signals: each is its own only member. Those of alerts have others."""
        if not self.rules:
            return
        for signal in signals:
            if signal.kind == "alert":
                continue
            before = self.on.get(signal.id)
            if signal.ended is None and before is None:
                labels = self.kinds.view(signal.labels, signal.service, signal.kind)
                if self.begin(signal.id, signal.id, labels, signal.since, signal.series):
                    self.on[signal.id] = labels
            elif signal.ended is not None and before is not None:
                self.end(signal.id, signal.id, before)
                del self.on[signal.id]

    def begin(
        self, owner: str, member: str | bytes, labels: Labels, since: Seconds = 0.0, name: str = ""
    ) -> bool:
        """Take in one label set that is on; say whether any rule looks at it: then its end must be said."""
        name_of_kind = self.kinds.find(labels)
        sources, sort = self._sides(name_of_kind, labels)
        if sort is not NO_TARGET or member != owner:  # what is alone and no target needs no count
            counts = self.targets.get(owner)
            if counts is None:
                counts = self.targets[owner] = {}
            counts[sort] = counts.get(sort, 0) + 1
        if sources:
            self._mute(owner, member, sources, since, name)
        return bool(name_of_kind)

    def end(self, owner: str, member: str | bytes, labels: Labels) -> None:
        """Take out what was taken in with the same labels."""
        sources, sort = self._sides(self.kinds.find(labels), labels)
        counts = self.targets.get(owner, {})
        if sort in counts:
            counts[sort] -= 1
            if not counts[sort]:
                del counts[sort]
            if not counts:
                del self.targets[owner]
        if sources and member in self.sources.get(sources[0], ()):
            self._unmute(owner, member, sources)

    def join(self, owner: str, member: bytes) -> None:
        """Remember which label sets stand behind an owner, whether rules look at them or not."""
        known = self.behind.get(owner)
        if known is None:
            self.behind[owner] = [member]
        elif len(known) < SHOWN:
            known.append(member)
        else:
            self.more[owner] = self.more.get(owner, 0) + 1

    def leave(self, owner: str, member: bytes) -> None:
        known = self.behind.get(owner, [])
        if member not in known:
            self.more[owner] -= 1
            if not self.more[owner]:
                del self.more[owner]
            return
        known.remove(member)
        if not known:
            del self.behind[owner]

    def parts(self, owner: str) -> Sequence[Labels]:
        """Return the label sets behind an owner where they are several and all known; () elsewhere."""
        known = self.behind.get(owner, [])
        return [unpack(raw) for raw in known] if len(known) > 1 and owner not in self.more else ()

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

    def _muting(self, owner: str) -> list[tuple[int, str]] | None:
        """Return a rule and a source's owner for each sort of member; None where one of them is not muted."""
        counts = self.targets.get(owner)
        if not counts:
            return None
        found = []
        for name, values in counts:
            one = self._one(name, values)
            if one is None:
                return None
            found.append(one)
        return found

    def _one(self, name: tuple[int, ...], values: tuple[str, ...]) -> tuple[int, str] | None:
        """Return the first rule, and the owner of its first source, that mute such members."""
        targets = self.kinds.kind(name).targets
        for rule in sorted(self.active.keys() & targets.keys()):
            target = targets[rule]
            equal = tuple([values[k] for k in target.places])
            # What matches both sides of a rule is not muted by what does so too, itself least of all.
            for both in (False,) if target.both else (False, True):
                if sources := self.sources.get((rule, equal, both)):
                    return rule, next(iter(sources.values()))
        return None

    def _age(self, owner: str) -> tuple[Seconds, str]:
        return self.owners[owner][0] if owner in self.owners else math.inf, owner

    def _mute(self, owner: str, member: str | bytes, keys: Sequence[Key], since: Seconds, name: str) -> None:
        if self.members >= MAX_SOURCES:
            self.dropped["sources of inhibition"] += 1
            return
        for key in keys:
            members = self.sources.get(key)
            if members is None:
                members = self.sources[key] = {}
                self.active[key[0]] = self.active.get(key[0], 0) + 1
            members[member] = owner
        self.members += 1
        since, name, count = self.owners.get(owner, (since, name, 0))
        self.owners[owner] = since, name, count + 1

    def _unmute(self, owner: str, member: str | bytes, keys: Sequence[Key]) -> None:
        for key in keys:
            del self.sources[key][member]
            if not self.sources[key]:
                del self.sources[key]
                self.active[key[0]] -= 1
                if not self.active[key[0]]:
                    del self.active[key[0]]
        self.members -= 1
        since, name, count = self.owners.pop(owner)
        if count > 1:
            self.owners[owner] = since, name, count - 1

    def _sides(self, name: tuple[int, ...], labels: Labels) -> tuple[list[Key], Sort]:
        """Return the keys of what they mute, and the sort of target that they are."""
        if not name:
            return [], NO_TARGET
        kind = self.kinds.kind(name)
        keys = [(rule, tuple([labels.get(n, "") for n in equal]), both) for rule, equal, both in kind.sources]
        if not kind.targets:
            return keys, NO_TARGET
        return keys, (name, tuple([labels.get(n, "") for n in kind.names]))
