"""Twilio's JSON for calls, messages and numbers, as far as its client reads it."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from gateway.simulator.records import Call, Line, Message

VERSION = "2010-04-01"


def account(account_sid: str, at: datetime) -> dict[str, Any]:
    """Return the account, without its token."""
    return {
        "sid": account_sid,
        "owner_account_sid": account_sid,
        "friendly_name": "The simulated phone network",
        "status": "active",
        "type": "Full",
        "date_created": _date(at),
        "date_updated": _date(at),
        "subresource_uris": {},
        "uri": f"/{VERSION}/Accounts/{account_sid}.json",
    }


def call(account_sid: str, record: Call) -> dict[str, Any]:
    """Return a call resource; `duration` is in whole seconds, as text, once the call ended."""
    uri = f"/{VERSION}/Accounts/{account_sid}/Calls/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": account_sid,
        "parent_call_sid": None,
        "to": record.to_number,
        "to_formatted": record.to_number,
        "from": record.from_number,
        "from_formatted": record.from_number,
        "phone_number_sid": record.line.sid,
        "status": str(record.status),
        "direction": record.direction,
        "answered_by": record.answered_by,
        "date_created": _date(record.created),
        "date_updated": _date(record.updated),
        "start_time": _date(record.answered),
        "end_time": _date(record.ended),
        "duration": str(record.seconds) if record.status.final else None,
        "price": None,
        "price_unit": "USD",
        "api_version": VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "annotation": None,
        "uri": f"{uri}.json",
        "subresource_uris": {"events": f"{uri}/Events.json"},
    }


def message(account_sid: str, record: Message) -> dict[str, Any]:
    """Return a message resource."""
    uri = f"/{VERSION}/Accounts/{account_sid}/Messages/{record.sid}"
    return {
        "sid": record.sid,
        "account_sid": account_sid,
        "messaging_service_sid": None,
        "to": record.to_number,
        "from": record.from_number,
        "body": record.body,
        "status": record.status,
        "direction": record.direction,
        "num_segments": str(record.segments),
        "num_media": "0",
        "date_created": _date(record.created),
        "date_updated": _date(record.updated),
        "date_sent": _date(record.sent),
        "error_code": record.error_code,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "api_version": VERSION,
        "uri": f"{uri}.json",
        "subresource_uris": {"media": f"{uri}/Media.json"},
    }


def number(account_sid: str, line: Line, at: datetime) -> dict[str, Any]:
    """Return one of the gateway's own numbers with the addresses that answer for it."""
    return {
        "sid": line.sid,
        "account_sid": account_sid,
        "friendly_name": line.kind,
        "phone_number": line.number,
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "voice_url": line.voice_url,
        "voice_method": "POST",
        "voice_fallback_url": "",
        "voice_fallback_method": "POST",
        "voice_receive_mode": "voice",
        "voice_caller_id_lookup": False,
        "voice_application_sid": "",
        "status_callback": line.status_url,
        "status_callback_method": "POST",
        "sms_url": line.sms_url,
        "sms_method": "POST",
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
        "sms_application_sid": "",
        "trunk_sid": None,
        "beta": False,
        "origin": "twilio",
        "status": "in-use",
        "address_requirements": "none",
        "api_version": VERSION,
        "date_created": _date(at),
        "date_updated": _date(at),
        "uri": f"/{VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{line.sid}.json",
    }


def page(name: str, items: list[dict[str, Any]], uri: str, at: int, size: int) -> dict[str, Any]:
    """Return one page of a list; `uri` already ends in its query up to `Page=`."""
    more = len(items) > (at + 1) * size
    return {
        name: items[at * size : (at + 1) * size],
        "page": at,
        "page_size": size,
        "start": at * size,
        "end": max(0, min(len(items), (at + 1) * size) - 1),
        "uri": f"{uri}{at}",
        "first_page_uri": f"{uri}0",
        "next_page_uri": f"{uri}{at + 1}" if more else None,
        "previous_page_uri": f"{uri}{at - 1}" if at else None,
    }


def _date(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at)
