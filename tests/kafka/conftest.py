"""A real broker for the session; where Java or Maven is absent, the tests that want it skip and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka.broker import Absent, broker, fetch


@pytest.fixture(scope="session")
def bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Apache Kafka on loopback."""
    folder: Path = tmp_path_factory.mktemp("kafka")
    try:
        fetch()
    except Absent as why:
        pytest.skip(str(why))
    with broker(folder) as address:
        yield address
