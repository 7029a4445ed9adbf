"""A text that came in: what the whole message means, its effects, and the one answer that rides back."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.exc import IntegrityError

from gateway.carriers.base import TextArrived
from gateway.errors import KeystoreDown, StoreDown
from gateway.runtime import Runtime
from gateway.services import flood, opting_in, provider_copies, spending, threads
from gateway.services.conversations import TRIES, Prepared, with_keys
from gateway.services.effects import Effects, NeedsKeys
from gateway.services.errands import ring_bells
from gateway.services.facts import Turn, facts_of, with_free_handle
from gateway.store import contacts, inbox
from gateway.store.database import Session
from gateway.vault import Place
from ivr import actions as act
from ivr.ahead import ahead_of_text
from ivr.burmese import segments
from ivr.burmese.encodings import Encoding, read
from ivr.engine import TEXT_CODE_LENGTH, TextStep, step_text
from ivr.events import TextReceived
from ivr.script import EffectName

Render = Callable[[str | None], bytes]
Display = Literal["unicode", "zawgyi", "latin"]

REMEMBERED = timedelta(minutes=30)
NEUTRAL_EVERY = timedelta(hours=6)
_CODE = re.compile(rf"\d{{{TEXT_CODE_LENGTH}}}", re.ASCII)
_TEXTS_OPEN = "texts_open"
_LESS = frozenset({EffectName.WITHDRAW, EffectName.STOP, EffectName.FORGET})


def take_text(runtime: Runtime, came: TextArrived, render: Render) -> bytes:
    """Answer a text's webhook. The same webhook again gets the same answer and has no second effect.

    Raises `StoreDown` where the database cannot be had.
    """
    prepared = Prepared()
    runtime = runtime.at(runtime.editions.now())  # whatever is published before the answer is made
    met = flood.text_answer(runtime, came)
    if met is flood.Answer.ONLY_LESS and not _asks_for_less(runtime, came.text):
        return render(None)
    if met is not None:
        prepared = replace(prepared, flags=prepared.flags | {"no_reply"})
    for _ in range(TRIES):
        try:
            return _take(runtime, came, render, prepared)
        except NeedsKeys:
            prepared = with_keys(runtime, prepared)
        except KeystoreDown:
            prepared = replace(prepared, flags=prepared.flags | {"no_saving"})
        except IntegrityError:
            continue
    raise StoreDown("the text could not be stored")


def _asks_for_less(runtime: Runtime, text: str) -> bool:
    """Whether a text only withdraws, stops or forgets."""
    match, _ = runtime.library.keyword(text, None)
    rule = runtime.library.script.texts.get(match.name) if match.name else None
    return rule is not None and bool(rule.do) and set(rule.do) <= _LESS


def _take(runtime: Runtime, came: TextArrived, render: Render, prepared: Prepared) -> bytes:
    now = runtime.clock.now()
    key = flood.webhook_key(runtime, came.sid, "text")
    place = Place("inbox", "answer", key.hex())
    with runtime.database.write() as session:
        if not inbox.take(session, key, now):
            seen = inbox.answer_of(session, key, now)
            return render(None) if seen is None else runtime.vault.open_here(place, seen)
        provider_copies.over(session, runtime, "text", came.sid, now=now)
        first = runtime.library.languages[0]  # her own is read below, with how her phone shows it
        turn = Turn.of_caller(session, runtime, came.sender, came.line, now, language=first)
        index = turn.number_index
        # A name or a short code: nobody to answer. A line that is only rung: nothing there takes a text.
        if index is None or turn.kind != "dialled":
            answer = render(None)
            inbox.keep_answer(session, key, runtime.vault.seal_here(place, answer))
            return answer
        language, display = contacts.preference(session, index)
        match, of_words = runtime.library.keyword(came.text, Encoding(display) if display else None)
        name = match.name or _of_sent_code(session, runtime, index, came.text, now)
        there = contacts.texter(session, index)
        asked, at, neutral_at = there or ("", now, None)
        recent = there is not None and now - at <= REMEMBERED
        plain = read(came.text, Encoding(display) if display else None).text
        ahead = ahead_of_text(runtime.library.script, name)
        flags = prepared.flags
        if _TEXTS_OPEN in ahead.flags and _texts_open(session, runtime, index):
            flags |= {_TEXTS_OPEN}
        if threads.takes(session, runtime, index, plain):
            flags |= {"threads"}
        facts = facts_of(session, runtime, turn, flags, ahead)
        if neutral_at is None or now - neutral_at >= NEUTRAL_EVERY:
            facts = replace(facts, flags=facts.flags | {"neutral_due"})
        waited = (now - at).total_seconds() if recent else None
        spoken = language or of_words or turn.language
        script, asked = runtime.library.script, asked if recent else ""
        decided = with_free_handle(
            session,
            runtime,
            facts,
            lambda facts: step_text(script, asked, spoken, TextReceived(name, waited, facts)),
        )
        chosen = next(
            (
                action.effect.display
                for action in decided.actions
                if isinstance(action, act.Perform) and isinstance(action.effect, act.RememberDisplay)
            ),
            None,
        )
        shown = _display(chosen or display, match.encoding, decided.language)
        turn = replace(turn, language=decided.language, text=plain, display=shown, sent=came.sent)
        doing = Effects(session, runtime, turn, prepared.new, prepared.contact)
        errands = doing.perform(decided.actions)
        reply = next((action.key for action in decided.actions if isinstance(action, act.SendText)), "")
        forgotten = any(
            isinstance(action, act.Perform) and isinstance(action.effect, act.Forget)
            for action in decided.actions
        )
        if not forgotten:
            neutral = reply in (script.neutral_text, script.thread_text)
            contacts.keep_texter(
                session,
                index,
                asked=decided.asked,
                at=now,
                neutral_at=now if neutral else neutral_at,
            )
        body = None if "no_reply" in prepared.flags else _worded(runtime, decided, shown)
        answer = render(_paid(session, runtime, body, now))
        inbox.keep_answer(session, key, runtime.vault.seal_here(place, answer))
    ring_bells(runtime, errands)
    return answer


def _paid(session: Session, runtime: Runtime, body: str | None, now: datetime) -> str | None:
    """The answer, where what it costs fits under the caps, and is put down with it."""
    parts = segments.count(body).parts if body else 0
    if not parts or not spending.allows(session, runtime, texts=parts, now=now):
        return None
    spending.note_text(session, runtime, segments=parts, now=now)
    return body


def _texts_open(session: Session, runtime: Runtime, index: bytes) -> bool:
    """Programmes by text: whether they may be asked for, by a number that no code was sent to just now."""
    return runtime.switches.on("programme_texts") and opting_in.texts_open(session, index)


def _of_sent_code(session: Session, runtime: Runtime, index: bytes, text: str, now: datetime) -> str | None:
    """What a text means that is the very code which was sent to this number."""
    digits = "".join(str(unicodedata.decimal(sign, sign)) for sign in text.strip())
    if not _CODE.fullmatch(digits):
        return None
    right = opting_in.code_is_right(session, runtime, index, digits, now=now)
    return runtime.library.script.of_sent_code if right else None


def _worded(runtime: Runtime, decided: TextStep, shown: Display) -> str | None:
    """The answer in words, as her phone shows it."""
    for action in decided.actions:
        if isinstance(action, act.SendText):
            return runtime.library.sms(decided.language, action.key, shown, action.code)
    return None


def _display(chosen: str | None, written: Encoding, language: str) -> Display:
    """As chosen; else as the sender writes; else Unicode."""
    match chosen:
        case "zawgyi" | "latin" | "unicode":
            return chosen
        case _:
            return "zawgyi" if written is Encoding.ZAWGYI and language == "my" else "unicode"
