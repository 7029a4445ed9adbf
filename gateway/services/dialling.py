"""Whom a leg rings, and from which of our numbers; the number stays shut until it is dialled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.errors import BadSeal, KeyDestroyed
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import spending, windows
from gateway.store import callbacks as callback_rows
from gateway.store import campaigns, consents, contacts, counselors, ring_backs
from gateway.store.database import Session
from gateway.store.legs import Leg, LegKind
from gateway.vault import Place

HOME: Final = "MM"  # its hours are those of HOTLINE_TIMEZONE


@dataclass(frozen=True, slots=True)
class Dialling:
    """Whom a leg rings and from which of our numbers; the number stays shut until it is dialled."""

    kind: LegKind
    subject: str
    line: Msisdn
    open_number: Callable[[], Msisdn]
    account: str | None = None
    detect_machine: bool = True

    def may_be(self, runtime: Runtime, number: Msisdn) -> bool:
        """Whether ringing this number is no fraud; counselors, whom people here added, live in any country."""
        return not number.costly if self.account else spending.may_be_rung(runtime, number)


def opened(dialling: Dialling | None) -> Msisdn | None:
    """The number to dial; None where nobody is to be, or it was forgotten."""
    if dialling is None:
        return None
    try:
        return dialling.open_number()
    except (KeyDestroyed, BadSeal):
        return None


def numbers_of(
    runtime: Runtime, sealed: Mapping[str | None, bytes | None]
) -> dict[str | None, Msisdn | None]:
    """The numbers of several contacts, opened together; None for those that were forgotten."""
    there = [(contact, number) for contact, number in sealed.items() if contact and number]
    opened = runtime.vault.open_numbers(
        [(contact, Place("contacts", "number", contact), number) for contact, number in there]
    )
    return {contact: number for (contact, _), number in zip(there, opened, strict=True)}


def fit_hour(runtime: Runtime, number: Msisdn, now: datetime) -> datetime:
    """Now, or when the quiet hours end where this number lives: at home for most, elsewhere for some."""
    settings = runtime.settings
    if settings.quiet_hours is None or number.region == HOME:
        return now
    begins = now
    for zone in number.zones:
        try:
            there = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):  # "Etc/Unknown", where nothing is known
            continue
        begins = max(begins, windows.after_quiet(now, settings.quiet_hours, there))
    return begins


def of_counselor(
    session: Session, runtime: Runtime, kind: LegKind, subject: str, account: str
) -> Dialling | None:
    """From the counselors' pool, never from a public number; a code or key keeps machines out."""
    person, sealed = counselors.get(session, account), counselors.sealed_number(session, account)
    if person is None or person.disabled or sealed is None:
        return None
    place = Place("accounts", "number", account)
    return Dialling(
        kind=kind,
        subject=subject,
        line=runtime.counselors_line(),
        open_number=lambda: runtime.vault.open_number(account, place, sealed),
        account=account,
        detect_machine=False,
    )


def of_contact(
    session: Session, runtime: Runtime, kind: LegKind, subject: str, contact: str, line_index: bytes
) -> Dialling | None:
    """From the number she knows, never from the counselors' pool: no record may list her beside them."""
    there = contacts.sealed_number(session, contact)
    if there is None or contacts.is_forbidden(session, there[0]):
        return None
    place = Place("contacts", "number", contact)
    line = runtime.our_lines.get(line_index, runtime.settings.numbers[0])
    if line in runtime.settings.counselor_numbers:
        line = runtime.settings.numbers[0]
    return Dialling(kind, subject, line, lambda: runtime.vault.open_number(contact, place, there[1]))


def behind(session: Session, runtime: Runtime, leg: Leg) -> Dialling | None:
    """Whom this leg rang, whether or not that is still wanted: only for asking the provider about it."""
    match leg.kind:
        case LegKind.COUNSELOR | LegKind.KEYPAD | LegKind.COLLEAGUE:
            return of_counselor(session, runtime, leg.kind, leg.subject, leg.account or "")
        case LegKind.CALLBACK | LegKind.LIVE:
            callback = callback_rows.get(session, leg.subject)
            contact = callback.contact if callback else None
        case LegKind.RING_BACK:
            owed = ring_backs.get(session, leg.subject)
            contact = owed.contact if owed else None
        case LegKind.CONFIRM | LegKind.PROGRAMME:
            recipient = campaigns.recipient(session, leg.subject)
            consent = consents.get(session, recipient.consent if recipient else leg.subject)
            contact = consent.contact if consent else None
    there = contacts.sealed_number(session, contact) if contact else None
    if contact is None or there is None:
        return None
    place = Place("contacts", "number", contact)
    line = runtime.settings.numbers[0]
    return Dialling(leg.kind, leg.subject, line, lambda: runtime.vault.open_number(contact, place, there[1]))
