"""A small shop's bad afternoon as steps, to fill a store with by code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from pipeline.topology import Customer, Service, Topology
from pipeline.types import (
    Action,
    Complaint,
    Entry,
    Event,
    Evidence,
    Incident,
    Outcome,
    Reason,
    Run,
    Signal,
    State,
    Step,
    Suspect,
    Verdict,
)

NOW = 1_763_820_000.0  # 22 Nov 2025 14:00:00 UTC
START = NOW - 500

TOPOLOGY = Topology(
    {
        "front": Service(("cart", "checkout"), "web", title="Shop", tier="critical"),
        "cart": Service(("inventory",), "web", title="Basket"),
        "checkout": Service(("payment", "inventory"), "orders", title="Checkout", tier="critical"),
        "payment": Service((), "money", title="Payments", host="pay-7.internal"),
        "inventory": Service((), "stock", title="Stock levels"),
    },
    {
        "harbour-cafe": Customer("gold", ("checkout", "payment", "cart")),
        "north-books": Customer("", ("inventory",)),
    },
)

DEPLOY = Event("change", "dep-2417", START - 20, {"service": "payment", "kind": "deploy"}, "payment 2.4.1")


def measured(id: str, metric: str, service: str, observed: float, expected: float, **more: object) -> Signal:
    series = f'{metric}{{service="{service}"}}'
    return Signal(
        id, "metric", service, series, {"service": service}, "seasonal", START, START + 10, 8.4,
        observed, expected, True, f"{observed / expected:.1f} times the usual, highest in 21 days",
    )  # fmt: skip


LATENCY = measured("s-lat", "latency_p90_seconds", "payment", 0.92, 0.11)
ERRORS = measured("s-err", "errors_ratio", "checkout", 0.14, 0.004)
LOGS = Signal(
    "s-log", "log", "payment", "connection to <*> refused after <*> ms", {"service": "payment"},
    "new template", START + 12, START + 12, 6.1, 44, 0, False,
    "new error line, 44 times in a minute; the deploy was 32 s before",
    samples=("ERROR connection to <*> refused after <*>", "ERROR <b>pool</b> of <*> is empty, <*> wait"),
)  # fmt: skip
SURGE = Signal(
    "s-say", "complaint", "payment", "card declined", {}, "surge",
    START + 210, START + 210, 4.4, 5, 0.2, True, "5 customers within 4 min, 0.2 expected", ids=("m1", "m2"),
)  # fmt: skip

COMPLAINTS = (
    Complaint(
        "m1", START + 190, "harbour-cafe", "mail", "en",
        "Our till says <script>alert('card declined')</script> for every customer.\nPlease call [phone].",
        "card declined", "business blocked", (("payment", 0.9),),
    ),
    Complaint(
        "m2", START + 200, "north-books", "chat", "zh", "付款一直失败，已经试了三次",
        "card declined", "", (("payment", 0.7),),
    ),
)  # fmt: skip

INCIDENT = Incident(
    "inc-0031", START + 10, START + 220, "payment is slow & checkout fails <b>often</b>", "P1",
    ("payment", "checkout"), (LATENCY, ERRORS, LOGS, SURGE),
    suspects=(
        Suspect("payment", 7.9, "deploy payment 2.4.1 came 20 s before its latency rose", "dep-2417"),
        Suspect("checkout", 2.2, "calls payment; its errors began 10 s later"),
    ),
    changes=(DEPLOY,), complaints=("m1", "m2"), customers=("harbour-cafe", "north-books"),
    timeline=(
        Entry(START + 10, "opened: latency of payment 8.4 times the usual", ("payment",)),
        Entry(START + 11, "paged ops: P1, first suspect payment", ("payment", "checkout")),
        Entry(START + 12, "new error template in payment"),
        Entry(START + 40, "playbook rollback began"),
        Entry(START + 210, "complaints surge: card declined", ("payment", "checkout")),
    ),
    first_signal=START, first_complaint=START + 190, paged=START + 11, rev=4,
)  # fmt: skip

CALM = Incident(
    "inc-0032", NOW - 90, NOW - 60, "inventory answers with more 404 than usual", "P3", ("inventory",),
    (measured("s-inv", "not_found_rate", "inventory", 4.0, 1.0),),
    suspects=(Suspect("inventory", 2.0, "the only service that changed"),), first_signal=NOW - 100, rev=1,
)  # fmt: skip

OVER = Incident(
    "inc-0030", NOW - 90000, NOW - 88000, "cart leaks memory", "P2", ("cart",), (), state=State.RESOLVED,
    suspects=(Suspect("cart", 3.0, "memory grew for 3 h"),), resolved=NOW - 88000, paged=NOW - 89990,
    first_signal=NOW - 90010, first_complaint=NOW - 89870, customers=("harbour-cafe",), by="ann", rev=9,
)  # fmt: skip

ROLLBACK = Run(
    "inc-0031/rollback", "inc-0031", "rollback", "wants approval", 1, START + 40, START + 60,
    (
        Entry(START + 40, "fits: first suspect is a deploy"),
        Entry(START + 60, "waits for a yes, expires in 15 min"),
    ),
)  # fmt: skip
TOLD = Action("inc-0031/notify/ops/1", "inc-0031", "notify", "webhook", {}, "tell ops by webhook", START + 11)
CHECK = Action(
    "inc-0031/rollback/0", "inc-0031", "step", "http", {}, "ask payment which version runs", START + 41
)
DONE = Outcome(True, "HTTP 200", 0.18)


def curve(signal: Signal, until: float, seed: int) -> Evidence:
    """Return an hour of a daily figure that jumps at the signal's onset; one gap, band from the start."""
    rng = np.random.default_rng(seed)
    time = np.arange(until - 4200, until, 10.0)
    expected = signal.expected * (1 + 0.12 * np.sin(time / 900))
    noise = rng.normal(0, 0.07, len(time))
    value = expected * (1 + noise)
    after = time >= signal.since
    ramp = np.clip((time - signal.since) / 60, 0, 1)
    value = np.where(after, value + ramp * (signal.observed - signal.expected) * (1 + noise), value)
    value[80:92] = np.nan
    return Evidence(signal.id, time, value, expected, expected * 0.72, expected * 1.32)


def step(**what: object) -> Step:
    return Step(NOW - 5, **what)  # type: ignore[arg-type]


def afternoon() -> Step:
    """All of it in one step, heard just now but for inventory."""
    return Step(
        NOW - 5,
        (LATENCY, ERRORS, LOGS, SURGE),
        COMPLAINTS,
        (INCIDENT, CALM, OVER),
        {
            "inc-0031": Verdict(
                True, Reason.NEW, because="P1, not told before; surprise 8.4 is over the bar of 5"
            ),
            "inc-0032": Verdict(False, Reason.TENTATIVE, because="surprise 3.1 is below the bar of 5"),
        },
        (TOLD, CHECK),
        (ROLLBACK,),
        (DEPLOY,),
        (curve(LATENCY, NOW, 1), curve(ERRORS, NOW, 2), curve(CALM.signals[0], NOW, 3)),
        heard={
            "front": NOW - 4,
            "cart": NOW - 6,
            "checkout": NOW - 4,
            "payment": NOW - 8,
            "inventory": NOW - 900,
        },
    )


def replaced(**changes: Any) -> Incident:
    """Return the great incident, otherwise."""
    return replace(INCIDENT, **changes)
