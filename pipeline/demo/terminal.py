"""The demo as a terminal shows it: a live table, or plain lines where there is no terminal."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from pipeline.demo.desk import since
from pipeline.demo.show import WARM_UP, Show, Trial

COLUMNS = ("fault", "detected", "paged", "first suspect", "healed", "recovered", "lead time")


async def watch(show: Show, links: str) -> None:
    """Show how it stands until cancelled."""
    console = Console()
    if console.is_terminal:
        await live(console, show, links)
    else:
        await plain(show, links)


async def live(console: Console, show: Show, links: str) -> None:
    with Live(console=console, refresh_per_second=2, transient=False) as screen:
        while True:
            screen.update(Group(Text(links), Text(""), Text(status(show), style="bold"), table(show)))
            await asyncio.sleep(0.5)


async def plain(show: Show, links: str) -> None:
    """Print a line whenever something is known that was not."""
    print(links, flush=True)
    said: set[tuple[float, str]] = set()
    before = ""
    while True:
        now = status(show).split(" (")[0]
        fresh = [now] if now != before else []
        before = now
        for trial in list(show.trials):
            for what, line in told(trial).items():
                if (trial.put_in, what) not in said:
                    said.add((trial.put_in, what))
                    fresh.append(f"{trial.fault.name}: {line}")
        for line in fresh:
            print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
        await asyncio.sleep(0.5)


def status(show: Show) -> str:
    now = time.time()
    if show.phase == "warming up":
        return f"warming up ({min(now - show.began, WARM_UP):.0f}/{WARM_UP:.0f} s: learning what is normal)"
    if show.phase == "calm" and show.next_at:
        return f"calm (next fault in {max(0.0, show.next_at - now):.0f} s, or click one)"
    return show.phase if show.phase in ("starting", "calm") else f"fault: {show.phase}"


def table(show: Show) -> Table:
    found = Table(*COLUMNS, box=None, pad_edge=False, header_style="dim")
    for trial in list(show.trials)[-8:]:
        found.add_row(*row(trial))
    return found


def row(trial: Trial) -> tuple[str, ...]:
    """Return what is known of a trial, a cell for each of COLUMNS; spans count from when it was put in."""
    m = trial.measured
    mark = {True: " (right)", False: " (wrong)", None: ""}[trial.right]
    return (
        trial.fault.title,
        span(since(trial.put_in, m.detected)),
        span(since(trial.put_in, m.paged)),
        (m.change or m.suspect or "-") + mark,
        f"{span(since(trial.put_in, trial.gone))} by {trial.gone_by}" if trial.gone else "-",
        span(since(trial.put_in, m.recovered)),
        "-" if m.lead is None else f"{m.lead:+.0f} s",
    )


def told(trial: Trial) -> dict[str, str]:
    """Return what is known of a trial as sentences; a key is news once, and so is each first suspect."""
    m = trial.measured
    found = {"put in": f"put in: {trial.fault.what}"}
    if m.detected:
        found["detected"] = f"detected after {span(since(trial.put_in, m.detected))}, incident {m.incident}"
    if m.paged:
        found["paged"] = f"paged after {span(since(trial.put_in, m.paged))}: {m.title}"
    if m.suspect:
        mark = "right" if trial.right else "wrong"
        found[f"{m.suspect} {m.change}"] = f"first suspect {m.change or m.suspect} ({mark})"
    if trial.gone:
        found["gone"] = f"taken out by {trial.gone_by} after {span(since(trial.put_in, trial.gone))}"
    if m.lead is not None:
        found["lead"] = f"lead time {m.lead:+.0f} s: the page beside the first complaint"
    if m.recovered:
        found["recovered"] = f"recovered after {span(since(trial.put_in, m.recovered))}"
    return found


def span(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"
