"""Packed label sets of a batch in, their values out: cut all at once, for most have the same names.

Where rules look at a few labels of each of many, no dictionary is made: a value is found by its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from sys import intern
from typing import Any, TypeAlias

from pipeline.series import SEP, SERVICE_LABELS, unpack

MAX_SHAPES = 4_096  # kept, about 2 kB each; past it they are made anew

# In the order of the names, then one None: what a label set does not have is found at place -1.
Values: TypeAlias = list[str | None]


class Shape:
    """What label sets of the same names have in common."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(map(intern, names))
        self.places: Mapping[str, int] = {name: k for k, name in enumerate(self.names)}
        self.service = next((self.places[n] for n in SERVICE_LABELS if n in self.places), -1)
        self._picks: dict[tuple[str, ...], Callable[[Values], tuple[str | None, ...]]] = {}

    def place(self, name: str) -> int:
        return self.places.get(name, -1)

    def pick(self, names: tuple[str, ...]) -> Callable[[Values], tuple[str | None, ...]]:
        """Return what takes these labels out of the values of a set; None for those that it lacks."""
        found = self._picks.get(names)
        if found is None:
            found = self._picks[names] = _getter([self.place(name) for name in names])
        return found

    def labels(self, values: Values) -> dict[str, str]:
        """Return the label set, sorted by name."""
        return dict(zip(self.names, values, strict=False))  # type: ignore[arg-type]  # without the None


_shapes: dict[tuple[str, ...], Shape] = {}


def cut(packed: Sequence[bytes]) -> list[tuple[Shape, Values]]:
    """Return shape and values of each canonical label set, see series.pack. Cost: 0.6 us a set."""
    whole = b"".join(packed)
    if b"\0" in whole:  # a value has the character that the others are cut by
        return [_slowly(raw) for raw in packed]
    parts: list[Any] = whole.replace(SEP, b"\0").decode().split("\0")  # decoding once costs less than often
    found, at = [], 0
    names: list[str] = []
    shape = _shape(())
    for raw in packed:
        end = at + raw.count(SEP)
        own = parts[at:end:2]
        if own != names:
            names, shape = own, _shape(tuple(own))
        values = parts[at + 1 : end : 2]
        values.append(None)
        found.append((shape, values))
        at = end
    return found


def _slowly(raw: bytes) -> tuple[Shape, Values]:
    labels = unpack(raw)
    return _shape(tuple(labels)), [*labels.values(), None]


def _shape(names: tuple[str, ...]) -> Shape:
    found = _shapes.get(names)
    if found is None:
        if len(_shapes) >= MAX_SHAPES:
            _shapes.clear()
        found = _shapes[names] = Shape(names)
    return found


def _getter(places: Sequence[int]) -> Callable[[Values], tuple[str | None, ...]]:
    """Return what takes a tuple of these places, whatever their number."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple([values[place] for place in places])
