"""The parameters of Twilio's webhooks, the undocumented and the empty ones included."""

import secrets
from datetime import datetime
from email.utils import format_datetime

import phonenumbers

from gateway.simulator.records import Call, Message, Status
from gateway.simulator.rooms import Room

_VERSION = {"ApiVersion": "2010-04-01"}
_SIP = {Status.BUSY: "486", Status.NO_ANSWER: "487", Status.CANCELED: "487", Status.FAILED: "404"}


def new_sid(prefix: str) -> str:
    """Return a Twilio-shaped identifier: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def of_call(account_sid: str, call: Call) -> dict[str, str]:
    """Return what every voice request carries."""
    fields = {
        **_VERSION,
        "CallSid": call.sid,
        "AccountSid": account_sid,
        "From": call.from_number,
        "To": call.to_number,
        "Caller": call.from_number,
        "Called": call.to_number,
        "CallStatus": str(call.status),
        "Direction": call.direction,
    }
    if call.answered_by is not None:
        fields["AnsweredBy"] = call.answered_by
    for name in ("From", "To", "Caller", "Called"):
        fields |= _geography(name, fields[name])
    return fields


def of_progress(account_sid: str, call: Call, event: str, status: str, sequence: int) -> dict[str, str]:
    """Return what a call's status callback carries: `CallDuration` in seconds, `Duration` in minutes."""
    fields = of_call(account_sid, call) | {
        "CallStatus": status,
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(sequence),
        "Timestamp": format_datetime(call.updated),
    }
    if event == "completed":
        fields |= {
            "CallDuration": str(call.seconds),
            "Duration": str(-(-call.seconds // 60)),
            "SipResponseCode": _SIP.get(call.status, "200"),
        }
    return fields


def of_message(account_sid: str, message: Message) -> dict[str, str]:
    """Return what every message request carries."""
    fields = {
        **_VERSION,
        "MessageSid": message.sid,
        "SmsSid": message.sid,
        "AccountSid": account_sid,
        "From": message.from_number,
        "To": message.to_number,
    }
    if message.direction == "inbound":
        fields |= {
            "SmsMessageSid": message.sid,
            "SmsStatus": "received",
            "Body": message.body,
            "NumMedia": "0",
            "NumSegments": str(message.segments),
            **_geography("From", message.from_number),
            **_geography("To", message.to_number),
        }
        return fields
    fields |= {"MessageStatus": message.status, "SmsStatus": message.status}
    if message.error_code is not None:
        fields["ErrorCode"] = str(message.error_code)
    if message.status in ("delivered", "undelivered"):
        fields["RawDlrDoneDate"] = f"{message.updated:%y%m%d%H%M}"
    return fields


def of_room(account_sid: str, call: Call, room: Room, event: str, at: datetime) -> dict[str, str]:
    """Return what a conference's status callback carries; `event` is TwiML's: join, start, leave or end."""
    fields = {
        "AccountSid": account_sid,
        "ConferenceSid": room.sid,
        "FriendlyName": room.name,
        "StatusCallbackEvent": f"{'participant' if event in ('join', 'leave') else 'conference'}-{event}",
        "SequenceNumber": str(room.sequence),
        "Timestamp": format_datetime(at),
    }
    if event in ("join", "leave"):
        fields |= {"CallSid": call.sid, "Muted": "false", "Hold": "false"}
    return fields


def _geography(name: str, number: str) -> dict[str, str]:
    """Twilio knows the country of most numbers, and little else."""
    try:
        country = phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        country = ""
    return {f"{name}City": "", f"{name}State": "", f"{name}Zip": "", f"{name}Country": country}
