"""What the `promises:` section of forewarn.yaml may say: how soon, for whom, by which hours, who is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec

from pipeline import kinds
from pipeline.clock import Span
from pipeline.follow.hours import Hours
from pipeline.respond import Response


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is promised; each in working time, 0 = nothing is."""

    respond: Span = Span(3600)  # a first word by a person
    update: Span = Span(4 * 3600)  # a word since the last one
    resolve: Span = Span(24 * 3600)


GOLD = Terms(Span(1800), Span(2 * 3600), Span(8 * 3600))
URGENT = Terms(Span(900), Span(3600), Span(8 * 3600))


class Seat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who hears of an urgent complaint at once, and how soon again where nobody answers."""

    receiver: str = ""  # of response.receivers; response.receiver where empty
    acknowledge: Span = Span(300)
    rings: int = 3  # at most; from the second on the first rung of the escalation hears it, too

    def __post_init__(self) -> None:
        if self.acknowledge <= 0:
            raise ValueError("acknowledge: expected more than 0 s")


class Promises(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The promises of each complaint. The urgent ones, and those of a P1 incident, have no closing time."""

    respond: Span = Span(3600)
    update: Span = Span(4 * 3600)
    resolve: Span = Span(24 * 3600)
    urgent: Terms = URGENT
    # By the customer's tier in the catalogue.
    tiers: Mapping[str, Terms] = msgspec.field(default_factory=lambda: {"gold": GOLD})
    warn: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.8  # of the time, past which the desk is warned
    confirm: Span = Span(3 * 86400)  # what is fixed is closed when the customer says nothing for so long
    hours: Hours | None = None  # None = day and night
    receiver: str = ""  # who is warned; response.receiver where empty
    customers: str = ""  # the receiver that passes words on to customers; none where empty
    seat: Seat = Seat()

    def of(self, tier: str) -> Terms:
        """Return what was promised to customers of a tier."""
        return self.tiers.get(tier) or Terms(self.respond, self.update, self.resolve)


def unknown(promises: Promises, response: Response) -> Iterator[str]:
    """Yield each receiver that is named here and nowhere described, as 'key: sentence'."""
    names = [r.name for r in response.receivers]
    told = {"receiver": promises.receiver, "customers": promises.customers}
    for key, name in {**told, "seat.receiver": promises.seat.receiver}.items():
        if name and name not in names:
            yield f'promises.{key}: no receiver "{name}"{kinds.nearest(name, names)}'
