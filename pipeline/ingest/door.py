"""What every door shares: a request's bytes in, frames out, and words for what was wrong with the rest."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Protocol, TypeVar, runtime_checkable

import msgspec
import numpy as np
import orjson

from pipeline import frame
from pipeline.frame import Frame
from pipeline.types import Alerts, Event, Floats, Seconds, Traced

T = TypeVar("T")

# Prometheus refuses samples later than this: storage/remote/write_handler.go, maxAheadTime.
AHEAD: Seconds = 600.0
# A frame must fit Kafka's default of 1 MiB a message, whatever one row of it weighs.
FRAME_BYTES = 700_000
# A label set is kept as long as its series or alert is known, and tables of them are bounded by number.
MAX_SET = 8_192  # bytes of one label set
MAX_SAID = 10  # sentences in an answer; the rest is a number
_parts = msgspec.json.Decoder(list[msgspec.Raw])


class Limits(Protocol):
    """What a request may hold; config.Limits is one."""

    @property
    def body(self) -> int: ...
    @property
    def label(self) -> int: ...


class Door(Protocol):
    """A file in this folder with these names is a door; it is found by having them."""

    @property
    def PATHS(self) -> tuple[str, ...]: ...
    @property
    def STATUS(self) -> int:
        """Return the status of the answer when all was well."""
        ...

    def decode(self, body: bytes, headers: Mapping[str, str], now: Seconds, limits: Limits) -> Decoded:
        """Return the frames of a request; raises Refused, and nothing else, where none can be had."""
        ...


@runtime_checkable
class Telling(Protocol):
    """A door whose protocol has its own form for the answer to a request that is refused."""

    def refusal(self, no: Refused, headers: Mapping[str, str]) -> tuple[str, bytes]:
        """Return the content type and the body."""
        ...


class Refused(Exception):
    """Nothing of the request can be used. `reason` is one of a few fixed words; `str()` is for the sender."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


@dataclass(slots=True)
class Rejects:
    """The records of a request that were left out: how many by reason, and the first few in words."""

    count: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)

    def add(self, reason: str, text: str) -> None:
        self.count[reason] += 1
        if len(self.said) < MAX_SAID:
            self.said.append(text)

    def take(self, others: Rejects, where: str) -> None:
        """Add those of a part of the request, each with where it stood."""
        self.count += others.count
        self.said += [f"{where}{text}" for text in others.said][: MAX_SAID - len(self.said)]

    def __bool__(self) -> bool:
        return bool(self.count)

    def __str__(self) -> str:
        more = self.count.total() - len(self.said)
        return "\n".join([*self.said, *([f"and {more} more"] if more else [])])


@dataclass(frozen=True, slots=True)
class Decoded:
    """What is good of a request, as frames, and what is not."""

    frames: tuple[Frame, ...]
    rejects: Rejects = field(default_factory=Rejects)
    answer: bytes = b""  # the body of the answer when all was well
    kind: str = ""  # its content type; "" = as its first byte looks
    partial: bool = False  # the answer tells what was left out, with the status of when all was well


def plain(body: bytes, headers: Mapping[str, str], limits: Limits) -> bytes:
    """Return the body as it was before gzip, if it was; never makes more than the limit of it."""
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise Refused(415, "encoding", f'Content-Encoding: expected gzip or none, got "{encoding}"')
    unzip = zlib.decompressobj(wbits=31)
    try:
        raw = unzip.decompress(body, limits.body + 1)
    except zlib.error as error:
        raise Refused(400, "gzip", f"body is not gzip: {error}") from error
    if len(raw) > limits.body:
        raise Refused(413, "too large", f"body is larger than {limits.body} bytes when decompressed")
    if not unzip.eof:
        raise Refused(400, "gzip", "body is cut: the gzip stream has no end")
    return raw


def json_only(headers: Mapping[str, str]) -> None:
    """Refuse a content type that says something else than JSON."""
    kind = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "content type", f'Content-Type: expected application/json, got "{kind}"')


def read_json(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "json", f"body: {str(error)[:300]}") from error


def own_json(
    source: str,
    body: bytes,
    headers: Mapping[str, str],
    now: Seconds,
    limits: Limits,
    decoder: msgspec.json.Decoder[list[T] | T],
    event_of: Callable[[T, Seconds, Limits, Rejects], Event | None],
) -> Decoded:
    """Return the events of an object, or of an array of them, in our own JSON; the answer names their ids.

    What is wrong with one of an array leaves the others be, and is told by its place: "[3]: ...".
    """
    rejects = Rejects()
    told = _told(plain(body, headers, limits), decoder, rejects)
    found: list[Event] = []
    for place, each in told:
        own = Rejects()
        event = event_of(each, now, limits, own)
        found += [event] if event is not None else []
        rejects.take(own, f"[{place}]: " if place >= 0 else "")
    return Decoded(event_frames(now, source, found), rejects, orjson.dumps({"ids": [e.id for e in found]}))


def _told(raw: bytes, decoder: msgspec.json.Decoder[list[T] | T], rejects: Rejects) -> list[tuple[int, T]]:
    """Return what is as it should be with its place, -1 for one alone; refuses what is no JSON."""
    try:
        try:
            given = decoder.decode(raw)
        except msgspec.ValidationError:
            if not raw.lstrip().startswith(b"["):
                raise
            return _good(_parts.decode(raw), decoder, rejects)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "json", f"body: {str(error)[:300]}") from error
    return list(enumerate(given)) if isinstance(given, list) else [(-1, given)]


def _good(
    parts: list[msgspec.Raw], decoder: msgspec.json.Decoder[list[T] | T], rejects: Rejects
) -> list[tuple[int, T]]:
    good: list[tuple[int, T]] = []
    for place, part in enumerate(parts):
        try:
            each = decoder.decode(part)
        except msgspec.ValidationError as error:
            rejects.add("json", f"[{place}]: {str(error)[:300]}")
            continue
        if isinstance(each, list):
            rejects.add("json", f"[{place}]: Expected `object`, got `array`")
        else:
            good.append((place, each))
    return good


def when(given: float | datetime | None, now: Seconds) -> Seconds:
    """Return a time that a client wrote as epoch seconds or RFC 3339, UTC if it names no zone; else now."""
    if given is None:
        return now
    if isinstance(given, datetime):
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()
    return float(given)


def over(text: str, limit: int) -> bool:
    """Say whether a text is longer than so many bytes of UTF-8, mostly without encoding it."""
    return 4 * len(text) > limit and len(text.encode()) > limit


def id_of(prefix: str, *parts: object) -> str:
    """Return an id made of the content alone: the same request sent again means the same thing.

    >>> id_of("change", "pay", "deploy")
    'change-0387854aa8'
    """
    told = json.dumps(parts, ensure_ascii=True).encode()
    return f"{prefix}-{blake2b(told, digest_size=5).hexdigest()}"


def sample_frames(
    at: Seconds, source: str, labels: Sequence[bytes], time: Floats, value: Floats
) -> tuple[Frame, ...]:
    """Return n samples as frames; `labels` has the canonical bytes of each, (n,)."""
    frames = []
    for part in _cuts([20 + len(raw) for raw in labels]):
        known: dict[bytes, int] = {}
        rows = np.array([known.setdefault(raw, len(known)) for raw in labels[part]], np.int32)
        frames.append(frame.samples(at, source, tuple(known), rows, time[part], value[part]))
    return tuple(frames)


def line_frames(
    at: Seconds,
    source: str,
    labels: Sequence[bytes],
    time: Floats,
    text: Sequence[str],
    severity: Sequence[str],
) -> tuple[Frame, ...]:
    """Return n log lines as frames in time order; `labels` has the canonical bytes of each line's stream."""
    order = np.argsort(time, kind="stable")
    labels, text, severity = ([column[k] for k in order.tolist()] for column in (labels, text, severity))
    frames = []
    for part in _cuts([28 + len(line.encode()) for line in text]):
        known: dict[bytes, int] = {}
        rows = np.array([known.setdefault(raw, len(known)) for raw in labels[part]], np.int32)
        frames.append(
            frame.lines(at, source, tuple(known), rows, time[order[part]], text[part], severity[part])
        )
    return tuple(frames)


def span_frames(at: Seconds, source: str, told: Traced) -> tuple[Frame, ...]:
    """Return n spans as frames, each with the labels that it points to."""
    sizes = [37 + len(told.labels[k]) for k in told.kind.tolist()]
    return tuple(frame.spans(at, source, _span_part(told, part)) for part in _cuts(sizes))


def _span_part(told: Traced, part: slice) -> Traced:
    used, kind = np.unique(told.kind[part], return_inverse=True)
    return Traced(
        tuple(told.labels[k] for k in used.tolist()), kind.astype(np.int32), told.key[part],
        told.parent[part], told.end[part], told.duration[part], told.failed[part],
    )  # fmt: skip


def event_frames(at: Seconds, source: str, events: Sequence[Event]) -> tuple[Frame, ...]:
    sizes = [len(msgspec.msgpack.encode(event)) for event in events]
    return tuple(frame.events(at, source, events[part]) for part in _cuts(sizes))


def alert_frames(at: Seconds, source: str, said: Alerts) -> tuple[Frame, ...]:
    count = len(said.labels)
    size = 24 * count + sum(map(len, said.labels)) + sum(map(len, said.notes))
    if 0 < count <= frame.MAX_ROWS and size <= FRAME_BYTES:  # as of nearly every post
        return (frame.alerts(at, source, said),)
    cuts = _cuts([24 + len(raw) + len(note) for raw, note in zip(said.labels, said.notes, strict=True)])
    parts = (Alerts(said.labels[c], said.notes[c], said.time[c], said.until[c]) for c in cuts)
    return tuple(frame.alerts(at, source, part) for part in parts)


def _cuts(sizes: Iterable[int]) -> Iterator[slice]:
    """Yield slices of at most MAX_ROWS rows and FRAME_BYTES bytes that cover all."""
    start = k = held = 0
    for k, size in enumerate(sizes, 1):
        if k - 1 > start and (k - 1 - start >= frame.MAX_ROWS or held + size > FRAME_BYTES):
            yield slice(start, k - 1)
            start, held = k - 1, 0
        held += size
    if k > start:
        yield slice(start, k)
