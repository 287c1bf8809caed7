"""An OTLP request for traces, from protobuf or from JSON, in, columns of its spans out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pipeline.ingest.door import AHEAD, Rejects
from pipeline.series import pack
from pipeline.types import Keys, Seconds, Traced

MAX_NAME = 200  # characters of a service, an operation or a peer; the rest is cut off
ROLES = {2: "server", 3: "client", 4: "producer", 5: "consumer"}  # by opentelemetry.proto's SpanKind
_FAILED = 2  # STATUS_CODE_ERROR
# What a client's span may say of whom it calls, the most deliberate first: semantic conventions, new and old.
_PEERS = {
    "peer.service": 0, "server.address": 1, "net.peer.name": 2,
    "db.system.name": 3, "db.system": 4, "messaging.system": 5,
}  # fmt: skip
_SERVICE = {"service.name": 0}
_ADDRESS = re.compile(r"[\d.]+|.*:.*")  # of a machine, which is nobody's name
# A span is known by its own id, which is random, stirred with its trace's: two odd numbers of no meaning.
_ODD = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], np.uint64)
_LARGEST = 2**64 - 1


class _Value(msgspec.Struct, rename="camel", gc=False):
    string_value: str | None = None


class _Attribute(msgspec.Struct, gc=False):
    key: str = ""
    value: _Value | None = None


class _Resource(msgspec.Struct):
    attributes: list[_Attribute] | None = None


class _Status(msgspec.Struct, gc=False):
    code: int | None = None


class Span(msgspec.Struct, rename="camel"):
    """A span in JSON, by the names that protobuf has for its fields; ids are in hex."""

    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    name: str | None = None
    kind: int | None = None
    start_time_unix_nano: int = 0
    end_time_unix_nano: int = 0
    status: _Status | None = None
    attributes: list[_Attribute] | None = None


class _Scope(msgspec.Struct):
    spans: list[Span] | None = None


class _Resourced(msgspec.Struct, rename="camel"):
    resource: _Resource | None = None
    scope_spans: list[_Scope] | None = None


class Request(msgspec.Struct, rename="camel"):
    """An ExportTraceServiceRequest in JSON."""

    resource_spans: list[_Resourced] | None = None


def columns(request: Any, now: Seconds, rejects: Rejects) -> Traced | None:
    """Return the good spans of a request in either form, for both have the same names; None where none is.

    Left out without a word are spans inside a service: they tell of no call. Cost: 5 us a span.
    """
    spans, services = _spans(request)
    if not spans:
        return None
    trace, whole = _ids([s.trace_id for s in spans], 16)
    own, some = _ids([s.span_id for s in spans], 8)
    none = bytes(8) if isinstance(spans[0].span_id, bytes) else "0" * 16
    parent, rooted = _ids([s.parent_span_id or none for s in spans], 8)
    start = _times([s.start_time_unix_nano for s in spans])
    end = _times([s.end_time_unix_nano for s in spans])
    latest = np.uint64((now + AHEAD) * 1e9)
    wrong = {
        "no service": np.array([not service for service in services]),
        "id": ~(whole & some & rooted & (trace > 0).any(1) & (own[:, 0] > 0)),
        "time": (start == 0) | (start > end) | (end > latest),
    }
    bad = _tell(wrong, spans, services, rejects)
    roles = [ROLES.get(s.kind or 0, "") for s in spans]
    inside = np.array([not role for role in roles]) & (parent[:, 0] > 0)
    keep = np.flatnonzero(~bad & ~inside)
    labels, kind = _labels([(services[k], roles[k], spans[k]) for k in keep.tolist()])
    stir = trace[keep, 0] * _ODD[0] + trace[keep, 1] * _ODD[1]
    above = parent[keep, 0]
    failed = [s.status is not None and s.status.code == _FAILED for s in spans]
    return Traced(
        labels, kind, own[keep, 0] + stir, np.where(above > 0, above + stir, 0),
        end[keep] / 1e9, (end[keep] - start[keep]) / 1e9, np.array(failed, np.bool_)[keep],
    )  # fmt: skip


def _spans(request: Any) -> tuple[list[Any], list[str]]:
    """Return all spans, and the service of each."""
    spans: list[Any] = []
    services: list[str] = []
    for each in request.resource_spans or ():
        service = _said(each.resource.attributes, _SERVICE) if each.resource else ""
        for scope in each.scope_spans or ():
            spans += scope.spans or ()
        services += [service] * (len(spans) - len(services))
    return spans, services


def _ids(given: Sequence[Any], size: int) -> tuple[Keys, NDArray[np.bool_]]:
    """Return ids of so many bytes as numbers, (n, size / 8), and which of them are whole; the rest is 0."""
    found = given if isinstance(given[0], bytes) else [_unhex(each) for each in given]
    whole = np.array(list(map(len, found))) == size
    if not whole.all():
        found = [each if len(each) == size else bytes(size) for each in found]
    return np.frombuffer(b"".join(found), "<u8").reshape(-1, size // 8), whole


def _unhex(text: str | None) -> bytes:
    try:
        return bytes.fromhex(text or "")
    except ValueError:
        return b""


def _times(given: Sequence[int]) -> Keys:
    """Return times in ns; what JSON may write and protobuf may not is as wrong as 0."""
    if min(given) < 0 or max(given) > _LARGEST:
        given = [each if 0 <= each <= _LARGEST else 0 for each in given]
    return np.array(given, np.uint64)


def _tell(
    wrong: dict[str, NDArray[np.bool_]], spans: Sequence[Any], services: Sequence[str], rejects: Rejects
) -> NDArray[np.bool_]:
    """Count and say what is wrong, of each span the first that is; return which spans are."""
    bad = np.zeros(len(spans), np.bool_)
    for reason, which in wrong.items():
        for k in np.flatnonzero(which & ~bad).tolist():
            rejects.add(reason, _sentence(reason, services[k], spans[k]))
        bad |= which
    return bad


def _sentence(reason: str, service: str, span: Any) -> str:
    if reason == "no service":
        return "resource: expected an attribute service.name"
    if reason == "id":
        return (
            f"span of {service}: expected a traceId of 16 bytes, a spanId of 8, a parentSpanId of 8 or none"
        )
    times = f"{span.start_time_unix_nano} to {span.end_time_unix_nano}"
    return f"span of {service}: expected ns, start first, end at most {AHEAD:g} s ahead, got {times}"


def _labels(given: Sequence[tuple[str, str, Any]]) -> tuple[tuple[bytes, ...], NDArray[np.int32]]:
    """Return label sets and which of them each span, told with its service and role, has."""
    number: dict[tuple[str, str, str], int] = {}
    kind = []
    for service, role, span in given:
        calls = role in ("client", "producer")
        named = _said(span.attributes, _PEERS) if calls else (span.name or "")[:MAX_NAME]
        kind.append(number.setdefault((service, role, named), len(number)))
    labels = (
        pack({"service": service, "role": role, "peer" if role in ("client", "producer") else "op": named})
        for service, role, named in number
    )
    return tuple(labels), np.array(kind, np.int32)


def _said(attributes: Any, keys: dict[str, int]) -> str:
    """Return the first of the keys, by their number, that the attributes have as a name."""
    best, found = len(keys), ""
    for each in attributes or ():
        rank = keys.get(each.key, best)
        if rank < best and each.value and (text := each.value.string_value) and not _ADDRESS.fullmatch(text):
            best, found = rank, text[:MAX_NAME]
    return found
