"""Who may speak to the one HTTP server: programs under any name, browsers only for pages of ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.responses import PlainTextResponse

from pipeline import config
from pipeline.run.web import Web
from tests.running import ROOT
from tests.test_embedded import changes, running


@pytest.mark.parametrize(
    ("method", "url", "headers", "code"),
    [
        pytest.param("POST", "http://forewarn.corp.example/api/v1/changes", {}, 200, id="a program"),
        pytest.param(
            "POST", "http://127.0.0.1/api/v1/changes", {"origin": "http://evil.example"}, 403, id="a page"
        ),
        pytest.param(
            "POST", "http://127.0.0.1/-/reload", {"sec-fetch-site": "cross-site"}, 403, id="a page reloads"
        ),
        pytest.param(
            "POST",
            "http://evil.example:9093/api/v1/changes",
            {"origin": "http://evil.example:9093"},
            421,
            id="a page whose name points at us",
        ),
        pytest.param("GET", "http://evil.example:9093/", {}, 421, id="such a page reads"),
        pytest.param("GET", "http://evil.example:9093/metrics", {}, 200, id="a scraper knows us by any name"),
        pytest.param("GET", "http://ours.example/", {}, 200, id="our name"),
        pytest.param("GET", "http://localhost:9093/", {}, 200, id="no name at all"),
    ],
)
async def test_no_page_of_another_site_reads_or_writes(
    tmp_path: Path, method: str, url: str, headers: dict[str, str], code: int
) -> None:
    async with running(tmp_path) as engine:
        named = config.Web(external_url="https://ours.example")
        engine.config = msgspec.structs.replace(engine.config, web=named)
        transport = httpx.ASGITransport(Web(engine, PlainTextResponse("a page")))
        async with httpx.AsyncClient(transport=transport) as browser:
            answer = await browser.request(method, url, headers=headers, content=b'{"service": "pay"}')
        found = await changes(engine)

    assert answer.status_code == code
    assert len(found) == (method == "POST" and code == 200)


def test_a_server_loads_nothing_that_only_recordings_need() -> None:
    ask = "import sys; from pipeline.run import serve, web; web.doors(); print('pyarrow' in sys.modules)"

    said = subprocess.run([sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)

    assert said.stdout == "False\n"
