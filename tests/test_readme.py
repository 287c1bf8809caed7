"""The README tells the truth: its keys, commands, kinds and examples are those of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import yaml

from pipeline import config, kinds, rehearse, topology

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


def keys(struct: type[msgspec.Struct], before: str = "") -> Iterator[str]:
    for field in msgspec.structs.fields(struct):
        inner = field.type
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from keys(inner, f"{before}{field.encode_name}.")
        else:
            yield f"{before}{field.encode_name}"


@pytest.mark.parametrize("key", [k for k in keys(config.Main) if k != "response.playbooks"])
def test_every_configuration_key_is_explained(key: str) -> None:
    assert f"`{key}`" in TEXT


@pytest.mark.parametrize("command", kinds.names("pipeline.commands"))
def test_every_command_is_named(command: str) -> None:
    assert f"forewarn {command}" in TEXT


@pytest.mark.parametrize("block", [b for b in BLOCKS if "response:" in b])
def test_the_example_configuration_is_valid(block: str) -> None:
    found = config.parse(yaml.safe_load(block), config.Main)

    assert found.response.receivers[0].name == found.response.receiver


def test_the_example_rules_are_valid_and_their_test_holds() -> None:
    block = next(b for b in BLOCKS if b.startswith("watches:"))

    found = config.parse(yaml.safe_load(block), config.Rules)

    assert all(getattr(found, kind) for kind in ("watches", "slos", "patterns", "priorities"))
    assert list(rehearse.rules(found)) == [("a rollout that ends is not told", [])]


def test_the_example_catalogue_leaves_no_doubt(tmp_path: Path) -> None:
    file = tmp_path / "catalog.yaml"
    file.write_text(next(b for b in BLOCKS if b.startswith("services:")))

    found = topology.load(file)

    assert found.services["pay"].tier == "critical"
    assert found.doubts == ()


def test_every_folder_of_the_map_exists() -> None:
    folders = re.findall(r"\b([a-z]+/)", TEXT.split("## Map of the house")[1].split("##")[0])

    assert [f for f in folders if not (ROOT / f).is_dir() and not (ROOT / "pipeline" / f).is_dir()] == []


def test_the_make_targets_it_names_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"make ([a-z]+)\b", TEXT)) <= targets
