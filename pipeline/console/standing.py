"""What each service is like now, for staff and for its customers: blind is never green."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.topology import Topology
from pipeline.types import Incident, Run, Seconds, State

RECOVERED_FOR = 3600.0  # how long a board says that something is over before it is as if it had not been
QUIET_AFTER = 120.0  # two scrapes of the usual minute: a feed silent for longer says nothing of its service
_URGENT = ("P1", "P2")
_HEALING = ("running", "waiting", "done", "undoing", "undone")


class Now(StrEnum):
    """Worst first, as a board sorts them."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    RECOVERING = "recovering"
    UNKNOWN = "unknown"
    RECOVERED = "recovered"
    OPERATIONAL = "operational"


@dataclass(frozen=True, slots=True)
class Standing:
    """One service as it stands. `heard` is its newest measurement, None where none ever came."""

    service: str
    state: Now
    since: Seconds | None
    heard: Seconds | None
    incidents: tuple[Incident, ...]  # open ones that touch it, newest first


@dataclass(frozen=True, slots=True)
class Past:
    """A disturbance that is over, in no more words than its customers need."""

    services: tuple[str, ...]
    begun: Seconds
    over: Seconds


@dataclass(frozen=True, slots=True)
class World:
    """What a page needs to judge services by; incidents newest first, runs by incident id."""

    now: Seconds
    topology: Topology
    incidents: Sequence[Incident]
    heard: Mapping[str, Seconds]
    runs: Mapping[str, Sequence[Run]]
    quiet_after: Seconds = QUIET_AFTER


def standing(world: World, service: str) -> Standing:
    """Judge one service by every open incident that touches it."""
    touching = [i for i in world.incidents if service in i.services]
    return _judge(world, service, touching)


def felt(world: World, customer: str, service: str) -> Standing:
    """Judge one service as this customer feels it: by what was worth telling a person, near and below."""
    reach = {service, *world.topology.below(service)}
    return _judge(world, service, [i for i in world.incidents if _concerns(i, customer, service, reach)])


def past(world: World, customer: str, since: Seconds) -> list[Past]:
    """Return the customer's disturbances that are over, newest first."""
    uses = world.topology.customers[customer].uses
    found = []
    for i in world.incidents:
        if i.state is not State.RESOLVED or i.resolved is None or i.resolved < since:
            continue
        touched = [s for s in uses if _concerns(i, customer, s, {s, *world.topology.below(s)})]
        if touched:
            found.append(Past(tuple(touched), _begun(i), i.resolved))
    return found


def blind(world: World, service: str) -> bool:
    """Say whether nothing can be said of the service: no feed, a quiet one, or a signal that it is."""
    heard = world.heard.get(service)
    if heard is None or world.now - heard > world.quiet_after:
        return True
    return any(
        s.kind == "blind" and s.service == service and s.ended is None
        for i in world.incidents
        if i.state is not State.RESOLVED
        for s in i.signals
    )


def _judge(world: World, service: str, touching: Iterable[Incident]) -> Standing:
    touching = list(touching)
    open_ones = tuple(i for i in touching if i.state is not State.RESOLVED)
    heard = world.heard.get(service)
    if open_ones:
        states = {i.id: _state(i, world.runs.get(i.id, ())) for i in open_ones}
        worst = min(open_ones, key=lambda i: (_RANK[states[i.id]], _begun(i)))
        return Standing(service, states[worst.id], _begun(worst), heard, open_ones)
    if blind(world, service):
        return Standing(service, Now.UNKNOWN, heard, heard, ())
    over = [i.resolved for i in touching if i.resolved is not None and i.resolved > world.now - RECOVERED_FOR]
    if over:
        return Standing(service, Now.RECOVERED, max(over), heard, ())
    return Standing(service, Now.OPERATIONAL, None, heard, ())


def _state(incident: Incident, runs: Sequence[Run]) -> Now:
    if incident.quiet is not None:
        return Now.RECOVERING
    if incident.state is State.ACKNOWLEDGED or any(r.state in _HEALING for r in runs):
        return Now.IDENTIFIED
    return Now.INVESTIGATING


def _concerns(incident: Incident, customer: str, service: str, reach: set[str]) -> bool:
    told = incident.paged or incident.first_complaint or incident.acknowledged
    if told is None:
        return False
    if service in incident.services:
        return True
    urgent = incident.priority in _URGENT and customer in incident.customers
    return urgent and not reach.isdisjoint(incident.services)


def _begun(incident: Incident) -> Seconds:
    return incident.opened if incident.first_signal is None else incident.first_signal


_RANK = {state: k for k, state in enumerate(Now)}
