"""`forewarn replay --compare`: page by page, what other rules would have done to the same recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as some

from pipeline.commands.replay import command
from pipeline.run.compare import compare, table, totals
from tests.recordings import bad_deploy, fault_time

DEAF = """
watches:
  - {name: latency, metrics: [".*latency.*", "p\\\\d+.*"], surprise: 300}
  - {name: latency of the slowest, metrics: [".*p9\\\\d_latency.*"], surprise: 300}
  - {name: errors, metrics: [".*error.*"], surprise: 300}
  - {name: processor share, metrics: [".*cpu_ratio"], surprise: 300}
"""
PATIENT = """
watches:
  - {name: processor share, metrics: ["(.*_)?cpu_ratio"], detection_direction: above,
     min_dev_from_expected: 0.15, samples: 9, page: true}
"""


def page(
    id: str, at: float | None, service: str = "pay", until: float | None = None, **more: Any
) -> dict[str, Any]:
    return {
        "id": id, "paged_at": at, "resolved_at": until, "priority": "P3", "title": f"{service}: slow",
        "services": [service], "lead_s": None, **more,
    }  # fmt: skip


def verdicts(here: list[dict[str, Any]], there: list[dict[str, Any]]) -> list[tuple[str, float]]:
    return [(pair.verdict, pair.later) for pair in compare(here, there)]


def replay(shop: Path, tmp_path: Path, *words: str) -> Result:
    return CliRunner().invoke(command, [str(shop), "--out", str(tmp_path / "out"), *words])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad_deploy(tmp_path_factory.mktemp("shop"))


@pytest.mark.parametrize(
    ("here", "there", "found"),
    [
        pytest.param([page("a", 100)], [page("a", 100)], [("same", 0)], id="the same"),
        pytest.param([page("a", 100)], [page("b", 40)], [("earlier", -60)], id="a minute earlier"),
        pytest.param([page("a", 100)], [page("b", 160)], [("later", 60)], id="a minute later"),
        pytest.param([page("a", 100)], [], [("only here", 0)], id="one that the other has not"),
        pytest.param([], [page("a", 100)], [("only there", 0)], id="one that the other has, too"),
        pytest.param(
            [page("a", 100)], [page("b", 100, "cart")], [("only here", 0), ("only there", 0)],
            id="two services have nothing in common",
        ),
        pytest.param(
            [page("a", 100, until=200)], [page("b", 900)], [("only here", 0), ("only there", 0)],
            id="one was long over when the other came",
        ),
        pytest.param([page("a", 100, until=200)], [page("b", 450)], [("later", 350)], id="just over"),
        pytest.param(
            [page("a", 100), page("b", 300)], [page("c", 290)], [("only here", 0), ("earlier", -10)],
            id="one there stands for one here, the nearest",
        ),
        pytest.param(
            [page("a", 100), page("x", None)], [page("b", 100)], [("same", 0)],
            id="one that nobody was told of is no page",
        ),
    ],
)  # fmt: skip
def test_pages_are_paired_by_service_and_time(here: Any, there: Any, found: Any) -> None:
    assert verdicts(here, there) == found


def test_the_table_says_what_the_other_would_have_done_and_otherwise() -> None:
    both = page("b", 1_700_000_060.0, "cart", services=["cart", "pay"], priority="P1")

    lines = list(table(compare([page("a", 1_700_000_000.0)], [both, page("c", 1_700_000_100.0, "db")])))

    assert lines == [
        "here                 there                the other   service  what",
        "2023-11-14 22:13:20  2023-11-14 22:14:20  60 s later  pay      slow; first suspect cart, not pay; "
        "priority P1, not P3",
        "-                    2023-11-14 22:15:00  pages, too  db       slow",
        "1 pages here, 2 there: 0 the same, 0 earlier, 1 later, 0 only here, 1 only there; "
        "the middle one of both moves by +60 s",
    ]


pages = some.lists(
    some.builds(
        page, some.uuids().map(str), some.integers(0, 2000), some.sampled_from("abc"),
        some.one_of(some.none(), some.integers(2000, 3000)),
    ),
    max_size=8,
)  # fmt: skip


@given(pages, pages)
def test_no_page_is_lost_or_counted_twice_and_order_changes_nothing(here: Any, there: Any) -> None:
    pairs = compare(here, there)
    known = totals(pairs)

    assert [known["pages_here"], known["pages_there"]] == [len(here), len(there)]
    assert sorted(p.here["id"] for p in pairs if p.here) == sorted(i["id"] for i in here)
    assert sorted(p.there["id"] for p in pairs if p.there) == sorted(i["id"] for i in there)
    assert compare(here[::-1], there[::-1]) == pairs


@given(pages)
def test_the_same_rules_do_the_same(here: Any) -> None:
    assert {verdict for verdict, _ in verdicts(here, here)} <= {"same"}


def test_rules_that_are_deaf_page_late_for_customers_must_complain_first(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "deaf.yaml").write_text("shipped: false\nrules: [rules.yaml]\npolicy: {voices: 99}")
    (tmp_path / "rules.yaml").write_text(DEAF)

    done = replay(shop, tmp_path, "--compare", str(tmp_path / "deaf.yaml"), "--json")

    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert told["totals"] == {
        "pages_here": 1, "pages_there": 1, "same": 0, "earlier": 0, "later": 1, "only_here": 0,
        "only_there": 0, "later_median_s": 180.0,
    }  # fmt: skip
    assert told["pages"][0]["here"]["services"][0] == "payment"
    assert told["pages"][0]["differs"] == ["lead -40 s, not +140 s"], (
        "complaints alone come after the customer"
    )
    assert (tmp_path / "out" / "other" / "incidents.jsonl").exists()


def test_a_rule_file_is_compared_on_top_of_the_rules_in_use(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(PATIENT)

    done = replay(shop, tmp_path, "--compare", str(tmp_path / "mine.yaml"))

    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0].split() == ["here", "there", "the", "other", "service", "what"]
    assert lines[-1].startswith("1 pages here, 1 there: ")
    assert "payment" in lines[1]
    assert fault_time() > 0


def test_a_wrong_file_to_compare_with_is_named(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("watches: [{name: a, metrics: [b], surprice: 3}]")

    done = replay(shop, tmp_path, "--compare", str(tmp_path / "mine.yaml"))

    assert done.exit_code == 1
    assert 'mine.yaml: watches[0].surprice: unknown key; did you mean "surprise"?' in done.stderr


def test_json_without_a_comparison_is_refused(shop: Path, tmp_path: Path) -> None:
    done = replay(shop, tmp_path, "--json")

    assert done.exit_code == 2
    assert "--json prints a comparison: it needs --compare OTHER" in done.stderr
