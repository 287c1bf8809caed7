"""The green channel: urgent phrases found, look-alikes and ordinary texts left alone, cost a text."""

from __future__ import annotations

import gzip
import time
import zlib
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.complaints.encoders import Dense, encoder, installed
from pipeline.complaints.urgency import ORDER, urgent

ROOT = Path(__file__).resolve().parents[1]
PHRASES = ROOT / "tests" / "phrases" / "urgent.jsonl"
TERSE = ROOT / "tests" / "phrases" / "urgent_terse.jsonl"  # our own, harder; taught to nothing
# Harm that is said not to have happened, and harm beside another "not": ours.
DENIED = ROOT / "tests" / "phrases" / "denied.jsonl"
ORDINARY = ROOT.parent / "shared" / "data" / "complaints_dev"
# Intents of the ordinary texts that are themselves theft or fraud: a find there is no mistake.
HARM = frozenset(
    {"b77/cash_withdrawal_not_recognised", "b77/compromised_card", "b77/lost_or_stolen_card"}
    | {"b77/lost_or_stolen_phone", "clinc/report_fraud", "clinc/report_lost_card"}
    | {"b77/direct_debit_payment_not_recognised", "b77/card_payment_not_recognised"}
)


class Phrase(msgspec.Struct):
    text: str
    lang: str
    urgent: str  # the reason; "" = a look-alike


class Ordinary(msgspec.Struct):
    text: str
    intent: str


class Found(NamedTuple):
    """Urgent phrases and those found, by language and by reason; look-alikes and those taken for urgent."""

    meant: Counter[str]
    found: Counter[str]
    same_reason: int


def run() -> dict[str, float]:
    out: dict[str, float] = {}
    for name, phrases in (("", read()), ("terse, ", read(TERSE)), ("denied, ", read(DENIED))):
        out |= {f"{name}{key}": rate for key, rate in measure(phrases).items()}
        if installed("use"):
            rows = encoder("use").encode([phrase.text for phrase in phrases])
            out |= {f"{name}with meaning: {key}": rate for key, rate in measure(phrases, rows).items()}
    if ORDINARY.is_dir():
        out |= ordinary() | false()
    for name, value in out.items():
        print(f"{name:52} {value:10.4f}")
    return out


def read(file: Path = PHRASES) -> list[Phrase]:
    decode = msgspec.json.Decoder(Phrase).decode
    return [decode(line) for line in file.read_bytes().splitlines()]


def measure(phrases: list[Phrase], rows: Dense | None = None) -> dict[str, float]:
    """Return the recall over all, by language and by reason, and the share of look-alikes taken.

    `rows` are the phrases' vectors, (n, 512), where meaning may decide, too.
    """
    all_of, found = Counter[str](), Counter[str]()
    right = 0
    for k, phrase in enumerate(phrases):
        said = urgent(phrase.text, dense=None if rows is None else rows[k])
        harm = "recall" if phrase.urgent else "look-alikes taken"
        keys = [harm, f"{harm}, {phrase.lang}", *([f"{harm}, {phrase.urgent}"] if phrase.urgent else [])]
        all_of.update(keys)
        found.update(keys if said else [])
        right += bool(phrase.urgent) and said.partition(":")[0] == phrase.urgent
    rates = {key: found[key] / n for key, n in sorted(all_of.items())}
    return rates | {"found for the same reason": right / max(1, found["recall"])}


def ordinary() -> dict[str, float]:
    """Return the share of ordinary texts taken for urgent, in all and where the intent is no harm."""
    rows = read_ordinary()
    start = time.process_time()
    taken = [row for row in rows if urgent(row.text)]
    spent = time.process_time() - start
    calm = sum(row.intent not in HARM for row in rows)
    return {
        "ordinary texts": float(len(rows)),
        "ordinary taken": len(taken) / len(rows),
        "ordinary taken, no harm meant": sum(row.intent not in HARM for row in taken) / calm,
        "CPU us a text": spent / len(rows) * 1e6,
    }


def false() -> dict[str, float]:
    """Return the share of texts of untaught intents that mean no harm taken for each reason; not Arabic."""
    rows = [row for row in read_ordinary("[!a]*") if row.intent not in HARM and not taught(row.intent)]
    said = {"": [urgent(row.text) for row in rows]}
    if installed("use"):
        dense = encoder("use").encode_many([row.text for row in rows])
        said["with meaning: "] = [urgent(row.text, dense=one) for row, one in zip(rows, dense, strict=True)]
    found = {how: Counter(one.partition(":")[0] for one in each) for how, each in said.items()}
    rates = {
        f"{how}untaught taken, {reason}": of[reason] / len(rows)
        for how, of in found.items()
        for reason in ORDER
    }
    return rates | {f"{how}untaught taken": 1 - of[""] / len(rows) for how, of in found.items()}


def read_ordinary(names: str = "*") -> list[Ordinary]:
    decode = msgspec.json.Decoder(Ordinary).decode
    files = sorted(ORDINARY.glob(f"{names}.jsonl.gz"))
    return [decode(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]


def taught(intent: str) -> bool:
    """Say whether texts of this intent may teach: half of the intents of the two sets under CC BY."""
    return intent.startswith(("b77/", "clinc/")) and zlib.crc32(intent.encode()) % 2 == 0


if __name__ == "__main__":
    run()
