"""The shop's services as they answer: what is measured, what is logged, what a bug does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from pipeline.demo import shop as shop_
from pipeline.demo.agent import parse, whole_lines
from pipeline.demo.shop import Shop, app
from pipeline.demo.telemetry import Telemetry

Make = Callable[..., tuple[Shop, TestClient]]


async def _at_once(typical: float) -> None:
    """Work that takes no time."""


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    def start(name: str, bug: str = "", **peers: str) -> tuple[Shop, TestClient]:
        shop = Shop(name, "1.0.0", bug, peers, Telemetry(name, tmp_path), tmp_path, seed=1)
        monkeypatch.setattr(shop, "work", _at_once)
        return shop, TestClient(app(shop))

    return start


def metrics(client: TestClient) -> dict[str, float]:
    found = parse(client.get("/metrics").text)
    return {name + "".join(labels.values()): value for name, labels, value in found}


def test_a_good_payment_accepts_every_charge_and_counts_it(make: Make) -> None:
    _, payment = make("payment")

    answers = [payment.post("/charges", json={"order": str(k)}).status_code for k in range(20)]

    assert answers == [200] * 20
    assert metrics(payment)["http_requests_total200"] == 20.0
    assert metrics(payment)["http_success_ratio"] == 1.0


def test_the_bad_version_of_payment_fails_a_part_of_the_charges(make: Make) -> None:
    shop, payment = make("payment", bug="fraud-check")

    answers = [payment.post("/charges", json={"order": str(k)}).status_code for k in range(50)]

    assert set(answers) == {200, 500}
    assert 10 <= answers.count(500) <= 30
    assert metrics(payment)["http_requests_total500"] == answers.count(500)
    assert "connection pool exhausted" in (shop.disk / "payment.log").read_text()


def test_a_lost_peer_makes_the_caller_fail_and_say_which_peer(make: Make) -> None:
    shop, cart = make("cart", inventory="http://127.0.0.1:1")

    answer = cart.post("/items", json={"customer": "mira-design", "product": "lamp"})

    assert answer.status_code == 500
    assert "call to inventory/stock failed: ConnectError" in (shop.disk / "cart.log").read_text()


def test_upkeep_is_not_measured_as_traffic(make: Make) -> None:
    _, front = make("front")

    front.get("/-/healthy")
    front.get("/metrics")

    assert metrics(front)["http_requests_total200"] == 0.0


def test_a_slow_disk_is_seen_in_the_time_of_writes(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    shop, inventory = make("inventory")
    monkeypatch.setattr("pipeline.demo.shop.time.sleep", lambda _: None)
    (shop.disk / shop_.SLOW_DISK).touch()

    inventory.post("/reservations", json={"order": "1", "product": "tea"})

    assert (shop.disk / "reservations.txt").read_text() == "1 tea\n"
    assert "storage_write_duration_seconds" in metrics(inventory)


def test_a_leaking_cart_keeps_what_it_served_up_to_a_limit(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_, "LEAK_LIMIT", shop_.LEAKED * 3)
    shop, cart = make("cart", inventory="http://127.0.0.1:1")
    shop.leak()

    for _ in range(5):
        cart.post("/items", json={})

    assert len(shop.sessions) == 3


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(b"one\ntw")
    with log.open("rb") as file:
        first = list(whole_lines(file))
        log.write_bytes(b"one\ntwo\n")
        second = list(whole_lines(file))

    assert (first, second) == (["one"], ["two"])
