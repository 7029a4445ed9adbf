"""Whether the hotline can run in this place: its folder, the disk under it, its port."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gateway.errors import GatewayError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""What the system says when there is no room left."""
_SPACE_NEEDED: Final = 4_000_000
_SPACE_AT_FIRST: Final = 64_000_000  # tables, the sounds twice, Valkey's file
_CHUNK: Final = 65_536


class Trouble(GatewayError):  # noqa: N818 - named like its siblings in gateway.errors
    """The start cannot go on: one line for the person at the screen, and the exit code."""

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.code = code


@contextmanager
def held(data_dir: Path) -> Iterator[None]:
    """Make the data folder, try that it can be written, and keep a second start away from it."""
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(data_dir / "up.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise Trouble(
            f"{data_dir} cannot be written: choose another folder with HOTLINE_DATA_DIR.", os.EX_CANTCREAT
        ) from error
    try:
        _lock(lock, data_dir)
        _try_space(lock)
        if not any(data_dir.glob("*.db")) and _free(data_dir) < _SPACE_AT_FIRST:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        yield
    finally:
        os.close(lock)


def _lock(file: int, data_dir: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Trouble(f"The hotline of {data_dir} is already running.", os.EX_TEMPFAIL) from error


def _try_space(file: int) -> None:
    try:
        missing = _SPACE_NEEDED
        while missing > 0:
            missing -= os.write(file, bytes(min(missing, _CHUNK)))
        os.fsync(file)
    finally:
        with suppress(OSError):
            os.ftruncate(file, 0)


def _free(folder: Path) -> int:
    there = os.statvfs(folder)
    return there.f_bavail * there.f_frsize


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError as error:
            raise Trouble(
                f"Port {port} needs root: choose one above 1023 with --port.", os.EX_NOPERM
            ) from error
        except OSError as error:
            raise Trouble(
                f"Port {port} is in use: end what uses it, or choose another with --port.", os.EX_UNAVAILABLE
            ) from error
