"""Playbook steps that reach out of the process, one kind a file: `Args`, and `run(args, key, allowed)`.

`run` returns an Outcome, ok or not; not ok means that something may have been done and is undone. It
raises Retry or Rejected where surely nothing was done.
"""

from __future__ import annotations

import msgspec


class Allowed(msgspec.Struct, frozen=True):
    """What forewarn.yaml lets playbooks touch."""

    executables: tuple[str, ...] = ()  # absolute paths


# What a step answered or printed is kept as evidence up to here: the end says most.
MAX_EVIDENCE = 2_000


def tail(text: str) -> str:
    """Return the last characters of what a step answered, printable."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text[-MAX_EVIDENCE:])
