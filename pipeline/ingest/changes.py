"""POST /api/v1/changes in, change events out: what was deployed, configured or switched, and where.

Our own JSON: an object or an array of {id?, t?, service, kind, summary, maintenance?, until?}. `t` and
`until` are epoch seconds or RFC 3339; `t` is now where it is missing; an id is made of the content where it
is missing, so a request sent twice counts once. A change of kind "maintenance", or with `maintenance: true`,
keeps its service silent until then, an hour where it does not say; the same id again moves the end. Lost
when it fails; the sender gets 429 or 503 then and tries again.

    curl 127.0.0.1:9093/api/v1/changes -d '{"service": "pay", "kind": "deploy", "summary": "pay 1.4.2"}'
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.ingest.door import AHEAD, Decoded, Limits, Rejects, id_of, own_json, when
from pipeline.types import Event, Seconds
from pipeline.visible import visible

PATHS = ("/api/v1/changes",)
STATUS = 200

MAX_TEXT = 2_000  # characters of a summary; the rest is cut


class _Change(msgspec.Struct):
    service: str = ""
    kind: str = "change"
    summary: str = ""
    id: str = ""
    t: float | datetime | None = None
    maintenance: bool = False
    until: float | datetime | None = None


_decoder = msgspec.json.Decoder(list[_Change] | _Change)


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    return own_json("changes", body, headers, now, limits, _decoder, _event)


def _event(change: _Change, now: Seconds, limits: Limits, rejects: Rejects) -> Event | None:
    if not change.service:
        rejects.add("no service", "service: expected the name of a service, got none")
        return None
    if max(len(change.service), len(change.kind), len(change.id)) > limits.label // 4:
        rejects.add("label too long", f"service, kind, id: at most {limits.label // 4} characters")
        return None
    time = when(change.t, now)
    if not 0 <= time <= now + AHEAD:
        rejects.add("time", f"t: expected a time up to {AHEAD:g} s ahead, got {time:.0f} s since 1970")
        return None
    until = None if change.until is None else when(change.until, now)
    if until is not None and not until >= time:
        rejects.add("until", f"until: expected a time after t, got {until:.0f} s since 1970")
        return None
    labels = {"service": change.service, "kind": change.kind}
    if change.maintenance:
        labels["maintenance"] = "true"
    id = change.id or id_of("change", change.service, change.kind, change.summary, time if change.t else None)
    return Event("change", id, time, labels, visible(change.summary[:MAX_TEXT]), until=until)
