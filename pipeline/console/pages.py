"""What each page shows, read from the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from markupsafe import Markup
from starlette.requests import Request

from pipeline.clock import Clock
from pipeline.console.ask import MAX_SILENCE, MOST
from pipeline.console.live import Words
from pipeline.console.own import own
from pipeline.console.plot import marks, plot, spark
from pipeline.console.standing import Now, World, blind, felt, past, standing
from pipeline.pseudonym import pseudonym
from pipeline.silence import LISTED, conditions, covered, covering, history, touched
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Event, Incident, Run, Seconds, Signal, State

MAX_OPEN = 10_000  # more than correlation keeps open
MAX_CARDS = 100  # open incidents shown on the first page, worst first; the others are counted
MAX_PLOTS = 8
MAX_BESIDE = 100  # newest incidents that are offered to be merged, or split off again
MAX_COMPLAINTS = 50
HISTORY = 30 * 86400.0
GONE_AFTER = 86400.0  # a service that no catalogue names and nobody heard for a day has been taken down


@dataclass(frozen=True, slots=True)
class Card:
    """An open incident as the first page shows it."""

    incident: Incident
    worst: Signal | None
    spark: Markup | None
    runs: Sequence[Run]
    silence: Event | None


@dataclass(frozen=True, slots=True)
class Pages:
    """The words of every page. `topology` is asked each time, so that a reload shows."""

    store: Store
    clock: Clock
    topology: Callable[[], Topology]
    quiet_after: Seconds
    told: Callable[[], bool] = lambda: True  # whether pages reach anybody

    async def overview(self, request: Request) -> Words:
        world, asked = await self._world(), await self._asked()
        recently = {s for s, at in world.heard.items() if world.now - at < GONE_AFTER}
        seen = sorted({*world.topology.services, *recently} - {""})
        burning = [i for i in world.incidents if i.state is not State.RESOLVED]
        burning.sort(key=lambda i: (i.priority, -i.opened))
        leads = [i.lead for i in world.incidents if i.lead is not None]
        return {
            "title": "Incidents",
            "now": world.now,
            "burning": burning,
            "cards": [await self._card(i, world, asked) for i in burning[:MAX_CARDS]],
            "recent": [i for i in world.incidents if i.state is State.RESOLVED][:12],
            "quiet": [standing(world, s) for s in seen if blind(world, s)],
            "newest": max(world.heard.values(), default=None),
            "lead": median(leads) if leads else None,
            "leads": len(leads),
            "early": sum(lead > 0 for lead in leads),
            "customers": len({c for i in burning for c in i.customers}),
            "stopped": stopped(asked),
            "told": self.told(),
        }

    async def incident(self, request: Request) -> Words | None:
        incident = await self.store.incident(request.path_params["id"])
        if incident is None:
            return None
        now, asked = self.clock(), await self._asked()
        ordered = worth_reading(incident)
        plots = [(s, await self._plot(s, incident, now)) for s in ordered if s.kind == "metric"]
        drawn = [(s, drawing) for s, drawing in plots if drawing][:MAX_PLOTS]
        shown = {s.id for s, _ in drawn}
        return {
            "title": incident.title,
            "now": now,
            "i": incident,
            "plots": drawn,
            "others": [s for s in ordered if s.id not in shown],
            "runs": await self.store.runs(incident.id),
            "actions": await self.store.actions(incident.id),
            "verdicts": (await self.store.verdicts(incident.id))[::-1],
            "complaints": await self.store.complaints(incident.complaints[-MAX_COMPLAINTS:]),
            "silence": silencing(asked, incident, now),
            "stopped": stopped(asked),
            **await self._beside(incident),
        }

    async def _beside(self, incident: Incident) -> Words:
        """Return the open incidents that this one could be merged into, and what could be split off it."""
        if incident.state is State.RESOLVED:
            return {"open": [], "merged": [], "parts": []}
        others = await self.store.incidents(limit=MAX_BESIDE)
        parts = sorted({s.service for s in incident.signals if s.service})
        return {
            "open": [i for i in others if i.state is not State.RESOLVED and i.id != incident.id],
            "merged": [i for i in others if i.by == incident.id],
            "parts": parts if len(parts) > 1 else [],
        }

    async def board(self, request: Request) -> Words | None:
        name = pseudonym(request.path_params["customer"])
        world = await self._world()
        customer = world.topology.customers.get(name)
        if customer is None:
            return None
        services = sorted(
            (felt(world, name, s) for s in customer.uses), key=lambda s: list(Now).index(s.state)
        )
        open_ones = {i.id: i for s in services for i in s.incidents}
        ids = [id for i in open_ones.values() for id in i.complaints]
        return {
            "title": name,
            "now": world.now,
            "customer": name,
            "services": services,
            "titles": {s: titled(world.topology, s) for s in customer.uses},
            "past": past(world, name, world.now - HISTORY)[:10],
            "reports": sum(c.customer == name for c in await self.store.complaints(ids)),
            "own": await own(self.store, name, world.now),
        }

    async def boards(self, request: Request) -> Words:
        world = await self._world()
        rows = [
            (name, who, [felt(world, name, s) for s in who.uses])
            for name, who in sorted(world.topology.customers.items())
        ]
        return {"title": "Boards", "now": world.now, "rows": rows}

    async def services(self, request: Request) -> Words:
        world = await self._world()
        names = sorted(
            {*world.topology.services, *world.heard, *(s for i in world.incidents for s in i.services)}
        )
        found = sorted((standing(world, s) for s in names if s), key=lambda s: list(Now).index(s.state))
        return {"title": "Services", "now": world.now, "rows": found, "topology": world.topology}

    async def controls(self, request: Request) -> Words:
        asked, now = await self._asked(), self.clock()
        return {
            "title": "Controls",
            "now": now,
            **await self._muting(request.query_params.get("match", "")[: MOST["match"]]),
            "silences": silences(asked, now),
            "stopped": stopped(asked),
            "asked": asked[:50],
        }

    async def _muting(self, match: str) -> Words:
        """Return what a silence by these matchers would mute now, wholly and in part; or what is wrong."""
        words: Words = {"match": match, "wrong": "", "muted": [], "partly": []}
        if not match.strip():
            return words
        try:
            conditions(wanted := {LISTED: match})
        except ValueError as error:
            return {**words, "wrong": str(error)}
        known = await self.store.incidents(open_only=True, limit=MAX_OPEN)
        return {**words, "muted": covered(wanted, known), "partly": touched(wanted, known)}

    async def _world(self) -> World:
        # What is open counts however old it is: a service would be green while it burns.
        open_now = await self.store.incidents(open_only=True, limit=MAX_OPEN)
        known = {i.id: i for i in (*open_now, *await self.store.incidents())}
        incidents = sorted(known.values(), key=lambda i: (-i.opened, i.id))
        runs: dict[str, list[Run]] = {i.id: [] for i in open_now}
        for run in await self.store.runs():
            if run.incident in runs:
                runs[run.incident].append(run)
        heard = await self.store.heard()
        return World(self.clock(), self.topology(), incidents, heard, runs, self.quiet_after)

    async def _asked(self) -> Sequence[Event]:
        return await self.store.commands(self.clock() - MAX_SILENCE)

    async def _card(self, incident: Incident, world: World, asked: Sequence[Event]) -> Card:
        worst = min(worth_reading(incident), key=lambda s: s.kind != "metric", default=None)
        evidence = await self.store.evidence(worst.id) if worst and worst.kind == "metric" else None
        silence = silencing(asked, incident, world.now)
        return Card(
            incident, worst, spark(evidence) if evidence else None, world.runs.get(incident.id, ()), silence
        )

    async def _plot(self, signal: Signal, incident: Incident, now: Seconds) -> Markup | None:
        evidence = await self.store.evidence(signal.id)
        return plot(signal, evidence, marks(incident), now) if evidence else None


def silences(asked: Sequence[Event], now: Seconds) -> list[Event]:
    """Return the silences that have not ended, newest first, of commands newest first."""
    held = [(id, s) for id, s in history(asked).items() if s.ended is None and s.silence.until > now]
    return [replace(s.event, id=id, until=s.silence.until) for id, s in reversed(held)]


def silencing(asked: Sequence[Event], incident: Incident, now: Seconds) -> Event | None:
    """Return the silence that covers the incident now, as it is decided."""
    held = {id: s for id, s in history(asked).items() if s.ended is None}
    found = covering((s.silence for s in held.values()), incident, now)
    return replace(held[found.id].event, id=found.id, until=found.until) if found else None


def stopped(asked: Sequence[Event]) -> Event | None:
    """Return the word that stopped all playbooks, None where they may run."""
    words = (e for e in asked if e.labels.get("do") in ("stop", "start") and not e.labels.get("incident"))
    newest = next(words, None)
    return newest if newest and newest.labels["do"] == "stop" else None


def titled(topology: Topology, service: str) -> str:
    known = topology.services.get(service)
    return (known.title if known else "") or service


def worth_reading(incident: Incident) -> list[Signal]:
    """Return the signals in the order to read them: still on, of the first suspect, most surprising."""
    first = incident.services[:1]
    return sorted(
        incident.signals,
        key=lambda s: (s.ended is not None, s.service not in first, -s.surprise, s.since, s.id),
    )
