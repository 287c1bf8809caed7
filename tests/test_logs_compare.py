"""What is new, rising, falling and vanished in one count of templates against another."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.commands import logs
from pipeline.commands.logs import command
from pipeline.logs import compare as module
from pipeline.logs.compare import OTHERS, Change, Counted, compare
from pipeline.logs.templates import Templates, text_of
from tests.soak import times

BEAT = b"heartbeat of worker 7 sent\n"
GET = b"GET /cart/17 200 in 12 ms\n"
HIT = b"cache hit for order 81\n"
PAID = b"order 4711 was paid\n"
BAD = b"ERROR gateway 10.0.0.7 refused order 4711\n"
USUAL = (BEAT + GET * 4 + HIT * 3 + PAID * 2) * 50


def told(before: bytes, after: bytes) -> list[tuple[str, str, int]]:
    return [(what, text, change.lines) for what, text, change in changes(before, after)]


def changes(before: bytes, after: bytes) -> list[tuple[str, str, Change]]:
    state, one, two = Templates(), Counted(), Counted()
    one.take(state, before)
    two.take(state, after)
    return [(c.what, text_of(state, c.id), c) for c in compare(one, two)]


def test_the_same_lines_again_are_no_news() -> None:
    assert told(USUAL, USUAL) == []


def test_twice_the_lines_of_everything_is_no_news() -> None:
    assert told(USUAL, USUAL * 2) == []


def test_what_was_never_said_is_new_and_what_is_said_no_more_has_vanished() -> None:
    after = USUAL.replace(BEAT, b"") + b"INFO schema migrated to 17\n" * 30

    assert sorted(told(USUAL, after)) == [
        ("new", "INFO schema migrated to <*>", 30),
        ("vanished", "heartbeat of worker <*> sent", 0),
    ]


def test_the_frames_of_a_new_trace_are_no_news_besides_its_line() -> None:
    trace = BAD + b"\tat shop.Pay.call(Pay.java:17)\n\tat shop.Pay.main(Pay.java:9)\n"

    found = changes(USUAL, USUAL + trace * 20)

    assert [(what, text, change.lines) for what, text, change in found] == [
        ("new", "ERROR gateway <*> refused order <*>", 20)
    ]
    assert found[0][2].sample == BAD.decode().strip()


def test_more_and_fewer_are_told_with_what_was_expected() -> None:
    found = {(what, text): c for what, text, c in changes(USUAL, USUAL.replace(HIT * 3, HIT) + PAID * 600)}

    rising = found["rising", "order <*> was paid"]
    assert rising.lines == 700
    assert rising.expected == pytest.approx(0.5 * (1 + 1 / 3 + 1) * 100.5, rel=0.2)
    assert found["falling", "cache hit for order <*>"].lines == 50


def test_a_flood_of_one_does_not_make_all_others_fall() -> None:
    assert [what for what, _, _ in told(USUAL, USUAL + b"WARN retry of job 12\n" * 5_000)] == ["new"]


def test_an_error_that_came_once_is_told_and_another_line_is_not() -> None:
    assert told(USUAL, USUAL + BAD + b"INFO schema migrated to 17\n") == [
        ("new", "ERROR gateway <*> refused order <*>", 1)
    ]


def test_a_few_lines_before_are_little_to_go_by() -> None:
    assert told(USUAL + BAD * 3, USUAL + BAD * 12) == []
    assert told(USUAL.replace(BEAT, BEAT + BAD), USUAL.replace(BEAT, BEAT + BAD * 4)) != []


def test_lines_that_always_came_in_clumps_may_come_in_one_more() -> None:
    clumps = (USUAL + HIT * 400 + USUAL * 3) * 4

    assert told(clumps, clumps + HIT * 400) == []
    assert [what for what, _, _ in told(USUAL * 16, USUAL * 16 + HIT * 4_000)] == ["rising"]


def test_the_most_surprising_comes_first() -> None:
    found = changes(USUAL, USUAL + b"job a begun\n" * 20 + b"job b ended\n" * 90)

    assert [text for _, text, _ in found] == ["job b ended", "job a begun"]
    assert found[0][2].surprise > found[1][2].surprise > 3


@pytest.mark.parametrize("lines", [1, 2, 63, 64, 65, 1_000, 4_321])
def test_halves_hold_all_lines_between_them(lines: int) -> None:
    counted = Counted()
    counted.take(Templates(), GET * lines)

    early, late = counted.halves()

    assert counted.lines == lines
    assert early.lines + late.lines == lines
    assert 0 <= early.lines - late.lines <= max(1, lines // 15)
    assert sum(sum(each.values()) for each in late.slices) == late.lines


def test_templates_past_the_bound_are_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TEMPLATES", 2)
    counted = Counted()

    counted.take(Templates(), BEAT + GET + HIT * 5 + PAID)

    assert sum(each[OTHERS] for each in counted.slices) == 6
    assert len(counted.first) == 2


@settings(max_examples=times(40), deadline=None)
@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=60), st.integers(1, 9))
def test_any_bytes_are_counted_alike_however_they_are_cut(lines: list[bytes], size: int) -> None:
    whole, cut = Counted(), Counted()
    blocks = [b"\n".join(lines[k : k + size]) + b"\n" for k in range(0, len(lines), size)]
    if lines:
        whole.take(Templates(), b"\n".join(lines) + b"\n")
    state = Templates()
    for block in blocks:
        cut.take(state, block)

    assert cut == whole
    assert len(whole.slices) <= module.MAX_SLICES
    assert compare(whole, whole) == [] or whole.lines < 2


def test_the_command_holds_one_file_against_another(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(USUAL)
    (tmp_path / "b.log.gz").write_bytes(
        gzip.compress(USUAL + b"ERROR mail to ann@example.com bounced\n" * 40)
    )

    out = CliRunner().invoke(
        command, ["--top", str(tmp_path / "b.log.gz"), "--against", str(tmp_path / "a.log")]
    )

    assert out.exit_code == 0
    lines = out.stdout.splitlines()
    assert lines[0].endswith("b.log.gz, 540 lines, against " + str(tmp_path / "a.log") + ", 500 lines")
    assert lines[2] == "new: 1"
    assert lines[4].split()[0] == "40"
    assert lines[5].strip() == "such as: ERROR mail to <email> bounced"


def test_the_command_holds_the_second_half_against_the_first_and_says_when_nothing_is() -> None:
    risen = CliRunner().invoke(command, ["--top", "-"], input=USUAL * 6 + BAD * 90 + USUAL * 4)
    calm = CliRunner().invoke(command, ["--top", "-"], input=USUAL * 4)
    none = CliRunner().invoke(command, ["--top", "-"], input=b"")

    assert "new: 1" in risen.stdout
    for out in (calm, none):
        assert out.stdout.splitlines()[1:] == [
            "Nothing is new, rising, falling or vanished beyond what chance explains."
        ]


@pytest.mark.parametrize(
    ("args", "why"),
    [
        pytest.param(["-", "--against", "-"], "--against: needs --top", id="no --top"),
        pytest.param(["--top", "-", "--against", "-"], "a pipe is read once", id="one pipe for both"),
    ],
)
def test_the_command_says_what_does_not_go_together(args: list[str], why: str) -> None:
    out = CliRunner().invoke(command, args)

    assert out.exit_code == 2
    assert why in out.output


def test_a_file_that_is_cut_says_so_after_its_lines(tmp_path: Path) -> None:
    noise = b"".join(b"%d %x\n" % (k, k**5) for k in range(99))
    (tmp_path / "cut.gz").write_bytes(gzip.compress(noise)[:-9])

    out = CliRunner().invoke(command, [str(tmp_path / "cut.gz")])

    assert out.exit_code == 1
    assert "cut.gz: not whole as .gz" in out.stderr


def test_what_a_terminal_would_obey_is_not_printed() -> None:
    out = CliRunner().invoke(
        command, ["--top", "-"], input=USUAL + "ERROR \x1b]0;x\x07 gone \u009b2J\n".encode()
    )

    assert "gone" in out.stdout
    assert "\x1b" not in out.stdout
    assert "\u009b" not in out.stdout


def test_a_line_without_end_is_cut_and_its_bytes_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "BLOCK", 8)
    reads = iter([b"a 1\nbbb", b"bbbbbbbb", b"bbbbbbbb", b"b\nc\n", b"d", b""])

    class Source(BytesIO):
        def read1(self, size: int | None = -1) -> bytes:
            return next(reads)

    assert list(logs._whole(Source())) == [b"a 1\n", b"bbbbbbbb\nc\n", b"d"]


def test_a_reader_sees_a_line_before_the_next_one_is_written() -> None:
    forewarn = [sys.executable, "-m", "pipeline", "logs", "-"]
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(forewarn, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=buffered) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        said = []
        for line in (b"start 1\n", b"stop 2\n"):
            running.stdin.write(line)
            running.stdin.flush()
            said.append(running.stdout.readline())
        running.stdin.close()

    assert [b'"line":1' in said[0], b'"line":2' in said[1]] == [True, True]
