"""Complaints of the shop's bad afternoon on their way: one broken, one at risk, one asked, one rated."""

from __future__ import annotations

from dataclasses import replace

from pipeline.types import Case, Complaint, Mark, Progress, Promise, Step
from tests.console.shop import NOW

FIRST = Case(
    "m1", "harbour-cafe", "en", "card declined", ("payment",), "business blocked",
    (Mark(NOW - 2000, "received", "customer"), Mark(NOW - 1800, "looked at", "incident")),
    Progress.LOOKED_AT,
    (
        Promise("respond", NOW - 2000, NOW - 1280, NOW - 1100),
        Promise("update", NOW - 1800, NOW + 1080, NOW + 1800),
        Promise("resolve", NOW - 2000, NOW + 21040, NOW + 26800),
    ),
    incident="inc-0031", pressing=NOW - 2000, told=("respond", "broken"), rev=3,
)  # fmt: skip
SECOND = Case(
    "m2", "north-books", "zh", "card declined", ("payment",), "",
    (
        Mark(NOW - 3300, "received", "customer"),
        Mark(NOW - 3000, "reply", "ada", "We are looking at your payments."),
    ),
    Progress.LOOKED_AT,
    (
        Promise("respond", NOW - 3300, NOW - 420, NOW + 300, NOW - 3000),
        Promise("update", NOW - 3000, NOW - 100, NOW + 600),
    ),
    incident="inc-0031", rev=2,
)  # fmt: skip
ASKED = Case(
    "m3", "harbour-cafe", "en", "wrong colour", (), "",
    (Mark(NOW - 900, "received", "customer"), Mark(NOW - 600, "ask", "ada", "Which lamp was it?")),
    Progress.WAITING, (Promise("resolve", NOW - 900, None, None),), rev=2,
)  # fmt: skip
FIXED = Case(
    "m4", "harbour-cafe", "en", "basket empty", ("cart",), "",
    (Mark(NOW - 4000, "received", "customer"), Mark(NOW - 700, "fixed", "incident")),
    Progress.FIXED, (Promise("respond", NOW - 4000, NOW - 1120, NOW - 400, NOW - 700),), rev=2,
)  # fmt: skip
RATED = Case(
    "m5", "north-books", "en", "late parcel", (), "",
    (
        Mark(NOW - 9000, "received", "customer"),
        Mark(NOW - 4000, "fixed", "ada", "It is on its way."),
        Mark(NOW - 3500, "closed", "customer", "Thanks."),
    ),
    Progress.CLOSED, (Promise("respond", NOW - 9000, NOW - 6120, NOW - 5400, NOW - 4000),),
    helped=True, score=4, rev=4,
)  # fmt: skip
CASES = (FIRST, SECOND, ASKED, FIXED, RATED)
SAID = tuple(
    Complaint(id, at, customer, "app", "en", text, "", "", ())
    for id, at, customer, text in (
        ("m3", NOW - 900, "harbour-cafe", "The lamp is <b>green</b>, not blue"),
        ("m4", NOW - 4000, "harbour-cafe", "My basket was empty again"),
        ("m5", NOW - 9000, "north-books", "Where is my parcel?"),
    )
)


def at_the_desk() -> Step:
    return Step(NOW - 5, complaints=SAID, cases=CASES)


def shifted(by: float) -> Step:
    """Return the same some time later."""
    return Step(NOW - 5 + by, complaints=SAID, cases=tuple(_shifted(c, by) for c in CASES))


def _shifted(case: Case, by: float) -> Case:
    marks = tuple(replace(m, at=m.at + by) for m in case.marks)
    promises = tuple(
        Promise(
            p.what,
            p.since + by,
            None if p.warn is None else p.warn + by,
            None if p.due is None else p.due + by,
            None if p.ended is None else p.ended + by,
        )
        for p in case.promises
    )
    return replace(case, marks=marks, promises=promises)
