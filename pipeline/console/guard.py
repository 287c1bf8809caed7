"""Every response with its security headers; no other site may press our buttons."""

from __future__ import annotations

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
_READING = ("GET", "HEAD", "OPTIONS")


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

        if scope["method"] not in _READING and foreign(Headers(scope=scope)):
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
