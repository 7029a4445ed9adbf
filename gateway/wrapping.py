"""Which keys wrap the installation's own: one root key and web key, or two of each while they are being changed.

While `hotline keys rotate` is under way the keystore holds a bridge: the new keys sealed under the old ones and
the old under the new, so that a process with either opens everything. Finished, the bridge is gone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.errors import BadSeal, KeystoreDown
from gateway.sealing import derived, opens, seal, unseal

Meta = Mapping[str, bytes]

WEB: Final = ("index_key", "dialling_public", "deletion_public")
ROOT: Final = ("dialling_private", "deletion_private")
NEXT: Final = "next_"
BRIDGE: Final = ("next_web", "next_root", "past_web", "past_root")


def web_kek(key: bytes) -> AESGCM:
    return derived(key, "web-kek")


def root_kek(key: bytes) -> AESGCM:
    return derived(key, "root-kek")


def sealed_meta(kek: AESGCM, name: str, plain: bytes) -> bytes:
    return seal(kek, ("meta", name), plain)


def open_meta(kek: AESGCM, name: str, meta: Meta) -> bytes:
    return unseal(kek, ("meta", name), meta.get(name, b""))


def opens_meta(kek: AESGCM, name: str, meta: Meta) -> bool:
    return opens(kek, ("meta", name), meta.get(name, b""))


@dataclass(frozen=True, slots=True, repr=False)
class WebSide:
    """What every process may hold. `keys` are the web keys that open what is there; the first one seals."""

    keys: tuple[bytes, ...]
    keks: tuple[AESGCM, ...]
    index_key: bytes
    dialling: X25519PublicKey
    deletion: X25519PublicKey


@dataclass(frozen=True, slots=True, repr=False)
class RootSide:
    """What only a worker holds: the private halves, the newest first."""

    keys: tuple[bytes, ...]
    dialling: tuple[X25519PrivateKey, ...]
    deletion: X25519PrivateKey


def web_side(meta: Meta, known: Sequence[bytes]) -> WebSide:
    """Read with the first of `known` that fits. Raises `KeystoreDown` where none does."""
    keys = _both(meta, known, "web", "index_key")
    keks = tuple(map(web_kek, keys))
    prefix = NEXT if len(keks) > 1 else ""
    public = open_meta(keks[0], f"{prefix}dialling_public", meta)
    deletion = open_meta(keks[0], f"{prefix}deletion_public", meta)
    return WebSide(
        keys=keys,
        keks=keks,
        index_key=open_meta(keks[0], f"{prefix}index_key", meta),
        dialling=X25519PublicKey.from_public_bytes(public),
        deletion=X25519PublicKey.from_public_bytes(deletion),
    )


def root_side(meta: Meta, known: Sequence[bytes]) -> RootSide:
    """Read with the first of `known` that fits. Raises `KeystoreDown` where none does."""
    keys = _both(meta, known, "root", "dialling_private")
    keks = tuple(map(root_kek, keys))
    names = (f"{NEXT}dialling_private", "dialling_private") if len(keks) > 1 else ("dialling_private",)
    prefix = NEXT if len(keks) > 1 else ""
    return RootSide(
        keys=keys,
        dialling=tuple(
            X25519PrivateKey.from_private_bytes(open_meta(kek, name, meta))
            for kek, name in zip(keks, names, strict=True)
        ),
        deletion=X25519PrivateKey.from_private_bytes(open_meta(keks[0], f"{prefix}deletion_private", meta)),
    )


def is_old(meta: Meta, key: bytes, side: str, name: str) -> bool | None:
    """Whether `key` is of the old side while keys change; True also where none change; None where it fits nothing."""
    kek = web_kek(key) if side == "web" else root_kek(key)
    if opens_meta(kek, name, meta):
        return True
    return False if opens_meta(kek, f"{NEXT}{name}", meta) else None


def _both(meta: Meta, known: Sequence[bytes], side: str, name: str) -> tuple[bytes, ...]:
    """The keys that open what is there, the newest first."""
    kek_of = web_kek if side == "web" else root_kek
    for key in known:
        old = is_old(meta, key, side, name)
        if old is None:
            continue
        try:
            if not old:
                return (key, open_meta(kek_of(key), f"past_{side}", meta))
            if f"{NEXT}{side}" in meta:
                return (open_meta(kek_of(key), f"{NEXT}{side}", meta), key)
        except BadSeal:
            continue
        return (key,)
    raise KeystoreDown(f"the keystore is not prepared, or not for this {side} key")
