"""Bad input in, a bounded file of it with reasons out: what a sender's owner needs to find their mistake."""

from __future__ import annotations

from pathlib import Path

import orjson

from pipeline.redact import redact
from pipeline.types import Seconds

MAX_BYTES = 4 * 1024 * 1024  # of the file; then it becomes the former one, and the one before that is gone
FIRST_BYTES = 200
PER_MINUTE = 60  # entries; a sender gone wild would otherwise push out every other mistake


class DeadLetters:
    """Owns dead-letters.jsonl and dead-letters.1.jsonl. Not synced: they may be cut after a crash."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "dead-letters.jsonl"
        self.left_out = 0
        self._minute = 0
        self._written = 0

    def add(self, now: Seconds, door: str, reason: str, text: str, body: bytes) -> None:
        """Keep one; raises OSError where the disk does not take it."""
        if self._minute != (minute := int(now // 60)):
            self._minute, self._written = minute, 0
        self._written += 1
        if self._written > PER_MINUTE:
            self.left_out += 1
            return
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.replace(self.path.with_suffix(".1.jsonl"))
        first = body[:FIRST_BYTES].decode("utf-8", "backslashreplace")
        entry = {
            "at": now,
            "door": door,
            "reason": reason,
            "text": redact(text),
            "first_bytes": redact(first),
        }
        with self.path.open("ab") as file:
            file.write(orjson.dumps(entry) + b"\n")
