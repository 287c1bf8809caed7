"""Playbook args with {fields} in them to args with their values: typed places only, never a shell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from pipeline import kinds

# All that a playbook may put in. Their values come from labels, and so from anybody who can post a metric.
FIELDS = ("service", "change", "incident", "priority", "playbook", "title")
MAX_VALUE = 256

_FIELD = re.compile(r"\{(\w*)\}")
_FILES = ("cwd", "pidfile", "bearer_file")
_HOST = re.compile(r"\w+://[^/?#]*\{")


def wrong(key: str, raw: Any) -> Iterator[str]:
    """Yield what is wrong with the {fields} in a playbook's words, each as 'key: sentence'."""
    if isinstance(raw, Mapping):
        for name, inner in raw.items():
            yield from wrong(f"{key}.{name}", inner)
    elif isinstance(raw, list | tuple):
        for k, inner in enumerate(raw):
            yield from wrong(f"{key}[{k}]", inner)
    elif isinstance(raw, str):
        for name in _FIELD.findall(raw):
            if name not in FIELDS:
                yield f"{key}: no field {{{name}}}{kinds.nearest(name, list(FIELDS))}"
        if _HOST.match(raw):
            yield f"{key}: expected the host to be written out: a field there would let a label choose it"
        if re.search(r"\.argv\[0\]$", key) and _FIELD.search(raw):
            yield f"{key}: expected the program to be written out: a field there would let a label choose it"


def say(words: str, fields: Mapping[str, str]) -> str:
    """Return a sentence for people with its fields put in."""
    return _FIELD.sub(lambda found: fields.get(found[1], ""), words)


def fill(args: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return args with the fields put in; raises ValueError where a value cannot be trusted in its place.

    In a URL a value is percent-quoted and may not be a dot segment. In argv it stays one element, climbs to
    no parent folder and may not begin with "-", or a service named "--force" would become an option. In
    the name of a file it is one segment.

    >>> fill({"url": "http://h/{service}", "argv": ["/bin/x", "{service}"]}, {"service": "a b; rm"})
    {'url': 'http://h/a%20b%3B%20rm', 'argv': ['/bin/x', 'a b; rm']}
    """
    return {name: _fill(name, inner, fields) for name, inner in args.items()}


def _fill(key: str, raw: Any, fields: Mapping[str, str]) -> Any:
    if isinstance(raw, Mapping):
        return {name: _fill(f"{key}.{name}", inner, fields) for name, inner in raw.items()}
    if isinstance(raw, list | tuple):
        return [_fill(key, inner, fields) for inner in raw]
    if not isinstance(raw, str):
        return raw
    return _FIELD.sub(lambda found: _value(key, raw, found, fields), raw)


def _value(key: str, raw: str, found: re.Match[str], fields: Mapping[str, str]) -> str:
    name = found[1]
    value = fields.get(name, "")
    if not value:
        raise ValueError(f"{key}: this incident has no {name}")
    if len(value) > MAX_VALUE or not value.isprintable():
        raise ValueError(f"{key}: {name} is longer than {MAX_VALUE} characters or not printable")
    if key == "url":
        if value in {".", ".."}:
            raise ValueError(f'{key}: {name} is "{value}", which would climb the path')
        return quote(value, safe="")
    climbs = ".." in value.split("/")
    if key in _FILES and (climbs or "/" in value or value == "."):
        raise ValueError(f'{key}: {name} is "{value}", which would lead to another folder')
    if key == "argv" and climbs:
        raise ValueError(f'{key}: {name} is "{value}", which would climb the path')
    if key == "argv" and found.start() == 0 and value.startswith("-"):
        raise ValueError(f'{key}: {name} is "{value}", which the program would read as an option')
    return value


def spell(seconds: float) -> str:
    """Return a span as config files write it.

    >>> spell(5400), spell(45), spell(0.5)
    ('1h30m', '45s', '500ms')
    """
    if seconds < 1:
        return f"{seconds * 1000:.0f}ms"
    words, left = "", round(seconds)
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        words += f"{count}{unit}" if count else ""
    return words
