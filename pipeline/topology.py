"""The service catalogue: who calls whom, who uses what, what people call it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from pipeline import kinds, plain
from pipeline.pseudonym import pseudonym

T = TypeVar("T", bound=Collection[str])

DEEP = 6  # calls; what is further away explains nothing that a nearer one does not, and may be everything
MAX_NAMES = 1_000_000  # of services around others that are kept, some 70 B each


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


@dataclass(slots=True)
class _Worked(Generic[T]):
    """What was worked out, by service; all is forgotten when it names more than MAX_NAMES."""

    found: dict[str, T] = field(default_factory=dict)
    names: int = 0

    def keep(self, service: str, found: T) -> T:
        if self.names + len(found) > MAX_NAMES:
            self.found.clear()
            self.names = 0
        self.found[service] = found
        self.names += len(found)
        return found


@dataclass(frozen=True)
class Topology:
    """What the catalogue says. A service it does not name has no neighbours and no customers."""

    services: Mapping[str, Service] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()  # what the file says that is perhaps not what was meant
    seen: frozenset[str] = frozenset()  # services whose callees traces tell, not the file

    def __post_init__(self) -> None:
        for index in (self.callees, self.callers, self.hosts):  # now: of a large catalogue they take a second
            assert index is not None

    @cached_property
    def called(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Return what customers call each service, in all languages, by name."""
        return tuple(
            (name, tuple(alias for lang in sorted(service.aliases) for alias in service.aliases[lang]))
            for name, service in sorted(self.services.items())
        )

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

    def around(self, service: str) -> Mapping[str, int]:
        """Return what is near the service, by how far: 0 itself, 1 a call away, 2 two calls or its host."""
        found = self._around.found.get(service)
        return found if found is not None else self._around.keep(service, self._walk(service))

    def users(self, services: frozenset[str]) -> tuple[str, ...]:
        """Return the customers who use one of the services, or one that depends on it, sorted."""
        if not self.customers or not services:
            return ()
        felt = services.union(*(self.above(s) for s in services))
        return tuple(sorted(c for c, who in self.customers.items() if felt.intersection(who.uses)))

    @cached_property
    def _below(self) -> _Worked[frozenset[str]]:
        return _Worked()

    @cached_property
    def _above(self) -> _Worked[frozenset[str]]:
        return _Worked()

    @cached_property
    def _around(self) -> _Worked[dict[str, int]]:
        return _Worked()

    def _walk(self, service: str) -> dict[str, int]:
        callees = self.callees.get(service, frozenset())
        near = callees | self.callers.get(service, frozenset())
        further = set(self.hosts.get(service, ()))
        for name in near:
            # Not callees of callers: what two services only share is someone who calls them.
            step = self.callees if name in callees else self.callers
            further |= step.get(name, frozenset())
        own = {service: 0}
        return own | dict.fromkeys(sorted(near), 1) | dict.fromkeys(sorted(further - near), 2) | own

    @staticmethod
    def _near(
        start: str, step: Mapping[str, frozenset[str]], known: _Worked[frozenset[str]]
    ) -> frozenset[str]:
        """Return what is reached from a service, worked out once."""
        found = known.found.get(start)
        if found is None:
            seen, edge = {start}, {start}
            for _ in range(DEEP):
                edge = {name for at in edge for name in step.get(at, ())} - seen
                seen |= edge
            found = known.keep(start, frozenset(seen - {start}))
        return found


def load(path: Path) -> Topology:
    """Read a catalog.yaml; raises Invalid that names the file and the key."""
    try:
        raw = plain.read(path)
        found = plain.parse(raw, _Catalog)
    except plain.Invalid as error:
        raise plain.Invalid([f"{path}: {said}" for said in error.errors]) from error
    customers = {pseudonym(name): customer for name, customer in found.customers.items()}
    return Topology(found.services, customers, tuple(f"{path}: {said}" for said in _doubts(raw, found)))


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
