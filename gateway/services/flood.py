"""What happens when too much comes: who is still served, and what everybody else meets.

Two kinds of limits. What a process can bear is counted in its own memory, before anything else is done, and cannot
fail. What costs money or fills the queue is counted in the database, exactly, by whoever does it. Somebody with an
open request, and every counselor, passes all limits but those of her own number. Withdrawing, stopping and being
forgotten are never limited.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Final

from gateway.carriers.base import CallArrived, TextArrived
from gateway.errors import GatewayError, KeystoreDown
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import spending
from gateway.services.facts import Turn
from gateway.settings import Settings
from gateway.store import callbacks, contacts, counselors, inbox, quotas
from gateway.store.database import Session

TURNS: Final = 300  # answers in one call: an hour of listening, and no more


class Answer(StrEnum):
    """What somebody past a limit meets: never an error, and never a wrong promise."""

    SENTENCE = "hears that there are many calls just now, then the line is free"
    REJECT = "hears a busy signal; the call costs nobody anything"
    CLOSED = "hears that the line is closed for now and nothing was written down"
    GOODBYE = "hears goodbye"
    NOT_RUNG = "is not rung; who opted in is told that nothing was written down"
    NOT_SAVED = "is told that nothing was written down, by voice or by text"
    NO_REPLY = "is read and obeyed, but gets no answer"
    ONLY_LESS = "stop, withdraw and forget are obeyed; anything else is not read, and gets no answer"


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` times `per` for each of `whom`; one more meets the `answer`."""

    name: str
    what: str
    whom: str
    most: int
    per: timedelta
    answer: Answer
    exact: bool = False
    """In the database, for all processes together; else in each process's memory."""


_TEN_MINUTES: Final = timedelta(minutes=10)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_CALL: Final = timedelta()
_EVERYBODY, _WITHHELD = "everybody", "withheld"
_RUNG: Final = "calls to strangers whose number rang or opted in"
_CALLER, _BLOCK, _LINE, _ALL = "number", "block of 10,000 numbers", "line of ours", "everybody"


def limits(settings: Settings) -> dict[str, Limit]:
    """Every limit by its name; `docs/limits.md` shows this table with the default settings."""
    return _table(settings.arrivals, settings.requests, settings.ring_backs)


@cache
def _table(arrivals: int, requests: int, rings: int) -> dict[str, Limit]:
    asked, rung = ("new requests", Answer.NOT_SAVED), (_RUNG, Answer.NOT_RUNG)
    table = (
        Limit("calls", "new calls", _ALL, arrivals, _MINUTE, Answer.REJECT),
        Limit("line", "new calls", _LINE, _part(arrivals, 2, 3), _MINUTE, Answer.REJECT),
        Limit("block", "new calls", _BLOCK, _part(arrivals, 1, 6), _MINUTE, Answer.REJECT),
        Limit("caller_more", "new calls", _CALLER, 40, _TEN_MINUTES, Answer.REJECT),
        Limit("caller", "new calls", _CALLER, 20, _TEN_MINUTES, Answer.SENTENCE),
        Limit("turns", "answers in one call", _CALLER, TURNS, _CALL, Answer.GOODBYE),
        Limit("texts", "texts", _ALL, arrivals, _MINUTE, Answer.ONLY_LESS),
        Limit("sender", "texts", _CALLER, 40, _HOUR, Answer.NO_REPLY),
        _exact("requests", asked, _ALL, requests, _HOUR),
        _exact("requests_block", asked, _BLOCK, _part(requests, 1, 5), _HOUR),
        _exact("rings", rung, _ALL, rings, _HOUR),
        _exact("rings_block", rung, _BLOCK, _part(rings, 1, 5), _HOUR),
        _exact("rings_caller", rung, _CALLER, 6, _DAY),
    )
    return {one.name: one for one in table}


def _exact(name: str, asked: tuple[str, Answer], whom: str, most: int, per: timedelta) -> Limit:
    return Limit(name, asked[0], whom, most, per, asked[1], exact=True)


def _part(of: int, share: int, whole: int) -> int:
    return max(1, of * share // whole)


# --- what a process can bear ----------------------------------------------------------------------------


def call_answer(runtime: Runtime, came: CallArrived) -> Answer | None:
    """What a new call meets instead of the menu; None where it is taken.

    Memory is all that is asked, unless a limit is met or spending has a cap.
    """
    now, table = runtime.clock.now(), limits(runtime.settings)
    whose, block = _keys(runtime, came.caller)
    webhook = (came.sid, "arrived")
    if _over(runtime, table["caller_more"], whose, now):
        return None if _has_place(runtime, b"", webhook) else Answer.REJECT
    crowd = block if came.caller else _WITHHELD  # of a number without a key no block is known: it is in none
    crowds = (("calls", _EVERYBODY), ("line", came.line), ("block", crowd))
    crowded = [_over(runtime, table[name], key, now) for name, key in crowds]
    if any(crowded) and not _has_place(runtime, whose, webhook):
        return Answer.REJECT
    if _over(runtime, table["caller"], whose, now):
        return None if _has_place(runtime, b"", webhook) else Answer.SENTENCE
    return _too_dear(runtime, whose, webhook, now)


def text_answer(runtime: Runtime, came: TextArrived) -> Answer | None:
    """How far a text is taken; None where it is taken wholly."""
    now, table = runtime.clock.now(), limits(runtime.settings)
    whose, _ = _keys(runtime, came.sender)
    webhook = (came.sid, "text")
    if _over(runtime, table["texts"], _EVERYBODY, now) and not _has_place(runtime, whose, webhook):
        return Answer.ONLY_LESS
    if _over(runtime, table["sender"], whose, now) and not _has_place(runtime, b"", webhook):
        return Answer.NO_REPLY
    return None


def webhook_key(runtime: Runtime, sid: str, kind: str) -> bytes:
    """What stands for one webhook in the inbox."""
    return runtime.vault.digest("inbox", f"{runtime.carrier.name} {sid} {kind}")


def _over(runtime: Runtime, limit: Limit, key: Hashable, now: datetime) -> bool:
    """Count one more, and tell whether it is one too many; nobody is counted where nothing tells them apart."""
    return bool(key) and runtime.tallies.count(limit.name, key, per=limit.per, now=now) > limit.most


def _keys(runtime: Runtime, number: Msisdn | None) -> tuple[bytes, bytes]:
    """What stands for a number and for its block; nothing where it is withheld, or no key can be had now."""
    if number is None:
        return b"", b""
    try:
        return runtime.vault.index(number), runtime.vault.block_index(number)
    except KeystoreDown:
        return b"", b""


def _has_place(runtime: Runtime, index: bytes, webhook: tuple[str, str]) -> bool:
    """Whether this webhook was taken before, and so gets its answer again, or a place is kept for this number."""
    try:
        with runtime.database.read() as session:
            if inbox.taken(session, webhook_key(runtime, *webhook)):
                return True
            if not index:
                return False
            return _has_request(session, index) or counselors.of_number(session, index) is not None
    except GatewayError:
        return False


def _has_request(session: Session, index: bytes) -> bool:
    contact = contacts.find(session, index)
    return contact is not None and callbacks.open_of(session, contact) is not None


def _too_dear(runtime: Runtime, index: bytes, webhook: tuple[str, str], now: datetime) -> Answer | None:
    """Towards the cap only who waits already is answered, and at the cap nobody is: a busy signal is free."""
    if not spending.capped(runtime.settings):
        return None
    try:
        with runtime.database.read() as session:
            used = spending.used(session, runtime, now=now)
    except GatewayError:
        return None  # whoever goes on learns soon enough that the database is away
    if used < spending.Share.NEW:
        return None
    at_the_cap = used >= spending.Share.BEGUN
    if _has_place(runtime, b"" if at_the_cap else index, webhook):
        return None
    return Answer.REJECT if at_the_cap else Answer.CLOSED


# --- what costs money or fills the queue -----------------------------------------------------------------


def crowded(session: Session, runtime: Runtime, what: str, turn: Turn) -> bool:
    """Count one more request (`requests`) or ring of ours (`rings`), and tell whether that is one too many.

    Ask in the transaction that would do it: where it is too many, that does not happen, nor is it counted.
    """
    table, index = limits(runtime.settings), turn.number_index or b""
    waits = bool(index) and _has_request(session, index)
    scopes: list[tuple[str, bytes]] = []
    if f"{what}_caller" in table:
        scopes.append((f"{what}_caller", index))
    if not waits:  # else the same request is asked again, or a place is kept
        if turn.caller:  # who was rung back was counted with her block when she rang
            scopes.append((f"{what}_block", runtime.vault.block_index(turn.caller)))
        scopes.append((what, b""))
    return any(_one_more(session, table[name], key, turn.now) for name, key in scopes)


def _one_more(session: Session, limit: Limit, key: bytes, now: datetime) -> bool:
    span = limit.per.total_seconds()
    began = datetime.fromtimestamp(now.timestamp() // span * span, UTC)
    return quotas.count(session, limit.name, key, began=began) > limit.most
