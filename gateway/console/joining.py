"""Joining by invitation: type the code, choose a password, scan a code for the reader, type its first digits."""

from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from gateway.console import gates, words
from gateway.console.frame import page
from gateway.console.pictures import scanned
from gateway.runtime import Runtime
from gateway.services import counselors, invitations
from gateway.services.invitations import Answers, Joining
from gateway.store.counselors import Role


@dataclass(frozen=True)
class JoiningIn:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        return page("join", hours=int(invitations.LIVES.total_seconds()) // 3600)

    def look(self) -> ResponseReturnValue:
        origin = gates.origin(self.runtime, gates.client())
        return self._enrolment(invitations.look(self.runtime, request.form.get("code", "")[:40], origin))

    def again(self) -> ResponseReturnValue:
        """The second page, after something on it was not right: what was scanned stays good."""
        return self._enrolment(invitations.again(self.runtime, request.form.get("sealed", "")))

    def join(self) -> ResponseReturnValue:
        form, client = request.form, gates.client()
        number = counselors.phone(form.get("number", "")[:60], accepted=form.get("accepted") == "1")
        answers = Answers(
            password=form.get("password", "")[:200],
            again=form.get("again", "")[:200],
            code=form.get("first", "")[:20],
            unlock=form.get("unlock", "")[:20],
            number=number,
            language=words.reading(),
        )
        origin = gates.origin(self.runtime, client)
        joined = invitations.join(self.runtime, form.get("sealed", ""), answers, origin)
        gates.sign_in_as(joined.token)
        shown = page("recovery", codes=joined.recovery, joined=True)
        return gates.with_client(shown, self.runtime, client)

    def _enrolment(self, joining: Joining) -> ResponseReturnValue:
        return page(
            "joining",
            joining=joining,
            picture=scanned(joining.uri),
            ask_number=not joining.anew and joining.role is not Role.AUDITOR,
        )
