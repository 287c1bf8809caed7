"""Label sets to int32 rows and back: each set is interned once, by its canonical bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.types import NO_ROWS, Labels, Rows, Seconds

SEP = b"\xff"  # cannot occur in UTF-8, so names and values need no escaping

MAX_SHAPES = 4_096  # tuples of label names whose order is kept, about 1 kB each
FEW = 16  # of fingerprints that are made one by one: the columns of more cost 0.3 ms, however many they are

# The labels that commonly say which service a series belongs to, the most deliberate first.
SERVICE_LABELS = ("service", "service_name", "app", "app_kubernetes_io_name", "container", "job")


def pack(labels: Mapping[str, str]) -> bytes:
    """Return the canonical bytes of a label set: sorted, empty values left out.

    >>> pack({"b": "2", "a": "1", "c": ""})
    b'a\\xff1\\xffb\\xff2\\xff'
    """
    names = tuple(labels)
    shape = _shapes.get(names) or _shape(names)
    if shape is None or "" in labels.values():
        return _joined(labels)
    text = shape.template % shape.values(labels)
    if text.count("\0") > 2 * len(names):  # a value has the character
        return _joined(labels)
    return text.encode().replace(b"\0", SEP)


class _Shape(NamedTuple):
    """What label sets of the same names, in the order they came, have in common."""

    values: Callable[[Mapping[str, str]], tuple[str, ...]]  # in the order of their names
    template: str


_shapes: dict[tuple[str, ...], _Shape] = {}


def _shape(names: tuple[str, ...]) -> _Shape | None:
    """Work out a shape and keep it; None where there are too few names, or one has a NUL."""
    if len(names) < 2 or any("\0" in name for name in names):
        return None
    if len(_shapes) >= MAX_SHAPES:
        _shapes.clear()
    order = sorted(names)
    template = "".join(name.replace("%", "%%") + "\0%s\0" for name in order)
    found = _shapes[names] = _Shape(itemgetter(*order), template)
    return found


def _joined(labels: Mapping[str, str]) -> bytes:
    parts = [part for name in sorted(labels) if labels[name] for part in (name, labels[name])]
    return b"".join([part.encode() + SEP for part in parts])


def unpack(raw: bytes) -> dict[str, str]:
    """Return the label set of its canonical bytes.

    >>> unpack(pack({"service": "pay", "__name__": "up"}))
    {'__name__': 'up', 'service': 'pay'}
    """
    if b"\0" in raw:
        parts = iter([part.decode() for part in raw.split(SEP)])
    else:
        parts = iter(raw.replace(SEP, b"\0").decode().split("\0"))  # one decoding costs less than many
    return dict(zip(parts, parts, strict=False))  # behind the last separator is nothing


def show(labels: Mapping[str, str]) -> str:
    """Return a label set as Prometheus writes it.

    >>> show({"__name__": "up", "service": "pay"})
    'up{service="pay"}'
    """
    inner = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()) if k != "__name__")
    return labels.get("__name__", "") + (f"{{{inner}}}" if inner else "")


def fingerprint(packed: bytes) -> str:
    """Return Alertmanager's fingerprint of canonical label bytes: FNV-1a, 64 bits.

    >>> fingerprint(pack({"alertname": "alert1", "severity": "critical"}))
    '0223b772b51c29e1'
    """
    total = 0xCBF29CE484222325
    for byte in packed:
        total = (total ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{total:016x}"


def fingerprints(packed: Sequence[bytes]) -> list[str]:
    """Return the fingerprint of each. Cost: 0.8 us for one of a thousand, where one alone takes 20 us."""
    if len(packed) <= FEW:
        return [fingerprint(raw) for raw in packed]
    sizes = np.fromiter(map(len, packed), np.intp, len(packed))
    order = np.argsort(-sizes, kind="stable")  # longest first: those that go on stay at the front
    longest = int(sizes[order[0]])
    rows = b"".join(packed[k].ljust(longest, b"\0") for k in order.tolist())
    columns = np.frombuffer(rows, np.uint8).reshape(len(packed), longest).T.astype(np.uint64, order="C")
    going = np.searchsorted(-sizes[order], -np.arange(longest), side="left")
    total = np.full(len(packed), 0xCBF29CE484222325, np.uint64)
    for column, count in zip(columns, going.tolist(), strict=True):
        part = total[:count]
        np.bitwise_xor(part, column[:count], out=part)
        np.multiply(part, np.uint64(0x100000001B3), out=part)
    found = np.empty_like(total)
    found[order] = total
    return [f"{one:016x}" for one in found.tolist()]


def service_of(labels: Mapping[str, str]) -> str:
    """Return the service that a label set speaks of, "" if it names none."""
    for name in SERVICE_LABELS:
        if service := labels.get(name):
            return service
    return ""


LOOKS = 24  # while it is quiet, before a series is let go


@dataclass(slots=True)
class Series:
    """Every label set seen, in order of first sight. Owned by the pipeline, part of its snapshot.

    At most `limit` rows, about 1 kB each and 16 kB at the very most; past it the newest are turned away, as
    row -1, and counted. What has sent nothing for `idle` seconds is let go, and its row given to another.
    """

    limit: int = 1_000_000
    idle: Seconds = 86400.0
    rows: dict[bytes, int] = field(default_factory=dict)
    labels: list[Labels] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    # Looks since it was heard, (rows or more,).
    missed: NDArray[np.uint8] = field(default_factory=lambda: np.zeros(0, np.uint8), compare=False)
    free: list[int] = field(default_factory=list)  # rows let go
    reborn: list[int] = field(default_factory=list)  # rows of this batch that were another's before
    looked: Seconds = 0.0  # when idle ones were last let go

    def __len__(self) -> int:
        return len(self.labels)

    def intern(self, raws: Sequence[bytes]) -> Rows:
        """Return the row of each label set, (n,) int32; -1 where the limit turned it away."""
        find = self.rows.get
        found = [find(raw, -1) for raw in raws]
        if -1 in found:
            found = [self._add(raw) if row < 0 else row for raw, row in zip(raws, found, strict=True)]
        rows = np.array(found, np.int32)
        if len(self.labels) > len(self.missed):
            self.missed = np.pad(self.missed, (0, max(1024, len(self.labels) - len(self.missed) // 2)))
        self.missed[rows[rows >= 0]] = 0
        return rows

    def evict(self, now: Seconds) -> Rows:
        """Return the rows, (n,), that have sent nothing for too long and are let go.

        Looks LOOKS times in `idle` seconds. It is looks that are counted, so that hours in which we were
        down ourselves, or a clock that leaps, make nobody idle.
        """
        if now < self.looked + self.idle / LOOKS:
            return NO_ROWS
        self.looked = now
        self.missed[: len(self)] += 1
        gone = [int(row) for row in np.flatnonzero(self.missed[: len(self)] > LOOKS) if self.labels[row]]
        for row in gone:
            del self.rows[pack(self.labels[row])]
            self.labels[row], self.services[row] = {}, ""
        self.missed[self.missed > LOOKS] = 0
        self.free += gone
        return np.array(gone, np.int32)

    def show(self, row: int) -> str:
        return show(self.labels[row])

    def named(self, name: str) -> Iterable[int]:
        """Yield the rows of one metric name."""
        return (k for k, labels in enumerate(self.labels) if labels.get("__name__") == name)

    def _add(self, raw: bytes) -> int:
        row = self.rows.get(raw)
        if row is not None:
            return row
        if self.free:
            row = self.free.pop()
            self.reborn.append(row)
        elif len(self.labels) < self.limit:
            row = len(self.labels)
            self.labels.append({})
            self.services.append("")
        else:
            self.dropped["series limit"] += 1
            return -1
        self.rows[raw] = row
        self.labels[row] = unpack(raw)
        self.services[row] = service_of(self.labels[row])
        return row
