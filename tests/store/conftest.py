"""The same hotline on both databases: SQLite as in the demo, and a real PostgreSQL with its keystore there too."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from front_door import Hotline, Provider
from real_postgres import NoPostgres, PostgresServer
from sqlalchemy import create_engine, insert, select

from gateway.factory import create_app
from gateway.runtime import Runtime, build_runtime
from gateway.store import migrations
from gateway.store.database import Database, metadata
from gateway.vault import Vault

_TEMPLATE = "template_hotline"


@dataclass(frozen=True)
class Postgres:
    """A server with a template database: migrated, and with the sounds that every test needs."""

    server: PostgresServer

    def fresh(self) -> str:
        name = "t" + secrets.token_hex(6)
        self.server.database(name, template=_TEMPLATE)
        return name


@pytest.fixture(scope="session")
def postgres(template: Path) -> Iterator[Postgres]:
    try:
        server = PostgresServer()
    except NoPostgres as reason:
        pytest.skip(f"NO POSTGRESQL HERE, its tests were not run: {reason}")
    url = server.database(_TEMPLATE)
    database = Database(url, busy=5)
    migrations.upgrade(database)
    shipped = create_engine(f"sqlite:///{template / 'hotline.db'}")
    with shipped.connect() as source, database.write() as target:
        for table in metadata.sorted_tables:
            rows = [row._asdict() for row in source.execute(select(table))]
            if rows:
                target.execute(insert(table), rows)
    shipped.dispose()
    database.close()
    yield Postgres(server)
    server.remove()


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
    rows, keys = postgres.fresh(), "k" + secrets.token_hex(6)
    addresses = {
        "DATABASE_URL": postgres.server.address(rows),
        "KEYSTORE_URL": postgres.server.database(keys),
    }
    made = Hotline(template, tmp_path / "hotline", provider, **addresses)
    Vault.prepare(made.settings)
    yield made
    made.runtime.database.close()
    made.runtime.vault.close()
    for name in (rows, keys):
        postgres.server.drop(name)


class Host(Hotline):
    """Another host of the same installation: its own connections and processes, the same rows."""

    def __init__(self, first: Hotline) -> None:
        self.__dict__.update(first.__dict__)
        self.runtime: Runtime = build_runtime(first.settings)
        self.app = create_app(self.runtime)
        self.client = self.app.test_client()


@pytest.fixture
def hosts(hotline: Hotline) -> Iterator[tuple[Hotline, Hotline]]:
    second = Host(hotline)
    yield hotline, second
    second.runtime.database.close()
    second.runtime.vault.close()
