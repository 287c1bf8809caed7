"""The service catalogue: who calls whom, who uses what, what people call it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from pipeline import kinds, plain

DEEP = 6  # calls; what is further away explains nothing that a nearer one does not, and may be everything
MAX_KNOWN = 10_000  # services whose surroundings are kept


class Service(msgspec.Struct, frozen=True):
    """A service as catalog.yaml describes it. Unknown keys are kept out, not refused: catalogues vary."""

    depends_on: tuple[str, ...] = ()
    owner: str = ""
    host: str = ""
    tier: str = ""  # "critical" makes its incidents P1
    title: str = ""  # how customers read it on their board; the name where empty
    aliases: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)  # by language
    kpis: tuple[str, ...] = ()  # metric names that measure what customers feel


class Customer(msgspec.Struct, frozen=True):
    tier: str = ""
    uses: tuple[str, ...] = ()


class _Catalog(msgspec.Struct):
    services: dict[str, Service] = msgspec.field(default_factory=dict)
    customers: dict[str, Customer] = msgspec.field(default_factory=dict)


@dataclass(frozen=True)
class Topology:
    """What the catalogue says. A service it does not name has no neighbours and no customers."""

    services: Mapping[str, Service] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()  # what the file says that is perhaps not what was meant

    @cached_property
    def callees(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(s.depends_on) for name, s in self.services.items()}

    @cached_property
    def callers(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for name, service in self.services.items():
            for callee in service.depends_on:
                found.setdefault(callee, set()).add(name)
        return {name: frozenset(who) for name, who in found.items()}

    @cached_property
    def hosts(self) -> Mapping[str, frozenset[str]]:
        """Return the services that run where this one does, itself among them, by service."""
        found: dict[str, set[str]] = {}
        for name, service in self.services.items():
            found.setdefault(service.host, set()).add(name)
        shared = {host: frozenset(names) for host, names in found.items()}
        return {name: shared[s.host] for name, s in self.services.items() if s.host}

    def near(self, a: str, b: str) -> bool:
        """Say whether two services are the same or one calls the other."""
        return a == b or b in self.callees.get(a, ()) or b in self.callers.get(a, ())

    def below(self, service: str) -> frozenset[str]:
        """Return all that the service depends on, at most DEEP calls away, without itself."""
        return self._near(service, self.callees, self._below)

    def above(self, service: str) -> frozenset[str]:
        """Return all that depends on the service, at most DEEP calls away, without itself."""
        return self._near(service, self.callers, self._above)

    def users(self, services: frozenset[str]) -> tuple[str, ...]:
        """Return the customers who use one of the services, or one that depends on it, sorted."""
        felt = services.union(*(self.above(s) for s in services)) if services else services
        return tuple(sorted(c for c, who in self.customers.items() if felt.intersection(who.uses)))

    @cached_property
    def _below(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _above(self) -> dict[str, frozenset[str]]:
        return {}

    @staticmethod
    def _near(
        start: str, step: Mapping[str, frozenset[str]], known: dict[str, frozenset[str]]
    ) -> frozenset[str]:
        """Return what is reached from a service, worked out once; `known` holds at most MAX_KNOWN of them."""
        found = known.get(start)
        if found is None:
            seen, edge = {start}, {start}
            for _ in range(DEEP):
                edge = {name for at in edge for name in step.get(at, ())} - seen
                seen |= edge
            if len(known) >= MAX_KNOWN:
                known.clear()
            found = known[start] = frozenset(seen - {start})
        return found


def load(path: Path) -> Topology:
    """Read a catalog.yaml; raises Invalid that names the file and the key."""
    try:
        raw = plain.read(path)
        found = plain.parse(raw, _Catalog)
    except plain.Invalid as error:
        raise plain.Invalid([f"{path}: {said}" for said in error.errors]) from error
    return Topology(found.services, found.customers, tuple(f"{path}: {said}" for said in _doubts(raw, found)))


def _doubts(raw: Any, found: _Catalog) -> Iterator[str]:
    """Yield what nothing reads, a key once, and what is named but not described: often a slip of the pen."""
    told: set[str] = set()
    for section, kind in (("services", Service), ("customers", Customer)):
        known = [f.name for f in msgspec.structs.fields(kind)]
        for name, keys in raw.get(section, {}).items():
            for key in keys:
                if key not in known and key not in told:
                    told.add(key)
                    yield f"{section}.{name}.{key}: nothing reads this key{kinds.nearest(key, known)}"
    named = [(f"services.{n}.depends_on", to) for n, s in found.services.items() for to in s.depends_on]
    named += [(f"customers.{n}.uses", to) for n, c in found.customers.items() for to in c.uses]
    for where, service in named:
        if service not in found.services:
            yield f'{where}: no service "{service}" is described{_near(service, found)}'


def _near(service: str, found: _Catalog) -> str:
    near = kinds.nearest(service, list(found.services))
    return near if near.startswith("; did") else ""
