"""The demo agent's wire bytes: what a Prometheus would have sent."""

from __future__ import annotations

import cramjam

from pipeline.demo import remote_write


def test_a_sample_is_one_series_with_sorted_labels_and_milliseconds() -> None:
    body = remote_write.body([({"service": "pay", "__name__": "up"}, 1.0, 1.5)])

    assert bytes(cramjam.snappy.decompress_raw(body)) == (
        b"\x0a\x2e"  # WriteRequest.timeseries, 46 bytes
        b"\x0a\x0e\x0a\x08__name__\x12\x02up"
        b"\x0a\x0e\x0a\x07service\x12\x03pay"
        b"\x12\x0c\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xdc\x0b"  # 1.0 at 1500 ms
    )


def test_nothing_to_send_is_an_empty_request() -> None:
    assert bytes(cramjam.snappy.decompress_raw(remote_write.body([]))) == b""
