"""A log line to its severity: the level it names, else the words it uses."""

from __future__ import annotations

import re

from pipeline.logs.shape import MAX_BYTES

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


def severity_of(line: str) -> str:
    """Return the severity that the line itself tells: its level where it has one, else its words, else ""."""
    head = line[:MAX_BYTES]
    said = _LEVEL.search(head[:200]) or _SHOUTED.search(head[:200])
    if said is not None:
        return _LEVELS[said[1].lower()]
    return "error" if _BAD_WORDS.search(head) else ""
