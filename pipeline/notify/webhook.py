"""A notice to an Alertmanager webhook call (payload version 4), with the incident beside it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import ssl
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from pipeline.notify import Notice, Seen, secret
from pipeline.notify._listed import NEVER, when, write
from pipeline.series import fingerprint, pack
from pipeline.types import Rejected, Retry, Seconds
from pipeline.untold import unfold

# Alertmanager's own words for why it notifies; a receiver may match on them.
_REASONS = {
    "new": "first notification",
    "worse": "new alerts added",
    "resolved": "all alerts resolved",
    **{same: same for same in ("repeat interval elapsed", "new alerts added", "some alerts resolved")},
}
# So long a connection waits for the next call: servers wait for 2 s and more before they hang up.
KEPT: Seconds = 1.0
_SEVERITY = {"P1": "critical", "P2": "critical", "P3": "warning", "P4": "info"}


# One thread: several would only wait for each other, and each keep the memory that its largest call took.
_writer = ThreadPoolExecutor(1, "webhook")


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Alertmanager webhook payload version 4, extended by one key, `incident`, the whole notice.

    Other systems' alerts are listed as they came, a thousand a call at most, and each once when it begins
    and once when it ends: with a page, or `policy.group_interval` later. Our own signals are listed as alerts
    named ForewarnIncident.

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
    _trusted()
    # Else httpx and httpcore do, with the first request.
    for name in ("httpcore", "anyio._backends._asyncio"):
        importlib.import_module(name)
    if importlib.util.find_spec("sniffio") is None:
        # httpcore tries to import it four times a request, and each time all of sys.path is searched.
        sys.modules["sniffio"] = None  # type: ignore[assignment]


@cache
def _trusted() -> ssl.SSLContext:
    """Return all the world's authorities: to read them takes 25 ms."""
    return httpx.create_ssl_context(trust_env=False)


@lru_cache(maxsize=1)
def _client(loop: asyncio.AbstractEventLoop) -> httpx.AsyncClient:
    """Return one for all pages of a loop; two connections are kept, for a storm's calls at half the work.

    Each request looks at all that are kept, and one that is kept for long may have died.
    """
    limits = httpx.Limits(max_keepalive_connections=2, keepalive_expiry=KEPT)
    return httpx.AsyncClient(verify=_trusted(), trust_env=False, timeout=None, limits=limits)  # noqa: S113


async def send(args: Args, notice: Notice, key: str) -> str:
    # Services and receivers may be named in any script, headers are ASCII.
    headers = {**args.headers, "Idempotency-Key": quote(key), "User-Agent": "Forewarn"}
    headers["Content-Type"] = "application/json"
    if args.bearer_file:
        headers["Authorization"] = f"Bearer {secret(args.bearer_file)}"
    url = args.url or secret(args.url_file)
    loop = asyncio.get_running_loop()
    # A thousand alerts take 3 ms: posts that come in must not wait for that.
    body = [await loop.run_in_executor(_writer, encoded, notice) if notice.alerts else encoded(notice)]
    headers["Content-Length"] = str(len(body[0]))
    try:
        answer = await _client(loop).post(url, content=_handed_over(body), headers=headers)
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


async def _handed_over(body: list[bytes]) -> AsyncIterator[bytes]:
    """Yield the body and let go of it: request and answer of httpx hold each other, and it, until gc runs."""
    yield body.pop()


def encoded(notice: Notice) -> bytes:
    return msgspec.json.encode(payload(notice))


def payload(notice: Notice) -> dict[str, Any]:
    """Return the JSON body: each alert as it came, one for each other signal, or one for the incident."""
    over = notice.state == "resolved"
    listed = write(unfold(notice.alerts)) if notice.alerts else None
    # Where the alerts of a signal are listed themselves, it says nothing more.
    signals = [s for s in notice.signals if s.kind != "alert" or not (listed or notice.more_alerts)]
    own = [_signal(notice, s, over) for s in signals]
    if not listed and not own:
        own = [_signal(notice, None, over)]
    labels, notes = [each["labels"] for each in own], [each["annotations"] for each in own]
    about = _about(notice)
    return {
        "version": "4",
        # As Alertmanager writes it: receivers take calls of one key for the same thing.
        "groupKey": f"{{}}:{{{', '.join(f'{k}={_quoted(v)}' for k, v in about.items())}}}",
        "truncatedAlerts": notice.more_alerts + (notice.more_signals if not listed else 0),
        "status": "resolved" if over else "firing",
        "receiver": notice.receiver,
        "groupLabels": about,
        "commonLabels": _common([listed.labels, *labels] if listed else labels),
        "commonAnnotations": {"summary": notice.title} | _common([listed.notes, *notes] if listed else notes),
        "externalURL": notice.url.partition(notice.page or "/incidents/")[0],
        "notification_reason": _REASONS.get(notice.reason, "unknown"),
        # What is raw stands there as it is: one piece of text for all those that are listed.
        "alerts": [msgspec.Raw(listed.alerts), *own] if listed else own,
        "incident": msgspec.to_builtins(msgspec.structs.replace(notice, alerts="")),
    }


def _about(notice: Notice) -> dict[str, str]:
    """Return the labels that set apart what the notice is about: a complaint, or else an incident."""
    return {"complaint": notice.complaint} if notice.complaint else {"incident": notice.incident}


def _quoted(value: str) -> str:
    return msgspec.json.encode(value).decode()


def _common(each: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return what is the same in all."""
    first, *others = each
    return {k: v for k, v in first.items() if all(other.get(k) == v for other in others)}


def _signal(notice: Notice, seen: Seen | None, over: bool) -> dict[str, Any]:
    """Return a signal of our own, or the incident where there is none to show, as an alert."""
    labels = {
        "alertname": "ForewarnIncident",
        "incident": notice.incident,
        **_about(notice),
        "priority": notice.priority,
        "severity": _SEVERITY.get(notice.priority, "warning"),
    }
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
        "startsAt": when(since),
        "endsAt": NEVER if ended is None else when(ended),
        "generatorURL": notice.url,
        "fingerprint": fingerprint(pack(labels)),
    }


def _after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 0.0
