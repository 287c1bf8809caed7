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
