"""Alerts, receivers and status by Alertmanager's API v2: with the real amtool and beside the real server."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.correlation import PEER, alertmanager
from tests.ingest.conftest import Served

pytestmark = pytest.mark.asyncio(loop_scope="module")
AMTOOL = shutil.which("amtool")
amtool_only = pytest.mark.skipif(
    AMTOOL is None, reason="amtool (Debian's prometheus-alertmanager) is not installed"
)


async def amtool(*words: str) -> tuple[int, str]:
    run = await asyncio.create_subprocess_exec(
        str(AMTOOL), *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, wrong = await run.communicate()
    return run.returncode or 0, (said + wrong).decode().strip()


def down(pod: str, now: float, **labels: str) -> dict[str, Any]:
    def iso(at: float) -> str:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    return {
        "labels": {"alertname": "Down", "service": "pay", "severity": "critical", "pod": pod, **labels},
        "annotations": {"summary": f"{pod} is down"},
        "startsAt": iso(now - 60),
        "endsAt": iso(now + 600),
        "generatorURL": f"http://prometheus.example/graph?g0.expr={pod}",
    }


async def firing(client: httpx.AsyncClient, count: int, **asked: str) -> list[dict[str, Any]]:
    """Return the alerts once there are so many: what was posted shows once it is stepped."""
    for _ in range(500):
        found: list[dict[str, Any]] = (await client.get("/api/v2/alerts", params=asked)).json()
        if len(found) == count:
            return found
        await asyncio.sleep(0.02)
    raise AssertionError(f"{len(found)} alerts, not {count}: {found}")


@pytest.mark.skipif(shutil.which(PEER) is None, reason=f"{PEER} (Debian) is not installed")
async def test_alerts_are_listed_as_the_real_alertmanager_lists_them(
    forewarn: Served, tmp_path: Path
) -> None:
    alerts = [down(pod, time.time(), test="beside") for pod in ("a", "b", "c")]
    asked = {"filter": 'test="beside"'}
    with alertmanager(tmp_path, "http://127.0.0.1:9/") as (_, port):
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as peer:
            for client in (peer, forewarn.client):
                assert (await client.post("/api/v2/alerts", json=alerts)).status_code == 200
            theirs, ours = await firing(peer, 3, **asked), await firing(forewarn.client, 3, **asked)
            groups = (await peer.get("/api/v2/alerts/groups")).json()
            status = (await peer.get("/api/v2/status")).json()

    for alert in (*theirs, *ours):
        del alert["updatedAt"], alert["receivers"]
    assert ours == theirs
    mine = (await forewarn.client.get("/api/v2/alerts/groups")).json()
    assert {frozenset(group) for group in mine} == {frozenset(group) for group in groups}
    told = (await forewarn.client.get("/api/v2/status")).json()
    assert told.keys() == status.keys()
    assert told["versionInfo"].keys() == status["versionInfo"].keys()


async def test_a_group_is_an_incident(forewarn: Served) -> None:
    await forewarn.client.post("/api/v2/alerts", json=[down("g", time.time(), service="mail", test="group")])
    [alert] = await firing(forewarn.client, 1, filter='test="group"')

    [group] = (await forewarn.client.get("/api/v2/alerts/groups", params={"filter": 'test="group"'})).json()
    for _ in range(500):
        incident = await forewarn.client.get(f"/api/v1/incidents/{group['labels']['incident']}")
        if incident.status_code == 200:
            break
        await asyncio.sleep(0.02)

    assert incident.json()["services"] == ["mail"]
    assert (group["receiver"], group["alerts"]) == ({"name": "nobody"}, [alert])


@pytest.mark.parametrize(
    ("asked", "count"),
    [
        pytest.param({"receiver": "nob.*"}, 1, id="the receiver by a regex"),
        pytest.param({"receiver": "pay"}, 0, id="another receiver"),
        pytest.param({"active": "false"}, 0, id="only what is suppressed"),
        pytest.param({"silenced": "false"}, 1, id="nothing silenced"),
    ],
)
async def test_what_is_asked_for_is_listed(forewarn: Served, asked: dict[str, str], count: int) -> None:
    await forewarn.client.post("/api/v2/alerts", json=[down("q", time.time(), test="asked")])
    await firing(forewarn.client, 1, filter='test="asked"')

    assert len(await firing(forewarn.client, count, filter='test="asked"', **asked)) == count


async def test_a_bad_filter_is_refused(forewarn: Served) -> None:
    answer = await forewarn.client.get("/api/v2/alerts", params={"filter": "a=~("})

    assert answer.status_code == 400
    assert "bad filter" in answer.text


@amtool_only
async def test_amtool_lists_alerts_and_what_silences_them(forewarn: Served) -> None:
    url = f"--alertmanager.url=http://{forewarn.at}"
    await forewarn.client.post("/api/v2/alerts", json=[down(p, time.time(), test="tool") for p in ("x", "y")])
    await firing(forewarn.client, 2, filter='test="tool"')
    _, id = await amtool(url, "silence", "add", "-a", "ann", "-c", "known", "test=tool", "pod=y")
    await firing(forewarn.client, 1, filter='test="tool"', silenced="false")

    active, silenced = [
        json.loads((await amtool(url, "alert", "query", "-o", "json", *words, "test=tool"))[1])
        for words in ((), ("--silenced",))
    ]

    assert [alert["labels"]["pod"] for alert in active] == ["x"]
    assert [alert["status"]["silencedBy"] for alert in silenced if alert["labels"]["pod"] == "y"] == [[id]]


@amtool_only
async def test_amtool_shows_the_status_and_takes_the_config_for_one(forewarn: Served, tmp_path: Path) -> None:
    url = f"--alertmanager.url=http://{forewarn.at}"
    shown, config = await amtool(url, "config", "show")
    (tmp_path / "am.yml").write_text(config)
    checked, said = await amtool("check-config", str(tmp_path / "am.yml"))
    routed, receiver = await amtool(url, "config", "routes", "test", "service=pay")
    cluster, _ = await amtool(url, "cluster", "show")

    assert (shown, checked, routed, cluster) == (0, 0, 0, 0), said
    assert receiver == "nobody"
