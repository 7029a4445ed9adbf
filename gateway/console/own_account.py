"""My account: password, reader, recovery codes, short code, phone, passkeys, where I am signed in, what I did."""

import base64
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import flash, request, session
from flask.typing import ResponseReturnValue

from gateway.console import gates
from gateway.console.auditing import lines
from gateway.console.frame import page
from gateway.console.gates import go, me, visit
from gateway.console.pictures import scanned
from gateway.runtime import Runtime
from gateway.services import counselors, own_account, passkeys, signing_in
from gateway.services.own_account import NewReader
from gateway.store import audit

MOST_LINES = 30


@dataclass(frozen=True, slots=True)
class Ask:
    """What the page's script asks the browser for: a passkey bound to this name, answering this challenge."""

    name: str
    challenge: str


def ask(runtime: Runtime, account: str = "") -> Ask | None:
    """None where the page was opened at an address that passkeys cannot be bound to."""
    here = {urlsplit(place).netloc: name for place, name in passkeys.places(runtime).items()}
    name = here.get(request.host)
    # Browsers bind nothing to an address of digits.
    if name is None or name.replace(".", "").isdigit() or ":" in name:
        return None
    return Ask(name, base64.urlsafe_b64encode(passkeys.challenge(runtime, account)).decode().rstrip("="))


@dataclass(frozen=True)
class OwnAccount:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        with self.runtime.database.read() as session:
            did = audit.of_account(session, me().id, most=MOST_LINES)
        return page(
            "account",
            sessions=signing_in.sessions(self.runtime, me()),
            this=visit().digest,
            passkeys=passkeys.of_account(self.runtime, me()),
            ask=ask(self.runtime, me().id),
            user=base64.urlsafe_b64encode(me().id.encode()).decode().rstrip("="),
            most_passkeys=passkeys.MOST,
            recovery_left=own_account.recovery_codes_left(self.runtime, me()),
            short=signing_in.has_unlock_code(self.runtime, me()),
            did=lines(self.runtime, did, own=True),
        )

    def password(self) -> ResponseReturnValue:
        self._confirm()
        new, again = (request.form.get(name, "")[:200] for name in ("new", "again"))
        own_account.change_password(self.runtime, me(), new, again)
        return self._out("password_changed")

    def reader(self) -> ResponseReturnValue:
        self._confirm()
        return self._reader(own_account.new_reader(self.runtime, me()))

    def reader_again(self) -> ResponseReturnValue:
        sealed = request.form.get("sealed", "")
        return self._reader(own_account.new_reader(self.runtime, me(), sealed)) if sealed else self.page()

    def reader_confirmed(self) -> ResponseReturnValue:
        sealed, first = request.form.get("sealed", ""), request.form.get("first", "")[:20]
        own_account.confirm_reader(self.runtime, me(), sealed, first)
        return self._out("reader_changed")

    def recovery(self) -> ResponseReturnValue:
        self._confirm()
        return page("recovery", codes=own_account.new_recovery_codes(self.runtime, me()), joined=False)

    def short_code(self) -> ResponseReturnValue:
        self._confirm()
        own_account.set_unlock_code(self.runtime, me(), request.form.get("unlock", "")[:20])
        flash("unlock_code_set")
        return go("account")

    def phone(self) -> ResponseReturnValue:
        self._confirm()
        typed, accepted = request.form.get("number", "")[:60], request.form.get("accepted") == "1"
        own_account.set_phone(self.runtime, me(), counselors.phone(typed, accepted=accepted))
        flash("phone_changed" if typed.strip() else "phone_removed")
        return go("account")

    def add_passkey(self) -> ResponseReturnValue:
        self._confirm()
        device = gates.origin(self.runtime, "").device
        passkeys.register(self.runtime, me(), request.form.get("answer", ""), device)
        flash("passkey_added")
        return go("account")

    def remove_passkey(self, passkey: str) -> ResponseReturnValue:
        passkeys.remove(self.runtime, me(), passkey)
        flash("passkey_removed")
        return go("account")

    def page_without(self, **_gone: str) -> ResponseReturnValue:
        return self.page()

    def end_session(self, one: str) -> ResponseReturnValue:
        signing_in.end_session(self.runtime, me(), one, by=me())
        if one == visit().digest.hex():
            return self._out("signed_out")
        flash("session_ended")
        return go("account")

    def _confirm(self) -> None:
        own_account.confirm(self.runtime, me(), request.form.get("password", "")[:200])

    def _reader(self, new: NewReader) -> ResponseReturnValue:
        return page("reader", new=new, picture=scanned(new.uri))

    def _out(self, why: str) -> ResponseReturnValue:
        session.clear()
        flash(why)
        return go("sign_in")
