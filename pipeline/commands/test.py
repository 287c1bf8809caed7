"""`forewarn test`: the `tests:` inside rules and playbooks, run as promtool runs rule tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import msgspec

from pipeline import config, plain, rehearse
from pipeline.config import Invalid, Rules
from pipeline.respond import Playbook

RULES = {field.encode_name for field in msgspec.structs.fields(Rules)}


@click.command()
@click.argument("files", type=click.Path(exists=True, dir_okay=False, path_type=Path), nargs=-1)
def command(files: Sequence[Path]) -> None:
    """Run the tests inside FILES, rules or playbooks; without any, inside all that `forewarn run` uses."""
    held = [told(file) for file in files or used()]
    sys.exit(not all(held))


def told(file: Path) -> bool:
    """Run and print the tests of one file; say whether all hold."""
    click.echo(f"Unit Testing:  {file}")
    tests = failed = 0
    for name, wrong in run(file):
        tests += 1
        if wrong:
            failed += 1
            click.echo(f"  FAILED:\n    name: {name}")
            click.echo("".join(f"    {line}\n" for one in wrong for line in one.splitlines()), nl=False)
    if failed:
        click.echo(f"  {failed} of {tests} tests failed")
    else:
        click.echo(f"  SUCCESS: {tests} tests" if tests else "  no tests")
    return not failed


def run(file: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the name of each test in a file and what is wrong; the file itself may be."""
    try:
        if _keys(file) & {"steps", "when", "mode"}:
            yield from rehearse.playbook(config.read(file, Playbook))
        else:
            yield from rehearse.rules(config.read(file, Rules))
    except Invalid as error:
        yield "the file", error.errors
    except ValueError as error:
        yield "the file", [str(error)]


def used() -> Sequence[Path]:
    """Return every rule and playbook file that `forewarn run` would use here."""
    try:
        found = config.load(config.default())
    except Invalid as invalid:
        raise click.ClickException(str(invalid)) from invalid
    return [f for f in found.files if _keys(f) & {"steps", *RULES}]


def _keys(file: Path) -> set[str]:
    try:
        found = plain.read(file)
    except Invalid:
        return set()
    return set(found) if isinstance(found, dict) else set()
