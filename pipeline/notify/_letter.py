"""A notice to words: subject, plain text and HTML, for somebody who was asleep a minute ago."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from pipeline.notify import Blamed, Healing, Notice, Seen
from pipeline.types import Seconds

MAX_SUBJECT = 140


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str
    at: datetime


@dataclass(frozen=True)
class _Part:
    """A heading and its lines; the first line is the one that matters."""

    head: str
    lines: tuple[str, ...]


def write(notice: Notice, zone: tzinfo) -> Letter:
    parts = [p for p in _parts(notice, zone) if p.lines]
    return Letter(
        _subject(notice), _text(notice, parts), _html(notice, parts), datetime.fromtimestamp(notice.at, zone)
    )


def _subject(notice: Notice) -> str:
    words = f"[{notice.priority or notice.complaint}] {notice.title}"
    lead = {"resolved": "Resolved: ", "escalated": "Unanswered: ", "approval wanted": "Approve? "}.get(
        notice.reason, ""
    )
    cut = " ".join((lead + words).split())
    return cut if len(cut) <= MAX_SUBJECT else cut[: MAX_SUBJECT - 1] + "…"


def _parts(notice: Notice, zone: tzinfo) -> list[_Part]:
    return [
        _Part("Why you are told", (notice.because,) if notice.because else ()),
        _Part("When", _when(notice, zone)),
        _Part("What is wrong", _wrong(notice, zone)),
        _Part("First suspect", _suspects(notice, zone)),
        _Part("Customers", _customers(notice, zone)),
        _Part("Healing", tuple(line for h in notice.healing for line in _healing(h, zone))),
        _Part("If you do nothing", _next(notice, zone)),
    ]


def _when(notice: Notice, zone: tzinfo) -> tuple[str, ...]:
    if notice.resolved is not None:
        return (
            f"Over since {_clock(notice.resolved, zone)}, after {_span(notice.resolved - notice.since)}; "
            f"it began at {_clock(notice.since, zone)}.",
        )
    return (f"Since {_clock(notice.since, zone)}, {_span(notice.at - notice.since)} ago.",)


def _wrong(notice: Notice, zone: tzinfo) -> tuple[str, ...]:
    lines = [_seen(s, zone) for s in notice.signals]
    if notice.more_signals:
        lines.append(f"and {notice.more_signals} more signals.")
    return tuple(lines)


def _seen(seen: Seen, zone: tzinfo) -> str:
    where = f"{seen.service}: " if seen.service and not seen.reason.startswith(seen.service) else ""
    over = f" (over since {_clock(seen.ended, zone)})" if seen.ended is not None else ""
    return f"{where}{seen.reason}{over}"


def _suspects(notice: Notice, zone: tzinfo) -> tuple[str, ...]:
    return tuple(_blamed(k, s, zone) for k, s in enumerate(notice.suspects))


def _blamed(k: int, blamed: Blamed, zone: tzinfo) -> str:
    at = f", {_clock(blamed.changed, zone)}" if blamed.changed is not None else ""
    change = f" ({blamed.change}{at})" if blamed.change else ""
    return f"{'' if k == 0 else 'then '}{blamed.service}: {blamed.reason}{change}"


def _customers(notice: Notice, zone: tzinfo) -> tuple[str, ...]:
    lines = []
    if notice.customers:
        more = f" and {notice.more_customers} more" if notice.more_customers else ""
        lines.append(
            f"{len(notice.customers) + notice.more_customers} affected: {', '.join(notice.customers)}{more}."
        )
    if notice.complaints and notice.first_complaint is not None:
        word = "complaint" if notice.complaints == 1 else "complaints"
        lines.append(f"{notice.complaints} {word}, the first at {_clock(notice.first_complaint, zone)}.")
    elif notice.state != "resolved" and not notice.complaints:
        lines.append("No customer has complained yet.")
    return tuple(lines)


def _healing(healing: Healing, zone: tzinfo) -> tuple[str, ...]:
    lines = [f"Playbook {healing.playbook}: {healing.said}"]
    if healing.state == "wants approval":
        until = f" until {_clock(healing.expires, zone)}" if healing.expires is not None else ""
        lines[0] = f"Playbook {healing.playbook} waits for your yes{until}. It would:"
        lines += [f"{k}. {what}" for k, what in enumerate(healing.steps, 1)]
    return tuple(lines)


def _next(notice: Notice, zone: tzinfo) -> tuple[str, ...]:
    if notice.next_at is None:
        return ()
    return (
        f"{notice.next_receiver} is told at {_clock(notice.next_at, zone)}, unless somebody acknowledges.",
    )


def _text(notice: Notice, parts: list[_Part]) -> str:
    head = f"{notice.priority}  {notice.title}\n".lstrip()
    link = f"\n{notice.url}\n" if notice.url else ""
    body = "\n".join(f"{p.head}\n" + "".join(f"  {line}\n" for line in p.lines) for p in parts)
    return f"{head}{link}\n{body}\n{_about(notice)}\n"


def _html(notice: Notice, parts: list[_Part]) -> str:
    over = notice.state == "resolved"
    colour = "#1a7f4b" if over else {"P1": "#b3261e", "P2": "#b3261e"}.get(notice.priority, "#8a5a00")
    side = "padding:10px 12px 0 0;color:#57606a;vertical-align:top;white-space:nowrap"
    rows = "".join(
        f'<tr><td style="{side}">{escape(p.head)}</td>'
        f'<td style="padding-top:10px">{"<br>".join(escape(line) for line in p.lines)}</td></tr>'
        for p in parts
    )
    label = "Open the incident" if notice.incident else "Open"
    button = (
        f'<p><a href="{escape(notice.url)}" style="background:{colour};color:#fff;padding:10px 18px;'
        f'border-radius:6px;text-decoration:none;display:inline-block">{label}</a></p>'
        if notice.url
        else ""
    )
    return (
        '<!doctype html><html><body style="font:15px/1.5 system-ui,sans-serif;color:#1f2328;max-width:720px">'
        f'<h2 style="margin:0 0 8px;color:{colour}">{escape(notice.priority)} · {escape(notice.title)}</h2>'
        f"{button}<table>{rows}</table>"
        f'<p style="color:#57606a">{escape(_about(notice))}</p></body></html>'
    )


def _about(notice: Notice) -> str:
    """Return what it is about, for whoever searches the mails."""
    if notice.incident:
        return f"Incident {notice.incident}"
    return f"Complaint {notice.complaint}" if notice.complaint and notice.complaints < 2 else "Complaints"


def _clock(at: Seconds | None, zone: tzinfo) -> str:
    return datetime.fromtimestamp(at or 0.0, zone).strftime("%a %H:%M:%S %Z")


def _span(seconds: Seconds) -> str:
    """Return a span as one or two units.

    >>> _span(42.4), _span(190), _span(7300)
    ('42 s', '3 min', '2 h 2 min')
    """
    if seconds < 90:
        return f"{max(seconds, 0):.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds // 3600:.0f} h {seconds % 3600 / 60:.0f} min"
