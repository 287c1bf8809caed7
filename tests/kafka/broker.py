"""A real Apache Kafka for the tests: one process, broker and controller in one, on loopback only."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
LIBS = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "forewarn" / "kafka-4.3.1"

# 16 bytes in base64, always the same: one in 64 drawn by lot begins with "-", and is read as an option.
CLUSTER = "Zm9yZXdhcm4tdGVzdHMtMQ"

# One node that keeps nothing for anybody else: every internal topic has one partition and one copy, a
# group forms at once, and the smallest log cleaner that the broker accepts (5 MB a thread).
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/log
num.network.threads=2
num.io.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=10485760
"""

# A test's broker lives a minute: the quick compiler only, the plain collector, a small heap.
JVM = ("-Xms128m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


class Absent(RuntimeError):
    """This machine cannot run a broker; the text says what is missing."""


def fetch() -> Path:
    """Return the folder of the broker's jars, which Maven fills once; raises Absent."""
    if any(LIBS.glob("kafka_2.13-*.jar")):
        return LIBS
    if shutil.which("java") is None or shutil.which("mvn") is None:
        raise Absent("no java and mvn on this machine (Debian packages openjdk-17-jre-headless, maven)")
    beside = LIBS.with_name(f"{LIBS.name}.{os.getpid()}")
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={beside}"]
    made = subprocess.run(
        ["mvn", "-q", "-B", "-ntp", "-f", str(HERE / "pom.xml"), *goal], capture_output=True, text=True
    )
    if made.returncode:
        raise Absent(f"Maven could not fetch Apache Kafka: {(made.stdout + made.stderr).strip()[:300]}")
    if not LIBS.exists():
        beside.rename(LIBS)  # whole or not at all: a run cut short leaves no half of a broker
    return LIBS


@contextmanager
def broker(folder: Path) -> Iterator[str]:
    """Run a broker whose log is in `folder`; yield its address, and end it with the block."""
    libs = fetch()
    port, controller = _free_ports()
    file = folder / "server.properties"
    file.write_text(PROPERTIES.format(port=port, controller=controller, folder=folder))
    java = ["java", *JVM, f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}", "-cp", f"{libs}/*"]
    subprocess.run(
        [*java, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(file)],
        check=True, capture_output=True,
    )  # fmt: skip
    with (folder / "out").open("wb") as out:
        server = subprocess.Popen([*java, "kafka.Kafka", str(file)], stdout=out, stderr=out)
    try:
        _wait(server, port, folder / "out")
        yield f"127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGKILL)  # its log goes with the folder: nothing to save
        server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, out: Path, limit: float = 60.0) -> None:
    until = time.monotonic() + limit
    while time.monotonic() < until:
        if server.poll() is not None:
            break
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"the broker did not open its port: {out.read_text()[-2000:]}")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return a.getsockname()[1], b.getsockname()[1]


if __name__ == "__main__":
    try:
        fetch()
    except Absent as why:
        print(f"not found: Apache Kafka: {why}; the tests that use it will be skipped")
