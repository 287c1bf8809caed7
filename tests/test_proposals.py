"""Names that customers have for a service are proposed to a person, and count once that person says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline import frame, snapshot
from pipeline.complaints import ComplaintState, Names, hear, proposals, proposed, tuned
from pipeline.complaints.proposals import Proposals
from pipeline.complaints.tuning import Complaints
from pipeline.complaints.words import Rarity, columns, plain
from pipeline.topology import Service, Topology
from pipeline.types import Event, Seconds
from tests.test_embedded import running

START = 1_700_000_000.0
NOW = START + 86400.0 * 7
SHOP = Topology({"cart": Service(aliases={"en": ("cart",)}), "payment": Service(aliases={"en": ("pay",)})})
CHATTER = ("Where is my parcel", "Forgot my password", "怎么开发票", "Do you ship to Norway", "Thank you")


def said(id: str, at: Seconds, text: str) -> Event:
    return Event("complaint", id, at, {"customer": id}, text)


def word(do: str, alias: str, service: str = "cart", at: Seconds = NOW) -> Event:
    return Event("command", f"{do} {alias}", at, {"do": do, "service": service, "alias": alias, "by": "ada"})


def surged() -> bytes:
    """A week of questions, then a surge about the cart in which some say trolley, and two say 购物篮."""
    state = tuned(ComplaintState(), Complaints(encoder="none"))
    events = [said(f"w{k}", START + 600.0 * k, f"{CHATTER[k % 5]} {k}") for k in range(1008)]
    events += [said(f"s{k}", NOW + 30.0 * k, f"the {k}th cart or trolley is empty") for k in range(8)]
    events += [said(f"z{k}", NOW + 200.0 + k, f"购物篮空了{'呢' * k}") for k in range(3)]
    for event in sorted(events, key=lambda e: e.time):
        hear(state, (event,), SHOP, event.time)
    return snapshot.dump(state)


SURGED = surged()


def after_a_surge() -> ComplaintState:
    state: ComplaintState = snapshot.load(SURGED)
    return state


def aliases(found: Names) -> list[str]:
    return [p.alias for p in found.proposed]


def linked(state: ComplaintState, text: str) -> list[str]:
    _, (read,) = hear(state, (said(text, NOW + 9_000, text),), SHOP, NOW + 9_000)
    return [name for name, score in read.services if score >= 0.5]


def test_what_a_surge_says_and_others_do_not_is_proposed_with_what_speaks_for_it() -> None:
    first, *_ = proposed(after_a_surge(), SHOP).proposed

    assert (first.service, first.alias) == ("cart", "trolley")
    assert (first.voices, first.of, len(first.surges)) == (8, 11, 1)
    assert first.elsewhere < 0.02
    assert first.example.endswith("th cart or trolley is empty")


def test_what_lands_in_a_surge_in_another_language_is_proposed_by_its_time() -> None:
    assert [a for a in aliases(proposed(after_a_surge(), SHOP)) if "购物篮" in a] == ["购物篮空了"]


def test_of_many_proposals_the_best_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "SHOWN", 1)

    assert aliases(proposed(after_a_surge(), SHOP)) == ["trolley"]


def test_nothing_counts_before_a_person_says_so_and_then_at_once() -> None:
    state = after_a_surge()

    before = linked(state, "my trolley hangs")
    hear(state, (word("alias", "Trolley"),), SHOP, NOW + 8_000)

    assert before == []
    assert linked(state, "our trolley hangs") == ["cart"]
    assert "trolley" not in aliases(proposed(state, SHOP))
    assert [(a.alias, a.by) for a in proposed(state, SHOP).given] == [("trolley", "ada")]


def test_a_name_that_was_given_survives_a_snapshot() -> None:
    state = after_a_surge()
    hear(state, (word("alias", "trolley"),), SHOP, NOW + 8_000)

    again = snapshot.load(snapshot.dump(state))

    assert linked(again, "our trolley hangs") == ["cart"]


def test_a_name_that_is_taken_back_counts_no_longer_and_is_not_proposed() -> None:
    state = after_a_surge()
    hear(state, (word("alias", "trolley"),), SHOP, NOW + 8_000)
    hear(state, (word("unalias", "trolley", at=NOW + 8_001),), SHOP, NOW + 8_001)

    assert linked(state, "our trolley hangs") == []
    assert "trolley" not in aliases(proposed(state, SHOP))


def test_what_is_dismissed_is_never_proposed_again_nor_what_holds_it() -> None:
    state = after_a_surge()
    hear(state, (word("dismiss", "trolley"),), SHOP, NOW + 8_000)
    again = [said(f"again{k}", NOW + 90_000 + 30.0 * k, f"{k} cart, a trolley gone") for k in range(9)]
    for event in again:
        hear(state, (event,), SHOP, event.time)

    assert [a for a in aliases(proposed(state, SHOP)) if "trolley" in a] == []


def test_how_commands_and_complaints_are_cut_into_calls_changes_no_proposal() -> None:
    one, other = after_a_surge(), after_a_surge()
    events = [word("dismiss", "empty"), word("alias", "trolley"), said("n", NOW + 900, "no trolley")]

    hear(one, events, SHOP, NOW + 900)
    for event in events:
        hear(other, (event,), SHOP, NOW + 900)

    assert proposed(one, SHOP) == proposed(other, SHOP)
    assert snapshot.dump(one) == snapshot.dump(other)


def counted(*surge: tuple[int, str], service: str = "cart") -> tuple[Proposals, Rarity]:
    rarity, found = Rarity(), Proposals()
    for text in [*CHATTER * 10, *(text for _, text in surge)]:
        rarity.weigh(*columns([plain(text)])[0])
    for k, (voice, text) in enumerate(surge):
        found.hear(f"{service}{k}", voice, text)
    found.tell(service, "surge", [f"{service}{k}" for k in range(len(surge))])
    return found, rarity


def test_one_customer_has_one_voice() -> None:
    found, rarity = counted(*[(7, "the trolley is gone")] * 9)

    assert found.proposed(rarity, {"cart": ()}) == ()


@pytest.mark.parametrize(
    "known",
    [
        pytest.param("trolley", id="the name itself"),
        pytest.param("shopping trolley", id="a name that holds it"),
        pytest.param("Trolley", id="in capitals"),
    ],
)
def test_what_the_catalogue_has_is_not_proposed(known: str) -> None:
    found, rarity = counted(*[(k, "trolley") for k in range(4)])

    assert found.proposed(rarity, {"cart": (known,)}) == ()
    assert [p.alias for p in found.proposed(rarity, {"cart": ("basket",)})] == ["trolley"]


def test_what_everybody_says_is_no_name() -> None:
    found, rarity = counted(*[(k, "Where is my parcel") for k in range(6)])

    assert found.proposed(rarity, {"cart": ()}) == ()


def test_pieces_of_one_chinese_phrase_are_proposed_once() -> None:
    found, rarity = counted(*[(k, f"{'我们'[:k]}提示系统异常") for k in range(4)])

    assert [p.alias for p in found.proposed(rarity, {"cart": ()})] == ["提示系统异常"]


def test_every_table_has_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("MAX_SERVICES", 2), ("MAX_ALIASES", 2), ("MAX_DISMISSED", 2), ("MAX_LATELY", 3)):
        monkeypatch.setattr(proposals, name, most)
    found = Proposals()

    for k in range(9):
        found.hear(f"c{k}", k, f"word{k} " * 200)
        found.tell(f"s{k}", f"surge{k}", [f"c{k}"])
        found.hear(f"d{k}", k, "never in a surge")
    found.obey([word("alias", name) for name in ("bag", "basket", "trolley", "tray", "box")])
    found.obey([word("dismiss", name) for name in ("empty", "gone", "slow", "lost")])

    assert list(found.inside) == ["s7", "s8"]
    assert len(found.lately) == 3
    assert (len(found.given), found.dropped["aliases past the bound"]) == (2, 3)
    assert len(found.never) == 2


def test_a_word_without_service_or_name_changes_nothing() -> None:
    found = Proposals()

    found.obey([word("alias", ""), word("dismiss", "trolley", service="")])

    assert (found.given, found.never) == ({}, {})


async def test_a_name_that_a_person_gave_is_in_effect_after_a_restart(tmp_path: Path) -> None:
    given = replace(word("alias", "trolley"), time=NOW)
    async with running(tmp_path) as engine:
        await engine.submit(frame.events(NOW, "console", [given]))
        await asyncio.wait_for(engine.settled(), 10)
        at_once = await engine.names()

    async with running(tmp_path) as engine:
        after = await engine.names()

    assert [a.alias for a in at_once.given] == ["trolley"]
    assert after == at_once
    assert after.by_service == {"cart": ("trolley",)}
