"""State to bytes and back, exactly: a restored pipeline goes on as if it had never stopped."""

from __future__ import annotations

import inspect
import io
import pickle
import zlib
from typing import Any

VERSION = b"FW2\n"

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
_BUILTINS = {"set", "frozenset", "bytearray", "complex", "slice", "range"}


class Damaged(ValueError):
    """The bytes are not a whole snapshot of this version."""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        if module == "builtins" and name in _BUILTINS:
            return found
        if (module, name) in _FUNCTIONS:
            return found
        if module.startswith(_MODULES) and isinstance(found, type):
            return found
        raise Damaged(f"snapshot names {module}.{name}, which no state holds")


class _Writer(pickle.Pickler):
    """Notes every class of ours whose objects it writes."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.kinds: dict[type, str] = {}

    def reducer_override(self, each: Any) -> Any:
        kind = type(each)
        if kind not in self.kinds and kind.__module__.startswith(_OURS):
            self.kinds[kind] = _shape(kind)
        return NotImplemented


def dump(state: object) -> bytes:
    """Return the state as bytes: version, check sum, the shapes of its classes, then all of it."""
    file = io.BytesIO()
    writer = _Writer(file)
    writer.dump(state)
    body = pickle.dumps(writer.kinds, protocol=5) + file.getvalue()
    return VERSION + zlib.crc32(body).to_bytes(4, "little") + body


def load(raw: bytes) -> Any:
    """Return the state; raises Damaged where the bytes are cut or changed, or other code wrote them.

    An object that lacks a field which the code has by now would fail each frame from then on.
    """
    head = len(VERSION) + 4
    if not raw.startswith(VERSION) or len(raw) < head:
        raise Damaged("not a snapshot of this version of Forewarn")
    if zlib.crc32(raw[head:]) != int.from_bytes(raw[len(VERSION) : head], "little"):
        raise Damaged("check sum differs: the snapshot was cut or changed")
    file = io.BytesIO(raw[head:])
    try:
        kinds = _Reader(file).load()
        changed = [kind.__qualname__ for kind, shape in kinds.items() if _shape(kind) != shape]
        if changed:
            raise Damaged(f"snapshot of other code: {', '.join(changed)} had other fields then")
        return _Reader(file).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, IndexError) as error:
        raise Damaged(f"snapshot of other code: {error}") from error


def _shape(kind: type) -> str:
    """Return what an object of the class must agree on with its code: fields, or else what it sets up."""
    if fields := inspect.get_annotations(kind):
        return ", ".join(f"{name}: {what}" for name, what in fields.items())
    code = getattr(vars(kind).get("__init__"), "__code__", None)
    return ", ".join(code.co_names) if code else ""
