"""The same hotline on both databases: SQLite as in the demo, and a real PostgreSQL with its keystore there too."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from front_door import Hotline, Provider
from real_postgres import Postgres

from gateway.factory import create_app
from gateway.runtime import Runtime, build_runtime
from gateway.vault import Vault


@pytest.fixture(params=["sqlite", "postgresql"])
def hotline(
    request: pytest.FixtureRequest, template: Path, tmp_path: Path, provider: Provider
) -> Iterator[Hotline]:
    """A hotline on each database."""
    if request.param == "sqlite":
        made = Hotline(template, tmp_path / "hotline", provider)
        yield made
        made.runtime.database.close()
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    with postgres.addresses() as addresses:
        made = Hotline(template, tmp_path / "hotline", provider, **addresses)
        Vault.prepare(made.settings)
        yield made
        made.runtime.database.close()
        made.runtime.vault.close()


class Host(Hotline):
    """Another host of the same installation: its own connections and processes, the same rows."""

    def __init__(self, first: Hotline) -> None:
        self.__dict__.update(first.__dict__)
        # Twenty who write at once are waited for, also where the machine is slow: how long is not asked here.
        self.runtime: Runtime = build_runtime(first.settings, busy=20.0)
        self.app = create_app(self.runtime)
        self.client = self.app.test_client()


@pytest.fixture
def hosts(hotline: Hotline) -> Iterator[tuple[Hotline, Hotline]]:
    both = Host(hotline), Host(hotline)
    yield both
    for one in both:
        one.runtime.database.close()
        one.runtime.vault.close()
