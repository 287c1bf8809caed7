"""Which language short complaints are in: phrases in five languages, written apart from the code."""

from __future__ import annotations

import json
import time
from pathlib import Path

from pipeline.complaints.languages import language, modelled

PHRASES = Path(__file__).parents[1] / "tests" / "phrases" / "urgent.jsonl"
WORDS = (1, 2, 3, 5, 10_000)  # of each phrase that are read


def run() -> dict[str, float]:
    """Print and return the share of phrases that is told, of those the share that is right, CPU time."""
    rows = [json.loads(line) for line in PHRASES.read_text(encoding="utf-8").splitlines()]
    latin = [(row["text"], row["lang"]) for row in rows if row["lang"] != "zh"]
    found: dict[str, float] = {}
    if not modelled():
        print("py3langid is not installed: the language of Latin letters stays unknown")
    for most in WORDS:
        cut = [(" ".join(text.split()[:most]), lang) for text, lang in latin]
        language(cut[0][0])  # the model is loaded
        began = time.process_time()
        told = [(language(text), lang) for text, lang in cut]
        took = 1e6 * (time.process_time() - began) / len(cut)
        sure = [name == lang for name, lang in told if name]
        name = "whole" if most == WORDS[-1] else f"{most} words"
        found |= {f"language {name} told": len(sure) / len(cut), f"language {name} us": took}
        right = found[f"language {name} right"] = sum(sure) / len(sure) if sure else float("nan")
        print(f"{name:10} {len(sure) / len(cut):6.1%} told, of them {right:7.2%} right, {took:4.0f} us")
    return found


if __name__ == "__main__":
    run()
