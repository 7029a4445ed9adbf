"""A content pack as one value: its TOML files by name, packed into bytes that a hash names."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from prompts.errors import ContentError

Files = Mapping[str, bytes]
"""TOML files by their names in the pack, for example `my/texts.toml`."""

SHIPPED = Path(__file__).parent


def read_folder(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted([*folder.glob("*.toml"), *folder.glob("*/*.toml")])
    }


@cache
def shipped() -> Files:
    """The pack that came with this release."""
    return read_folder(SHIPPED)


def packed(files: Files) -> bytes:
    """The same bytes for the same files. Raises ContentError where a file is not UTF-8 text."""
    try:
        texts = {name: data.decode() for name, data in files.items()}
    except UnicodeDecodeError as error:
        raise ContentError("a content file is not UTF-8 text") from error
    return json.dumps(texts, ensure_ascii=False, sort_keys=True).encode()


def unpacked(pack: bytes) -> dict[str, bytes]:
    return {name: text.encode() for name, text in json.loads(pack).items()}


def name_of(pack: bytes) -> str:
    """The hash that names a packed pack."""
    return hashlib.sha256(pack).hexdigest()
