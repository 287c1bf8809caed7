"""What desk or customer say of a complaint, as a command: checked, and masked before anything keeps it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from pipeline.redact import redact
from pipeline.types import Event, Seconds

MAX_TEXT = 2_000
MAX_NAME = 80
ABOUT = ("topic", "service")  # what a closed complaint was about
# Whether it needs words, and whose it is.
WORDS: Mapping[str, tuple[bool, str]] = {
    "reply": (True, "desk"),
    "ask": (True, "desk"),
    "cause": (False, "desk"),
    "fixed": (False, "desk"),
    "close": (False, "desk"),
    "answer": (True, "customer"),
    "reopen": (False, "customer"),
    "rate": (False, "customer"),
}


def word(asked: Mapping[str, str], by: str, now: Seconds) -> Event:
    """Return the command; raises ValueError that names the field.

    Fields: do, complaint (or incident: all of its), text; to rate: helped (yes, no), score (1 to 5); and to
    close, as far as it is known: topic and service, from which complaints like it are understood.
    """
    do = asked["do"]
    labels = {"do": do, "by": "customer" if WORDS[do][1] == "customer" else by}
    about = "incident" if asked.get("incident") and do in ("reply", "ask", "fixed", "close") else "complaint"
    if not asked.get(about):
        raise ValueError(f"{do}: expected complaint, got neither it nor an incident")
    labels[about] = asked[about][:1024]
    text = redact("".join(c for c in asked.get("text", "") if c.isprintable() or c == "\n").strip())
    if WORDS[do][0] and not text:
        raise ValueError(f"text: expected what to tell, to {do}")
    if do == "rate":
        labels |= _rating(asked)
    if do == "close":
        labels |= {name: said for name in ABOUT if (said := _name(asked.get(name, "")))}
    return Event("command", f"cmd-{secrets.token_hex(8)}", now, labels, text[:MAX_TEXT])


def _name(raw: str) -> str:
    return redact("".join(c for c in raw if c.isprintable()).strip())[:MAX_NAME]


def _rating(asked: Mapping[str, str]) -> dict[str, str]:
    helped, score = asked.get("helped", "").lower(), asked.get("score", "")
    if helped not in ("yes", "no"):
        raise ValueError(f'helped: expected yes or no, got "{helped[:20]}"')
    if score not in ("", "1", "2", "3", "4", "5"):
        raise ValueError(f'score: expected 1 (badly) to 5 (very well), got "{score[:20]}"')
    return {"helped": helped, "score": score} if score else {"helped": helped}
