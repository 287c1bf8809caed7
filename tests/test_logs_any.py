"""Whatever bytes and times come in as lines: no crash, bounded, the same again, whoever comes first."""

from __future__ import annotations

import codecs
import json
import math
import tracemalloc
from typing import BinaryIO, cast

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline import snapshot
from pipeline.commands.logs import BLOCK, _whole, command
from pipeline.logs import LogState, read_lines
from pipeline.logs.templates import Templates, template_of, text_of
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines, Seconds, Signal
from tests.soak import times
from tests.test_logs import QUIET, START, Feed

YEAR_1754 = -6_795_364_578.0
WORDS = st.sampled_from(
    (*QUIET, "ERROR x 1", "\tat a.b(c.java:1)", "\x1b[31mERROR\x1b[0m x 2", "\ufeff付款失败 7", "")
)
TEXT = WORDS | st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))
TIME = st.sampled_from((0.0, 3.0, -400.0, 86_400.0, YEAR_1754 - START, math.inf, -math.inf, math.nan))
LINE = st.tuples(st.integers(0, 2), TIME, TEXT, st.sampled_from(("", "info", "error", "critical")))


def feed(
    state: LogState, series: Series, lines: list[tuple[int, float, str, str]], now: Seconds
) -> list[Signal]:
    columns = Lines(
        np.array([row for row, *_ in lines], np.int32),
        np.array([START + time for _, time, _, _ in lines]),
        tuple(text for _, _, text, _ in lines),
        tuple(severity for *_, severity in lines),
    )
    return list(read_lines(state, Batch(lines=columns), series, now))


def three() -> Series:
    series = Series()
    series.intern([pack({"service": name}) for name in ("pay", "cart", "")])
    return series


@settings(max_examples=times(60), deadline=None)
@given(st.lists(st.lists(LINE, max_size=12), max_size=6))
def test_any_lines_at_any_time_give_the_same_again_across_a_snapshot(
    batches: list[list[tuple[int, float, str, str]]],
) -> None:
    one, two, series = LogState(), LogState(), three()

    for k, lines in enumerate(batches):
        now = START + 200.0 * k
        said = feed(one, series, lines, now)
        two = snapshot.load(snapshot.dump(two))

        assert feed(two, series, lines, now) == said
        assert all(math.isfinite(s.since) and math.isfinite(s.surprise) and s.since <= now for s in said)


@settings(max_examples=times(40), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), TEXT), min_size=1, max_size=20), st.randoms(use_true_random=False)
)
def test_which_source_is_read_first_is_irrelevant(lines: list[tuple[int, str]], chance: object) -> None:
    texts = [text for _, text in lines]
    apart = [text for _, text in sorted(lines, key=lambda line: line[0])]
    mixed, sorted_ = Templates(), Templates()

    ids = dict(zip(texts, [template_of(mixed, text) for text in texts], strict=True))
    again = dict(zip(apart, [template_of(sorted_, text) for text in apart], strict=True))

    assert ids == again


def test_a_line_of_the_year_1754_is_counted_as_late_and_changes_nothing() -> None:
    known, plain = Feed(), Feed()
    for each in (known, plain):
        each.run(1800, *QUIET)

    said = known.read("ERROR zero time", late=START - YEAR_1754)

    assert said == ()
    assert known.state.dropped["late line"] == 1
    assert known.run(60, *QUIET) == plain.run(60, *QUIET)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("\x1b[1;31mERROR\x1b[0m disk 1 is full", id="colours"),
        pytest.param("\x1b[38:5:9mERROR\x1b[m disk 1 is full", id="one of 256, as ISO 8613-6 has it"),
        pytest.param("\x1b[31mERROR\x1b(B\x1b[m disk 1 is full", id="tput sgr0"),
        pytest.param("\x1b]8;;http://a/b\x1b\\ERROR\x1b]8;;\x07 disk 1 is full", id="a link"),
    ],
)
def test_what_a_terminal_obeys_makes_no_other_template(line: str) -> None:
    state = Templates()

    ids = [template_of(state, each) for each in (line, "ERROR disk 2 is full")]

    assert ids[0] == ids[1]
    assert text_of(state, ids[0]) == "ERROR disk <*> is full"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"ERROR payload " + b"x" * 1_000_000, id="one word of a megabyte"),
        pytest.param(b"ERROR payload " + b"7 " * 500_000, id="half a million numbers"),
        pytest.param(bytes(range(256)).replace(b"\n", b"") * 4_000, id="binary junk"),
        pytest.param("zahlung für 付款 ".encode("utf-16"), id="another encoding"),
    ],
)
def test_a_long_or_broken_line_is_one_line_with_a_short_template(line: bytes) -> None:
    line = line.replace(b"\n", b"")

    out = CliRunner().invoke(command, ["-"], input=b"start 1\n" + line + b"\nstart 2\n")

    rows = [json.loads(row) for row in out.stdout_bytes.splitlines()]
    assert out.exit_code == 0
    assert [row["line"] for row in rows] == [1, 2, 3]
    assert rows[0]["template_id"] == rows[2]["template_id"] != rows[1]["template_id"]
    assert len(rows[1]["template"]) <= 3_100


class Endless:
    """Sixteen megabytes without a newline, then the end."""

    def __init__(self) -> None:
        self.left = 16 * 2**20

    def read(self, size: int) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return b"x" * size


def test_a_line_without_end_is_never_held_whole() -> None:
    tracemalloc.start()

    taken = [len(block) for block in _whole(cast(BinaryIO, Endless()))]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken == [BLOCK]
    assert peak < 6 * BLOCK


@settings(max_examples=times(30), deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_give_an_object_for_each_line(raw: bytes) -> None:
    assume(not raw.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)))

    out = CliRunner().invoke(command, ["-"], input=raw)

    assert out.exit_code == 0
    assert len(out.stdout_bytes.splitlines()) == raw.count(b"\n") + (not raw.endswith(b"\n") and raw != b"")
    assert CliRunner().invoke(command, ["-"], input=raw).stdout_bytes == out.stdout_bytes
    assert CliRunner().invoke(command, ["--top", "-"], input=raw).exit_code == 0
