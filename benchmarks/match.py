"""What finding all rules that match an alert costs as rules grow, beside the plain loop in the same run."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from pipeline.match import Index, Matcher, Op

SEED = 7
RULES = (10, 100, 1_000, 10_000)
ALERTS = 4_000  # different ones
LOOPED = 2_000_000  # matchers that the loop may look at for each line of the table
SHARES = {Op.EQUAL: 0.70, Op.DIFFERENT: 0.10, Op.MATCH: 0.17, Op.NO_MATCH: 0.03}
HEADS = ("rules", "rules an alert matches", "hot, us", "values new, us", "plain loop, us", "build, ms")


def run() -> dict[str, float]:
    """Print the table, and return every figure in it: CPU microseconds an alert."""
    table = Table(*HEADS, title="All rules that match an alert of 8 labels, CPU time")
    figures: dict[str, float] = {}
    for count in RULES:
        found = measured(count)
        table.add_row(f"{count:,}", *(f"{found[head]:,.2f}" for head in HEADS[1:]))
        figures |= {f"{head} at {count} rules": value for head, value in found.items()}
    Console().print(table)
    return figures


def measured(count: int) -> dict[str, float]:
    """Return one line of the table."""
    chance = random.Random(SEED)
    rules = [rule(chance) for _ in range(count)]
    alerts = [alert(chance, k) for k in range(ALERTS)]
    new = [{name: f"{value}-{k}" for name, value in a.items()} for k, a in enumerate(alerts)]
    began = time.process_time()
    index = Index(rules)
    built = time.process_time() - began
    few = alerts[: max(20, min(ALERTS, LOOPED // (3 * count)))]
    looped(rules, alerts[0])
    loop = cost(lambda labels: looped(rules, labels), few)
    cold = cost(index.find, new)
    matched = sum(len(index.find(a)) for a in alerts) / ALERTS
    hot = min(cost(index.find, alerts) for _ in range(5))
    if [index.find(a) for a in few] != [looped(rules, a) for a in few]:
        raise AssertionError("the index and the plain loop differ")
    return dict(zip(HEADS[1:], (matched, 1e6 * hot, 1e6 * cold, 1e6 * loop, 1e3 * built), strict=True))


def looped(rules: Sequence[Sequence[Matcher]], labels: Mapping[str, str]) -> tuple[int, ...]:
    """Try each rule, up to its first matcher that does not hold; regexes are compiled beforehand."""
    found = []
    for k, asked in enumerate(rules):
        for matcher in asked:
            if not matcher(labels):
                break
        else:
            found.append(k)
    return tuple(found)


def cost(find: Callable[[Mapping[str, str]], object], alerts: Sequence[Mapping[str, str]]) -> float:
    """Return CPU seconds an alert."""
    began = time.process_time()
    for labels in alerts:
        find(labels)
    return (time.process_time() - began) / len(alerts)


def alert(chance: random.Random, k: int) -> dict[str, str]:
    return {
        "alertname": f"Alert{chance.randrange(200)}",
        "service": f"service-{chance.randrange(300)}",
        "severity": chance.choice(("critical", "warning", "info", "page")),
        "env": chance.choice(("prod", "stage", "test")),
        "cluster": f"cluster-{chance.randrange(20)}",
        "team": f"team-{chance.randrange(40)}",
        "region": chance.choice(("eu-1", "eu-2", "us-1", "us-2")),
        "instance": f"10.0.{k // 250}.{k % 250}:9100",
    }


def rule(chance: random.Random) -> list[Matcher]:
    """Return a rule of two or three matchers, of the kinds that people write: SHARES."""
    asked = chance.sample(
        ("alertname", "service", "severity", "env", "cluster", "team", "region"), chance.choice((2, 3))
    )
    values = alert(chance, 0)
    kinds = chance.choices(list(SHARES), list(SHARES.values()), k=len(asked))
    return [Matcher(name, op, value(chance, op, values[name])) for name, op in zip(asked, kinds, strict=True)]


def value(chance: random.Random, op: Op, one: str) -> str:
    """Return what a matcher asks: a value; or a list, a beginning, an end or digits as a regex."""
    if op in (Op.EQUAL, Op.DIFFERENT):
        return one
    return chance.choice((f"{one}|{one}0|{one}1", f"{one[:-1]}.*", f".*{one[-2:]}", f"{one[:3]}.*[0-9]+"))
