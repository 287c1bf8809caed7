"""F1 of the shipped detector and its peers on the series of the AIOps challenge of 2018."""

from __future__ import annotations

from benchmarks import _fed, _kpi, peers
from detectors import seasonal
from pipeline import kinds
from pipeline.commands.detect import shipped

SLOW = ("half_space_trees",)  # 60 us a sample: on every fourth series, beside ours on the same
FOURTH = slice(None, None, 4)


def run() -> dict[str, float]:
    """Print the table and return its figures; nothing where the labelled series are not."""
    if not _kpi.DATA.is_dir():
        print("left out: the labelled series are not at ../shared/data/kpi_dev")
        return {}
    series = _kpi.corpus()
    lines = [_fed.Line(s.time, s.value) for s in series]
    points = sum(len(s.value) for s in series)
    print(f"{len(series)} series, {points:,} points; one threshold for all, from the first halves")
    heads = ("threshold", "delay F1", "event F1", "best delay F1", "CPU us a sample")
    print(f"{'':<22}" + "".join(f"{head:>16}" for head in heads))
    ours = _fed.feed(shipped(), lines, "forewarn")
    found = _row("forewarn", series, ours)
    found |= _row("seasonal", series, _fed.feed(seasonal.build(seasonal.Args()), lines, "seasonal"))
    for peer in kinds.names(peers.__name__):
        if peer not in SLOW:
            found |= _row(peer, series, _fed.ask(peer, lines))
    some = series[FOURTH]
    print(f"of these {len(some)} series only:")
    found |= _row("forewarn_of_some", some, _fed.Scored(ours.score[FOURTH], ours.seconds))
    for peer in SLOW:
        found |= _row(peer, some, _fed.ask(peer, lines[FOURTH]))
    return found


def _row(who: str, series: list[_kpi.Labelled], scored: _fed.Scored) -> dict[str, float]:
    judged = _kpi.judge(series, scored.score)
    cells = f"{judged.threshold:>16.3g}{judged.delay_f1:>16.3f}{judged.event_f1:>16.3f}"
    print(f"{who:<22}{cells}{judged.best_delay_f1:>16.3f}{scored.seconds * 1e6:>16.2f}", flush=True)
    found = {f"{who}_{name}": float(figure) for name, figure in judged._asdict().items()}
    return found | {f"{who}_us_a_sample": scored.seconds * 1e6}
