"""Incidents and priority rules in; incidents raised to what they are worth, and why, out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

import msgspec

from pipeline.correlate.picture import say
from pipeline.matchers import Matcher, matchers
from pipeline.regexes import pattern
from pipeline.topology import Topology
from pipeline.types import Incident, Seconds, Signal, State


class Priority(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident of which all this holds is worth at least so much. Within one incident it only rises.

    Without any rule: P1 where the first suspect is of tier critical and something pages or a customer
    complains; P2 where three customers complain, or another system calls its alert critical; P3 where
    anything pages; else P4.
    """

    name: str
    priority: Literal["P1", "P2", "P3"]
    matchers: tuple[str, ...] = ()  # one signal that is on and pages: kind, service, rule and its own labels
    services: str = ""  # regular expression; the first suspect
    tiers: tuple[str, ...] = ()  # of the first suspect
    voices: int = 0  # customers who complain within 15 min, at least
    customers: int = 0  # customers affected, at least
    customer_tiers: tuple[str, ...] = ()  # one of those affected is of one of these

    def __post_init__(self) -> None:
        asks = (self.matchers, self.services, self.tiers, self.voices, self.customers, self.customer_tiers)
        if not any(asks):
            raise ValueError(f'"{self.name}" asks for nothing: every incident would be {self.priority}')
        if min(self.voices, self.customers) < 0:
            raise ValueError("voices, customers: expected 0 or more")
        try:
            tuple(self.asked)
            pattern(self.services)
        except ValueError as error:
            raise ValueError(f"matchers, services: {error}") from error

    @property
    def asked(self) -> Iterator[Matcher]:
        for text in self.matchers:
            yield from matchers(text)


def weigh(
    incidents: Sequence[Incident], rules: Sequence[Priority], topology: Topology, now: Seconds
) -> tuple[Incident, ...]:
    """Return the incidents, those raised that a rule holds them worth more; the highest counts."""
    return tuple(_raised(i, rules, topology, now) for i in incidents) if rules else tuple(incidents)


def _raised(incident: Incident, rules: Sequence[Priority], topology: Topology, now: Seconds) -> Incident:
    if incident.state is State.RESOLVED:
        return incident
    higher = [rule for rule in rules if rule.priority < incident.priority]
    best = min((r for r in higher if holds(r, incident, topology)), key=lambda r: r.priority, default=None)
    if best is None:
        return incident
    why = f'{best.priority}, not {incident.priority}: rule "{best.name}"'
    return say(replace(incident, priority=best.priority, updated=now), now, why)


def holds(rule: Priority, incident: Incident, topology: Topology) -> bool:
    """Say whether all that the rule asks for is so."""
    first = incident.services[0] if incident.services else ""
    known = topology.services.get(first)
    if rule.services and not pattern(rule.services)(first):
        return False
    if rule.tiers and (known is None or known.tier not in rule.tiers):
        return False
    if incident.voices < rule.voices or len(incident.customers) < rule.customers:
        return False
    if rule.customer_tiers and not any(_tier(c, topology) in rule.customer_tiers for c in incident.customers):
        return False
    return not rule.matchers or any(_matches(rule, s) for s in incident.signals)


def _tier(customer: str, topology: Topology) -> str:
    known = topology.customers.get(customer)
    return known.tier if known else ""


def _matches(rule: Priority, signal: Signal) -> bool:
    if signal.ended is not None or not signal.page:
        return False
    labels = {**signal.labels, "service": signal.service, "kind": signal.kind, "rule": signal.detector}
    return all(asked(labels) for asked in rule.asked)
