"""Promises that are at risk or broken to notifications for the desk, and words to those for the customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from pipeline.follow.words import public, question
from pipeline.notify import Notice
from pipeline.respond import Response
from pipeline.types import Action, Case, Mark, Promise, Seconds
from pipeline.units import span

TIMEOUT = 30.0
MAX_NAMED = 5  # complaints in one sentence
WANTED = {"respond": "a first answer", "update": "news", "resolve": "a solution"}
SAID = ("reply", "ask", "fixed", "closed")  # what its customer is told of


def key_of(promise: Promise, what: str) -> str:
    """Return what marks a promise as told: it begins at another time in every round."""
    return f"{promise.what}.{promise.since:.3f}/{what}"


def home_of(complaint: str) -> str:
    """Return what stands for a complaint where actions name their incident: two parts, whatever its id."""
    return f"complaint/{complaint.replace('%', '%25').replace('/', '%2F')}"


def warning(
    response: Response, receiver: str, what: str, risen: Sequence[tuple[Case, Promise]], now: Seconds
) -> list[Action]:
    """Return one notification for each channel about promises of one kind, `what` "warned" or "broken".

    Named after the first of them, which is told so once only.
    """
    risen = sorted(risen, key=lambda r: (r[1].due or 0.0, r[0].complaint))
    case, first = risen[0]
    due = first.due or now
    many = f"{len(risen)} complaints want" if len(risen) > 1 else "A complaint wants"
    late = f"{span(max(0.0, now - due))} late" if what == "broken" else f"due in {span(max(0.0, due - now))}"
    title = f"{many} {WANTED[first.what]}: {'the first' if len(risen) > 1 else 'it'} is {late}"
    named = ", ".join(f"{c.complaint} ({c.customer or 'no name'})" for c, _ in risen[:MAX_NAMED])
    more = f" and {len(risen) - MAX_NAMED} more" if len(risen) > MAX_NAMED else ""
    notice = Notice(
        reason="promise broken" if what == "broken" else "promise at risk",
        because=f"Of {named}{more}.",
        at=now,
        receiver=receiver,
        incident=case.incident,
        title=title,
        priority="P2" if any(c.pressing is not None for c, _ in risen) else "P3",
        state="open",
        opened=case.received,
        since=case.received,
        services=case.services[:1],
        customers=tuple(dict.fromkeys(c.customer for c, _ in risen if c.customer))[:MAX_NAMED],
        complaints=len(risen),
        complaint=case.complaint,
        page="/desk",
    )
    return _send(response, receiver, case, key_of(first, what), notice, now)


def word(response: Response, receiver: str, case: Case, mark: Mark) -> list[Action]:
    """Return one notification for each channel to the customer, the question whether we helped in the last.

    It holds public words only: who passes it on needs to know nothing else.
    """
    asks = mark.what == "fixed" or (mark.what == "closed" and not case.helped and not _asked(case))
    said = [mark.text, "" if mark.what == "reply" else public(case), question(case) if asks else ""]
    notice = Notice(
        reason="how did we do" if asks else "word for a customer",
        because=" ".join(s for s in said if s),
        at=mark.at,
        receiver=receiver,
        incident="",
        title=case.progress.value,
        priority="",
        state="open",
        opened=case.received,
        since=case.received,
        customers=(case.customer,) if case.customer else (),
        complaints=1,
        complaint=case.complaint,
        page=f"/api/v1/complaints/{quote(case.complaint, safe='')}",
    )
    what = "ask" if asks else "word"
    return _send(response, receiver, case, f"{what}.{mark.at:.3f}", notice, mark.at)


def _asked(case: Case) -> bool:
    """Say whether the question was put already when it was fixed, the last time."""
    last = next((m.what for m in reversed(case.marks) if m.what in ("fixed", "reopened")), "")
    return last == "fixed"


def _send(
    response: Response, receiver: str, case: Case, key: str, notice: Notice, now: Seconds
) -> list[Action]:
    found = [r for r in response.receivers if r.name == receiver]
    args: dict[str, Any] = {"receiver": receiver, "notice": msgspec.to_builtins(notice)}
    home = home_of(case.complaint)
    return [
        Action(
            f"{home}/{key}/{receiver}/{k}.{via.do}",
            home,
            "notify",
            via.do,
            {**args, "via": k},
            f"Tell {receiver} by {via.do}: {notice.reason}",
            now,
            TIMEOUT,
        )
        for each in found
        for k, via in enumerate(each.via)
    ]
