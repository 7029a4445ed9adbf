"""Sending a campaign by text: each owed once, in the transaction that takes its recipient, and counted at its end."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import campaigns, sending, spending
from gateway.services.errands import Errand, ring_bells
from gateway.store import campaigns as rows
from gateway.store import consents, contacts
from gateway.store.campaigns import Campaign, CampaignState, Candidate
from gateway.store.consents import Way
from gateway.store.database import Session
from gateway.store.messages import MessageKind
from gateway.store.outreach import Version
from prompts.library import FIRST_LANGUAGE, Display

AT_ONCE: Final = 50


def send(runtime: Runtime, campaign: Campaign, version: Version, ready: Sequence[Candidate]) -> bool:
    """Owe the text to those who may have it now; False where it may cost no more."""
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        there = rows.get(session, campaign.id)
        if there is None or there.state is not CampaignState.RUNNING:
            return True
        most = _affordable(session, runtime, there, len(ready))
        taken = rows.begin_calls(session, [one.id for one in ready[:most]])
        for one in ready:
            if one.id in taken:
                errands += _owe(session, runtime, there, version, one, now)
    ring_bells(runtime, errands)
    return most > 0 or not ready


def _owe(
    session: Session, runtime: Runtime, campaign: Campaign, version: Version, one: Candidate, now: datetime
) -> list[Errand]:
    consent = consents.get(session, one.consent)
    if consent is None or consent.way is not Way.TEXT:  # asked for calls meanwhile
        campaigns.texted(session, one.id, "stopped", now=now)
        return []
    try:
        return [
            sending.write(
                session,
                runtime,
                kind=MessageKind.PROGRAMME,
                contact=consent.contact,
                subject=one.id,
                text=version.text,
                display=_display(session, one.number_index or b"", version.language),
                line_index=consent.line_index,
                now=now,
                not_after=campaign.not_after,
                most_parts=1,
            )
        ]
    except Refused:  # her phone shows no Burmese, or the word list has grown since the approval
        campaigns.texted(session, one.id, "not_allowed", now=now)
        return []


def _display(session: Session, number_index: bytes, language: str) -> Display:
    """As she chose; boxes instead of letters are not sent to a phone that shows no Burmese."""
    chosen = contacts.preference(session, number_index)[1]
    if chosen == "zawgyi" and language == FIRST_LANGUAGE:
        return "zawgyi"
    return "latin" if chosen == "latin" else "unicode"


def _affordable(session: Session, runtime: Runtime, campaign: Campaign, wanted: int) -> int:
    """How many texts fit under this campaign's cap, those counted that are owed and not sent yet."""
    if campaign.cap is None:
        return wanted
    price = max(1, int(runtime.settings.text_price * 10_000))
    spent = int(spending.of_campaign(session, campaign.id) * 10_000)
    left = campaign.cap - spent - price * rows.standing(session, campaign.id)
    return min(wanted, max(0, left // price))
