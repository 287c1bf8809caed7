"""POST /api/v1/complaints in, complaint events out, their text redacted before anything keeps it.

Our own JSON, one or an array of {customer, text, id?, t?, channel?, lang?, version?, platform?, region?}.
Version, platform and region say where the customer uses us: 4.2, android, eu-west. `t` is epoch seconds or
RFC 3339, now where it is missing; an id is made of the content and the hour where it is missing, so a request
sent twice counts once, and who writes the same next week is heard again. Of HTML the text that is read is
kept. The customer's id is kept for the board and for answers; of one that is a mail address, a phone or a
card number a stand-in is kept, by which the same customer is known: see pseudonym.py. Complaint ids stay.
Signs that nobody sees, as those that turn the reading order, are taken out of all of it; the answer names the
ids as they are kept.
The good ones of an array are taken though others are not, and the answer is 400 and says which and why.
Lost when it fails; the sender gets 429 or 503 then and tries again.

    curl 127.0.0.1:9093/api/v1/complaints -d '{"customer": "acme", "text": "I cannot pay"}'
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pipeline.ingest.door import AHEAD, Decoded, Limits, Rejects, id_of, own_json, when
from pipeline.markup import MAX_HTML, seen
from pipeline.pseudonym import pseudonym
from pipeline.redact import redact
from pipeline.types import Event, Seconds
from pipeline.visible import visible

PATHS = ("/api/v1/complaints",)
STATUS = 200

# A complaint is never refused for being long; what it is about stands in its first screens.
MAX_TEXT = 20_000
AROUND = 200  # characters past the cut that are looked at: half a card number is a secret, too
HOUR = 3600.0  # in which the same words of one customer are one complaint
LABELS = ("customer", "channel", "lang", "version", "platform", "region")


class _Complaint(msgspec.Struct):
    """What programs send: null is as good as missing, and a customer or id may be a number."""

    customer: str | int | None = ""
    text: str | None = ""
    channel: str | None = ""
    lang: str | None = ""
    id: str | int | None = ""
    t: float | datetime | None = None
    version: str | None = ""
    platform: str | None = ""
    region: str | None = ""


_decoder = msgspec.json.Decoder(list[_Complaint] | _Complaint)


def decode(body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
    return own_json("complaints", body, headers, now, limits, _decoder, _event)


def _event(said: _Complaint, now: Seconds, limits: Limits, rejects: Rejects) -> Event | None:
    given = visible(seen((said.text or "")[:MAX_HTML]))
    if not given.strip():
        rejects.add("no text", "text: expected what the customer said, got nothing")
        return None
    found = {name: _text(getattr(said, name)) for name in LABELS}
    labels = {name: pseudonym(v) if name == "customer" else redact(v) for name, v in found.items() if v}
    id = _text(said.id)
    if max(map(len, (id, *labels.values()))) > limits.label // 4:
        rejects.add("label too long", f"id, {', '.join(LABELS)}: at most {limits.label // 4} characters")
        return None
    time = when(said.t, now)
    if not 0 <= time <= now + AHEAD:
        rejects.add("time", f"t: expected a time up to {AHEAD:g} s ahead, got {time:.0f} s since 1970")
        return None
    text = redact(given[: MAX_TEXT + AROUND])[:MAX_TEXT]
    moment = now // HOUR if said.t is None else time
    who = found["customer"], found["channel"]
    return Event("complaint", id or id_of("complaint", *who, text, moment), time, labels, text)


def _text(value: str | int | None) -> str:
    return "" if value is None else visible(str(value))
