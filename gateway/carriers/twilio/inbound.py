"""Reads the forms of Twilio's webhooks into events in our words; odd values are read as absent, never guessed."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Final

from gateway.carriers.base import (
    BadForm,
    CallArrived,
    KeysCame,
    LegAnswered,
    LegProgress,
    TextArrived,
    TextProgress,
)
from gateway.carriers.twilio import statuses
from gateway.phone import Msisdn

Form = Sequence[tuple[str, str]]

# Compatible providers number their calls and texts with plain UUIDs.
_UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_CALL_SID: Final = re.compile(rf"CA[0-9a-fA-F]{{32}}|{_UUID}", re.ASCII)
_TEXT_SID: Final = re.compile(rf"(?:SM|MM)[0-9a-fA-F]{{32}}|{_UUID}", re.ASCII)
_COUNT: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


def is_call_sid(sid: object) -> bool:
    return isinstance(sid, str) and _CALL_SID.fullmatch(sid) is not None


def is_text_sid(sid: object) -> bool:
    return isinstance(sid, str) and _TEXT_SID.fullmatch(sid) is not None


def read_call(form: Form) -> CallArrived:
    """Read the first request of a call that was dialled in; raises BadForm, as all readers here."""
    said = _read(form, "CallSid", "From", "To")
    return CallArrived(sid=_call_sid(said), line=_line(said.get("To", "")), caller=_number(said, "From"))


def read_leg(leg: str, form: Form) -> LegAnswered:
    """Read the first request of a call that we placed; a fax counts as a machine, doubt as a person."""
    said = _read(form, "CallSid", "AnsweredBy")
    by = said.get("AnsweredBy", "")
    return LegAnswered(sid=_call_sid(said), leg=leg, machine=by == "fax" or by.startswith("machine"))


def read_keys(step: int, form: Form) -> KeysCame:
    """Read the request that follows our answer number `step`: keys, silence, or the end of a conference."""
    said = _read(form, "CallSid", "From", "To", "Direction", "Digits", "DialCallStatus")
    placed_by_us = said.get("Direction", "").startswith("outbound")
    return KeysCame(
        sid=_call_sid(said),
        step=step,
        keys=said.get("Digits", ""),
        bridged="DialCallStatus" in said,
        ours=placed_by_us,
        caller=None if placed_by_us else _number(said, "From"),
        line=_line(said.get("From" if placed_by_us else "To", "")),
    )


def read_leg_progress(leg: str, form: Form) -> LegProgress:
    """Read a status report of a call; `CallDuration` is in seconds (`Duration`, in minutes, is not read)."""
    said = _read(form, "CallSid", "CallStatus", "CallDuration", "SequenceNumber")
    return LegProgress(
        sid=_call_sid(said),
        leg=leg,
        status=statuses.leg_status(said.get("CallStatus", "")),
        seconds=_count(said, "CallDuration"),
        order=_count(said, "SequenceNumber"),
    )


def read_text(form: Form) -> TextArrived:
    """Read a text that somebody sent us, exactly as it was written.

    Without a body, not even an empty one, it is none: the name of the field has run on into the words.
    """
    said = _read(form, "MessageSid", "From", "To", "Body", "Timestamp")
    if "Body" not in said:
        raise BadForm("no body")
    return TextArrived(
        sid=_text_sid(said),
        line=_line(said.get("To", "")),
        sender=_number(said, "From"),
        text=said.get("Body", ""),
        sent=_moment(said, "Timestamp"),  # Twilio itself sends none with a text; compatible providers may
    )


def read_text_progress(message: str, form: Form) -> TextProgress:
    """Read a status report of a text that we sent; `message` is what its address names, if anything."""
    said = _read(form, "MessageSid", "MessageStatus", "ErrorCode")
    return TextProgress(
        sid=_text_sid(said),
        status=statuses.text_status(said.get("MessageStatus", "")),
        opted_out=statuses.opted_out(said.get("ErrorCode", "")),
        message=message,
    )


def _read(form: Form, *names: str) -> dict[str, str]:
    """Pick these fields; one that came twice says two things, and no rule tells which was meant."""
    said: dict[str, str] = {}
    for name, value in form:
        if name in names:
            if name in said:
                raise BadForm("a field came twice")
            said[name] = value
    return said


def _call_sid(said: dict[str, str]) -> str:
    sid = said.get("CallSid", "")
    if not is_call_sid(sid):
        raise BadForm("no call is named")
    return sid


def _text_sid(said: dict[str, str]) -> str:
    sid = said.get("MessageSid", "")
    if not is_text_sid(sid):
        raise BadForm("no text is named")
    return sid


def _number(said: dict[str, str], name: str) -> Msisdn | None:
    return Msisdn.of_caller(said.get(name, ""))


@lru_cache(maxsize=64)  # our own numbers: few, and no secret
def _line(number: str) -> Msisdn | None:
    return Msisdn.of_caller(number)


def _moment(said: dict[str, str], name: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(said[name])
        return found.astimezone(UTC) if found.tzinfo else None
    except (KeyError, ValueError, OverflowError):  # more digits than a clock has, or past its end
        return None


def _count(said: dict[str, str], name: str) -> int | None:
    text = said.get(name, "")
    return int(text) if _COUNT.fullmatch(text) else None
