"""A complaint in public words for its customer: how far it is, what was said, what comes next."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pipeline.follow.obey import FITS
from pipeline.follow.state import KEPT
from pipeline.follow.words import public, question
from pipeline.store import Store
from pipeline.types import Case, Complaint, Mark, Progress, Promise, Seconds

MAX_OWN = 20  # of one customer, on their board
RECENT: Seconds = 30 * 86400.0
MAX_TEXT = 140  # characters of what the customer wrote


async def own(store: Store, customer: str, now: Seconds) -> list[dict[str, Any]]:
    """Return what a customer's board says of their own complaints, newest first."""
    cases = await store.cases(customer=customer, limit=MAX_OWN)
    recent = [c for c in cases if c.updated > now - RECENT]
    text = await texts(store, recent)
    return [
        told(c, now) | {"text": t.text[:MAX_TEXT] if (t := text.get(c.complaint)) else ""} for c in recent
    ]


def told(case: Case, now: Seconds) -> dict[str, Any]:
    """Return a complaint in public words: no service, no incident, no name of who works on it."""
    promise = case.next
    asks = fits(case, "rate", now) and not case.helped  # a no was answered since
    return {
        "id": case.complaint,
        "state": case.progress.value,
        "says": public(case),
        "received_at": case.received,
        "updated_at": case.updated,
        "next": _next(promise, now) if promise and math.isfinite(promise.due or 0.0) else None,
        "messages": [{"at": m.at, "from": _whose(m), "text": m.text} for m in case.marks if m.text],
        "asks": question(case) if asks else None,
        "helped": case.helped,
        "score": case.score or None,
        "may": [do for do in ("answer", "reopen", "rate") if fits(case, do, now)],
    }


def fits(case: Case, do: str, now: Seconds) -> bool:
    """Say whether that may be said of a complaint: of one long closed nothing, for it is forgotten."""
    forgotten = case.progress is Progress.CLOSED and now - case.updated > KEPT
    return case.progress in FITS[do] and not forgotten


async def texts(store: Store, cases: Sequence[Case]) -> dict[str, Complaint]:
    return {c.id: c for c in await store.complaints([c.complaint for c in cases])}


def _whose(mark: Mark) -> str:
    return "you" if mark.by == "customer" else "us"


def _next(promise: Promise, now: Seconds) -> dict[str, Any]:
    return {"promise": promise.what, "at": promise.due, "late": promise.broken(now)}
