"""A webhook's receiver hears of an alert from Forewarn what it hears from the real Alertmanager."""

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
from tests.ingest.conftest import serving
from tests.listeners import Web, web

pytestmark = pytest.mark.skipif(shutil.which(PEER) is None, reason=f"{PEER} (Debian) is not installed")


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def posted(now: float) -> list[dict[str, Any]]:
    return [
        {
            "labels": {"alertname": "HighErrors", "service": "pay", "severity": severity, "pod": f"pay-{k}"},
            "annotations": {"summary": "5 % of answers are errors", "runbook_url": f"https://wiki/{k}"},
            "startsAt": iso(now - 60),
            "endsAt": iso(now + 600),
            "generatorURL": f"http://prometheus.example/graph?g0.expr=errors&k={k}",
        }
        for k, severity in enumerate(("critical", "critical"))
    ] + [{"labels": {"alertname": "HighErrors", "service": "pay", "severity": "critical", "zone": "ß\\n"}}]


async def heard(sink: Web) -> dict[str, Any]:
    async with asyncio.timeout(20):
        await sink.arrived.wait()
    found: dict[str, Any] = sink.heard[0].json()
    return found


async def test_each_alert_and_all_that_they_have_in_common_read_the_same(tmp_path: Path) -> None:
    alerts = posted(time.time())
    async with web() as theirs, web() as ours:
        config = tmp_path / "forewarn.yaml"
        receiver = {"name": "sink", "via": [{"do": "webhook", "args": {"url": ours.url}}]}
        config.write_text(json.dumps({"response": {"receiver": "sink", "receivers": [receiver]}}))
        async with serving(tmp_path / "data", config) as forewarn:
            with alertmanager(tmp_path, theirs.url) as (_, port):
                for at in (forewarn.at, f"127.0.0.1:{port}"):
                    async with httpx.AsyncClient(trust_env=False) as client:
                        answer = await client.post(f"http://{at}/api/v2/alerts", json=alerts)
                        assert answer.status_code == 200
                mine, known = await heard(ours), await heard(theirs)

    def by_print(said: dict[str, Any]) -> dict[str, Any]:
        for alert in said["alerts"]:
            # What came without a start begins when it came.
            known = alert["annotations"] and datetime.fromisoformat(alert["startsAt"])
            alert |= {"startsAt": known, "endsAt": datetime.fromisoformat(alert["endsAt"])}
        return {alert["fingerprint"]: alert for alert in said["alerts"]}

    assert by_print(mine) == by_print(known)
    assert mine["commonLabels"] == known["commonLabels"]
    assert mine.keys() >= known.keys()
    same = ("version", "status", "truncatedAlerts")
    assert {k: mine[k] for k in same} == {k: known[k] for k in same}
