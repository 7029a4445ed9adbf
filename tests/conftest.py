"""What tests of every room share: an installation, a phone company, real servers of their own."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from compiled_once import compile_once
from front_door import Hotline, Provider, build_bare, build_template
from hypothesis import HealthCheck, settings
from real_postgres import NoPostgres, Postgres, build_postgres
from real_redis import RedisServer

from gateway.services import factors

pytest_plugins = ("promises",)

compile_once()

# Hundreds of accounts are made here, and nobody attacks them; `test_accounts` shows the real cost.
factors.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)

settings.register_profile("everyday", max_examples=30, deadline=None)
settings.register_profile(
    "full", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("everyday")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """As often as the promises say takes as long as it takes; the everyday limit is for what hangs."""
    if settings.get_current_profile_name() == "full":
        for item in items:
            item.add_marker(pytest.mark.timeout(0), append=False)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", default="test-results/pictures", help="where browser tests put pictures")


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="hl-") as folder:  # pytest's own are too deep for a socket
        server = RedisServer(Path(folder))
        server.start()
        yield server
        server.kill()


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys and tables, without sound; tests copy it."""
    folder = tmp_path_factory.mktemp("bare")
    runtime = build_bare(folder)
    runtime.vault.close()
    runtime.database.close()
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with keys, tables and sound; tests copy it."""
    folder = tmp_path_factory.mktemp("template")
    build_template(folder)
    return folder


@pytest.fixture(scope="session")
def postgres(template: Path) -> Iterator[Postgres]:
    try:
        made = build_postgres(template)
    except NoPostgres as reason:
        pytest.skip(f"NO POSTGRESQL HERE, its tests were not run: {reason}")
    yield made
    made.server.remove()


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """A hotline of this test's own, nobody on shift, at ten in the morning in Yangon."""
    made = Hotline(template, tmp_path / "hotline", provider)
    yield made
    made.runtime.database.close()
