"""The words of two-way texts: how each stands, and what her phone shows."""

from collections.abc import Mapping
from typing import Final

from gateway.console.words import _l

STATES: Final[Mapping[str, str]] = {
    "received": _l("came"),
    "draft": _l("begun"),
    "owed": _l("about to leave"),
    "sending": _l("is leaving"),
    "uncertain": _l("nobody knows yet whether it left"),
    "sent": _l("on its way"),
    "delivered": _l("on their phone"),
    "failed": _l("did not reach them"),
    "too_late": _l("too late, so it was not sent"),
    "canceled": _l("not sent: they said stop, or nobody may"),
}
DISPLAYS: Final[Mapping[str, str]] = {
    "unicode": _l("Unicode"),
    "zawgyi": _l("Zawgyi"),
    "latin": _l("only Latin letters"),
}
