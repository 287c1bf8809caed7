"""A block of lines to the numbers of their shapes: compiled, where numba is installed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import cache

import numpy as np
import structlog
from numpy.typing import NDArray

from pipeline.logs.shape import BARE, MAX_BYTES, TAIL, uncoloured
from pipeline.types import Rows

MAX_SHAPES = 32_768  # past either bound the table is emptied: 12 MB in all
MAX_HELD = 8_000_000  # bytes of shapes
CUT = MAX_BYTES + 1  # bytes kept of a shape: the last says that there were more
FREE = -1

log = structlog.get_logger()

Find = Callable[..., tuple[int, int, int]]

# A digit is 1 here, so that one comparison tells a line's end and a number from all else.
_BARE = np.frombuffer(BARE.replace(b"0", b"\1"), np.uint8)
_TAIL = np.isin(np.arange(256), np.frombuffer(TAIL, np.uint8))


class Scan:
    """A table of shapes, each with its number; one pass over the bytes finds the number of every line.

    Two shapes are one only where every byte is the same: the hash says where to look and no more. All of
    it can be had again from the lines, so a snapshot holds none of it.
    """

    def __init__(self) -> None:
        self.shapes: list[bytes] = []  # by number
        self._table = np.zeros(0, np.int32)  # the number of a shape, at its hash; allocated when first used
        self._text = np.zeros(0, np.uint64)  # the shapes, each padded with zeros to whole words
        self._spans = np.zeros((0, 2), np.int64)  # (first word, bytes) of each
        self._held = 0  # words of the text in use
        self._found = np.zeros(0, np.int32)
        self._given = np.full(MAX_SHAPES, None, object)
        self._of: object = None

    def __reduce__(self) -> tuple[type[Scan], tuple[()]]:
        return Scan, ()

    def given(self, of: object) -> NDArray[np.object_]:
        """Return what the caller noted for each number while it looked things up in `of`, None at first."""
        if self._of is not of:
            self._of = of
            self._given.fill(None)
        return self._given

    def numbers(self, block: bytes, find: Find) -> Rows | None:
        """Return the number of each line's shape, which `shapes` gives cut to CUT.

        None where the table was full, and is empty now, and for a block that half of it could not hold.
        Cost: 0.1 us a line of 70 bytes.
        """
        block = uncoloured(block)
        if len(block) > MAX_HELD // 2:
            return None
        if block and not block.endswith(b"\n"):
            block += b"\n"
        if not self._table.size:
            self._table = np.full(4 * MAX_SHAPES, FREE, np.int32)
            self._text = np.zeros(MAX_HELD // 8, np.uint64)
            self._spans = np.zeros((MAX_SHAPES, 2), np.int64)
        if self._found.size < len(block):
            self._found = np.empty(2 * len(block), np.int32)
        known = len(self.shapes)
        lines, count, held = find(
            np.frombuffer(block, np.uint8), _BARE, _TAIL, self._table, self._text, self._spans,
            known, self._held, self._found,
        )  # fmt: skip
        if lines < 0:
            self.shapes, self._held = [], 0
            self._table.fill(FREE)
            self._of = None
            return None
        if count > known:
            text, spans = self._text.view(np.uint8), self._spans[known:count].tolist()
            self.shapes += [text[8 * at : 8 * at + size].tobytes() for at, size in spans]
            self._held = held
        return self._found[:lines].copy()


@cache
def compiled() -> Future[Find | None]:
    """Begin to compile beside the stream, which waits for nobody; None comes of it where numba is missing.

    It takes 0.5 s where numba finds what an earlier run left beside this file, else 5 s.
    """
    code: Future[Find | None] = Future()
    threading.Thread(target=lambda: code.set_result(_compile()), name="compile", daemon=True).start()
    return code


def _compile() -> Find | None:
    try:
        from numba import njit
        from numba.core.errors import NumbaError
    except ImportError:
        return None
    find: Find = njit(cache=True)(_find)
    try:
        Scan().numbers(b"\n", find)
    except NumbaError as error:  # of another release than is known here: the stream goes on without
        log.warning("log scan not compiled", error=str(error))
        return None
    return find


def _find(
    block: NDArray[np.uint8],
    bare: NDArray[np.uint8],
    tail: NDArray[np.bool_],
    table: NDArray[np.int32],
    text: NDArray[np.uint64],
    spans: NDArray[np.int64],
    count: int,
    held: int,
    found: Rows,
) -> tuple[int, int, int]:
    """Return how many lines were found, -1 where the table is full, and its shapes and words by now.

    Each shape is written behind those that are held, and stays there if it is not among them. The block
    ends with a newline. Indices are unsigned, or numba would look for negative ones at every byte.
    """
    letters = text.view(np.uint8)
    lines, at, end, one = 0, np.uint64(0), np.uint64(block.size), np.uint64(1)
    while at < end:
        if count == len(spans) or 8 * held + block.size + 16 > letters.size:
            return -1, count, held
        first = np.uint64(8 * held)
        to = first
        while True:
            letter = bare[block[at]]
            at += one
            if letter < 32:
                if letter == 10:
                    break
                letter = np.uint8(48)
                while tail[block[at]]:
                    at += one
            letters[to] = letter
            to += one
        to = min(to, first + np.uint64(CUT))
        for k in range(8):
            letters[to + np.uint64(k)] = 0
        size = np.int64(to - first)
        words = (size + 7) >> 3
        mixed = np.uint64(size)
        for k in range(words):
            mixed = (mixed ^ text[held + k]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(32)
        slot = np.int64(mixed >> np.uint64(3)) & (table.size - 1)
        while table[slot] != FREE:
            number = table[slot]
            if spans[number, 1] == size:
                same = True
                for k in range(words):
                    same &= text[spans[number, 0] + k] == text[held + k]
                if same:
                    break
            slot = (slot + 1) & (table.size - 1)
        if table[slot] == FREE:
            table[slot] = count
            spans[count, 0] = held
            spans[count, 1] = size
            count += 1
            held += int(words)
        found[lines] = table[slot]
        lines += 1
    return lines, count, held
