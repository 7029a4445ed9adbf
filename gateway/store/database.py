"""The database: an engine that reads and writes safely on SQLite and PostgreSQL, and the metadata of all tables."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    MetaData,
    Table,
    TypeDecorator,
    bindparam,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from gateway.errors import StoreDown

Session = Connection  # queries take one open transaction; nothing here needs an ORM

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware moment, kept as milliseconds since 1970 in UTC: the same, and ordered, on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else (value - EPOCH) // _MS

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else EPOCH + value * _MS


def upsert(
    session: Session,
    table: Table,
    keys: Sequence[str],
    values: Mapping[str, object],
    *,
    change: Sequence[str] | None = None,
) -> None:
    """Insert this row, or `change` (else: all of it) in the one that has the same `keys`, unique together."""
    changed = tuple(name for name in values if name not in keys) if change is None else tuple(change)
    session.execute(_upsert(session.dialect.name, table, tuple(keys), tuple(values), changed), values)


@lru_cache(maxsize=256)  # building a statement costs more than running it
def _upsert(
    dialect: str, table: Table, keys: tuple[str, ...], names: tuple[str, ...], changed: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    statement = make(table).values({name: bindparam(name) for name in names})
    if not changed:
        return statement.on_conflict_do_nothing()
    new = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=keys, set_=new)


def durability(session: Session) -> dict[str, str]:
    """Give the database's own settings that decide whether a commit outlives a power cut."""
    if session.dialect.name == "sqlite":
        names = ("journal_mode", "synchronous", "secure_delete")
        return {name: str(session.exec_driver_sql(f"PRAGMA {name}").scalar()) for name in names}
    names = ("synchronous_commit", "fsync", "full_page_writes")
    return {name: str(session.exec_driver_sql(f"SHOW {name}").scalar()) for name in names}


class Database:
    """Opens transactions. `busy` is how many seconds a writer waits for another before it gives up."""

    def __init__(self, url: str, *, busy: float) -> None:
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _engine(url, busy, sqlite=self.sqlite)
        # SQLite's own busy handler polls; threads of one process queue here instead, in turn.
        self._turn = threading.Lock()
        self._busy = busy

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads. Raises `StoreDown` where the database cannot be had."""
        try:
            with self.engine.connect() as session:
                self._begin(session, "BEGIN")
                yield session
        except SQLAlchemyError as error:
            raise _down(error) from None

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that is committed at the end; everything in it happens or nothing does."""
        if self.sqlite and not self._turn.acquire(timeout=self._busy):
            raise StoreDown("the database is busy")
        try:
            # A transaction that reads and then writes fails at once if another wrote in between: say so first.
            with self.engine.connect() as session, session.begin():
                self._begin(session, "BEGIN IMMEDIATE")
                yield session
        except SQLAlchemyError as error:
            raise _down(error) from None
        finally:
            if self.sqlite:
                self._turn.release()

    def _begin(self, session: Session, how: str) -> None:
        # SQLite's driver leaves it to us. An event of the engine would burden every statement.
        if not self.sqlite:
            return
        connection = session.connection.driver_connection
        assert connection is not None  # noqa: S101 - it was opened just now
        try:
            connection.execute(how).close()
        except sqlite3.Error as error:  # asked without SQLAlchemy, which would have taken ten times as long
            raise StoreDown(f"the database cannot be had now ({type(error).__name__})") from None

    def after_fork(self) -> None:
        """Give up inherited connections without closing the parent's."""
        self.engine.dispose(close=False)
        self._turn = threading.Lock()

    def close(self) -> None:
        self.engine.dispose()


def _down(error: SQLAlchemyError) -> Exception:
    """A database that cannot be had becomes `StoreDown`; a fault of ours stays visible, without parameters."""
    from sqlalchemy.exc import InterfaceError, OperationalError  # noqa: PLC0415 - only on this path

    if isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return StoreDown(f"the database cannot be had now ({type(error.orig).__name__})")
    return error


def _engine(url: str, busy: float, *, sqlite: bool) -> Engine:
    if not sqlite:
        return create_engine(
            url,
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=busy,
            connect_args={
                "connect_timeout": 2,
                "options": "-c synchronous_commit=on -c statement_timeout=8000",
            },
        )
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": busy, "isolation_level": None, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()
