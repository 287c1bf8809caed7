"""What is acknowledged is on disk, what is torn is cut, and positions have no gap."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import zlib
from pathlib import Path

import pytest

from pipeline.ingest import journal
from pipeline.ingest.journal import MAGIC, Damaged, Journal, Unwritable

one_call = pytest.mark.skipif(
    not journal.DURABLY, reason="this system has no write that is durable by itself"
)


async def written(folder: Path, *raws: bytes, segment: int = journal.SEGMENT) -> None:
    """Leave a journal of these records, one commit each, in the folder."""
    opened = Journal(folder, segment)
    for raw in raws:
        await opened.append([raw])
    await opened.close()


def segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.journal"))


async def test_records_come_back_in_order_with_their_positions(tmp_path: Path) -> None:
    first = Journal(tmp_path)

    positions = await asyncio.gather(first.append([b"a", b"bb"]), first.append([b""]), first.append([b"d"]))
    await first.close()
    again = Journal(tmp_path)

    assert list(positions) == [0, 2, 3]
    assert list(again.replay(0)) == [(0, b"a"), (1, b"bb"), (2, b""), (3, b"d")]
    assert list(again.replay(1, 3)) == [(1, b"bb"), (2, b"")]
    assert (again.first, again.next, again.last, again.cut) == (0, 4, b"d", 0)


async def test_a_journal_goes_on_where_it_ended(tmp_path: Path) -> None:
    await written(tmp_path, b"a", b"b")
    again = Journal(tmp_path)

    assert await again.append([b"c"]) == 2
    assert list(again.replay(0)) == [(0, b"a"), (1, b"b"), (2, b"c")]


async def test_a_tail_torn_at_any_byte_is_cut_at_the_last_whole_record(tmp_path: Path) -> None:
    await written(tmp_path / "whole", b"first", b"second")
    raw = segments(tmp_path / "whole")[0].read_bytes()
    one = len(MAGIC) + 8 + len(b"first")

    for length in range(len(MAGIC) + 1, len(raw)):
        folder = tmp_path / f"{length}"
        folder.mkdir()
        (folder / f"{0:020d}.journal").write_bytes(raw[:length])
        torn = Journal(folder)
        kept = 1 if length >= one else 0
        assert list(torn.replay(0)) == [(0, b"first")][:kept]
        assert torn.cut == length - (one if kept else len(MAGIC))
        assert await torn.append([b"third"]) == kept
        await torn.close()
        assert list(Journal(folder).replay(kept)) == [(kept, b"third")]


async def test_a_tail_of_other_bytes_is_cut(tmp_path: Path) -> None:
    await written(tmp_path, b"first", b"second")
    path = segments(tmp_path)[0]
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)

    assert list(Journal(tmp_path).replay(0)) == [(0, b"first")]


async def test_a_record_at_another_position_is_not_one(tmp_path: Path) -> None:
    await written(tmp_path, b"first")
    segments(tmp_path)[0].rename(tmp_path / f"{7:020d}.journal")

    moved = Journal(tmp_path)

    assert list(moved.replay(0)) == []
    assert moved.next == 7


@pytest.mark.parametrize("size", [0, 1, 5_119, 5_120, 5_121, 20_000])
@pytest.mark.parametrize("position", [0, 7, 2**33 + 7])
def test_a_check_sum_taken_in_slices_is_that_of_the_whole(size: int, position: int) -> None:
    body = random.Random(1).randbytes(size)

    assert journal._sum(position, body) == zlib.crc32(body, position % 2**32)


async def test_segments_roll_by_size_and_go_once_behind_the_snapshot(tmp_path: Path) -> None:
    await written(tmp_path, *(b"%d" % k for k in range(10)), segment=30)
    rolled = Journal(tmp_path, 30)
    starts = [int(path.stem) for path in segments(tmp_path)]

    rolled.forget(starts[2] + 1)

    assert len(starts) >= 4
    assert [int(path.stem) for path in segments(tmp_path)] == starts[2:]
    assert rolled.first == starts[2]
    assert list(rolled.replay(0)) == [(k, b"%d" % k) for k in range(starts[2], 10)]


async def test_the_newest_segment_is_never_forgotten(tmp_path: Path) -> None:
    await written(tmp_path, b"a", b"b")
    kept = Journal(tmp_path)

    kept.forget(2)

    assert list(kept.replay(0)) == [(0, b"a"), (1, b"b")]


async def test_damage_before_the_end_is_named_and_not_cut(tmp_path: Path) -> None:
    await written(tmp_path, b"aaaa", b"bbbb", b"cccc", segment=20)
    path = segments(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    with pytest.raises(Damaged, match="record 1 is damaged"):
        list(Journal(tmp_path, 20).replay(0))


async def test_a_segment_that_a_crash_left_empty_is_no_loss(tmp_path: Path) -> None:
    await written(tmp_path, b"a")
    (tmp_path / f"{1:020d}.journal").write_bytes(MAGIC[:2])

    again = Journal(tmp_path)

    assert (again.next, again.last) == (1, b"a")
    assert await again.append([b"b"]) == 1


async def test_no_one_hears_of_a_record_before_the_sync_that_covers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "DURABLY", 0)
    opened = Journal(tmp_path)
    heard: list[str] = []
    real = os.fdatasync

    def sync(file: int) -> None:
        real(file)
        heard.append("sync")

    monkeypatch.setattr(os, "fdatasync", sync)

    async def send(raw: bytes) -> None:
        await opened.append([raw])
        heard.append("told")

    await asyncio.gather(*(send(b"x") for _ in range(3)))

    assert heard[0] == "sync"
    assert heard.count("told") == 3
    assert heard.count("sync") == 1, "what is queued together is synced together"


@pytest.mark.parametrize(
    ("broken", "durably"),
    [("pwrite", 0), ("fdatasync", 0), pytest.param("pwritev", journal.DURABLY, marks=one_call)],
)
async def test_what_the_disk_refuses_is_not_acknowledged_and_not_found_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, durably: int
) -> None:
    monkeypatch.setattr(journal, "DURABLY", durably)
    opened = Journal(tmp_path)
    await opened.append([b"before"])

    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, broken, full)
        with pytest.raises(Unwritable, match="No space left on device"):
            await opened.append([b"refused"])

    assert await opened.append([b"after"]) == 1
    await opened.close()
    assert list(Journal(tmp_path).replay(0)) == [(0, b"before"), (1, b"after")]


@one_call
async def test_a_commit_is_one_call_that_asks_for_durability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Journal(tmp_path)
    asked: list[int] = []
    real = os.pwritev

    def write(file: int, rest: list[memoryview], at: int, flags: int) -> int:
        asked.append(flags)
        return real(file, [part[:9] for part in rest], at, flags)  # no more than a few bytes at a time

    monkeypatch.setattr(os, "pwritev", write)
    await opened.append([b"abcdefgh"])

    assert asked == [os.RWF_DSYNC, os.RWF_DSYNC]
    assert list(Journal(tmp_path).replay(0)) == [(0, b"abcdefgh")]


@one_call
async def test_where_there_is_no_such_call_a_commit_is_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Journal(tmp_path)
    synced: list[int] = []
    real = os.fdatasync

    def unknown(*args: object) -> int:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    def sync(file: int) -> None:
        synced.append(file)
        real(file)

    monkeypatch.setattr(os, "pwritev", unknown)
    monkeypatch.setattr(os, "fdatasync", sync)
    await opened.append([b"a"])
    await opened.append([b"b"])

    assert len(synced) == 2
    assert list(Journal(tmp_path).replay(0)) == [(0, b"a"), (1, b"b")]


async def test_a_snapshot_newer_than_the_journal_makes_it_begin_behind_it(tmp_path: Path) -> None:
    await written(tmp_path, b"old")
    found = Journal(tmp_path)

    found.skip_to(100)

    assert await found.append([b"new"]) == 100
    assert list(found.replay(0)) == [(100, b"new")]


async def test_a_replay_is_not_confused_by_what_is_written_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(tmp_path, b"a", b"b", segment=1_000)
    opened = Journal(tmp_path, segment=1)  # each commit from now on begins a segment of its own
    real = opened._paths

    def paths() -> list[Path]:
        found = real()
        monkeypatch.undo()
        opened._commit(journal._packed(2, [b"c"]), 1)
        return found

    monkeypatch.setattr(opened, "_paths", paths)

    assert list(opened.replay(0)) == [(0, b"a"), (1, b"b")]
    await opened.close()
