"""The one way to send a text by REST: a row, an errand, an attempt committed before it is made; never twice.

One text at a time leaves for a person, in the order they were written. So when nobody knows whether an attempt came
about, whatever the provider lists for her and we do not know is that text, and nothing is sent again on a guess.
"""

from datetime import datetime, timedelta
from typing import Final

from gateway.carriers.base import OPTED_OUT, TextProgress, TextStatus
from gateway.errors import BadSeal, CarrierError, KeyDestroyed, Refused
from gateway.phone import Msisdn
from gateway.queue import JOB_SEND_TEXT
from gateway.runtime import Runtime
from gateway.services import campaigns, forgetting, halting, provider_copies, spending, windows
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import campaigns as recipients
from gateway.store import contacts, messages, outbox
from gateway.store.database import Session
from gateway.store.messages import UNDER_WAY, Message, MessageKind, MessageState
from gateway.store.outbox import Duty
from gateway.vault import Place
from ivr.burmese.encodings import in_unicode, unicode_to_zawgyi
from ivr.burmese.segments import Segments, count
from prompts.library import Display
from prompts.unsaid import unfit

S = MessageState

LOOK_UP_AFTER: Final = timedelta(seconds=20)
GIVEN_UP_AFTER: Final = timedelta(minutes=3)  # the provider knows of no such text: it was never sent
AFTER_REFUSAL: Final = timedelta(seconds=20)
IN_TURN: Final = timedelta(seconds=5)  # an earlier text to her is on its way
TOO_DEAR: Final = timedelta(minutes=1)  # nothing more may be spent now


# --- writing one --------------------------------------------------------------------------------------


def as_shown(text: str, display: Display) -> str:
    """The words as they leave for a phone that shows this; Zawgyi typed in, or in a part of it, is read first."""
    plain = in_unicode(text).strip()
    return unicode_to_zawgyi(plain) if display == "zawgyi" else plain


def cost(text: str, display: Display) -> Segments:
    return count(as_shown(text, display))


def faults(runtime: Runtime, text: str, display: Display, *, most_parts: int) -> tuple[str, ...]:
    """Why this may not be sent, as wordings' keys; the wording of a private list is never told."""
    plain = as_shown(text, "unicode")
    if not plain:
        return ("text_empty",)
    found = list(unfit(plain, word_list=runtime.settings.listed_words(), latin=display == "latin"))
    if cost(text, display).parts > most_parts:
        found.append("text_too_long")
    return tuple(found)


def write(
    session: Session,
    runtime: Runtime,
    *,
    kind: MessageKind,
    contact: str,
    subject: str,
    text: str,
    display: Display,
    line_index: bytes,
    now: datetime,
    not_after: datetime,
    most_parts: int,
    due: datetime | None = None,
    account: str | None = None,
) -> Errand:
    """Owe this person a text, from `due` on and never after `not_after`. Raises `Refused` with its first fault."""
    for fault in faults(runtime, text, display, most_parts=most_parts):
        raise Refused(fault)
    message = runtime.new_id()
    body = runtime.vault.seal_note(contact, body_of(message), as_shown(text, "unicode"))
    messages.add(
        session,
        id=message, contact=contact, kind=kind, subject=subject, account=account, line_index=line_index,
        display=display, body=body, parts=cost(text, display).parts, state=S.OWED, written=now,
        not_after=not_after, changed=now,
    )  # fmt: skip
    start = due or now
    return errand(session, runtime, JOB_SEND_TEXT, message, due=start, lives=not_after - start)


# --- sending it ---------------------------------------------------------------------------------------


def send(runtime: Runtime, duty: Duty) -> None:
    """The worker's job for one text."""
    with runtime.database.read() as session:
        message = messages.peek(session, duty.subject)
        to = _addressee(session, runtime, message) if message else None
    if message is None or message.state not in messages.WRITTEN:
        _finish(runtime, duty, "over")
        return
    if message.state in UNDER_WAY:
        _look_up(runtime, duty, message, to)
        return
    body = _opened(runtime, message) if to and spending.may_be_rung(runtime, to[0]) else None
    if to is None or body is None:
        with runtime.database.write() as session:
            messages.move(session, message.id, from_=(S.OWED,), to=S.CANCELED, now=runtime.clock.now())
            _count(session, message, "stopped", now=runtime.clock.now())
            outbox.finish(session, duty.id, now=runtime.clock.now(), result="not_wanted")
    elif _begin(runtime, duty):
        _attempt(runtime, duty, message, to, body)


def under_way(session: Session, message: str) -> bool:
    """Whether it may have been sent: then that is looked up, however late it is."""
    there = messages.peek(session, message)
    return there is not None and there.state in UNDER_WAY


def too_late(session: Session, message: str, *, now: datetime) -> None:
    """Its time is over before anything was sent: it dies."""
    if messages.move(session, message, from_=(S.OWED,), to=S.TOO_LATE, now=now):
        _count(session, messages.peek(session, message), "expired", now=now)


def _begin(runtime: Runtime, duty: Duty) -> bool:
    """Commit the attempt; False where now is not the time, or it is not wanted any more."""
    now = runtime.clock.now()
    settings = runtime.settings
    with runtime.database.write() as session:
        there = messages.get_in_turn(session, duty.subject)
        if there is None or there.state is not S.OWED:
            outbox.again(session, duty.id, due=now, count=False)
            return False
        if halting.is_locked(session):
            outbox.again(session, duty.id, due=now + halting.LOOK_AGAIN, count=False)
            return False
        # An answer goes at any hour, like whoever asked for it; anything else waits until people are awake.
        awake = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
        if there.kind is not MessageKind.THREAD and awake > now:
            outbox.again(session, duty.id, due=awake, count=False)
            return False
        if messages.before_it(session, there):
            outbox.again(session, duty.id, due=now + IN_TURN, count=False)
            return False
        if not spending.allows(session, runtime, texts=there.parts, now=now):
            outbox.again(session, duty.id, due=now + TOO_DEAR, count=False)
            return False
        campaign = _campaign_of(session, there)
        spending.note_text(session, runtime, segments=there.parts, now=now, campaign=campaign)
        return messages.move(session, there.id, from_=(S.OWED,), to=S.SENDING, now=now, tried=now)


def _attempt(runtime: Runtime, duty: Duty, message: Message, to: tuple[Msisdn, Msisdn], body: str) -> None:
    left = int((message.not_after - runtime.clock.now()).total_seconds())
    try:
        sid = runtime.carrier.send_text(to=to[0], line=to[1], body=body, validity=left, message=message.id)
    except CarrierError as error:
        if error.uncertain:
            _not_known(runtime, duty, message)
        else:
            _refused(runtime, duty, message, error)
    else:
        _sent(runtime, duty, message, sid)


def _look_up(runtime: Runtime, duty: Duty, message: Message, to: tuple[Msisdn, Msisdn] | None) -> None:
    """An earlier worker may have sent it: ask the provider, and never send on a guess."""
    now = runtime.clock.now()
    if to is None or message.tried is None:  # forgotten meanwhile: there is nothing left to ask by
        _finish(runtime, duty, "not_wanted")
        return
    try:
        found = runtime.carrier.find_texts(to=to[0], line=to[1], since=message.tried - LOOK_UP_AFTER)
    except CarrierError:  # it cannot be asked now
        _not_known(runtime, duty, message)
        return
    with runtime.database.read() as session:
        known = messages.known_sids(session, message.contact)
    new = [one for one in found if runtime.vault.digest("sid", one[0]) not in known]
    if new:
        sid, status = new[0]
        _sent(runtime, duty, message, sid)
        report(runtime, TextProgress(sid=sid, status=status, message=message.id))
    elif now - message.tried < GIVEN_UP_AFTER:
        _not_known(runtime, duty, message)
    else:  # it never left: what it was for is still owed
        with runtime.database.write() as session:
            campaign = _campaign_of(session, message)
            spending.note_text(session, runtime, segments=-message.parts, now=now, campaign=campaign)
            messages.move(session, message.id, from_=UNDER_WAY, to=S.OWED, now=now)
            outbox.again(session, duty.id, due=now, count=False)


def _not_known(runtime: Runtime, duty: Duty, message: Message) -> None:
    now = runtime.clock.now()
    with runtime.database.write() as session:
        messages.move(session, message.id, from_=(S.SENDING,), to=S.UNCERTAIN, now=now)
        outbox.again(session, duty.id, due=now + LOOK_UP_AFTER, count=False)


def _refused(runtime: Runtime, duty: Duty, message: Message, error: CarrierError) -> None:
    """Certainly not sent: owed again, or it ends; and whoever stopped us at the carrier is left alone at once."""
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        campaign = _campaign_of(session, message)
        spending.note_text(session, runtime, segments=-message.parts, now=now, campaign=campaign)
        if error.retry:
            messages.move(session, message.id, from_=UNDER_WAY, to=S.OWED, now=now)
            outbox.again(session, duty.id, due=now + AFTER_REFUSAL, count=False)
        else:
            messages.move(session, message.id, from_=UNDER_WAY, to=S.FAILED, now=now)
            _count(session, message, "stopped" if error.code == OPTED_OUT else "failed", now=now)
            outbox.finish(session, duty.id, now=now, result="refused")
            if error.code == OPTED_OUT:
                errands = _stopped(session, runtime, message.contact, now=now)
    ring_bells(runtime, errands)


def _sent(runtime: Runtime, duty: Duty, message: Message, sid: str) -> None:
    now = runtime.clock.now()
    with runtime.database.write() as session:
        messages.keep_sid(session, message.id, runtime.vault.digest("sid", sid))
        provider_copies.began(session, runtime, "text", sid, now=now)
        messages.move(session, message.id, from_=UNDER_WAY, to=S.SENT, now=now)
        _count(session, message, "texted", now=now)
        outbox.finish(session, duty.id, now=now, result="sent")


def _count(session: Session, message: Message | None, why: str, *, now: datetime) -> None:
    """A programme's text counts for its campaign, once, however it ended."""
    if message is not None and message.kind is MessageKind.PROGRAMME:
        campaigns.texted(session, message.subject, why, now=now)


def _campaign_of(session: Session, message: Message) -> str:
    of = recipients.recipient(session, message.subject) if message.kind is MessageKind.PROGRAMME else None
    return of.campaign if of else ""


# --- what the provider reports ------------------------------------------------------------------------

# Where a report leads, and from which states: whatever order they come in, the end is the same.
_REPORTED: Final = {
    TextStatus.UNDER_WAY: (S.SENT, messages.WRITTEN),
    TextStatus.FAILED: (S.FAILED, (*messages.WRITTEN, S.SENT)),
    TextStatus.DELIVERED: (S.DELIVERED, (*messages.WRITTEN, S.SENT, S.FAILED, S.TOO_LATE, S.CANCELED)),
}


def report(runtime: Runtime, progress: TextProgress) -> None:
    """Take a delivery report: any order, doubled or early, they end in the same state."""
    now = runtime.clock.now()
    errands: list[Errand] = []
    with runtime.database.write() as session:
        list_copy = provider_copies.began if progress.status is TextStatus.UNDER_WAY else provider_copies.over
        list_copy(session, runtime, "text", progress.sid, now=now)
        named = progress.message or messages.of_sid(session, runtime.vault.digest("sid", progress.sid))
        message = messages.get(session, named) if named else None
        if message is None or message.state in (S.RECEIVED, S.DRAFT):
            return
        if message.sid_digest is None:
            messages.keep_sid(session, message.id, runtime.vault.digest("sid", progress.sid))
        to, from_ = _REPORTED[progress.status]
        messages.move(session, message.id, from_=from_, to=to, now=now)
        if progress.opted_out:
            errands = _stopped(session, runtime, message.contact, now=now)
    ring_bells(runtime, errands)


def _stopped(session: Session, runtime: Runtime, contact: str, *, now: datetime) -> list[Errand]:
    there = contacts.sealed_number(session, contact)
    return [] if there is None else forgetting.stop(session, runtime, there[0], now=now)


# --- whom, and what -----------------------------------------------------------------------------------


def _addressee(session: Session, runtime: Runtime, message: Message) -> tuple[Msisdn, Msisdn] | None:
    """Her number, and ours that she knows; None where she was forgotten, or said stop before anything was sent."""
    there = contacts.sealed_number(session, message.contact)
    if there is None or (message.state is S.OWED and contacts.is_forbidden(session, there[0])):
        return None
    line = runtime.our_lines.get(message.line_index, runtime.settings.numbers[0])
    if line not in runtime.settings.numbers:  # a text from any other of ours would show what that one is for
        line = runtime.settings.numbers[0]
    try:
        number = runtime.vault.open_number(
            message.contact, Place("contacts", "number", message.contact), there[1]
        )
    except (KeyDestroyed, BadSeal):
        return None
    return number, line


def _opened(runtime: Runtime, message: Message) -> str | None:
    try:
        plain = runtime.vault.open_note(message.contact, body_of(message.id), message.body)
    except (KeyDestroyed, BadSeal):
        return None
    return unicode_to_zawgyi(plain) if message.display == "zawgyi" else plain


def body_of(message: str) -> Place:
    return Place("messages", "body", message)


def _finish(runtime: Runtime, duty: Duty, result: str) -> None:
    with runtime.database.write() as session:
        outbox.finish(session, duty.id, now=runtime.clock.now(), result=result)
