"""Spans to samples: what is counted and what is not, whatever the order, the clocks and the number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import frame, snapshot
from pipeline.config import Limits
from pipeline.ingest import otlp_traces
from pipeline.series import Series
from pipeline.spans import TraceState, calls, paired, trace, traced
from pipeline.types import Batch
from tests.tracing import Sent, Shop, protobuf

NOW = 1_790_000_000.0
FRONT = Sent("front", "GET /", 2, b"t" * 16, b"front--1", b"", NOW - 1.0, NOW)
CALL = Sent("front", "cart", 3, b"t" * 16, b"call---1", b"front--1", NOW - 0.9, NOW - 0.1, peer="cart")
CART = Sent("cart", "GET /cart", 2, b"t" * 16, b"cart---1", b"call---1", NOW - 0.8, NOW - 0.2)


def many(span: Sent, n: int = 30, failed: int = 0) -> list[Sent]:
    """Return n such spans of as many traces; the first few failed."""
    return [replace(span, trace=b"%016d" % (k + 1), failed=k < failed) for k in range(n)]


class Told:
    """A state, and the samples it told of, by series as Prometheus writes them."""

    def __init__(self) -> None:
        self.state, self.series, self.now = TraceState(), Series(), NOW
        self.samples: dict[str, list[float]] = {}

    def hear(self, spans: Sequence[Sent], after: float = 0.0) -> None:
        self.now += after
        decoded = otlp_traces.decode(protobuf(spans), {}, self.now, Limits())
        for each in decoded.frames:
            self.step(frame.batch(each, self.series))

    def wait(self, seconds: float) -> None:
        """Let time pass as the engine does."""
        for _ in range(int(seconds)):
            self.now += 1.0
            self.step(Batch())

    def go_on(self, seconds: float) -> None:
        """Let time pass while another service is heard."""
        for _ in range(int(seconds / 10)):
            self.wait(10)
            id = int(self.now).to_bytes(8, "big")
            self.hear([replace(FRONT, service="other", id=id, start=self.now, end=self.now)])

    def step(self, batch: Batch) -> None:
        found = trace(self.state, batch, self.series, self.now)
        for row, value in zip(found.series.tolist(), found.value.tolist(), strict=True):
            self.samples.setdefault(self.series.show(row), []).append(value)

    def last(self, name: str) -> float:
        return self.samples[name][-1]


def test_both_ends_of_a_call_make_a_gap_a_count_and_a_share_of_failures() -> None:
    told = Told()

    told.hear([*many(FRONT), *many(CALL, failed=15), *many(CART)])
    told.wait(10)

    assert told.last('span_gap_seconds{entity="front->cart",quantile="0.5",service="cart"}') == pytest.approx(
        0.2, rel=0.13
    )
    assert told.last('span_calls_rate{entity="front->cart",service="cart"}') == pytest.approx(3.0)
    assert told.last('span_failed_share{entity="front->cart",service="cart"}') == pytest.approx(
        0.357, abs=0.001
    )
    assert told.last('span_failed_share{service="cart"}') == pytest.approx(0.0)
    assert told.last('span_seconds{quantile="0.5",service="cart"}') == pytest.approx(0.6, rel=0.13)
    assert told.last('span_seconds{operation="GET /",quantile="0.5",service="front"}') == pytest.approx(
        1.0, rel=0.13
    )


@given(st.permutations([*many(FRONT, 3), *many(CALL, 3), *many(CART, 3)]), st.integers(0, 9), st.booleans())
def test_the_order_of_spans_and_how_they_are_posted_change_nothing(
    spans: list[Sent], first: int, later: bool
) -> None:
    told, once = Told(), Told()

    told.hear(spans[:first])
    told.hear(spans[first:], after=paired.WAIT / 2 if later else 0.0)
    told.go_on(70)
    once.hear(spans)
    once.go_on(70)

    of_edge = 'span_failed_share{entity="front->cart",service="cart"}'
    assert told.samples[of_edge] == once.samples[of_edge]
    assert calls(told.state) == calls(once.state) == {"front": frozenset({"cart"})}
    assert told.state.waiting.dropped["parent not told"] == 0


def test_a_server_that_says_it_took_longer_than_its_client_waited_leaves_no_gap() -> None:
    told = Told()
    slow = replace(CART, start=NOW - 5.0, end=NOW - 0.2)

    told.hear([*many(CALL), *many(slow)])
    told.wait(10)

    assert told.last('span_gap_seconds{entity="front->cart",quantile="0.5",service="cart"}') < 1e-5


def test_clocks_that_differ_by_minutes_change_no_duration_and_no_gap() -> None:
    told = Told()
    skewed = replace(CART, start=CART.start - 200.0, end=CART.end - 200.0)

    told.hear([*many(CALL), *many(skewed)])
    told.wait(10)

    assert told.last('span_gap_seconds{entity="front->cart",quantile="0.5",service="cart"}') == pytest.approx(
        0.2, rel=0.13
    )


def test_of_a_server_without_its_client_no_call_is_counted_but_its_time_is() -> None:
    told = Told()

    told.hear(many(CART))
    told.wait(40)

    assert told.state.waiting.dropped["parent not told"] == 30
    assert calls(told.state) == {}
    assert 'span_seconds{quantile="0.5",service="cart"}' in told.samples


def test_a_database_that_sends_no_spans_is_as_slow_as_its_clients_say() -> None:
    told = Told()

    told.hear(many(replace(CALL, peer="orders-db")))
    told.wait(paired.WAIT + 10)
    first = list(told.samples)
    told.samples.clear()
    told.hear(many(replace(CALL, peer="orders-db", id=b"call---2")))
    told.wait(10)

    name = 'span_seconds{entity="front->orders-db",quantile="0.5",service="orders-db"}'
    assert name in first
    assert told.last(name) == pytest.approx(0.8, rel=0.13), "at once, for it never answered"


def test_a_service_that_begins_to_send_spans_is_waited_for_again() -> None:
    told = Told()
    told.hear(many(replace(CALL, peer="10-cart")))
    told.wait(paired.WAIT + 10)

    for k in range(8):  # its spans come: the first of them find nobody who waits
        told.hear(many(replace(CALL, peer="10-cart", id=b"call%04d" % k)), after=1)
        told.wait(10)
        told.hear(many(replace(CART, parent=b"call%04d" % k, id=b"cart%04d" % k)), after=1)
        told.wait(10)

    assert "cart" in calls(told.state)["front"]


def test_a_call_to_a_traced_service_that_does_not_answer_counts_as_failed() -> None:
    told = Told()
    told.hear([*many(CALL), *many(CART)])
    told.wait(10)

    told.hear(many(replace(CALL, id=b"call---2", failed=True), 30, failed=30))
    told.wait(paired.WAIT + 10)

    assert told.last('span_failed_share{entity="front->cart",service="cart"}') > 0.9


def test_a_queue_has_calls_and_no_gap() -> None:
    told = Told()

    told.hear([*many(replace(CALL, kind=4)), *many(replace(CART, kind=5))])
    told.wait(10)

    assert 'span_calls_rate{entity="front->cart",service="cart"}' in told.samples
    assert not any(name.startswith("span_gap_seconds") for name in told.samples)


def test_a_post_sent_again_counts_once() -> None:
    told, once = Told(), Told()
    spans = [*many(FRONT), *many(CALL), *many(CART)]

    told.hear(spans)
    told.hear(spans, after=1)
    told.wait(60)
    once.hear(spans)
    once.wait(61)

    assert told.state.dropped["sent again"] == 90
    assert told.samples == once.samples


def test_a_span_twice_in_a_post_counts_once() -> None:
    told = Told()

    told.hear([*many(CART), *many(CART)])
    told.wait(10)

    assert told.last('span_calls_rate{service="cart"}') == pytest.approx(3.0)
    assert told.state.dropped["late or twice"] == 30


def test_what_ended_long_ago_is_counted_as_late_and_not_as_now() -> None:
    told = Told()

    told.hear(many(replace(CART, start=NOW - 400.0, end=NOW - 399.0)))
    told.wait(70)

    assert told.state.dropped["late or twice"] == 30
    assert 'span_seconds{quantile="0.5",service="cart"}' not in told.samples


def test_while_only_what_ended_long_ago_comes_nobody_is_said_to_have_no_calls() -> None:
    told = Told()
    told.hear(many(CART))
    told.wait(10)

    for _ in range(12):
        told.now += 10
        late = replace(CART, id=int(told.now).to_bytes(8, "big"), start=told.now - 400, end=told.now - 399)
        told.hear(many(late))

    assert told.samples['span_calls_rate{service="cart"}'] == pytest.approx([3.0])
    assert told.state.dropped["late or twice"] == 12 * 30


def test_nine_tenths_are_told_of_services_only() -> None:
    told = Told()

    told.hear([*many(FRONT), *many(CALL), *many(CART)])
    told.wait(10)

    assert sorted(name for name in told.samples if "seconds" in name) == [
        'span_gap_seconds{entity="front->cart",quantile="0.5",service="cart"}',
        'span_seconds{operation="GET /",quantile="0.5",service="front"}',
        'span_seconds{operation="GET /cart",quantile="0.5",service="cart"}',
        'span_seconds{quantile="0.5",service="cart"}',
        'span_seconds{quantile="0.5",service="front"}',
        'span_seconds{quantile="0.9",service="cart"}',
        'span_seconds{quantile="0.9",service="front"}',
    ]


@pytest.mark.parametrize("peer", ["", "front"])
def test_a_client_that_names_no_other_service_calls_nobody(peer: str) -> None:
    told = Told()

    told.hear([*many(FRONT), *many(replace(CALL, peer=peer))])
    told.wait(50)

    assert {name for name in told.samples if "rate" in name} == {'span_calls_rate{service="front"}'}
    assert told.state.dropped["peer limit"] == 0


def test_of_two_calls_nothing_but_their_number_is_told() -> None:
    told = Told()

    told.hear(many(CART, 2, failed=2))
    told.go_on(70)

    assert [name for name in told.samples if "cart" in name] == ['span_calls_rate{service="cart"}']


def test_a_few_calls_say_no_more_than_is_sure() -> None:
    told = Told()
    quick = replace(FRONT, start=FRONT.end - 0.01, id=b"quick--1")

    told.hear([*many(CART, 5, failed=2), *many(FRONT, 5), quick])
    told.go_on(70)

    assert told.last('span_seconds{quantile="0.5",service="cart"}') == pytest.approx(0.6, rel=0.13)
    assert told.last('span_seconds{quantile="0.5",service="front"}') == pytest.approx(0.01, rel=0.13)
    assert told.last('span_failed_share{service="cart"}') == pytest.approx(0.143, abs=0.001)


def test_while_others_are_heard_a_service_without_calls_has_none() -> None:
    told = Told()
    told.hear(many(CART))

    for k in range(12):
        told.hear([replace(FRONT, id=b"front%03d" % k)], after=10)

    assert told.last('span_calls_rate{service="cart"}') == 0.0
    assert told.last('span_calls_rate{service="front"}') > 0.0


def test_while_nothing_comes_at_all_nothing_is_said() -> None:
    told = Told()
    told.hear(many(CART))
    told.wait(traced.ALIVE)
    told.samples.clear()

    told.wait(600)

    assert told.samples == {}


@pytest.mark.parametrize("ticks", [pytest.param(True, id="of the feed"), pytest.param(False, id="of ours")])
def test_a_pause_does_not_count_as_time_without_calls(ticks: bool) -> None:
    told = Told()
    told.hear(many(CART))
    told.wait(10)
    told.samples.clear()

    told.wait(600 if ticks else 0)
    told.now += 0 if ticks else 600
    told.hear(many(replace(CART, id=b"cart---2", start=told.now, end=told.now)))
    told.wait(10)

    assert [rate >= 1.0 for rate in told.samples['span_calls_rate{service="cart"}']] == [True]


def test_what_was_not_called_for_an_hour_is_forgotten() -> None:
    told = Told()
    told.hear([*many(FRONT), *many(CALL), *many(CART)])
    told.wait(10)
    before = told.state.edges

    for k in range(370):
        told.hear([replace(FRONT, id=b"front%03d" % k, start=told.now, end=told.now)], after=10)

    assert set(told.state.tally.seats.rows) == {("service", "front"), ("operation", "front", "GET /")}
    assert set(told.state.names.rows) == {("front",)}
    assert told.state.tally.operations == {"front": 1}
    assert (calls(told.state), told.state.edges > before) == ({}, True)


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    shop = Shop(7)
    told = Told()
    posts = [shop.spans(NOW + 5 * k, NOW + 5 * k + 4, 4.0) for k in range(24)]
    for spans in posts[:12]:
        told.hear(spans, after=5)
    other = Told()
    other.now = told.now
    other.state, other.series = snapshot.load(snapshot.dump((told.state, told.series)))
    told.samples.clear()

    for spans in posts[12:]:
        told.hear(spans, after=5)
        other.hear(spans, after=5)

    assert told.samples == other.samples
    assert len(told.samples) > 20


def test_what_a_service_calls_of_itself_is_no_way_between_two() -> None:
    told = Told()

    told.hear([*many(CALL), *many(replace(CART, service="front"))])
    told.wait(40)

    assert calls(told.state) == {}


def test_a_client_waits_for_its_server_though_others_answered_nobody() -> None:
    told = Told()
    told.hear([*many(CALL), *many(CART)])
    told.wait(10)
    told.hear(many(replace(CALL, id=b"call---2")))  # these answers are lost on the way
    told.wait(paired.WAIT + 10)

    told.hear(many(replace(CALL, id=b"call---3")), after=1)
    told.wait(10)
    told.hear(many(replace(CART, parent=b"call---3", id=b"cart---3")))
    told.wait(10)

    assert told.state.waiting.dropped["parent not told"] == 0
    assert told.state.waiting.silent == set()


def test_nobody_misses_samples_that_were_worked_out_of_spans() -> None:
    state, series, given = TraceState(), Series(), Shop().spans(NOW, NOW + 9, 5.0)
    found = otlp_traces.decode(protobuf(given), {}, NOW + 9, Limits())
    for each in found.frames:
        trace(state, frame.batch(each, series), series, NOW + 9)

    told = trace(state, Batch(), series, NOW + 10)

    assert told.derived == len(told.series) > 0
