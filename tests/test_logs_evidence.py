"""What a log signal shows: sample lines, when its template was first seen, the change nearest before."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.logs import read_lines
from pipeline.logs.evidence import MAX_CHANGES, SAMPLE, SAMPLES, Changes, samples_of, shown
from pipeline.types import Batch, Event, Seconds, Signal
from tests.test_logs import QUIET, START, Feed


def change(id: str, time: Seconds, service: str) -> Event:
    return Event("change", id, time, {"service": service, "kind": "deploy"})


def heard(*events: Event) -> Changes:
    changes = Changes()
    changes.hear(events)
    return changes


def named(changes: Changes) -> str:
    found = changes.before("pay", START, 10.0)
    return found.id if found else ""


def run(feed: Feed, *events: Event) -> list[Signal]:
    """Tell of the events, then let errors of three kinds come for a minute."""
    read_lines(feed.state, Batch(events=events), feed.series, feed.now)
    storm = [f"ERROR {what} of ann@example.com" for what in ("card of 17", "gift", "transfer 4", "refund")]
    return feed.run(60, *QUIET, *storm)


def test_errors_show_one_line_of_each_template_with_nothing_personal_in_it() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    surge = next(s for s in run(feed) if s.detector == "errors")

    assert surge.samples == (
        "ERROR card of <*> of <email>",
        "ERROR gift of <email>",
        "ERROR transfer <*> of <email>",
    )
    assert surge.reason.endswith('such as "ERROR card of <*> of <email>"')


def test_a_signal_names_the_change_before_it_in_every_word_it_gives() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    said = run(feed, change("dep-7", feed.now - 35, "pay")) + feed.run(600, *QUIET)

    ended = [s for s in said if s.ended is not None]
    assert {s.detector for s in ended} == {"errors", "new template"}
    assert all(s.reason.endswith("; change dep-7 of pay came 35 s before") for s in said)


def test_a_known_template_says_when_it_was_first_seen() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    risen = feed.run(60, *QUIET[:1], *(QUIET[1],) * 8)

    assert risen[0].reason.endswith('"cache hit for user <*>"; first seen 60 min before')
    assert risen[0].samples == ("cache hit for user <*>",)


@pytest.mark.parametrize(
    ("events", "id"),
    [
        pytest.param([], "", id="none"),
        pytest.param([("a", -3500, "pay"), ("b", -3700, "pay")], "a", id="within the hour"),
        pytest.param(
            [("a", -300, "pay"), ("b", -20, "cart")], "a", id="its own before a later one of others"
        ),
        pytest.param([("a", -300, "cart"), ("b", -20, "shop")], "b", id="the nearest of others"),
        pytest.param([("a", -700, "cart")], "", id="others reach ten minutes"),
        pytest.param([("a", 4, "pay")], "a", id="in the slot in which it began"),
        pytest.param([("a", 10, "pay")], "", id="what came after is no cause"),
    ],
)
def test_the_change_nearest_before_is_named(events: list[tuple[str, Seconds, str]], id: str) -> None:
    assert named(heard(*(change(name, START + at, service) for name, at, service in events))) == id


def test_changes_are_bounded_and_the_newest_stay() -> None:
    changes = heard(*(change(f"c{k}", START - k, "pay") for k in range(3 * MAX_CHANGES)))

    assert len(changes.newest) == MAX_CHANGES
    assert named(changes) == "c0"
    assert snapshot.load(snapshot.dump(changes)) == changes


@given(st.permutations([change(f"c{k}", START - 5 * (k // 2), "pay") for k in range(6)]))
def test_the_order_in_which_changes_are_told_is_irrelevant(events: list[Event]) -> None:
    assert heard(*events, *events).newest == heard(*sorted(events, key=lambda e: e.id)).newest


@given(st.lists(st.text(max_size=300), max_size=9))
def test_any_lines_give_a_few_short_samples_no_two_alike(lines: list[str]) -> None:
    found = samples_of(lines)

    assert len(found) == len(set(found)) <= SAMPLES
    assert all(len(sample) <= SAMPLE for sample in found)
    assert samples_of(lines, found) == found


def test_a_long_line_is_cut_after_it_is_masked() -> None:
    assert shown("card 4111 1111 1111 1111 " + "x" * 5_000).startswith("card <card> xxx")


def test_a_signal_without_a_change_near_it_says_nothing_of_one() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    said = run(
        feed, change("dep-7", feed.now - 7200, "pay"), replace(change("x", feed.now, "pay"), kind="alert")
    )

    assert said
    assert not any("change" in s.reason for s in said)
