"""`Runtime`: everything a use case needs, wired in one place; nothing connects before it is used."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

from gateway.carriers import registry
from gateway.carriers.base import Carrier
from gateway.clock import DemoClock, SystemClock
from gateway.editions import FRESH, Edition, Editions
from gateway.errors import StoreDown
from gateway.phone import Msisdn
from gateway.queue import JobQueue
from gateway.settings import Settings
from gateway.store import audit, scripts
from gateway.store.database import Database
from gateway.store.sounds import PromptSound
from gateway.tallies import Tallies
from gateway.typed_key import TypedKey
from gateway.vault import Vault
from prompts.library import Library
from prompts.shelf import Shelf

Clock = SystemClock | DemoClock


class Voices:
    """Which sound stands for which wording: read from the database now and then, and kept while that is down."""

    def __init__(self, database: Database, copy: Path) -> None:
        self._database = database
        self._copy = copy  # for a start while the database is down
        self._known: Mapping[tuple[str, str, str], PromptSound] = {}
        self._captions: Mapping[str, PromptSound] = {}
        self._sought: set[tuple[str, str, str]] = set()
        self._read_at = float("-inf")

    def sound(self, language: str, key: str, text_hash: str) -> PromptSound | None:
        """A wording that was never sought before may be of a version published a moment ago: then look at once."""
        self._refresh()
        wording = (language, key, text_hash)
        if wording not in self._known and wording not in self._sought:
            self._sought.add(wording)
            self.forget()
            self._refresh()
        return self._known.get(wording)

    def spoken_by(self, hash_: str) -> PromptSound | None:
        """Which wording a sound stands for: for captions."""
        self._refresh()
        return self._captions.get(hash_)

    def forget(self) -> None:
        """Read again at the next question: a sound was approved here."""
        self._read_at = float("-inf")

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at < FRESH and self._known:
            return
        self._read_at = now
        try:
            with self._database.read() as session:
                found = scripts.heard(session)
        except StoreDown:
            if self._known or not self._copy.exists():
                return
            found = [PromptSound(**one) for one in json.loads(self._copy.read_bytes())]
        known = {(one.language, one.key, one.text_hash): one for one in found}
        if known != self._known:
            self._known = known
            self._captions = {one.sound: one for one in found}
            self._keep_copy(found)

    def _keep_copy(self, found: list[PromptSound]) -> None:
        whole = json.dumps([asdict(one) for one in found])
        fresh = self._copy.with_suffix(f".{secrets.token_hex(4)}")
        try:
            fresh.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(whole)
            fresh.replace(self._copy)
        except OSError:  # a full disk must not keep a call from being answered
            fresh.unlink(missing_ok=True)


HALT: Final = "halt"
"""The switch of the lock; its value says who locked, or `RUNS`."""
RUNS: Final = "runs"


OFF_AT_FIRST: Final = frozenset({"programme_calls", "programme_texts"})
"""A coordinator turns these on: they reach out to people."""


class Switches:
    """What people turned on and off, at most a few seconds old."""

    def __init__(self, database: Database, features: frozenset[str]) -> None:
        self._database = database
        self._features = features
        self._turned: Mapping[str, str] = {}
        self._read_at = float("-inf")

    def on(self, feature: str) -> bool:
        """Whether an optional feature is named in the settings, and turned on in the console where that is needed."""
        usual = "off" if feature in OFF_AT_FIRST else "on"
        turned = self._now().get(feature, usual) == "on"
        return feature in self._features and turned and not self.halted  # locked, nothing optional goes on

    @property
    def halted(self) -> bool:
        """Whether somebody, or nobody's sign of life, locked the hotline."""
        return self._now().get(HALT, "") not in ("", RUNS)

    def _now(self) -> Mapping[str, str]:
        now = time.monotonic()
        if now - self._read_at >= FRESH:
            self._read_at = now
            try:
                with self._database.read() as session:
                    self._turned = audit.switched(session)
            except StoreDown:
                pass
        return self._turned

    def forget(self) -> None:
        """Read again at the next question: somebody has just turned one here."""
        self._read_at = float("-inf")


@dataclass(frozen=True, slots=True)
class Runtime:
    """One object of connections, passed on; nothing is global."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    queue: JobQueue
    editions: Editions
    shelf: Shelf
    carrier: Carrier
    voices: Voices
    switches: Switches
    our_lines: Mapping[bytes, Msisdn] = field(repr=False)
    tallies: Tallies = field(default_factory=Tallies, repr=False)
    pinned: Edition | None = None

    @property
    def edition(self) -> Edition:
        """The version of the content that the call in hand began with; else the running one."""
        return self.pinned or self.editions.now()

    @property
    def library(self) -> Library:
        return self.edition.library

    def at(self, edition: Edition) -> "Runtime":
        """The same, for a call that goes on with this version whatever is published meanwhile."""
        return self if edition is self.pinned else replace(self, pinned=edition)

    def sound(self, language: str, key: str) -> PromptSound | None:
        """The sound of a wording of this version."""
        hash_ = self.edition.hashes.get((language, key))
        return None if hash_ is None else self.voices.sound(language, key, hash_)

    @staticmethod
    def new_id() -> str:
        """Opaque, and safe in a URL and as a job's id."""
        return secrets.token_hex(8)

    def counselors_line(self) -> Msisdn:
        """A number of the counselors' pool, any of them, so that one number's records are not all of it."""
        return secrets.choice(self.settings.counselor_numbers)

    def after_fork(self) -> None:
        self.database.after_fork()


def build_runtime(settings: Settings, *, busy: float = 1.5, typed: bool = False) -> Runtime:
    """Wire everything; `busy` is how long a database writer waits (1.5 s on the web, 5 s in workers).

    `typed`: a root key that `hotline unseal` was given counts, too; never on the web.
    """
    clock: Clock = DemoClock(settings.data_dir / "clock.json") if settings.mode == "demo" else SystemClock()
    database = Database(settings.database_url, busy=busy)
    vault = Vault(settings, clock, typed=TypedKey(settings.data_dir)) if typed else Vault(settings, clock)
    return Runtime(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        queue=JobQueue(settings.redis_url),
        editions=Editions(database, settings.data_dir / "content"),
        shelf=Shelf(settings.data_dir / "shelf"),
        carrier=registry.build("twilio", settings),
        voices=Voices(database, settings.data_dir / "shelf" / "prompts.json"),
        switches=Switches(database, settings.features),
        our_lines=_Lines(
            vault, (*settings.numbers, *settings.missed_call_numbers, *settings.counselor_numbers)
        ),
    )


class _Lines(Mapping[bytes, Msisdn]):
    """Our own numbers by their index, computed when first asked: the keystore may not be there at start."""

    def __init__(self, vault: Vault, numbers: Sequence[Msisdn]) -> None:
        self._vault = vault
        self._numbers = numbers
        self._found: dict[bytes, Msisdn] = {}

    def _all(self) -> dict[bytes, Msisdn]:
        if not self._found:
            self._found = {self._vault.index(number): number for number in self._numbers}
        return self._found

    def __getitem__(self, index: bytes) -> Msisdn:
        return self._all()[index]

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - Mapping's own signature
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._numbers)
