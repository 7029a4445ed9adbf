"""A request as a counselor sees it: two words, what was wished, and when it is safe. Never who."""

from dataclasses import dataclass
from datetime import datetime

from gateway.console import words
from gateway.console.words import tell as _
from gateway.runtime import Runtime
from gateway.services import callbacks, priority
from gateway.store.callbacks import Callback, CallbackState

IN_A_CALL = (CallbackState.CALLING_COUNSELOR, CallbackState.CALLING_CALLER, CallbackState.TALKING)


@dataclass(frozen=True, slots=True)
class Card:
    """Everything in words. `safe` is whether ringing now is within what was asked; `when` says when it is."""

    id: str
    handle: str  # in the reader's language
    handle_too: tuple[tuple[str, str], ...]  # (language, words) in the others
    state: str
    wish: str
    language: str
    asked: str
    safe: bool
    when: str
    tries: str
    over: bool
    in_a_call: bool
    reached: bool
    why: tuple[str, ...] = ()
    urgent: bool = False
    by_text: bool = False


def card(runtime: Runtime, callback: Callback, now: datetime) -> Card:
    """`now` in the hotline's zone."""
    reading = words.reading()
    ended = callback.ended is not None
    return Card(
        id=callback.id,
        handle=handle_words(runtime, callback.handle, reading),
        handle_too=tuple(
            (language, handle_words(runtime, callback.handle, language))
            for language in runtime.library.languages
            if language != reading
        ),
        state=callback.state.value,
        wish=words.said(words.WISHES, callback.wish),
        language=words.said(words.TONGUES, callback.language),
        asked=words.at(callback.asked, now),
        safe=not ended and not callbacks.withheld(callback, now),
        when=_when(callback, now),
        tries=_tries(callback),
        why=tuple(words.said(words.WHY, one) for one in priority.why(callback, now)) if not ended else (),
        urgent=callback.danger is not None or callback.escalated is not None or callback.flagged,
        over=ended,
        in_a_call=callback.state in IN_A_CALL,
        reached=bool(callback.reached),
        by_text=callback.wish == callbacks.BY_TEXT,
    )


def handle_words(runtime: Runtime, handle: str, language: str) -> str:
    try:
        return " ".join(runtime.library.handle_words(handle, language))
    except KeyError:  # a word that was taken out of the list after it was given to somebody
        return handle.replace("-", " ")


def _when(callback: Callback, now: datetime) -> str:
    if callback.expires <= now:
        return _("its time is over")
    if callback.not_before > now:
        return _(
            "safe from %(start)s to %(end)s",
            start=words.at(callback.not_before, now),
            end=words.at(callback.expires, now),
        )
    if callback.wish == callbacks.BY_TEXT:
        return _("may be answered until %(end)s", end=words.at(callback.expires, now))
    return _(
        "safe now, until %(end)s (%(left)s left)",
        end=words.at(callback.expires, now),
        left=words.span(callback.expires - now),
    )


def _tries(callback: Callback) -> str:
    """What is unusual about it, or nothing."""
    found = []
    if callback.woman:
        found.append(_("wishes to talk with a woman"))
    if callback.asks > 1:
        found.append(_("asked %(count)s times", count=callback.asks))
    if callback.attempts:
        found.append(_("tried %(count)s times", count=callback.attempts))
    return ", ".join(found)
