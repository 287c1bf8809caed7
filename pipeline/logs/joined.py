"""Lines to the lines that begin something: the frames of a stack trace belong to the line before them."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from pipeline.logs.severity import severity_of
from pipeline.logs.shape import uncoloured
from pipeline.types import Lines, Seconds

WITHIN = 1.0  # s between two lines of one trace
LONG = 512  # characters of a line that are looked at

_FRAME = re.compile(
    r"at [\w$.<>/`@-]+ ?\(|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames)|--- End of |---> "
    r"|from \S+:\d+:in |note: run with `RUST_BACKTRACE|created by [\w./*()]+"
    r"|During handling of the above exception|The above exception was the direct cause"
)
_TRACE = re.compile(r"Traceback \(most recent call last\)|goroutine \d+ \[|stack backtrace:|Stack trace:")
_RAISED = re.compile(r"[A-Za-z_][\w.]*(?:: |$)")  # the last line of a Python traceback
_THROWN = re.compile(r"[A-Za-z_][\w.]*(?:Exception|Error)\b")
_CALL = re.compile(r"[\w./*()-]+\([^()]*\)$|goroutine \d+ \[|exit status \d")
# Each line that continues another begins so, or comes after one that does in its stream.
_BEGINS = (
    " ", "\t", "at ", "Caused by: ", "Suppressed: ", "... ", "--- End of ", "---> ", "from ",
    "note: run with ",
    "created by ", "During handling ", "The above ", "Traceback ", "goroutine ", "stack backtrace:",
    "Stack trace:", "panic: ",
)  # fmt: skip
_FIRST = frozenset(word[0] for word in _BEGINS)
_BYTES = tuple(word.encode() for word in _BEGINS)
_BLANKS = re.compile(r"[ \t]*")
_CLOSED = re.compile(r"[)\]}]*[;,]?")  # an empty line inside a trace, or the end of an object that it shows
# What begins so is a column of a table or a header whose first number is padded, but for the frames of Rust.
_PADDED = re.compile(r"[\[<(]?\d(?!\d*: )")


class Head(NamedTuple):
    """The line that began, and which sort of trace its lines are in: "", "any", "python" or "go"."""

    line: str
    block: str = ""


def follow(head: Head, line: str) -> Head | None:
    """Return the head as it stands after a line that continues it; None where the line begins anew.

    Decided by shape: a frame, a cause; blanks before it, below an error or a line that ends as if more came.
    A trace that begins without blanks continues an error only: elsewhere it is news and not to be hidden.

    >>> head = Head("ERROR order 7 failed")
    >>> follow(head, "\\tat com.shop.Order.pay(Order.java:17)")
    Head(line='ERROR order 7 failed', block='any')
    >>> follow(head, "java.io.IOException: reset"), follow(Head("started"), "goroutine 1 [running]:")
    (None, None)
    """
    line = line[:LONG].rstrip()
    blanks = len(_BLANKS.match(line)[0])  # type: ignore[index]  # it always matches
    rest = line[blanks:]
    if _CLOSED.fullmatch(rest):
        return head if head.block else None
    deeper = blanks > len(_BLANKS.match(head.line)[0])  # type: ignore[index]
    if deeper and not _PADDED.match(rest) and (_awaits_more(head) or _THROWN.match(rest)):
        return head if head.block else head._replace(block="any")
    if _FRAME.match(rest):
        return head if head.block else head._replace(block="any")
    if _TRACE.match(rest):
        known = head.block or severity_of(head.line) in ("error", "critical")
        block = "python" if rest[0] == "T" else "go" if rest[0] == "g" else "any"
        return head._replace(block=block) if known else None
    if head.block == "python" and _RAISED.match(rest):
        return head._replace(block="any")
    if head.block == "go" and _CALL.match(rest):
        return head
    return None


def _awaits_more(head: Head) -> bool:
    """Say whether indented lines belong to the head: below any other they are a sender's own style."""
    known = bool(head.block) or head.line.endswith((":", "{", "[", "(", ","))
    return known or severity_of(head.line) in ("error", "critical")


def begun(line: str) -> Head:
    """Return the head that a line is; one that begins a trace has its lines in that trace."""
    rest = line[:LONG].lstrip(" \t")
    python, go = rest.startswith("Traceback (most recent"), rest.startswith(("goroutine ", "panic: "))
    return Head(line[:LONG], "python" if python else "go" if go else "")


def continued(head: Head | None, block: bytes) -> tuple[list[int], Head | None]:
    """Return which lines of a stream's next block continue the line before them, and the head as it then is.

    Only their shape is known, not their time; the head is None before the first line.
    Cost: 0.1 us a line, 3 us a line of a trace.

    >>> continued(None, b"ERROR order 7 failed\\n\\tat com.shop.Order.pay(Order.java:17)\\nstarted\\n")
    ([1], Head(line='started', block=''))
    """
    lines = uncoloured(block).split(b"\n")
    if not lines[-1]:
        lines.pop()
    found: list[int] = []
    before: bytes | None = None  # the head, where it is a line of this block nobody had to look at yet
    for at, line in enumerate(lines):
        if not line.startswith(_BYTES) and (before is not None or head is None or not head.block):
            before = line
            continue
        text = _text(line)
        head = head if before is None else begun(_text(before))
        before = None
        after = follow(head, text) if head is not None else None
        if after is not None:
            found.append(at)
        head = after or begun(text)
    return found, head if before is None else begun(_text(before))


def _text(line: bytes) -> str:
    return line[: 4 * LONG].decode("utf-8", "replace")


def join_lines(lines: Lines) -> Lines:
    """Return the lines without those that continue the one before in their stream and within a second.

    A trace that the batch cuts in two goes on as lines of its own. Cost: 0.1 us a line, 1.5 us a line of a
    stream that has any.
    """
    rows = lines.series.tolist()
    streams = {
        row
        for row, text in zip(rows, lines.text, strict=True)
        if text[:1] in _FIRST and text.startswith(_BEGINS)
    }
    if not streams:
        return lines
    heads: dict[int, tuple[Head, Seconds]] = {}
    kept: list[int] = []
    for at, (row, time, text) in enumerate(zip(rows, lines.time.tolist(), lines.text, strict=True)):
        if row not in streams:
            kept.append(at)
            continue
        before = heads.get(row)
        head = follow(before[0], text) if before is not None and abs(time - before[1]) <= WITHIN else None
        if head is None:
            head = begun(text)
            kept.append(at)
        heads[row] = head, time
    if len(kept) == len(lines.text):
        return lines
    return Lines(
        lines.series[np.array(kept, np.int64)],
        lines.time[np.array(kept, np.int64)],
        tuple(lines.text[at] for at in kept),
        tuple(lines.severity[at] for at in kept),
    )
