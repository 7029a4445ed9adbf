"""What may still be spent, and what was: the line closes by steps rather than going bankrupt.

A call's likely cost is put down in the transaction that commits to dialling it, and set right when it is over.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from math import ceil
from typing import Final

from gateway.carriers.base import LegStatus
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.settings import Settings
from gateway.store import campaigns
from gateway.store import spending as rows
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind

LIKELY_MINUTES: Final = 3
_PARTS: Final = 10_000
_DAY: Final = timedelta(hours=23)  # before the hour that runs: twenty-four in all
TEXT: Final = "text"
INBOUND: Final = "inbound"


class Share(IntEnum):
    """How much of a cap, in hundredths, each kind of cost may use up: what can wait stops first."""

    PROGRAMME = 80
    RING_BACK = 90
    NEW = 95  # a new bridge, a reply by text, a new call in
    BEGUN = 100  # the caller of a counselor who waits on the line, or somebody whose need is urgent


_SHARES: Final = {
    LegKind.PROGRAMME: Share.PROGRAMME,
    LegKind.CONFIRM: Share.PROGRAMME,
    LegKind.RING_BACK: Share.RING_BACK,
    LegKind.COUNSELOR: Share.NEW,
    LegKind.KEYPAD: Share.NEW,
    LegKind.LIVE: Share.NEW,
    LegKind.CALLBACK: Share.BEGUN,
    LegKind.COLLEAGUE: Share.BEGUN,
}


def share_of(kind: LegKind, *, urgent: bool = False) -> Share:
    return Share.BEGUN if urgent else _SHARES[kind]


def capped(settings: Settings) -> bool:
    """Whether there is any cap."""
    return settings.spend_per_hour is not None or settings.spend_per_day is not None


def allows(
    session: Session,
    runtime: Runtime,
    *,
    now: datetime,
    calls: int = 0,
    texts: int = 0,
    campaign: str | None = None,
    share: Share | None = None,
) -> bool:
    """Whether so many more calls, and segments of text, fit under the caps of the hour and of the day.

    A campaign's share is that of programmes; else `share`, or that of something new. Ask in the transaction that
    notes them: until it ends nobody else is told what is left.
    """
    if not capped(runtime.settings):
        return True
    part = share or (Share.PROGRAMME if campaign else Share.NEW)
    likely = LIKELY_MINUTES * _parts(runtime.settings.call_price)
    more = calls * likely + texts * _parts(runtime.settings.text_price)
    rows.in_turn(session)
    return _used(session, runtime, now, more) <= part


def used(session: Session, runtime: Runtime, *, now: datetime) -> float:
    """How much of the fuller cap is used up, in hundredths; 0 without any cap."""
    return _used(session, runtime, now, 0)


def _used(session: Session, runtime: Runtime, now: datetime, more: int) -> float:
    hour = now.replace(minute=0, second=0, microsecond=0)
    caps = ((runtime.settings.spend_per_hour, hour), (runtime.settings.spend_per_day, hour - _DAY))
    return max(
        (100 * (rows.since(session, since) + more) / _parts(cap) for cap, since in caps if cap is not None),
        default=0.0,
    )


def note_call(
    session: Session, runtime: Runtime, *, kind: LegKind, now: datetime, campaign: str = "", calls: int = 1
) -> None:
    """Put down what calls that are about to be dialled are likely to cost."""
    spent = calls * LIKELY_MINUTES * _parts(runtime.settings.call_price)
    rows.add(session, moment=now, kind=kind, campaign=campaign, spent=spent)


def note_text(
    session: Session, runtime: Runtime, *, segments: int, now: datetime, campaign: str = ""
) -> None:
    spent = segments * _parts(runtime.settings.text_price)
    rows.add(session, moment=now, kind=TEXT, campaign=campaign, spent=spent)


def settle(session: Session, runtime: Runtime, leg: Leg, status: LegStatus, seconds: int | None) -> None:
    """Set right what a call of ours cost, once, when it is over; where nobody says how long it was, it stays."""
    if leg.kind is LegKind.LIVE:  # dialled in, and put down as such
        return
    if status is LegStatus.COMPLETED and seconds is None:
        return
    minutes = ceil((seconds or 0) / 60) if status is LegStatus.COMPLETED else 0
    wrong = (minutes - LIKELY_MINUTES) * _parts(runtime.settings.call_price)
    campaign = campaign_of(session, leg.kind, leg.subject)
    rows.add(session, moment=leg.created, kind=leg.kind, campaign=campaign, spent=wrong)


def settle_arrival(session: Session, runtime: Runtime, *, seconds: int | None, now: datetime) -> None:
    """Put down the minutes of a call that was dialled in and answered; once, when it is over.

    Not at its beginning: every host would wait for that one row before it could answer.
    """
    spent = max(1, ceil((seconds or 0) / 60)) * _parts(runtime.settings.inbound_price)
    rows.add(session, moment=now, kind=INBOUND, campaign="", spent=spent)


def campaign_of(session: Session, kind: LegKind, subject: str) -> str:
    """The campaign that a call is for; empty where it is for none, or its recipient is gone."""
    recipient = campaigns.recipient(session, subject) if kind is LegKind.PROGRAMME else None
    return recipient.campaign if recipient else ""


def of_campaign(session: Session, campaign: str) -> Decimal:
    """What a campaign cost so far, in the provider's currency."""
    return Decimal(rows.of_campaign(session, campaign)) / _PARTS


def spent(session: Session, *, since: datetime) -> dict[str, Decimal]:
    """What was spent in the hours since then, by kind, in the provider's currency."""
    return {kind: Decimal(parts) / _PARTS for kind, parts in rows.by_kind(session, since).items()}


def may_be_rung(runtime: Runtime, number: Msisdn) -> bool:
    """Whether ringing or texting a person who asks cannot be a fraud that fills somebody's purse."""
    return not number.costly and number.region in runtime.settings.countries


def _parts(amount: Decimal) -> int:
    return int(amount * _PARTS)
