"""Complaints, incidents and a desk to play them on: what the tests of follow share."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import config
from pipeline.config import Config
from pipeline.follow import FollowState, Promises, follow
from pipeline.types import Action, Case, Complaint, Event, Incident, Progress, State, Suspect
from tests.nouns import SHOP
from tests.response import answer

T0 = 1_790_000_000.0
RECEIVERS = """
receivers:
  - {name: desk, via: [{do: webhook, args: {url: "http://desk/"}}]}
  - {name: portal, via: [{do: webhook, args: {url: "http://portal/"}}]}
receiver: desk
"""
SAID = {"respond": "10m", "update": "1h", "resolve": "8h", "customers": "portal"}


def promises(**said: Any) -> Promises:
    return config.parse({**SAID, **said}, Promises)


def settings(**said: Any) -> Config:
    return Config(response=answer(text=RECEIVERS), topology=SHOP, promises=promises(**said))


def berlin(said: str) -> float:
    return datetime.fromisoformat(said).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def written(id: str = "m1", customer: str = "customer-2", **changes: Any) -> Complaint:
    known = Complaint(id, T0, customer, "chat", "en", "it is broken", "broken", "", (("payment", 0.9),))
    return replace(known, **changes)


def incident(**changes: Any) -> Incident:
    known: dict[str, Any] = {
        "id": "i1", "opened": T0, "updated": T0, "title": "payment is slow", "priority": "P3",
        "services": ("payment",), "signals": (), "complaints": ("m1",), "paged": T0,
    }  # fmt: skip
    return Incident(**(known | changes))


KNOWN = {"state": State.ACKNOWLEDGED, "suspects": (Suspect("payment", 3.0, "deployed just before"),)}
OVER = {"state": State.RESOLVED, "resolved": T0 + 300}


@dataclass
class Desk:
    """Plays frames to `follow`, and keeps all that came of it."""

    settings: Config = field(default_factory=settings)
    state: FollowState = field(default_factory=FollowState)
    cases: dict[str, Case] = field(default_factory=dict)
    actions: list[Action] = field(default_factory=list)
    rung: list[Progress] = field(default_factory=list)  # how far each case was as the desk was told of it

    def at(
        self, now: float, *events: Event, said: tuple[Complaint, ...] = (), touched: tuple[Incident, ...] = ()
    ) -> list[Action]:
        changed, actions = follow(self.state, said, touched, events, self.settings, now)
        for case in changed:
            old = self.cases.get(case.complaint)
            self.rung += [case.progress for t in case.told if old is None or t not in old.told]
        self.cases |= {c.complaint: c for c in changed}
        self.actions += actions
        return list(actions)

    def say(self, now: float, do: str, complaint: str = "m1", text: str = "", **more: str) -> list[Action]:
        labels = {"do": do, "by": "ada", "complaint": complaint, **more}
        return self.at(now, Event("command", f"{do}-{now}", now, labels, text))

    def until(self, end: float, start: float = T0, beat: float = 10.0) -> None:
        for k in range(1, math.ceil((end - start) / beat) + 1):
            self.at(min(start + k * beat, end))

    @property
    def warned(self) -> list[tuple[float, str, str]]:
        """When the desk was told, of which promise, and whether it was at risk or broken."""
        mine = [a for a in self.actions if a.args["receiver"] == "desk"]
        return [(a.at - T0, a.key.split("/")[2].split(".")[0], a.key.split("/")[3]) for a in mine]

    @property
    def asked(self) -> list[float]:
        return [a.at - T0 for a in self.actions if a.args["notice"]["reason"] == "how did we do"]


def desk(**said: Any) -> Desk:
    found = Desk(settings(**said))
    found.at(T0, said=(written(),))
    return found
