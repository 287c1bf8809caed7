"""The command line: `forewarn COMMAND`, one file of pipeline/commands/ a command."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from pathlib import Path

import click

from pipeline import kinds

FAMILY = "pipeline.commands"
# Products of arrays this small only wait for each other's threads: four times the CPU time on a busy machine.
# Read when numpy is imported; whoever sets one keeps it.
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


class _Commands(click.Group):
    """Finds commands by file name, and imports only the one that runs: `forewarn --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return kinds.names(FAMILY)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in kinds.names(FAMILY):
            return None
        command: click.Command = importlib.import_module(f"{FAMILY}.{name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, told(name)) for name in self.list_commands(ctx)])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in kinds.names(FAMILY):
            ctx.fail(f'no command "{args[0]}"{kinds.nearest(args[0], kinds.names(FAMILY))}')
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="forewarn", prog_name="forewarn")
def cli() -> None:
    """Forewarn hears metrics, logs, alerts, changes and complaints, and pages before the customer calls."""


def told(name: str) -> str:
    """Return the first sentence that a command says of itself, read without importing it.

    >>> told("check")
    'Check FILE, a forewarn.yaml, with the rules and playbooks it names.'
    """
    found = ast.parse((Path(__file__).parent / "commands" / f"{name}.py").read_text(encoding="utf-8"))
    said = [
        ast.get_docstring(n) for n in found.body if isinstance(n, ast.FunctionDef) and n.name == "command"
    ]
    return " ".join((said[0] or "").partition("\n\n")[0].split()) if said else ""


def main() -> None:
    """Run the command that was asked for; a disk that is full or a file that is not there is one line."""
    for name in ONE_THREAD:
        os.environ.setdefault(name, "1")
    try:
        cli(prog_name="forewarn")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {where}{error.strerror or error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
