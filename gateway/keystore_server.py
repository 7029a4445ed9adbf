"""Opens a keystore that lies in PostgreSQL; apart, for psycopg takes a while to load and SQLite needs none of it."""

import socket
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from sqlalchemy.engine import URL


class _ImpatientConnection(psycopg.Connection[Any]):
    """Gives up on a server that hangs, which the server's own time-outs cannot."""

    patience = 1.0  # seconds

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            self.close()  # in the middle of a statement, so of no more use
            raise


def connect(url: URL, patience: float) -> psycopg.Connection[Any]:
    """A connection that waits at most `patience` seconds for anything the server does."""
    if url.host and "," not in url.host and not url.host.startswith("/"):
        # libpq waits two seconds at least for a host that does not answer
        socket.create_connection((url.host, url.port or 5432), timeout=patience).close()
    connection = _ImpatientConnection.connect(
        url.set(drivername="postgresql").render_as_string(hide_password=False),
        connect_timeout=2,
        autocommit=True,
        options="-c synchronous_commit=on",
    )
    connection.patience = patience
    return connection
