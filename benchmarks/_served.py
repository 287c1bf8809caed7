"""A `forewarn run` held to one core, what it is posted, and the CPU seconds that it took."""

from __future__ import annotations

import http.client
import os
import re
import socket
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from benchmarks._loads import Load
from tests.running import Running

CONNECTIONS = 4
_LAG = re.compile(rb"^forewarn_lag_frames (\S+)", re.MULTILINE)


class Served:
    """A context: the process lives while it is open. The client runs on the other cores."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._cores = os.sched_getaffinity(0)
        core = max(self._cores)
        os.sched_setaffinity(0, {core})  # which the child inherits, with all its threads
        self.running = Running(folder / "data", self.port)
        os.sched_setaffinity(0, self._cores - {core} or self._cores)

    def __enter__(self) -> Served:
        self.running.wait_until_ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.running.stop()
        os.sched_setaffinity(0, self._cores)

    def cpu(self) -> float:
        """Return the CPU seconds of all threads so far, to 10 ms."""
        fields = Path(f"/proc/{self.running.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def post(self, load: Load, bodies: Sequence[bytes]) -> None:
        """Post all over a few connections, and return once all is stepped and stored."""
        left = list(reversed(bodies))
        threads = [threading.Thread(target=self._send, args=(load, left)) for _ in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while self._lag():
            time.sleep(0.1)

    def _send(self, load: Load, left: list[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while left:
            try:
                body = left.pop()
            except IndexError:  # another connection took the last
                break
            status = self._answer(connection, load, body)
            while status == 429:
                time.sleep(0.02)
                status = self._answer(connection, load, body)
            if status >= 300:
                raise RuntimeError(f"{load.path} answered {status}")
        connection.close()

    @staticmethod
    def _answer(connection: http.client.HTTPConnection, load: Load, body: bytes) -> int:
        connection.request("POST", load.path, body, load.headers)
        response = connection.getresponse()
        response.read()
        return response.status

    def _lag(self) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/metrics")
        found = _LAG.search(connection.getresponse().read())
        connection.close()
        return float(found[1]) if found else 0.0
