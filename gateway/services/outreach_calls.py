"""What an answered confirming call or programme call means for the consent and the campaign."""

from datetime import timedelta

from gateway.runtime import Runtime
from gateway.services import forgetting
from gateway.services.errands import Errand
from gateway.services.facts import Turn
from gateway.store import outreach
from gateway.store.database import Session
from gateway.store.legs import LegKind

CONSENT_LIVES = timedelta(days=30)
ATTEMPTS = 2
SPACING = {"busy": timedelta(minutes=10), "later": timedelta(hours=3)}
USUAL_SPACING = timedelta(hours=1)
TRY_AGAIN = frozenset(
    {"busy", "no_answer", "failed", "later"}
)  # of a machine, or another's key, there is no next


def opened(session: Session, turn: Turn) -> None:
    """The own key was pressed: an opt-in becomes live; a programme has reached its listener."""
    if turn.kind == LegKind.CONFIRM:
        outreach.make_live(session, turn.subject, until=turn.now + CONSENT_LIVES)
    else:
        outreach.move_recipient(session, turn.subject, from_=("calling",), to="reached")


def refused(session: Session, runtime: Runtime, turn: Turn, why: str) -> list[Errand]:
    """Anything else: an opt-in that was not confirmed ends; a programme call is tried again or is over."""
    if turn.kind == LegKind.CONFIRM:
        consent = outreach.consent(session, turn.subject)
        if consent is None or consent.live:
            return []
        outreach.end_consent(session, consent.contact)
        return [forgetting.release(session, runtime, consent.contact, now=turn.now)]
    not_reached(session, turn.subject, why, turn)
    return []


def not_reached(session: Session, recipient: str, why: str, turn: Turn) -> None:
    """A programme call that came to nothing: again later where that may help, else its result."""
    there = outreach.recipient(session, recipient)
    if there is None:
        return
    if why in TRY_AGAIN and there.attempts < ATTEMPTS:
        due = turn.now + SPACING.get(why, USUAL_SPACING)
        outreach.move_recipient(session, recipient, from_=("calling", "reached"), to="pending", due=due)
        return
    outreach.move_recipient(session, recipient, from_=("calling",), to=why)
