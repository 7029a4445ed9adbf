"""Two-way texts: what is no code is kept in the thread of its sender's case, and a counselor answers by text.

Somebody who only texted did not ask to be rung, so nobody can ring her. A text allows answers for a day; they go to
the number that texted, and whoever forged that number reads nothing.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gateway.errors import BadSeal, KeyDestroyed, Refused
from gateway.runtime import Runtime
from gateway.services import callbacks, priority, sending, windows
from gateway.services.errands import ring_bells
from gateway.store import audit, contacts, messages
from gateway.store import callbacks as rows
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.database import Session
from gateway.store.messages import Message, MessageKind, MessageState
from prompts.library import Display

FEATURE: Final = "threads"
ANSWERS_FOR: Final = timedelta(hours=24)
"""How long after her last text an answer may leave, and how long a case that is only a thread stays open."""
ANSWER_LIVES: Final = timedelta(minutes=30)
"""An answer that could not be delivered by then dies."""
EXPECTED_FOR: Final = timedelta(hours=1)
"""In quiet hours an answer may ring her phone this long after her text: she is awake, and waits."""
LATE_AFTER: Final = timedelta(minutes=10)
"""Between the provider's date and the arrival here."""
MOST_PARTS: Final = 3
LONGEST: Final = 1600  # signs of one text: ten parts, which is all that providers join
SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One text of a thread as a counselor reads it; `text` is None where nobody can open it any more.

    `late`: it was long on its way here. `out_of_order`: others that were written after it came first. `crossed`: it
    came before an answer written earlier was known to be on her phone, so it may answer something else.
    """

    hers: bool
    text: str | None
    at: datetime
    state: MessageState
    account: str | None
    late: bool = False
    out_of_order: bool = False
    crossed: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """A case's texts, the oldest first; `why_not` is why no answer may leave now, empty where one may."""

    lines: Sequence[Line]
    draft: str
    display: Display
    why_not: str
    until: datetime | None


# --- what arrives -------------------------------------------------------------------------------------


def takes(session: Session, runtime: Runtime, number_index: bytes, text: str) -> bool:
    """Whether a text that is no code goes to a person: never after stop, nor where nothing is written."""
    if not runtime.switches.on(FEATURE) or contacts.is_forbidden(session, number_index):
        return False
    return any(not unicodedata.category(sign).startswith(("C", "Z")) for sign in text)


def opens_a_case(session: Session, contact: str | None) -> bool:
    return contact is None or rows.open_of(session, contact) is None


def arrived(
    session: Session,
    runtime: Runtime,
    contact: str,
    *,
    text: str,
    display: str,
    handle: str,
    language: str,
    line_index: bytes,
    now: datetime,
    sent: datetime | None = None,
) -> None:
    """Keep a text, sealed, in the thread of her open case, or of a new one that is only a thread."""
    there = rows.open_of(session, contact)
    life = windows.Life(now, now + ANSWERS_FOR, repeats=0)
    if there is None:
        case = runtime.new_id()
        rows.add(
            session,
            id=case, contact=contact, handle=handle, state=CallbackState.WAITING, wish=callbacks.BY_TEXT,
            own_keys="", language=language, line_index=line_index, asked=now, room=runtime.new_id(), changed=now,
            **callbacks.times(life),
        )  # fmt: skip
        callbacks.note(session, case, CallbackState.WAITING, "texted", None, now)
    else:
        case = there.id
        callbacks.note(session, case, there.state, "texted", None, now)
        if there.wish == callbacks.BY_TEXT:  # one that waits to be rung keeps its time
            rank = priority.rank(expires=life.expires, danger=there.danger)
            rows.change(session, case, expires=life.expires, rank=rank, escalated=None, line_index=line_index)
    message = runtime.new_id()
    kept = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    messages.add(
        session,
        id=message, contact=contact, kind=MessageKind.THREAD, subject=case, line_index=line_index,
        display=display, body=runtime.vault.seal_note(contact, sending.body_of(message), kept), parts=1,
        state=MessageState.RECEIVED, written=now, dated=sent, not_after=now + ANSWERS_FOR, changed=now,
    )  # fmt: skip


# --- what a counselor reads ---------------------------------------------------------------------------


def read(session: Session, runtime: Runtime, there: Callback) -> Thread:
    """The thread of a case; only for whoever has it."""
    now = runtime.clock.now()
    kept = messages.of_subject(session, there.id, most=SHOWN)
    draft = messages.draft_of(session, there.id)
    texts = runtime.vault.open_notes([(one.contact, sending.body_of(one.id), one.body) for one in kept])
    last = messages.last_received(session, there.id)
    return Thread(
        lines=_lines(kept, texts),
        draft=_opened(runtime, draft) if draft else "",
        display=_display(session, there, last),
        why_not=_why_not(session, runtime, there, last, now),
        until=None if last is None else last.written + ANSWERS_FOR,
    )


def unanswered(session: Session, cases: Sequence[str]) -> frozenset[str]:
    """Those of these cases in which the last text is hers."""
    return frozenset(messages.last_is_hers(session, cases))


def _lines(kept: Sequence[Message], texts: Sequence[str | None]) -> list[Line]:
    found: list[Line] = []
    newest: datetime | None = None  # of hers, by the provider's date
    answer: Message | None = None
    for one, text in zip(kept, texts, strict=True):
        hers = one.state is MessageState.RECEIVED
        dated = one.dated or one.written
        found.append(
            Line(
                hers=hers,
                text=text,
                at=one.written,
                state=one.state,
                account=one.account,
                late=hers and one.written - dated > LATE_AFTER,
                out_of_order=hers and newest is not None and dated < newest,
                crossed=hers and answer is not None and _on_its_way(answer, one.written),
            )
        )
        if hers:
            newest = max(dated, newest or dated)
        else:
            answer = one
    return found


def _on_its_way(answer: Message, then: datetime) -> bool:
    """Whether an answer had left, or was about to, and was not known to be on her phone."""
    if answer.state is MessageState.DELIVERED:
        return answer.changed > then
    return answer.state in (*messages.WRITTEN, MessageState.SENT) and then - answer.written < LATE_AFTER


def _opened(runtime: Runtime, message: Message) -> str:
    try:
        return runtime.vault.open_note(message.contact, sending.body_of(message.id), message.body)
    except (KeyDestroyed, BadSeal):
        return ""


def _display(session: Session, there: Callback, last: Message | None) -> Display:
    """As she chose; else as she wrote last."""
    number = contacts.sealed_number(session, there.contact) if there.contact else None
    chosen = contacts.preference(session, number[0])[1] if number else None
    return shown_as(chosen or (last.display if last else "unicode"))


def shown_as(name: str) -> Display:
    shown: dict[str, Display] = {"unicode": "unicode", "zawgyi": "zawgyi", "latin": "latin"}
    return shown.get(name, "unicode")


def _why_not(session: Session, runtime: Runtime, there: Callback, last: Message | None, now: datetime) -> str:
    settings = runtime.settings
    number = contacts.sealed_number(session, there.contact) if there.contact else None
    if number is None or last is None or there.ended is not None:
        return "text_over"
    if not runtime.switches.on(FEATURE):
        return "threads_off"
    if contacts.is_forbidden(session, number[0]):
        return "text_stopped"
    if now >= last.written + ANSWERS_FOR:
        return "text_too_late"
    quiet = windows.quiet(now, settings.quiet_hours, settings.timezone)
    return "text_quiet" if quiet and now >= last.written + EXPECTED_FOR else ""


# --- what a counselor writes --------------------------------------------------------------------------


def faults(runtime: Runtime, there: Callback, text: str, display: Display) -> tuple[str, ...]:
    """Why these words may not leave; the two words of the case never stand in a text."""
    found = sending.faults(runtime, text, display, most_parts=MOST_PARTS)
    plain = text.casefold()
    for language in runtime.library.languages:
        try:
            both = runtime.library.handle_words(there.handle, language)
        except KeyError:  # taken out of the list after it was given away
            continue
        if all(word.casefold() in plain for word in both):
            return (*found, "text_handle")
    return found


def answer(runtime: Runtime, case: str, account: str, text: str) -> None:
    """Send an answer to the number that texted. Raises `Refused` with why not; the lease begins anew."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, case, account)
        last = messages.last_received(session, case)
        why = _why_not(session, runtime, there, last, now)
        if why or last is None or there.contact is None:
            raise Refused(why or "text_over")
        display = _display(session, there, last)
        for fault in faults(runtime, there, text, display):
            raise Refused(fault)
        errand = sending.write(
            session, runtime, kind=MessageKind.THREAD, contact=there.contact, subject=case, text=text,
            display=display, line_index=last.line_index, now=now, account=account, most_parts=MOST_PARTS,
            not_after=min(now + ANSWER_LIVES, last.written + ANSWERS_FOR),
        )  # fmt: skip
        messages.drop_draft(session, case)
        rows.change(session, case, lease_until=now + callbacks.LEASE)
        audit.note(session, what="texted", account=account, subject=case, now=now)
    ring_bells(runtime, [errand])


def keep_draft(runtime: Runtime, case: str, account: str, text: str) -> None:
    """Keep what was begun, sealed, for this counselor or whoever goes on; empty words throw it away."""
    now = runtime.clock.now()
    with runtime.database.write() as session:
        there = _mine(session, case, account)
        messages.drop_draft(session, case)
        text = text.strip()[:LONGEST]
        if text and there.contact is not None:
            message = runtime.new_id()
            body = runtime.vault.seal_note(there.contact, sending.body_of(message), text)
            messages.add(
                session,
                id=message, contact=there.contact, kind=MessageKind.THREAD, subject=case, account=account,
                line_index=there.line_index, display="unicode", body=body, parts=0, state=MessageState.DRAFT,
                written=now, not_after=now + ANSWERS_FOR, changed=now,
            )  # fmt: skip
        rows.change(session, case, lease_until=now + callbacks.LEASE)


def _mine(session: Session, case: str, account: str) -> Callback:
    there = callbacks.known(session, case)
    if there.claimed_by != account:
        raise Refused("taken")
    if there.state is not CallbackState.CLAIMED:
        raise Refused("in_a_call" if there.ended is None else "text_over")
    return there
