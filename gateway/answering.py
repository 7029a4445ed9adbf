"""A connection that takes all of an answer at once, so that whoever reads it slowly keeps no thread waiting.

What the other side does not take yet stays here, and the loop of `gateway/gathering.py` sends it on. A file is not
read for that: it stays open, and the kernel sends from it.
"""

import os
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from socket import socket
from typing import Any, Final

_AT_A_TIME: Final = 1 << 20  # bytes of a file; then the loop looks at others


@dataclass(slots=True)
class _Bytes:
    left: memoryview

    def send(self, to: int) -> int:
        sent = os.write(to, self.left)
        self.left = self.left[sent:]
        return len(self.left)

    def close(self) -> None:
        self.left.release()


@dataclass(slots=True)
class _Part:
    """Of a file, from a descriptor of our own."""

    file: int
    at: int
    count: int

    def send(self, to: int) -> int:
        sent = os.sendfile(to, self.file, self.at, min(self.count, _AT_A_TIME))
        if not sent:
            raise OSError("the file became shorter")
        self.at += sent
        self.count -= sent
        return self.count

    def close(self) -> None:
        os.close(self.file)


class Unhurried(socket):
    """In place of the socket that was accepted. One thread at a time has it, as gunicorn does."""

    def __init__(self, accepted: socket) -> None:
        super().__init__(fileno=accepted.detach())
        self._unsent: deque[_Bytes | _Part] = deque()

    def sendall(self, data: Any, flags: int = 0, /) -> None:  # noqa: ARG002 - the socket's signature
        if data:
            self._unsent.append(_Bytes(memoryview(data)))
            self.send_on()

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        size = os.fstat(file.fileno()).st_size - offset if count is None else count
        self._unsent.append(_Part(os.dup(file.fileno()), offset, size))
        self.send_on()
        return size

    def send_on(self) -> None:
        """As much as the other side takes now; a time-out makes Python's sockets such that this never waits.

        Raises `OSError` where the other side is gone.
        """
        with suppress(BlockingIOError):
            while self._unsent:
                if not self._unsent[0].send(self.fileno()):
                    self._unsent.popleft().close()

    @property
    def unsent(self) -> int:
        """Bytes that the other side has not taken."""
        return sum(len(one.left) if isinstance(one, _Bytes) else one.count for one in self._unsent)

    @property
    def held(self) -> int:
        """Those of them that lie in memory."""
        return sum(len(one.left) for one in self._unsent if isinstance(one, _Bytes))

    def close(self) -> None:
        while self._unsent:
            self._unsent.popleft().close()
        super().close()
