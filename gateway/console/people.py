"""The accounts: who there is, inviting, changing, ending, and the switch for a captured one. Never a number."""

from dataclasses import dataclass

from flask import abort, flash, request
from flask.typing import ResponseReturnValue

from gateway.console import words
from gateway.console.frame import page
from gateway.console.gates import go, me
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import counselors, ending, invitations, signing_in
from gateway.store.counselors import Account, Role


@dataclass(frozen=True)
class People:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        everyone = counselors.everyone(self.runtime)
        return page(
            "people",
            everyone=sorted(everyone, key=lambda one: (one.disabled, not one.on_shift)),
            invited=invitations.open_now(self.runtime),
            roles=_roles(),
            alias=request.form.get("alias", "")[:40],
        )

    def page_without(self, **_gone: str) -> ResponseReturnValue:
        return self.page()

    def person(self, account: str) -> ResponseReturnValue:
        there = self._of(account)
        mine = me().role is Role.ADMIN or there.role is not Role.ADMIN
        return page(
            "person",
            one=there,
            sessions=signing_in.sessions(self.runtime, there),
            seen=ending.seen(self.runtime, there) if there.disabled else [],
            may=mine and there.id != me().id,
            roles=_roles(),
            tongues=self.runtime.settings.languages,
        )

    def person_without(self, account: str, **_gone: str) -> ResponseReturnValue:
        return self.person(account)

    def invite(self) -> ResponseReturnValue:
        """The code is shown once, on the page that answers."""
        alias = request.form.get("alias", "")[:80]
        code = invitations.invite(self.runtime, alias, _role(), by=me())
        return page("invited", code=code, alias=counselors.fit_alias(alias), anew=False, hours=_hours())

    def anew(self, account: str) -> ResponseReturnValue:
        alias = self._of(account).alias
        code = invitations.invite_anew(self.runtime, alias, by=me())
        return page("invited", code=code, alias=alias, anew=True, hours=_hours())

    def withdraw(self, selector: str) -> ResponseReturnValue:
        invitations.withdraw(self.runtime, selector, by=me())
        flash("invitation_withdrawn")
        return go("people")

    def role(self, account: str) -> ResponseReturnValue:
        counselors.change_role(self.runtime, self._of(account).alias, _role(), by=me())
        return self._done("role_changed", account)

    def describe(self, account: str) -> ResponseReturnValue:
        counselors.describe(
            self.runtime,
            self._of(account).alias,
            speaks=request.form.getlist("speaks"),
            woman=request.form.get("woman") == "1",
            by=me(),
        )
        return self._done("described", account)

    def end_session(self, account: str, one: str) -> ResponseReturnValue:
        there = self._of(account)
        counselors.may_change(me(), there.role)
        signing_in.end_session(self.runtime, there, one, by=me())
        return self._done("session_ended", account)

    def end_sessions(self, account: str) -> ResponseReturnValue:
        counselors.end_sessions(self.runtime, self._of(account).alias, by=me())
        return self._done("sessions_ended", account)

    def disable(self, account: str) -> ResponseReturnValue:
        ending.disable(self.runtime, self._of(account).alias, by=self._other(account))
        return self._done("disabled", account)

    def enable(self, account: str) -> ResponseReturnValue:
        ending.enable(self.runtime, self._of(account).alias, by=me())
        return self._done("enabled", account)

    def captured(self, account: str) -> ResponseReturnValue:
        """Everything ends first; the page that follows lists what this account had seen."""
        ending.captured(self.runtime, self._of(account).alias, by=self._other(account))
        return self._done("captured", account)

    def _of(self, account: str) -> Account:
        try:
            return counselors.of_id(self.runtime, account)
        except Refused:
            abort(404)

    def _other(self, account: str) -> Account:
        """Nobody ends their own account by mistake; leaving is signing out."""
        if account == me().id:
            raise Refused("own_account")
        return me()

    def _done(self, what: str, account: str) -> ResponseReturnValue:
        flash(what)
        return go("person", account=account)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        abort(400)


def _roles() -> list[Role]:
    """What this account may give."""
    return [role for role in map(Role, words.ROLES) if me().role is Role.ADMIN or role is not Role.ADMIN]


def _hours() -> int:
    return int(invitations.LIVES.total_seconds()) // 3600
