"""What correlation rules cost a signal, as rules and what they look at grow, in CPU microseconds."""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable, Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from pipeline.clock import Span
from pipeline.patterns import Pattern, PatternState, condition, notice
from pipeline.patterns.rule import Count, Term
from pipeline.types import Signal

START, SIGNALS, EACH = 1_700_000_000.0, 20_000, 100  # signals in all, and in a frame
SERVICES = 200
ASKED = 2_000  # times each package that is installed answers
TRUE = 'labels["service"] == "pay" && surprise > 6.0 && labels["env"].startsWith("prod")'
KNOWN = {"labels": {"service": "pay", "env": "prod-eu", "instance": "a"}, "surprise": 7.2}
WHEN = 'surprise > 100.0 && labels["instance"].startsWith("i")'


def run() -> dict[str, float]:
    """Print the table, and return every figure in it."""
    alike = Pattern("all", Span(600), Count(Term(), 3))
    cases: dict[str, Sequence[Pattern]] = {
        "no rule": (),
        "10 rules that look for others": rules(10),
        "10,000 rules that look for others": rules(10_000),
        f"1 rule that counts all, {SERVICES} groups": (alike,),
    }
    if condition.installed():
        asked = msgspec.structs.replace(alike, count=Count(Term(when=WHEN), 3))
        cases["1 rule that asks each by CEL"] = (asked,)
    table = Table("", "a signal, us", "a frame of nothing, us", title="Correlation rules, CPU time")
    figures: dict[str, float] = {}
    for name, found in cases.items():
        signal, frame = (1e6 * cost for cost in costs(found))
        table.add_row(name, f"{signal:.1f}", f"{frame:.1f}")
        figures |= {f"{name}: a signal, us": signal, f"{name}: a frame, us": frame}
    Console().print(table)
    for name, build in PEERS.items():
        if importlib.util.find_spec(name) is not None:
            figures[f"{name}: a condition, us"] = 1e6 * cost_of(build())
            print(f"{name}: {figures[f'{name}: a condition, us']:.1f} us a condition")
    return figures


def cost_of(ask: Callable[[], object]) -> float:
    """Return the CPU seconds of one answer."""
    if ask() not in (True, "true"):
        raise AssertionError("a condition that holds was said not to")
    began = time.process_time()
    for _ in range(ASKED):
        ask()
    return (time.process_time() - began) / ASKED


def google() -> Callable[[], object]:
    cel = importlib.import_module("cel_expr_python.cel")
    words = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
    program = cel.NewEnv(variables={"labels": words, "surprise": cel.Type.DOUBLE}).compile(TRUE)
    return lambda: program.eval(data=KNOWN).value()


def rust() -> Callable[[], object]:
    program = importlib.import_module("cel").compile(TRUE)
    return lambda: program.execute(KNOWN)


def plain() -> Callable[[], object]:
    celpy = importlib.import_module("celpy")
    env = celpy.Environment()
    program, known = env.program(env.compile(TRUE)), celpy.json_to_cel(KNOWN)
    return lambda: bool(program.evaluate(known))


PEERS = {"cel_expr_python": google, "cel": rust, "celpy": plain}


def rules(many: int) -> tuple[Pattern, ...]:
    """Return rules that each look for a service that never speaks."""
    terms = (Term(matchers=(f'service="other-{k}"', 'kind=~"log|alert"')) for k in range(many))
    return tuple(Pattern(f"rule {k}", Span(600), Count(term, 3)) for k, term in enumerate(terms))


def costs(found: Sequence[Pattern]) -> tuple[float, float]:
    """Return the CPU seconds of a signal, and of a frame in which nothing happens."""
    state, signals = PatternState(), [signal(k) for k in range(SIGNALS)]
    notice(state, (), (), found, START)
    began = time.process_time()
    for k in range(0, SIGNALS, EACH):
        notice(state, signals[k : k + EACH], (), found, START + k)
    told = time.process_time() - began
    began = time.process_time()
    for k in range(SIGNALS):
        notice(state, (), (), found, START + SIGNALS + k / SIGNALS)
    return told / SIGNALS, (time.process_time() - began) / SIGNALS


def signal(k: int) -> Signal:
    labels = {"__name__": "cpu_ratio", "service": f"s{k % SERVICES}", "instance": f"i{k % 7}"}
    at = START + k // EACH * EACH
    return Signal(
        f"id-{k}", "metric", labels["service"], "cpu_ratio", labels, "processor", at, at, 7.0, 0.9, 0.3,
        False, "cpu_ratio is 90 %",
    )  # fmt: skip
