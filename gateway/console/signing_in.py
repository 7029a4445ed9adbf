"""Signing in with a name, a password and a one-time code; signing out; and leaving in a hurry."""

from dataclasses import dataclass

from flask import Response, flash, redirect, request
from flask.typing import ResponseReturnValue

from gateway.console import gates
from gateway.console.frame import live
from gateway.console.own_account import ask
from gateway.runtime import Runtime
from gateway.services import passkeys, signing_in
from gateway.services.demo import DEMO_ACCOUNTS

ELSEWHERE = "https://www.google.com/"  # what the most ordinary browser shows first


@dataclass(frozen=True, slots=True)
class Ready:
    """An account of the demo, with the code that its reader would show now."""

    alias: str
    password: str
    code: str


@dataclass(frozen=True)
class SigningIn:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        return live(
            "sign_in", alias=request.form.get("alias", ""), ready=self._ready(), ask=ask(self.runtime)
        )

    def enter(self) -> ResponseReturnValue:
        """Both factors at once, so that nothing tells which was wrong."""
        alias, password, code = (request.form.get(name, "") for name in ("alias", "password", "code"))
        client = gates.client()
        origin = gates.origin(self.runtime, client)
        token = signing_in.sign_in(self.runtime, alias.strip()[:40], password[:200], code[:40], origin)
        return self._inside(token, client)

    def enter_by_passkey(self) -> ResponseReturnValue:
        client = gates.client()
        answer, origin = request.form.get("answer", ""), gates.origin(self.runtime, client)
        return self._inside(passkeys.sign_in(self.runtime, answer, origin), client)

    def sign_out(self) -> ResponseReturnValue:
        gates.sign_out(self.runtime)
        flash("signed_out")
        return gates.go("sign_in")

    def leave(self) -> ResponseReturnValue:
        """Out at once, to a page that says nothing; works without script, and from any page."""
        gates.sign_out(self.runtime)
        answer = redirect(ELSEWHERE, 303)
        answer.headers["Clear-Site-Data"] = '"cache"'
        return Response(status=303, headers=answer.headers)

    def _inside(self, token: str, client: str) -> ResponseReturnValue:
        gates.sign_in_as(token)
        return gates.with_client(gates.go("home"), self.runtime, client)

    def _ready(self) -> list[Ready]:
        settings = self.runtime.settings
        if settings.mode != "demo" or not settings.simulated:
            return []
        found = (
            (alias, password, signing_in.current_code(self.runtime, alias))
            for alias, password in DEMO_ACCOUNTS
        )
        return [Ready(alias, password, code) for alias, password, code in found if code]
