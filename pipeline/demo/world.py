"""The files an SRE would write to put Forewarn over the shop: forewarn.yaml, catalogue, rules, playbooks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

from pipeline import config
from pipeline.demo.customers import PEOPLE
from pipeline.demo.fleet import CALLS

TITLES = {
    "front": "The shop's pages",
    "cart": "Shopping cart",
    "checkout": "Placing an order",
    "payment": "Paying",
    "inventory": "Stock and delivery",
}
ALIASES: dict[str, dict[str, list[str]]] = {
    "front": {"en": ["website", "web shop", "page"], "zh": ["网站", "网页", "首页"]},
    "cart": {"en": ["cart", "shopping cart", "basket"], "zh": ["购物车", "加购"]},
    "checkout": {"en": ["checkout", "order", "placing an order"], "zh": ["结账", "下单", "订单"]},
    "payment": {"en": ["payment", "pay", "card", "charged"], "zh": ["付款", "支付", "扣款", "扣钱"]},
    "inventory": {"en": ["stock", "availability"], "zh": ["库存", "缺货"]},
}

UP = {
    "name": "up",
    "metrics": ["up"],
    "data_range": [1, 1],
    "detection_direction": "below",
    "hold": "5s",
    "clear": "15s",
    "page": True,
}


def lay_out(data: Path, port: int, desk: str) -> Path:
    """Write the files and return the path of forewarn.yaml; `desk` is the demo's own URL."""
    (data / "playbooks").mkdir(parents=True, exist_ok=True)
    for book in (roll_back(desk), restart_what_hangs(desk), restart_what_leaks(desk)):
        _write(data / "playbooks" / f"{book['name']}.yaml", book)
    _write(data / "catalog.yaml", catalog())
    shutil.copyfile(Path(__file__).with_name("kb.yaml"), data / "kb.yaml")
    _write(data / "rules.yaml", {"watches": [*every_second(), UP]})
    return _write(
        data / "forewarn.yaml",
        {
            "web": {"listen": f"127.0.0.1:{port}"},
            "storage": {"path": str(data / "forewarn")},
            "catalog": "catalog.yaml",
            "complaints": {"knowledge": "kb.yaml"},
            "rules": ["rules.yaml"],
            "playbooks": ["playbooks"],
            "policy": {"resolve_after": "30s"},
            "response": {
                "receivers": [pager("first on call", desk), pager("second on call", desk)],
                "receiver": "first on call",
                "escalation": [{"receiver": "second on call", "after": "2m"}],
            },
        },
    )


def catalog() -> dict[str, Any]:
    services = {
        name: {
            "depends_on": list(CALLS[name]),
            "owner": "shop",
            "title": TITLES[name],
            "aliases": ALIASES[name],
            **({"tier": "critical"} if name != "cart" else {}),
        }
        for name in CALLS
    }
    customers = {p.name: {"tier": p.tier, "uses": ["front", "cart", "checkout"]} for p in PEOPLE}
    return {"services": services, "customers": customers}


def every_second() -> list[dict[str, Any]]:
    """Return the shipped watches as one sets them where scrapes are a second apart: quicker on and off."""
    files = sorted((config.ROOT / "rules").glob("*.yaml"))
    shipped = [w for f in files for w in yaml.safe_load(f.read_text(encoding="utf-8")).get("watches", ())]
    return [{**w, "hold": "10s", "clear": "15s"} for w in shipped]


def pager(name: str, desk: str) -> dict[str, Any]:
    url = f"{desk}/pager/{name.replace(' ', '-')}"
    return {"name": name, "via": [{"do": "webhook", "args": {"url": url}}]}


def roll_back(desk: str) -> dict[str, Any]:
    return {
        "name": "roll-back-a-bad-deploy",
        "what": "Takes back the deploy that is the first suspect, and sees that the signals end.",
        "when": {"suspect": "change", "change": ["deploy"]},
        "mode": "auto",
        "blast_radius": {"services": 2, "runs_per_hour": 12},
        "cooldown": "1m",
        "steps": [
            {
                "do": "http",
                "what": "Roll {service} back: take out {change}",
                "args": {
                    "method": "POST",
                    "url": f"{desk}/deployer/{{service}}/rollback",
                    "json": {"change": "{change}", "by": "forewarn"},
                },
                "timeout": "20s",
                "undo": {"do": "nothing", "what": "The version before is the one that is known to work."},
            }
        ],
        "verify": {"of": "service", "hold": "5s", "within": "90s"},
    }


def restart_what_hangs(desk: str) -> dict[str, Any]:
    return {
        "name": "restart-what-does-not-answer",
        "what": "Restarts a service that is up in name only: its scrapes fail and its callers wait.",
        "when": {"suspect": "service", "series": r"^up\{"},
        "mode": "auto",
        "blast_radius": {"services": 2, "runs_per_hour": 12},
        "cooldown": "1m",
        "steps": [_restart(desk)],
        "verify": {"of": "service", "hold": "5s", "within": "90s"},
    }


def restart_what_leaks(desk: str) -> dict[str, Any]:
    return {
        "name": "restart-what-leaks",
        "what": "Restarts a service whose memory climbs; a person says yes first, sessions are lost.",
        "when": {"suspect": "service", "series": "process_resident_memory_bytes"},
        "mode": "approve",
        "steps": [_restart(desk)],
        "verify": {"of": "service", "hold": "5s", "within": "90s"},
    }


def _restart(desk: str) -> dict[str, Any]:
    return {
        "do": "http",
        "what": "Restart {service}.",
        "args": {"method": "POST", "url": f"{desk}/deployer/{{service}}/restart", "json": {"by": "forewarn"}},
        "timeout": "20s",
        "undo": {"do": "nothing", "what": "The same version runs again."},
    }


def _write(path: Path, what: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(what, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
