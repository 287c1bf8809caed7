"""Sessions to those that are heard: all, or a share of them where lines are many, and each one whole."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

BUDGET = 10_000  # lines of sessions in one slot, of 12 to 25 us each: 2 % of a core
HELD = 7  # slots, longer than a session may be silent: those in their middle have been met by then


@dataclass(slots=True)
class Budget:
    """Which share of the sessions is heard. Owned by SessionState; 0.1 kB."""

    share: float = 1.0
    whole: float = 1.0  # share of the sessions that were heard long enough to be so from their first line
    since: int = 0  # slot in which the share last grew
    slot: int = 0
    lines: int = 0  # in this slot, heard or not
    heard: int = 0  # of them, halved with the share


def affords(budget: Budget, id: str, slot: int) -> bool:
    """Say whether the session with this id is heard now. Cost: 0.2 us, 0.4 where not all are.

    A session is chosen by its id alone, so another process chooses the same. A slot of n lines costs BUDGET
    and half as many more for each time that n doubles past it.
    """
    if slot > budget.slot:
        _begin(budget, slot)
    budget.lines += 1
    if budget.share < 1.0 and _lot(id) >= budget.share:
        return False
    budget.heard += 1
    if budget.heard >= BUDGET:
        budget.share, budget.heard = budget.share / 2, budget.heard // 2
        budget.whole = min(budget.whole, budget.share)
    return True


def whole(budget: Budget, id: str) -> bool:
    """Say whether a session that is met for the first time has had no line before."""
    return budget.whole >= 1.0 or _lot(id) < budget.whole


def _begin(budget: Budget, slot: int) -> None:
    """Double the share where the last slot's lines allow it, once in HELD slots."""
    if slot >= budget.since + HELD:
        budget.whole = budget.share
        if budget.share < 1.0 and 2 * budget.share * budget.lines <= BUDGET:
            budget.share, budget.since = 2 * budget.share, slot
    budget.slot, budget.lines, budget.heard = slot, 0, 0


def _lot(id: str) -> float:
    return crc32(id.encode("utf-8", "replace")) / 2**32
