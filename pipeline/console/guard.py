"""Every response with its security headers; no other site may press our buttons."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# No inline script or style, nothing from elsewhere: a complaint that slips through unescaped stays text.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
READING = ("GET", "HEAD", "OPTIONS")


class Guard:
    """ASGI middleware of each console route."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if scope["method"] not in READING and foreign(Headers(scope=scope)):
            refusal = PlainTextResponse("a page of another site may not do this\n", 403)
            await refusal(scope, receive, headed)
            return
        await self.app(scope, receive, headed)


def foreign(headers: Headers) -> bool:
    """Say whether a browser sent this for another site's page. Programs send neither header and may.

    https://www.w3.org/TR/fetch-metadata: Sec-Fetch-Site cannot be set by a page. Browsers leave it out over
    plain http to other than localhost; there Origin, which every POST of a browser has, must be our host.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host", "")


def strange(host: str, own: Iterable[str]) -> bool:
    """Say whether a Host header names neither us nor a bare address.

    A site may point a name of its own at our address, and its pages then count as ours to a browser (DNS
    rebinding). Addresses, and names without a dot such as localhost, are in nobody's hands.

    >>> [strange(h, ["forewarn.example"]) for h in ("127.0.0.1:9093", "[::1]", "box:80", "forewarn.example")]
    [False, False, False, False]
    >>> strange("127.0.0.1.evil.example:9093", ["forewarn.example"])
    True
    """
    name = _name(host)
    try:
        ip_address(name)
    except ValueError:
        return "." in name.rstrip(".") and name not in map(_name, own)
    return False


def _name(host: str) -> str:
    """Return the name of HOST:PORT, lower case; all of it where it cannot be taken apart."""
    try:
        return urlsplit(f"//{host}").hostname or host
    except ValueError:
        return f".{host}"
