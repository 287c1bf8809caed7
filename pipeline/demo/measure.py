"""What Forewarn made of a fault, read from its own API: the demo measures as any other client would."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

# An onset may be told as a little before the fault was put in: a window of samples reaches back.
REACH = 6.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Times are s since 1970; None = has not happened yet."""

    incident: str = ""
    title: str = ""
    priority: str = ""
    state: str = ""
    detected: float | None = None  # when the incident was opened
    paged: float | None = None
    suspect: str = ""  # service of the first suspect
    change: str = ""  # its change, "" if none
    reason: str = ""
    recovered: float | None = None  # no signal is on any more
    complained: float | None = None
    complaints: int = 0
    lead: float | None = None
    playbook: str = ""  # how its newest run stands


class Probe:
    """Asks Forewarn at `url`."""

    def __init__(self, url: str) -> None:
        self.client = httpx.AsyncClient(base_url=url, timeout=2.0)

    async def healthy(self) -> bool:
        return await self._ok("/-/healthy")

    async def ready(self) -> bool:
        return await self._ok("/-/ready")

    async def measure(self, put_in: float, until: float, before: Measured) -> Measured:
        """Return what is known of a fault that shows in these times; what was known where nobody answers."""
        try:
            found = before.incident or await self._opened(put_in - REACH, until)
            if not found:
                return before
            return read((await self.client.get(f"/api/v1/incidents/{found}")).json())
        except (httpx.TransportError, ValueError, KeyError):
            return before

    async def _opened(self, since: float, until: float) -> str:
        """Return the id of the first incident opened in these times, "" if there is none."""
        known = (await self.client.get("/api/v1/incidents")).json()
        return min(
            ((i["opened_at"], i["id"]) for i in known if since <= i["opened_at"] <= until), default=(0, "")
        )[1]

    async def _ok(self, path: str) -> bool:
        try:
            return (await self.client.get(path)).status_code == 200
        except httpx.TransportError:
            return False


def read(incident: dict[str, Any]) -> Measured:
    """Return the measures of an incident as the API tells it.

    >>> read({"id": "x", "title": "t", "priority": "P1", "state": "open", "opened_at": 5.0, "paged_at": 6.0,
    ...       "suspects": [{"service": "pay", "change": None, "reason": "slow"}], "resolved_at": None,
    ...       "first_complaint_at": None, "complaints": [], "lead_s": None, "runs": []}).suspect
    'pay'
    """
    first = (incident["suspects"] or [{}])[0]
    acted = [r for r in incident["runs"] if r["state"] != "dry run"]
    return Measured(
        incident["id"], incident["title"], incident["priority"], incident["state"], incident["opened_at"],
        incident["paged_at"], first.get("service", ""), first.get("change") or "", first.get("reason", ""),
        incident["resolved_at"], incident["first_complaint_at"], len(incident["complaints"]),
        incident["lead_s"], f"{acted[-1]['playbook']}: {acted[-1]['state']}" if acted else "",
    )  # fmt: skip
