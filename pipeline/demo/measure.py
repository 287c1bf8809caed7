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

    async def measure(self, put_in: float, before: Measured) -> Measured:
        """Return what is known of the fault put in then; what was known where Forewarn does not answer."""
        try:
            found = before.incident or await self._opened_since(put_in - REACH)
            if not found:
                return before
            return read((await self.client.get(f"/api/v1/incidents/{found}")).json())
        except (httpx.TransportError, ValueError, KeyError):
            return before

    async def _opened_since(self, at: float) -> str:
        """Return the id of the first incident opened since then, "" if there is none."""
        known = (await self.client.get("/api/v1/incidents")).json()
        later = [(i["opened_at"], i["id"]) for i in known if i["opened_at"] >= at]
        return min(later)[1] if later else ""

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
