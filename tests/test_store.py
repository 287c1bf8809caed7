"""The contract of every store found by name: durable, exact, the same step twice changes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import kinds
from pipeline.store import MAX_EVIDENCE, MAX_VERDICTS, Store
from pipeline.store import sqlite as sqlite_store
from pipeline.types import (
    Action,
    Complaint,
    Entry,
    Event,
    Evidence,
    Incident,
    Outcome,
    Reason,
    Run,
    Signal,
    State,
    Step,
    Suspect,
    Verdict,
)

NAN = float("nan")
SIGNAL = Signal(
    "s1", "metric", "pay", 'latency{service="pay"}', {"service": "pay"}, "seasonal", 90.0, 100.0,
    7.5, 0.9, 0.1, True, "9 times the usual",
)  # fmt: skip
CHANGE = Event("change", "c1", 80.0, {"service": "pay", "kind": "deploy"}, "pay 2.4.1")
INCIDENT = Incident(
    "i1", 100.0, 100.0, "pay is slow", "P1", ("pay", "cart"), (SIGNAL,),
    suspects=(Suspect("pay", 4.2, "deployed 10 s before", "c1"),), changes=(CHANGE,), complaints=("m1",),
    customers=("acme",), timeline=(Entry(100.0, "opened", ("pay",)),), first_signal=90.0, rev=1,
)  # fmt: skip
COMPLAINT = Complaint("m1", 110.0, "acme", "mail", "en", "cannot pay", "payment", "", (("pay", 0.8),))
ACTION = Action(
    "i1/notify/ops", "i1", "notify", "webhook", {"url_file": "x", "n": 1, "to": ["a"]}, "tell", 100.0
)
RUN = Run("i1/rollback", "i1", "rollback", "running", 0, 100.0, 100.0, (Entry(100.0, "started"),))
COMMAND = Event("command", "k1", 105.0, {"do": "silence", "incident": "i1", "by": "ann"}, until=4000.0)
STEP = Step(
    100.0, (SIGNAL,), (COMPLAINT,), (INCIDENT,), {"i1": Verdict(True, Reason.NEW, because="first seen")},
    (ACTION,), (RUN,), (CHANGE,), commands=(COMMAND,), heard={"pay": 99.5},
)  # fmt: skip


@pytest.fixture(params=kinds.names("pipeline.store"))
def kind(request: pytest.FixtureRequest) -> Any:
    return kinds.find("pipeline.store", request.param)


@pytest.fixture
async def store(kind: Any, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Store = kind.open(tmp_path)
    yield opened
    await opened.close()


def chunk(times: list[float], value: float = 1.0) -> Evidence:
    time = np.array(times)
    column = np.full(len(times), value)
    return Evidence("s1", time, column, column, column - 1, column + 1)


async def test_records_come_back_as_they_went_in(store: Store) -> None:
    await store.record(STEP, 1)

    assert await store.incident("i1") == INCIDENT
    assert await store.incidents() == (INCIDENT,)
    assert await store.verdicts("i1") == ((100.0, Verdict(True, Reason.NEW, because="first seen")),)
    assert await store.actions("i1") == ((ACTION, "waiting", None),)
    assert await store.runs("i1") == await store.runs() == (RUN,)
    assert await store.complaints(["m1", "unknown"]) == (COMPLAINT,)
    assert await store.changes(80.0) == (CHANGE,)
    assert await store.commands(105.0) == (COMMAND,)
    assert await store.heard() == {"pay": 99.5}
    assert await store.incident("unknown") is None
    assert await store.evidence("unknown") is None


async def test_not_known_yet_stays_not_known_yet(store: Store) -> None:
    vague = replace(SIGNAL, observed=NAN, surprise=float("inf"), expected=np.float64(0.25))

    await store.record(Step(100.0, incidents=(replace(INCIDENT, signals=(vague,)),)), 1)

    found = await store.incident("i1")
    assert found is not None
    assert np.isnan(found.signals[0].observed)
    assert found.signals[0].surprise == float("inf")
    assert found.signals[0].expected == 0.25


async def test_the_same_step_twice_changes_nothing_and_acts_once(store: Store) -> None:
    step = replace(STEP, evidence=(chunk([100.0]),))

    first = await store.record(step, 1)
    second = await store.record(step, 1)

    assert (first, second) == ((ACTION,), ())
    assert len(await store.verdicts("i1")) == 1
    assert len(await store.actions("i1")) == 1
    found = await store.evidence("s1")
    assert found is not None
    assert found.time.tolist() == [100.0]


async def test_only_new_actions_come_back_in_their_order(store: Store) -> None:
    await store.record(STEP, 1)
    b, a = replace(ACTION, key="b"), replace(ACTION, key="a")

    new = await store.record(Step(101.0, actions=(b, ACTION, a)), 2)

    assert new == (b, a)
    assert await store.waiting() == (ACTION, b, a)


async def test_an_older_word_never_replaces_a_newer_one(store: Store) -> None:
    newer = replace(INCIDENT, rev=5, state=State.RESOLVED, resolved=200.0)
    await store.record(Step(200.0, incidents=(newer,), runs=(replace(RUN, state="done"),)), 9)

    await store.record(STEP, 1)

    assert await store.incident("i1") == newer
    assert (await store.runs("i1"))[0].state == "done"


async def test_open_incidents_are_those_not_resolved_newest_first(store: Store) -> None:
    older = replace(INCIDENT, id="i0", opened=50.0)
    over = replace(INCIDENT, id="i2", opened=150.0, state=State.RESOLVED, resolved=160.0)

    await store.record(Step(200.0, incidents=(older, INCIDENT, over)), 1)

    assert [i.id for i in await store.incidents(open_only=True)] == ["i1", "i0"]
    assert [i.id for i in await store.incidents(limit=2)] == ["i2", "i1"]


async def test_a_claim_is_given_once(store: Store) -> None:
    await store.record(STEP, 1)

    claims = await asyncio.gather(*(store.claim(ACTION.key, 101.0) for _ in range(5)))

    assert sorted(claims) == [False, False, False, False, True]
    assert await store.waiting() == ()
    assert await store.interrupted() == (ACTION,)


async def test_an_action_that_no_step_had_cannot_be_claimed(store: Store) -> None:
    assert await store.claim("unheard of", 1.0) is False


@pytest.mark.parametrize(("ok", "state"), [(True, "done"), (False, "failed")])
async def test_a_finished_action_keeps_its_outcome(store: Store, ok: bool, state: str) -> None:
    outcome = Outcome(ok, "HTTP 200", 0.2, {"status": "200"})
    await store.record(STEP, 1)
    await store.claim(ACTION.key, 101.0)

    await store.finish(ACTION, outcome, 102.0)

    assert await store.actions("i1") == ((ACTION, state, outcome),)
    assert await store.interrupted() == ()


async def test_a_verdict_that_only_repeats_is_kept_once(store: Store) -> None:
    quiet = Verdict(False, Reason.NOTHING_NEW, because="0 new signals")
    again = replace(quiet, because="still 0 new signals")
    told = Verdict(True, Reason.REPEAT)

    for position, verdict in enumerate([quiet, again, told, told, quiet]):
        await store.record(Step(float(position), incidents=(INCIDENT,), verdicts={"i1": verdict}), position)

    assert [v for _, v in await store.verdicts("i1")] == [quiet, told, told, quiet]


async def test_verdicts_of_one_incident_are_bounded(store: Store) -> None:
    for position in range(MAX_VERDICTS + 3):
        told = Verdict(True, Reason.WORSE, because=str(position))
        await store.record(Step(float(position), verdicts={"i1": told}), position)

    found = await store.verdicts("i1")
    assert len(found) == MAX_VERDICTS
    assert found[0][1].because == "3"


async def test_evidence_grows_in_time_order_and_the_later_word_on_a_time_counts(store: Store) -> None:
    await store.record(Step(1.0, evidence=(chunk([1.0, 2.0, 3.0]),)), 1)
    await store.record(Step(2.0, evidence=(chunk([3.0, 4.0], NAN),)), 2)

    found = await store.evidence("s1")

    assert found is not None
    assert found.time.tolist() == [1.0, 2.0, 3.0, 4.0]
    np.testing.assert_array_equal(found.value, [1.0, 1.0, NAN, NAN])
    np.testing.assert_array_equal(found.upper, [2.0, 2.0, NAN, NAN])


async def test_evidence_of_one_signal_is_bounded_to_the_newest(store: Store) -> None:
    size = MAX_EVIDENCE // 2
    for k in range(6):
        await store.record(Step(1.0, evidence=(chunk([float(k * size + j) for j in range(size)]),)), k)

    found = await store.evidence("s1")

    assert found is not None
    assert len(found.time) == MAX_EVIDENCE
    assert found.time[-1] == 6 * size - 1


async def test_a_service_was_heard_when_it_last_spoke(store: Store) -> None:
    await store.record(Step(1.0, heard={"pay": 50.0, "cart": 40.0}), 1)
    await store.record(Step(2.0, heard={"pay": 45.0}), 2)

    assert await store.heard() == {"cart": 40.0, "pay": 50.0}


async def test_a_service_unheard_for_long_is_forgotten(store: Store) -> None:
    await store.record(Step(1.0, heard={"gone": 5.0, "pay": 50.0}), 1)

    await store.forget(10.0)

    assert await store.heard() == {"pay": 50.0}


async def test_the_version_moves_when_and_only_when_something_is_recorded(store: Store) -> None:
    before = await store.version()
    still = await store.version()
    await store.record(STEP, 1)

    assert before == still
    assert await store.version() != before


async def test_what_was_resolved_long_ago_is_forgotten_with_all_that_hangs_on_it(store: Store) -> None:
    over = replace(INCIDENT, state=State.RESOLVED, resolved=200.0)
    await store.record(replace(STEP, incidents=(over,), evidence=(chunk([100.0]),)), 1)

    assert await store.forget(200.0) == 0
    assert await store.forget(201.0) == 1
    assert await store.incidents() == ()
    left = [*await store.verdicts("i1"), *await store.actions("i1"), *await store.runs("i1")]
    assert [*left, *await store.complaints(["m1"]), *await store.changes(0.0)] == []
    assert await store.evidence("s1") is None


async def test_what_is_open_or_still_holds_is_never_forgotten(store: Store) -> None:
    await store.record(replace(STEP, evidence=(chunk([100.0]),)), 1)

    assert await store.forget(1000.0) == 0
    assert await store.complaints(["m1"]) == (COMPLAINT,)
    assert await store.changes(0.0) == (CHANGE,)
    assert await store.evidence("s1") is not None
    assert await store.commands(1000.0) == (COMMAND,), "the silence holds until 4000"
    assert await store.forget(5000.0) == 0
    assert await store.commands(0.0) == ()


async def test_the_kill_switch_is_never_forgotten(store: Store) -> None:
    stop = Event("command", "k2", 10.0, {"do": "stop", "by": "ann"})
    of_one_run = Event("command", "k3", 10.0, {"do": "stop", "incident": "i1", "playbook": "rollback"})
    await store.record(Step(10.0, commands=(stop, of_one_run)), 1)

    await store.forget(5000.0)

    assert await store.commands(5000.0) == (stop,)


async def test_a_reader_sees_whole_steps_while_another_writes(
    kind: Any, store: Store, tmp_path: Path
) -> None:
    reader: Store = kind.open(tmp_path)
    both = [
        replace(STEP, incidents=(replace(INCIDENT, rev=k),), runs=(replace(RUN, step=k),)) for k in range(20)
    ]

    async def write() -> None:
        for k, step in enumerate(both):
            await store.record(step, k)

    writing = asyncio.create_task(write())
    seen = []
    while not writing.done():
        run = await reader.runs("i1")
        incident = await reader.incident("i1")
        seen.append(incident is None or not run or incident.rev >= run[0].step)
    await writing
    await reader.close()

    assert all(seen)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from pipeline import kinds
from tests.test_store import ACTION, STEP

async def main():
    store = kinds.find("pipeline.store", sys.argv[1]).open(Path(sys.argv[2]))
    await store.record(STEP, 1)
    assert await store.claim(ACTION.key, 101.0)
    os._exit(9)

asyncio.run(main())
"""


async def test_what_was_recorded_and_claimed_survives_a_kill(kind: Any, tmp_path: Path) -> None:
    name = kind.__name__.rpartition(".")[2]
    root = Path(__file__).parents[1]
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", KILLED, name, str(tmp_path)], cwd=root, check=False
    )

    store: Store = kind.open(tmp_path)
    again = await store.record(STEP, 1)

    assert killed.returncode == 9
    assert again == ()
    assert await store.incident("i1") == INCIDENT
    assert await store.interrupted() == (ACTION,)
    assert await store.claim(ACTION.key, 103.0) is False
    await store.close()


async def test_a_step_that_cannot_be_kept_leaves_nothing_behind(store: Store) -> None:
    broken = replace(ACTION, args={"socket": object()})

    with pytest.raises(TypeError, match="a record holds object"):
        await store.record(replace(STEP, actions=(broken,)), 1)

    assert await store.incidents() == ()
    assert await store.record(STEP, 1) == (ACTION,)


async def test_a_full_disk_is_told_as_such_and_nothing_is_stuck_afterwards(tmp_path: Path) -> None:
    found = sqlite_store.open(tmp_path)
    pages = found._write_db.execute("PRAGMA page_count").fetchone()[0]
    found._write_db.execute(f"PRAGMA max_page_count = {pages}")
    huge = replace(STEP, incidents=(replace(INCIDENT, title="x" * 1_000_000),))

    with pytest.raises(sqlite3.OperationalError, match="full"):
        await found.record(huge, 1)
    found._write_db.execute("PRAGMA max_page_count = 1000000")

    assert await found.record(STEP, 1) == (ACTION,)
    await found.close()


async def test_a_file_of_another_version_is_refused_by_name(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "forewarn.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()

    with pytest.raises(
        ValueError, match=r"forewarn\.sqlite: written by another version: expected tables 1, found 99"
    ):
        kinds.find("pipeline.store", "sqlite").open(tmp_path)
