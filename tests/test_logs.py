"""Log lines become templates, and signals where a bad one is new or more frequent than usual."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import logs, snapshot
from pipeline.commands import logs as module
from pipeline.commands.logs import command
from pipeline.logs import LogState, read_lines
from pipeline.logs.heard import OTHERS, Key
from pipeline.logs.severity import severity_of
from pipeline.logs.shape import mask
from pipeline.logs.templates import Templates, template_of, text_of
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines, Seconds, Signal
from tests.soak import times

START = 1_700_000_000.0
QUIET = ("GET /cart/17 200 in 12 ms", "cache hit for user 81")


class Feed:
    """Lines of one service, handed over a few seconds at a time as a door would."""

    def __init__(self, service: str = "pay") -> None:
        self.series = Series()
        self.row = int(self.series.intern([pack({"service": service})])[0])
        self.state = LogState()
        self.now = START

    def read(self, *texts: str, severity: str = "", late: Seconds = 0.0) -> tuple[Signal, ...]:
        n = len(texts)
        lines = Lines(np.full(n, self.row, np.int32), np.full(n, self.now - late), texts, (severity,) * n)
        return read_lines(self.state, Batch(lines=lines), self.series, self.now)

    def run(self, seconds: int, *texts: str) -> list[Signal]:
        """Read the texts every five seconds for so long."""
        said: list[Signal] = []
        for _ in range(seconds // 5):
            self.now += 5.0
            said += self.read(*texts)
        return said


def test_an_error_never_seen_is_a_signal_once_the_service_is_known() -> None:
    feed = Feed()
    quiet = feed.run(3600, *QUIET)

    said = feed.run(10, *QUIET, "ERROR card gateway 10.0.0.7 refused connection 4711")

    assert quiet == []
    new = next(s for s in said if s.detector == "new template")
    assert (new.kind, new.service, new.page) == ("log", "pay", False)
    assert new.series == "ERROR card gateway <*> refused connection <*>"
    assert new.reason == (
        "2 lines of pay in 60 s of a kind never seen there, error: "
        '"ERROR card gateway <*> refused connection <*>"'
    )


def test_a_new_info_line_is_no_signal() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    assert feed.run(600, *QUIET, "INFO schema migrated to 17") == []


def test_nothing_is_new_while_a_service_is_being_learned() -> None:
    feed = Feed()

    assert feed.run(110, "ERROR disk is full", *QUIET) == []


def test_errors_that_last_half_a_minute_page_and_end_when_quiet() -> None:
    feed = Feed()
    feed.run(3600, *QUIET, *QUIET)
    storm = ("ERROR card gateway 7 refused",) * 6

    said = feed.run(60, *QUIET, *storm)
    after = feed.run(240, *QUIET)

    surge = [s for s in said if s.detector == "errors"]
    assert surge[0].page is False
    assert surge[-1].page is True
    assert len({s.id for s in surge}) == 1
    assert "error lines of pay in 60 s" in surge[-1].reason
    ended = next(s for s in after if s.detector == "errors")
    assert (ended.id, ended.ended is not None) == (surge[0].id, True)
    assert feed.state.on == {}


def test_a_burst_of_errors_that_is_over_at_once_is_evidence_but_no_page() -> None:
    feed = Feed()
    feed.run(3600, *QUIET, *QUIET)

    said = feed.run(5, *("ERROR card gateway 7 refused",) * 40) + feed.run(60, *QUIET)

    assert "errors" in {s.detector for s in said}
    assert not any(s.page for s in said)


def test_the_second_storm_of_a_day_is_as_surprising_as_the_first() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)
    worst = []

    for _ in range(2):
        said = feed.run(900, *QUIET, *("ERROR card gateway 7 refused",) * 6)
        worst.append(max(s.surprise for s in said if s.detector == "errors"))
        feed.run(600, *QUIET)

    assert worst[1] > 0.7 * worst[0]


def test_a_template_five_times_as_frequent_is_a_signal_unless_all_traffic_is() -> None:
    alone, together = Feed(), Feed()
    for feed in (alone, together):
        feed.run(3600, *QUIET)

    risen = alone.run(60, *QUIET[:1], *(QUIET[1],) * 8)
    busy = together.run(60, *(QUIET * 8))

    assert {s.detector for s in risen} == {"template rate"}
    assert risen[0].series == "cache hit for user <*>"
    assert busy == []


def test_a_level_that_lasts_an_hour_is_the_new_usual() -> None:
    feed = Feed()
    feed.run(7200, *QUIET)

    feed.run(3800, *QUIET, *("ERROR card gateway 7 refused",) * 6)
    after = feed.run(3600, *QUIET, *("ERROR card gateway 7 refused",) * 6)

    assert feed.state.on == {}
    assert [s for s in after if s.ended is None] == []


def test_a_backlog_of_old_lines_is_not_a_storm() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    assert feed.read(*("ERROR card gateway 7 refused",) * 500, late=1200.0) == ()
    assert feed.state.dropped["late line"] == 500


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    straight, broken = Feed(), Feed()
    for feed in (straight, broken):
        feed.run(1800, *QUIET)
        feed.run(20, *QUIET, "ERROR a 1", "ERROR b 2")
    broken.state = snapshot.load(snapshot.dump(broken.state))

    told = [feed.run(600, *QUIET, *("ERROR a 1",) * 9, "a line nobody saw") for feed in (straight, broken)]

    assert told[0] == told[1]
    assert told[0] != []
    assert straight.state.tallies == broken.state.tallies
    assert straight.state.on == broken.state.on


def test_later_lines_never_change_what_was_said_before() -> None:
    short, long = Feed(), Feed()

    first = short.run(900, *QUIET) + short.run(60, *QUIET, "ERROR x 1")
    again = long.run(900, *QUIET) + long.run(60, *QUIET, "ERROR x 1")
    long.run(600, "ERROR y", "ERROR x 1")

    assert first == again


@pytest.mark.parametrize(
    ("line", "template"),
    [
        pytest.param("took 12 ms for 17 rows", "took <*> for <*> rows", id="numbers and units"),
        pytest.param("Sun Jul 10 03:55:15 2005 start", "<*> start", id="a date is one variable"),
        pytest.param("user=ann ok=true", "user=<*> ok=true", id="key=value, but not truth"),
        pytest.param("open /var/log/x.log: denied", "open <*>: denied", id="a path"),
        pytest.param("see https://a.example/b?c=1 now", "see <*> now", id="a URL"),
        pytest.param("trace deadbeefcafe lost", "trace <*> lost", id="hexadecimal"),
        pytest.param("VM Started", "VM Started", id="plain words stay"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_word_is_a_variable_by_its_shape(line: str, template: str) -> None:
    assert mask(line) == template


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        pytest.param("2026-11-22 10:00:00 ERROR x", "error", id="a shouted level"),
        pytest.param('{"level":"warn","msg":"x"}', "warning", id="a level in JSON"),
        pytest.param("[crit] x", "critical", id="a level in brackets"),
        pytest.param("INFO retry after failed call", "info", id="the level is stronger than the words"),
        pytest.param("connection refused by 10.0.0.1", "error", id="the words, where no level is"),
        pytest.param("java.lang.NullPointerException: x", "error", id="an exception"),
        pytest.param("finished, no errors", "", id="no errors is no error"),
        pytest.param("hello", "", id="nothing told"),
    ],
)
def test_the_line_itself_tells_its_severity(line: str, severity: str) -> None:
    assert severity_of(line) == severity


def test_words_that_differ_are_different_templates() -> None:
    state = Templates()

    ids = [template_of(state, f"[instance: {k}] VM {word}") for k, word in enumerate(["Started", "Paused"])]

    assert len(set(ids)) == 2
    assert text_of(state, ids[1]) == "[instance: <*>] VM Paused"


@settings(max_examples=times(60), deadline=None)
@given(st.lists(st.text(max_size=80) | st.text('ab0/=<*>"[]():. ', max_size=80), max_size=25))
def test_any_lines_are_taken_twice_alike_and_survive_a_snapshot(lines: list[str]) -> None:
    one, two = Templates(), Templates()
    half = len(lines) // 2

    first = [template_of(one, line) for line in lines]
    second = [template_of(two, line) for line in lines[:half]]
    two = snapshot.load(snapshot.dump(two))
    second += [template_of(two, line) for line in lines[half:]]

    assert first == second
    assert [template_of(one, line) for line in lines] == first


def test_a_flood_of_services_forgets_the_longest_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_TALLIES", 40)
    feed = Feed()

    for k in range(100):
        feed.now += 10.0
        feed.row = int(feed.series.intern([pack({"service": f"s{k}"})])[0])
        feed.read("hello")

    assert len(feed.state.tallies) <= 40
    assert Key("s99", OTHERS) in feed.state.tallies
    assert feed.state.dropped["idle template"] >= 160


def test_the_command_prints_one_object_a_line_in_order(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_bytes(b"start 1\r\nstop 2\n\nstart 3\n\xff\xfe bad bytes")

    out = CliRunner().invoke(command, [str(file)])

    rows = [json.loads(line) for line in out.stdout.splitlines()]
    assert out.exit_code == 0
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0] == {"line": 1, "template_id": rows[3]["template_id"], "template": "start <*>"}
    assert rows[1]["template"] == "stop <*>"


def test_the_command_reads_a_pipe() -> None:
    out = CliRunner().invoke(command, ["-"], input="a 1\na 2\n")

    assert [json.loads(line)["template"] for line in out.stdout.splitlines()] == ["a <*>", "a <*>"]


def test_a_packed_file_is_read_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "app.log.gz").write_bytes(gzip.compress(b"a 1\na 2\n"))

    out = CliRunner().invoke(command, [str(tmp_path / "app.log.gz")])

    assert [json.loads(line)["template"] for line in out.stdout.splitlines()] == ["a <*>", "a <*>"]


def test_the_lines_of_a_trace_have_the_id_of_their_line_wherever_the_reads_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.log"
    file.write_bytes(
        b"started 1\nERROR order 7 failed\n\tat a.B.c(B.java:1)\n\tat a.B.d(B.java:2)\nstarted 2\n"
    )
    whole = CliRunner().invoke(command, [str(file)])

    monkeypatch.setattr(module, "BLOCK", 32)
    parts = CliRunner().invoke(command, [str(file)])

    rows = [json.loads(line) for line in whole.stdout.splitlines()]
    assert [row["template"] for row in rows] == [
        "started <*>",
        *["ERROR order <*> failed"] * 3,
        "started <*>",
    ]
    assert [row["line"] for row in rows] == [1, 2, 3, 4, 5]
    assert [json.loads(line)["template_id"] for line in parts.stdout.splitlines()] == [
        row["template_id"] for row in rows
    ]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
@pytest.mark.parametrize("block", [5, 256 * 1024])
def test_a_byte_order_mark_tells_the_encoding(
    encoding: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK", block)
    raw = "Größe 付 1\r\nGröße 付 2\r\n".encode(encoding)

    out = CliRunner().invoke(command, ["-"], input=raw)

    rows = [json.loads(line) for line in out.stdout_bytes.splitlines()]
    assert [row["line"] for row in rows] == [1, 2]
    assert len({row["template_id"] for row in rows}) == 1
