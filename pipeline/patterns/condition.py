"""A condition in the Common Expression Language to whether it holds for something that happened.

Google's own runtime (package cel-expr-python, extra `cel`): conditions are checked for names and types when
they are read, regexes are RE2's, no condition runs for ever. It is asked only where the matchers hold.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from pipeline import kinds

MISSING = 'conditions in CEL need pip install "forewarn[cel]"'
MAX_TEXT = 2_000
MAX_KEPT = 10_000  # compiled ones

# Name and CEL type of what a condition can ask for.
KNOWN: Mapping[str, str] = {
    "labels": "map", "service": "string", "kind": "string", "severity": "string", "id": "string",
    "text": "string", "surprise": "double", "observed": "double", "expected": "double", "page": "bool",
}  # fmt: skip


class Failed(Exception):
    """A condition cannot be answered for this one, as where a label it asks for is missing."""


def installed() -> bool:
    return importlib.util.find_spec("cel_expr_python") is not None


def check(text: str) -> None:
    """Raise ValueError that says what is wrong with a condition, and the nearest right name."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"when: expected at most {MAX_TEXT} characters, got {len(text)}")
    if not installed():
        raise ValueError(f"when: {MISSING}")
    compiled(text)


@lru_cache(maxsize=MAX_KEPT)
def compiled(text: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return the condition as a function of what KNOWN names; it raises Failed. Cost: 6 us a call."""
    try:
        program = _environment().compile(text)
    except RuntimeError as error:
        raise ValueError(f"when: {_sentence(str(error))}") from error
    if program.return_type().name() != "BOOL":
        raise ValueError(f'when: expected a condition that is true or false, got "{text}"')

    def holds(known: Mapping[str, Any]) -> bool:
        found = program.eval(data=known)
        if found.type().name() != "BOOL":
            raise Failed(str(found))
        return bool(found.value())

    return holds


@lru_cache(maxsize=1)
def _environment() -> Any:
    cel = importlib.import_module("cel_expr_python.cel")
    of = {"string": cel.Type.STRING, "double": cel.Type.DOUBLE, "bool": cel.Type.BOOL}
    of["map"] = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
    return cel.NewEnv(variables={name: of[kind] for name, kind in KNOWN.items()})


def _sentence(said: str) -> str:
    """Return the first of the compiler's errors without its drawing."""
    found = re.search(r"ERROR: <input>:(\d+):(\d+): (.*)", said)
    if found is None:
        return " ".join(said.split())[:200]
    what = re.sub(r" \(in container ''\)", "", found[3])[:200]
    name = re.search(r"undeclared reference to '(\w+)", what)
    near = kinds.nearest(name[1], list(KNOWN)) if name else ""
    return f"character {found[2]}: {what.partition(' expecting {')[0]}{near}"
