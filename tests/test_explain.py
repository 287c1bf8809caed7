"""Whatever has an id can be asked why: the answer names each stage's verdict and numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.commands.explain import command
from pipeline.console.explain import tell
from pipeline.console.explained import sections
from pipeline.explain import Story, alone, explain, foremost, holds
from pipeline.ingest.recording import Recording
from pipeline.run.replay import replay
from pipeline.series import fingerprint, pack
from pipeline.silence import history
from pipeline.store import sqlite
from pipeline.types import Entry, Signal, Step, Suspect
from tests import nouns
from tests.console import shop
from tests.console.conftest import Site, site  # noqa: F401 a fixture
from tests.recordings import bad_deploy
from tests.test_replay import settings, unseen


def ask(*args: str) -> str:
    found = CliRunner().invoke(command, args, env={"COLUMNS": "80"})
    assert found.exit_code == 0, found.output
    return found.output


def refused(*args: str) -> str:
    found = CliRunner().invoke(command, args)
    assert found.exit_code == 1
    return found.output


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("explain")
    folder = bad_deploy(home / "shop", hours=3)
    replay(Recording(folder), settings(folder), home / "out", unseen)
    return home / "out"


@pytest.fixture
async def stored(tmp_path: Path) -> Path:
    store = sqlite.open(tmp_path)
    await store.record(shop.afternoon(), 1)
    await store.close()
    return tmp_path


def incident_of(folder: Path) -> str:
    first = (folder / "incidents.jsonl").read_text(encoding="utf-8").splitlines()[0]
    found: str = json.loads(first)["id"]
    return found


def test_a_replayed_incident_tells_its_numbers_rankings_and_pages(replayed: Path) -> None:
    said = json.loads(ask(incident_of(replayed), "--out", str(replayed), "--json"))

    assert said["is"] == "incident"
    assert said["incident"]["suspects"][0]["change"] == "deploy-42"
    assert said["rankings"][0]["suspects"][0] == "payment"
    assert said["rankings"][0]["after"][0].startswith("opened by log")
    assert said["rankings"][1]["after"][0].startswith("metric of payment: ")
    assert {d["service"] for d in said["detection"]} == {"payment", "checkout", "front"}
    assert said["done"][0]["what"].startswith("paged (new)")
    assert said["verdicts"] is None


def test_a_replayed_signal_tells_what_it_was_and_where_it_went(replayed: Path) -> None:
    whole = json.loads(ask(incident_of(replayed), "--out", str(replayed), "--json"))
    latency = next(d for d in whole["detection"] if d["detector"] == "latency")

    told = ask(latency["id"], "--out", str(replayed))

    assert f"Signal {latency['id']}" in told
    assert "by chance" in told
    assert f"incident            {incident_of(replayed)}" in told
    assert max(len(line) for line in told.splitlines()) <= 80


def test_a_stored_incident_tells_its_verdicts_and_actions(stored: Path) -> None:
    told = ask("inc-0031", "--storage.path", str(stored))

    assert "Verdicts" in told
    assert "new, page: nobody had been told of it" in told
    assert "7.9 payment" in told
    assert "waiting  tell ops by webhook [inc-0031/notify/ops/1]" in told
    assert "付款一直失败" in told


@pytest.mark.parametrize(
    ("id", "kind"),
    [
        pytest.param("s-lat", "signal", id="a signal"),
        pytest.param("m1", "complaint", id="a complaint"),
        pytest.param("inc-0031/notify/ops/1", "action", id="an action's key"),
    ],
)
def test_what_belongs_to_an_incident_leads_to_it(stored: Path, id: str, kind: str) -> None:
    told = json.loads(ask(id, "--storage.path", str(stored), "--json"))

    assert (told["id"], told["is"], told["incident"]["id"]) == (id, kind, "inc-0031")
    assert len(told["this"]) == 1


async def test_a_store_in_use_can_be_read(tmp_path: Path) -> None:
    writing = sqlite.open(tmp_path)
    await writing.record(shop.afternoon(), 1)

    reading = sqlite.look(tmp_path)
    found = await reading.incident("inc-0031")
    await writing.record(Step(shop.NOW, commands=(nouns.command("stop", shop.NOW),)), 2)
    asked = await reading.commands(0.0)

    assert found == shop.INCIDENT
    assert any(c.labels["do"] == "stop" for c in asked)
    with pytest.raises(Exception, match="readonly"):
        await reading.record(shop.afternoon(), 3)
    await reading.close()
    await writing.close()


def test_an_unknown_id_names_the_nearest_and_where_it_was_looked_for(stored: Path) -> None:
    said = refused("inc-0013", "--storage.path", str(stored))

    assert "inc-0031" in said
    assert f"Looked in {stored / sqlite.FILE}: 3 incidents" in said


def test_a_folder_that_no_replay_wrote_is_refused_by_name(tmp_path: Path) -> None:
    assert f"{tmp_path / 'incidents.jsonl'}: no such file" in refused("x", "--out", str(tmp_path))


def test_an_alert_goes_by_its_fingerprint_and_its_name() -> None:
    signal = nouns.signal("payment", 0.0, "DiskFull", kind="alert")
    incident = nouns.incident(signal)

    asked = (signal.id, "DiskFull/payment/", fingerprint(pack(signal.labels)))
    told = [explain(Story(incident), id)["is"] for id in asked]

    assert told == ["alert", "alert", "alert"]
    assert not holds(incident, "0" * 16)


def test_a_signal_tells_which_silences_covered_it_and_from_when_to_when() -> None:
    pay, cart = nouns.signal("payment", 1000, ended=2000.0), nouns.signal("cart", 1000)
    asked = history(
        [
            nouns.command("unsilence", 1800, silence="mute"),
            nouns.command("silence", 2000, 9000, service="payment"),  # it came when all was over
            nouns.command("silence", 1500, 9000, match="service=~pay.*", silence="mute", why="known"),
        ]
    )
    story = Story(nouns.incident(pay, cart), asked=tuple(asked.values()))

    said = [explain(story, id)["silences"] for id in (pay.id, cart.id, "i1")]

    held = {
        "id": "mute", "by": "ada", "why": "known", "matchers": ['service=~"pay.*"'],
        "starts": 1500.0, "until": 1800.0, "signals": [pay.id],
    }  # fmt: skip
    assert said == [[held], [], [held]]
    assert explain(Story(story.incident), pay.id)["silences"] is None


def test_a_change_tells_which_incident_suspects_it_and_why() -> None:
    why = "deploy v2, 90 s before the first signal"
    known = nouns.incident(
        nouns.signal("payment", 1000),
        changes=(nouns.change("d1", 910, "payment"), nouns.change("d2", 400, "cart")),
        suspects=(Suspect("payment", 9.0, why, "d1"),),
        timeline=(Entry(1000, f"first suspect payment: {why}", ("payment",)),),
    )

    first, other = (explain(Story(known), id) for id in ("d1", "d2"))

    assert (first["is"], first["this"][0]["suspected"], first["said"][0]["at"]) == ("change", why, 1000)
    assert dict(sections(first))["Change d1"][0] == ("what", "deploy of payment: v2")
    assert dict(sections(other))["Change d2"][2] == ("suspected", "no: others explain it better")
    beside = nouns.incident(nouns.signal("cart", 1000), id="i2", changes=known.changes)
    found = [foremost([beside, known], id) for id in ("d1", "d2", "d3")]
    assert found == [known, beside, None]


def test_whom_it_was_told_is_no_evidence_that_joined_it() -> None:
    known = nouns.incident(
        nouns.signal("payment", 0.0), timeline=(Entry(1.0, "Telling on-call by webhook: new", ()),)
    )

    told = explain(Story(known), "i1")

    assert (told["joined"], [e["what"] for e in told["done"]]) == ([], [known.timeline[0].what])


async def test_what_a_store_knows_of_silences_is_told_on_one_screen(tmp_path: Path) -> None:
    store, now = sqlite.open(tmp_path), 1000.0
    asked = nouns.command("silence", now, now + 60, service="payment", why="known", silence="mute")
    known = nouns.incident(nouns.signal("payment", now))
    await store.record(Step(now, incidents=(known,), commands=(asked,)), 1)

    told = await tell(store, known.signals[0].id, "here", 10)

    rows = dict(sections(told))["Silences"]
    assert rows == [
        ("ada", 'service="payment": known [mute]'),
        ("", "1970-01-01T00:16:40Z to 1970-01-01T00:17:40Z, 1 signal of this"),
    ]
    await store.close()


async def test_the_api_answers_the_same_and_404_with_the_nearest(site: Site) -> None:  # noqa: F811
    known = await site.client.get("/api/v1/explain/inc-0031/notify/ops/1")
    unknown = await site.client.get("/api/v1/explain/inc-31")

    assert known.json()["this"][0]["what"] == "tell ops by webhook"
    assert unknown.status_code == 404
    assert "inc-0031" in unknown.json()["like"]


async def test_the_page_of_an_incident_links_to_its_explanation(site: Site) -> None:  # noqa: F811
    assert '<a href="/api/v1/explain/inc-0031">why</a>' in await site.page("/incidents/inc-0031")


@pytest.mark.parametrize(
    ("kind", "means"), [("alert", "severity"), ("pattern", "rule"), ("metric", "by chance")]
)
def test_a_surprise_that_nobody_measured_is_not_called_chance(kind: str, means: str) -> None:
    signal = Signal("s", kind, "pay", "x", {}, "d", 1.0, 2.0, 5.0, 3.0, 1.0, True, "x")

    [told] = alone(signal, "s")["this"]

    assert means in told["means"]
