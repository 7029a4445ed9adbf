"""The door after five idle minutes: a short code, and what was sent meanwhile is kept, sealed, in the page."""

import base64
import json
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from flask import flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from gateway.console.frame import page
from gateway.console.gates import go, visit, with_code
from gateway.errors import BadSeal, Refused
from gateway.runtime import Runtime
from gateway.services import signing_in
from gateway.vault import Place

ROOM: Final = "/console/"


@dataclass(frozen=True, slots=True)
class Kept:
    """Where somebody was going, and what they sent; `files` were left out and must be chosen again."""

    path: str
    form: tuple[tuple[str, str], ...] = ()
    files: bool = False


@dataclass(frozen=True)
class Locking:
    runtime: Runtime

    def shut(self, may_keep: bool) -> ResponseReturnValue:
        """Instead of any page: asks for the short code. What was sent from a page of ours is kept for afterwards."""
        if request.args.get("part"):
            return redirect(url_for("console.locked"), 303)
        if request.method == "GET":
            query = {name: value for name, value in request.args.items() if name != "again"}
            kept = Kept(quote(request.path) + ("?" + urlencode(query) if query else ""))
        elif may_keep:
            sent = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
            kept = Kept(request.path, tuple(sent), files=bool(request.files))
        else:
            kept = Kept(url_for("console.home"))
        return self._door(self._sealed(kept))

    def page(self) -> ResponseReturnValue:
        if not visit().locked:
            return go("home")
        return self._door(request.form.get("kept", ""))

    def unlock(self) -> ResponseReturnValue:
        """Back to where somebody was going; what they sent is shown again, to be sent by one press."""
        sealed = request.form.get("kept", "")
        try:
            signing_in.unlock(self.runtime, visit(), request.form.get("code", "")[:20])
        except Refused as refused:
            if signing_in.who(self.runtime, session.get("token", ""), by_hand=False) is None:
                session.clear()
                flash("signed_out")
                return go("sign_in")
            raise refused from None
        kept = self._opened(sealed)
        if kept.files:
            flash("unlocked_without_file")
            return go("home")
        if kept.form:
            return page("not_done", kept=kept)
        return redirect(kept.path, 303)

    def here(self) -> ResponseReturnValue:
        """A page that is being worked on says so, so that nobody is locked out while writing."""
        return with_code("", 204)

    def _door(self, sealed: str) -> ResponseReturnValue:
        short = signing_in.has_unlock_code(self.runtime, visit().account)
        return page("locked", kept=sealed, short=short)

    def _sealed(self, kept: Kept) -> str:
        plain = json.dumps([kept.path, kept.form, kept.files]).encode()
        return base64.b64encode(self.runtime.vault.seal_here(self._place(), plain)).decode()

    def _opened(self, sealed: str) -> Kept:
        try:
            raw = base64.b64decode(sealed.encode(), validate=True)
            path, form, files = json.loads(self.runtime.vault.open_here(self._place(), raw))
        except (NotBase64, BadSeal, ValueError):
            return Kept(url_for("console.home"))
        return Kept(path, tuple((name, value) for name, value in form), files=files)

    def _place(self) -> Place:
        return Place("sessions", "kept", visit().digest.hex())
