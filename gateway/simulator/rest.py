"""The part of Twilio's REST API that the gateway uses, with Twilio's own refusals."""

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import phonenumbers
from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from gateway.simulator import shapes
from gateway.simulator.network import Network
from gateway.simulator.records import Call, Callback, Document, Message, Status

_MORE = "https://www.twilio.com/docs/errors/"
_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,6}", re.ASCII)


class Refusal(Exception):  # noqa: N818  (what Twilio answers, not a failure of ours)
    """An answer of 4xx with Twilio's code and sentence."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def create_rest(network: Network) -> Blueprint:
    """Return the API, to be mounted below `/simulator`: its `/api` then is Twilio's base address."""
    blueprint = Blueprint("rest", __name__, url_prefix=f"/api/{shapes.VERSION}/Accounts")
    rest = _Rest(network)
    blueprint.before_request(rest.authenticate)
    blueprint.register_error_handler(Refusal, _refused)
    for rule, view, method in (
        ("Calls.json", rest.create_call, "POST"),
        ("Calls.json", rest.list_calls, "GET"),
        ("Calls/<sid>.json", rest.update_call, "POST"),
        ("Calls/<sid>.json", rest.fetch_call, "GET"),
        ("Calls/<sid>.json", rest.delete_call, "DELETE"),
        ("Messages.json", rest.create_message, "POST"),
        ("Messages.json", rest.list_messages, "GET"),
        ("Messages/<sid>.json", rest.update_message, "POST"),
        ("Messages/<sid>.json", rest.fetch_message, "GET"),
        ("Messages/<sid>.json", rest.delete_message, "DELETE"),
        ("IncomingPhoneNumbers.json", rest.list_numbers, "GET"),
    ):
        blueprint.add_url_rule(f"/<account>/{rule}", view.__name__, view, methods=[method])
    blueprint.add_url_rule("/<account>.json", "fetch_account", rest.fetch_account)
    return blueprint


def _refused(refusal: Refusal) -> ResponseReturnValue:
    body = {
        "code": refusal.code,
        "message": str(refusal),
        "more_info": f"{_MORE}{refusal.code}",
        "status": refusal.status,
    }
    return jsonify(body), refusal.status


@dataclass(frozen=True)
class _Rest:
    network: Network

    def authenticate(self) -> None:
        given = request.authorization
        account, token = self.network.account_sid, self.network.auth_token
        password = given.password if given is not None and given.username == account else None
        if password is None or not hmac.compare_digest(password.encode(), token.encode()):
            raise Refusal(20003, "Authenticate", 401)
        if (request.view_args or {}).get("account") != account:
            raise Refusal(20404, "The requested resource was not found", 404)

    def fetch_account(self, account: str) -> ResponseReturnValue:
        return jsonify(shapes.account(account, self.network.now()))

    # -- calls ----------------------------------------------------------------------------------------------

    def create_call(self, account: str) -> ResponseReturnValue:
        to, sender = self._to(21201), self._sender(21213, malformed=21212, foreign=21210)
        if to == sender or to in self.network.lines:
            raise Refusal(21211, "To is one of your own numbers: this network does not call itself")
        source = self._source()
        if source is None:
            raise Refusal(21205, "Url parameter is required.")
        call = self.network.place(
            sender,
            to,
            source,
            self._callback(),
            timeout=_number("Timeout", 60, 1, 600, 21208),
            time_limit=_number("TimeLimit", 14400, 1, 86400, 21208),
            detection=self._detection(),
        )
        return jsonify(shapes.call(account, call)), 201

    def list_calls(self, account: str) -> ResponseReturnValue:
        wanted = request.args
        from_at, to_at = _moment("StartTime>"), _moment("StartTime<")
        with self.network.changed:
            found = [
                shapes.call(account, call)
                for call in reversed(self.network.calls.values())
                if wanted.get("To", call.to_number) == call.to_number
                and wanted.get("From", call.from_number) == call.from_number
                and wanted.get("Status", call.status) == call.status
                and (from_at is None or call.created >= from_at)
                and (to_at is None or call.created <= to_at)
            ]
        return _page("calls", found)

    def fetch_call(self, account: str, sid: str) -> ResponseReturnValue:
        return jsonify(shapes.call(account, self._call(sid)))

    def update_call(self, account: str, sid: str) -> ResponseReturnValue:
        network, call, status = self.network, self._call(sid), request.form.get("Status")
        if status not in (None, "completed", "canceled"):
            raise Refusal(21218, f"{status} is no status a call can be given")
        target = self._source()
        with network.changed:
            waiting = call.status in (Status.QUEUED, Status.RINGING)
            if call.status.final or (status == "canceled" and not waiting):
                raise Refusal(21220, f"Unable to update call: it is {call.status}")
            if status is not None:
                network.end(call, Status.CANCELED if waiting else Status.COMPLETED)
            elif target is not None and not network.move(call, target):
                raise Refusal(21220, "Call is not in-progress. Cannot redirect.")
            return jsonify(shapes.call(account, call))

    def delete_call(self, account: str, sid: str) -> ResponseReturnValue:
        del account
        call = self._call(sid)
        if not call.status.final:
            raise Refusal(20009, "The call is not finished", 409)
        del self.network.calls[sid]
        return "", 204

    # -- messages -------------------------------------------------------------------------------------------

    def create_message(self, account: str) -> ResponseReturnValue:
        to, sender = self._to(21604), self._sender(21603, malformed=21212, foreign=21606)
        body = request.form.get("Body", "")
        if not body:
            raise Refusal(21602, "Message body is required")
        if len(body) > 1600:
            raise Refusal(21617, "The message body is longer than 1600 characters")
        if to == sender or to in self.network.lines:
            raise Refusal(21611 if to == sender else 21612, "To is one of your own numbers")
        if self.network.opted_out(to, sender):
            raise Refusal(21610, "Attempt to send to unsubscribed recipient")
        callback = request.form.get("StatusCallback")
        if callback is not None:
            self._reachable(callback, 21609)
        validity = _number("ValidityPeriod", 36000, 1, 36000, 30400)
        message = self.network.send(sender, to, body, callback, validity)
        return jsonify(shapes.message(account, message)), 201

    def list_messages(self, account: str) -> ResponseReturnValue:
        wanted = request.args
        with self.network.changed:
            found = [
                shapes.message(account, message)
                for message in reversed(self.network.messages.values())
                if wanted.get("To", message.to_number) == message.to_number
                and wanted.get("From", message.from_number) == message.from_number
            ]
        return _page("messages", found)

    def fetch_message(self, account: str, sid: str) -> ResponseReturnValue:
        return jsonify(shapes.message(account, self._message(sid)))

    def update_message(self, account: str, sid: str) -> ResponseReturnValue:
        message = self._message(sid)
        if request.form.get("Body") != "" or "Status" in request.form or not message.final:
            raise Refusal(30400, "A final message can be redacted with an empty Body, and nothing else")
        message.body = ""
        return jsonify(shapes.message(account, message))

    def delete_message(self, account: str, sid: str) -> ResponseReturnValue:
        del account
        if not self._message(sid).final:
            raise Refusal(20009, "The message is not finished", 409)
        del self.network.messages[sid]
        return "", 204

    def list_numbers(self, account: str) -> ResponseReturnValue:
        now, wanted = self.network.now(), request.args.get("PhoneNumber")
        lines = [line for line in self.network.lines.values() if wanted in (None, line.number)]
        return _page("incoming_phone_numbers", [shapes.number(account, line, now) for line in lines])

    # -- what was given -------------------------------------------------------------------------------------

    def _call(self, sid: str) -> Call:
        if sid not in self.network.calls:
            raise Refusal(20404, "The requested call was not found", 404)
        return self.network.calls[sid]

    def _message(self, sid: str) -> Message:
        if sid not in self.network.messages:
            raise Refusal(20404, "The requested message was not found", 404)
        return self.network.messages[sid]

    def _to(self, missing: int) -> str:
        number = request.form.get("To", "")
        if not number:
            raise Refusal(missing, "A 'To' phone number is required.")
        if not _possible(number):
            raise Refusal(21211, "The 'To' number is not a valid phone number.")
        return number

    def _sender(self, missing: int, *, malformed: int, foreign: int) -> str:
        number = request.form.get("From", "")
        if not number:
            raise Refusal(missing, "A 'From' phone number is required.")
        if not _E164.fullmatch(number):
            raise Refusal(malformed, "The 'From' number is not a valid phone number.")
        if number not in self.network.lines:
            raise Refusal(foreign, "The 'From' number is not yours.")
        return number

    def _source(self) -> Document | None:
        form = request.form
        url, markup = form.get("Url"), form.get("Twiml")
        if url is not None:
            self._reachable(url, 21205)
            if (method := form.get("Method", "POST")) not in ("GET", "POST"):
                raise Refusal(21209, "Method must be GET or POST")
            return Document(url, method)
        if markup is not None:
            if len(markup) > 4000:
                raise Refusal(32018, "Twiml is longer than 4000 characters")
            return Document(None, twiml=markup.encode())
        return None

    def _callback(self) -> Callback | None:
        form = request.form
        url = form.get("StatusCallback")
        if url is None:
            return None
        self._reachable(url, 21609)
        events = frozenset(form.getlist("StatusCallbackEvent")) or frozenset({"completed"})
        if not events <= _EVENTS:
            raise Refusal(21626, f"StatusCallbackEvent is one of {', '.join(sorted(_EVENTS))}, repeated")
        return Callback(url, form.get("StatusCallbackMethod", "POST"), events)

    def _detection(self) -> str | None:
        asked = request.form.get("MachineDetection")
        if asked not in (None, "Enable", "DetectMessageEnd"):
            raise Refusal(21234, "MachineDetection is Enable or DetectMessageEnd")
        return asked

    def _reachable(self, url: str, code: int) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not self.network.wire().reaches(url):
            raise Refusal(code, "Not an absolute address of the gateway: this network reaches nothing else")


def _possible(number: str) -> bool:
    try:
        return bool(_E164.fullmatch(number)) and phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _number(name: str, default: int, least: int, most: int, code: int) -> float:
    given = request.form.get(name, str(default))
    if not _SECONDS.fullmatch(given) or not least <= int(given) <= most:
        raise Refusal(code, f"{name} is a number of seconds from {least} to {most}")
    return float(given)


def _moment(name: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(request.args[name]) if name in request.args else None
        return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(20001, f"{name} is not a time") from None


def _page(name: str, items: list[dict[str, Any]]) -> ResponseReturnValue:
    at = request.args.get("Page", 0, int)
    size = min(max(request.args.get("PageSize", 50, int), 1), 1000)
    kept = [(key, value) for key, value in request.args.items() if key not in ("Page", "PageToken")]
    path = request.path[request.path.index(f"/{shapes.VERSION}/") :]
    uri = f"{path}?{urlencode([*kept, ('PageSize', size)] if 'PageSize' not in request.args else kept)}&Page="
    return jsonify(shapes.page(name, items, uri, max(at, 0), size))
