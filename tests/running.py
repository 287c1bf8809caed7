"""Forewarn as a process of its own, for tests that kill it, and its whole state as comparable bytes."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]


class Running:
    """`forewarn run` on an address; the log of every start is in forewarn.log beside its folder."""

    def __init__(self, folder: Path, port: int, config: Path | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.folder = folder
        self._log = (folder.parent / "forewarn.log").open("ab")
        asked = ["--storage.path", str(folder), "--web.listen-address", f"127.0.0.1:{port}"]
        asked += ["--config.file", str(config)] if config else []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", *asked],
            stdout=self._log, stderr=self._log, cwd=ROOT, env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip

    def wait_until_ready(self, within: float = 60.0) -> None:
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"forewarn ended: {self.said()[-2000:]}")
            try:
                if httpx.get(f"{self.url}/-/ready", trust_env=False).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready in {within:g} s: {self.said()[-2000:]}")

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()
        self._log.close()

    def stop(self) -> int:
        """End it as a service manager does; return its exit code."""
        self.process.terminate()
        code = self.process.wait(30)
        self._log.close()
        return code

    def said(self) -> str:
        return (self.folder.parent / "forewarn.log").read_text()


def state_bytes(state: object) -> bytes:
    """Return the state as bytes that do not depend on which equal parts of it are one object."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=5)
    pickler.fast = True
    pickler.dump(state)
    return out.getvalue()
