"""The load: a dozen customers who browse, fill a cart, pay, complain when the shop fails them, and rate."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import quote

import click
import httpx

from pipeline.demo import words

SLOW = 1.5  # s for a page, past which a person begins to mind
WITHIN = 45.0  # s over which bad tries add up
REST = 300.0  # s after a complaint in which the same customer does not write again
BUYERS = 3  # people of one customer who shop at the same time
THINK = 1.3  # s between two clicks of one buyer, on average
LOOK = 10.0  # s between two looks at how far a complaint is
PATIENT = 900.0  # s after which nobody looks any more
SOON, LATE = 150.0, 400.0  # s to an end that pleases, and past which it does not


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    lang: str
    channel: str
    tier: str = "standard"


PEOPLE = (
    Person("harbour-cafe", "en", "chat", "gold"),
    Person("lin-tea-house", "zh", "wechat", "gold"),
    Person("oakfield-school", "en", "email"),
    Person("green-bicycle", "en", "chat"),
    Person("xinyu-books", "zh", "wechat"),
    Person("atlas-hotel", "en", "phone", "gold"),
    Person("mira-design", "en", "app"),
    Person("hongda-trading", "zh", "phone"),
    Person("north-clinic", "en", "email"),
    Person("jiayi-flowers", "zh", "app"),
    Person("old-town-bakery", "en", "app"),
    Person("yunfan-travel", "zh", "wechat"),
)


@dataclass(slots=True)
class Mood:
    """One customer's patience: enough bad tries within a while, and a complaint is on its way."""

    patience: int  # bad tries that it takes
    chance: random.Random
    bad: deque[float] = field(default_factory=lambda: deque(maxlen=32))
    content_until: float = -math.inf

    @classmethod
    def of(cls, person: Person, seed: int) -> Mood:
        chance = random.Random(f"{seed}/{person.name}")  # noqa: S311 - a mood, not a secret
        return cls(chance.randint(2, 6), chance)

    def rates(self, took: float, now: float) -> dict[str, str | int]:
        """Return what they answer when asked how we did: by how long it took, and whether it works now."""
        if any(at > now - WITHIN for at in self.bad):
            return {"helped": "no", "score": self.chance.randint(1, 2)}
        pleased = 5 if took < SOON else 4 if took < LATE else 3
        return {"helped": "yes", "score": pleased - (self.chance.random() < 0.3)}

    def tried(self, trouble: str, now: float) -> float | None:
        """Take in one try ("" where it went well); return how long until they complain, once they will.

        The time is a person's: to give up, find the form and type, 25 to 90 s.
        """
        if not trouble or now < self.content_until:
            return None
        self.bad.append(now)
        if sum(at > now - WITHIN for at in self.bad) < self.patience:
            return None
        self.bad.clear()
        self.content_until = now + REST
        return 25.0 + min(65.0, self.chance.lognormvariate(2.7, 0.6))


class Customer:
    """Shops at `front`, and writes to Forewarn's complaints door, as a help desk's form would pass it on."""

    def __init__(
        self, person: Person, front: str, forewarn: str, seed: int, client: httpx.AsyncClient
    ) -> None:
        self.person, self.front, self.forewarn, self.client = person, front, forewarn, client
        self.mood = Mood.of(person, seed)
        self.chance = random.Random(f"{seed}/{person.name}/clicks")  # noqa: S311
        self.written = 0
        self.writing: set[asyncio.Task[None]] = set()  # a complaint and its rating each; at most one a REST

    async def shop(self) -> None:
        """Browse, add to cart and check out, over and over."""
        while True:
            for step in ("browse", "browse", "cart", "cart", "checkout"):
                await asyncio.sleep(self.chance.expovariate(1 / THINK))
                trouble = await self.click(step)
                delay = self.mood.tried(trouble, time.monotonic())
                if delay is not None:
                    task = asyncio.create_task(self.complain(step, trouble, delay))
                    self.writing.add(task)
                    task.add_done_callback(self.writing.discard)
                if trouble:
                    break

    async def click(self, step: str) -> str:
        """Do one step and return what was wrong with it: "failed", "slow" or ""."""
        began = time.monotonic()
        try:
            if step == "browse":
                answer = await self.client.get(self.front + "/")
            else:
                what = {
                    "customer": self.person.name,
                    "product": self.chance.choice(("kettle", "lamp", "tea")),
                }
                answer = await self.client.post(f"{self.front}/{step}", json=what)
        except httpx.TransportError:
            return "failed"
        if answer.status_code >= 500:
            return "failed"
        return "slow" if time.monotonic() - began > SLOW else ""

    async def complain(self, step: str, trouble: str, delay: float) -> None:
        await asyncio.sleep(delay)
        self.written += 1
        complaint = {
            "t": time.time(),
            "id": f"{self.person.name}-{time.time():.0f}-{self.written}",
            "customer": self.person.name,
            "channel": self.person.channel,
            "lang": self.person.lang,
            "text": words.complaint(self.person.lang, step, trouble, self.chance),
        }
        try:
            await self.client.post(self.forewarn + "/api/v1/complaints", json=complaint)
            await self.rate(str(complaint["id"]), time.monotonic())
        except httpx.TransportError as error:
            click.echo(f"customers: a complaint was lost: {error!r}", err=True)

    async def rate(self, complaint: str, sent: float) -> None:
        """Look now and then how far it is; once asked whether it helped, say so."""
        path = f"{self.forewarn}/api/v1/complaints/{quote(complaint, safe='')}"
        while time.monotonic() - sent < PATIENT:
            await asyncio.sleep(LOOK * self.chance.uniform(0.5, 1.5))
            answer = await self.client.get(path)
            if answer.status_code == 200 and answer.json()["asks"]:
                now = time.monotonic()
                await self.client.post(f"{path}/rate", json=self.mood.rates(now - sent, now))
                return


async def serve(front: str, forewarn: str, seed: int) -> None:
    """Let everybody shop; never ends."""
    async with httpx.AsyncClient(timeout=10.0) as client:
        everybody = [Customer(p, front, forewarn, seed, client) for p in PEOPLE]
        await asyncio.gather(*(c.shop() for c in everybody for _ in range(BUYERS)))


@click.command()
@click.option("--front", required=True, help="URL of the shop.")
@click.option("--forewarn", required=True, help="URL.")
@click.option("--seed", type=int, default=0)
def main(front: str, forewarn: str, seed: int) -> None:
    """Run until SIGTERM."""
    asyncio.run(serve(front, forewarn, seed))


if __name__ == "__main__":
    main()
