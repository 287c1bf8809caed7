"""What compiled passes are made with: tiles of series, a logarithm and a power made of sums; needs numba."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from detectors.base import Rows
from detectors.held import Column

F = TypeVar("F", bound=Callable[..., Any])

TILE = 512  # series worked on together; what is held of them stays in the second nearest cache

f = np.float32
LN2_HIGH, LN2_LOW = f(0.693359375), f(-2.12194440e-4)  # the first has few bits: its small multiples are exact
PER_LN2 = f(1 / math.log(2))
ZERO, ONE = f(0), f(1)


def compiled(function: F) -> F:
    """Return the function compiled; division by 0 is not looked for, which would forbid vectors."""
    return cast(F, njit(cache=True, error_model="numpy")(function))


def inlined(function: F) -> F:
    """Return the function compiled into who calls it; a call would forbid vectors."""
    return cast(F, njit(cache=True, error_model="numpy", forceinline=True)(function))


@inlined
def log(x: Any) -> Any:
    """Return the natural logarithm of a normal number above 0, within 2e-7 of it."""
    bits = np.int32(f(x).view(np.int32))
    power = np.int32((bits >> 23) - 127)
    share = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32)
    above = share > f(1.41421356)
    share = share * f(0.5) if above else share
    exponent = f(power) + (ONE if above else ZERO)
    t = (share - ONE) / (share + ONE)
    s = t * t
    series = f(2 / 3) + s * (f(2 / 5) + s * (f(2 / 7) + s * f(2 / 9)))
    return exponent * LN2_HIGH + (exponent * LN2_LOW + (f(2) * t + t * s * series))


@inlined
def exp(x: Any) -> Any:
    """Return e to the power of a number of at most 0."""
    x = x if x > f(-80) else f(-80)
    power = np.int32(x * PER_LN2 - f(0.5))
    n = f(power)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    rest = f(1 / 6) + r * (f(1 / 24) + r * (f(1 / 120) + r * (f(1 / 720) + r * f(1 / 5040))))
    return (ONE + r + r * r * (f(0.5) + r * rest)) * np.int32((power + 127) << 23).view(np.float32)


@inlined
def most(a: Any, b: Any) -> Any:
    return a if a > b else b


@inlined
def least(a: Any, b: Any) -> Any:
    return a if a < b else b


@compiled
def load(matrix: Column, b: Column, k: int, tile: int, rows: Rows, follow: bool) -> None:
    """Copy row k of what is held of some series into a row of the tile."""
    n, into, row = len(rows), b[tile * TILE : (tile + 1) * TILE], matrix[k]
    if follow and n == TILE:
        whole = row[rows[0] : rows[0] + TILE]
        for j in range(TILE):
            into[j] = whole[j]
    else:
        for j in range(n):
            into[j] = row[rows[j]]


@compiled
def store(matrix: Column, b: Column, k: int, tile: int, rows: Rows, follow: bool) -> None:
    n, found, row = len(rows), b[tile * TILE : (tile + 1) * TILE], matrix[k]
    if follow and n == TILE:
        whole = row[rows[0] : rows[0] + TILE]
        for j in range(TILE):
            whole[j] = found[j]
    else:
        for j in range(n):
            row[rows[j]] = found[j]


@compiled
def in_order(rows: Rows) -> bool:
    """Return whether the rows follow one another."""
    found = True
    for j in range(len(rows)):
        found &= rows[j] == rows[0] + j
    return found
