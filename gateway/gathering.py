"""A gunicorn worker that gives a thread only to a request that is there as a whole, until its answer is made.

gunicorn's own threaded worker reads a request in the thread that answers it, and waits there until the answer was
read: four strangers who send or take a byte now and then would silence the hotline. Here the loop that waits
for connections gathers head and body, sends on what of an answer was not taken at once (`gateway/answering.py`), and
waits for the other side to close. A body that is too long to be gathered is read by a thread as before, but by
one at a time.
"""

import re
import time
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, socket
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

from gateway.answering import Unhurried

PATIENCE: Final = 60.0  # seconds until a request is there: a form of the console over 2G
LONGEST: Final = 100_000  # bytes that are gathered: a webhook's 64 kB and its head, or a form of the console
MOST: Final = 256  # requests that are gathered at once; one more, and the oldest of them is let go
STALLED: Final = 20.0  # seconds without a byte, of an answer or where a thread reads
UNREAD: Final = (
    128  # answers not taken yet; one more, or more memory, and whoever has most of one left is let go
)
HELD: Final = 32_000_000  # bytes of them in memory
KEPT: Final = 128  # connections that may stay open for another request; the rest are closed after each
LEAVING: Final = 128  # connections that were answered and are waited for, two seconds at most
_DRAINED: Final = 0.05  # seconds for what came of a body and was not read
_LINGER: Final = (
    2.0  # as gunicorn has it; closed at once, what was sent and not read would destroy the answer
)
_HEAD: Final = 32_000
_TOO_LONG: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)
_LENGTH: Final = re.compile(rb"^content-length[ \t]*:[ \t]*(\d{1,15})[ \t]*\r$", re.IGNORECASE | re.MULTILINE)
_CHUNKED: Final = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
_LAST_CHUNK: Final = re.compile(rb"\r\n0+[ \t]*(?:;[^\r\n]*)?\r\n(?:[^\r\n]+\r\n)*\r\n\Z")


@dataclass(slots=True)
class _Coming:
    """What has come of a request so far, and when it is given up; `waits` once it is long and others are first."""

    data: bytearray
    until: float
    waits: bool = False

    def headless(self) -> bool:
        return len(self.data) >= _HEAD and b"\r\n\r\n" not in self.data[:_HEAD].lstrip(b"\r\n")

    def whole(self) -> bool | None:
        """Whether all of it is there; None where it is not and a thread has to read the rest."""
        head, end, _ = bytes(self.data[:_HEAD]).lstrip(b"\r\n").partition(b"\r\n\r\n")
        if not end:
            return False
        length = max(map(int, _LENGTH.findall(head + b"\r")), default=0)
        if length > LONGEST:
            return None
        if _CHUNKED.search(head):
            return bool(_LAST_CHUNK.search(self.data, len(head))) or (
                None if len(self.data) > LONGEST else False
            )
        return len(self.data) >= self.data.find(head + end) + len(head) + 4 + length


@dataclass(slots=True)
class _Unread:
    """What is done once an answer was taken, and when it is given up."""

    then: "Future[Any]"
    until: float


class _Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    def init(self) -> None:
        super().init()
        self.sock.settimeout(STALLED)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Named in `gateway/serving.py`. All but `handle`, which is gunicorn's, runs in the loop's own thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.max_keepalived = KEPT
        self._coming: dict[Any, _Coming] = {}
        self._unread: dict[Any, _Unread] = {}
        self._leaving: dict[Any, float] = {}
        self._long: Any = None
        self._longs: deque[Any] = deque()

    def accept(self, listener: socket) -> None:
        try:
            sock, address = listener.accept()
        except OSError:  # it was gone again
            return
        self.nr_conns += 1
        self._gather(_Connection(self.cfg, Unhurried(sock), address, listener.getsockname()))

    def on_client_socket_readable(self, conn: Any, client: socket) -> None:
        """Its next request begins to come."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._gather(conn)

    def finish_request(self, conn: Any, fs: "Future[Any]") -> None:
        if conn is self._long:
            self._long = None
            self._next_long()
        if conn.sock.unsent:
            self._send_on(conn, fs)
        elif not (fs.cancelled() or fs.exception()) and fs.result():
            self._keep(conn, fs)
        else:
            self._leave(conn)

    def murder_pending(self) -> None:
        """Asked once a second at least: who took too long is let go; and whoever sent nothing yet, at the end."""
        now = time.monotonic()
        for conn, coming in list(self._coming.items()):
            if coming.until < now or not (self.alive or coming.data):
                self._let_go(conn)
        for conn, unread in list(self._unread.items()):
            if unread.until < now:
                self._let_go(conn)
        for conn, until in list(self._leaving.items()):
            if until < now:
                self._let_go(conn)

    # -- one request --

    def _gather(self, conn: Any, ahead: bytes = b"") -> None:
        if len(self._coming) >= MOST:
            self._let_go(next(iter(self._coming)))
        self._coming[conn] = _Coming(bytearray(ahead), time.monotonic() + PATIENCE)
        self._watch(conn, EVENT_READ, self._more)
        self._more(conn)  # most requests are there already

    def _more(self, conn: Any, _sock: Any = None) -> None:
        coming = self._coming[conn]
        try:
            data = conn.sock.recv(LONGEST)
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
        if coming.headless():
            self._refuse(conn)
            return
        match coming.whole():
            case True:
                self._hand_over(conn)
            case None:
                self._ignore(conn)
                coming.waits = True
                self._longs.append(conn)
                self._next_long()

    def _refuse(self, conn: Any) -> None:
        del self._coming[conn]
        self._ignore(conn)
        with suppress(OSError):
            conn.sock.send(_TOO_LONG)
        self._leave(conn)

    def _next_long(self) -> None:
        while self._longs and self._long is None:
            conn = self._longs.popleft()
            if conn in self._coming:  # it was not let go meanwhile
                self._long = conn
                self._hand_over(conn)

    def _hand_over(self, conn: Any) -> None:
        coming = self._coming.pop(conn)
        self._ignore(conn)
        conn.init()
        conn.data_ready = True
        conn.parser.unreader.unread(bytes(coming.data))
        self.enqueue_req(conn)

    # -- its answer --

    def _keepalive_after(self, conn: Any, keepalive: Any) -> bool:
        """In the thread: what is still to come of a body that nobody wanted is not waited for there."""
        return bool(keepalive) and bool(conn.parser.finish_body(deadline=time.monotonic() + _DRAINED))

    def _send_on(self, conn: Any, fs: "Future[Any]") -> None:
        self._unread[conn] = _Unread(fs, time.monotonic() + STALLED)
        self._watch(conn, EVENT_WRITE, self._taken)
        while len(self._unread) > UNREAD or sum(one.sock.held for one in self._unread) > HELD:
            self._let_go(max(self._unread, key=lambda one: int(one.sock.unsent)))

    def _taken(self, conn: Any, _sock: Any) -> None:
        try:
            conn.sock.send_on()
        except OSError:
            self._let_go(conn)
            return
        unread = self._unread[conn]
        unread.until = time.monotonic() + STALLED
        if not conn.sock.unsent:
            del self._unread[conn]
            self._ignore(conn)
            self.finish_request(conn, unread.then)

    def _keep(self, conn: Any, fs: "Future[Any]") -> None:
        ahead = (
            conn.parser.unreader.take_buffered()
        )  # of the next request, where one was sent behind the other
        if ahead:
            self._gather(conn, ahead)
        else:
            super().finish_request(conn, fs)

    def _leave(self, conn: Any) -> None:
        """Say that nothing more comes, and wait for the other side to close."""
        if len(self._leaving) >= LEAVING:
            self._let_go(next(iter(self._leaving)))
        self._leaving[conn] = time.monotonic() + _LINGER
        try:
            conn.sock.shutdown(SHUT_WR)
        except OSError:
            self._let_go(conn)
            return
        self._watch(conn, EVENT_READ, self._left)

    def _left(self, conn: Any, _sock: Any) -> None:
        try:
            gone = not conn.sock.recv(LONGEST)
        except BlockingIOError:
            return
        except OSError:
            gone = True
        if gone:
            self._let_go(conn)

    # -- any connection --

    def _watch(self, conn: Any, event: int, then: Any) -> None:
        conn.sock.setblocking(False)  # noqa: FBT003 - as Python named it
        self.poller.register(conn.sock, event, partial(then, conn))

    def _ignore(self, conn: Any) -> None:
        with suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)

    def _let_go(self, conn: Any) -> None:
        for those in (self._coming, self._unread, self._leaving):
            those.pop(conn, None)
        self._ignore(conn)
        self.nr_conns -= 1
        conn.close()
