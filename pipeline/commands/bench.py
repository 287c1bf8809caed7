"""`forewarn bench NAME`: one claim measured beside its peers in the same run, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline import kinds


@click.command()
@click.argument("name")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Also write them here.")
@click.option("--part", "parts", multiple=True, help="Of complaints: print these tables only.")
def command(name: str, file: Path | None, parts: tuple[str, ...]) -> None:
    """Run benchmarks/NAME.py and print its table; a benchmark is a file of a checkout, not of a wheel.

    Of a folder such as detection every table is printed; detection/nab prints one.
    """
    *folders, last = name.split("/")
    family = ".".join(("benchmarks", *folders))
    try:
        found = kinds.find(family, last)
    except ModuleNotFoundError as error:
        if error.name != family:
            raise
        raise click.ClickException(
            f"no {family.replace('.', '/')}/ here: they come with a checkout"
        ) from error
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not hasattr(found, "run"):
        raise click.ClickException(f"{name}: prints no table itself, others use it")
    known = list(getattr(found, "PARTS", ()))
    for part in parts:
        if part not in known:
            raise click.ClickException(f'{name}: no part "{part}"{kinds.nearest(part, known)}')
    measured = found.run(parts) if parts else found.run()
    if file is not None:
        file.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
