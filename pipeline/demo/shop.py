"""One service of the shop as a process: front, cart, checkout, payment or inventory, calling each other."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import socket
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import click
import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.demo.telemetry import Measured, Telemetry

# A caller gives up after this long, as a customer's browser would have long before a default of minutes.
PATIENCE = 2.5
LEAKED = 300_000  # bytes a request leaves behind while the cart leaks
LEAK_LIMIT = 192 * 1024 * 1024  # the cart stops growing here: the machine is the user's
SLOW_DISK = "disk-is-slow"  # while this file is there, a write waits as on a disk that is worn out


class Unavailable(Exception):
    """A service that this one depends on did not do its part."""


class Shop:
    """What one service process holds: its peers, its stock or sessions, and what ails it."""

    def __init__(
        self,
        name: str,
        version: str,
        bug: str,
        peers: dict[str, str],
        telemetry: Telemetry,
        disk: Path,
        seed: int,
    ) -> None:
        self.name, self.version, self.bug = name, version, bug
        self.peers, self.telemetry, self.disk = peers, telemetry, disk
        self.log = telemetry.log
        self.random = random.Random(f"{seed}/{name}/{version}")  # noqa: S311 - a shop's pace, not a secret
        self.client = httpx.AsyncClient(timeout=PATIENCE, transport=httpx.AsyncHTTPTransport(retries=1))
        self.leaking = False
        self.sessions: list[bytes] = []  # grows while the cart leaks, up to LEAK_LIMIT
        self.orders = 0

    async def work(self, typical: float) -> None:
        """Take about as long as the real thing: rarely twice the typical time, never much less."""
        await asyncio.sleep(typical * (0.8 + self.random.gammavariate(2.0, 0.1)))

    async def call(self, service: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Post to a peer and return its answer; raises Unavailable when it failed or took too long."""
        began = time.monotonic()
        for last in (False, True):
            try:
                answer = await self.client.post(self.peers[service] + path, json=body)
                break
            except httpx.RemoteProtocolError as error:  # a kept connection met a restart: once more
                if last:
                    raise self.lost(service, path, str(error)) from error
            except httpx.TransportError as error:
                took = time.monotonic() - began
                raise self.lost(service, path, f"{type(error).__name__} after {took:.2f} s") from error
        if answer.status_code >= 500:
            raise self.lost(service, path, f"answered {answer.status_code}")
        found: dict[str, Any] = answer.json()
        return found

    def leak(self) -> None:
        self.leaking = True

    def lost(self, service: str, path: str, why: str) -> Unavailable:
        self.log.error("call to %s%s failed: %s", service, path, why)
        return Unavailable(f"{service}: {why}")


async def browse(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.015)
    return {"products": ["kettle", "lamp", "notebook", "tea"]}


async def put_in_cart(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.005)
    return await shop.call("cart", "/items", body)


async def check_out(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.005)
    return await shop.call("checkout", "/orders", body)


async def add_item(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.01)
    if shop.leaking:
        remember(shop)
    found = await shop.call("inventory", "/stock", body)
    shop.log.info("customer %s added %s to the cart", body.get("customer"), body.get("product"))
    return found


async def order(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    shop.orders += 1
    number = f"{os.getpid()}-{shop.orders}"
    await shop.work(0.01)
    await shop.call("inventory", "/reservations", {**body, "order": number})
    paid = await shop.call("payment", "/charges", {**body, "order": number})
    shop.log.info("order %s of customer %s placed, paid by %s", number, body.get("customer"), paid["charge"])
    return {"order": number}


async def charge(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.04)
    if shop.bug == "fraud-check":
        await score_fraud(shop, body)
    shop.log.info("charge for order %s accepted by the bank", body.get("order"))
    return {"charge": f"ch_{body.get('order')}"}


async def score_fraud(shop: Shop, body: dict[str, Any]) -> None:
    """The bug of the bad version: a remote score for each charge, slow, and over a pool that runs dry."""
    await shop.work(1.3)
    if shop.random.random() < 0.4:
        shop.log.error(
            "fraud score for order %s failed: connection pool exhausted (size 2)", body.get("order")
        )
        raise Unavailable("fraud score")


async def stock(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.008)
    return {"product": body.get("product"), "in_stock": 40}


async def reserve(shop: Shop, body: dict[str, Any]) -> dict[str, Any]:
    await shop.work(0.004)
    began = time.monotonic()
    await asyncio.to_thread(write_down, shop, f"{body.get('order')} {body.get('product')}\n")
    took = time.monotonic() - began
    shop.telemetry.stored(took)
    if took > 0.5:
        shop.log.warning("write of reservation %s took %.0f ms: disk is slow", body.get("order"), took * 1000)
    return {"reserved": body.get("product")}


def write_down(shop: Shop, line: str) -> None:
    """Append to the reservations and wait for the disk; longer while the disk is slow."""
    with (shop.disk / "reservations.txt").open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        if (shop.disk / SLOW_DISK).exists():
            time.sleep(1.3 + 0.5 * shop.random.random())
        os.fsync(file.fileno())


def remember(shop: Shop) -> None:
    """Keep a session that nobody will ask for again, and read through some of the pile, as the bug does."""
    if len(shop.sessions) * LEAKED < LEAK_LIMIT:
        shop.sessions.append(os.urandom(64) * (LEAKED // 64))
    for session in shop.sessions[-240:]:
        hashlib.sha256(session)


Deed = Callable[[Shop, dict[str, Any]], Awaitable[dict[str, Any]]]

DEEDS: dict[str, dict[str, Deed]] = {
    "front": {"/": browse, "/cart": put_in_cart, "/checkout": check_out},
    "cart": {"/items": add_item},
    "checkout": {"/orders": order},
    "payment": {"/charges": charge},
    "inventory": {"/stock": stock, "/reservations": reserve},
}


def app(shop: Shop) -> Starlette:
    def route(path: str, deed: Deed) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return JSONResponse(
                    await deed(shop, await request.json() if request.method == "POST" else {})
                )
            except Unavailable as error:
                return JSONResponse({"error": str(error)}, 500)

        return Route(path, answer, methods=["GET", "POST"])

    async def metrics(request: Request) -> Response:
        return Response(shop.telemetry.render(), media_type="text/plain; version=0.0.4")

    async def healthy(request: Request) -> Response:
        return JSONResponse({"service": shop.name, "version": shop.version, "pid": os.getpid()})

    upkeep = [Route("/metrics", metrics), Route("/-/healthy", healthy)]
    routes = [route(path, deed) for path, deed in DEEDS[shop.name].items()]
    return Starlette(routes=upkeep + routes, middleware=[Middleware(Measured, telemetry=shop.telemetry)])


@click.command()
@click.argument("name", type=click.Choice(list(DEEDS)))
@click.option("--fd", type=int, required=True, help="The listening socket, opened by the parent.")
@click.option("--version", required=True)
@click.option("--bug", default="")
@click.option("--peer", multiple=True, help="NAME=URL of another service.")
@click.option("--logs", type=click.Path(path_type=Path), required=True)
@click.option("--seed", type=int, default=0)
def main(name: str, fd: int, version: str, bug: str, peer: tuple[str, ...], logs: Path, seed: int) -> None:
    """Serve until SIGTERM; requests under way are answered first."""
    peers = dict(p.split("=", 1) for p in peer)
    shop = Shop(name, version, bug, peers, Telemetry(name, logs), logs, seed)
    shop.log.info("%s %s started", name, version)
    config = uvicorn.Config(
        app(shop), log_level="warning", access_log=False, timeout_graceful_shutdown=3, lifespan="off"
    )
    signal.signal(signal.SIGUSR1, lambda *_: shop.leak())
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    main()
