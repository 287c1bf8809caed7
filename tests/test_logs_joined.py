"""The frames of a stack trace belong to the line before them, however streams are mixed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.logs.joined import Head, begun, continued, follow, join_lines
from pipeline.logs.shape import uncoloured
from pipeline.types import Lines
from tests.test_logs import QUIET, Feed

TEXT = st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=40)
JAVA = (
    "ERROR order 7 failed",
    "\tat com.shop.Order.pay(Order.java:17)",
    "Caused by: java.io.IOException: reset",
    "\tat java.base/java.net.Socket.read(Socket.java:9)",
    "\t... 12 more",
)
PYTHON = (
    "ERROR order 7 failed",
    "Traceback (most recent call last):",
    '  File "/srv/pay.py", line 17, in pay',
    "    raise ValueError(order)",
    "ValueError: 7",
)
GO = (
    "panic: runtime error: index out of range",
    "",
    "goroutine 1 [running]:",
    "main.pay(0xc000010, 0x7)",
    "\t/srv/pay.go:17 +0x1d",
    "created by main.main in goroutine 1",
    "exit status 2",
)
NET = (
    "fail: Shop.Order[0]",
    "   System.InvalidOperationException: empty",
    "   at Shop.Order.Pay(Int32 id) in /srv/Order.cs:line 17",
    "   --- End of inner exception stack trace ---",
    "at Shop.Program.Main()",
)
CHAINED = (
    *PYTHON,
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    *PYTHON[1:],
)
NODE = (
    "Error: ENOENT: no such file",
    "    at async main (/srv/a.js:3:4) {",
    "  code: 'ENOENT'",
    "}",
)
RUBY = ("pay.rb:17:in `pay': empty (RuntimeError)", "\tfrom pay.rb:20:in `<main>'")
RUST = (
    "thread 'main' panicked at src/pay.rs:17:5:",
    "stack backtrace:",
    "   0: pay::run",
    "             at ./pay.rs:17",
)


def of(*texts: str, row: int = 0, time: float = 0.0) -> Lines:
    n = len(texts)
    return Lines(np.full(n, row, np.int32), np.full(n, time), texts, ("",) * n)


@pytest.mark.parametrize(
    "trace",
    [
        pytest.param(JAVA, id="java"),
        pytest.param(PYTHON, id="python"),
        pytest.param(GO, id="go"),
        pytest.param(NET, id=".NET"),
        pytest.param(CHAINED, id="python, an exception while another was handled"),
        pytest.param(NODE, id="node, the error's own fields below its frames"),
        pytest.param(RUBY, id="ruby"),
    ],
)
def test_a_stack_trace_is_one_line(trace: tuple[str, ...]) -> None:
    assert join_lines(of("started", *trace, "stopped")).text == ("started", trace[0], "stopped")


def test_the_frames_of_rust_are_numbered() -> None:
    assert join_lines(of("ERROR pay failed", *RUST[1:])).text == ("ERROR pay failed",)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        pytest.param(
            "started", "Traceback (most recent call last):", id="a trace below what is no error is news"
        ),
        pytest.param("ERROR x", "java.io.IOException: reset", id="an exception has a template of its own"),
        pytest.param("ERROR x", "at last the order was paid", id="a sentence"),
        pytest.param("  padded 1", "  padded 2", id="as many blanks as the line before"),
        pytest.param("header", "  17 rows read", id="a padded number"),
        pytest.param("ERROR x", "", id="an empty line"),
        pytest.param("started", "}", id="a bracket that no trace opened"),
        pytest.param("ERROR x", "ValueError: 7", id="no traceback came before it"),
    ],
)
def test_what_is_no_continuation_begins_anew(before: str, line: str) -> None:
    assert follow(begun(before), line) is None


def test_the_line_after_a_traceback_begins_anew() -> None:
    assert join_lines(of(*PYTHON, "started: yes")).text == (PYTHON[0], "started: yes")


@given(
    st.lists(
        st.sampled_from((*JAVA, *CHAINED, *GO, *NODE, "\x1b[31m\tat x\x1b[0m", " \r", "started\r")) | TEXT
    ),
    st.integers(0, 30),
)
def test_blocks_of_a_stream_are_joined_as_its_lines_are_wherever_they_are_cut(
    lines: list[str], cut: int
) -> None:
    head: Head | None = None
    kept = []
    for at, line in enumerate(lines):
        after = follow(head, uncoloured(line.encode()).decode()) if head is not None else None
        head = after or begun(uncoloured(line.encode()).decode())
        kept += [] if after is not None else [at]
    blocks = ["".join(line + "\n" for line in part).encode() for part in (lines[:cut], lines[cut:])]

    first, between = continued(None, blocks[0])
    second, end = continued(between, blocks[1])

    assert {*range(len(lines))} - {*first, *(len(lines[:cut]) + at for at in second)} == {*kept}
    assert end == head


def test_streams_that_come_mixed_keep_their_traces_apart() -> None:
    lines = Lines(
        np.array([0, 1, 0, 1], np.int32), np.zeros(4), (JAVA[0], "cache hit", JAVA[1], JAVA[1]), ("",) * 4
    )

    assert join_lines(lines).text == (JAVA[0], "cache hit")


def test_a_second_later_it_is_another_line() -> None:
    lines = Lines(np.zeros(2, np.int32), np.array([0.0, 1.5]), JAVA[:2], ("error", ""))

    assert join_lines(lines) is lines


def test_a_trace_is_one_template_of_its_service() -> None:
    feed = Feed()
    feed.run(3600, *QUIET)

    said = feed.run(10, *QUIET, *JAVA)

    assert [s.series for s in said if s.detector == "new template"] == ["ERROR order <*> failed"]
    assert feed.state.dropped["continued line"] == 2 * (len(JAVA) - 1)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from((*JAVA, *PYTHON, *GO, *NET, "", " x")) | st.text()))
)
def test_how_streams_are_mixed_is_irrelevant(lines: list[tuple[int, str]]) -> None:
    n = len(lines)
    mixed = join_lines(
        Lines(np.array([r for r, _ in lines], np.int32), np.zeros(n), tuple(t for _, t in lines), ("",) * n)
    )
    apart = {row: join_lines(of(*(t for r, t in lines if r == row), row=row)).text for row in range(4)}

    for row, texts in apart.items():
        assert tuple(t for r, t in zip(mixed.series.tolist(), mixed.text, strict=True) if r == row) == texts
        assert len(texts) == 0 or texts[0] == next(t for r, t in lines if r == row)


@given(st.text(), st.sampled_from(["", "any", "python", "go"]), st.text() | st.from_regex(r"[ \t]*\S+"))
def test_any_two_lines_are_decided(head: str, block: str, line: str) -> None:
    found = follow(Head(head, block), line)

    assert found is None or found.line == head


@pytest.mark.parametrize(
    ("head", "below"),
    [
        pytest.param("accepted 3 orders", "  order 7 shipped", id="a sender that indents"),
        pytest.param("started", "    listening on 8080", id="a list below no error"),
    ],
)
def test_an_indented_line_below_an_ordinary_one_is_a_line_of_its_own(head: str, below: str) -> None:
    assert join_lines(of(head, below)).text == (head, below)


@pytest.mark.parametrize("head", ["ERROR order 7 failed", "headers sent:", "body was {"])
def test_an_indented_line_below_an_error_or_an_opening_belongs_to_it(head: str) -> None:
    assert join_lines(of(head, "  cause = timeout")).text == (head,)
