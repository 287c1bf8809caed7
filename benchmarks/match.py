"""What rules cost an alert as they grow: matched, inhibited, silenced; beside plain loops in the same run."""

from __future__ import annotations

import contextlib
import gc
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from pipeline.inhibit import Inhibition, Inhibitor
from pipeline.match import Index, Matcher, Op, matchers
from pipeline.silence import Silence, Silences, conditions
from pipeline.types import Incident, Labels, Signal

T = TypeVar("T")

SEED = 7
RULES = (10, 100, 1_000, 10_000)
ALERTS = 4_000  # different ones
LOOPED = 2_000_000  # matchers that the loop may look at for each line of the table
SHARES = {Op.EQUAL: 0.70, Op.DIFFERENT: 0.10, Op.MATCH: 0.17, Op.NO_MATCH: 0.03}
ON = 2_000  # alerts
QUIET = ("one begins", "is one muted?", "the same, plain loop", "one ends", "is an incident silenced?")
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
    return figures | quieted()


def quieted() -> dict[str, float]:
    """Print what it costs to keep alerts silent, and return it: CPU microseconds."""
    table = Table("rules", *QUIET, title=f"Inhibition of {ON:,} alerts that are on, and silences, CPU time")
    figures: dict[str, float] = {}
    for count in RULES:
        found = inhibited(count) | silenced(count)
        table.add_row(f"{count:,}", *(f"{found[head]:,.2f}" for head in QUIET))
        figures |= {f"{head} at {count} rules": value for head, value in found.items()}
    Console().print(table)
    return figures


def inhibited(count: int) -> dict[str, float]:
    """Every alert is a source of one rule, and half of them targets of another."""
    chance = random.Random(SEED)
    names = min(count, 200)
    rules = tuple(inhibition(k, names) for k in range(count))
    sets = [alert(chance, k) | {"alertname": f"Alert{k % names}"} for k in range(ON)]
    inhibitor = Inhibitor()
    inhibitor.adopt(rules)
    for k, labels in enumerate(sets):  # once, so that the labels which rules look at have been seen
        inhibitor.begin(str(k), str(k), labels)
        inhibitor.end(str(k), str(k))
    gc.collect()
    gc.freeze()  # as the server does: the rules are not garbage
    began = time.process_time()
    for k, labels in enumerate(sets):
        inhibitor.begin(str(k), str(k), labels)
    begin = time.process_time() - began
    began = time.process_time()
    held = [inhibitor.held(str(k)) is not None for k in range(ON)]
    ask = time.process_time() - began
    few = range(0, ON, max(1, ON * count * ON // LOOPED))
    began = time.process_time()
    muted = [mutes(rules, sets, sets[k]) for k in few]
    loop = (time.process_time() - began) / len(few)
    if [held[k] for k in few] != muted:
        raise AssertionError("the inhibitor and the plain loop differ")
    began = time.process_time()
    for k in range(ON):
        inhibitor.end(str(k), str(k))
    end = time.process_time() - began
    return dict(zip(QUIET, (1e6 * begin / ON, 1e6 * ask / ON, 1e6 * loop, 1e6 * end / ON), strict=False))


def inhibition(k: int, names: int) -> Inhibition:
    """Return a rule for alerts of one name, which mute another in the same place; past `names`, elsewhere."""
    here = (f'cluster="elsewhere-{k // names}"',) if k >= names else ()
    other = f'alertname=~"Alert({(k + 1) % names}|{(k + 1) % names}x)"'
    target = (other, 'severity=~"warning|info"', *here)
    return Inhibition(f"rule {k}", (f'alertname="Alert{k % names}"', *here), target, ("cluster", "region"))


def mutes(rules: Sequence[Inhibition], on: Sequence[Labels], target: Labels) -> bool:
    """Try each rule, then each alert that is on, as Alertmanager 0.25 does but for its cache of sources."""
    for rule in rules:
        if not all(m(target) for text in rule.target_matchers for m in matchers(text)):
            continue
        for source in on:
            same = all(source.get(name, "") == target.get(name, "") for name in rule.equal)
            if same and all(m(source) for text in rule.source_matchers for m in matchers(text)):
                return True
    return False


def silenced(count: int) -> dict[str, float]:
    chance = random.Random(SEED)
    silences = Silences()
    for k in range(count):
        asked = {"match": ", ".join(map(str, rule(chance)))}
        with contextlib.suppress(ValueError):  # such as would match everything
            conditions(asked)
            silences.add(Silence(str(k), "ann", 1e12, asked), 0.0)
    given = [incident(alert(chance, k), k) for k in range(1_000)]
    silences.covering(given[0], 0.0)
    return {QUIET[4]: min(1e6 * cost(lambda i: silences.covering(i, 0.0), given) for _ in range(5))}


def incident(labels: Labels, k: int) -> Incident:
    """Return an incident of one alert."""
    nan = float("nan")
    spoken = Signal(
        str(k), "alert", labels["service"], "", labels, "", 0.0, 0.0, 10.0, nan, nan, page=True, reason=""
    )
    return Incident(str(k % 50), 0.0, 0.0, "", "P3", (labels["service"],), (spoken,))


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


def cost(find: Callable[[T], object], alerts: Sequence[T]) -> float:
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
