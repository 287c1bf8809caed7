"""Complaints become topics, services and urgency, and a signal where many customers say the same."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import snapshot, topology
from pipeline.commands.complaints import command
from pipeline.complaints import ComplaintState, hear
from pipeline.complaints import heard as heard_module
from pipeline.complaints.heard import voice_of
from pipeline.complaints.link import link
from pipeline.complaints.urgency import urgent
from pipeline.complaints.words import SIZE, columns, grams, plain
from pipeline.topology import Service, Topology
from pipeline.types import Complaint, Event, Seconds, Signal
from tests.soak import times

START = 1_700_000_000.0
SHOP = Topology(
    {
        "checkout-service": Service(
            aliases={"en": ("checkout", "placing an order"), "zh": ("下单", "提交订单")}
        ),
        "payment-service": Service(aliases={"en": ("payment", "paying by card"), "zh": ("支付", "付款")}),
        "shipping-service": Service(aliases={"en": ("the shipping quote",), "zh": ("运费",)}),
    }
)
CHATTER = (
    "How do I change my address", "Forgot my password", "Where is my parcel", "什么时候补货", "发票开错了",
    "When do you open a store in Lyon", "I ordered the wrong size", "怎么注销账号", "Please unsubscribe me",
    "The discount code is not accepted", "Do you ship to Norway", "Thank you, great staff",
)  # fmt: skip


def said(n: int, at: Seconds, text: str, customer: str = "") -> Event:
    return Event("complaint", f"c{n:05}", at, {"customer": customer or f"u{n}", "lang": "en"}, text)


def ordinary(hours: int) -> list[Event]:
    """A quiet desk: a different question every ten minutes, now and then one about checkout."""
    events = [said(k, START + 600.0 * k, CHATTER[k % len(CHATTER)]) for k in range(hours * 6)]
    events += [said(9000 + k, START + 3600.0 * 5 * k + 77, "checkout is slow") for k in range(hours // 5)]
    return sorted(events, key=lambda e: e.time)


def outage(at: Seconds, n: int = 6) -> list[Event]:
    words = ("checkout fails again and again", "无法下单, 一直转圈", "Placing an order gives error 500")
    return [said(500 + k, at + 120.0 * k, words[k % 3]) for k in range(n)]


def run(
    state: ComplaintState, events: list[Event], catalog: Topology = SHOP
) -> tuple[list[Signal], list[Complaint]]:
    signals: list[Signal] = []
    read: list[Complaint] = []
    for event in events:
        found, complaint = hear(state, (event,), catalog, event.time)
        signals += found
        read += complaint
    return signals, read


END = START + 24 * 3600.0


def test_many_customers_naming_one_service_in_two_languages_page() -> None:
    state = ComplaintState()
    before, _ = run(state, ordinary(24))

    signals, _ = run(state, outage(END))

    assert before == []
    first = next(s for s in signals if s.page)
    assert (first.kind, first.service, first.detector) == ("complaint", "checkout-service", "surge")
    assert first.at <= END + 4 * 120.0
    assert len({s.id for s in signals}) == 1
    assert signals[-1].ids == tuple(f"c{500 + k:05}" for k in range(6))
    assert signals[-1].reason.startswith("6 customers complain alike about checkout-service within 10 min")


def test_a_surge_needs_no_catalogue_where_the_words_are_alike() -> None:
    state = ComplaintState()
    run(state, ordinary(24), Topology())

    same = [said(500 + k, END + 60.0 * k, f"The {k}th seat map never loads in the app") for k in range(7)]
    signals, _ = run(state, same, Topology())

    assert any(s.page for s in signals)
    assert {s.service for s in signals} == {""}


def test_one_customer_has_one_voice() -> None:
    state = ComplaintState()
    run(state, ordinary(24))

    loud = [said(500 + k, END + 60.0 * k, "checkout fails", customer="ann") for k in range(20)]

    assert run(state, loud)[0] == []


def test_what_a_customer_said_before_is_no_rise_for_him() -> None:
    state = ComplaintState()
    run(state, [*ordinary(24), said(500, END, "checkout fails", customer="ann")])
    rows = slice(0, len(state.heard))
    like = (state.heard.time[rows] >= END).astype(float)

    ann, bob = voice_of("ann", ""), voice_of("bob", "")

    assert state.heard.rise(like, rows, 0.0, END + 60.0, ann).surprise == pytest.approx(0.0)
    assert state.heard.rise(like, rows, 0.0, END + 60.0, bob).voices == pytest.approx(1.0)


def test_a_surge_ends_when_nobody_joins_and_one_more_does_not_begin_it_again() -> None:
    state = ComplaintState()
    run(state, ordinary(24))
    signals, _ = run(state, outage(END))

    quiet = END + 10 * 120.0 + 1800.0
    ended, _ = hear(state, (), SHOP, quiet)
    again, _ = run(state, [said(800, quiet + 60.0, "checkout fails")])

    assert [(s.id, s.ended) for s in ended] == [(signals[0].id, END + 600.0)]
    assert again == []
    assert state.surges.on == {}


def test_ordinary_days_make_no_surge() -> None:
    state = ComplaintState()

    assert run(state, ordinary(24 * 7))[0] == []


def test_how_complaints_are_cut_into_calls_and_ordered_changes_nothing() -> None:
    events = ordinary(12) + outage(START + 12 * 3600.0)
    one, other = ComplaintState(), ComplaintState()
    run(one, events)

    for k in range(0, len(events), 7):
        chunk = events[k : k + 7]
        hear(other, tuple(reversed(chunk)), SHOP, chunk[-1].time)

    assert [(s.id, s.ids, s.surprise, s.page) for s in one.surges.on.values()] == [
        (s.id, s.ids, s.surprise, s.page) for s in other.surges.on.values()
    ]
    assert one.surges.on != {}


def test_a_snapshot_in_the_middle_changes_nothing() -> None:
    straight, broken = ComplaintState(), ComplaintState()
    for state in (straight, broken):
        run(state, ordinary(12))
        run(state, outage(START + 12 * 3600.0, n=3))
    broken = snapshot.load(snapshot.dump(broken))

    later = [
        said(700 + k, START + 12 * 3600.0 + 400 + 30 * k, "cannot check out, 无法下单") for k in range(9)
    ]

    told = run(straight, later)
    assert told == run(broken, later)
    assert told[0] != []


def test_what_was_said_never_depends_on_what_came_later() -> None:
    events = ordinary(12) + outage(START + 12 * 3600.0)

    head, read = run(ComplaintState(), events[:-2])
    whole, all_read = run(ComplaintState(), events)

    assert whole[: len(head)] == head
    assert all_read[: len(read)] == read
    assert head != []


def test_a_complaint_sent_again_is_read_once() -> None:
    state = ComplaintState()

    _, read = run(state, [said(1, START, "checkout fails"), said(1, START + 5, "checkout fails")])

    assert len(read) == 1
    assert state.dropped["heard before"] == 1


def test_the_reservoir_keeps_the_newest_within_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard_module, "MAX_KEPT", 100)
    state = ComplaintState()

    run(state, ordinary(48))

    assert 87 < len(state.heard) <= 100
    assert sorted(state.heard.numbers) == sorted(state.heard.ids)
    assert state.heard.ids[-1] == "c00287"
    assert state.heard.first + len(state.heard) == 48 * 6 + 9
    assert len(state.heard.time) == 100


@pytest.mark.parametrize(
    ("text", "services"),
    [
        pytest.param("Checkout is broken", ["checkout-service"], id="an alias"),
        pytest.param(
            "无法下单, 支付一直转圈", ["payment-service", "checkout-service"], id="two Chinese aliases"
        ),
        pytest.param("Error while I was paying by cards", ["payment-service"], id="an alias in another form"),
        pytest.param("the quote for shipping is wrong", ["shipping-service"], id="the words of an alias"),
        pytest.param("When do you open in Lyon", [], id="an honest unknown"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_complaint_is_linked_by_what_people_call_a_service(text: str, services: list[str]) -> None:
    assert [name for name, _ in link(text, SHOP)] == services


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("the ventilator monitoring went offline", "life and safety", id="life, English"),
        pytest.param("病人在等,系统打不开", "life and safety", id="life, Chinese"),
        pytest.param("someone else is using my account", "security", id="security"),
        pytest.param("我的银行卡被盗刷了", "security", id="security, Chinese"),
        pytest.param("nobody can log in since 9", "business blocked", id="business"),
        pytest.param("所有门店都无法收银", "business blocked", id="business, Chinese"),
        pytest.param("we are losing thousands every minute", "money", id="money"),
        pytest.param("my lawyer will write to you", "legal", id="legal"),
        pytest.param("再不处理我就打12315投诉", "legal", id="legal, Chinese"),
        pytest.param("How do I change my address?", "", id="an ordinary question"),
        pytest.param("the site is slow, please hurry!!", "", id="anger alone is not urgent"),
        pytest.param("快点,急!", "", id="haste alone is not urgent"),
    ],
)
def test_the_green_channel_needs_the_harm_itself(text: str, reason: str) -> None:
    assert urgent(text).partition(":")[0] == reason


def test_texts_alike_share_a_topic_whose_name_never_changes() -> None:
    texts = ["I want a refund for my order", "refund for my order please", "怎么开发票", "请问怎么开发票"]

    _, read = run(ComplaintState(), [said(k, START + k, text) for k, text in enumerate(texts)])

    assert [c.topic for c in read] == ["1 I want a refund for my order"] * 2 + ["2 怎么开发票"] * 2


def test_chinese_is_read_by_characters_and_english_by_words_and_parts() -> None:
    assert grams("下单 ok") == ["下", "单", "下单", " ok", "ok ", " ok ", "w:ok"]


@given(
    st.lists(
        st.sampled_from(["pay", "é" * 40, "下单", "ok", "0", "-", "\ud800", "支付ok"]) | st.text(max_size=5)
    )
)
def test_columns_that_are_remembered_by_word_are_those_of_the_n_grams(words: list[str]) -> None:
    text = plain(" ".join(words))

    (found, counts), again = columns([text])[0], columns([text])[0]

    naive = Counter(crc32(gram.encode("utf-8", "surrogatepass")) % SIZE for gram in grams(text))
    assert dict(zip(found.tolist(), counts.tolist(), strict=True)) == naive
    assert found.tolist() == sorted(naive)
    assert np.array_equal(found, again[0])


@settings(max_examples=times(40), deadline=None)
@given(st.lists(st.text(max_size=120), max_size=12))
def test_any_text_is_read_and_twice_the_same(texts: list[str]) -> None:
    events = [said(k, START + 60.0 * k, text) for k, text in enumerate(texts)]

    first = run(ComplaintState(), events)

    assert first == run(ComplaintState(), events)
    assert len(first[1]) == len(texts)


@given(st.text(max_size=200))
def test_the_plain_spelling_is_its_own_plain_spelling(text: str) -> None:
    once = plain(text)

    assert plain(once) == plain(plain(once))


def test_the_command_prints_each_complaint_and_a_surge_the_moment_it_is_known(tmp_path: Path) -> None:
    file, catalog = tmp_path / "c.jsonl", tmp_path / "catalog.yaml"
    rows = [
        {
            "t": e.time,
            "id": e.id,
            "customer": e.labels["customer"],
            "channel": "chat",
            "lang": "en",
            "text": e.text,
        }
        for e in ordinary(24) + outage(END)
    ]
    lines = [*(json.dumps(row) for row in rows), "not json", json.dumps(rows[-1])]
    file.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    catalog.write_text(
        "services: {checkout-service: {aliases: {en: [checkout], zh: [下单]}}}", encoding="utf-8"
    )

    out = CliRunner().invoke(command, [str(file), "--catalog", str(catalog)])

    printed = [json.loads(line) for line in out.stdout.splitlines()]
    read = [row for row in printed if "surge" not in row]
    surges = [row for row in printed if "surge" in row]
    assert out.exit_code == 0
    assert [row["id"] for row in read] == [row["id"] for row in rows]
    assert set(read[0]) == {"id", "topic", "urgent", "services"}
    assert len(surges) == 1
    assert printed[printed.index(surges[0]) - 1]["id"] == surges[0]["ids"][-1]
    assert "not json" in out.stderr
    assert out.stderr.endswith("1 left out: a complaint of that id came before\n")


def test_the_command_tells_no_personal_data_and_leaves_out_what_is_not_in_seconds(tmp_path: Path) -> None:
    file = tmp_path / "complaints.jsonl"
    lines = [
        {
            "t": 1_790_000_000,
            "id": "a",
            "text": "<p>mail ann@example.org</p><p>it fails</p>",
            "topic": "138-1234-5678",
        },
        {"t": 1_790_000_000_000, "id": "ms", "text": "in milliseconds"},
        {"t": 1_790_000_001, "id": "b", "text": "x"},
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines) + "mail ann@example.org, not json\n")

    out = CliRunner().invoke(command, [str(file)])

    told = [json.loads(line) for line in out.stdout.splitlines()]
    assert [one["id"] for one in told] == ["a", "b"]
    assert told[0]["topic"] == "1 mail <email> it fails"
    assert "line 2: t: expected s since 1970, got 1790000000000" in out.stderr
    assert "ann@" not in out.output


@pytest.mark.shared_data
def test_no_ordinary_complaint_of_a_recorded_day_pages_but_outages_do(shared: Path) -> None:
    folder = shared / "data" / "recordings" / "OB-1"
    with gzip.open(folder / "complaints.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    truth = json.loads((folder / "labels.json").read_text(encoding="utf-8"))["complaints"]
    events = [Event("complaint", r["id"], r["t"], {"customer": r["customer"]}, r["text"]) for r in rows]

    signals, _ = run(ComplaintState(), events, topology.load(folder / "catalog.yaml"))

    paged = {s.id: {truth.get(i) for i in s.ids} - {None} for s in signals if s.page}
    assert len(set().union(*paged.values())) >= 8
    assert all(paged.values())
