"""What can go wrong in the shop, really: how each fault is put in, taken out, and told to be there."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pipeline.demo.fleet import Fleet
from pipeline.demo.shop import SLOW_DISK


@dataclass(frozen=True, slots=True)
class Fault:
    """`put_in` returns the id of the change that brought it, "" where no change did."""

    name: str
    title: str
    service: str
    what: str
    put_in: Callable[[Fleet], Awaitable[str]]
    take_out: Callable[[Fleet], Awaitable[None]]
    hold: float  # s after which the demo takes it out itself, if nobody healed it


async def deploy_badly(fleet: Fleet) -> str:
    return await fleet.deploy("payment", bug="fraud-check", summary="payment: score every charge for fraud")


async def deploy_back(fleet: Fleet) -> None:
    await fleet.rollback("payment")


async def leak(fleet: Fleet) -> str:
    os.kill(fleet.pid("cart"), signal.SIGUSR1)
    return ""


async def restart_cart(fleet: Fleet) -> None:
    await fleet.restart("cart")


async def wear_out_disk(fleet: Fleet) -> str:
    (fleet.logs / SLOW_DISK).touch()
    return ""


async def mend_disk(fleet: Fleet) -> None:
    (fleet.logs / SLOW_DISK).unlink(missing_ok=True)


async def freeze(fleet: Fleet) -> str:
    os.kill(fleet.pid("inventory"), signal.SIGSTOP)
    return ""


async def restart_inventory(fleet: Fleet) -> None:
    await fleet.restart("inventory")


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            "bad_deploy", "Bad deploy of payment", "payment",
            "A new version of payment scores each charge for fraud: 1.3 s slower, and 4 in 10 fail.",
            deploy_badly, deploy_back, hold=150,
        ),
        Fault(
            "slow_disk", "Slow disk under inventory", "inventory",
            "Each write of a reservation waits a second and a half for the disk. Nothing was changed.",
            wear_out_disk, mend_disk, hold=75,
        ),
        Fault(
            "lost_dependency", "Inventory hangs", "inventory",
            "The inventory process is stopped (SIGSTOP): it takes connections and never answers.",
            freeze, restart_inventory, hold=120,
        ),
        Fault(
            "leak", "Memory leak in cart", "cart",
            "Each request leaves 300 kB behind, up to 190 MB, and reads through what piled up.",
            leak, restart_cart, hold=120,
        ),
    )
}  # fmt: skip


def still_there(fault: Fault, fleet: Fleet, pid: int) -> bool:
    """Say whether the fault is in; `pid` is that of its service's process when it was put in."""
    if fault.name == "bad_deploy":
        return bool(fleet.services["payment"].history[-1].bug)
    if fault.name == "slow_disk":
        return (fleet.logs / SLOW_DISK).exists()
    return fleet.pid(fault.service) == pid
