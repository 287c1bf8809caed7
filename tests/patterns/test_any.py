"""Whatever happens: order within a frame and a snapshot change nothing, and a slow twin finds the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as some

from pipeline import snapshot
from pipeline.patterns import Pattern
from pipeline.patterns.found import match
from pipeline.patterns.state import Hit
from pipeline.types import Event, Signal
from tests.naive import patterns as naive
from tests.patterns.world import INSTANCES, MINUTE, SILENT, UNDONE, UNENDED, World, change, over, rule, signal

ALL = [rule(), rule(INSTANCES), rule(UNDONE), rule(UNENDED), rule(SILENT)]
names = some.sampled_from("ghijkl")
happenings = some.lists(
    some.one_of(
        some.builds(
            change, some.sampled_from("abcdef"), some.integers(0, 80),
            some.sampled_from(("deploy", "rollback", "backup")), some.sampled_from(("pay", "cart")),
        ),
        some.builds(signal, names, some.integers(0, 80), instance=some.sampled_from("xyz")),
        some.builds(over, some.builds(signal, names, some.just(0)), some.integers(0, 80)),
    ),
    max_size=25,
)  # fmt: skip


@given(happenings, some.randoms(use_true_random=False))
def test_the_order_within_a_frame_changes_nothing(what: list[Signal | Event], random: Any) -> None:
    ids = {(type(w), w.id): w for w in what}  # of one signal, one word a frame
    frame = list(ids.values())
    shuffled = list(frame)
    random.shuffle(shuffled)

    a, b = World(ALL), World(ALL)

    assert a.at(80, *frame) == b.at(80, *shuffled)
    assert a.state.groups == b.state.groups
    assert a.at(200) == b.at(200)


@given(happenings, some.integers(0, 25))
def test_a_snapshot_in_the_middle_changes_nothing(what: list[Signal | Event], cut: int) -> None:
    whole, parts = World(ALL), World(list(ALL))

    for k, each in enumerate(what):
        if k == cut:
            parts.state = snapshot.load(snapshot.dump(parts.state))
        assert repr(parts.at(80 + 3 * k, each)) == repr(whole.at(80 + 3 * k, each))

    assert repr(parts.at(500)) == repr(whole.at(500))
    assert repr(parts.state.groups) == repr(whole.state.groups)


hits = some.lists(
    some.builds(
        Hit, some.integers(0, 20).map(lambda m: m * MINUTE), some.just(0), some.sampled_from("abcde"),
        some.integers(1, 3), some.sampled_from("xyz"), some.just("pay"), some.just(""), some.just(0.0),
    ),
    max_size=7, unique_by=lambda h: h.id,
)  # fmt: skip
SHORT = [
    rule(), rule(INSTANCES), rule(UNDONE, within="5m"), rule(UNENDED), rule(SILENT, within="8m"),
    rule(UNDONE, within="8m", sequence=[{}, {"what": "recovery"}, {}]),
]  # fmt: skip


@given(some.sampled_from(SHORT), hits, some.integers(20, 30))
def test_a_scan_finds_what_trying_every_choice_finds(rule: Pattern, hits: list[Hit], minute: int) -> None:
    if len(rule.terms) == 3:
        hits = [h._replace(terms=h.terms | (h.terms & 1) << 2) for h in hits]
    elif len(rule.terms) == 1:
        hits = [h._replace(terms=1) for h in hits]
    hits = sorted(h._replace(first=(h.terms & -h.terms).bit_length() - 1) for h in hits)
    now = minute * MINUTE

    found, held = match(rule, hits, now), naive.held(rule, hits, now)

    assert (found.last if found else None) == (held[-1] if held else None)
