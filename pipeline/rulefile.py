"""What a rule file may hold: watches, objectives, rules of correlation, priority, inhibition, and tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

import msgspec

from pipeline.clock import Span
from pipeline.detect import Watch, slo
from pipeline.detect.slo import Slo
from pipeline.inhibit import Inhibition
from pipeline.patterns import Pattern
from pipeline.patterns.rule import What
from pipeline.priority import Priority

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Rank: TypeAlias = Literal["P1", "P2", "P3", "P4"]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rules/*.yaml file."""

    watches: tuple[Watch, ...] = ()
    slos: tuple[Slo, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    priorities: tuple[Priority, ...] = ()
    inhibit_rules: tuple[Inhibition, ...] = ()
    tests: tuple[RuleTest, ...] = ()

    def __post_init__(self) -> None:
        for what in ("watches", "slos", "patterns", "priorities"):
            for name, many in Counter(rule.name for rule in getattr(self, what)).items():
                if many > 1:
                    raise ValueError(
                        f'{what}: {many} of them have the name "{name}", and the last would count'
                    )

    @property
    def looks(self) -> tuple[Watch, ...]:
        """All watches of the file, those of its objectives behind the others."""
        return (*self.watches, *(w for each in self.slos for w in slo.watches(each)))


class GivenSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One series of a rule test, as promtool writes it: its values start at time 0."""

    series: str
    values: str  # "0.2x60 0.4+0.1x5 _ _x3 stale"


class GivenEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happens in a rule test, once or again and again; labels say what a rule can ask for."""

    what: What
    at: Span = Span(0)
    labels: Mapping[str, str] = msgspec.field(default_factory=dict)
    text: str = ""
    times: Count = 1
    every: Span = Span(60)


class ExpectedSignal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: str  # regex found in the signal's series
    after: Span = Span(0)  # not before
    by: Span = Span(0)  # at the latest; 0 = by the end
    rule: str = ""  # regex found in the name of the rule that speaks
    page: bool | None = None  # whether it pages by itself; None = either
    reason: str = ""  # regex found in what it says


class GivenAlert(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One alert of a rule test that is on, and the inhibition rule that must mute it."""

    labels: Mapping[str, str]
    inhibited_by: str = ""  # the rule's name; "" = it is told


class GivenIncident(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident of a rule test, and what the priority rules must make of it."""

    priority: Rank  # expected
    before: Rank = "P4"  # what Forewarn gave it by itself
    service: str = ""  # first suspect
    tier: str = ""  # of that service
    voices: int = 0
    customers: tuple[str, ...] = ()  # the tier of each who is affected
    signals: tuple[Mapping[str, str], ...] = ()  # on, and paging: rule, kind and labels of each


class RuleTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule file must say of some series and of what happens: these signals and no others."""

    name: str
    input_series: tuple[GivenSeries, ...] = ()
    input_events: tuple[GivenEvent, ...] = ()
    alerts: tuple[GivenAlert, ...] = ()  # on at once, and what mutes which
    incidents: tuple[GivenIncident, ...] = ()  # and what each is worth
    interval: Span = Span(15)
    signals: tuple[ExpectedSignal, ...] = ()  # () = it stays quiet
