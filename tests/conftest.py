"""What tests of every room share: a real Redis of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from real_redis import RedisServer

settings.register_profile("everyday", max_examples=30, deadline=None)
settings.register_profile(
    "full", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everyday")


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:  # pytest's own are too deep for a socket
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.kill()
