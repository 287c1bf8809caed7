"""Plain data, as YAML gives it, to a struct, or to a sentence about everything in it that is wrong."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args

import msgspec
import yaml

from pipeline import clock, kinds
from pipeline.clock import Span

T = TypeVar("T")

MAX_ERRORS = 20  # of one file
# How msgspec's own sentences begin; any other is one of ours, about a whole struct.
_OWN = re.compile(r"Expected `|Object |Invalid ")
_NAMES = {
    "object": "keys and values",
    "array": "a list",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}


class Invalid(ValueError):
    """One or more files are wrong; `errors` has a sentence for each."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


def read(path: Path) -> Any:
    """Return what a YAML file holds, an empty one being no keys; raises Invalid that says what is wrong."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except OSError as error:
        raise Invalid([error.strerror or str(error)]) from error
    except UnicodeDecodeError as error:
        raise Invalid([f"not text in UTF-8: {error.reason} at byte {error.start}"]) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        problem = getattr(error, "problem", None) or " ".join(str(error).split())
        raise Invalid([f"not YAML: {where}{problem}"]) from error


def parse(raw: Any, into: type[T]) -> T:
    """Turn plain data into a struct; raises Invalid that names each key and the nearest right word."""
    found, wrong = _parse(copy.deepcopy(raw), into)
    if found is None or wrong:
        raise Invalid([said for _, said in wrong[:MAX_ERRORS]])
    return found


def _parse(left: Any, into: type[T]) -> tuple[T | None, list[tuple[str, str]]]:
    """Return the struct, None where it cannot be, and each error after its key; takes the data apart."""
    wrong = list(_within(left, into))
    while len(wrong) < MAX_ERRORS:
        try:
            return msgspec.convert(left, into, dec_hook=_hook), wrong
        except msgspec.ValidationError as error:
            text, _, place = str(error).partition(" - at `$")
            key = place.rstrip("`").lstrip(".")
            # What was taken out of a struct may be all that it now misses.
            if _OWN.match(text) or not any(k.startswith(key) and k != key for k, _ in wrong):
                wrong.append((_spot(text, key), _sentence(text, key, into)))
            if not _left_out(left, text, key, into):
                break
    return None, wrong


def _within(left: Any, into: type) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with each element of the struct's lists of structs, and leave such elements out."""
    for field in msgspec.structs.fields(into) if _struct(into) and isinstance(left, dict) else ():
        kind, given = _struct(_element(field.type)), left.get(field.encode_name)
        if kind is None or not isinstance(given, list):
            continue
        left[field.encode_name] = kept = []
        for n, each in enumerate(given):
            _, wrong = _parse(copy.deepcopy(each), kind)
            name = f"{field.encode_name}[{n}]"
            for key, said in wrong:
                yield f"{name}.{key}", f"{name}{'.' if key else ': '}{said}"
            kept += [] if wrong else [each]


def _spot(text: str, key: str) -> str:
    """Return the key that an error is about: of one that is missing or unknown, its own."""
    named = re.match(r"Object (?:contains unknown|missing required) field `(.+)`", text)
    return ".".join(part for part in (key, named[1] if named else "") if part)


def _hook(kind: type, raw: Any) -> Any:
    if kind is Span:
        if not isinstance(raw, str):
            raise ValueError(f'expected a duration such as "30s" or "5m", got {raw!r}')
        return clock.span(raw)
    raise NotImplementedError(kind)


def _sentence(text: str, key: str, into: type) -> str:
    """Turn msgspec's words into 'key: what was expected, what was found'."""
    before = f"{key}: " if key else ""
    if unknown := re.match(r"Object contains unknown field `(.+)`", text):
        inner = _struct(_at(into, key))
        near = (
            kinds.nearest(unknown[1], [f.encode_name for f in msgspec.structs.fields(inner)]) if inner else ""
        )
        return f"{key + '.' if key else ''}{unknown[1]}: unknown key{near}"
    if missing := re.match(r"Object missing required field `(.+)`", text):
        return f"{key + '.' if key else ''}{missing[1]}: missing, and there is no default"
    if word := re.match(r"Invalid enum value '(.*)'", text):
        known = [str(w) for w in get_args(_at(into, key))]
        return f'{before}"{word[1]}" is not known here{kinds.nearest(word[1], known) if known else ""}'
    if wrong := re.fullmatch(r"Expected `([\w |]+)`, got `(\w+)`", text):
        wanted = " or ".join(_NAMES.get(w, w) for w in wrong[1].split(" | "))
        return f"{before}expected {wanted}, got {_NAMES.get(wrong[2], wrong[2])}"
    if bound := re.fullmatch(r"Expected `(int|float)` (>=|<=|>|<) (\S+)", text):
        return f"{before}expected {_NAMES[bound[1]]} {bound[2]} {bound[3]}"
    if text == "Invalid RFC3339 encoded datetime":
        return f"{before}expected a time such as 2026-11-22T15:00:00Z"
    return f"{key}: {text[0].lower()}{text[1:]}" if key else text


def _left_out(raw: Any, text: str, key: str, into: type) -> bool:
    """Take out what an error spoke of so that the next shows; False where a false one would show."""
    if "[...]" in key:
        return False
    unknown = re.match(r"Object contains unknown field `(.+)`", text)
    path = [*re.findall(r"[^.\[\]]+", key), *([unknown[1]] if unknown else [])]
    if unknown or _optional(into, key):
        return _take_out(raw, path)
    sections = msgspec.structs.fields(into) if _struct(into) else ()
    return all(not f.required for f in sections) and _take_out(raw, path[:1])


def _optional(into: Any, key: str) -> bool:
    """Say whether the key is one of a struct and has a default."""
    parent, _, last = key.rpartition(".")
    inner = _struct(_at(into, parent))
    return inner is not None and any(
        f.encode_name == last and not f.required for f in msgspec.structs.fields(inner)
    )


def _take_out(raw: Any, path: list[str]) -> bool:
    for part in path[:-1]:
        raw = raw[int(part)] if isinstance(raw, list) else raw.get(part)
    return bool(path) and isinstance(raw, dict) and raw.pop(path[-1], raw) is not raw


def _at(into: Any, key: str) -> Any:
    """Return the type found by walking a msgspec path such as `watches[...].when`."""
    for part in re.findall(r"\w+|\[[^\]]*\]", key):
        into = _element(into) if part.startswith("[") else _field(into, part)
        given = [kind for kind in get_args(into) if kind is not NoneType]
        into = given[0] if isinstance(into, UnionType) and len(given) == 1 else into
    return into


def _field(into: Any, name: str) -> Any:
    fields = msgspec.structs.fields(into) if _struct(into) else ()
    return next((f.type for f in fields if f.encode_name == name), None)


def _element(into: Any) -> Any:
    inner = [a for a in getattr(into, "__args__", ()) if a is not Ellipsis]
    return inner[-1] if inner else None


def _struct(into: Any) -> type[msgspec.Struct] | None:
    return into if isinstance(into, type) and issubclass(into, msgspec.Struct) else None
