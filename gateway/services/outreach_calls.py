"""What an answered confirming call or programme call means for the consent and the campaign."""

from gateway.runtime import Runtime
from gateway.services import campaigns, forgetting, opting_in
from gateway.services.errands import Errand
from gateway.services.facts import Turn
from gateway.store import campaigns as rows
from gateway.store import consents
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
    if why == "wrong_person":  # she is told that this phone is not rung about it again, so it is not
        return _not_hers(session, runtime, turn, why)
    if turn.kind == LegKind.CONFIRM and why == "busy":
        return opting_in.engaged(session, runtime, turn.subject, now=turn.now)
    if turn.kind == LegKind.CONFIRM:
        return opting_in.not_confirmed(session, runtime, turn.subject, now=turn.now)
    campaigns.refused(session, turn.subject, why)
    return []


def _not_hers(session: Session, runtime: Runtime, turn: Turn, why: str) -> list[Errand]:
    """Whoever holds this phone now did not ask: the consent is over, whatever it was for."""
    recipient = rows.recipient(session, turn.subject)
    consent = consents.get(session, recipient.consent if recipient else turn.subject)
    if consent is None:
        return []
    campaigns.consent_ended(session, consent.contact, why, now=turn.now)
    return [forgetting.release(session, runtime, consent.contact, now=turn.now)]
