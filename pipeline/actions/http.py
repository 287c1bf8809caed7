"""One HTTP request to an outcome: ok where the status is as expected."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import httpx
import msgspec

from pipeline.actions import Allowed, tail
from pipeline.types import Outcome, Rejected, Retry

# Statuses by which a server says that it did nothing, yet: RFC 9110 15.6.4, RFC 6585 4.
_LATER = {429, 503}
MAX_ANSWER = 1 << 20  # bytes read of an answer


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """HTTP/1.1 (RFC 9110). Carries the action's key as Idempotency-Key; follows no redirect, uses no proxy.

    The host is written out in the playbook, never put in from a label; loopback is allowed, since agents
    and deployers often listen there. A token is named, by file or by variable, and read as the step runs:
    neither the store nor the console ever holds it. A 4xx is final and means that nothing was done; after
    any other failure something may have been, and the step is undone.

        do: http
        args:
          method: POST
          url: http://deployer.internal/services/{service}/rollback
          json: {change: "{change}", because: "{incident}"}
          bearer_file: /run/secrets/deployer
    """

    url: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = "POST"
    headers: Mapping[str, str] = {}
    json: Any = None
    body: str = ""  # instead of json
    expect: tuple[int, ...] = ()  # statuses that are right; () = any 2xx
    bearer_file: str = ""
    bearer_env: str = ""

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f'url: expected http:// or https://, got "{self.url}"')
        if self.body and self.json is not None:
            raise ValueError("body: expected either json or body, got both")


async def run(args: Args, key: str, allowed: Allowed) -> Outcome:
    named = {**args.headers, "Idempotency-Key": quote(key), "User-Agent": "Forewarn"}
    token = _token(args)
    if token:
        named["Authorization"] = f"Bearer {token}"
    headers = httpx.Headers(named, encoding="utf-8")  # services may be named in any script
    sent = {"json": args.json} if args.json is not None else {"content": args.body or None}
    try:
        async with (
            httpx.AsyncClient(trust_env=False, timeout=None) as client,  # noqa: S113 - the caller sets the limit
            client.stream(args.method, args.url, headers=headers, **sent) as answer,
        ):
            text = await _read(answer)
    except (httpx.ConnectError, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise Retry(1.0, f"cannot reach {_where(args.url)}: {error}") from error
    except httpx.HTTPError as error:
        return Outcome(False, f"{args.method} {_where(args.url)}: {type(error).__name__}: {error}", 0.0)
    return _outcome(args, answer, text)


def _outcome(args: Args, answer: httpx.Response, text: str) -> Outcome:
    said = f"{args.method} {_where(args.url)} answered {answer.status_code}"
    right = answer.status_code in args.expect if args.expect else answer.is_success
    if right:
        return Outcome(True, said, 0.0, {"status": str(answer.status_code), "answer": tail(text)})
    if answer.status_code in _LATER:
        raise Retry(_after(answer), f"{said}: {tail(text)[:200]}")
    if answer.is_client_error:
        raise Rejected(f"{said}: {tail(text)[:200]}")
    return Outcome(False, said, 0.0, {"status": str(answer.status_code), "answer": tail(text)})


async def _read(answer: httpx.Response) -> str:
    """Return the start of an answer: a server gone mad must not fill our memory."""
    read = bytearray()
    async for part in answer.aiter_bytes():
        read += part[: MAX_ANSWER - len(read)]
        if len(read) >= MAX_ANSWER:
            break
    return read.decode("utf-8", "replace")


def _token(args: Args) -> str:
    if args.bearer_env:
        if args.bearer_env not in os.environ:
            raise Rejected(f"bearer_env: {args.bearer_env}: this environment variable is not set")
        return os.environ[args.bearer_env]
    if not args.bearer_file:
        return ""
    try:
        return Path(args.bearer_file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Rejected(f"bearer_file: {args.bearer_file}: {error.strerror}") from error


def _where(url: str) -> str:
    """Return a URL without what may be secret in it: user and query."""
    found = httpx.URL(url)
    return f"{found.scheme}://{found.netloc.decode()}{found.path}"


def _after(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdigit() else 1.0
