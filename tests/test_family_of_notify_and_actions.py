"""What every notifier and every action promises; a new file is held to it the day it lands."""

from __future__ import annotations

import asyncio
import inspect
import textwrap
from types import ModuleType

import msgspec
import pytest
import yaml

from pipeline import config, kinds
from pipeline.actions import Allowed
from pipeline.notify import Notice
from pipeline.respond.playbook import PlaybookStep, Via, span_hook
from pipeline.types import Outcome, Rejected, Retry
from tests.response import Stage, answer

KINDS = [(f, n) for f in ("pipeline.notify", "pipeline.actions") for n in kinds.names(f)]


def module(kind: tuple[str, str]) -> ModuleType:
    return kinds.find(*kind)


def example(kind: tuple[str, str]) -> dict[str, object]:
    """Return the example in the docstring of the kind's Args."""
    doc = inspect.cleandoc(module(kind).Args.__doc__)
    found: dict[str, object] = yaml.safe_load(textwrap.dedent(doc[doc.index("    do: ") :]))
    return found


@pytest.fixture(params=KINDS, ids=lambda k: "/".join(k))
def kind(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


def test_its_args_are_frozen_and_refuse_unknown_keys(kind: tuple[str, str]) -> None:
    settings = module(kind).Args.__struct_config__

    assert settings.frozen
    assert settings.forbid_unknown_fields


def test_it_awaits(kind: tuple[str, str]) -> None:
    deed = module(kind).send if kind[0].endswith("notify") else module(kind).run

    assert inspect.iscoroutinefunction(deed)


def test_the_example_in_its_docstring_works(kind: tuple[str, str]) -> None:
    raw = example(kind)

    assert raw["do"] == kind[1]
    msgspec.convert(raw["args"], module(kind).Args, dec_hook=span_hook)


def test_no_secret_of_its_own_stands_in_yaml(kind: tuple[str, str]) -> None:
    names = [f.name for f in msgspec.structs.fields(module(kind).Args)]

    assert [n for n in names if n in {"password", "token", "bearer", "secret", "api_key"}] == []


def test_a_missing_secret_file_is_refused_and_named(kind: tuple[str, str]) -> None:
    files = [f.name for f in msgspec.structs.fields(module(kind).Args) if f.name.endswith("_file")]
    raw = {**dict(example(kind)["args"]), **dict.fromkeys(files, "/no/such/file")}  # type: ignore[call-overload]
    if not files:
        pytest.skip("has no secrets")

    with pytest.raises(Rejected, match="/no/such/file: No such file or directory"):
        asyncio.run(deed(kind, raw))


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    for kind, raw in (
        (("pipeline.notify", "webhook"), {"url": "http://127.0.0.1:1/"}),
        (("pipeline.notify", "email"), {"to": ["a@example.org"], "smtp": "127.0.0.1:1"}),
        (("pipeline.actions", "http"), {"url": "http://127.0.0.1:1/"}),
    ):
        with pytest.raises(Retry):
            asyncio.run(deed(kind, raw))


async def deed(kind: tuple[str, str], raw: object) -> Outcome | str:
    args = msgspec.convert(raw, module(kind).Args, dec_hook=span_hook)
    if kind[0].endswith("actions"):
        done: Outcome = await module(kind).run(args, "k", Allowed())
        return done
    (page,) = Stage(answer()).page(100)
    said: str = await module(kind).send(args, msgspec.convert(page.args["notice"], Notice), "k")
    return said


def test_what_a_channel_is_given_is_not_printed(kind: tuple[str, str]) -> None:
    if kind[0].endswith("notify"):
        assert "/run/secrets" not in repr(config.parse(example(kind), Via))
    else:
        assert config.parse({**example(kind), "what": "x"}, PlaybookStep).do == kind[1]
