"""Families of plug-ins found by name: a file in the folder is a kind, and nothing else needs touching."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType
from typing import Any


def names(family: str) -> list[str]:
    """Return the kinds of a family such as "pipeline.notify", sorted."""
    return list(_names(family))


def find(family: str, name: str) -> ModuleType:
    """Return the module of one kind; raises ValueError with the nearest right word."""
    known = names(family)
    if name not in known:
        what = family.rsplit(".", 1)[-1]
        raise ValueError(f'no kind "{name}" in {what}{nearest(name, known)}')
    return importlib.import_module(f"{family}.{name}")


@cache
def _names(family: str) -> tuple[str, ...]:
    """Look into the folder, once: kinds are found again for each notice that is sent."""
    package = importlib.import_module(family)
    found = (m.name for m in pkgutil.iter_modules(package.__path__))
    return tuple(sorted(name for name in found if not name.startswith("_")))


def args_of(family: str, name: str) -> Any:
    """Return the `Args` struct that a kind's file declares."""
    return find(family, name).Args


def nearest(word: str, known: list[str]) -> str:
    """Return '; did you mean "x"?' for the nearest known word, or all there are, or nothing."""
    if not known:
        return ""
    close = difflib.get_close_matches(word, known, 1, 0.5)
    return f'; did you mean "{close[0]}"?' if close else f"; known: {', '.join(known)}"
