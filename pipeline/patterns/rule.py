"""A correlation rule as people write it: what happens how often, in what order or not at all, in how long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from pipeline.clock import Span
from pipeline.matchers import Matcher, Op, matchers
from pipeline.patterns import condition
from pipeline.types import Seconds

MOST = 500  # happenings of one group that are kept
LONGEST = 30 * 86400.0

What = Literal["signal", "recovery", "change", "complaint", "command", "outcome"]


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sort of happening: a signal that begins, or its end (a recovery), or an event.

    Matchers, Alertmanager's, look at its labels; a signal has `kind` (metric, log, complaint, alert, blind,
    trace), `service`, `rule` and `page` beside its own. `when`, a condition in CEL, is asked last.
    """

    what: What = "signal"
    matchers: tuple[str, ...] = ()
    when: str = ""

    def __post_init__(self) -> None:
        try:
            tuple(self.asked)
        except ValueError as error:
            raise ValueError(f"matchers: {error}") from error
        if self.when:
            condition.check(self.when)

    @property
    def asked(self) -> Iterator[Matcher]:
        yield Matcher("what", Op.EQUAL, self.what)
        for text in self.matchers:
            yield from matchers(text)


class Count(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """So many happenings."""

    of: Term
    at_least: int


class Distinct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Happenings with so many values of a label, such as instance or customer."""

    of: Term
    label: str
    at_least: int


class Absence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What does not happen: within the time after something else did, or at all for so long."""

    of: Term
    after: Term | None = None


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of count, distinct, sequence or absence, each for itself by the values of some labels."""

    name: str
    within: Span
    count: Count | None = None
    distinct: Distinct | None = None
    sequence: tuple[Term, ...] = ()
    absence: Absence | None = None
    by: tuple[str, ...] = ("service",)
    clear: Span | None = None  # over when it has not been so for that long: 5m, of an absence 1d
    page: bool = False  # pages by itself; else it is evidence
    surprise: float = 5.0  # what stands for one, on the scale of other signals: -log10 p
    says: str = ""  # said with each of its signals

    def __post_init__(self) -> None:
        kinds = ("count", "distinct", "sequence", "absence")
        said = [kind for kind in kinds if getattr(self, kind)]
        if len(said) != 1:
            raise ValueError(f"expected one of {', '.join(kinds)}, got {' and '.join(said) or 'none'}")
        if self.sequence and not 2 <= len(self.sequence) <= 8:
            raise ValueError(f"sequence: expected 2 to 8 happenings, got {len(self.sequence)}")
        if not 2 <= self.least <= MOST:
            raise ValueError(f"{said[0]}: at_least: expected 2 to {MOST}, got {self.least}")
        if self.distinct and self.distinct.label in self.by:
            raise ValueError(f"distinct: label: has one value in each group by {self.distinct.label}")
        if not 0 < self.within <= LONGEST or not 0 < self.lasts <= LONGEST:
            raise ValueError("within, clear: expected above 0 and at most 30d")
        if not self.surprise > 0:
            raise ValueError(f"surprise: expected above 0, got {self.surprise:g}")

    @property
    def terms(self) -> tuple[Term, ...]:
        """What it looks at, in order; of an absence what comes first, then what does not come."""
        if self.absence:
            return (*([self.absence.after] if self.absence.after else []), self.absence.of)
        one = self.count or self.distinct
        return (one.of,) if one else self.sequence

    @property
    def lasts(self) -> Seconds:
        """How long a match stays on after the last of it; an absence also ends when it comes at last."""
        if self.clear is not None:
            return self.clear
        return 86400.0 if self.absence else 300.0

    @property
    def least(self) -> int:
        one = self.count or self.distinct
        return one.at_least if one else 2
