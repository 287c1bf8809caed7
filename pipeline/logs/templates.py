"""Log lines to templates: drain3 behind two functions, so that another engine can take its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from drain3.drain import Drain

# What shapes a template. Past it a line is cut: a stack trace or a dumped payload tells nothing more.
MAX_BYTES = 2048
MAX_WORDS = 64
# The least recently used goes first; about 1 kB each. drain3 compares a new line with all of its
# length that begin alike, so this also bounds the time: 1 ms for the worst line at 5,000.
MAX_TEMPLATES = 5_000
MAX_KNOWN = 20_000  # lines that differ in numbers only and are answered by one look-up; about 0.3 kB each

_DIGITS = bytes(48 if 48 <= k <= 57 else k for k in range(256))
_NUMBER = re.compile(rb"0[0-9A-Za-z_.-]*")
# A word is a variable by its shape: a number in it, a path, a URL, a long hexadecimal, three dotted
# parts, what follows `key=` or "user". A plain word is a constant.
_VARIABLE = re.compile(
    r'(?<==)"[^"]*"'
    r"|(?<![\w+.-])[A-Za-z][\w+.-]*://[^\s\"'<>,;()\[\]{}|]+"
    r"|(?<![\w/])[\w.~-]*/[\w.@~+%-]+/[^\s\"'<>,;()\[\]{}|:]*"
    r"|[^\s=:,;()\[\]{}\"'<>|/@#]*0[^\s=:,;()\[\]{}\"'<>|]*"
    r"|\b[0-9A-Fa-f]{8,}\b"
    r"|(?<![\w.$-])[\w$-]+(?:\.[\w$-]+){2,}(?:/[\w.$-]+)?"
    r"|(?<=[A-Za-z_]=)[^\s,;()\[\]{}\"'<>|=]+"
    r"|(?<=\buser )[\w.@-]+(?=$| ?[\[(,;]| (?:from|by|on|at|in|with|for|is|has|was|and)\b)"
)
_KEPT = frozenset({"true", "false", "null", "none", "yes", "no", "on", "off"})
_UNIT = r"(?:[KMGT]?i?B(?:/s)?|bytes|[num]?s|secs?|seconds|minutes|hours|days)"
_DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}"
_DATE = rf"(?:{_DAY}|UTC|GMT|[A-Z]{{1,3}}[SD]T|[AP]M)"
_RUN = re.compile(
    rf"(?:\b{_DATE} )*<\*>(?:[\s,.:/@#_+|-]*(?:\(\)|\(<\*>\)|\[<\*>\]|<\*>)| ?{_UNIT}\b| {_DATE}\b)*"
)
# What drain3 puts where it joined two lines. Not "<*>": a masked variable must count as a word that is
# the same in both lines, else lines of many variables would never be similar to themselves.
_JOINED = "<any>"

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


@dataclass(slots=True)
class Templates:
    """The tree of templates and the shapes already placed in it. Owned by LogState; bounded as said above."""

    # Similarity hardly decides: one word of twenty may differ. At drain3's 0.4, "VM started" and
    # "VM paused" are one template; measured on Loghub, grouping falls from 0.94 to 0.79 at 0.5.
    tree: Drain = field(
        default_factory=lambda: Drain(
            sim_th=0.95, max_clusters=MAX_TEMPLATES, param_str=_JOINED, parametrize_numeric_tokens=False
        )
    )
    known: dict[bytes, int] = field(default_factory=dict)  # shape -> template id, oldest first


def template_of(state: Templates, line: str) -> int:
    """Return the id of the line's template, for good: the same state and line give the same id.

    Cost: 1.5 us where a line of this shape was seen, else about 60 us.
    """
    shape = shape_of(line)
    found = state.known.get(shape)
    if found is not None and found in state.tree.id_to_cluster:
        state.tree.id_to_cluster[found].size += 1  # and by this look-up the least recently used again
        return found
    cluster, _ = state.tree.add_log_message(mask(shape))
    if len(state.known) >= MAX_KNOWN:
        del state.known[next(iter(state.known))]
    state.known[shape] = cluster.cluster_id
    return int(cluster.cluster_id)


def text_of(state: Templates, id: int) -> str:
    """Return the template as it now reads, variables as <*>; "" where it was forgotten."""
    cluster = state.tree.id_to_cluster.get(id)
    return cluster.get_template().replace(_JOINED, "<*>") if cluster is not None else ""


def shape_of(line: str) -> bytes:
    """Return the line with each number, and the rest of its word, as one 0: what lines of a kind share.

    >>> shape_of("took 17ms, id=4f")
    b'took 0, id=0'
    """
    return _NUMBER.sub(b"0", line.encode("utf-8", "replace")[:MAX_BYTES].translate(_DIGITS))


def mask(shape: bytes) -> str:
    """Return the shape with its variables as <*>, neighbours as one, at most MAX_WORDS words.

    >>> mask(b"GET http://pay/v0 by 0.0.0.0:0 took 0 ms, ok=true user=ann")
    'GET <*> by <*> took <*>, ok=true user=<*>'
    """
    text = " ".join(_VARIABLE.sub(_masked, shape.decode("utf-8", "replace")).split()[:MAX_WORDS])
    return _RUN.sub("<*>", text)


def severity_of(line: str) -> str:
    """Return the severity that the line itself tells: its level where it has one, else its words, else ""."""
    head = line[:MAX_BYTES]
    said = _LEVEL.search(head[:200]) or _SHOUTED.search(head[:200])
    if said is not None:
        return _LEVELS[said[1].lower()]
    return "error" if _BAD_WORDS.search(head) else ""


def _masked(found: re.Match[str]) -> str:
    return found[0] if found[0].lower() in _KEPT else "<*>"
