"""State to bytes and back, exactly: a restored pipeline goes on as if it had never stopped."""

from __future__ import annotations

import gc
import inspect
import io
import pickle
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from operator import attrgetter
from typing import Any

VERSION = b"FW3\n"

# Each field with the type its code states, or else what __init__ sets up.
Shape = dict[str, str] | str

# Whoever can write a snapshot must not be able to run code with it: only these places may be named,
# and there only classes, or the functions listed here by name.
_MODULES = ("pipeline.", "detectors.", "numpy", "river.", "collections")
_OURS = ("pipeline.", "detectors.")
_FUNCTIONS = {
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy._core.numeric", "_frombuffer"),
    ("numpy.random._pickle", "__generator_ctor"),
    ("numpy.random._pickle", "__bit_generator_ctor"),
}
# copyreg.__newobj__: how pickle names the making of an object without its __init__.
_NEW = object().__reduce_ex__(5)[0]
_BUILTINS = {"set", "frozenset", "bytearray", "complex", "slice", "range"}


class Damaged(ValueError):
    """The bytes are not a whole snapshot of this version."""


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, grown: Mapping[type, Shape] | None = None) -> None:
        super().__init__(file)
        self._grown = {kind: _grown(kind, list(then)) for kind, then in (grown or {}).items()}

    def find_class(self, module: str, name: str) -> Any:
        found = self._allowed(module, name)
        return self._grown.get(found, found) if isinstance(found, type) else found

    def _allowed(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module == "builtins" and name in _BUILTINS:
            return found
        if (module, name) in _FUNCTIONS:
            return found
        if module.startswith(_MODULES) and isinstance(found, type):
            return found
        raise Damaged(f"snapshot names {module}.{name}, which no state holds")


class _Pieces:
    """What a pickler writes, 64 KiB at a time. It walks a table in C, and all other threads wait meanwhile:
    only when it calls this do they have their turn.
    """

    def __init__(self) -> None:
        self.made: list[bytes] = []

    def write(self, piece: bytes) -> None:
        self.made.append(bytes(piece))  # of an array it is the array itself, which will change


class _Writer(pickle.Pickler):
    """Notes every class of ours whose objects it writes."""

    def __init__(self, file: _Pieces) -> None:
        super().__init__(file, protocol=5)
        self.kinds: dict[type, Shape] = {}
        self._held: dict[type, Callable[[Any], Any] | None] = {}  # see _fields_of

    def reducer_override(self, each: Any) -> Any:
        kind = type(each)
        if kind not in self._held:
            self._held[kind] = _fields_of(kind)
            if kind.__module__.startswith(_OURS):
                self.kinds[kind] = _shape(kind)
        held = self._held[kind]
        return NotImplemented if held is None else (_NEW, (kind,), list(held(each)))


def dump(state: object) -> bytes:
    """Return the state as bytes: version, check sum, the shapes of its classes, then all of it."""
    return b"".join(pieces(state))


def pieces(state: object) -> Sequence[bytes]:
    """Return the same in pieces: each takes half a millisecond to make, and other threads
    have their turn after each."""
    held = _Pieces()
    writer = _Writer(held)
    # Among what is old: each look for young garbage would walk all it has seen, 15 ms of 100,000 alerts.
    gc.collect(1)
    writer.dump(state)
    kinds = pickle.dumps(writer.kinds, protocol=5)
    check = zlib.crc32(kinds)
    for piece in held.made:
        check = zlib.crc32(piece, check)
    return [VERSION + check.to_bytes(4, "little") + kinds, *held.made]


def _fields_of(kind: type) -> Callable[[Any], Any] | None:
    """Return what reads the fields of a frozen data class with slots; its own way takes ten times as long."""
    own = getattr(kind, "__getstate__", None)
    if not is_dataclass(kind) or getattr(own, "__module__", "") != "dataclasses":
        return None
    names = [each.name for each in fields(kind)]
    return attrgetter(*names) if len(names) > 1 else None


def load(raw: bytes) -> Any:
    """Return the state; raises Damaged where the bytes are cut or changed, or other code wrote them.

    What an older version wrote is read where its classes only gained fields that have a default, or
    lost some: learned baselines, silences and incidents outlive an upgrade.
    """
    head = len(VERSION) + 4
    if not raw.startswith(VERSION) or len(raw) < head:
        raise Damaged("not a snapshot of this version of Forewarn")
    if zlib.crc32(raw[head:]) != int.from_bytes(raw[len(VERSION) : head], "little"):
        raise Damaged("check sum differs: the snapshot was cut or changed")
    file = io.BytesIO(raw[head:])
    try:
        kinds: dict[type, Shape] = _Reader(file).load()
        changed = {kind: then for kind, then in kinds.items() if _shape(kind) != then}
        if strange := [kind.__qualname__ for kind, then in changed.items() if not _follows(kind, then)]:
            raise Damaged(f"snapshot of other code: {', '.join(strange)} had other fields then")
        return _Reader(file, changed).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, IndexError) as error:
        raise Damaged(f"snapshot of other code: {error}") from error


def _shape(kind: type) -> Shape:
    """Return what an object of the class must agree on with its code."""
    if is_dataclass(kind):
        return {each.name: str(each.type) for each in fields(kind)}
    if stated := inspect.get_annotations(kind):
        return {name: str(what) for name, what in stated.items()}
    code = getattr(vars(kind).get("__init__"), "__code__", None)
    return ", ".join(code.co_names) if code else ""


def _follows(kind: type, then: Shape) -> bool:
    """Whether an object of the older shape can be made one of today's: what is new has a default."""
    if isinstance(then, str) or not is_dataclass(kind):
        return False
    return all(
        then[each.name] == str(each.type) if each.name in then else _has_default(each)
        for each in fields(kind)
    )


def _has_default(each: Field[Any]) -> bool:
    return each.default is not MISSING or each.default_factory is not MISSING


def _grown(kind: type, then: list[str]) -> type:
    """Return a class whose objects become those of today's class once older state is read into them."""

    def set_state(self: Any, state: Any) -> None:
        held = _by_name(state, then)
        object.__setattr__(self, "__class__", kind)
        for each in fields(kind):
            value = held[each.name] if each.name in held else _default(each)
            object.__setattr__(self, each.name, value)

    return type(kind.__name__, (kind,), {"__slots__": (), "__setstate__": set_state})


def _by_name(state: Any, names: list[str]) -> dict[str, Any]:
    """Return what pickle kept of a data class: a list of a frozen one with slots, else a dict or two."""
    if isinstance(state, list):
        return dict(zip(names, state, strict=True))
    parts = state if isinstance(state, tuple) else (state,)
    return {name: value for part in parts if part for name, value in part.items()}


def _default(each: Field[Any]) -> Any:
    return each.default_factory() if each.default_factory is not MISSING else each.default
