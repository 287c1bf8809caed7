"""The wheel: one name at the top level of site-packages, and all that `forewarn` needs inside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh venv with the wheel in it; what it depends on is seen, this checkout is not."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    # A path of a .pth file has its own .pth files left unread: so the editable install stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(folder),
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*pip, str(wheel)], check=True)
    return folder / "bin"


def test_one_name_is_added_to_site_packages(wheel: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {t for t in tops if not t.endswith(".dist-info")} == {"forewarn"}


def test_every_file_that_git_keeps_of_our_folders_is_inside(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    folders = ("pipeline", "detectors", "rules", "playbooks")
    kept = subprocess.run(
        ["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    assert {f"forewarn/{name}" for name in kept if (ROOT / name).exists()} - inside == set()


def test_the_installed_command_has_its_own_code_and_not_the_checkouts(
    installed: Path, tmp_path: Path
) -> None:
    asked = "import forewarn, pipeline.flow; print(pipeline.flow.__file__)"

    said = subprocess.run(
        [str(installed / "python"), "-c", asked], cwd=tmp_path, env=bare(), capture_output=True, text=True
    )

    assert Path(said.stdout.strip()).is_relative_to(installed.parent), said.stderr


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["check"]])
def test_the_installed_command_works_outside_the_checkout(
    installed: Path, tmp_path: Path, words: list[str]
) -> None:
    said = subprocess.run(
        [str(installed / "forewarn"), *words], cwd=tmp_path, env=bare(), capture_output=True, text=True
    )

    assert said.returncode == 0, said.stderr
    assert said.stdout


def test_the_installed_command_runs_and_shows_its_console(
    installed: Path, tmp_path: Path, free_port: Callable[[], int]
) -> None:
    at = f"127.0.0.1:{free_port()}"
    command = [str(installed / "forewarn"), "run", f"--web.listen-address={at}", "--storage.path=data"]
    with (tmp_path / "out").open("wb") as out:
        running = subprocess.Popen(command, cwd=tmp_path, env=bare(), stdout=out, stderr=out)
    try:
        assert get(f"http://{at}/-/healthy", tmp_path / "out").startswith("OK")
        assert "Forewarn" in get(f"http://{at}/", tmp_path / "out")
    finally:
        running.terminate()
        code = running.wait(20)
    assert code == 0


def bare() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL"))}


def get(url: str, out: Path, limit: float = 30.0) -> str:
    end = time.monotonic() + limit
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except urllib.error.URLError:
            if time.monotonic() > end:
                pytest.fail(f"{url} does not answer: {out.read_text()[-2000:]}")
            time.sleep(0.1)
