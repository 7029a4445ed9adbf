"""Who did what to which opaque id, to the hour: for auditors, coordinators, and everybody about themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue

from gateway.console import audit_words, words
from gateway.console.frame import page
from gateway.console.words import tell as _
from gateway.runtime import Runtime
from gateway.services import counselors
from gateway.store import audit

MOST = 300  # lines on a page


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was done, in the hour that began at `hour`, to `subject`: an account's name or an opaque id."""

    hour: str
    who: str
    what: str
    subject: str


@dataclass(frozen=True)
class Auditing:
    runtime: Runtime

    def page(self) -> ResponseReturnValue:
        everyone = counselors.everyone(self.runtime)
        who = next((one for one in everyone if one.id == request.args.get("who")), None)
        with self.runtime.database.read() as session:
            latest, theirs = audit.latest, audit.of_account
            found = theirs(session, who.id, most=MOST) if who else latest(session, most=MOST)
        return page("audit", lines=lines(self.runtime, found), everyone=everyone, who=who, most=MOST)


def lines(
    runtime: Runtime, found: Sequence[tuple[datetime, str | None, str, str | None]], *, own: bool = False
) -> list[Line]:
    """In words; `own` for the page that everybody has about themselves, which names nobody else."""
    names = {} if own else {one.id: one.alias for one in counselors.everyone(runtime)}
    zone = runtime.settings.timezone
    told = []
    for hour, account, what, subject in found:
        local = hour.astimezone(zone)
        who = names.get(account, "" if own else _("an account that is gone")) if account else _("the house")
        told.append(
            Line(
                hour=f"{local.day}.{local.month}. {local:%H:%M}",
                who=who,
                what=words.said(audit_words.DEEDS, what),
                subject="" if own else names.get(subject or "", subject or ""),
            )
        )
    return told
