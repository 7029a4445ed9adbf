"""Seals numbers and notes under keys that can be destroyed, and finds numbers without knowing them.

The root key (workers only) guards the private half of the dialling pair; the web key guards the rest. Each
subject, a contact or a counselor's account, has two keys of its own in the keystore: one for its number,
sealed to the dialling pair's public half so that the web cannot open it again, and one for its notes.
"""

import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, NoReturn, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.clock import DemoClock, SystemClock
from gateway.errors import BadSeal, KeyDestroyed, KeystoreDown, SettingsError, VaultLocked
from gateway.keystore import Keystore
from gateway.phone import Msisdn
from gateway.settings import Settings

_VERSION: Final = b"\x01"
_NONCE: Final = 12
_NUMBER_LENGTH: Final = 16  # the longest E.164 form; a shorter number must not show by its length
_NOTE_STEP: Final = 64  # bytes; a note shows only roughly how long it is
_SEALED_BOX: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Place(NamedTuple):
    """Where a sealed value is kept; anywhere else it does not open."""

    table: str
    column: str
    row: str


@dataclass(frozen=True, slots=True, repr=False)
class _Installation:
    """What every process holds once it has read the keystore; fixed until a wipe."""

    index_key: bytes
    digest_key: bytes
    here: AESGCM
    dialling: X25519PublicKey


@final
class NewSubject:
    """A subject whose number can still be sealed: only in the breath in which its keys were made."""

    __slots__ = ("_number_key", "_subject")

    def __init__(self, subject: str, number_key: bytes) -> None:
        self._subject = subject
        self._number_key = number_key

    def seal_number(self, place: Place, msisdn: Msisdn) -> bytes:
        plain = msisdn.reveal("seal").encode("ascii").ljust(_NUMBER_LENGTH, b"\0")
        return _seal(AESGCM(self._number_key), ("number", self._subject, *place), plain)

    def __repr__(self) -> str:
        return "NewSubject(hidden)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys do not serialise")

    __getstate__ = __reduce__


@dataclass(slots=True, repr=False)
class _Cache:
    installation: _Installation | None = None
    dialling_private: X25519PrivateKey | None = None


@final
class Vault:
    """Safe to share between threads and across forks; every method that needs a key may raise KeystoreDown.

    A sealed value that was moved to another place, changed, or sealed elsewhere raises BadSeal.
    """

    def __init__(self, settings: Settings, clock: SystemClock | DemoClock) -> None:
        self._keystore = Keystore(settings.keystore_url)
        self._clock = clock
        self._web_kek = _derived(settings.web_key, "web-kek")
        self._root_kek = None if settings.root_key is None else _derived(settings.root_key, "root-kek")
        self._cache = _Cache()

    @classmethod
    def prepare(cls, settings: Settings) -> None:
        """Make the installation's keys, once; run when releasing, by a process that holds the root key.

        Run again it changes nothing. Raises SettingsError if the keys given do not open what is there.
        """
        if settings.root_key is None:
            raise VaultLocked("preparing the keystore needs the root key")
        web, root = _derived(settings.web_key, "web-kek"), _derived(settings.root_key, "root-kek")
        pair = X25519PrivateKey.generate()
        made = {
            "index_key": _seal(web, ("meta", "index_key"), secrets.token_bytes(32)),
            "dialling_public": _seal(web, ("meta", "dialling_public"), pair.public_key().public_bytes_raw()),
            "dialling_private": _seal(root, ("meta", "dialling_private"), pair.private_bytes_raw()),
        }
        vault = cls(settings, SystemClock())
        try:
            vault._keystore.build(made)
            faults = vault.faults()
        finally:
            vault.close()
        if faults:
            raise SettingsError(faults)

    @property
    def locked(self) -> bool:
        """Whether stored numbers stay shut in this process, for want of the root key."""
        return self._root_kek is None

    def faults(self) -> tuple[str, ...]:
        """Tell, a line each, which keys of the settings do not open this keystore."""
        meta = self._keystore.meta()
        tests = [
            ("HOTLINE_WEB_KEY", "index_key", self._web_kek),
            ("HOTLINE_WEB_KEY", "dialling_public", self._web_kek),
        ]
        if self._root_kek is not None:
            tests.append(("HOTLINE_ROOT_KEY", "dialling_private", self._root_kek))
        wrong = [setting for setting, name, kek in tests if not _opens(kek, name, meta)]
        return tuple(f"{setting}: does not open this keystore" for setting in dict.fromkeys(wrong))

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
        return hmac.digest(self._installation().digest_key, _joined((kind, value)), "sha256")[:16]

    def create_keys(self, subject: str) -> NewSubject:
        """Make a subject's two keys, committed to the keystore on return; ValueError if it has some.

        What is returned seals the number, now; afterwards this process cannot open it. It is a subject's
        only number: one with a new number is a new subject.
        """
        number_key, note_key = secrets.token_bytes(32), secrets.token_bytes(32)
        self._keystore.add(
            subject,
            number_key=_SEALED_BOX.encrypt(
                number_key, self._installation().dialling, info=_joined(("number-key", subject))
            ),
            note_key=_seal(self._web_kek, ("note-key", subject), note_key),
            hour=_hour(self._clock.now()),
        )
        return NewSubject(subject, number_key)

    def open_number(self, subject: str, place: Place, sealed: bytes) -> Msisdn:
        """Open a stored number, in a process with the root key only: VaultLocked, KeyDestroyed."""
        private = self._dialling_private()
        box = self._keystore.number_key(subject)
        if box is None:
            raise KeyDestroyed("the subject was forgotten")
        try:
            number_key = _SEALED_BOX.decrypt(box, private, info=_joined(("number-key", subject)))
        except InvalidTag:
            raise BadSeal("the subject's number key is not its own") from None
        plain = _open(AESGCM(number_key), ("number", subject, *place), sealed)
        return Msisdn.restored(plain.rstrip(b"\0").decode("ascii"))

    def seal_note(self, subject: str, place: Place, text: str) -> bytes:
        """Seal a note or a message; KeyDestroyed once the subject was forgotten."""
        return _seal(self._note_key(subject), ("note", subject, *place), _padded(text))

    def open_note(self, subject: str, place: Place, sealed: bytes) -> str:
        return _unpadded(_open(self._note_key(subject), ("note", subject, *place), sealed))

    def open_notes(self, notes: Sequence[tuple[str, Place, bytes]]) -> list[str | None]:
        """Open a page of (subject, place, sealed) in one reading of the keystore; None where forgotten."""
        boxes = self._keystore.note_keys({subject for subject, _, _ in notes})
        keys = {subject: self._unwrapped(subject, box) for subject, box in boxes.items()}
        return [
            _unpadded(_open(keys[subject], ("note", subject, *place), sealed)) if subject in keys else None
            for subject, place, sealed in notes
        ]

    def seal_here(self, place: Place, data: bytes) -> bytes:
        """Seal under the installation's own key: for rows that soon go, and belong to nobody yet."""
        return _seal(self._installation().here, ("here", *place), data)

    def open_here(self, place: Place, sealed: bytes) -> bytes:
        return _open(self._installation().here, ("here", *place), sealed)

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

    def _installation(self) -> _Installation:
        if self._cache.installation is None:
            meta = self._keystore.meta()
            if not (
                _opens(self._web_kek, "index_key", meta) and _opens(self._web_kek, "dialling_public", meta)
            ):
                raise KeystoreDown("the keystore is not prepared, or not for this web key")
            index_key = _open(self._web_kek, ("meta", "index_key"), meta["index_key"])
            public = _open(self._web_kek, ("meta", "dialling_public"), meta["dialling_public"])
            self._cache.installation = _Installation(
                index_key=_hkdf(index_key, "index"),
                digest_key=_hkdf(index_key, "digest"),
                here=_derived(index_key, "here"),
                dialling=X25519PublicKey.from_public_bytes(public),
            )
        return self._cache.installation

    def _dialling_private(self) -> X25519PrivateKey:
        if self._root_kek is None:
            raise VaultLocked("this process holds no root key")
        if self._cache.dialling_private is None:
            meta = self._keystore.meta()
            if not _opens(self._root_kek, "dialling_private", meta):
                raise KeystoreDown("the keystore is not prepared, or not for this root key")
            raw = _open(self._root_kek, ("meta", "dialling_private"), meta["dialling_private"])
            self._cache.dialling_private = X25519PrivateKey.from_private_bytes(raw)
        return self._cache.dialling_private

    def _note_key(self, subject: str) -> AESGCM:
        box = self._keystore.note_keys([subject]).get(subject)
        if box is None:
            raise KeyDestroyed("the subject was forgotten")
        return self._unwrapped(subject, box)

    def _unwrapped(self, subject: str, box: bytes) -> AESGCM:
        return AESGCM(_open(self._web_kek, ("note-key", subject), box))


def _hkdf(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"hotline/vault/1/" + purpose.encode()).derive(key)


def _derived(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(_hkdf(key, purpose))


def _joined(parts: Iterable[str]) -> bytes:
    """Join so that no two different lists give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4) + part for part in encoded)


def _seal(key: AESGCM, context: tuple[str, ...], plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + nonce + key.encrypt(nonce, plain, _VERSION + _joined(context))


def _open(key: AESGCM, context: tuple[str, ...], sealed: bytes) -> bytes:
    try:
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        return key.decrypt(nonce, rest, version + _joined(context))
    except (InvalidTag, ValueError):  # ValueError: too short for a nonce
        raise BadSeal("a sealed value is not of this place, or was changed") from None


def _opens(kek: AESGCM, name: str, meta: dict[str, bytes]) -> bool:
    try:
        _open(kek, ("meta", name), meta.get(name, b""))
    except BadSeal:
        return False
    return True


def _padded(text: str) -> bytes:
    data = text.encode() + b"\x80"
    return data + bytes(-len(data) % _NOTE_STEP)


def _unpadded(data: bytes) -> str:
    return data.rstrip(b"\0")[:-1].decode()


def _hour(instant: datetime) -> int:
    return int(instant.timestamp() // 3600)
