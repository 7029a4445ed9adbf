"""The folder that sounds are kept in."""

import hashlib
import os
import re
import tempfile
from pathlib import Path


class Shelf:
    """A folder of sounds named by the hash of their bytes: a cache, shared by every process of a host."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes, suffix: str = "wav", *, made_of: str = "") -> str:
        """Keep `data` and return its SHA-256 in hex, or keep it under the hash of what it was `made_of`.

        A reader never sees half a file.
        """
        name = made_of or hashlib.sha256(data).hexdigest()
        target = self._file(name, suffix)
        if target.is_file():
            return name
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, prefix=".new-", delete=False) as draft:
            try:
                draft.write(data)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(target)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
        return name

    def path(self, name: str, suffix: str = "wav") -> Path | None:
        """Where the sound of this hash lies, or None; anything but a hash and a plain suffix is None."""
        if not re.fullmatch(r"[0-9a-f]{64}", name, re.ASCII):
            return None
        found = self._file(name, suffix)
        return found if found.is_file() else None

    def _file(self, name: str, suffix: str) -> Path:
        if not re.fullmatch(r"[a-z0-9]{1,5}", suffix, re.ASCII):
            raise ValueError(f"not a file suffix: {suffix!r}")
        return self._folder / f"{name}.{suffix}"
