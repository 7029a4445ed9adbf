"""The small database of keys beside the big one: what is deleted here can be opened nowhere."""

import os
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.errors import KeystoreDown

_PATIENCE: Final = 1.0  # seconds for anything: a caller is waiting in silence
_BATCH: Final = 500
_SUBJECT_LENGTH: Final = 64

_tables = MetaData()
_meta = Table(
    "meta",
    _tables,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
_subject_keys = Table(
    "subject_keys",
    _tables,
    Column("subject", String(_SUBJECT_LENGTH), primary_key=True),
    Column("number_key", LargeBinary, nullable=False),
    Column("note_key", LargeBinary, nullable=False),
    Column("created_hour", Integer, nullable=False, index=True),
)


class Rewrapped(NamedTuple):
    """A subject's two keys sealed anew, and how the first was sealed when it was read."""

    subject: str
    number_key: bytes
    note_key: bytes
    was: bytes


class Keystore:
    """Each method is one statement that is committed when it returns; all raise KeystoreDown.

    SQLite deletes in place (secure_delete) and keeps no log of what was; with PostgreSQL a deleted row stays in
    its files until `rewrite`, and in its log until that is used again, sealed under the web key and the root key.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._engines: dict[int, Engine] = {}

    def build(self, meta: Mapping[str, bytes]) -> None:
        """Create the tables and keep `meta`, unless they are there already: the first to come rules."""
        if self._url.drivername == "sqlite":
            path = Path(self._url.database or "")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        with self._connected() as connection:
            _tables.create_all(connection)
            self._keep(connection, meta)

    def add_meta(self, meta: Mapping[str, bytes]) -> None:
        """Keep these together, unless one of them is there already: the first to come rules."""
        with self._connected() as connection:
            self._keep(connection, meta)

    def replace_meta(self, kept: Mapping[str, bytes], gone: Collection[str]) -> None:
        """Put others in the place of those, and take `gone` away, in one transaction."""
        with self._connected() as connection:
            connection.exec_driver_sql("BEGIN")  # the engine commits each statement by itself otherwise
            for name in sorted(kept):
                connection.execute(update(_meta).where(_meta.c.name == name).values(value=kept[name]))
            connection.execute(delete(_meta).where(_meta.c.name.in_(list(gone))))
            connection.exec_driver_sql("COMMIT")

    @staticmethod
    def _keep(connection: Connection, meta: Mapping[str, bytes]) -> None:
        try:
            rows = [{"name": name, "value": meta[name]} for name in sorted(meta)]
            connection.execute(insert(_meta).values(rows))  # one statement: all of them or none
        except IntegrityError:
            return

    def meta(self) -> dict[str, bytes]:
        with self._connected() as connection:
            return dict(connection.execute(select(_meta.c.name, _meta.c.value)).all())

    def add(self, subject: str, *, number_key: bytes, note_key: bytes, hour: int) -> None:
        """Keep a new subject's sealed keys; raises ValueError where it has keys already."""
        if not 0 < len(subject) <= _SUBJECT_LENGTH:
            raise ValueError("a subject is named by an opaque id of 1 to 64 characters")
        row = {"subject": subject, "number_key": number_key, "note_key": note_key, "created_hour": hour}
        with self._connected() as connection:
            try:
                connection.execute(insert(_subject_keys).values(row))
            except IntegrityError:
                raise ValueError("this subject has keys already") from None

    def number_key(self, subject: str) -> bytes | None:
        with self._connected() as connection:
            return connection.scalar(
                select(_subject_keys.c.number_key).where(_subject_keys.c.subject == subject)
            )

    def number_keys(self, subjects: Collection[str]) -> dict[str, bytes]:
        """The same for several; those that were forgotten are not in it."""
        columns = _subject_keys.c
        found = select(columns.subject, columns.number_key).where(columns.subject.in_(subjects))
        with self._connected() as connection:
            return dict(connection.execute(found).all())

    def note_keys(self, subjects: Collection[str]) -> dict[str, bytes]:
        """Give the sealed keys of those subjects that still have one."""
        columns = _subject_keys.c
        found = select(columns.subject, columns.note_key).where(columns.subject.in_(subjects))
        with self._connected() as connection:
            return dict(connection.execute(found).all())

    def destroy(self, subjects: Collection[str]) -> None:
        names = list(subjects)
        with self._connected() as connection:
            for start in range(0, len(names), _BATCH):
                some = names[start : start + _BATCH]
                connection.execute(delete(_subject_keys).where(_subject_keys.c.subject.in_(some)))

    def page(self, after: str, *, most: int) -> list[tuple[str, bytes, bytes]]:
        """Subjects with their two sealed keys, in the order of their names."""
        columns = _subject_keys.c
        some = select(columns.subject, columns.number_key, columns.note_key).where(columns.subject > after)
        with self._connected() as connection:
            found = connection.execute(some.order_by(columns.subject).limit(most))
            return [tuple(row) for row in found]

    def rewrap(self, subjects: Sequence[Rewrapped]) -> None:
        """Keep these keys sealed otherwise, in one transaction; who was forgotten meanwhile stays so."""
        columns = _subject_keys.c
        with self._connected() as connection:
            connection.exec_driver_sql("BEGIN")
            for one in subjects:
                there = update(_subject_keys).where(
                    columns.subject == one.subject, columns.number_key == one.was
                )
                connection.execute(there.values(number_key=one.number_key, note_key=one.note_key))
            connection.exec_driver_sql("COMMIT")

    def wipe_meta(self) -> None:
        """The installation's own keys first: without them no subject's key opens."""
        with self._connected() as connection:
            connection.execute(delete(_meta))

    def wipe_subjects(self) -> None:
        with self._connected() as connection:
            connection.execute(delete(_subject_keys))

    def rewrite(self) -> None:
        """PostgreSQL leaves deleted rows in its files: new files without them. SQLite wrote over them already."""
        if self._url.drivername == "sqlite":
            return
        with self._connected() as connection:
            connection.exec_driver_sql(f"SET lock_timeout = {int(1000 * _PATIENCE / 2)}")
            for table in (_meta, _subject_keys):
                connection.exec_driver_sql(f"VACUUM (FULL) {table.name}")

    def made_before(self, hour: int) -> set[str]:
        with self._connected() as connection:
            made = select(_subject_keys.c.subject).where(_subject_keys.c.created_hour < hour)
            return set(connection.scalars(made))

    def close(self) -> None:
        """Close this process's connections; they open again when they are needed."""
        if engine := self._engines.pop(os.getpid(), None):
            engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine().connect() as connection:
                yield connection
        except (SQLAlchemyError, OSError):
            # Neither the driver's words (they may hold a row) nor its error as a cause.
            raise KeystoreDown("the keystore does not answer, or was never prepared") from None

    def _engine(self) -> Engine:
        """Give this process's engine: a worker's forked job must never use its parent's connections."""
        process = os.getpid()
        if process not in self._engines:
            self._engines[process] = _engine(self._url)
        return self._engines[process]


def _engine(url: URL) -> Engine:
    return create_engine(
        url,
        creator=_opening(url),
        isolation_level="AUTOCOMMIT",
        pool_timeout=_PATIENCE,
        hide_parameters=True,
    )


def _opening(url: URL) -> Callable[[], Any]:
    if url.drivername == "sqlite":
        return lambda: _open_sqlite(url)
    from gateway.keystore_server import connect  # noqa: PLC0415 - loads psycopg, which SQLite need not wait for

    return lambda: connect(url, _PATIENCE)


def _open_sqlite(url: URL) -> sqlite3.Connection:
    """Open an existing file only: a missing keystore is a fault, never an empty new one."""
    path = quote(str(Path(url.database or "").absolute()))
    connection = sqlite3.connect(
        f"file:{path}?mode=rw", uri=True, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
    )
    for pragma in (
        "journal_mode = DELETE",  # no log that would keep deleted keys
        "secure_delete = ON",
        "synchronous = EXTRA",  # with FULL, a power cut could bring a destroyed key back in this journal mode
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return connection
