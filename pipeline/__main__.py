"""The command line: `forewarn COMMAND`, one file of pipeline/commands/ a command."""

from __future__ import annotations

import importlib

import click

from pipeline import kinds

FAMILY = "pipeline.commands"


class _Commands(click.Group):
    """Finds commands by file name, and imports only the one that runs: `forewarn --help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return kinds.names(FAMILY)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in kinds.names(FAMILY):
            return None
        command: click.Command = importlib.import_module(f"{FAMILY}.{name}").command
        return command

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


def main() -> None:
    cli(prog_name="forewarn")


if __name__ == "__main__":
    main()
