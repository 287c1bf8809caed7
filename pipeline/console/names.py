"""What customers call services: names that surges propose, for a person to accept or to dismiss, and API.

    GET  /api/v1/aliases           {"proposed": [...], "given": [...]}: what speaks for each, who gave it
    POST /api/v1/aliases           {"service": "checkout", "alias": "trolley", "by": "ann"}: it counts at once
    POST /api/v1/aliases/dismiss   the same: it is never proposed again
    POST /api/v1/aliases/unalias   the same: it counts no longer

A name that was given holds as long as Forewarn keeps its state; in catalog.yaml it is kept for good.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from pipeline.clock import Clock
from pipeline.complaints import Names
from pipeline.console.api import fields_of, said_json, said_no
from pipeline.console.ask import Submit, ask, command
from pipeline.topology import Topology


async def nobody() -> Names:
    """Stand in where no engine runs beside the console."""
    return Names()


@dataclass(frozen=True, slots=True)
class Aliases:
    """The API; `named` asks the engine, for names are its memory and not the store's."""

    submit: Submit
    clock: Clock
    topology: Callable[[], Topology]
    named: Callable[[], Awaitable[Names]] = nobody

    async def show(self, request: Request) -> Response:
        found = await self.named()
        return said_json(
            {"proposed": [asdict(p) for p in found.proposed], "given": [asdict(a) for a in found.given]}
        )

    async def take(self, do: str, request: Request) -> Response:
        """Take what a person says of one name: alias, dismiss or unalias."""
        asked = await fields_of(request)
        if asked is None:
            return said_no("expected a JSON object", 400)
        try:
            event = command(asked | {"do": do}, self.clock())
        except ValueError as error:
            return said_no(str(error), 400)
        if event.labels["service"] not in self.topology().services:
            return said_no("service: no such service in the catalogue", 404)
        await ask(event, self.submit)
        return said_json({"id": event.id, **event.labels}, 202)
