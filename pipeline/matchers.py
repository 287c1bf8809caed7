"""Alertmanager's matchers, as people write them: text in, matchers out, or a sentence about what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.types import Labels

MAX_TEXT = 4_096  # of one list of matchers
MAX_PATTERNS = 20_000  # compiled ones that are kept

_NAME = re.compile(r"""[^\s{}!=~<>,\\"'`]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_OPERATOR = re.compile(r"[=!~<>]+")
_BARE = re.compile(r"""[^,{}"'`]*""")
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t"}
_SLIPS = {"==": "=", "~=": "=~", "==~": "=~", "=!": "!=", "<>": "!=", "!==": "!=", "!=~": "!~", "~": "=~"}

# What Go's regexes and Python's read differently, or only one of them knows.
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\(\?(?:P?<[=!]?|[=!>(#]|P[=>])|\$|[*+?]\+|\{\d+(?:,\d*)?\}\+|\{,",
    re.DOTALL,
)
_NESTING = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()*+]|\{\d+,\d*\}", re.DOTALL)


class Op(StrEnum):
    EQUAL = "="
    DIFFERENT = "!="
    MATCH = "=~"
    NO_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One label's condition. A label that is missing counts as empty; a regex must match the whole value."""

    name: str
    op: Op
    value: str

    def __post_init__(self) -> None:
        """Raise ValueError where the value is no regex that Alertmanager would take."""
        if self.op in (Op.MATCH, Op.NO_MATCH):
            pattern(self.value)

    def __call__(self, labels: Labels) -> bool:
        found = labels.get(self.name, "")
        if self.op is Op.EQUAL:
            return found == self.value
        if self.op is Op.DIFFERENT:
            return found != self.value
        return pattern(self.value)(found) is (self.op is Op.MATCH)

    def __str__(self) -> str:
        name = self.name if _NAME.fullmatch(self.name) else _quote(self.name)
        return f"{name}{self.op}{_quote(self.value)}"


@lru_cache(maxsize=1_024)
def matchers(text: str) -> tuple[Matcher, ...]:
    """Read `{a="b", c=~"d.*"}`, with or without braces and quotes; raises ValueError."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"expected at most {MAX_TEXT} characters of matchers, got {len(text)}")
    body = text.strip()
    if body.startswith("{") and not body.endswith("}"):
        raise ValueError(f"{body}: a brace is missing; write {body}}}, or leave both out")
    body = body[1:-1] if body.startswith("{") else body
    found: list[Matcher] = []
    at = _blank(body, 0)
    while at < len(body):
        matcher, at = _one(body, at)
        found.append(matcher)
        if at < len(body) and body[at] != ",":
            raise ValueError(f"{body[at:]}: expected a comma after {matcher}")
        at = _blank(body, at + 1)
    if not found:
        raise ValueError('expected at least one matcher, such as service="payment"')
    return tuple(found)


@lru_cache(maxsize=MAX_PATTERNS)
def pattern(text: str) -> Callable[[str], bool]:
    """Return whether the regex matches a whole value. Its words are RE2's; what RE2 lacks is refused.

    Python's engine runs it, so a repeat within a repeat is refused: on some value it would never end.
    """
    if _nested(text):
        raise ValueError(
            f'"{text}": a repeat within a repeat can take for ever; write it without, or as a list'
        )
    flags = re.NOFLAG if "(?i" in text else re.ASCII  # RE2: \d and \w are ASCII, but case is all of Unicode
    try:
        match = re.compile(_TOKEN.sub(_as_python, text), flags).fullmatch
    except re.error as error:
        raise ValueError(f'"{text}" is not a regex: {error}') from error
    return lambda value: match(value) is not None


def _one(body: str, at: int) -> tuple[Matcher, int]:
    """Read one matcher; return it and where the next thing begins."""
    if quoted := _QUOTED.match(body, at):
        name, after = _unquote(quoted[1]), quoted.end()
    elif bare := _NAME.match(body, at):
        name, after = bare[0], bare.end()
    else:
        raise ValueError(f"{body[at:]}: expected the name of a label")
    after = _blank(body, after)
    operator = _OPERATOR.match(body, after)
    if operator is None:
        raise ValueError(f'{name}: expected =, !=, =~ or !~ and a value; did you mean {name}="..."?')
    if operator[0] not in list(Op):
        near = f'; did you mean "{_SLIPS[operator[0]]}"?' if operator[0] in _SLIPS else ""
        raise ValueError(f'{name}: expected =, !=, =~ or !~, got "{operator[0]}"{near}')
    value, after = _value(body, _blank(body, operator.end()), name)
    return Matcher(name, Op(operator[0]), value), _blank(body, after)


def _value(body: str, at: int, name: str) -> tuple[str, int]:
    if quoted := _QUOTED.match(body, at):
        return _unquote(quoted[1]), quoted.end()
    bare = _BARE.match(body, at)
    value, after = (bare[0].rstrip(), bare.end()) if bare else ("", at)
    if after < len(body) and body[after] != ",":
        if body[after] == '"':
            raise ValueError(f"{name}: a quote opens and does not close, or comes amid a value: {body[at:]}")
        raise ValueError(f'{name}: a value with {body[after]} needs quotes; write {name}="..."')
    return value, after


def _blank(body: str, at: int) -> int:
    while at < len(body) and body[at].isspace():
        at += 1
    return at


def _unquote(raw: str) -> str:
    r"""Undo \\, \", \n and \t; any other backslash stays, so that a regex needs no second one."""
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), raw, flags=re.DOTALL)


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _nested(text: str) -> bool:
    """Say whether a group that holds * or + or {n,} is itself repeated so."""
    repeats, closed = [False], (-1, False)  # of each open group; where the last one closed, and its own
    for token in _NESTING.finditer(text):
        if token[0] == "(":
            repeats.append(False)
        elif token[0] == ")" and len(repeats) > 1:
            closed = (token.end(), repeats.pop())
            repeats[-1] |= closed[1]
        elif token[0] in "*+" or token[0].startswith("{"):
            if closed == (token.start(), True):
                return True
            repeats[-1] = True
    return False


def _as_python(token: re.Match[str]) -> str:
    """Return how Python writes one piece of a Go regex; raises ValueError where RE2 has no such thing."""
    piece = token[0]
    if piece == "$":
        return r"\Z"
    if piece == "{,":
        return r"\{,"  # Go takes it as it stands, Python as "none to"
    if piece in ("(?<", "(?P<"):
        return "(?P<"
    if piece == r"\z":
        return r"\Z"
    if piece.startswith("["):
        if "[:" in piece or r"\p" in piece.lower():
            raise ValueError(f"{piece}: classes by name are not read here; list their characters")
        return "[" + re.sub(r"\\.|\[", lambda m: r"\[" if m[0] == "[" else m[0], piece[1:])
    if piece.startswith("\\") and piece[1] not in "123456789ZpPQECuUN":
        return piece
    why = "look-around, back references and possessive repeats are not in RE2, nor is this"
    raise ValueError(f"{token.string}: {piece} is not taken in a regex of a matcher: {why}")
