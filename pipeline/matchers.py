"""Alertmanager's matchers, as people write them: text in, matchers out, or a sentence about what is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pipeline.regexes import pattern
from pipeline.types import Labels

MAX_TEXT = 4_096  # of one list of matchers

_NAME = re.compile(r"""[^\s{}!=~<>,\\"'`]+""")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_OPERATOR = re.compile(r"[=!~<>]+")
_BARE = re.compile(r"""[^,{}"'`]*""")
_ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "t": "\t"}
_SLIPS = {"==": "=", "~=": "=~", "==~": "=~", "=!": "!=", "<>": "!=", "!==": "!=", "!=~": "!~", "~": "=~"}


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
