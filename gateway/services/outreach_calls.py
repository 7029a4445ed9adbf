"""What an answered confirming call or programme call means for the consent and the campaign."""

from gateway.runtime import Runtime
from gateway.services import campaigns, opting_in
from gateway.services.errands import Errand
from gateway.services.facts import Turn
from gateway.store.database import Session
from gateway.store.legs import LegKind


def opened(session: Session, turn: Turn) -> None:
    """The own key was pressed: an opt-in becomes live; a programme has reached its listener."""
    if turn.kind == LegKind.CONFIRM:
        opting_in.confirmed(session, turn.subject, now=turn.now)
    else:
        campaigns.opened(session, turn.subject)


def refused(session: Session, runtime: Runtime, turn: Turn, why: str) -> list[Errand]:
    """Anything else: an opt-in that was not confirmed ends; a programme call is tried again or is over."""
    if turn.kind == LegKind.CONFIRM:
        return opting_in.not_confirmed(session, runtime, turn.subject, now=turn.now)
    campaigns.refused(session, turn.subject, why)
    return []
