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
            if not before.incident:
                opened = (await self.client.get("/api/v1/incidents")).json()
                later = [i for i in opened if i["opened_at"] >= put_in - REACH]
                if not later:
                    return before
                return read(min(later, key=lambda i: i["opened_at"]))
            return read((await self.client.get(f"/api/v1/incidents/{before.incident}")).json())
        except (httpx.TransportError, ValueError, KeyError):
            return before

    async def _ok(self, path: str) -> bool:
        try:
            return (await self.client.get(path)).status_code == 200
        except httpx.TransportError:
            return False


def read(incident: dict[str, Any]) -> Measured:
    first = (incident["suspects"] or [{}])[0]
    return Measured(
        incident["id"], incident["title"], incident["priority"], incident["state"], incident["opened_at"],
        incident["paged_at"], first.get("service", ""), first.get("change") or "", first.get("reason", ""),
        incident["resolved_at"], incident["first_complaint_at"], len(incident["complaints"]),
        incident["lead_s"],
    )  # fmt: skip
