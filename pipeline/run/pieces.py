"""A snapshot as records that Kafka accepts, and records back as the newest snapshot that is whole.

The records of one snapshot have keys of their own; the last, under a key that all share, names it. So on
a compacted topic the former snapshot stays whole until the next one is, wherever a writer dies.
"""

from __future__ import annotations

import uuid

import msgspec

from pipeline.types import Seconds

# Under Kafka's default of 1 MiB a message (message.max.bytes), with room for the record's own head.
MAX_PIECE = 900_000
NEWEST = b"newest"
WRITER = uuid.uuid4().hex[:12]  # this process; nothing that is computed depends on it


class Name(msgspec.Struct, frozen=True):
    """What the last record of a snapshot says."""

    position: int  # of the last frame in it
    now: Seconds  # the time that frame was stepped at
    writer: str  # so that two writers of one partition never mix their records
    count: int

    def pieces(self) -> list[bytes]:
        """Return the keys of its records, in order."""
        return [f"{self.position}.{self.writer}.{k}".encode() for k in range(self.count)]


def cut(raw: bytes, position: int, now: Seconds, writer: str) -> tuple[Name, list[tuple[bytes, bytes]]]:
    """Return the name and the records to write, in this order."""
    parts = [raw[k : k + MAX_PIECE] for k in range(0, len(raw), MAX_PIECE)]
    name = Name(position, now, writer, len(parts))
    records = list(zip(name.pieces(), parts, strict=True))
    return name, [*records, (NEWEST, msgspec.msgpack.encode(name))]


class Pieces:
    """Records of one partition, read in order. Holds every record that is not deleted."""

    def __init__(self) -> None:
        self.records: dict[bytes, bytes] = {}

    def take(self, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.records.pop(key, None)
        else:
            self.records[key] = value

    def newest(self) -> tuple[Name, bytes] | None:
        """Return the newest snapshot; None where there is none, or a piece of it is gone."""
        last = self.records.get(NEWEST)
        if last is None:
            return None
        name = msgspec.msgpack.decode(last, type=Name)
        parts = [self.records.get(key) for key in name.pieces()]
        if None in parts:
            return None
        return name, b"".join(part for part in parts if part is not None)

    def stale(self) -> list[bytes]:
        """Return the keys that no snapshot needs: what a writer left that died half way."""
        found = self.newest()
        needed = {NEWEST, *(found[0].pieces() if found else ())}
        return [key for key in self.records if key not in needed]
