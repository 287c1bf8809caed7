"""What begins together beyond chance belongs together; people join and part incidents, and are minded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.correlate import habits as module
from pipeline.correlate import parts
from pipeline.correlate.habits import MAX_KINDS, MAX_RECENT, MAX_WITH, OFTEN, WINDOW, Habits, surprise
from pipeline.correlate.state import LINKABLE
from pipeline.types import Incident, Seconds, State
from tests.nouns import Desk, command, complaint, over, signal

DAY = 86400.0


def episode(desk: Desk, when: Seconds, *services: str) -> list[Incident]:
    """Let signals of services begin and end, and return the incidents that were opened for them."""
    before = {i.id for i in desk.all}
    begun = [signal(service, when) for service in services]
    desk.step(when, begun)
    desk.step(when + 60, [over(s, when + 60) for s in begun])
    desk.step(when + 600)
    return [i for i in desk.all if i.id not in before]


def test_what_has_begun_together_time_and_again_is_one_incident_though_nothing_calls_the_other() -> None:
    desk = Desk()
    for day in range(OFTEN):
        assert len(episode(desk, day * DAY, "payment", "mailer")) == 2

    [incident] = episode(desk, OFTEN * DAY, "payment", "mailer")

    assert {s.service for s in incident.signals} == {"payment", "mailer"}
    assert any(
        "cpu_ratio of payment and cpu_ratio of mailer began together 3 of the 3 times" in e.what
        for e in incident.timeline
    )
    assert desk.state.habits.joined == 1


def test_what_begins_all_the_time_belongs_to_nothing() -> None:
    desk = Desk()
    for k in range(200):
        episode(desk, k * 900.0, "mailer")
    for day in range(OFTEN):
        episode(desk, 2 * DAY + day * DAY, "mailer", "payment")
    for k in range(200):
        episode(desk, 6 * DAY + k * 900.0, "mailer")

    assert len(episode(desk, 9 * DAY, "payment", "mailer")) == 2


def test_an_outage_of_everything_teaches_nothing() -> None:
    habits = Habits()
    for day in range(OFTEN + 2):
        for k in range(MAX_RECENT + 10):
            habits.hear(signal(f"svc-{k}", day * DAY))

    late = signal(f"svc-{MAX_RECENT + 5}", 9 * DAY)

    assert list(habits.partners(late)) == []


def test_what_two_kinds_share_is_chance_until_it_is_not() -> None:
    assert surprise(1, 1.0) == pytest.approx(0.199, abs=1e-3)
    assert surprise(3, 0.01) == pytest.approx(6.78, abs=0.01)


def test_a_person_merges_two_incidents_and_the_next_time_they_are_one_at_once() -> None:
    desk = Desk()
    bad = [signal("payment", 0), signal("mailer", 0)]
    desk.step(0, bad)
    pay, mail = desk.all

    desk.step(10, events=[command("merge", 10, incident=mail.id, into=pay.id)])

    [left] = desk.open
    assert {s.service for s in left.signals} == {"payment", "mailer"}
    assert any("ada says that they are one" in e.what for e in left.timeline)
    desk.step(60, [over(s, 60) for s in bad])
    desk.step(700)
    [after] = episode(desk, DAY, "payment", "mailer")
    assert any("a person joined" in e.what for e in after.timeline)


def test_a_merge_is_taken_back_with_its_signals_and_complaints() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    desk.step(10, [signal("inventory", 10)], [complaint("c1", 70, "inventory")])
    first, second = desk.all
    desk.step(20, [signal("checkout", 20)])
    assert desk.known[second.id].state is State.RESOLVED

    desk.step(30, events=[command("split", 30, incident=first.id, out=second.id)])

    again = desk.known[second.id]
    assert (again.state, again.by, again.resolved) == (State.ACKNOWLEDGED, "ada", None)
    assert [s.service for s in again.signals] == ["inventory"]
    assert again.complaints == ("c1",)
    assert desk.known[first.id].complaints == ()
    assert {s.service for s in desk.known[first.id].signals} == {"payment", "checkout"}


def test_of_two_that_paged_the_one_that_paged_first_survives_a_merge() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    desk.step(10, [signal("mailer", 10)])
    pay, mail = desk.all
    desk.state.keep([replace(pay, paged=30.0), replace(mail, paged=20.0)])

    desk.step(40, events=[command("merge", 40, incident=mail.id, into=pay.id)])

    assert [i.id for i in desk.open] == [mail.id]


def test_what_was_given_back_and_still_burns_is_not_forgotten_with_what_is_over() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    desk.step(10, [signal("mailer", 10)])
    pay, mail = desk.all
    desk.step(20, events=[command("merge", 20, incident=mail.id, into=pay.id)])
    desk.step(30, events=[command("split", 30, incident=pay.id, out=mail.id)])

    later = 30 + 2 * LINKABLE
    desk.step(later, [signal("inventory", later)])
    desk.step(later + 1, [over(signal("mailer", 10), later + 1)])

    assert desk.known[mail.id].signals[0].ended == later + 1
    assert len(desk.open) == 3


def test_what_stood_behind_and_is_split_off_holds_the_rest_open_no_longer() -> None:
    desk = Desk()
    strong = [signal("payment", 0, f"m{k}", surprise=20 + k) for k in range(150)]
    desk.step(0, strong)
    desk.step(5, [signal("mailer", 5, f"m{k}", surprise=10 + k / 1000) for k in range(150)])
    pay, mail = desk.all
    desk.step(10, events=[command("merge", 10, incident=mail.id, into=pay.id)])

    desk.step(20, events=[command("split", 20, incident=pay.id, out=mail.id)])
    desk.step(30, [over(s, 30) for s in strong])
    desk.step(1_000)

    assert [i.id for i in desk.open] == [mail.id]
    assert len(desk.known[mail.id].signals) == 150


def test_a_complaint_that_names_no_service_stays_where_it_is_when_a_service_is_split_off() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0), signal("checkout", 5)], [complaint("c1", 10, "checkout")])
    [both] = desk.all
    desk.state.heard[both.id] = (*desk.state.heard[both.id], complaint("c2", 10))

    desk.step(20, events=[command("split", 20, incident=both.id, out="payment")])

    assert [c.id for c in desk.state.heard[both.id]] == ["c1", "c2"]


def test_what_a_person_parted_is_not_bridged_again() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    desk.step(10, [signal("inventory", 10)])
    first, second = desk.all
    desk.step(20, [signal("checkout", 20)])
    desk.step(30, events=[command("split", 30, incident=first.id, out=second.id)])

    desk.step(40, [signal("checkout", 40, "latency_s")])

    assert {i.id for i in desk.open} == {first.id, second.id}


def test_a_service_split_off_is_an_incident_of_its_own_that_its_next_signal_joins() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0), signal("checkout", 5)])
    [both] = desk.all

    desk.step(10, events=[command("split", 10, incident=both.id, out="payment")])
    desk.step(20, [signal("payment", 20, "latency_s")])

    [new] = [i for i in desk.open if i.id != both.id]
    assert [s.labels["__name__"] for s in new.signals] == ["cpu_ratio", "latency_s"]
    assert [s.service for s in desk.known[both.id].signals] == ["checkout"]
    assert any(f"split off {new.id}" in e.what for e in desk.known[both.id].timeline)


def test_an_incident_is_not_merged_into_itself() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    [known] = desk.all

    desk.step(10, events=[command("merge", 10, incident=known.id, into=known.id)])

    assert desk.open[0].timeline[-1].what == f"not merged into {known.id}, as ada asked: it is this one"


def test_what_came_by_habit_and_is_split_off_counts_against_it_and_is_not_joined_again() -> None:
    desk = Desk()
    for day in range(OFTEN):
        episode(desk, day * DAY, "payment", "mailer")
    at = OFTEN * DAY
    desk.step(at, [signal("payment", at), signal("mailer", at)])
    [both] = desk.open

    desk.step(at + 10, events=[command("split", at + 10, incident=both.id, out="payment")])

    assert (desk.state.habits.joined, desk.state.habits.parted) == (1, 1)
    desk.step(at + 70, [over(signal(s, at), at + 70) for s in ("payment", "mailer")])
    desk.step(at + 700)
    assert len(episode(desk, at + DAY, "payment", "mailer")) == 2


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(("merge", {"into": "nowhere"}), "not merged into nowhere", id="into what is not open"),
        pytest.param(("split", {"out": "mailer"}), "mailer not split off", id="what is none of it"),
        pytest.param(("split", {"out": "payment"}), "payment not split off", id="all of it"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    asked: tuple[str, dict[str, str]], said: str
) -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0)])
    [known] = desk.all
    do, more = asked

    desk.step(10, events=[command(do, 10, incident=known.id, **more)])

    [now] = desk.open
    assert now.signals == known.signals
    assert any(said in e.what for e in now.timeline)


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 5000)), max_size=120))
def test_habits_are_bounded_symmetric_and_survive_a_snapshot(begun: list[tuple[int, float]]) -> None:
    habits = Habits()
    for k, when in sorted(begun, key=lambda b: b[1]):
        habits.hear(signal(f"svc-{k}", when))

    assert len(habits.seen) <= MAX_KINDS
    assert all(len(held) <= MAX_WITH for held in habits.pairs.values())
    assert all(habits.pairs[b][a] == n for a, held in habits.pairs.items() for b, n in held.items())
    assert len(habits.recent) <= MAX_RECENT
    assert snapshot.load(snapshot.dump(habits)) == habits


def test_a_kind_that_is_long_unheard_is_forgotten_with_its_pairs() -> None:
    habits = Habits()
    habits.hear(signal("old", 0))
    habits.hear(signal("older", 1))
    for k in range(MAX_KINDS):
        habits.hear(signal(f"svc-{k}", 1000 + k * (WINDOW + 1)))

    assert "old: cpu_ratio" not in habits.seen
    assert habits.pairs == {}


def test_how_often_chance_would_bring_two_kinds_together_is_told() -> None:
    habits = Habits()
    for day in range(3):
        habits.hear(signal("payment", day * DAY))
        habits.hear(signal("mailer", day * DAY + 5))
    habits.hear(signal("mailer", 2.5 * DAY))

    [(other, why)] = habits.partners(signal("payment", 3 * DAY))

    assert other == "mailer: cpu_ratio"
    assert why.endswith("began together 3 of the 3 times that the rarer one did, by chance it would be 0.022")


@pytest.mark.parametrize(("every", "known"), [(900.0, 0), (DAY, 1)])
def test_so_many_times_together_are_habit_only_where_chance_would_not_do_it(every: float, known: int) -> None:
    habits = Habits()
    for k in range(OFTEN):
        habits.hear(signal("payment", k * every))
        habits.hear(signal("mailer", k * every))

    assert len(list(habits.partners(signal("payment", OFTEN * every)))) == known


def test_of_too_many_partners_the_least_often_seen_goes_and_never_the_newest() -> None:
    habits = Habits()
    for k in range(MAX_WITH):
        for again in range(1 if k == 3 else 2):
            habits.hear(signal("payment", (2 * k + again) * DAY))
            habits.hear(signal(f"svc-{k:02}", (2 * k + again) * DAY))
    habits.hear(signal("payment", 99 * DAY))
    habits.hear(signal("newest", 99 * DAY))

    held = habits.pairs["payment: cpu_ratio"]
    assert len(held) == MAX_WITH
    assert "newest: cpu_ratio" in held
    assert "svc-03: cpu_ratio" not in held


def test_what_people_ruled_and_what_came_by_habit_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_RULED", 4)
    monkeypatch.setattr(module, "MAX_WITH", 2)
    monkeypatch.setattr(module, "MAX_CAME", 2)
    habits = Habits()
    for k in range(3):
        habits.rule([signal("payment", k)], [signal(f"svc-{k}", k)], True)
        habits.join(signal(f"svc-{k}", k))

    assert list(habits.ruled["payment: cpu_ratio"]) == ["svc-1: cpu_ratio", "svc-2: cpu_ratio"]
    assert list(habits.ruled) == [f"{x}: cpu_ratio" for x in ("svc-0", "svc-1", "payment", "svc-2")]
    habits.rule([signal("payment", 9)], [signal("svc-9", 9)], False)
    assert "svc-0: cpu_ratio" not in habits.ruled
    assert len(habits.ruled) == 4
    assert len(habits.came) == 2
    habits.part(signal("svc-0", 0))  # too long ago to be known
    habits.part(signal("svc-2", 2))
    assert habits.told() == (3, 1)


def test_complaints_go_with_the_service_that_is_split_off() -> None:
    desk = Desk()
    desk.step(0, [signal("payment", 0), signal("checkout", 5)])
    [both] = desk.all
    said = [complaint("c1", 20, "payment"), complaint("c2", 20, "checkout")]
    desk.step(20, [], said)
    assert set(desk.known[both.id].complaints) == {"c1", "c2"}

    desk.step(30, events=[command("split", 30, incident=both.id, out="payment")])

    [new] = [i for i in desk.open if i.id != both.id]
    assert new.complaints == ("c1",)
    assert desk.known[both.id].complaints == ("c2",)


def test_what_was_merged_too_long_ago_can_no_longer_be_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "MAX_MERGED", 1)
    desk = Desk()
    for k, service in enumerate(("payment", "mailer", "search")):
        desk.step(k, [signal(service, k)])
    into, first, second = desk.all
    for k, one in enumerate((first, second)):
        desk.step(10 + k, events=[command("merge", 10 + k, incident=one.id, into=into.id)])

    desk.step(20, events=[command("split", 20, incident=into.id, out=first.id)])
    desk.step(30, events=[command("split", 30, incident=into.id, out=second.id)])

    assert {i.id for i in desk.open} == {into.id, second.id}
