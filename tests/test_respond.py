"""The response, a timeline a test: who is told, what heals, what stops it. Every frame passes a snapshot."""

from __future__ import annotations

import pytest

from pipeline.correlate.picture import MAX_TIMELINE
from pipeline.respond.desk import MAX_UNSAID
from pipeline.types import Event, Reason, State, Verdict
from tests.response import Stage, answer, book, command, incident, outcome, over, signal

STEP = "payment-1/rollback/0"
UNDO = "payment-1/rollback/0/undo"


def test_a_bad_deploy_is_rolled_back_and_found_to_be_calm() -> None:
    stage = Stage(answer(book()))

    first = [a for a in stage.page(100) if a.kind == "step"]
    stage.at(101, outcome(STEP))
    stage.set(signals=over(120.0))
    stage.at(125)
    verifying = stage.run()
    stage.at(140)

    assert first[0].key == STEP
    assert first[0].do == "http"
    assert first[0].args == {"url": "http://deployer/payment/rollback", "json": {"change": "d-42"}}
    assert first[0].what == "Roll payment back behind d-42"
    assert verifying == "waiting"
    assert stage.run() == "done"
    assert stage.told[1:] == [
        "Telling oncall by webhook: new",
        "Playbook rollback: Roll payment back behind d-42: 200 OK",
        "Playbook rollback: verifies: the signals of payment must end within 3m and stay so for 20s",
        "Playbook rollback: calm again",
        "Playbook rollback: done",
    ]


def test_the_next_step_waits_for_the_outcome_of_the_one_before() -> None:
    two = [
        {"do": "http", "what": "One.", "args": {"url": "http://a/"}, "undo": {"do": "nothing", "what": "-"}},
        {"do": "http", "what": "two", "args": {"url": "http://b/"}, "undo": {"do": "nothing", "what": "-"}},
    ]
    stage = Stage(answer(book(steps=two)))
    stage.page(100)
    stage.at(110)
    before = stage.steps()

    stage.at(111, outcome(STEP))

    assert before == ["rollback/0"]
    assert stage.steps() == ["rollback/0", "rollback/1"]
    assert "Playbook rollback: One: 200 OK" in stage.told


def test_an_outcome_that_comes_twice_counts_once() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))
    told = stage.told

    stage.at(102, outcome(STEP, ok=False), outcome("payment-1/other/0"))

    assert stage.told == told
    assert stage.run() == "waiting"


def test_the_outcome_of_another_action_moves_nothing() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(101, outcome("payment-1/other/0"), outcome("cart-1/rollback/0", ok=False))

    assert stage.run() == "running"


def test_a_failed_step_is_undone_because_it_may_have_done_something() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(130, outcome(STEP, ok=False, detail="no answer within 30 s"))
    undoing = stage.run()
    stage.at(131, outcome(UNDO))

    assert stage.steps() == ["rollback/0", "rollback/0/undo"]
    assert undoing == "undoing"
    assert stage.run() == "undone"
    assert "Playbook rollback: failed: Roll payment back behind d-42: no answer within 30 s" in stage.told


def test_a_refused_step_did_nothing_and_is_not_undone() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(101, outcome(STEP, ok=False, detail="answered 409", effect="none"))

    assert stage.steps() == ["rollback/0"]
    assert stage.run() == "failed"


def test_an_interrupted_step_is_never_run_again_but_undone() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(200, outcome(STEP, ok=False, detail="interrupted"))

    assert stage.steps() == ["rollback/0", "rollback/0/undo"]


def test_a_step_that_no_word_came_back_of_is_given_up_and_undone() -> None:
    stage = Stage(answer(book()))
    stage.page(100)

    stage.at(190)
    before = stage.run()
    stage.at(191)

    assert before == "running"
    assert stage.run() == "undoing"
    assert "no word came back of it" in stage.told[-1]


def test_what_is_not_back_in_time_is_undone_and_people_are_told() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))

    stage.at(281)
    stage.at(282, outcome(UNDO))

    assert stage.run() == "undone"
    assert (
        'Playbook rollback: failed: not back within 3m: 1 still on, first latency{service="payment"}'
        in stage.told
    )
    assert stage.pages()[-1] == ("oncall", "playbook failed")


def test_calm_must_hold_for_as_long_as_was_asked() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))
    stage.set(signals=over(110.0))

    stage.at(129)
    before = stage.run()
    stage.at(130)

    assert before == "waiting"
    assert stage.run() == "done"


def test_a_signal_that_comes_back_starts_the_calm_anew() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))
    stage.set(signals=over(110.0))
    stage.at(115)
    stage.set(signals=(signal(),))

    stage.at(135)

    assert stage.run() == "waiting"


def test_an_undo_that_fails_leaves_the_run_failed_and_says_so() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(130, outcome(STEP, ok=False))

    stage.at(131, outcome(UNDO, ok=False, detail="answered 500"))

    assert stage.run() == "failed"
    assert "Playbook rollback: undo: Deploy d-42 again: answered 500" in stage.told


def test_undo_goes_backwards_one_step_at_a_time() -> None:
    def step(n: int) -> dict[str, object]:
        undo = {"do": "http", "what": f"undo {n}", "args": {"url": "http://a/"}}
        return {"do": "http", "what": f"step {n}", "args": {"url": "http://a/"}, "undo": undo}

    stage = Stage(answer(book(steps=[step(0), step(1), step(2)])))
    stage.page(100)
    for k in range(2):
        stage.at(101 + k, outcome(f"payment-1/rollback/{k}"))
    stage.at(103, outcome("payment-1/rollback/2", ok=False))
    stage.at(104, outcome("payment-1/rollback/2/undo"))
    stage.at(105, outcome("payment-1/rollback/1/undo"))
    stage.at(106, outcome("payment-1/rollback/0/undo"))

    assert stage.steps()[3:] == ["rollback/2/undo", "rollback/1/undo", "rollback/0/undo"]
    assert stage.run() == "undone"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({"paged": None}, Verdict(False, Reason.TENTATIVE), id="not paged"),
        pytest.param({}, Verdict(False, Reason.SILENCED), id="silenced"),
        pytest.param({}, Verdict(False, Reason.MAINTENANCE), id="in maintenance"),
        pytest.param({}, Verdict(False, Reason.INHIBITED), id="a symptom of another"),
        pytest.param({"signals": over(99.0)}, None, id="already quiet"),
        pytest.param({"suspects": ()}, None, id="no change suspected"),
        pytest.param({"state": State.RESOLVED}, None, id="over"),
    ],
)
def test_no_playbook_starts_on_an_incident_that_is(
    changes: dict[str, object], verdict: Verdict | None
) -> None:
    stage = Stage(answer(book()), incident(paged=99.0))
    stage.set(**changes)

    stage.at(100, verdict=verdict)

    assert stage.steps() == []


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        pytest.param({"service": "pay.*"}, True, id="service by regex"),
        pytest.param({"service": "pay"}, False, id="the whole name must match"),
        pytest.param({"suspect": "service"}, False, id="a change is suspected"),
        pytest.param({"change": ["config"]}, False, id="another kind of change"),
        pytest.param({"priority": ["P1", "P2"]}, True, id="priority"),
        pytest.param({"priority": ["P3"]}, False, id="another priority"),
        pytest.param({"signal": ["log"]}, False, id="no such signal"),
        pytest.param({"signal": ["metric"], "series": "^latency"}, True, id="signal and series"),
        pytest.param({"series": "errors"}, False, id="another series"),
    ],
)
def test_a_playbook_fits_when_all_that_it_asks_holds(when: dict[str, object], fits: bool) -> None:
    stage = Stage(answer(book(when=when)))

    stage.page(100)

    assert bool(stage.steps()) is fits


def test_a_dry_run_shows_what_it_would_do_and_does_nothing() -> None:
    stage = Stage(answer(book(mode="dry_run")))

    stage.page(100)
    stage.at(101)

    assert stage.steps() == []
    assert stage.run() == "dry run"
    assert stage.told[0] == "Playbook rollback: would: Roll payment back behind d-42"
    assert len([line for line in stage.told if "would" in line]) == 2


def test_a_service_with_a_nasty_name_reaches_the_url_quoted() -> None:
    stage = Stage(answer(book()), incident(service="a/../b?x=1#"))

    stage.page(100)

    assert stage.actions[0].args["url"] == "http://deployer/a%2F..%2Fb%3Fx%3D1%23/rollback"


def test_a_service_named_like_a_parent_folder_stops_the_run() -> None:
    stage = Stage(answer(book()), incident(service=".."))

    stage.page(100)

    assert stage.steps() == []
    assert 'url: service is "..", which would climb the path' in " ".join(stage.told)


def test_what_a_person_resolved_is_not_healed_any_further() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    stage.at(101, outcome(STEP))

    stage.at(110, command("resolve"))

    assert stage.run() == "stopped"


def test_words_of_a_run_reach_the_timeline_when_its_incident_is_next_at_hand() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    away, stage.incident = stage.incident, incident("other-1", "other", suspects=())
    stage.at(101, outcome(STEP))
    stage.incident = away

    stage.at(102)

    assert "Playbook rollback: Roll payment back behind d-42: 200 OK" in stage.told


def test_answers_that_nobody_waits_for_fill_neither_the_timeline_nor_the_state() -> None:
    stage = Stage(answer(book()))
    stage.page(100)
    asked = [Event("command", f"c{k}", 101, {"do": "deny", "incident": "payment-1"}) for k in range(900)]

    for k in range(0, 900, 30):
        stage.at(101 + k / 30, *asked[k : k + 30])
    away, stage.incident = stage.incident, incident("other-1", "other", suspects=())
    stage.at(140, *asked)

    assert len(away.timeline) <= MAX_TIMELINE
    assert [len(lines) for lines in stage.state.unsaid.values()] == [MAX_UNSAID]
    assert stage.state.dropped["timeline entries"] == 900 - MAX_UNSAID


def test_a_page_after_its_incident_was_forgotten_has_a_key_of_its_own() -> None:
    stage = Stage(answer())
    first = {a.key for a in stage.page(100)}
    stage.state.notes.clear()  # as ten thousand later incidents do

    again = stage.at(20_000, verdict=Verdict(True, Reason.REPEAT, because="still on"))

    assert [a.kind for a in again] == ["notify"]
    assert first.isdisjoint(a.key for a in again)
