"""The web pages and the REST API: they read the store and post commands, nothing else.

Pages keep themselves current by server-sent events: `/`, `/incidents/ID`, `/desk`, `/complaints`,
`/services`, `/boards`, `/controls` for staff, `/board/CUSTOMER` for a customer. A proxy that shows boards to
the world lets through `/board/` and `/static/`, nothing else.

The API answers JSON; times are seconds since 1970, UTC:

    GET  /api/v1/incidents?state=open&limit=200    newest first, as `forewarn replay` writes them, and state
    GET  /api/v1/incidents/ID                      also its runs, verdicts and actions
    POST /api/v1/incidents/ID/acknowledge          {"by": "ann"}
    POST /api/v1/incidents/ID/resolve              {"by": "ann", "service": "which it was, if known"}
    POST /api/v1/incidents/ID/merge                {"by": "ann", "into": "another open incident"}
    POST /api/v1/incidents/ID/split                {"by": "ann", "out": "a service, or a merged incident"}
    POST /api/v1/incidents/ID/noise                {"by": "ann"}: its signals are told less readily,
    POST /api/v1/incidents/ID/confirm              more readily,
    POST /api/v1/incidents/ID/unteach              as readily as ever; a lesson lasts 30 days
    GET  /api/v1/explain/ID                        what each stage said of an incident, signal, alert ...
    GET  /api/v1/silences                          those that hold
    POST /api/v1/silences                          {"incident": ID, "seconds": 3600, "by": "ann", "why": ""}
    POST /api/v1/silences/preview                  {"match": "..."}: the open incidents that it would mute,
                                                   and those of which it would cover some signals only
    GET, POST, DELETE /api/v2/silence(s)           as Alertmanager's: see console/alertmanager.py
    GET  /api/v2/alerts, alerts/groups, receivers, status     the same: see console/alerts.py
    GET  /api/v1/boards/CUSTOMER                   what the board of that customer says
    GET  /api/v1/complaints/ID                     how far it is, in words for its customer
    POST /api/v1/complaints/ID/reply               {"by": "ann", "text": "..."}: what its customer then reads;
    POST /api/v1/complaints/ID/ask                 the same, and the clocks stand until the customer answers;
    POST /api/v1/complaints/ID/cause, fixed        {"by": "ann", "text": ""}
    POST /api/v1/complaints/ID/close               and {"topic": "...", "service": "..."}, which teaches
    POST /api/v1/complaints/ID/answer, reopen      {"text": "..."}, said by the customer
    POST /api/v1/complaints/ID/rate                {"helped": "yes", "score": 5}; a no opens it again
    GET  /api/v1/topics                            what customers complain of, and the surges that are on
    GET  /api/v1/aliases                           names that customers may have: see console/names.py
    POST /api/v1/answers                           what a desk may answer to a text: see console/answers.py

A POST of a command is answered 202 with the command's id once the command is in the journal; its effect
shows a moment later. A silence may name a "service" instead, or a "match" such as
`team="pay", alertname=~"Disk.*"`, and end at "until", once what it covers is over (`"ends": "resolved"`) or
once it has covered nothing for "idle" seconds. A request that a browser makes for another site's page is
refused with 403.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline import units
from pipeline.clock import Clock
from pipeline.complaints import Names
from pipeline.complaints.topic_notes import Topic
from pipeline.console import explain, words
from pipeline.console.alertmanager import Silencing
from pipeline.console.alerts import Alerting, nothing
from pipeline.console.answers import Answers
from pipeline.console.api import Api
from pipeline.console.ask import MAX_SILENCE, TEACH, Submit
from pipeline.console.desk import Desk
from pipeline.console.guard import HEADERS, Guard
from pipeline.console.live import Live, Page
from pipeline.console.names import Aliases, nobody
from pipeline.console.pages import Pages
from pipeline.console.reply import WORDS
from pipeline.console.standing import QUIET_AFTER
from pipeline.console.topics import Topics, unknown
from pipeline.firing import Firing
from pipeline.knowledge import Article
from pipeline.store import Store
from pipeline.topology import Topology
from pipeline.types import Seconds
from pipeline.visible import visible

HERE = Path(__file__).parent
ANSWERS = ("acknowledge", "resolve", "merge", "split", *TEACH)
MAX_BODY = 16_384  # bytes of a command


def routes(
    store: Store,
    submit: Submit,
    clock: Clock,
    topology: Callable[[], Topology],
    *,
    quiet_after: Seconds = QUIET_AFTER,
    told: Callable[[], bool] = lambda: True,
    articles: Callable[[], tuple[Article, ...]] = tuple,
    topics: Callable[[], Awaitable[Sequence[Topic]]] = unknown,
    names: Callable[[], Awaitable[Names]] = nobody,
    stopping: Callable[[], bool] = bool,
    longest: Callable[[], Seconds] = lambda: MAX_SILENCE,
    model: str = "none",
    firing: Callable[[], Awaitable[Sequence[Firing]]] = nothing,
    receiver: Callable[[], str] = str,
    started: Seconds = 0.0,
) -> list[BaseRoute]:
    """Return every route of console and API.

    `submit` journals a frame and returns when it is durable; what it raises is for the app to answer.
    `topology`, `articles`, `topics`, `names` and `longest` are asked each time, `told` whether pages reach
    anybody.
    A service unheard for `quiet_after` is unknown, and no silence may last for more than `longest`. Streams
    end by themselves once `stopping` says so: else they would hold a server up. `model` compares questions.
    `firing` is asked for the alerts of other systems, `receiver` for who hears of them first.
    """
    pages = Pages(store, clock, topology, quiet_after, told)
    live, api = Live(store, clock, templates(), stopping), Api(pages, submit, longest)
    spoken = Silencing(store, submit, clock, longest)
    alerting = Alerting(spoken, started, firing, receiver)
    answers = Answers(store, submit, clock, topology, live.templates, articles, model, names)
    desk, complained = Desk(store, clock, submit, topology, names), Topics(store, clock, topics)
    called = Aliases(submit, clock, topology, names)
    shown = {
        "/": Page("overview", ("summary", "open", "recent"), pages.overview),
        "/incidents/{id}": Page(
            "incident",
            ("head", "suspects", "runs", "timeline", "evidence", "complaints", "told"),
            pages.incident,
        ),
        "/board/{customer:path}": Page("board", ("services", "own", "past"), pages.board),
        "/desk": Page("desk", ("summary", "rows", "closed", "names"), desk.page),
        "/complaints": Page("complaints", ("rows",), complained.page),
        "/boards": Page("boards", ("rows",), pages.boards),
        "/services": Page("services", ("rows",), pages.services),
        "/controls": Page("controls", ("switch", "silences", "asked"), pages.controls),
    }
    calls: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
        ("POST", "/do", api.press),
        ("GET", "/api/v1/incidents", api.incidents),
        ("GET", "/api/v1/incidents/{id}", api.incident),
        *(("POST", f"/api/v1/incidents/{{id}}/{do}", partial(api.answer, do)) for do in ANSWERS),
        ("GET", "/api/v1/explain/{id:path}", partial(explain.show, store)),
        ("GET", "/api/v1/silences", api.silences),
        ("POST", "/api/v1/silences", api.silence),
        ("POST", "/api/v1/silences/preview", api.preview),
        ("GET", "/api/v2/alerts", alerting.all),
        ("GET", "/api/v2/alerts/groups", alerting.groups),
        ("GET", "/api/v2/receivers", alerting.receivers),
        ("GET", "/api/v2/status", alerting.status),
        ("GET", "/api/v2/silences", spoken.list),
        ("POST", "/api/v2/silences", spoken.post),
        ("GET", "/api/v2/silence/{id}", spoken.show),
        ("DELETE", "/api/v2/silence/{id}", spoken.lift),
        ("GET", "/api/v1/boards/{customer:path}", api.board),
        ("GET", "/api/v1/topics", complained.show),
        ("GET", "/api/v1/aliases", called.show),
        ("POST", "/api/v1/aliases", partial(called.take, "alias")),
        *(("POST", f"/api/v1/aliases/{do}", partial(called.take, do)) for do in ("dismiss", "unalias")),
        *answers.calls(),
        # An id is as its sender made it, "/" and all: what is below one is looked for first.
        *(("POST", f"/api/v1/complaints/{{id:path}}/{do}", partial(desk.take, do)) for do in WORDS),
        ("GET", "/api/v1/complaints/{id:path}", desk.show),
        ("POST", "/board/{customer:path}/say", desk.hear),
    )
    guarded = [Middleware(Guard)]
    found: list[BaseRoute] = []
    for path, page in shown.items():
        found.append(Route(f"{path.rstrip('/')}/live", partial(live.follow, page), middleware=guarded))
        found.append(Route(path, partial(live.show, page), middleware=guarded))
    for method, path, call in calls:
        found.append(Route(path, call, methods=[method], middleware=guarded, max_body_size=MAX_BODY))
    found.append(Route("/incidents", lambda request: RedirectResponse("/")))
    return [*found, Mount("/static", StaticFiles(directory=HERE / "static"), middleware=guarded)]


def missing(env: Environment) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers a path that is nobody's: a page for a browser, a line for a program."""

    async def answer(request: Request, error: Exception) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(f"nothing is at {request.url.path}\n", 404)
        kind = "board" if request.url.path.startswith("/board/") else "page"
        text = env.get_template("missing.html").render(title="Not here", kind=kind)
        return HTMLResponse(text, 404, HEADERS)

    return answer


def templates() -> Environment:
    """Return the templates: what they print is escaped and visible, and a word they lack is an error."""
    env = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda said: visible(said) if type(said) is str else said,  # what is Markup was said before
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("clock_time", "day_time", "iso", "span", "lead"):
        env.filters[name] = getattr(words, name)
    env.filters["quantity"] = units.quantity
    env.globals["m"] = env.get_template("macros.html").module
    return env
