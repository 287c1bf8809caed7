"""A log line to its severity: the level it names, else the words it uses."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.logs.shape import MAX_BYTES, block_of, shapes_of, wider

MAX_KNOWN = 10_000  # shapes whose severity is remembered, 0.2 kB each and 2 at most; then anew
ASK = "?"  # the severity of a shape whose lines do not agree

_LEVELS = {
    "critical": "critical", "crit": "critical", "fatal": "critical", "emerg": "critical", "alert": "critical",
    "panic": "critical", "error": "error", "err": "error", "severe": "error", "warn": "warning",
    "warning": "warning", "info": "info", "notice": "info", "debug": "debug", "trace": "debug",
}  # fmt: skip
_LEVEL = re.compile(
    r"(?:\b(?:level|severity|lvl|loglevel)\W{1,4}|[\[<(|])(" + "|".join(_LEVELS) + r")\b", re.IGNORECASE
)
_SHOUTED = re.compile(r"\b(" + "|".join(word.upper() for word in _LEVELS) + r")\b")
_BAD_WORDS = re.compile(
    r"(?<!\bno )(?<!\b0 )(?<!without )(?:\b(?:errors?|failed|failure|refused|unreachable|aborted|timed out)\b"
    r"|[a-z]Exception\b|[a-z]Error\b|\bException\b|\bTraceback\b|\bpanic:)",
    re.IGNORECASE,
)
# One of these is in every line that has a bad word: looked for at a tenth of the cost.
_HINTS = (
    "error",
    "fail",
    "refused",
    "unreachable",
    "aborted",
    "timed out",
    "exception",
    "traceback",
    "panic:",
)


def severities(known: dict[bytes, str], given: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Return the severity of each line: the one given, where it is "" what `severity_of` says.

    Lines of one shape have one severity, unless it hangs on a number ("0 errors"): each of those is read.
    What is glued to a number is no part of a shape, so of two lines that differ in that alone, as in
    "v1.Client" and "v1.FooException", the first decides for both. Cost: 0.6 us a line of 70 bytes of a
    shape that is in `known`, which learns; MAX_KNOWN bounds it.
    """
    found = list(given)
    asked = [at for at, severity in enumerate(found) if not severity]
    if not asked:
        return found
    heads = [lines[at][:MAX_BYTES] for at in asked]
    for at, shape, head in zip(asked, shapes_of(block_of(heads)), heads, strict=False):
        severity = known.get(shape, ASK)
        found[at] = _ask(known, shape, head) if severity == ASK else severity
    return found


def _ask(known: dict[bytes, str], shape: bytes, line: str) -> str:
    if shape in known:
        return severity_of(line)
    if len(known) >= MAX_KNOWN:
        known.clear()
    wide = wider(shape)
    if wide not in known:
        said = severity_of(line)
        texts = (wide.decode("utf-8", "replace"), wide.replace(b"0", b"1").decode("utf-8", "replace"))
        known[wide] = said if all(severity_of(text) == said for text in texts) else ASK
    known[shape] = known[wide]
    return severity_of(line) if known[wide] == ASK else known[wide]


def severity_of(line: str) -> str:
    """Return the severity that the line itself tells: its level where it has one, else its words, else ""."""
    head = line[:MAX_BYTES]
    said = _LEVEL.search(head[:200]) or _SHOUTED.search(head[:200])
    if said is not None:
        return _LEVELS[said[1].lower()]
    low = head.lower()
    return "error" if any(hint in low for hint in _HINTS) and _BAD_WORDS.search(head) else ""
