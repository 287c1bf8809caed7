"""The benchmark's scores of a replay: what counts as found, false, again, soon and rightly attached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks._incidents_given import _farthest, _robust
from benchmarks._incidents_score import GRACE, SOON, Truth, match, score, shifted, suspects_at

FAULT = {"fault_id": "f1", "service": "payment", "inject_time": 1000.0, "end_time": 1180.0}
LATER = {"fault_id": "f2", "service": "cart", "inject_time": 5000.0, "end_time": 5180.0}
DOUBTFUL = {"start": 8000.0, "end": 8100.0}
TRUTH = Truth(
    0.0, 86400.0, [FAULT, LATER], [DOUBTFUL], {"c1": "f1", "c2": "f1"}, {"c1": 1100.0, "c2": 1200.0}
)


def incident(paged: float | None, first: str = "payment", complaints: tuple[str, ...] = ()) -> dict[str, Any]:
    timeline = [{"at": paged, "what": "paged", "suspects": [first]}, {"at": paged, "what": "said"}]
    return {"paged_at": paged, "timeline": timeline, "complaints": list(complaints)}


@pytest.mark.parametrize(
    ("at", "found", "false", "second"),
    [
        pytest.param([1060.0], 1, 0, 0, id="while the fault is on"),
        pytest.param([1180.0 + GRACE], 1, 0, 0, id="just after its end"),
        pytest.param([1181.0 + GRACE], 0, 1, 0, id="too long after its end"),
        pytest.param([1060.0, 1090.0], 1, 0, 1, id="twice for one fault"),
        pytest.param([8050.0], 0, 0, 0, id="at what the source may have left unlabelled"),
        pytest.param([-5.0], 0, 0, 0, id="before the evaluation"),
        pytest.param([None], 0, 0, 0, id="never paged"),
    ],
)
def test_a_page_is_found_false_or_again(at: list[float | None], found: int, false: int, second: int) -> None:
    outcomes, *wrong = match(TRUTH, [incident(t) for t in at])

    assert sum(o.incident is not None for o in outcomes) == found
    assert wrong == [false, second]


def test_a_page_led_by_complaints_of_a_fault_covers_it_for_half_an_hour() -> None:
    outcomes, false, _ = match(TRUTH, [incident(2500.0, complaints=("c1", "c2"))])

    assert outcomes[0].incident is not None
    assert false == 0


def test_the_scores_of_one_right_page_one_wrong_one_and_a_fault_missed() -> None:
    found = score([(TRUTH, [incident(1060.0, complaints=("c1",)), incident(20000.0)])])

    assert (found.found, found.first, found.false) == (0.5, 0.5, 1)
    assert found.delays == (60.0,)
    assert (found.machine, found.attached, found.right) == (1.0, 0.5, 1.0)


def test_the_ranking_that_counts_is_the_newest_by_then() -> None:
    told = incident(1060.0, "cart")
    told["timeline"].append({"at": 1060.0 + SOON, "what": "ranked", "suspects": ["payment", "cart"]})

    assert suspects_at(told, 1060.0 + SOON) == ["payment", "cart"]
    assert suspects_at(told, 1061.0) == ["cart"]
    assert suspects_at(told, 1000.0) == []


def test_a_shift_moves_all_that_was_said_and_stays_within_the_evaluation() -> None:
    (moved,) = shifted(TRUTH, [incident(86000.0)], 1000.0)

    assert moved["paged_at"] == pytest.approx(600.0)
    assert moved["timeline"][0]["at"] == pytest.approx(600.0)


def test_the_peers_score_by_the_farthest_and_by_the_middle_of_the_window() -> None:
    quiet = np.array([1.0, 2.0, 3.0, 4.0, 5.0])

    assert _farthest(np.array([3.0, 9.0]), quiet) == pytest.approx(3.0)
    assert _robust(np.array([3.0, 9.0]), quiet) == pytest.approx(3 / 1.4826)
    assert _farthest(np.array([7.0]), np.ones(9)) == pytest.approx(6.0)
