"""How a service stands, as a sentence that a desk may say to a caller, in the caller's language."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.complaints import languages
from pipeline.console.standing import Now, Standing
from pipeline.topology import Topology
from pipeline.types import Incident, Seconds

SENTENCES = {
    "en": {
        Now.INVESTIGATING: "{service}: we noticed a disturbance at {since} and are looking for its cause.",
        Now.IDENTIFIED: "{service}: we know of the disturbance since {since} and are working on it.",
        Now.RECOVERING: "{service}: what was disturbed since {since} looks well again; we keep watching.",
    },
    "zh": {
        Now.INVESTIGATING: "{service}: 我们在{since}发现异常, 正在查找原因。",
        Now.IDENTIFIED: "{service}: 我们已知晓{since}开始的故障, 正在处理。",
        Now.RECOVERING: "{service}: {since}开始的故障已基本恢复, 我们仍在观察。",
    },
}


def language(said: str, text: str) -> str:
    """Return the language that was said, else the one that the text is written in.

    >>> language("", "付款失败"), language("", "payment fails"), language("zh-CN", "")
    ('zh', 'en', 'zh-CN')
    """
    return languages.language(text, said) or "en"


def sentence(standing: Standing, topology: Topology, lang: str) -> str:
    """Say how a service with an open incident stands; English for a language that has no words here."""
    words = SENTENCES.get(lang.partition("-")[0], SENTENCES["en"])
    return words[standing.state].format(
        service=_titled(standing.service, topology), since=_clock(standing.since)
    )


def was(incident: Incident, topology: Topology) -> str:
    """Say what a disturbance that is over was."""
    touched = ", ".join(_titled(s, topology) for s in incident.services[:3])
    begun = incident.opened if incident.first_signal is None else incident.first_signal
    return f"It was a disturbance of {touched}, from {_day(begun)} to {_day(incident.resolved)}; it is over."


def _titled(service: str, topology: Topology) -> str:
    known = topology.services.get(service)
    return (known.title if known else "") or service


def _clock(at: Seconds | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%H:%M UTC")


def _day(at: Seconds | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%-d %b %H:%M UTC")
