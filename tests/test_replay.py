"""A recording goes the whole trip: the files say what happened, and the same files come twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipeline import config
from pipeline.commands.replay import command
from pipeline.config import Config
from pipeline.flow import Pipeline
from pipeline.ingest.recording import Recording
from pipeline.run.replay import replay
from pipeline.types import Incident, Reason, Seconds, Step
from tests.recordings import bad_deploy, fault_time, quiet_hours

FILES = ("incidents.jsonl", "signals.jsonl", "actions.jsonl", "summary.json")
INCIDENT = {
    "id", "opened_at", "paged_at", "resolved_at", "priority", "title", "services", "suspects", "customers",
    "complaints", "first_signal_at", "first_complaint_at", "lead_s", "signals", "timeline",
}  # fmt: skip
BEGAN = fault_time()
PLAYBOOK = """\
name: rollback-deploy
what: Rolls a service back.
when: {suspect: change, service: payment}
mode: auto
blast_radius: {services: 1, runs_per_hour: 2}
cooldown: 30m
steps:
  - do: http
    what: Drain it
    args: {method: POST, url: "http://127.0.0.1:1/{service}/drain"}
    undo: {do: nothing, what: Nothing to undo}
  - do: http
    what: Roll it back
    args: {method: POST, url: "http://127.0.0.1:1/{service}/rollback"}
    undo: {do: nothing, what: Nothing to undo}
verify: {hold: 20s, within: 3m}
"""


def unseen(at: Seconds, counted: Counter[str]) -> None:
    """Follow nothing."""


def run(folder: Path, out: Path) -> dict[str, Any]:
    recording = Recording(folder)
    return replay(recording, settings(folder), out, unseen)


def settings(folder: Path) -> Config:
    return config.load(catalog=folder / "catalog.yaml")


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bad_deploy(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def out(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    run(shop, out)
    return out


@pytest.fixture(scope="module")
def paged(out: Path) -> list[dict[str, Any]]:
    return [i for i in rows(out / "incidents.jsonl") if i["paged_at"] is not None]


def test_a_bad_deploy_pages_once_within_minutes_and_names_the_deploy(paged: list[dict[str, Any]]) -> None:
    [incident] = paged

    assert BEGAN < incident["paged_at"] <= BEGAN + 180
    assert (incident["suspects"][0]["service"], incident["suspects"][0]["change"]) == ("payment", "deploy-42")
    assert "before the first signal" in incident["suspects"][0]["reason"]
    assert incident["services"][0] == "payment"


def test_the_page_came_before_the_customers_and_their_complaints_are_on_it(
    paged: list[dict[str, Any]],
) -> None:
    [incident] = paged

    assert {c for c in incident["complaints"] if c.startswith("upset-")} == {f"upset-{k}" for k in range(6)}
    assert incident["first_complaint_at"] == BEGAN + 180
    assert incident["lead_s"] == incident["first_complaint_at"] - incident["paged_at"] > 0


def test_every_paged_incident_is_told_to_be_over(paged: list[dict[str, Any]]) -> None:
    for incident in paged:
        assert incident["resolved_at"] is not None
        assert incident["timeline"][-1]["what"].startswith("told that it is over")


def test_an_incident_has_the_fields_that_the_scorer_and_the_readme_name(out: Path) -> None:
    found = rows(out / "incidents.jsonl")

    assert found
    for incident in found:
        assert set(incident) == INCIDENT
        assert all(set(e) == {"at", "what", "suspects"} for e in incident["timeline"])
        assert all(set(s) == {"service", "change", "score", "reason"} for s in incident["suspects"])


def test_signals_are_written_once_each_and_incidents_name_them(out: Path) -> None:
    ids = [s["id"] for s in rows(out / "signals.jsonl")]

    assert len(ids) == len(set(ids))
    assert {s for i in rows(out / "incidents.jsonl") for s in i["signals"]} <= set(ids)


def test_the_summary_counts_what_the_files_hold(out: Path) -> None:
    summary = json.loads((out / "summary.json").read_text())
    incidents = rows(out / "incidents.jsonl")

    assert summary["events"] == {"sample": 7200, "line": 3660, "change": 2, "complaint": 15}
    assert summary["signals"] == len(rows(out / "signals.jsonl"))
    assert summary["incidents"] == len(incidents)
    assert summary["actions"] == len(rows(out / "actions.jsonl"))
    assert summary["pages"] == 1
    assert summary["lead_s"]["p50"] == next(i["lead_s"] for i in incidents if i["lead_s"])
    assert summary["compression"] == round(1 - len(incidents) / summary["signals"], 4)


def test_the_same_recording_twice_gives_the_same_bytes(shop: Path, out: Path, tmp_path: Path) -> None:
    run(shop, tmp_path)

    for name in FILES:
        assert (tmp_path / name).read_bytes() == (out / name).read_bytes(), name


def test_a_restore_in_the_middle_changes_nothing(shop: Path) -> None:
    frames = list(Recording(shop).frames())
    cuts = {len(frames) // 3, *(k for k, f in enumerate(frames) if BEGAN + 90 <= f.at < BEGAN + 130)}
    whole = cut = Pipeline(settings(shop))
    cut = Pipeline(settings(shop))

    for k, frame in enumerate(frames):
        if k in cuts:
            cut = Pipeline.restore(settings(shop), cut.snapshot())
        assert plain(cut.take(frame, k)) == plain(whole.take(frame, k))


def test_quiet_hours_page_nobody(tmp_path: Path) -> None:
    summary = run(quiet_hours(tmp_path / "quiet"), tmp_path / "out")

    assert summary["pages"] == 0


def test_one_cause_never_pages_twice(shop: Path) -> None:
    pipeline = Pipeline(settings(shop))
    reasons: Counter[tuple[str, Reason]] = Counter()

    for k, frame in enumerate(Recording(shop).frames()):
        step = pipeline.take(frame, k)
        assert step is not None
        reasons.update((id, v.reason) for id, v in step.verdicts.items() if v.act)

    assert [n for (_, reason), n in reasons.items() if reason is Reason.NEW] == [1]
    assert [n for (_, reason), n in reasons.items() if reason is Reason.RESOLVED] == [1]


def test_all_a_playbook_would_do_is_written_though_nothing_is_done(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "forewarn.yaml").write_text("shipped: true\nplaybooks: [book.yaml]\n")
    (tmp_path / "book.yaml").write_text(PLAYBOOK)
    loaded = config.load(tmp_path / "forewarn.yaml", catalog=shop / "catalog.yaml")

    replay(Recording(shop), loaded, tmp_path / "out", unseen)

    steps = [a["args"]["url"] for a in rows(tmp_path / "out" / "actions.jsonl") if a["kind"] == "step"]
    assert steps == ["http://127.0.0.1:1/payment/drain", "http://127.0.0.1:1/payment/rollback"]


def test_the_command_writes_files_and_keeps_stdout_empty(shop: Path, out: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(shop), "--out", str(tmp_path)])

    assert (result.exit_code, result.stdout) == (0, "")
    assert "1 pages" in result.stderr
    assert (tmp_path / "incidents.jsonl").read_bytes() == (out / "incidents.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("speed", "said"),
    [
        pytest.param("fast", 'expected "max" or a number above 0, got "fast"', id="a word"),
        pytest.param("0", 'expected "max" or a number above 0, got "0"', id="standing still"),
        pytest.param("nan", 'expected "max" or a number above 0, got "nan"', id="no number"),
    ],
)
def test_a_wrong_speed_says_what_is_expected(tmp_path: Path, speed: str, said: str) -> None:
    result = CliRunner().invoke(command, [str(tmp_path), "--speed", speed])

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_folder_that_is_no_recording_is_one_sentence_and_exit_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path)])

    assert result.exit_code == 1
    assert "not a recording" in result.stderr


@pytest.mark.shared_data
def test_real_faults_are_paged_with_their_service_first(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "recordings" / "OB-1"
    truth = json.loads((folder / "labels.json").read_text())

    summary = run(folder, tmp_path)

    found = [i for i in rows(tmp_path / "incidents.jsonl") if i["paged_at"] is not None]
    hits = [hit(fault, found) for fault in truth["faults"]]
    assert sum(h is not None for h in hits) >= 20
    named = sum(
        h is not None and h["services"][0] == f["service"] for h, f in zip(hits, truth["faults"], strict=True)
    )
    assert named >= 18
    assert summary["pages"] <= len(truth["faults"]) + len(truth["unlabelled_suspected"]) + 3


def hit(fault: dict[str, Any], incidents: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the incident paged during a fault, or within two minutes of its end."""
    span = (fault["inject_time"], fault["end_time"] + 120)
    return next((i for i in incidents if span[0] <= i["paged_at"] <= span[1]), None)


def plain(step: Step | None) -> str:
    """Return a step as text that is the same for equal steps, NaN and arrays included."""
    assert step is not None
    incidents: tuple[Incident, ...] = step.incidents
    return repr((step.signals, step.complaints, incidents, dict(step.verdicts), step.actions, step.runs))
