"""Silences by Alertmanager's API v2: with the real amtool where it is, and by the letter where it is not."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.ingest.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
AMTOOL = shutil.which("amtool")
amtool_only = pytest.mark.skipif(
    AMTOOL is None, reason="amtool (Debian's prometheus-alertmanager) is not installed"
)


async def amtool(forewarn: Served, *words: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    run = await asyncio.create_subprocess_exec(
        str(AMTOOL), f"--alertmanager.url=http://{forewarn.at}", "silence", *words,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, wrong = await run.communicate()
    return run.returncode or 0, (said + wrong).decode().strip()


async def listed(forewarn: Served, *words: str) -> list[dict[str, Any]]:
    code, said = await amtool(forewarn, "query", "-o", "json", *words)
    assert code == 0, said
    found: list[dict[str, Any]] = json.loads(said)
    return found


async def until(forewarn: Served, id: str, state: str, after: str = "") -> dict[str, Any]:
    """Return the silence once it has the state, and an end after that: a command shows once it is stepped."""
    for _ in range(500):
        found = await forewarn.client.get(f"/api/v2/silence/{id}")
        told: dict[str, Any] = found.json() if found.status_code == 200 else {}
        if told and told["status"]["state"] == state and told["endsAt"] > after:
            return told
        await asyncio.sleep(0.01)
    raise AssertionError(f"{id} is not {state}: {found.text}")


@amtool_only
async def test_amtool_adds_finds_changes_and_ends_a_silence(forewarn: Served) -> None:
    words = ["team=pay", 'alertname=~"Disk.*"', "env!=test"]
    code, id = await amtool(forewarn, "add", "-a", "ann", "-c", "moving", "-d", "2h", *words)
    added = await until(forewarn, id, "active")
    [by_label] = await listed(forewarn, "team=pay")
    none = await listed(forewarn, "team=cart")
    changed, _ = await amtool(forewarn, "update", "-d", "3h", id)
    longer = await until(forewarn, id, "active", after=added["endsAt"])
    ended, _ = await amtool(forewarn, "expire", id)
    over = await until(forewarn, id, "expired")

    assert (code, changed, ended, none) == (0, 0, 0, [])
    assert (added["createdBy"], added["comment"], by_label["id"]) == ("ann", "moving", id)
    assert added["matchers"] == [
        {"name": "team", "value": "pay", "isRegex": False, "isEqual": True},
        {"name": "alertname", "value": "Disk.*", "isRegex": True, "isEqual": True},
        {"name": "env", "value": "test", "isRegex": False, "isEqual": False},
    ]
    assert longer["startsAt"] == added["startsAt"]
    assert over["endsAt"] < added["endsAt"]
    assert id not in [s["id"] for s in await listed(forewarn)]
    assert id in [s["id"] for s in await listed(forewarn, "--expired")]


@amtool_only
async def test_amtool_hears_why_a_silence_is_refused(forewarn: Served) -> None:
    code, said = await amtool(forewarn, "add", "-a", "ann", "-c", "x", "-d", "90d", "team=pay")
    unknown, _ = await amtool(forewarn, "expire", "3a1c1f9e-0000-4000-8000-000000000000")

    assert code == 1
    assert "no silence may last for more than 720" in said
    assert unknown == 1


def asked(**given: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "matchers": [{"name": "team", "value": "pay", "isRegex": False}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "ann",
        "comment": "",
        **given,
    }


def ahead(**span: float) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


@pytest.mark.parametrize(
    ("given", "status", "why"),
    [
        ({"matchers": [{"name": "a", "value": "(", "isRegex": True}]}, 400, "is not a regex"),
        ({"matchers": [{"name": "a", "value": ".*", "isRegex": True}]}, 400, "that an empty value"),
        ({"matchers": []}, 400, "at least one matcher"),
        ({"createdBy": " "}, 400, "createdBy in body is required"),
        ({"endsAt": ahead(hours=-1)}, 400, "end time can't be in the past"),
        ({"startsAt": ahead(hours=2)}, 400, "start time must be before end time"),
        ({"endsAt": "soon"}, 400, "Invalid RFC3339"),
        ({"id": "3a1c1f9e-0000-4000-8000-000000000000"}, 404, "not found"),
    ],
)  # fmt: skip
async def test_a_silence_that_is_none_is_refused(
    forewarn: Served, given: dict[str, Any], status: int, why: str
) -> None:
    answer = await forewarn.client.post("/api/v2/silences", json=asked(**given))

    assert (answer.status_code, why in answer.json()) == (status, True), answer.text


async def test_a_silence_may_wait_for_its_time_and_ends_once(forewarn: Served) -> None:
    posted = await forewarn.client.post("/api/v2/silences", json=asked(startsAt=ahead(minutes=30)))
    id = posted.json()["silenceID"]
    await until(forewarn, id, "pending")

    first = await forewarn.client.delete(f"/api/v2/silence/{id}")
    await until(forewarn, id, "expired")
    again = await forewarn.client.delete(f"/api/v2/silence/{id}")
    unknown = await forewarn.client.delete("/api/v2/silence/x")

    assert (first.status_code, again.status_code, unknown.status_code) == (200, 500, 404)
    assert again.json() == f"silence {id} already expired"


async def test_other_matchers_make_it_another_silence(forewarn: Served) -> None:
    first = (await forewarn.client.post("/api/v2/silences", json=asked())).json()["silenceID"]
    await until(forewarn, first, "active")
    other = [{"name": "team", "value": "pay.*", "isRegex": True, "isEqual": True}]

    second = await forewarn.client.post("/api/v2/silences", json=asked(id=first, matchers=other))

    assert second.json()["silenceID"] != first
    await until(forewarn, first, "expired")
    await until(forewarn, second.json()["silenceID"], "active")


async def test_a_silence_of_the_console_shows_as_one_of_alertmanagers(forewarn: Served) -> None:
    own = (await forewarn.client.post("/api/v1/silences", json={"service": "cart", "seconds": 60})).json()

    told = await until(forewarn, own["id"], "active")

    assert told["matchers"] == [{"name": "service", "value": "cart", "isRegex": False, "isEqual": True}]
    assert told["createdBy"] == "console"
