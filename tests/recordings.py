"""Small recordings made by code: a shop of five services, its quiet hours, and a deploy that goes wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = 1_700_000_040.0  # a whole minute
CATALOG = """\
services:
  front: {depends_on: [cart, checkout], owner: team-web, tier: critical, aliases: {en: [the home page]}}
  cart: {depends_on: [inventory], owner: team-cart, aliases: {en: [my cart, the basket]}}
  checkout: {depends_on: [cart, payment], owner: team-pay, aliases: {en: [placing an order, checkout]}}
  payment: {depends_on: [], owner: team-pay, aliases: {en: [paying by card, the payment]}}
  inventory: {depends_on: [], owner: team-cart, aliases: {en: [the stock]}}
customers:
  customer-1: {tier: gold, uses: [front]}
  customer-2: {tier: silver, uses: [front]}
  customer-3: {tier: silver, uses: [checkout]}
  customer-4: {tier: silver, uses: [inventory]}
"""
SERVICES = ("front", "cart", "checkout", "payment", "inventory")
LATENCY = {"front": 0.2, "cart": 0.05, "checkout": 0.12, "payment": 0.08, "inventory": 0.02}
UPSET = (
    "Paying by card takes forever",
    "The payment failed twice now",
    "I cannot finish paying by card, it times out",
    "the payment does not go through",
    "Paying by card: error again",
    "The payment hangs",
)


def quiet_hours(folder: Path, hours: float = 6.0, seed: int = 7) -> Path:
    """Write hours of a shop where nothing is wrong, with a question from a customer now and then."""
    rng = np.random.default_rng(seed)
    _write(folder, _metrics(rng, hours, None), _chatter(rng, hours), [], _everyday(rng, hours))
    return folder


def bad_deploy(folder: Path, hours: float = 6.0, lasts: float = 900.0, seed: int = 7) -> Path:
    """Write the same hours with a deploy of payment that makes it slow and failing an hour before the end.

    Its callers slow down with it, its log has a new error, and customers complain three minutes later.
    """
    rng = np.random.default_rng(seed)
    began = fault_time(hours)
    metrics = _metrics(rng, hours, (began, began + lasts))
    logs = _chatter(rng, hours)
    logs += [
        _log(began + k, "payment", "error", f"card gateway refused order {k}: protocol version 2")
        for k in range(5, int(lasts), 15)
    ]
    changes = [
        {"t": began - 3600.0, "id": "deploy-41", "service": "cart", "kind": "deploy", "summary": "v41"},
        {"t": began - 45.0, "id": "deploy-42", "service": "payment", "kind": "deploy", "summary": "v42"},
    ]
    upset = [
        _complaint(began + 180 + 20 * k, f"upset-{k}", f"customer-{k % 3 + 1}", text)
        for k, text in enumerate(UPSET)
    ]
    _write(folder, metrics, logs, changes, _everyday(rng, hours) + upset)
    return folder


def fault_time(hours: float = 6.0) -> float:
    return START + (hours - 1) * 3600.0 + 20.0


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write records in time order as .jsonl or .jsonl.gz, the same bytes each time."""
    text = "".join(json.dumps(r) + "\n" for r in sorted(records, key=lambda r: r["t"])).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def write_metrics(path: Path, rows: Iterable[tuple[float, str, str, str, float]]) -> None:
    """Write samples as parquet, columns as in README."""
    t, service, entity, metric, value = zip(*rows, strict=True)
    pq.write_table(
        pa.table({"t": t, "service": service, "entity": entity, "metric": metric, "value": value}), path
    )


def _write(folder: Path, metrics: Any, logs: Any, changes: Any, complaints: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    write_metrics(folder / "metrics.parquet", metrics)
    write_lines(folder / "logs.jsonl.gz", logs)
    write_lines(folder / "changes.jsonl", changes)
    write_lines(folder / "complaints.jsonl.gz", complaints)


def _metrics(
    rng: np.random.Generator, hours: float, fault: tuple[float, float] | None
) -> list[tuple[float, str, str, str, float]]:
    rows = []
    for minute in range(int(hours * 60)):
        t = START + 60.0 * minute
        bad = fault is not None and fault[0] <= t < fault[1]
        for service in SERVICES:
            hit = bad and service in ("payment", "checkout", "front")
            slow = {"payment": 12.0, "checkout": 7.0, "front": 4.0}[service] if hit else 1.0
            errors = {"payment": 0.3, "checkout": 0.2, "front": 0.1}[service] if hit else 0.0
            latency = LATENCY[service] * slow * float(np.exp(0.08 * rng.standard_normal()))
            failing = errors + abs(0.002 * float(rng.standard_normal()))
            cpu = 0.3 + 0.02 * float(rng.standard_normal()) + (0.5 if bad and service == "payment" else 0.0)
            load = 20.0 + 1.5 * float(rng.standard_normal())
            rows += [
                (t, service, f"{service}-1", "latency_p90_seconds", latency),
                (t, service, f"{service}-1", "error_ratio", failing),
                (t, service, f"{service}-1", "cpu_ratio", cpu),
                (t, service, f"{service}-1", "requests_per_second", load),
            ]
    return rows


def _chatter(rng: np.random.Generator, hours: float) -> list[dict[str, Any]]:
    """Return log lines of every day, one a service and half minute."""
    return [
        _log(
            START + 30.0 * k + n,
            service,
            "info",
            f"served order {rng.integers(10_000)} in {rng.integers(90)} ms",
        )
        for k in range(int(hours * 120))
        for n, service in enumerate(SERVICES)
    ]


def _everyday(rng: np.random.Generator, hours: float) -> list[dict[str, Any]]:
    """Return what customers write on any day, one about every forty minutes."""
    said = ("How do I change my address?", "Please send me an invoice", "Do you ship to Norway?")
    return [
        _complaint(
            START + 2400.0 * k + float(rng.integers(600)), f"any-{k}", f"customer-{k % 4 + 1}", said[k % 3]
        )
        for k in range(int(hours * 1.5))
    ]


def _log(t: float, service: str, severity: str, message: str) -> dict[str, Any]:
    return {"t": t, "service": service, "entity": f"{service}-1", "severity": severity, "message": message}


def _complaint(t: float, id: str, customer: str, text: str) -> dict[str, Any]:
    return {"t": t, "id": id, "customer": customer, "channel": "chat", "lang": "en", "text": text}
