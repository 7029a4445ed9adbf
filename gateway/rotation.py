"""Changing the root key, the web key and the pair that numbers are sealed to, while everything runs.

Each step is one transaction of the keystore, and the keystore says how far it got: whoever runs it again goes on.
No number, note or key is written anywhere in clear; the index key stays, or nobody would be found again.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.errors import BadSeal, SettingsError, VaultLocked
from gateway.keystore import Keystore, Rewrapped
from gateway.sealing import box, seal, unbox, unseal
from gateway.settings import Settings, web_key_from
from gateway.wrapping import (
    BRIDGE,
    NEXT,
    ROOT,
    WEB,
    RootSide,
    WebSide,
    is_old,
    open_meta,
    root_kek,
    root_side,
    sealed_meta,
    web_kek,
    web_side,
)

_PAGE: Final = 200
SETTLED: Final = 3.0
"""Seconds after which no process can still be writing under a key that it read before the bridge was there."""

Say = Callable[[int], None]


@dataclass(frozen=True, slots=True, repr=False)
class Rotated:
    """`finished`: the old keys open nothing any more. Else both do, and `root_key` and `web_key` are the new ones."""

    finished: bool
    root_key: bytes
    web_key: bytes
    rewrapped: int


class Rotation:
    """One run of `hotline keys rotate`, with the keys of these settings, old or new."""

    def __init__(self, settings: Settings, root_key: bytes | None, *, settled: float = SETTLED) -> None:
        if root_key is None:
            raise VaultLocked("changing the keys needs the root key")
        self._keystore = Keystore(settings.keystore_url)
        self._root_key = root_key
        self._web_key = settings.web_key
        self._settled = settled

    def run(self, say: Say = lambda _: None) -> Rotated:
        """Begin, or go on, or, where the settings hold the new keys already, finish."""
        try:
            old = self._is_old()
            if old and f"{NEXT}root" not in self._keystore.meta():
                self._begin()
            meta = self._keystore.meta()
            web, root = web_side(meta, [self._web_key]), root_side(meta, [self._root_key])
            rewrapped = self._rewrap_all(web, root, say)
            if not old:
                self._finish(web, root)
            return Rotated(not old, root.keys[0], web.keys[0], rewrapped)
        finally:
            self._keystore.close()

    def _is_old(self) -> bool:
        """Which side the settings' keys are of. Raises `SettingsError` where they fit nothing, or not together."""
        meta = self._keystore.meta()
        web = is_old(meta, self._web_key, "web", WEB[0])
        root = is_old(meta, self._root_key, "root", ROOT[0])
        faults = []
        if web is None:
            faults.append("HOTLINE_WEB_KEY: does not open this keystore")
        if root is None:
            faults.append("HOTLINE_ROOT_KEY: does not open this keystore")
        if web is not None and root is not None and web != root:
            faults.append(
                "HOTLINE_WEB_KEY, HOTLINE_ROOT_KEY: one is old and the other new; use both of one kind"
            )
        if faults:
            raise SettingsError(tuple(faults))
        return bool(root)

    def _begin(self) -> None:
        """Make the new keys and the bridge, in one statement; whoever was faster rules."""
        meta = self._keystore.meta()
        new_root = secrets.token_bytes(32)
        new_web = web_key_from(new_root)
        web, root = web_kek(new_web), root_kek(new_root)
        old_web, old_root = web_kek(self._web_key), root_kek(self._root_key)
        pair = X25519PrivateKey.generate()
        plain = {name: open_meta(old_web, name, meta) for name in WEB}
        plain |= {name: open_meta(old_root, name, meta) for name in ROOT}
        plain["dialling_public"] = pair.public_key().public_bytes_raw()
        plain["dialling_private"] = pair.private_bytes_raw()
        made = {
            "next_web": sealed_meta(old_web, "next_web", new_web),
            "next_root": sealed_meta(old_root, "next_root", new_root),
            "past_web": sealed_meta(web, "past_web", self._web_key),
            "past_root": sealed_meta(root, "past_root", self._root_key),
        }
        for name, value in plain.items():
            made[f"{NEXT}{name}"] = sealed_meta(web if name in WEB else root, f"{NEXT}{name}", value)
        self._keystore.add_meta(made)

    def _rewrap_all(self, web: WebSide, root: RootSide, say: Say) -> int:
        """Again until a whole look, begun when nobody could write the old way any more, finds nothing to do."""
        if len(root.keys) == 1:  # finished before, by another run
            return 0
        done, settled_at = 0, time.monotonic() + self._settled
        while True:
            began = time.monotonic()
            found = self._rewrap_once(web, root, partial(_more, say, done))
            done += found
            if not found and began >= settled_at:
                return done
            if not found:
                time.sleep(max(0.0, settled_at - time.monotonic()))

    def _rewrap_once(self, web: WebSide, root: RootSide, say: Say) -> int:
        after, done = "", 0
        while some := self._keystore.page(after, most=_PAGE):
            anew = [one for row in some if (one := _rewrapped(*row, web, root)) is not None]
            if anew:
                self._keystore.rewrap(anew)
                done += len(anew)
            after = some[-1][0]
            say(done)
        return done

    def _finish(self, web: WebSide, root: RootSide) -> None:
        """Take the bridge away, in one transaction: from here on the old keys open nothing."""
        meta = self._keystore.meta()
        if f"{NEXT}root" not in meta:
            return
        keks = dict.fromkeys(WEB, web.keks[0]) | dict.fromkeys(ROOT, root_kek(root.keys[0]))
        kept = {
            name: sealed_meta(kek, name, open_meta(kek, f"{NEXT}{name}", meta)) for name, kek in keks.items()
        }
        self._keystore.replace_meta(kept, [*BRIDGE, *(f"{NEXT}{name}" for name in keks)])


def _more(say: Say, before: int, now: int) -> None:
    say(before + now)


def _rewrapped(
    subject: str, number_box: bytes, note_box: bytes, web: WebSide, root: RootSide
) -> Rewrapped | None:
    """One subject's two keys sealed anew; None where they are already."""
    number, note = ("number-key", subject), ("note-key", subject)
    try:
        unbox(root.dialling[0], number, number_box)
        unseal(web.keks[0], note, note_box)
    except BadSeal:
        return Rewrapped(
            subject,
            number_key=box(web.dialling, number, unbox(root.dialling[1], number, number_box)),
            note_key=seal(web.keks[0], note, unseal(web.keks[1], note, note_box)),
            was=number_box,
        )
    return None
