"""What playbooks/*.yaml and the `response:` section of forewarn.yaml may say, checked as they are read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from pipeline import clock, kinds
from pipeline.clock import Span
from pipeline.oncall import Rung, Target
from pipeline.respond import template

Mode: TypeAlias = Literal["auto", "approve", "dry_run"]


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which incidents a playbook fits; all that is said must hold, and what is left out is not asked."""

    service: str = ""  # regex on the whole name of the suspected service
    suspect: Literal["", "change", "service"] = ""  # what the first suspect must be
    change: tuple[str, ...] = ()  # kinds the suspected change may have: deploy, config, flag ...
    priority: tuple[str, ...] = ()  # P1 to P4
    # Kinds; one signal that is on, of the suspected service itself, must fit both this and `series`.
    signal: tuple[str, ...] = ()
    series: str = ""  # regex found anywhere in a signal's series
    paged: bool = True  # False: heal also what is still below the page bar


class Wait(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Until signals have ended. Complaints do not count: they tell of the past for a while yet."""

    of: Literal["service", "incident"] = "service"  # whose signals; those of the incident where it has none
    hold: Span = Span(0)  # how long it must then stay calm
    within: Span = Span(300)  # past this the wait has failed

    def __post_init__(self) -> None:
        if self.hold >= self.within:
            raise ValueError(f"hold: expected less than within, got {self.hold:g} s and {self.within:g} s")


class Undo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a step is taken back; `do: nothing` says in `what` why nothing needs to be."""

    do: str
    what: str
    args: Mapping[str, Any] = {}
    timeout: Span = Span(30)


class PlaybookStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do: `http`, `process` or another file of actions/, or `wait`."""

    do: str
    what: str  # one sentence, may hold {fields}
    args: Mapping[str, Any] = {}
    timeout: Span = Span(30)
    undo: Undo | None = None


class BlastRadius(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much one playbook may touch within an hour, over all incidents."""

    services: int = 1  # different services
    runs_per_hour: int = 2


class Approval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may say yes, and until when; silence is a no."""

    expires: Span = Span(900)
    by: tuple[str, ...] = ()  # names; () = anybody who gives one


class GivenSuspect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    service: str
    change: str = ""  # id of the change
    kind: str = ""  # of the change


class GivenSignal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    series: str
    service: str = ""
    kind: str = "metric"


class Given(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The incident of a test."""

    suspects: tuple[GivenSuspect, ...] = ()
    signals: tuple[GivenSignal, ...] = ()
    priority: str = "P2"
    paged: bool = True


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    what: str
    args: Mapping[str, Any] = {}  # those named must be equal


class PlaybookTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An incident, and every action that must follow where each succeeds; none = the playbook stays quiet."""

    name: str
    given: Given
    then: tuple[Expected, ...] = ()


class Playbook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One playbooks/*.yaml file."""

    name: str
    what: str = ""  # what it is for, one sentence
    when: When = When()
    mode: Mode = "approve"
    blast_radius: BlastRadius | None = None
    cooldown: Span | None = None  # between two runs on one service
    approval: Approval = Approval()
    steps: tuple[PlaybookStep, ...] = ()
    verify: Wait | None = None  # after the last step; failed = undone
    tests: tuple[PlaybookTest, ...] = ()

    def __post_init__(self) -> None:
        wrong = next(_wrong(self), None)
        if wrong:
            raise ValueError(wrong)


class Via(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way to reach a receiver: a file of notify/ and its args."""

    do: str
    args: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        wrong = next(_wrong_args("pipeline.notify", self.do, self.args, "", ()), None)
        if wrong:
            raise ValueError(wrong)

    def __repr__(self) -> str:  # args may hold a password that ${ENV} brought in
        return f"Via({self.do!r})"


class Receiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a team, and every way they are told at once."""

    name: str
    via: tuple[Via, ...]


class Response(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is told and what heals."""

    receivers: tuple[Receiver, ...] = ()
    receiver: str = ""  # who is told first; "" = nobody
    escalation: tuple[Rung, ...] = ()  # whom next, when nobody acknowledged in time
    targets: Mapping[str, Target] = {}  # by priority
    executables: tuple[str, ...] = ()  # absolute paths that `process` steps may run; () = none
    playbooks: tuple[Playbook, ...] = ()

    def __post_init__(self) -> None:
        names = [r.name for r in self.receivers]
        for key, name in [
            ("receiver", self.receiver),
            *(("escalation", r.receiver) for r in self.escalation),
        ]:
            if name and name not in names:
                raise ValueError(f'{key}: no receiver "{name}"{kinds.nearest(name, names)}')
        if len(set(names)) < len(names):
            raise ValueError("receivers: two have the same name")
        after = [r.after for r in self.escalation]
        if after != sorted(after):
            raise ValueError(
                "escalation: expected `after` to grow from rung to rung; it counts from the page"
            )


def forbidden(response: Response) -> Iterator[str]:
    """Yield each program that a playbook would run and forewarn.yaml does not list, as 'key: sentence'."""
    for book in response.playbooks:
        for k, step in enumerate(book.steps):
            for key, one in ((f"steps[{k}]", step), (f"steps[{k}].undo", step.undo)):
                argv = one.args.get("argv") if one and one.do == "process" else None
                if argv and argv[0] not in response.executables and book.mode != "dry_run":
                    where = f"playbook {book.name}: {key}.args.argv"
                    yield f"{where}: {argv[0]} is not listed in response.executables"


def _wrong(book: Playbook) -> Iterator[str]:
    """Yield what is wrong with a playbook, each as 'key: sentence'."""
    if not book.steps:
        yield "steps: expected at least one"
    for key in ("service", "series"):
        yield from _wrong_regex(f"when.{key}", getattr(book.when, key))
    for k, step in enumerate(book.steps):
        yield from _wrong_step(f"steps[{k}]", step, ("wait",))
        if step.undo:
            yield from _wrong_step(f"steps[{k}].undo", step.undo, ("nothing",))
    if book.mode == "auto":
        yield from _wrong_auto(book)


def _wrong_auto(book: Playbook) -> Iterator[str]:
    """Yield what `auto` lacks: nobody looks before it acts, so it must bound and mend itself."""
    why = "a playbook that runs by itself must declare it, or be `mode: approve`"
    for key in ("blast_radius", "cooldown", "verify"):
        if getattr(book, key) is None:
            yield f"{key}: missing under `mode: auto`; {why}"
    for k, step in enumerate(book.steps):
        if step.undo is None and step.do != "wait":
            yield f"steps[{k}].undo: missing under `mode: auto`; {why} (`do: nothing` where nothing needs it)"


def _wrong_step(key: str, step: PlaybookStep | Undo, pure: tuple[str, ...]) -> Iterator[str]:
    yield from _wrong_args("pipeline.actions", step.do, step.args, key + ".", pure)
    yield from template.wrong(f"{key}.what", step.what)
    yield from template.wrong(f"{key}.args", step.args)


def _wrong_args(
    family: str, do: str, args: Mapping[str, Any], key: str, pure: tuple[str, ...]
) -> Iterator[str]:
    """Yield what is wrong with the args of one kind of step or notifier."""
    known = [*kinds.names(family), *pure]
    if do not in known:
        yield f'{key}do: no kind "{do}"{kinds.nearest(do, known)}'
        return
    if do == "nothing":
        return
    into = Wait if do == "wait" else kinds.args_of(family, do)
    fields = [f.encode_name for f in msgspec.structs.fields(into)]
    for name in args:
        if name not in fields:
            yield f"{key}args.{name}: unknown key{kinds.nearest(name, fields)}"
            return
    try:
        msgspec.convert(args, into, dec_hook=span_hook)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        yield f"{key}args{place.rstrip('`')}: {text[0].lower()}{text[1:]}"


def _wrong_regex(key: str, pattern: str) -> Iterator[str]:
    try:
        re.compile(pattern)
    except re.error as error:
        yield f'{key}: not a regular expression: "{pattern}": {error}'


def span_hook(kind: type, raw: Any) -> Any:
    """Read a Span where msgspec meets one."""
    if kind is Span and isinstance(raw, str):
        return clock.span(raw)
    raise ValueError(f'expected a duration such as "30s" or "5m", got {raw!r}')
