"""A notice to an email over SMTP: plain text and HTML, one thread an incident."""

from __future__ import annotations

from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import aiosmtplib
import msgspec

from pipeline.notify import Notice, secret
from pipeline.notify._letter import Letter, write
from pipeline.types import Rejected, Retry


class Args(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """SMTP (RFC 5321) with STARTTLS (RFC 3207); the message as RFC 5322 and MIME have it.

    Message-ID is made from the action's key, so a repeat is known as such, and every mail of one incident
    refers to its first, so that they show as one thread. 4xx answers and broken connections are tried
    again, 5xx are final. What is lost when it fails for good: this notice; the timeline says so and the
    next rung of the escalation is climbed at once.

        do: email
        args:
          to: [oncall@example.org]
          sender: forewarn@example.org
          smtp: mail.example.org:587
          tls: starttls
          username: forewarn
          password_file: /run/secrets/smtp
          timezone: Europe/Paris
    """

    to: tuple[str, ...]
    sender: str = "forewarn@localhost"
    smtp: str = "127.0.0.1:25"
    tls: Literal["none", "starttls", "tls"] = "none"
    username: str = ""
    password_file: str = ""
    timezone: str = "UTC"  # in which its times are written

    def __post_init__(self) -> None:
        for address in (*self.to, self.sender):
            if "@" not in address or any(c in address for c in "\r\n,<> "):
                raise ValueError(f'to: expected an address such as oncall@example.org, got "{address}"')
        if not self.to:
            raise ValueError("to: expected at least one address")
        if not self.smtp.rpartition(":")[2].isdigit():
            raise ValueError(f'smtp: expected host:port, got "{self.smtp}"')
        if self.username and self.tls == "none":
            raise ValueError(
                "tls: expected starttls or tls where there is a username: a password would go in clear"
            )
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f'timezone: no time zone "{self.timezone}"') from error


async def send(args: Args, notice: Notice, key: str) -> str:
    host, _, port = args.smtp.rpartition(":")
    try:
        refused, said = await aiosmtplib.send(
            compose(args, notice, key),
            hostname=host.strip("[]"),
            port=int(port),
            start_tls=args.tls == "starttls",
            use_tls=args.tls == "tls",
            username=args.username or None,
            password=secret(args.password_file) if args.password_file else None,
            timeout=None,  # the caller sets the limit
        )
    except aiosmtplib.SMTPResponseException as error:
        raise _reason(error.code, error.message) from error
    except aiosmtplib.SMTPRecipientsRefused as error:
        worst = max(r.code for r in error.recipients)
        raise _reason(worst, "; ".join(f"{r.recipient}: {r.message}" for r in error.recipients)) from error
    except (aiosmtplib.SMTPException, OSError) as error:
        raise Retry(0.0, f"email: {args.smtp}: {type(error).__name__}: {error}") from error
    if refused:
        return f"email taken, but not for {', '.join(sorted(refused))}"
    return f"email taken: {said}"


def compose(args: Args, notice: Notice, key: str) -> EmailMessage:
    """Return the message; the same key and notice give the same bytes but for the MIME boundary."""
    letter = write(notice, ZoneInfo(args.timezone))
    first = _id(notice.incident or notice.complaint or key, args.sender)
    mail = EmailMessage()
    mail["From"] = args.sender
    mail["To"] = ", ".join(args.to)
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = _id(key, args.sender)
    mail["In-Reply-To"] = first
    mail["References"] = first
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers this
    mail["X-Forewarn-Incident"] = notice.incident
    _importance(mail, notice)
    _body(mail, letter)
    return mail


def _importance(mail: EmailMessage, notice: Notice) -> None:
    if notice.priority == "P1" and notice.state != "resolved":
        mail["Importance"] = "high"


def _body(mail: EmailMessage, letter: Letter) -> None:
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")


def _id(key: str, sender: str) -> str:
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


def _reason(code: int, said: str) -> Retry | Rejected:
    words = f"email: {code} {said}"
    return Retry(0.0, words) if 400 <= code < 500 else Rejected(words)
