"""What customers complain of, by topic: a page for people and the same as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from pipeline.clock import Clock
from pipeline.complaints.topic_notes import Topic
from pipeline.console.api import said_json
from pipeline.console.live import Words
from pipeline.store import Store
from pipeline.types import Incident, Signal

MAX_OPEN = 1_000
MAX_NAMED = 8  # customers of a topic that the page names; the others are counted
WIDTH, HEIGHT = 120, 28  # px of a trend


async def unknown() -> Sequence[Topic]:
    """Stand in where no engine runs beside the console."""
    return ()


@dataclass(frozen=True, slots=True)
class Surge:
    """A surge that is on, and the incident that holds it."""

    signal: Signal
    incident: Incident

    @property
    def state(self) -> str:
        return self.signal.labels.get("state", "confirmed")


@dataclass(frozen=True, slots=True)
class Row:
    topic: Topic
    trend: Markup
    surge: Surge | None


@dataclass(frozen=True, slots=True)
class Topics:
    """Page and API of topics; `listed` asks the engine, for they are its memory and not the store's."""

    store: Store
    clock: Clock
    listed: Callable[[], Awaitable[Sequence[Topic]]] = unknown

    async def page(self, request: Request) -> Words:
        rows = await self._rows()
        return {
            "title": "Complaints",
            "now": self.clock(),
            "rows": rows,
            "surging": sum(row.surge is not None for row in rows),
            "named": MAX_NAMED,
        }

    async def show(self, request: Request) -> Response:
        found = []
        for row in await self._rows():
            surge = row.surge and {
                "id": row.surge.signal.id,
                "since": row.surge.signal.since,
                "customers": row.surge.signal.observed,
                "incident": row.surge.incident.id,
                "state": row.surge.state,
            }
            found.append(asdict(row.topic) | {"surge": surge})
        return said_json(found)

    async def _rows(self) -> list[Row]:
        """Return a row a topic: those that surge first, then as `listed` has them."""
        surges: dict[int, Surge] = {}
        for one in await surging(self.store):
            number = one.signal.series.partition(" ")[0]
            if _counts(number):
                surges[int(number)] = one
        rows = []
        for topic in await self.listed():
            surge = next((surges[id] for id in (topic.id, *topic.was) if id in surges), None)
            rows.append(Row(topic, trend(topic.trend), surge))
        return sorted(rows, key=lambda row: row.surge is None)


async def surging(store: Store) -> list[Surge]:
    """Return the surges that are on and belong to an open incident."""
    return [
        Surge(signal, incident)
        for incident in await store.incidents(open_only=True, limit=MAX_OPEN)
        for signal in incident.signals
        if signal.kind == "complaint" and signal.ended is None
    ]


def trend(days: Sequence[int]) -> Markup:
    """Return complaints a day as bars, the last is today; the most decides the height."""
    most, step = max(days, default=0), WIDTH / max(len(days), 1)
    bars = Markup("").join(
        Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            k * step + 1, HEIGHT - tall, step - 2, tall
        )
        for k, n in enumerate(days)
        if (tall := max(n / most * HEIGHT, 1.5) if n else 0.0)
    )
    said = f"complaints a day, today last: {', '.join(map(str, days))}"
    return Markup('<svg class="bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, said, bars
    )


def _counts(number: str) -> bool:
    return number.isascii() and number.isdigit() and len(number) < 10
