"""The REST API and the buttons: what is asked becomes a command frame, and no other site may ask."""

from __future__ import annotations

import pytest

from pipeline import frame
from tests.console import shop
from tests.console.conftest import Site

ACKNOWLEDGE = "/api/v1/incidents/inc-0031/acknowledge"


async def test_incidents_come_as_replay_writes_them_and_how_they_stand(site: Site) -> None:
    found = (await site.client.get("/api/v1/incidents")).json()

    assert [i["id"] for i in found] == ["inc-0032", "inc-0031", "inc-0030"]
    assert found[1]["lead_s"] == 179.0
    assert found[1]["suspects"][0]["change"] == "dep-2417"
    assert (found[0]["state"], found[2]["state"], found[2]["by"]) == ("open", "resolved", "ann")


async def test_open_incidents_can_be_asked_for_alone_and_counted(site: Site) -> None:
    burning = (await site.client.get("/api/v1/incidents?state=open")).json()
    one = (await site.client.get("/api/v1/incidents?limit=1")).json()

    assert [i["id"] for i in burning] == ["inc-0032", "inc-0031"]
    assert [i["id"] for i in one] == ["inc-0032"]
    assert (await site.client.get("/api/v1/incidents?limit=x")).status_code == 400


async def test_one_incident_brings_runs_verdicts_and_actions(site: Site) -> None:
    found = (await site.client.get("/api/v1/incidents/inc-0031")).json()

    assert found["runs"][0]["state"] == "wants approval"
    assert found["verdicts"][0]["reason"] == "new"
    assert [a["state"] for a in found["actions"]] == ["waiting", "waiting"]


async def test_a_board_is_the_same_in_json(site: Site) -> None:
    found = (await site.client.get("/api/v1/boards/harbour-cafe")).json()

    assert [(s["service"], s["state"]) for s in found["services"]] == [
        ("Checkout", "investigating"),
        ("Payments", "investigating"),
        ("Basket", "operational"),
    ]


async def test_who_resolves_an_incident_may_say_which_service_it_was(site: Site) -> None:
    path = "/api/v1/incidents/inc-0031"
    for do in ("resolve", "acknowledge"):
        await site.client.post(f"{path}/{do}", json={"by": "ann", "service": "payment"})

    assert [dict(e.labels) for e in site.commands] == [
        {"do": "resolve", "by": "ann", "incident": "inc-0031", "service": "payment"},
        {"do": "acknowledge", "by": "ann", "incident": "inc-0031"},
    ]


async def test_acknowledge_posts_a_command_frame(site: Site) -> None:
    answer = await site.client.post(ACKNOWLEDGE, json={"by": "ann"})

    (posted,) = site.posted
    (event,) = posted.events
    assert answer.status_code == 202
    assert answer.json()["id"] == event.id
    assert (posted.source, posted.at) == ("console", shop.NOW)
    assert event.kind == "command"
    assert event.labels == {"do": "acknowledge", "by": "ann", "incident": "inc-0031"}
    assert frame.decode(frame.encode(posted)) == posted


async def test_a_silence_says_until_when(site: Site) -> None:
    answer = await site.client.post(
        "/api/v1/silences", json={"service": "cart", "seconds": 60, "why": "moving"}
    )

    (event,) = site.commands
    assert answer.status_code == 202
    assert event.until == shop.NOW + 60
    assert event.labels == {"do": "silence", "by": "console", "service": "cart", "why": "moving"}


@pytest.mark.parametrize(
    ("fields", "labels", "until"),
    [
        ({"incident": "inc-0031", "ends": "resolved"}, {"ends": "resolved"}, 30 * 86400),
        ({"service": "cart", "idle": 7200, "by": "ann"}, {"idle": "7200"}, 30 * 86400),
        ({"service": "cart", "ends": "resolved", "seconds": 60}, {"ends": "resolved"}, 60),
    ],
)
async def test_a_silence_may_end_sooner(
    site: Site, fields: dict[str, object], labels: dict[str, str], until: float
) -> None:
    answer = await site.client.post("/api/v1/silences", json=fields)

    (event,) = site.commands
    assert answer.status_code == 202
    assert event.until == shop.NOW + until
    assert {k: v for k, v in event.labels.items() if k in ("ends", "idle")} == labels


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ({"do": "resolve", "incident": "inc-0031"}, {"incident": "inc-0031"}),
        ({"do": "unsilence", "silence": "k1"}, {"silence": "k1"}),
        (
            {"do": "approve", "incident": "inc-0031", "playbook": "r"},
            {"incident": "inc-0031", "playbook": "r"},
        ),
        ({"do": "deny", "incident": "inc-0031", "playbook": "r"}, {"incident": "inc-0031", "playbook": "r"}),
        ({"do": "stop", "incident": "inc-0031", "playbook": "r"}, {"incident": "inc-0031", "playbook": "r"}),
        ({"do": "stop"}, {}),
        ({"do": "start"}, {}),
    ],
    ids=["resolve", "end a silence", "approve", "refuse", "stop one run", "stop all", "start again"],
)
async def test_every_button_posts_its_command(
    site: Site, fields: dict[str, str], labels: dict[str, str]
) -> None:
    answer = await site.press(**fields, by="ann", back="/controls")

    assert answer.status_code == 303
    assert answer.headers["location"] == "/controls"
    assert site.commands[0].labels == {"do": fields["do"], "by": "ann", **labels}


async def test_a_silence_of_a_form_ends_at_a_time_in_utc(site: Site) -> None:
    await site.press(do="silence", incident="inc-0031", until="2025-11-22T15:00")

    assert site.commands[0].until == shop.NOW + 3600


@pytest.mark.parametrize(
    ("do", "more"),
    [("merge", {"into": "inc-0030"}), ("split", {"out": "payment"})],
)
async def test_a_program_joins_and_parts_incidents(site: Site, do: str, more: dict[str, str]) -> None:
    answer = await site.client.post(f"/api/v1/incidents/inc-0031/{do}", json={"by": "ann", **more})

    assert answer.status_code == 202
    assert site.commands[0].labels == {"do": do, "by": "ann", "incident": "inc-0031", **more}


@pytest.mark.parametrize(
    ("incident", "do", "more", "why"),
    [
        ("inc-0031", "merge", {"into": "inc-9"}, "into: no such incident: inc-9"),
        ("inc-9", "merge", {"into": "inc-0031"}, "no such incident"),
        (
            "inc-0031",
            "split",
            {"out": "mail"},
            "out: mail is no service of this incident, and was not merged",
        ),
    ],
)
async def test_incidents_that_are_not_there_are_not_joined_or_parted(
    site: Site, incident: str, do: str, more: dict[str, str], why: str
) -> None:
    answer = await site.client.post(f"/api/v1/incidents/{incident}/{do}", json={"by": "ann", **more})

    assert answer.status_code == 404
    assert answer.text.startswith(why)
    assert site.commands == []


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"do": "reboot"}, "do: expected one of acknowledge, resolve"),
        ({"do": "approve", "incident": "inc-0031", "by": "a"}, "approve: expected incident and playbook"),
        ({"do": "approve", "incident": "inc-0031", "playbook": "r", "by": " "}, "by: say who you are"),
        ({"do": "merge", "incident": "inc-0031"}, "merge: expected incident and into"),
        ({"do": "stop", "incident": "inc-0031"}, "stop: expected incident and playbook"),
        ({"do": "silence", "seconds": "60"}, "silence: expected incident or service or match, got neither"),
        ({"do": "silence", "incident": "inc-0031"}, "until: expected `seconds`"),
        ({"do": "silence", "service": "a", "ends": "over"}, 'ends: expected "resolved", got "over"'),
        ({"do": "silence", "service": "a", "idle": "5m"}, 'idle: expected seconds, 60 at least, got "5m"'),
        ({"do": "silence", "service": "a", "seconds": "86401"}, "by: say who you are, to silence for more"),
        ({"do": "silence", "incident": "inc-0031", "seconds": "-1"}, "until: expected a time from now"),
        ({"do": "silence", "incident": "inc-0031", "seconds": "nan"}, "until: expected a time from now"),
        ({"do": "silence", "incident": "inc-0031", "until": "9e99"}, "until: expected a time from now"),
    ],
)
async def test_a_command_that_makes_no_sense_is_refused_by_name(
    site: Site, fields: dict[str, str], why: str
) -> None:
    answer = await site.press(**fields)

    assert answer.status_code == 400
    assert answer.text.startswith(why)
    assert site.posted == []


async def test_a_command_on_no_incident_is_404(site: Site) -> None:
    assert (await site.press(do="resolve", incident="none")).status_code == 404
    assert (await site.client.post("/api/v1/incidents/none/resolve")).status_code == 404
    assert site.posted == []


@pytest.mark.parametrize("body", [b"[1]", b"{", b'"x"', b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(site: Site, body: bytes) -> None:
    assert (await site.client.post(ACKNOWLEDGE, content=body)).status_code == 400


async def test_a_body_far_too_large_is_refused(site: Site) -> None:
    assert (await site.client.post(ACKNOWLEDGE, content=b" " * 100_000)).status_code == 413


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        pytest.param({}, 202, id="a program sends neither header"),
        pytest.param({"sec-fetch-site": "same-origin"}, 202, id="our own page"),
        pytest.param({"sec-fetch-site": "cross-site"}, 403, id="another site's page"),
        pytest.param({"sec-fetch-site": "same-site"}, 403, id="a neighbour's page"),
        pytest.param({"origin": "http://forewarn"}, 202, id="our own page in an older browser"),
        pytest.param({"origin": "http://evil.example"}, 403, id="another site's in an older browser"),
        pytest.param({"origin": "null"}, 403, id="a page that hides where it is from"),
    ],
)
async def test_only_our_own_pages_and_programs_may_ask(
    site: Site, headers: dict[str, str], code: int
) -> None:
    answer = await site.client.post(ACKNOWLEDGE, json={"by": "ann"}, headers=headers)

    assert answer.status_code == code
    assert len(site.posted) == (code == 202)


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", ""])
async def test_a_button_never_leads_to_another_site(site: Site, back: str) -> None:
    answer = await site.press(do="start", back=back)

    assert answer.headers["location"] == "/"


async def test_a_name_is_one_short_line(site: Site) -> None:
    await site.press(do="start", by="ann\r\nX: y" + "z" * 500)

    assert site.commands[0].labels["by"].startswith("annX: yzz")
    assert len(site.commands[0].labels["by"]) == 80


async def test_what_is_called_noise_names_the_signals_it_is_about(site: Site) -> None:
    answer = await site.client.post("/api/v1/incidents/inc-0031/noise", json={"by": "ann"})
    known = (await site.client.get("/api/v1/incidents/inc-0031")).json()["signals"]

    (posted,) = site.posted
    assert answer.status_code == 202
    assert posted.events[0].labels["do"] == "noise"
    signals = posted.events[0].labels["signals"].split(",")
    assert signals
    assert set(signals) <= set(known)
    assert (await site.client.post("/api/v1/incidents/nope/noise")).status_code == 404


async def test_a_silence_by_matchers_shows_first_what_it_would_mute(site: Site) -> None:
    asked = {"match": 'service=~"payment|checkout"', "by": "ann"}

    shown = (await site.client.post("/api/v1/silences/preview", json=asked)).json()

    assert shown["matchers"] == ['service=~"payment|checkout"']
    assert [i["id"] for i in shown["incidents"]] == ["inc-0031"]
    assert (site.posted, shown["partly"]) == ([], [])


async def test_a_preview_names_what_it_would_cover_in_part(site: Site) -> None:
    shown = (await site.client.post("/api/v1/silences/preview", json={"service": "payment"})).json()

    assert ([i["id"] for i in shown["incidents"]], [i["id"] for i in shown["partly"]]) == ([], ["inc-0031"])


@pytest.mark.parametrize(
    ("match", "why"),
    [
        pytest.param("service==pay", 'did you mean "="?', id="a slip"),
        pytest.param('team=~".*"', "expected one that an empty value does not match", id="everything"),
        pytest.param(
            'a="' + "x" * 5000 + '"', "expected at most 4096 characters", id="too long to be kept whole"
        ),
    ],
)
async def test_a_silence_that_says_nothing_clear_is_refused_and_so_is_its_preview(
    site: Site, match: str, why: str
) -> None:
    for path in ("/api/v1/silences", "/api/v1/silences/preview"):
        answer = await site.client.post(path, json={"match": match, "seconds": 60})

        assert (answer.status_code, why in answer.text) == (400, True)
    assert site.posted == []
