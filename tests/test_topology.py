"""Who calls whom decides who is near, who is below and who feels it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import topology

TEXT = """
services:
  front: {depends_on: [cart, pay], aliases: {en: [the shop]}}
  cart: {depends_on: [db]}
  pay: {depends_on: [db], whim: 1}
  db: {}
customers:
  acme: {uses: [front]}
  zeta: {uses: [cart]}
"""


@pytest.fixture
def shop(tmp_path: Path) -> topology.Topology:
    (tmp_path / "catalog.yaml").write_text(TEXT)
    return topology.load(tmp_path / "catalog.yaml")


def test_neighbours_are_callers_and_callees(shop: topology.Topology) -> None:
    assert shop.near("front", "pay")
    assert shop.near("pay", "front")
    assert not shop.near("front", "db")


def test_reach_goes_all_the_way_and_survives_a_cycle(shop: topology.Topology) -> None:
    assert shop.below("front") == {"cart", "pay", "db"}
    assert shop.above("db") == {"front", "cart", "pay"}
    ring = topology.Topology({"a": topology.Service(("b",)), "b": topology.Service(("a",))})
    assert ring.below("a") == {"b"}


def test_a_customer_feels_what_their_service_stands_on(shop: topology.Topology) -> None:
    assert shop.users(frozenset({"pay"})) == ("acme",)
    assert shop.users(frozenset({"db"})) == ("acme", "zeta")
    assert shop.users(frozenset()) == ()


def test_a_wrong_catalogue_names_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("services: {front: {depends_on: 3}}")

    with pytest.raises(ValueError, match=r"catalog.yaml: .*depends_on"):
        topology.load(tmp_path / "catalog.yaml")


def test_what_is_around_is_told_by_distance(shop: topology.Topology) -> None:
    assert shop.around("front") == {"front": 0, "cart": 1, "pay": 1, "db": 2}
    assert shop.around("db") == {"db": 0, "cart": 1, "pay": 1, "front": 2}
    assert shop.around("cart") == {"cart": 0, "db": 1, "front": 1}, "pay is only called by the same one"
    assert shop.around("nobody") == {"nobody": 0}


def test_services_of_one_host_are_around_each_other() -> None:
    hosted = topology.Topology({name: topology.Service(host="h1") for name in "ab"})

    assert hosted.around("a") == {"a": 0, "b": 2}


def test_what_is_worked_out_is_forgotten_past_its_bound(
    shop: topology.Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "MAX_NAMES", 5)

    assert [sorted(shop.around(name)) for name in ("front", "cart", "front")] == [
        ["cart", "db", "front", "pay"], ["cart", "db", "front"], ["cart", "db", "front", "pay"],
    ]  # fmt: skip
    assert shop._around.names == 4
