"""State to bytes and back, exactly: a restored pipeline goes on as if it had never stopped."""

from __future__ import annotations

import io
import pickle
import zlib
from typing import Any

VERSION = b"FW1\n"

# Whoever can write a snapshot must not be able to run code with it: only these places may be named,
# and there only classes, or the functions listed here by name.
_MODULES = ("pipeline.", "detectors.", "numpy", "river.", "drain3.", "collections", "cachetools")
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


def dump(state: object) -> bytes:
    """Return the state as bytes: version, check sum, then all of it."""
    body = pickle.dumps(state, protocol=5)
    return VERSION + zlib.crc32(body).to_bytes(4, "little") + body


def load(raw: bytes) -> Any:
    """Return the state; raises Damaged where the bytes are cut, changed or of another version."""
    head = len(VERSION) + 4
    if not raw.startswith(VERSION) or len(raw) < head:
        raise Damaged("not a snapshot of this version of Forewarn")
    if zlib.crc32(raw[head:]) != int.from_bytes(raw[len(VERSION) : head], "little"):
        raise Damaged("check sum differs: the snapshot was cut or changed")
    try:
        return _Reader(io.BytesIO(raw[head:])).load()
    except (pickle.UnpicklingError, AttributeError, ImportError, EOFError, IndexError) as error:
        raise Damaged(f"snapshot of other code: {error}") from error
