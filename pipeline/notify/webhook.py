"""A notice to an Alertmanager webhook call (payload version 4), with the incident beside it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from pipeline.notify import Notice, Seen, secret
from pipeline.series import fingerprint, pack
from pipeline.types import Rejected, Retry, Seconds

# Alertmanager's own words for why it notifies; a receiver may match on them.
_REASONS = {
    "new": "first notification",
    "worse": "new alerts added",
    "resolved": "all alerts resolved",
    "repeat interval elapsed": "repeat interval elapsed",
}
_SEVERITY = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "info"}
_NEVER = "0001-01-01T00:00:00Z"  # what Go's zero time looks like: not ended


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Alertmanager webhook payload version 4, extended by one key, `incident`, the whole notice.

    2xx is done. 429, 5xx and a broken connection are tried again, after Retry-After where it is given, with
    the same Idempotency-Key; any other answer is final. What is lost when it fails for good: this notice,
    which the incident's timeline then says, and the next rung of the escalation is climbed at once.

        do: webhook
        args:
          url_file: /run/secrets/pager-url
          headers: {X-Team: payments}
    """

    url: str = ""
    url_file: str = ""
    headers: Mapping[str, str] = {}
    bearer_file: str = ""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.url_file):
            raise ValueError("url: expected either url or url_file")
        if self.url and not self.url.startswith(("http://", "https://")):
            raise ValueError("url: expected http:// or https://")


def warm() -> None:
    """Load what the first page needs: it must not wait 0.1 s for that, nor any post that comes with it."""
    _client()
    importlib.import_module("anyio._backends._asyncio")  # else httpcore does, with the first request


@cache
def _client() -> httpx.AsyncClient:
    """Return one for all pages: each of its own would read all the world's authorities, which takes 25 ms.

    It keeps no connection, for pages are seldom and a kept one may have died.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    trusted = httpx.create_ssl_context(trust_env=False)
    return httpx.AsyncClient(verify=trusted, trust_env=False, timeout=None, limits=limits)  # noqa: S113


async def send(args: Args, notice: Notice, key: str) -> str:
    # Services and receivers may be named in any script, headers are ASCII.
    headers = {**args.headers, "Idempotency-Key": quote(key), "User-Agent": "Forewarn"}
    if args.bearer_file:
        headers["Authorization"] = f"Bearer {secret(args.bearer_file)}"
    url = args.url or secret(args.url_file)
    try:
        answer = await _client().post(url, json=payload(notice), headers=headers)
    except httpx.HTTPError as error:
        raise Retry(0.0, f"webhook: {type(error).__name__}: {error}") from error
    except httpx.InvalidURL as error:
        raise Rejected(f"webhook: {error}") from error
    said = f"webhook answered {answer.status_code}"
    if answer.is_success:
        return said
    if answer.status_code == 429 or answer.is_server_error:
        raise Retry(_after(answer), said)
    raise Rejected(f"{said}: {answer.text[:200]}")


def payload(notice: Notice) -> dict[str, Any]:
    """Return the JSON body; one alert a signal, and one for the incident where it has no signal to show."""
    group = {"incident": notice.incident}
    common = {
        "alertname": "ForewarnIncident",
        "incident": notice.incident,
        "priority": notice.priority,
        "severity": _SEVERITY.get(notice.priority, "warning"),
    }
    over = notice.state == "resolved"
    alerts = [_alert(notice, s, common, over) for s in notice.signals] or [_alert(notice, None, common, over)]
    return {
        "version": "4",
        "groupKey": f'{{}}:{{incident="{notice.incident}"}}',
        "truncatedAlerts": notice.more_signals,
        "status": "resolved" if over else "firing",
        "receiver": notice.receiver,
        "groupLabels": group,
        "commonLabels": common,
        "commonAnnotations": {"summary": notice.title},
        "externalURL": notice.url.partition(notice.page or "/incidents/")[0],
        "notification_reason": _REASONS.get(notice.reason, "unknown"),
        "alerts": alerts,
        "incident": msgspec.to_builtins(notice),
    }


def _alert(notice: Notice, seen: Seen | None, common: Mapping[str, str], over: bool) -> dict[str, Any]:
    labels = dict(common)
    if seen:
        labels |= {
            k: v for k, v in (("service", seen.service), ("series", seen.series), ("kind", seen.kind)) if v
        }
    since = seen.since if seen else notice.since
    ended = seen.ended if seen and seen.ended is not None else (notice.resolved if over else None)
    return {
        "status": "firing" if ended is None else "resolved",
        "labels": labels,
        "annotations": {"summary": notice.title, "description": seen.reason if seen else notice.because},
        "startsAt": _when(since),
        "endsAt": _NEVER if ended is None else _when(ended),
        "generatorURL": notice.url,
        "fingerprint": fingerprint(pack(labels)),
    }


def _when(at: Seconds) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 0.0
