"""Seals numbers and notes under keys that can be destroyed, and finds numbers without knowing them.

The root key (workers only) guards the private half of the dialling pair; the web key guards the rest. Each
subject, a contact or a counselor's account, has two keys of its own in the keystore: one for its number,
sealed to the dialling pair's public half so that the web cannot open it again, and one for its notes.
"""

import hmac
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple, NoReturn, final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.clock import DemoClock, SystemClock
from gateway.errors import BadSeal, KeyDestroyed, KeystoreDown, SettingsError, VaultLocked
from gateway.keystore import Keystore
from gateway.phone import Msisdn
from gateway.sealing import box, derived, hkdf, joined, seal, unbox, unseal
from gateway.settings import Settings
from gateway.wrapping import (
    ROOT,
    WEB,
    RootSide,
    WebSide,
    is_old,
    root_kek,
    root_side,
    sealed_meta,
    web_kek,
    web_side,
)

_NUMBER_LENGTH: Final = 16  # the longest E.164 form; a shorter number must not show by its length
_NOTE_STEP: Final = 64  # bytes; a note shows only roughly how long it is

RootKey = Callable[[], bytes | None]


class Place(NamedTuple):
    """Where a sealed value is kept; anywhere else it does not open."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True, repr=False)
class _Installation:
    """What every process works with once it has read the keystore; only the wrapping ever changes."""

    wrapping: WebSide
    index_key: bytes
    digest_key: bytes
    here: AESGCM

    @classmethod
    def of(cls, wrapping: WebSide) -> "_Installation":
        key = wrapping.index_key
        return cls(wrapping, hkdf(key, "index"), hkdf(key, "digest"), derived(key, "here"))


@final
class NewSubject:
    """A subject whose number can still be sealed: only in the breath in which its keys were made."""

    __slots__ = ("_number_key", "_subject")

    def __init__(self, subject: str, number_key: bytes) -> None:
        self._subject = subject
        self._number_key = number_key

    def seal_number(self, place: Place, msisdn: Msisdn) -> bytes:
        plain = msisdn.reveal("seal").encode("ascii").ljust(_NUMBER_LENGTH, b"\0")
        return seal(AESGCM(self._number_key), ("number", self._subject, *place), plain)

    def __repr__(self) -> str:
        return "NewSubject(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not serialise")

    __getstate__ = __reduce__


@dataclass(slots=True, repr=False)
class _Cache:
    installation: _Installation | None = None
    privates: RootSide | None = None
    web_keys: list[bytes] = field(default_factory=list)  # the settings' own, and what the bridge gave


@final
class Vault:
    """Safe to share between threads and across forks; every method that needs a key may raise KeystoreDown.

    A sealed value that was moved to another place, changed, or sealed elsewhere raises BadSeal. `typed` gives the
    root key that somebody typed since this process began; it is asked only where the settings hold none.
    """

    def __init__(
        self, settings: Settings, clock: SystemClock | DemoClock, *, typed: RootKey = lambda: None
    ) -> None:
        self._keystore = Keystore(settings.keystore_url)
        self._clock = clock
        self._given_root = settings.root_key
        self._typed = typed
        self._cache = _Cache(web_keys=[settings.web_key])

    @classmethod
    def prepare(cls, settings: Settings) -> None:
        """Make the installation's keys, once; run when releasing, by a process that holds the root key.

        Run again it changes nothing. Raises SettingsError if the keys given do not open what is there.
        """
        if settings.root_key is None:
            raise VaultLocked("preparing the keystore needs the root key")
        web, root = web_kek(settings.web_key), root_kek(settings.root_key)
        made = {"index_key": sealed_meta(web, "index_key", secrets.token_bytes(32))}
        made |= _pair("dialling", web, root)
        vault = cls(settings, SystemClock())
        try:
            vault._keystore.build(made | _pair("deletion", web, root))
            faults = vault.faults()
            if not faults and "deletion_public" not in vault._keystore.meta():
                vault._keystore.add_meta(_pair("deletion", web, root))  # of a keystore older than this pair
        finally:
            vault.close()
        if faults:
            raise SettingsError(faults)

    @property
    def locked(self) -> bool:
        """Whether stored numbers stay shut in this process, for want of the root key."""
        return self._root_key() is None

    def faults(self) -> tuple[str, ...]:
        """Tell, a line each, which keys of the settings do not open this keystore."""
        meta = self._keystore.meta()
        wrong = []
        if is_old(meta, self._cache.web_keys[0], "web", WEB[0]) is None:
            wrong.append("HOTLINE_WEB_KEY")
        root = self._root_key()
        if root is not None and is_old(meta, root, "root", ROOT[0]) is None:
            wrong.append("HOTLINE_ROOT_KEY")
        return tuple(f"{setting}: does not open this keystore" for setting in wrong)

    def index(self, msisdn: Msisdn) -> bytes:
        """Give the 16 bytes by which a number is found again; without the key they tell nothing of it."""
        number = msisdn.reveal("index").encode("ascii")
        return hmac.digest(self._installation().index_key, number, "sha256")[:16]

    def block_index(self, msisdn: Msisdn) -> bytes:
        """Give 16 bytes for the block of ten thousand numbers that this one is of: all but its last four digits."""
        block = msisdn.reveal("index")[:-4]
        return hmac.digest(self._installation().index_key, f"block {block}".encode("ascii"), "sha256")[:16]

    def digest(self, kind: str, value: str) -> bytes:
        """Give 16 bytes that stand for a provider's id, or any other value of that kind."""
        return hmac.digest(self._installation().digest_key, joined((kind, value)), "sha256")[:16]

    def create_keys(self, subject: str) -> NewSubject:
        """Make a subject's two keys, committed to the keystore on return; ValueError if it has some.

        What is returned seals the number, now; afterwards this process cannot open it. It is a subject's
        only number: one with a new number is a new subject.
        """
        number_key, note_key = secrets.token_bytes(32), secrets.token_bytes(32)
        wrapping = self._look_again().wrapping  # a key that is being replaced wraps nothing new
        self._keystore.add(
            subject,
            number_key=box(wrapping.dialling, ("number-key", subject), number_key),
            note_key=seal(wrapping.keks[0], ("note-key", subject), note_key),
            hour=_hour(self._clock.now()),
        )
        return NewSubject(subject, number_key)

    def open_number(self, subject: str, place: Place, sealed: bytes) -> Msisdn:
        """Open a stored number, in a process with the root key only: VaultLocked, KeyDestroyed."""
        boxed = self._keystore.number_key(subject)
        if boxed is None:
            raise KeyDestroyed("the subject was forgotten")
        return self._opened(subject, place, sealed, boxed)

    def open_numbers(self, numbers: Sequence[tuple[str, Place, bytes]]) -> list[Msisdn | None]:
        """Open several (subject, place, sealed) in one reading of the keystore; None for those that do not open."""
        boxes = self._keystore.number_keys({subject for subject, _, _ in numbers})
        found: list[Msisdn | None] = []
        for subject, place, sealed in numbers:
            try:
                found.append(self._opened(subject, place, sealed, boxes[subject]))
            except (KeyError, BadSeal):  # one that cannot be opened must not keep the others shut
                found.append(None)
        return found

    def _opened(self, subject: str, place: Place, sealed: bytes, boxed: bytes) -> Msisdn:
        privates = self._privates()
        try:
            number_key = _first(privates.dialling, ("number-key", subject), boxed)
        except BadSeal:  # sealed to a pair that was made since
            self._cache.privates = None
            number_key = _first(self._privates().dialling, ("number-key", subject), boxed)
        plain = unseal(AESGCM(number_key), ("number", subject, *place), sealed)
        return Msisdn.restored(plain.rstrip(b"\0").decode("ascii"))

    def list_for_deletion(self, place: Place, sid: str) -> bytes:
        """Seal a provider's id to the deletion list: any process may add to it, only a worker reads it."""
        return box(self._installation().wrapping.deletion, ("deletion", *place), sid.encode())

    def open_for_deletion(self, place: Place, sealed: bytes) -> str:
        return unbox(self._privates().deletion, ("deletion", *place), sealed).decode()

    def seal_note(self, subject: str, place: Place, text: str) -> bytes:
        """Seal a note or a message; KeyDestroyed once the subject was forgotten."""
        return seal(self._note_key(subject), ("note", subject, *place), _padded(text))

    def open_note(self, subject: str, place: Place, sealed: bytes) -> str:
        return _unpadded(unseal(self._note_key(subject), ("note", subject, *place), sealed))

    def open_notes(self, notes: Sequence[tuple[str, Place, bytes]]) -> list[str | None]:
        """Open a page of (subject, place, sealed) in one reading of the keystore; None where forgotten."""
        boxes = self._keystore.note_keys({subject for subject, _, _ in notes})
        keys = {subject: self._unwrapped(subject, box) for subject, box in boxes.items()}
        return [
            _unpadded(unseal(keys[subject], ("note", subject, *place), sealed)) if subject in keys else None
            for subject, place, sealed in notes
        ]

    def seal_here(self, place: Place, data: bytes) -> bytes:
        """Seal under the installation's own key: for rows that soon go, and belong to nobody yet."""
        return seal(self._installation().here, ("here", *place), data)

    def open_here(self, place: Place, sealed: bytes) -> bytes:
        return unseal(self._installation().here, ("here", *place), sealed)

    def destroy_keys(self, subject: str) -> None:
        """Make all that was sealed for this subject unreadable, for ever; again does nothing."""
        self._keystore.destroy([subject])

    def sweep_orphans(self, known: Iterable[str], older_than: datetime) -> int:
        """Destroy keys made before that hour for subjects that no row names; tells how many.

        `known` is best a query that begins when it is first read: that is after the candidates were listed,
        so nobody who came in between is swept. If it yields nobody, it is taken for a mistake and nothing
        is destroyed.
        """
        orphans = self._keystore.made_before(_hour(older_than))
        anybody = False
        for subject in known:
            anybody = True
            orphans.discard(subject)
        if not anybody:
            return 0
        self._keystore.destroy(orphans)
        return len(orphans)

    def close(self) -> None:
        """Close this process's connections to the keystore; they open again when they are needed."""
        self._keystore.close()

    def orphans(self, known: Iterable[str], older_than: datetime) -> int:
        """Count what `sweep_orphans` would destroy."""
        return len(self._keystore.made_before(_hour(older_than)) - set(known))

    def wipe(self) -> None:
        """Destroy every key there is; whatever was sealed opens nowhere again. Again does nothing."""
        self._keystore.wipe_meta()
        self._keystore.wipe_subjects()

    def rewrite(self) -> None:
        """Have a database server write the keystore's tables anew, without what was destroyed."""
        self._keystore.rewrite()

    def _root_key(self) -> bytes | None:
        return self._given_root or self._typed()

    def _installation(self) -> _Installation:
        return self._cache.installation or self._look_again()

    def _look_again(self) -> _Installation:
        """Read which keys wrap now; what was learned while they changed is kept, so that nothing breaks after."""
        known = self._cache.web_keys
        try:
            wrapping = web_side(self._keystore.meta(), known)
        except BadSeal:
            raise KeystoreDown("the keystore is not prepared, or not for this web key") from None
        known += [key for key in wrapping.keys if key not in known]
        there = self._cache.installation
        if there is None or there.wrapping.keys != wrapping.keys:
            there = self._cache.installation = _Installation.of(wrapping)
        return there

    def _privates(self) -> RootSide:
        root = self._root_key()
        if root is None:
            raise VaultLocked("this process holds no root key")
        if self._cache.privates is None:
            try:
                self._cache.privates = root_side(self._keystore.meta(), [root])
            except BadSeal:
                raise KeystoreDown("the keystore is not prepared, or not for this root key") from None
        return self._cache.privates

    def _note_key(self, subject: str) -> AESGCM:
        boxed = self._keystore.note_keys([subject]).get(subject)
        if boxed is None:
            raise KeyDestroyed("the subject was forgotten")
        return self._unwrapped(subject, boxed)

    def _unwrapped(self, subject: str, boxed: bytes) -> AESGCM:
        for installation in (self._installation, self._look_again):
            for kek in installation().wrapping.keks:
                try:
                    return AESGCM(unseal(kek, ("note-key", subject), boxed))
                except BadSeal:
                    continue
        raise BadSeal("the subject's note key is not its own")


def _pair(name: str, web: AESGCM, root: AESGCM) -> dict[str, bytes]:
    """A fresh pair: anybody may seal to its public half, only the root key opens the other."""
    pair = X25519PrivateKey.generate()
    public, private = f"{name}_public", f"{name}_private"
    return {
        public: sealed_meta(web, public, pair.public_key().public_bytes_raw()),
        private: sealed_meta(root, private, pair.private_bytes_raw()),
    }


def _first(privates: Sequence[X25519PrivateKey], context: tuple[str, ...], boxed: bytes) -> bytes:
    for private in privates:
        try:
            return unbox(private, context, boxed)
        except BadSeal:
            continue
    raise BadSeal("the subject's number key is not its own")


def _padded(text: str) -> bytes:
    data = text.encode() + b"\x80"
    return data + bytes(-len(data) % _NOTE_STEP)


def _unpadded(data: bytes) -> str:
    return data.rstrip(b"\0")[:-1].decode()


def _hour(instant: datetime) -> int:
    return int(instant.timestamp() // 3600)
