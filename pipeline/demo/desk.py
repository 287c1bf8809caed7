"""The demo's own web server: the page with the buttons and the truth, the deployer's doors, the pager."""

from __future__ import annotations

import time
from collections import deque
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pipeline.demo.customers import PEOPLE
from pipeline.demo.faults import FAULTS
from pipeline.demo.fleet import SERVICES, Fleet
from pipeline.demo.show import WARM_UP, Show, Trial

PAGE = Path(__file__).with_name("page.html")


class Pager:
    """The phone of whoever is on call: the newest 50 pages, as they came in."""

    def __init__(self) -> None:
        self.pages: deque[dict[str, Any]] = deque(maxlen=50)
        self.received = 0

    async def take(self, request: Request) -> Response:
        said = await request.json()
        self.received += 1
        self.pages.appendleft({"at": time.time(), "to": request.path_params["who"], "said": said})
        return JSONResponse({"received": self.received})


def app(show: Show, fleet: Fleet, pager: Pager) -> Starlette:
    async def page(request: Request) -> Response:
        return HTMLResponse(PAGE.read_text(encoding="utf-8"))

    async def state(request: Request) -> Response:
        return JSONResponse(tell(show, fleet, pager))

    async def ask(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FAULTS:
            return JSONResponse({"error": f"no fault {name}"}, 404)
        why_not = show.ask(name)
        return JSONResponse({"error": why_not} if why_not else {"asked": name}, 409 if why_not else 202)

    async def rollback(request: Request) -> Response:
        service = request.path_params["service"]
        if service not in SERVICES:
            return JSONResponse({"error": f"no service {service}"}, 404)
        try:
            version = await fleet.rollback(service, (await request.json()).get("change", ""))
        except LookupError as error:
            return JSONResponse({"error": str(error)}, 409)
        return JSONResponse({"service": service, "version": version})

    async def restart(request: Request) -> Response:
        service = request.path_params["service"]
        if service not in SERVICES:
            return JSONResponse({"error": f"no service {service}"}, 404)
        await fleet.restart(service)
        return JSONResponse({"service": service, "version": fleet.services[service].history[-1].number})

    return Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse("/demo")),
            Route("/demo", page),
            Route("/api/state", state),
            Route("/api/faults/{name}", ask, methods=["POST"]),
            Route("/deployer/{service}/rollback", rollback, methods=["POST"]),
            Route("/deployer/{service}/restart", restart, methods=["POST"]),
            Route("/pager/{who}", pager.take, methods=["POST"]),
        ]
    )


def tell(show: Show, fleet: Fleet, pager: Pager) -> dict[str, Any]:
    """Return all that the page shows."""
    return {
        "now": time.time(),
        "forewarn": fleet.forewarn,
        "phase": show.phase,
        "warm": min(1.0, (time.time() - show.began) / WARM_UP),
        "next_at": show.next_at,
        "faults": [
            {"name": f.name, "title": f.title, "service": f.service, "what": f.what} for f in FAULTS.values()
        ],
        "versions": {name: s.history[-1].number for name, s in fleet.services.items()},
        "customers": [p.name for p in PEOPLE],
        "trials": [told(t) for t in reversed(show.trials)],
        "pages": [paged(p) for p in list(pager.pages)[:10]],
    }


def told(trial: Trial) -> dict[str, Any]:
    """Return one trial: `truth` is what was done, `measured` what Forewarn made of it without knowing."""
    m = trial.measured
    return {
        "truth": {
            "fault": trial.fault.name, "title": trial.fault.title, "service": trial.fault.service,
            "change": trial.change, "put_in": trial.put_in, "gone": trial.gone, "gone_by": trial.gone_by,
        },
        "measured": {
            "incident": m.incident, "title": m.title, "priority": m.priority, "state": m.state,
            "detected_after": since(trial.put_in, m.detected), "paged_after": since(trial.put_in, m.paged),
            "suspect": m.suspect, "suspect_change": m.change, "reason": m.reason, "right": trial.right,
            "healed_after": since(trial.put_in, trial.gone) if trial.gone_by == "a playbook" else None,
            "recovered_after": since(trial.put_in, m.recovered),
            "first_complaint_after": since(trial.put_in, m.complained),
            "complaints": m.complaints, "lead": m.lead, "playbook": m.playbook,
        },
        "over": trial.over,
    }  # fmt: skip


def paged(page: dict[str, Any]) -> dict[str, Any]:
    """Return a page as a phone shows it: whom, why, what, and the first suspect."""
    said = page["said"].get("incident", {})
    suspect = next(iter(said.get("suspects", ())), None)
    return {
        "at": page["at"], "to": page["to"], "reason": said.get("reason", ""), "url": said.get("url", ""),
        "text": f"{said.get('priority', '')} {said.get('title', '')}",
        "suspect": f"{suspect.get('change') or suspect['service']}: {suspect['reason']}" if suspect else "",
    }  # fmt: skip


def since(start: float, at: float | None) -> float | None:
    return None if at is None else round(at - start, 1)
