"""Who is on the line, and what is true now: all that a decision of the script may depend on."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from gateway.errors import Refused, StoreDown
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import attending, bridging, cases, keypad, opening, opting_in, staying, transferring
from gateway.store import (
    attendance,
    callbacks,
    campaigns,
    consents,
    contacts,
    counselors,
    legs,
    outreach,
    ring_backs,
)
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Role
from gateway.store.database import Session
from gateway.store.legs import LegKind, LegState
from ivr.actions import Ask, AskByCode, KeepText, Perform
from ivr.ahead import Ahead
from ivr.engine import Step, TextStep
from ivr.events import Facts, Programme

Decided = TypeVar("Decided", Step, TextStep)

PROGRAMMES_OFFERED = 40  # the newest; those about a topic are found among them
PIECE_SECONDS = 15
NOBODY = "nobody_on_shift"


@dataclass(frozen=True, slots=True)
class Turn:
    """One webhook's people: the number's index is None where the number is withheld or unknown.

    `kind` is the script's starting point; `leg`, `subject` and `account` (of a counselor) are set for calls that
    we placed. `keys` are those just pressed, `code` a case's code that was typed before. `text` is what was
    texted, in Unicode, `display` how that phone shows Burmese, `sent` when, where the carrier says so.
    """

    kind: str
    language: str
    line_index: bytes
    now: datetime
    caller: Msisdn | None = None
    number_index: bytes | None = None
    leg: str = ""
    subject: str = ""
    account: str = ""
    sid: str = field(default="", repr=False)
    keys: str = ""
    code: str = ""
    text: str = field(default="", repr=False)
    display: str = "unicode"
    sent: datetime | None = None

    @classmethod
    def of_caller(
        cls,
        session: Session,
        runtime: Runtime,
        caller: Msisdn | None,
        line: Msisdn | None,
        now: datetime,
        *,
        language: str | None = None,
    ) -> "Turn":
        """Somebody who dialled in. Nothing but the language she once chose depends on her number.

        What a line is for decides where the conversation begins; `language` is that of one that has begun.
        """
        index = runtime.vault.index(caller) if caller else None
        if index and not language:
            language = contacts.preference(session, index)[0]
        return cls(
            kind=kind_of(runtime, line),
            language=language if language in runtime.library.languages else runtime.library.languages[0],
            line_index=runtime.vault.index(line) if line else b"",
            now=now,
            caller=caller,
            number_index=index,
        )

    @classmethod
    def of_leg(cls, session: Session, runtime: Runtime, leg: str, now: datetime) -> "Turn":
        """Somebody whom we rang. Raises `Refused` for a leg that is over or was never ours."""
        there = legs.get(session, leg)
        if there is None or there.state is LegState.OVER:
            raise Refused("gone")
        contact, language = None, runtime.library.languages[0]
        match there.kind:
            case LegKind.COUNSELOR | LegKind.KEYPAD | LegKind.COLLEAGUE:
                account = counselors.get(session, there.account or "")
                if account is None or account.disabled or account.role is Role.AUDITOR:
                    raise Refused("gone")
                language = account.language
            case LegKind.CALLBACK | LegKind.LIVE:
                callback = callbacks.get(session, there.subject)
                if callback:
                    contact, language = callback.contact, callback.language
            case LegKind.RING_BACK:
                owed = ring_backs.get(session, there.subject)
                contact = owed.contact if owed else None
            case LegKind.CONFIRM | LegKind.PROGRAMME:
                consent = _consent(session, there.kind, there.subject)
                if consent:
                    contact, language = consent.contact, consent.language
        sealed = contacts.sealed_number(session, contact) if contact else None
        return cls(
            kind=there.kind,
            language=language if language in runtime.library.languages else runtime.library.languages[0],
            line_index=there.line_index,
            now=now,
            number_index=sealed[0] if sealed else None,
            leg=there.id,
            subject=there.subject,
            account=there.account or "",
        )


def facts_of(
    session: Session,
    runtime: Runtime,
    turn: Turn,
    flags: frozenset[str],
    ahead: Ahead | None = None,
) -> Facts:
    """The facts of this turn; `flags` are those the caller knows already.

    Of a caller's facts, those that nothing `ahead` asks for are not read.
    """
    found = set(flags)
    if runtime.switches.on("programme_calls"):
        found.add("programme_calls")
    if turn.kind in ("missed", "counselors_line"):
        return Facts(flags=frozenset(found))
    if turn.kind == LegKind.KEYPAD:
        return _keypad_facts(session, runtime, turn, found)
    if turn.kind in ("dialled", LegKind.RING_BACK):
        if turn.number_index is None:
            found.add("no_number")
        if (
            turn.code
            and len(turn.keys) == 1
            and cases.found(session, runtime, turn.code, turn.keys, turn.now)
        ):
            found.add("case_found")
        if ahead is None or ahead.flags & opening.TOLD:
            found |= opening.nobody(session, runtime, turn.now)
        asks_live = (
            turn.kind == "dialled" and "taken" not in found and (ahead is None or "live" in ahead.flags)
        )
        if asks_live and NOBODY not in found and turn.number_index is not None:
            found |= (
                {"live"} if staying.possible(session, runtime, turn.number_index, now=turn.now) else set()
            )
        offers = {topic for topic in outreach.TOPICS if ahead is None or f"heard_{topic}" in ahead.flags}
        plays = ahead is None or bool(offers) or ahead.programme
        programmes = _programmes(session, turn) if plays else ()
        found |= {f"heard_{one.topic}" for one in programmes if one.topic in offers}
        return Facts(
            flags=frozenset(found),
            fresh_handle=fresh_handle(runtime),
            fresh_code=cases.fresh_code(),
            programmes=programmes,
        )
    if turn.kind in (LegKind.COUNSELOR, LegKind.COLLEAGUE, LegKind.CALLBACK, LegKind.LIVE):
        return _bridge_facts(session, runtime, turn, found)
    return _consent_facts(session, runtime, turn, found)


def _consent_facts(session: Session, runtime: Runtime, turn: Turn, found: set[str]) -> Facts:
    """Of somebody who is rung to confirm her opt-in, or with a programme."""
    consent = _consent(session, LegKind(turn.kind), turn.subject)
    own_keys = ""
    if consent is not None:
        own_keys = (consent.asked_key if turn.kind == LegKind.CONFIRM else consent.own_key) or ""
        if opting_in.ends_soon(consent, turn.now):
            found.add("consent_ending")
    return Facts(
        flags=frozenset(found),
        fresh_handle=fresh_handle(runtime),
        own_keys=own_keys,
        programmes=_sent(session, turn) if turn.kind == LegKind.PROGRAMME else (),
    )


def fresh_handle(runtime: Runtime) -> str:
    """A random pair of words; whether it is free is asked only where it is about to be given away."""
    library = runtime.library
    return f"{secrets.choice(library.first_words)}-{secrets.choice(library.second_words)}"


def with_free_handle(
    session: Session, runtime: Runtime, facts: Facts, decide: Callable[[Facts], Decided]
) -> Decided:
    """Decide, and once more with a free handle where the one about to be given away is in use."""
    decided = decide(facts)
    given = {
        action.effect.handle
        for action in decided.actions
        if isinstance(action, Perform) and isinstance(action.effect, Ask | AskByCode | KeepText)
    }
    if not any(callbacks.handle_in_use(session, handle) for handle in given):
        return decided
    return decide(replace(facts, fresh_handle=free_handle(session, runtime)))


def free_handle(session: Session, runtime: Runtime) -> str:
    """A random pair of words that nobody has now; where each pair is somebody's, with a third word.

    Raises `StoreDown` where none is found: nobody can be registered whom nobody could name.
    """
    library, used = runtime.library, callbacks.handles(session)
    free = sorted(set(library.handles) - used)
    if free:
        return secrets.choice(free)
    for _ in range(100):
        handle = f"{secrets.choice(library.handles)}-{secrets.choice(library.first_words)}"
        if handle not in used:
            return handle
    raise StoreDown("every handle is in use")


def _bridge_facts(session: Session, runtime: Runtime, turn: Turn, flags: set[str]) -> Facts:
    callback = callbacks.get(session, turn.subject)
    if callback is None:
        raise Refused("gone")
    if turn.kind == LegKind.CALLBACK and callback.state is not CallbackState.CALLING_CALLER:
        flags.add("counselor_gone")
    if turn.kind == LegKind.LIVE and (her := legs.get(session, turn.leg)):
        flags |= staying.flags(callback, her)
    if turn.account and runtime.switches.on(transferring.FEATURE):
        flags.add(transferring.FEATURE)
    if turn.kind == LegKind.COLLEAGUE and not transferring.asked(
        session, callback.id, turn.account, now=turn.now
    ):
        flags.add("talk_over")
    if turn.kind == LegKind.COUNSELOR and not callback.reached:
        flags.add("not_reached")
    if turn.kind == LegKind.COUNSELOR and bridging.may_ring_again(callback, turn.now):
        flags.add("may_ring_again")
    if turn.kind == LegKind.COUNSELOR and callback.claimed_by not in (None, turn.account):
        flags.add("taken")
    if turn.kind == LegKind.COUNSELOR and callback.state is CallbackState.WAITING:
        flags |= {attending.why_not(session, runtime, callback.id, turn.account, now=turn.now)} - {""}
    return Facts(
        flags=frozenset(flags), handle=callback.handle, own_keys=callback.own_keys, room=callback.room
    )


def _keypad_facts(session: Session, runtime: Runtime, turn: Turn, flags: set[str]) -> Facts:
    account = counselors.get(session, turn.account)
    if account is None or account.disabled:
        raise Refused("gone")
    there = attendance.of(session, account.id)
    flags |= {"on_shift"} if account.on_shift else {f"off_{there.off_why}"}
    right = len(turn.keys) == keypad.CODE_LENGTH and keypad.code_is_right(
        session, runtime, account.id, turn.keys
    )
    if turn.subject != account.id:  # rung for a request that waits
        return _urgent_facts(session, runtime, turn, flags, right=right)
    if right:
        flags.add("code_right")
    upcoming = keypad.next_case(session, runtime, account, turn.now)
    if upcoming is None:
        if attending.enough(session, runtime, account.id, turn.now):
            flags.add("enough_today")
        return Facts(flags=frozenset(flags))
    flags.add("case_to_close" if upcoming.reached else "case_waits")
    return Facts(flags=frozenset(flags), handle=upcoming.handle, own_keys="", room=upcoming.room)


def _urgent_facts(session: Session, runtime: Runtime, turn: Turn, flags: set[str], *, right: bool) -> Facts:
    """Of several who are rung for a request: the right code takes it, or comes too late. Or asked to join a talk."""
    callback = callbacks.get(session, turn.subject)
    if callback and transferring.asked(session, callback.id, turn.account, now=turn.now):
        flags |= {"code_right_to_join"} if right else set()
        return Facts(flags=frozenset(flags), handle=callback.handle, room=callback.room)
    free = callback is not None and callback.state is CallbackState.WAITING and "taken" not in flags
    if (
        callback is None
        or not free
        or attending.why_not(session, runtime, callback.id, turn.account, now=turn.now)
    ):
        return Facts(flags=frozenset(flags | {"code_right_late"} if right else flags))
    return Facts(
        flags=frozenset(flags | {"code_right_now"} if right else flags),
        handle=callback.handle,
        room=callback.room,
    )


def kind_of(runtime: Runtime, line: Msisdn | None) -> str:
    """What a line of ours is for, as a starting point of the script; only `dialled` is ever answered."""
    if line in runtime.settings.missed_call_numbers:
        return "missed"
    return "counselors_line" if line in runtime.settings.counselor_numbers else "dialled"


def _programmes(session: Session, turn: Turn) -> tuple[Programme, ...]:
    audible = outreach.audible(session, language=turn.language, now=turn.now, most=PROGRAMMES_OFFERED)
    return tuple(_heard(version) for version in audible)


def _heard(version: outreach.Audible | outreach.Version) -> Programme:
    return Programme(version.sounds, PIECE_SECONDS, name=version.id, topic=version.topic)


def _sent(session: Session, turn: Turn) -> tuple[Programme, ...]:
    """The one programme of this recipient's campaign, if it may still be heard."""
    recipient = campaigns.recipient(session, turn.subject)
    campaign = campaigns.get(session, recipient.campaign) if recipient else None
    if campaign is None or campaign.state is campaigns.CampaignState.CANCELED:
        return ()
    version = outreach.version(session, campaign.version)
    if version is None or not version.may_be_heard(turn.now):
        return ()
    return (_heard(version),)


def _consent(session: Session, kind: LegKind, subject: str) -> consents.Consent | None:
    if kind is LegKind.CONFIRM:
        return consents.get(session, subject)
    recipient = campaigns.recipient(session, subject)
    return consents.get(session, recipient.consent) if recipient else None
