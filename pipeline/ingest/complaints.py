"""POST /api/v1/complaints in, complaint events out, their text redacted before anything keeps it.

Our own JSON, one or an array of {customer, text, id?, t?, channel?, lang?, version?, platform?, region?}.
Version, platform and region say where the customer uses us: 4.2, android, eu-west. `t` is epoch seconds or
RFC 3339, now where it is missing; an id is made of the content where it is missing, so a request sent twice
counts once. Lost when it fails; the sender gets 429 or 503 then and tries again.

    curl 127.0.0.1:9093/api/v1/complaints -d '{"customer": "acme", "text": "I cannot pay"}'
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.ingest.door import AHEAD, Decoded, Limits, Rejects, id_of, own_json, when
from pipeline.redact import redact
from pipeline.types import Event, Seconds

PATHS = ("/api/v1/complaints",)
STATUS = 200

# A complaint is never refused for being long; what it is about stands in its first screens.
MAX_TEXT = 20_000
AROUND = 200  # characters past the cut that are looked at: half a card number is a secret, too
WHERE = ("version", "platform", "region")


class _Complaint(msgspec.Struct):
    customer: str = ""
    text: str = ""
    channel: str = ""
    lang: str = ""
    id: str = ""
    t: float | datetime | None = None
    version: str = ""
    platform: str = ""
    region: str = ""


_decoder = msgspec.json.Decoder(list[_Complaint] | _Complaint)


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    return own_json("complaints", body, headers, now, limits, _decoder, _event)


def _event(said: _Complaint, now: Seconds, limits: Limits, rejects: Rejects) -> Event | None:
    if not said.text.strip():
        rejects.add("no text", "text: expected what the customer said, got nothing")
        return None
    names = ("customer", "channel", "lang", *WHERE)
    labels = {
        name: redact(value) if name in WHERE else value for name in names if (value := getattr(said, name))
    }
    if max(map(len, (said.id, *labels.values()))) > limits.label // 4:
        rejects.add("label too long", f"id, {', '.join(names)}: at most {limits.label // 4} characters")
        return None
    time = when(said.t, now)
    if not 0 <= time <= now + AHEAD:
        rejects.add("time", f"t: expected a time up to {AHEAD:g} s ahead, got {time:.0f} s since 1970")
        return None
    text = redact(said.text[: MAX_TEXT + AROUND])[:MAX_TEXT]
    id = said.id or id_of("complaint", said.customer, said.channel, text, time if said.t else None)
    return Event("complaint", id, time, labels, text)
