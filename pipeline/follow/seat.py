"""An urgent complaint to a person at once, and again each time its own short clock has run out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.follow.marks import ANSWERS
from pipeline.follow.tell import home_of
from pipeline.follow.terms import Seat
from pipeline.notify import Notice
from pipeline.respond import Response
from pipeline.types import Action, Case, Seconds

TIMEOUT = 30.0


def rings(case: Case, seat: Seat, response: Response, now: Seconds) -> list[Action]:
    """Return the ring that is due by now, one notification a channel, none where nothing is due.

    Its number is reckoned from the case alone, and is a part of the key: none goes out twice.
    """
    if not case.urgent or case.pressing is None or any(m.what in ANSWERS for m in case.marks):
        return []
    number = int((now - case.pressing) // seat.acknowledge)
    if not 0 <= number < seat.rings:
        return []
    first = seat.receiver or response.receiver
    who = {first, *(r.receiver for r in response.escalation[: min(number, 1)])}
    notice = Notice(
        reason="urgent complaint" if number == 0 else "urgent complaint, nobody has answered",
        because=case.urgent,
        at=now,
        receiver=first,
        incident=case.incident,
        title=f"Urgent: {case.urgent}",
        priority="P1",
        state="open",
        opened=case.received,
        since=case.received,
        services=case.services[:1],
        customers=(case.customer,) if case.customer else (),
        complaints=1,
        complaint=case.complaint,
        page="/desk",
    )
    home = home_of(case.complaint)
    return [
        Action(
            f"{home}/urgent.{number}/{one.name}/{k}.{via.do}",
            home,
            "notify",
            via.do,
            _args(one.name, notice, k),
            f"Tell {one.name} by {via.do}: {notice.reason}",
            now,
            TIMEOUT,
        )
        for one in response.receivers
        if one.name in who
        for k, via in enumerate(one.via)
    ]


def next_ring(case: Case, seat: Seat, now: Seconds) -> Seconds:
    """Return when the next ring may be due; inf where none will be."""
    if not case.urgent or case.pressing is None or any(m.what in ANSWERS for m in case.marks):
        return math.inf
    number = math.floor((now - case.pressing) / seat.acknowledge) + 1
    return case.pressing + number * seat.acknowledge if number < seat.rings else math.inf


def _args(receiver: str, notice: Notice, via: int) -> Mapping[str, Any]:
    told = msgspec.structs.replace(notice, receiver=receiver)
    return {"receiver": receiver, "notice": msgspec.to_builtins(told), "via": via}
