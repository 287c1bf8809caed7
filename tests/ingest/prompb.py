"""Prometheus' remote-write 1.0 messages by Google's own protobuf: the reference that the door is held to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cramjam
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
# prometheus/prompb/types.proto and remote.proto, the parts of 1.0: message, field, number, type, repeated.
_FIELDS: Sequence[tuple[str, str, int, int | str, bool]] = (
    ("Label", "name", 1, _FIELD.TYPE_STRING, False),
    ("Label", "value", 2, _FIELD.TYPE_STRING, False),
    ("Sample", "value", 1, _FIELD.TYPE_DOUBLE, False),
    ("Sample", "timestamp", 2, _FIELD.TYPE_INT64, False),
    ("Exemplar", "labels", 1, "Label", True),
    ("Exemplar", "value", 2, _FIELD.TYPE_DOUBLE, False),
    ("Exemplar", "timestamp", 3, _FIELD.TYPE_INT64, False),
    ("TimeSeries", "labels", 1, "Label", True),
    ("TimeSeries", "samples", 2, "Sample", True),
    ("TimeSeries", "exemplars", 3, "Exemplar", True),
    ("MetricMetadata", "type", 1, _FIELD.TYPE_INT32, False),
    ("MetricMetadata", "metric_family_name", 2, _FIELD.TYPE_STRING, False),
    ("WriteRequest", "timeseries", 1, "TimeSeries", True),
    ("WriteRequest", "metadata", 3, "MetricMetadata", True),
)


def _messages() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="prompb.proto", package="prometheus", syntax="proto3")
    made: dict[str, Any] = {}
    for message, name, number, kind, repeated in _FIELDS:
        if message not in made:
            made[message] = file.message_type.add(name=message)
        field = made[message].field.add(name=name, number=number)
        field.label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
        if isinstance(kind, str):
            field.type, field.type_name = _FIELD.TYPE_MESSAGE, f".prometheus.{kind}"
        else:
            field.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"prometheus.{name}"))
        for name in made
    }


MESSAGES = _messages()


def series(labels: Mapping[str, str], *samples: tuple[float, int]) -> Any:
    """Return a TimeSeries of (value, ms) samples, its labels in the order given."""
    made = MESSAGES["TimeSeries"]()
    for name, text in labels.items():
        made.labels.add(name=name, value=text)
    for value, ms in samples:
        made.samples.add(value=value, timestamp=ms)
    return made


def request(*timeseries: Any) -> Any:
    made = MESSAGES["WriteRequest"]()
    made.timeseries.extend(timeseries)
    return made


def body(*timeseries: Any) -> bytes:
    """Return what Prometheus would post."""
    return bytes(cramjam.snappy.compress_raw(request(*timeseries).SerializeToString()))
