"""Which version of the content is running: asked of the database now and then, kept on disk while that is down."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

from gateway.errors import StoreDown
from gateway.logs import get
from gateway.store import scripts
from gateway.store.database import Database
from gateway.store.sounds import text_hash
from prompts import packs
from prompts.library import Library, PackError

FRESH: Final = 3.0  # seconds for which a process may go on with what it read
SHIPPED: Final = 0  # the number of the release's own pack, where nothing was ever published
_AT_HAND: Final = 8  # versions kept in memory, and packs on disk

_log = get(__name__)


@dataclass(frozen=True)
class Edition:
    """One version of the content, whole; `pack` is the hash of its files."""

    number: int
    pack: str
    library: Library

    @cached_property
    def hashes(self) -> Mapping[tuple[str, str], str]:
        """The text hash of each (language, key) that is spoken: it says which sound is the right one."""
        return {
            (language, key): text_hash(text)
            for language in self.library.languages
            for key, text in self.library.spoken(language).items()
        }


class Editions:
    """Every process of every host asks for itself, so that a new version runs everywhere within seconds.

    A version that this release's programs cannot read is never run: the one before goes on, or the release's own.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._shipped = _edition(SHIPPED, packs.packed(packs.shipped()))
        self._running: Edition | None = None
        self._known: dict[int, Edition] = {}
        self._unreadable: set[str] = set()
        self._read_at = float("-inf")

    @property
    def shipped(self) -> Edition:
        """The release's own pack."""
        return self._shipped

    def now(self) -> Edition:
        """The running version; at most a few seconds late."""
        moment = time.monotonic()
        if moment - self._read_at >= FRESH:
            self._read_at = moment  # first, so that the other threads go on meanwhile
            self._refresh()
        return self._running or self._shipped

    def numbered(self, number: int) -> Edition | None:
        """The version that a call began with; None where it cannot be had."""
        for at_hand in (self.now(), self._shipped):
            if at_hand.number == number:
                return at_hand
        known = self._known.get(number)
        if known is not None:
            return known
        try:
            with self._database.read() as session:
                there = scripts.version(session, number)
        except StoreDown:
            return None
        return self._load(number, there.pack) if there else None

    def forget(self) -> None:
        """Look again at the next question: somebody has just published here."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        try:
            with self._database.read() as session:
                published = scripts.published(session)
        except StoreDown:
            if self._running is None:
                self._running = self._from_disk()
            return
        if published is None:
            self._running = None
            return
        here = self._running
        if here is None or (here.number, here.pack) != published:
            found = self._load(*published)
            if found is not None:
                self._running = found
                self._write("running.json", json.dumps(published).encode())

    def _load(self, number: int, pack: str) -> Edition | None:
        if pack in self._unreadable:
            return None
        known = self._known.get(number)
        if known is None or known.pack != pack:
            known = self._read(number, pack)
        if known is not None:
            others = [one for one in self._known.items() if one[0] != number]
            self._known = dict([*others[1 - _AT_HAND :], (number, known)])  # anew: other threads are reading
        return known

    def _read(self, number: int, pack: str) -> Edition | None:
        if pack == self._shipped.pack:
            return Edition(number, pack, self._shipped.library)
        files = self._kept(pack)
        if files is None:
            try:
                with self._database.read() as session:
                    files = scripts.pack(session, pack)
            except StoreDown:
                return None
            if files is None:
                return None
            self._write(f"{pack}.json", files)
        try:
            return _edition(number, files)
        except PackError as error:
            self._unreadable.add(pack)
            _log.error("content_unusable", error=type(error).__name__)
            return None

    # --- this host's copy -----------------------------------------------------------------------------

    def _from_disk(self) -> Edition | None:
        try:
            number, pack = json.loads((self._folder / "running.json").read_bytes())
        except (OSError, ValueError):
            return None
        return self._load(number, pack)

    def _kept(self, pack: str) -> bytes | None:
        try:
            files = (self._folder / f"{pack}.json").read_bytes()
        except OSError:
            return None
        return files if packs.name_of(files) == pack else None

    def _write(self, name: str, data: bytes) -> None:
        fresh = self._folder / f".{secrets.token_hex(4)}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(data)
            fresh.replace(self._folder / name)
            kept = sorted(self._folder.glob("????*.json"), key=lambda file: file.stat().st_mtime)
            for old in [file for file in kept if file.name != "running.json"][:-_AT_HAND]:
                old.unlink(missing_ok=True)
        except OSError:  # a full disk must not keep a call from being answered
            fresh.unlink(missing_ok=True)


def _edition(number: int, pack: bytes) -> Edition:
    return Edition(number, packs.name_of(pack), _library(pack))


@lru_cache(maxsize=8)
def _library(pack: bytes) -> Library:
    return Library.read(packs.unpacked(pack))
