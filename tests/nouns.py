"""Signals, incidents and catalogues for tests, with what does not matter filled in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from pipeline.correlate import CorrelateState, correlate
from pipeline.series import pack
from pipeline.topology import Customer, Service, Topology
from pipeline.types import Alerts, Complaint, Event, Incident, Labels, Seconds, Signal, State

SHOP = Topology(
    {
        "front": Service(("cart", "checkout"), owner="web", host="a"),
        "cart": Service(("inventory",), owner="cart", host="b"),
        "checkout": Service(("cart", "payment"), owner="pay", host="c"),
        "payment": Service((), owner="pay", host="d", tier="critical"),
        "inventory": Service((), owner="cart", host="e"),
        "mailer": Service((), owner="mail", host="f"),
        "batch": Service((), owner="mail", host="f"),
    },
    {
        "customer-1": Customer("gold", ("front",)),
        "customer-2": Customer("", ("inventory",)),
        "customer-3": Customer("", ("mailer",)),
    },
)


def signal(
    service: str,
    since: Seconds,
    metric: str = "cpu_ratio",
    *,
    id: str = "",
    kind: str = "metric",
    at: Seconds | None = None,
    surprise: float = 10.0,
    page: bool = True,
    ended: Seconds | None = None,
    entity: str = "",
    ids: Sequence[str] = (),
) -> Signal:
    name = f"{metric}/{service}/{entity}"
    labels = {"__name__": metric, "service": service, "entity": entity}
    return Signal(
        id or f"{name}/{since:g}", kind, service, name, labels, "test", since, since if at is None else at,
        surprise, math.nan, math.nan, page, f"{metric} of {service} is high", ended, tuple(ids),
    )  # fmt: skip


def incident(*signals: Signal, **known: Any) -> Incident:
    first = signals[0]
    given: dict[str, Any] = {
        "id": "i1",
        "opened": first.at,
        "updated": first.at,
        "title": first.reason,
        "priority": "P3",
        "services": tuple(dict.fromkeys(s.service for s in signals)),
        **known,
    }
    return Incident(signals=signals, **given)


def complaint(id: str, time: Seconds, *services: str, customer: str = "") -> Complaint:
    named = tuple((s, 0.9 - 0.2 * k) for k, s in enumerate(services))
    return Complaint(
        id, time, customer or f"customer-{id}", "chat", "en", "it is broken", "broken", "", named
    )


def command(do: str, time: Seconds, until: Seconds | None = None, /, **labels: str) -> Event:
    return Event("command", f"{do}-{time:g}", time, {"do": do, "by": "ada", **labels}, until=until)


def change(id: str, time: Seconds, service: str) -> Event:
    return Event("change", id, time, {"service": service, "kind": "deploy"}, "v2")


def alerts(*said: tuple[Labels, Seconds, Seconds | None, str]) -> Alerts:
    """Return columns of alerts, each given as labels, start, end and summary."""
    return Alerts(
        tuple(pack(labels) for labels, _, _, _ in said),
        tuple(msgspec.json.encode({"summary": text}) for _, _, _, text in said),
        np.array([start for _, start, _, _ in said], np.float64),
        np.array([math.nan if end is None else end for _, _, end, _ in said], np.float64),
    )


def over(given: Signal, when: Seconds) -> Signal:
    return replace(given, at=when, ended=when)


@dataclass
class Desk:
    """Steps correlation and keeps the newest version of each incident."""

    state: CorrelateState = field(default_factory=CorrelateState)
    known: dict[str, Incident] = field(default_factory=dict)

    def step(
        self,
        now: Seconds,
        signals: Sequence[Signal] = (),
        complaints: Sequence[Complaint] = (),
        events: Iterable[Event] = (),
    ) -> tuple[Incident, ...]:
        seen = correlate(self.state, signals, complaints, events, SHOP, now)
        changed = self.state.keep(seen)
        self.known.update((i.id, i) for i in changed)
        return changed

    @property
    def all(self) -> list[Incident]:
        return list(self.known.values())

    @property
    def open(self) -> list[Incident]:
        return [i for i in self.all if i.state is not State.RESOLVED]
