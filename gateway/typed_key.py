"""A root key that was typed at start: kept in this host's memory for its workers, never on a disk.

It lies in a file of a memory file system (`/dev/shm`), readable by its owner only, and is gone when the host is
switched off. Several workers of one host share it; each host is told by itself.
"""

import hashlib
import os
import stat
from pathlib import Path
from typing import Final

from gateway.errors import SettingsError
from gateway.settings import typed_root_key

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a memory file system is what is wanted; the folder is checked
_MOUNTS: Final = Path("/proc/mounts")


class TypedKey:
    """One installation's place on one host; `data_dir` says which installation. Called, it gives the key or None."""

    def __init__(self, data_dir: Path, memory: Path = MEMORY) -> None:
        self.name = hashlib.sha256(str(data_dir.absolute()).encode()).hexdigest()[:16]
        self._memory = memory
        self._folder = memory / f"notes-{os.getuid()}-{self.name}"
        self._file = self._folder / "key"

    def __call__(self) -> bytes | None:
        try:
            if not _is_ours(self._folder):
                return None
            return typed_root_key(self._file.read_text(encoding="ascii").strip())
        except (OSError, ValueError, SettingsError):
            return None

    def keep(self, typed: str) -> None:
        """Keep it until the host is switched off. Raises `SettingsError` where no memory file system is to be had."""
        if not _in_memory(self._memory):
            fault = f"{self._memory} is not in memory here, and a key is not to reach a disk"
            raise SettingsError((f"{fault}: use HOTLINE_ROOT_KEY_FILE",))
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not _is_ours(self._folder):
            raise SettingsError((f"{self._folder} belongs to somebody else: look who made it",))
        fresh = self._folder / f".{os.getpid()}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(typed)
        fresh.replace(self._file)

    def drop(self) -> bool:
        """Overwrite and remove it; False where there was none."""
        try:
            with self._file.open("r+b") as there:
                there.write(b"\0" * os.fstat(there.fileno()).st_size)
            self._file.unlink()
            self._folder.rmdir()
        except OSError:
            return False
        return True


def _is_ours(folder: Path) -> bool:
    """A folder of our own that nobody else can look into, and no link to somewhere else."""
    try:
        there = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(there.st_mode) and there.st_uid == os.getuid() and not there.st_mode & 0o077


def _in_memory(folder: Path) -> bool:
    """Whether the folder stands in a tmpfs, as far as the kernel says."""
    try:
        mounts = [line.split() for line in _MOUNTS.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return False
    here = str(folder.resolve())
    over = [
        (point, kind)
        for _, point, kind, *_ in mounts
        if here == point or here.startswith(f"{point.rstrip('/')}/")
    ]
    return bool(over) and max(over, key=lambda one: len(one[0]))[1] in {"tmpfs", "ramfs"}
