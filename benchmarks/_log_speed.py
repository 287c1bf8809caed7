"""Lines a second on one core, beside drain3; memory; and what a line costs on its whole way to signals."""

from __future__ import annotations

import random
import re
import time
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks._loads import SAID
from pipeline.logs import LogState, read_lines
from pipeline.logs.drain3 import Drained
from pipeline.logs.scan import compiled
from pipeline.logs.templates import WARM, Templates, take_block, template_of, templates_of
from pipeline.series import Series, pack
from pipeline.types import Batch, Lines

BLOCK = 256 * 1024
LINES = 960_000
SEED = 7
RATE = 5_000  # lines a second of the whole way, of SERVICES services, handed over AT_ONCE
SERVICES, AT_ONCE = 10, 1_000
LEARN, COUNT = 180, 60  # s at that rate that are learned, and that are timed


def speed(systems: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Print the figures and return them; CPU time, so that other load does not count.

    `systems` has lines of each system, of which bursts are mixed; () takes those of the trip's benchmark.
    """
    mixed, new = _mixed(systems, LINES), _unlike(100_000)
    rates = _block_rates(mixed)
    rates["drain3"] = _rate(Drained(masks=()).ids, mixed[:100_000])
    rates["drain3, masks"] = _rate(Drained().ids, mixed[:100_000])
    state = Templates()
    rates["every line a new template"] = _rate(lambda some: templates_of(state, some), new[:10_000])
    templates_of(state, new[10_000:90_000])
    rates["the same at 100,000 templates"] = _rate(lambda some: templates_of(state, some), new[90_000:])
    for name, rate in rates.items():
        print(f"{name:<36}{rate:>12,.0f} lines/s")
    held, waits = _held(new), _waits(mixed[:100_000])
    print(f"{'100,000 templates':<36}{held / 1e6:>12.0f} MB")
    print("{:<36}{:>12.1f} us median, {:.0f} p99, {:.0f} p99.9".format("line by line", *waits))
    ways = {
        "whole way, severity given": _way(mixed[:200_000], "info"),
        "whole way, severity in the text": _way(mixed[:200_000], ""),
        "whole way, each with a trace id": _way([_traced(k) for k in range(200_000)], "info"),
    }
    for name, each in ways.items():
        print(f"{name:<36}{each:>12.1f} us a line at {RATE:,} lines/s")
    return {
        "lines_s": rates, "one_line_us_p50_p99_p999": waits, "bytes_of_100000_templates": held,
        "whole_way_us": ways,
    }  # fmt: skip


def _block_rates(mixed: Sequence[str]) -> dict[str, float]:
    state, blocks = Templates(), _blocks(mixed)
    rates = {"mixed lines, blocks of 256 KiB": _rate(lambda _: [take_block(state, b) for b in blocks], mixed)}
    state.lines = 0  # else it would be compiled now
    rates["the same, warm"] = _rate(lambda _: [take_block(state, block) for block in blocks], mixed)
    if compiled().result() is None:
        print("numba is not installed: compiled scan not measured")
        return rates
    state.lines = max(state.lines, WARM)
    first = _rate(lambda _: [take_block(state, block) for block in blocks], mixed)
    warm = _rate(lambda _: [take_block(state, block) for block in blocks], mixed)
    return rates | {"compiled, its table empty": first, "compiled, warm": warm}


def _blocks(lines: Sequence[str]) -> list[bytes]:
    whole = ("\n".join(lines) + "\n").encode()
    blocks, at = [], 0
    while at < len(whole):
        end = whole.find(b"\n", min(at + BLOCK, len(whole) - 1)) + 1
        blocks.append(whole[at:end])
        at = end
    return blocks


def _mixed(systems: Sequence[Sequence[str]], count: int) -> list[str]:
    """Return bursts of lines of many systems, each with its digits drawn anew."""
    chance = random.Random(SEED)
    sources = systems or [[said.format(k, k) for said in SAID for k in range(9)]]
    lines: list[str] = []
    while len(lines) < count:
        source = chance.choice(sources)
        at = chance.randrange(len(source) - 40)
        lines += [
            re.sub("[0-9]+", lambda m: f"{chance.randrange(10 ** len(m[0])):0{len(m[0])}}", line)
            for line in source[at : at + 40]
        ]
    return lines[:count]


def _unlike(count: int) -> list[str]:
    chance = random.Random(SEED)
    words = ["".join(chance.choices("abcdefghijklmnop", k=6)) for _ in range(3000)]
    return [
        f"{' '.join(chance.choices(words, k=8))} {k} in {k % 99} ms from 10.0.0.{k % 250}"
        for k in range(count)
    ]


def _traced(number: int) -> str:
    """Return one of the eight lines of a trace; traces of ten services run side by side."""
    trace, step = number // 80 * 10 + number % 10, number // 10 % 8
    return f"[{trace * 2654435761 << 64:032x}] " + SAID[step].format(number % 9_999, number % 250)


def _rate(take: Callable[[Sequence[str]], Any], lines: Sequence[str]) -> float:
    began = time.process_time()
    take(lines)
    return len(lines) / (time.process_time() - began)


def _waits(lines: Sequence[str]) -> list[float]:
    state, waits = Templates(), []
    for line in lines:
        began = time.process_time()
        template_of(state, line)
        waits.append((time.process_time() - began) * 1e6)
    waits.sort()
    return [waits[int(len(waits) * share)] for share in (0.5, 0.99, 0.999)]


def _held(lines: Sequence[str]) -> int:
    """Return the bytes that a state holds after so many lines, each of a template of its own."""
    tracemalloc.start()
    state = Templates()
    for at in range(0, len(lines), AT_ONCE):
        templates_of(state, lines[at : at + AT_ONCE])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


def _way(lines: Sequence[str], severity: str) -> float:
    """Return the microseconds a line costs from a batch to signals, once all about it is learned."""
    state, series, now, spent = LogState(), Series(), 1_700_000_000.0, 0.0
    rows = series.intern([pack({"service": f"service-{k}"}) for k in range(SERVICES)])
    each = np.repeat(rows, AT_ONCE // SERVICES)
    for number in range((LEARN + COUNT) * RATE // AT_ONCE):
        at = number * AT_ONCE % len(lines)
        times = now + np.arange(AT_ONCE) / RATE
        now += AT_ONCE / RATE
        batch = Batch(lines=Lines(each, times, tuple(lines[at : at + AT_ONCE]), (severity,) * AT_ONCE))
        began = time.process_time()
        read_lines(state, batch, series, now)
        spent += time.process_time() - began if number * AT_ONCE >= LEARN * RATE else 0.0
    return spent / (COUNT * RATE) * 1e6
