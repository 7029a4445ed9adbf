"""How bytes are sealed: AES-GCM bound to a context, and boxes to a public key that only its private half opens."""

import secrets
from collections.abc import Iterable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from gateway.errors import BadSeal

_VERSION: Final = b"\x01"
_NONCE: Final = 12
_BOX: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def hkdf(key: bytes, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"hotline/vault/1/" + purpose.encode()).derive(key)


def derived(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(hkdf(key, purpose))


def joined(parts: Iterable[str]) -> bytes:
    """Join so that no two different lists give the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4) + part for part in encoded)


def seal(key: AESGCM, context: tuple[str, ...], plain: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE)
    return _VERSION + nonce + key.encrypt(nonce, plain, _VERSION + joined(context))


def unseal(key: AESGCM, context: tuple[str, ...], sealed: bytes) -> bytes:
    """Raises `BadSeal` for another key, another context, or changed bytes."""
    try:
        version, nonce, rest = sealed[:1], sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :]
        return key.decrypt(nonce, rest, version + joined(context))
    except (InvalidTag, ValueError):  # ValueError: too short for a nonce
        raise BadSeal("a sealed value is not of this place, or was changed") from None


def opens(key: AESGCM, context: tuple[str, ...], sealed: bytes) -> bool:
    try:
        unseal(key, context, sealed)
    except BadSeal:
        return False
    return True


def box(public: X25519PublicKey, context: tuple[str, ...], plain: bytes) -> bytes:
    """Whoever boxes cannot open it again."""
    return _BOX.encrypt(plain, public, info=joined(context))


def unbox(private: X25519PrivateKey, context: tuple[str, ...], boxed: bytes) -> bytes:
    """Raises `BadSeal` for another pair, another context, or changed bytes."""
    try:
        return _BOX.decrypt(boxed, private, info=joined(context))
    except (InvalidTag, ValueError):
        raise BadSeal("a box is not of this place, or was changed") from None
