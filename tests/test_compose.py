"""Image and compose.yaml without a Docker engine: what they hold, mount, ask and are told is right."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from pipeline import config
from pipeline.__main__ import cli

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("forewarn", "worker")


def content(name: str) -> str:
    """A config as Compose writes it into the container."""
    text: str = COMPOSE["configs"][name]["content"]
    return text.replace("$$", "$")


def test_forewarn_kafka_prometheus_and_grafana_are_there() -> None:
    assert {"forewarn", "worker", "kafka", "prometheus", "grafana"} == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_every_port_is_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_every_volume_and_config_that_a_service_names_exists(name: str) -> None:
    volumes = {mount.partition(":")[0] for mount in SERVICES[name].get("volumes", [])}
    configs = {use["source"] for use in SERVICES[name].get("configs", [])}

    assert volumes <= set(COMPOSE["volumes"])
    assert configs <= set(COMPOSE["configs"])


@pytest.mark.parametrize("name", OURS)
def test_our_commands_take_the_options_that_compose_gives(name: str) -> None:
    command, *options = SERVICES[name]["command"]

    helped = CliRunner().invoke(cli, [command, "--help"]).output

    assert all(option.partition("=")[0] in helped for option in options)


def test_forewarns_own_file_is_a_good_one(tmp_path: Path) -> None:
    file = tmp_path / "forewarn.yaml"
    file.write_text(content("forewarn"))

    assert config.load(file).kafka.bootstrap == "kafka:9092"


def test_prometheus_sends_to_the_port_that_the_image_listens_on() -> None:
    told = re.findall(r"forewarn:(\d+)", content("prometheus"))
    listens = (ROOT / "Dockerfile").read_text()

    assert told == ["9093"] * 3
    assert "EXPOSE 9093" in listens
    assert ":9093/-/healthy" in listens


@pytest.mark.prometheus
def test_prometheus_itself_accepts_its_configuration(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on this machine (Debian package prometheus)")
    (tmp_path / "prometheus.yml").write_text(content("prometheus"))
    (tmp_path / "alerts.yml").write_text(content("alerts"))

    said = subprocess.run(
        [promtool, "check", "config", str(tmp_path / "prometheus.yml")], capture_output=True, text=True
    )

    assert (said.returncode, "2 rules found" in said.stdout) == (0, True), said.stdout + said.stderr


def test_the_image_is_given_every_file_that_its_build_copies() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    wanted = {name for line in copied for name in line.split()}

    assert wanted == let_in
    assert all((ROOT / name).exists() for name in wanted)


@pytest.mark.parametrize("lock", ["requirements-run.lock", "requirements-build.lock"])
def test_the_image_holds_what_was_tested_and_nothing_else(lock: str) -> None:
    pins = [
        set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in (lock, "requirements.lock")
    ]

    assert pins[0]
    assert pins[0] <= pins[1]
