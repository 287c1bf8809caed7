"""Channels that reach people, one a file: `Args`, and `send(args, notice, key)`, which returns what was said.

`send` raises Retry where another try may reach them, and Rejected where none will. The key is the same on
every try, so that a receiver can tell a repeat.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from pipeline.types import Rejected, Seconds


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signal, as a notice tells it."""

    kind: str
    service: str
    series: str
    reason: str
    since: Seconds
    surprise: float | None = None  # -log10 p
    observed: float | None = None
    expected: float | None = None
    ended: Seconds | None = None


class Blamed(msgspec.Struct, frozen=True, omit_defaults=True):
    """One suspect, and the change where it is one."""

    service: str
    reason: str
    change: str = ""
    kind: str = ""  # of the change
    summary: str = ""
    changed: Seconds | None = None  # when


class Healing(msgspec.Struct, frozen=True, omit_defaults=True):
    """One playbook and how it stands on this incident."""

    playbook: str
    state: str
    said: str  # its last word
    steps: tuple[str, ...] = ()  # what it does, in order
    expires: Seconds | None = None  # when its question for approval lapses


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that a person is told of one incident at one moment; every channel writes it in its own way."""

    reason: str  # why they are told now: a verdict's reason, "escalated" or "approval wanted"
    because: str
    at: Seconds
    receiver: str
    incident: str
    title: str
    priority: str
    state: str
    opened: Seconds
    since: Seconds  # first signal
    services: tuple[str, ...] = ()
    signals: tuple[Seen, ...] = ()  # strongest first
    more_signals: int = 0  # not shown
    suspects: tuple[Blamed, ...] = ()
    customers: tuple[str, ...] = ()
    more_customers: int = 0
    complaints: int = 0
    first_complaint: Seconds | None = None
    paged: Seconds | None = None
    resolved: Seconds | None = None
    healing: tuple[Healing, ...] = ()
    next_at: Seconds | None = None  # when it escalates
    next_receiver: str = ""
    complaint: str = ""  # id, where it is about a complaint and no incident, or of the first of several
    page: str = ""  # path in the console; that of the incident where empty
    url: str = ""  # of that page; put in as it is sent
    alerts: str = ""  # those that a webhook lists, see untold.fold
    more_alerts: int = 0  # that fire and are not listed


def secret(path: str) -> str:
    """Return what a file of a secret holds, read anew each time, so that it can be changed under way."""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise Rejected(f"{path}: {error.strerror}") from error
