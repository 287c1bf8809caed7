"""GET /api/v1/explain/ID: an incident, signal, alert, complaint, change or action, explained.

    curl 127.0.0.1:9093/api/v1/explain/payment-d4c8f04c

404 names the ids most like it. Signals and alerts are looked for in the newest 500 incidents.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from pipeline.console.api import said_json
from pipeline.explain import Story, Told, alone, explain, foremost, ids, nearest
from pipeline.silence import history
from pipeline.store import Store
from pipeline.types import Incident

MAX_INCIDENTS = 500  # the newest: the console answers others meanwhile


@dataclass(frozen=True, slots=True)
class Unknown(Exception):
    """Nothing kept goes by that id; `like` are the nearest ids, `looked` says where."""

    id: str
    looked: str
    like: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        like = f"; the nearest: {', '.join(self.like)}" if self.like else ""
        return f'nothing is known as "{self.id}"{like}. Looked in {self.looked}'


async def show(store: Store, request: Request) -> Response:
    try:
        return said_json(await tell(store, request.path_params["id"], "the store", MAX_INCIDENTS))
    except Unknown as error:
        return said_json({"error": str(error), "like": error.like}, 404)


async def tell(store: Store, id: str, where: str, limit: int) -> Told:
    """Return what the store knows of the id, in its newest incidents so many; raises Unknown."""
    if known := await store.incident(id):
        return explain(await story(store, known), id)
    newest = await store.incidents(limit=limit)
    if held := foremost(newest, id):
        return explain(await story(store, held), id)
    if complaints := await store.complaints([id]):
        return alone(complaints[0], id)
    # An action's key begins with what it is of, so only that is asked for its actions.
    for incident in (i for i in newest if id.startswith(f"{i.id}/")):
        told = await story(store, incident)
        if any(a.key == id for a, _, _ in told.actions):
            return explain(told, id)
    home = "/".join(id.split("/")[:2])  # complaint/ID
    if acted := [a for a in await store.actions(home) if a[0].key == id]:
        return alone(acted[0], id)
    looked = f"{where}: {len(newest):,} incidents, their signals, complaints, changes and actions"
    raise Unknown(id, looked, nearest(id, [k for i in newest for k in ids(i)]))


async def story(store: Store, incident: Incident) -> Story:
    return Story(
        incident,
        await store.complaints(incident.complaints),
        await store.verdicts(incident.id),
        await store.actions(incident.id),
        await store.runs(incident.id),
        tuple(history(await store.commands(0.0)).values()),
    )
