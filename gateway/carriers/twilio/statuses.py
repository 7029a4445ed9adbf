"""Twilio's words and error codes in ours: how a call or text stands, and whether a refusal may be tried again."""

from types import MappingProxyType
from typing import Final

from gateway.carriers.base import OPTED_OUT, LegStatus, TextStatus
from gateway.errors import CarrierError

_CALLS: Final = MappingProxyType(
    {
        "queued": LegStatus.UNDER_WAY,
        "initiated": LegStatus.UNDER_WAY,
        "ringing": LegStatus.UNDER_WAY,
        "in-progress": LegStatus.UNDER_WAY,
        "completed": LegStatus.COMPLETED,
        "busy": LegStatus.BUSY,
        "no-answer": LegStatus.NO_ANSWER,
        "failed": LegStatus.FAILED,
        "canceled": LegStatus.CANCELED,
    }
)

_TEXTS: Final = MappingProxyType(
    {
        "accepted": TextStatus.UNDER_WAY,
        "scheduled": TextStatus.UNDER_WAY,
        "queued": TextStatus.UNDER_WAY,
        "sending": TextStatus.UNDER_WAY,
        "sent": TextStatus.UNDER_WAY,
        "partially_delivered": TextStatus.UNDER_WAY,
        "receiving": TextStatus.UNDER_WAY,
        "received": TextStatus.UNDER_WAY,
        "delivered": TextStatus.DELIVERED,
        "read": TextStatus.DELIVERED,
        "undelivered": TextStatus.FAILED,
        "failed": TextStatus.FAILED,
        "canceled": TextStatus.FAILED,
    }
)

NOT_FINISHED: Final = 20009
"""A call or text is not over yet, so it cannot be deleted: at worst for fourteen days."""

GONE: Final = frozenset(
    {
        20404,  # there is no such call or text (any more)
        21220,  # the call is not in progress
    }
)

_LATER: Final = frozenset(
    {
        429,
        20429,  # too many requests: documented as not processed
        10004,  # too many calls at once
        22005,  # more than a day of calls queued
        21611,  # more than four hours of texts queued
        NOT_FINISHED,
        # The account is not let in, and nothing was done. The person whose request waits must not pay for a
        # token that is being replaced or a bill that is late: her request's own end is the limit.
        401,
        20003,
        20005,
        10001,
    }
)


def leg_status(word: str) -> LegStatus:
    """A word that we do not know ends nothing."""
    return _CALLS.get(word, LegStatus.UNDER_WAY)


def text_status(word: str) -> TextStatus:
    """A word that we do not know ends nothing."""
    return _TEXTS.get(word, TextStatus.UNDER_WAY)


def opted_out(error_code: str) -> bool:
    return error_code == str(OPTED_OUT)


def refusal(status: int, code: int | None, *, harmless_twice: bool) -> CarrierError:
    """Weigh an answer that is not a success.

    `harmless_twice`: asking again does no harm, so even what may have been done is simply tried again. Of
    all answers only "too many requests" is documented as not processed, so a 5xx leaves a new call or text
    uncertain.
    """
    told = f"the carrier answered {status}, code {code}"
    if status == 429 or code in _LATER:
        return CarrierError(told, retry=True, code=code)
    if status >= 500 or status == 408:
        return unsure(told, code, harmless_twice=harmless_twice)
    return CarrierError(told, retry=False, code=code)


def unsure(told: str, code: int | None = None, *, harmless_twice: bool) -> CarrierError:
    """It may have been done."""
    return CarrierError(told, retry=harmless_twice, uncertain=not harmless_twice, code=code)
