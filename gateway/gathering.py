"""A gunicorn worker that gives a thread only to a request that is there as a whole, so that slow senders hold none.

gunicorn's own threaded worker reads a request in the thread that answers it: four strangers who send a byte now and
then would silence the hotline. Here the loop that waits for connections gathers head and body; what is too
long for that, or comes in chunks, is read by a thread as before, but by one at a time.
"""

import re
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from socket import socket
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

PATIENCE: Final = 60.0  # seconds until a request is there: a form of the console over 2G
LONGEST: Final = 100_000  # bytes that are gathered: a webhook's 64 kB and its head, or a form of the console
MOST: Final = 256  # requests that are gathered at once; one more, and the oldest of them is let go
STALLED: Final = 20.0  # seconds without a byte, where a thread reads or writes
_HEAD: Final = 32_000
_LENGTH: Final = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_CHUNKED: Final = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)


@dataclass(slots=True)
class _Coming:
    """What has come of a request so far, and when it is given up; `waits` once it is long and others are first."""

    data: bytearray
    until: float
    waits: bool = False

    def whole(self) -> bool | None:
        """Whether all of it is there; None where it is not and a thread has to read the rest."""
        head, end, _ = bytes(self.data[:_HEAD]).lstrip(b"\r\n").partition(b"\r\n\r\n")
        if not end:
            return None if len(self.data) >= _HEAD else False
        length = max(map(int, _LENGTH.findall(head + b"\r")), default=0)
        if _CHUNKED.search(head) or length > LONGEST:
            return None
        return len(self.data) >= self.data.find(head + end) + len(head) + 4 + length


class _Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    def init(self) -> None:
        super().init()
        self.sock.settimeout(STALLED)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Named in `gateway/serving.py`. All but `handle`, which is gunicorn's, runs in the loop's own thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._coming: dict[Any, _Coming] = {}
        self._long: Any = None
        self._longs: deque[Any] = deque()

    def accept(self, listener: socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError:  # it was gone again
            return
        self.nr_conns += 1
        self._gather(_Connection(self.cfg, sock, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket) -> None:
        """Its next request begins to come."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._gather(conn)

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        ahead = (
            conn.parser.unreader.take_buffered()
        )  # of the next request, where one was sent behind the other
        super().finish_request(conn, fs)
        if conn is self._long:
            self._long = None
            self._next_long()
        if ahead and conn in self.keepalived_conns:
            self.poller.unregister(conn.sock)
            self.keepalived_conns.remove(conn)
            self._gather(conn, ahead)

    def murder_pending(self) -> None:
        """Asked once a second at least: who took too long is let go; and whoever sent nothing yet, at the end."""
        now = time.monotonic()
        for conn, coming in list(self._coming.items()):
            if coming.until < now or not (self.alive or coming.data):
                self._let_go(conn)

    # -- one request --

    def _gather(self, conn: Any, ahead: bytes = b"") -> None:
        if len(self._coming) >= MOST:
            self._let_go(next(iter(self._coming)))
        conn.sock.setblocking(False)  # noqa: FBT003 - as Python named it
        self._coming[conn] = _Coming(bytearray(ahead), time.monotonic() + PATIENCE)
        self.poller.register(conn.sock, EVENT_READ, partial(self._more, conn))
        self._more(conn, conn.sock)  # most requests are there already

    def _more(self, conn: Any, sock: socket) -> None:
        coming = self._coming[conn]
        try:
            data = sock.recv(LONGEST)
        except BlockingIOError:
            if not coming.data:
                return
        except OSError:
            self._let_go(conn)
            return
        else:
            if not data:
                self._let_go(conn)
                return
            coming.data += data
        match coming.whole():
            case True:
                self._hand_over(conn)
            case None:
                self.poller.unregister(sock)
                coming.waits = True
                self._longs.append(conn)
                self._next_long()

    def _next_long(self) -> None:
        while self._longs and self._long is None:
            conn = self._longs.popleft()
            if conn in self._coming:  # it was not let go meanwhile
                self._long = conn
                self._hand_over(conn)

    def _hand_over(self, conn: Any) -> None:
        coming = self._forget(conn)
        conn.init()
        conn.data_ready = True
        conn.parser.unreader.unread(bytes(coming.data))
        self.enqueue_req(conn)

    def _let_go(self, conn: Any) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()

    def _forget(self, conn: Any) -> _Coming:
        coming = self._coming.pop(conn)
        if not coming.waits:
            with suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock)
        return coming
