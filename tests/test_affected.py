"""A surge and a topic tell which versions, platforms and regions are hit, and what of it is unusual."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline import config, snapshot
from pipeline.complaints import ComplaintState, affected, hear
from pipeline.complaints.affected import Affected
from pipeline.ingest import complaints as door
from pipeline.topology import Topology
from pipeline.types import Event, Signal
from tests.nouns import signal
from tests.test_surge_states import NOW, known

SURGE = replace(
    signal("s1", NOW, kind="complaint"), reason="8 customers complain alike", ids=("a", "b", "c", "d")
)


def burst(**labels: str) -> list[Event]:
    return [
        Event(
            "complaint", f"s{k}", NOW + 60.0 * k, {"customer": f"s{k}", **labels}, f"the {k}th seat map hangs"
        )
        for k in range(8)
    ]


def hearing(state: ComplaintState, events: list[Event]) -> list[Signal]:
    return [s for event in events for s in hear(state, (event,), Topology(), event.time)[0]]


def used(everywhere: str, ids: str = "abcd", n: int = 20, **here: str) -> Affected:
    found = Affected()
    for k in range(n):
        found.hear(f"u{k}", {"version": everywhere})
    for id in ids:
        found.hear(id, here)
    return found


def test_a_surge_names_the_version_its_customers_have() -> None:
    *_, newest = hearing(known(), burst(version="4.2.0", platform="android", region="eu"))

    assert newest.labels["version"] == "4.2.0 (8)"
    assert newest.labels["platform"] == "android (8)"
    assert newest.labels["region"] == "eu (8)"
    assert "8 of 8 that name a version have 4.2.0" in newest.reason


def test_a_surge_without_versions_is_told_as_ever() -> None:
    *_, newest = hearing(known(), burst())

    assert sorted(newest.labels) == ["service", "state", "topic"]


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(
            used("4.1", version="4.2"),
            "; 4 of 4 that name a version have 4.2, where 0% have it elsewhere",
            id="a version that others have not",
        ),
        pytest.param(used("4.2", version="4.2"), "", id="the version that all have"),
        pytest.param(used("4.1", ids="ab", version="4.2"), "", id="two are no pattern"),
        pytest.param(
            used("", n=0, version="4.2"), "; 4 of 4 that name a version have 4.2", id="nobody else names one"
        ),
    ],
)
def test_only_what_is_unusual_is_put_into_words(found: Affected, words: str) -> None:
    assert found.told(SURGE).reason == SURGE.reason + words


def test_several_versions_are_named_the_most_frequent_first() -> None:
    found = Affected()
    for id, version in zip("abcd", ("4.1", "4.2", "4.2", "4.1"), strict=True):
        found.hear(id, {"version": version})

    assert found.told(SURGE).labels["version"] == "4.1 (2), 4.2 (2)"


def test_what_is_known_has_a_bound_and_survives_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(affected, "MAX_KEPT", 3)
    found = used("4.1", version="4.2", region="x" * 500)

    again: Affected = snapshot.load(snapshot.dump(found))

    assert list(again.said) == ["b", "c", "d"]
    assert dict(again.usual[0]) == {"4.2": 3}
    assert [len(name) for name in again.usual[2]] == [affected.MAX_TEXT]


def test_a_complaint_read_twice_counts_once() -> None:
    found = Affected()

    for _ in range(3):
        found.hear("a", {"version": "4.2"})

    assert found.usual[0]["4.2"] == 1


def test_topics_tell_versions_platforms_and_regions() -> None:
    state = known()
    hearing(state, burst(version="4.2.0", platform="android", region="eu"))

    topic = next(t for t in state.topics.listed(NOW + 600) if t.versions)

    assert (topic.versions, topic.platforms, topic.regions) == (
        (("4.2.0", 8),),
        (("android", 8),),
        (("eu", 8),),
    )


def test_the_door_takes_where_a_customer_uses_us_with_personal_data_masked() -> None:
    body = b'{"customer": "acme", "text": "it hangs", "version": "4.2.0", "region": "12 Old Mill Road, Hull"}'

    (frame,) = door.decode(body, {}, NOW, config.Limits()).frames

    assert dict(frame.events[0].labels) == {"customer": "acme", "version": "4.2.0", "region": "<address>"}
