"""A snapshot in pieces is whole or not there, wherever its writer dies."""

from __future__ import annotations

import pytest

from pipeline.run import pieces
from pipeline.run.pieces import MAX_PIECE, NEWEST, Name, Pieces

OLD = b"old" * MAX_PIECE
NEW = b"new" * MAX_PIECE


def read(*records: tuple[bytes, bytes | None]) -> Pieces:
    found = Pieces()
    for key, value in records:
        found.take(key, value)
    return found


@pytest.mark.parametrize("size", [0, 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE])
def test_a_snapshot_comes_back_as_it_was(size: int) -> None:
    raw = bytes(k % 251 for k in range(size))

    name, records = pieces.cut(raw, 41, 7.5, "w")

    assert read(*records).newest() == (name, raw)
    assert name == Name(41, 7.5, "w", -(-size // MAX_PIECE))
    assert max(len(value) for _, value in records) <= MAX_PIECE


@pytest.mark.parametrize("written", range(4))
def test_a_writer_that_dies_half_way_leaves_the_former_snapshot(written: int) -> None:
    _, old = pieces.cut(OLD, 1, 1.0, "w")
    _, new = pieces.cut(NEW, 2, 2.0, "w")
    assert len(new) == 4

    found = read(*old, *new[:written])

    newest = found.newest()
    assert newest is not None
    assert newest[1] == OLD
    assert found.stale() == [key for key, _ in new[:written]]


def test_two_writers_of_one_partition_never_mix_their_pieces() -> None:
    _, mine = pieces.cut(OLD, 5, 1.0, "a")
    _, theirs = pieces.cut(NEW, 5, 1.0, "b")

    found = read(*mine[:2], *theirs[:3], *mine[2:], theirs[3])

    newest = found.newest()
    assert newest is not None
    assert newest[1] == NEW


def test_a_snapshot_that_misses_a_piece_is_none() -> None:
    name, records = pieces.cut(OLD, 1, 1.0, "w")

    assert read(*records, (name.pieces()[1], None)).newest() is None


def test_an_empty_partition_has_no_snapshot() -> None:
    assert read().newest() is None
    assert read().stale() == []


def test_the_name_is_written_last() -> None:
    _, records = pieces.cut(OLD, 1, 1.0, "w")

    assert [key == NEWEST for key, _ in records] == [False, False, False, True]
