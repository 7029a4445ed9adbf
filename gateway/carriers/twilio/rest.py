"""What we ask of Twilio: place, move and end calls, send texts, look up, forget."""

import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import certifi
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]  # it ships no types
from twilio.http.response import Response  # type: ignore[import-untyped]  # it ships no types
from twilio.rest import Client  # type: ignore[import-untyped]  # it ships no types
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util import make_headers

from gateway.carriers.base import Finding, LegStatus, TextStatus, Wiring
from gateway.carriers.twilio import checkup, statuses
from gateway.carriers.twilio.inbound import is_call_sid, is_text_sid
from gateway.errors import CarrierError
from gateway.phone import Msisdn

_T = TypeVar("_T")

_TIMEOUT: Final = (3.0, 10.0)  # seconds to connect, and to wait for an answer
_EVENTS: Final = ("initiated", "ringing", "answered", "completed")
_LONGEST_VALIDITY: Final = 14400  # newer pages say 36000, older ones this: less is right under both
_PAGE: Final = 50
_CONNECTIONS: Final = 64  # kept open: as many as threads of a worker that dial at once, and some more
_REPLY: Final = "outbound-reply"  # an answer that rode in a webhook's own reply


class Rest:
    """One account's API; every method raises `CarrierError`, which holds nothing of what was asked or said."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        public_url: str,
        api_base_url: str | None,
        fallback_url: str | None = None,
    ) -> None:
        self._public_url = public_url
        self._fallback_url = fallback_url
        self._http = _Http()
        self._client = Client(
            account_sid,
            auth_token,
            http_client=self._http,
            # Else TWILIO_REGION and TWILIO_EDGE of our own environment would silently move every request.
            environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
        )
        if api_base_url:
            self._client.api.base_url = api_base_url
            self._client.voice.base_url = api_base_url

    def prepare(self) -> None:
        """The library loads its parts when they are first asked for."""
        _ = self._client.calls, self._client.messages

    def place_call(
        self,
        *,
        to: Msisdn,
        line: Msisdn,
        leg: str,
        detect_machine: bool,
        ring_seconds: int,
        talk_seconds: int,
        begins: Callable[[], None],
    ) -> str:
        address = self._leg(leg)
        options = {"machine_detection": "Enable"} if detect_machine else {}
        if self._fallback_url:  # else whoever holds the phone hears the carrier's English error
            options |= {"fallback_url": f"{self._fallback_url}/hangup.xml", "fallback_method": "GET"}
        with self._http.waiting_for(begins):
            call = _ask(
                lambda: self._client.calls.create(
                    to=to.reveal("dial"),
                    from_=line.reveal("dial"),
                    url=address,
                    method="POST",
                    status_callback=f"{address}/status",
                    status_callback_method="POST",
                    status_callback_event=list(_EVENTS),
                    timeout=ring_seconds,
                    time_limit=talk_seconds,
                    **options,
                )
            )
        return _named(call.sid, is_call_sid)

    def end_call(self, sid: str) -> None:
        _unless_gone(lambda: self._client.calls(sid).update(status="completed"), harmless_twice=True)

    def cancel_call(self, sid: str) -> bool:
        try:
            call = _ask(lambda: self._client.calls(sid).update(status="canceled"), harmless_twice=True)
        except CarrierError as fault:
            if fault.code in statuses.GONE:
                return False
            raise
        return statuses.leg_status(str(call.status)) is LegStatus.CANCELED

    def move_call(self, sid: str, leg: str) -> None:
        # Asked twice, the second would tear the person out of what the first began.
        _unless_gone(
            lambda: self._client.calls(sid).update(url=f"{self._leg(leg)}/over", method="POST"),
            harmless_twice=False,
        )

    def call_status(self, sid: str) -> LegStatus:
        try:
            call = _ask(lambda: self._client.calls(sid).fetch(), harmless_twice=True)
        except CarrierError as fault:
            if fault.code in statuses.GONE:
                return LegStatus.COMPLETED
            raise
        return statuses.leg_status(str(call.status))

    def find_calls(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, LegStatus]]:
        # No StartTime filter: a call still queued has not started, and missing it means ringing twice.
        found: list[Any] = _ask(
            lambda: self._client.calls.list(
                to=to.reveal("dial"), from_=line.reveal("dial"), page_size=_PAGE, limit=_PAGE
            ),
            harmless_twice=True,
        )
        return [
            (call.sid, statuses.leg_status(str(call.status)))
            for call in _newest_first(found, since)
            if is_call_sid(call.sid)
        ]

    def find_texts(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, TextStatus]]:
        # No DateSent filter: a text still queued was not sent yet, and missing it means sending twice.
        found: list[Any] = _ask(
            lambda: self._client.messages.list(
                to=to.reveal("text"), from_=line.reveal("text"), page_size=_PAGE, limit=_PAGE
            ),
            harmless_twice=True,
        )
        return [
            (text.sid, statuses.text_status(str(text.status)))
            for text in _newest_first(found, since)
            if text.direction != _REPLY and is_text_sid(text.sid)
        ]

    def send_text(self, *, to: Msisdn, line: Msisdn, body: str, validity: int, message: str) -> str:
        if validity < 1:
            raise CarrierError("too late to send", retry=False)
        text = _ask(
            lambda: self._client.messages.create(
                to=to.reveal("text"),
                from_=line.reveal("text"),
                body=body,
                validity_period=min(validity, _LONGEST_VALIDITY),
                status_callback=f"{self._public_url}/twilio/sms/status/{quote(message, safe='')}",
            )
        )
        return _named(text.sid, is_text_sid)

    def forget_call(self, sid: str) -> None:
        _unless_gone(lambda: self._client.calls(sid).delete(), harmless_twice=True)

    def forget_text(self, sid: str) -> None:
        """Delete it; where that is refused, empty its words at least, and still raise: the number is left."""
        try:
            _unless_gone(lambda: self._client.messages(sid).delete(), harmless_twice=True)
        except CarrierError as fault:
            if not fault.retry or fault.code == statuses.NOT_FINISHED:
                self._empty(sid)
            raise

    def _empty(self, sid: str) -> None:
        try:
            _ask(lambda: self._client.messages(sid).update(body=""), harmless_twice=True)
        except CarrierError:
            return  # the refusal to delete is what is told, and is tried again where that may help

    def examine(self, wiring: Wiring) -> Iterator[Finding]:
        def ask(request: Callable[[], Any]) -> Any:
            return _ask(request, harmless_twice=True)

        return checkup.examine(self._client, ask, lambda: self._http.answered_at, wiring)

    def _leg(self, leg: str) -> str:
        return f"{self._public_url}/twilio/voice/leg/{quote(leg, safe='')}"


class _Http:
    """The library's HTTP client with time-outs, without retries, and without a log line that holds a number.

    The library's own goes through requests, which takes three times as long for each call that is placed.
    """

    def __init__(self) -> None:
        # It logs addresses, and a look-up's address holds the number that is looked up.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        self.answered_at = ""
        self._before = threading.local()
        # Only `settings` reads the environment: this knows of no proxy, no .netrc and no other certificates.
        self._pool = PoolManager(num_pools=4, maxsize=_CONNECTIONS, retries=False, ca_certs=certifi.where())

    @contextmanager
    def waiting_for(self, begins: Callable[[], None]) -> Iterator[None]:
        """Call this right before a request of this thread leaves: the library has no place for it."""
        self._before.begins = begins
        try:
            yield
        finally:
            del self._before.begins

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Any:
        connect, read = (timeout, timeout) if timeout else _TIMEOUT
        signed = {"Authorization": make_headers(basic_auth=":".join(auth))["authorization"]} if auth else {}
        address, body = f"{uri}?{_form(params)}" if params else uri, _form(data) if data else None
        getattr(self._before, "begins", _at_once)()
        answer = self._pool.urlopen(
            method.upper(),
            address,
            body=body,
            headers={**(headers or {}), **signed},
            timeout=Timeout(connect=connect, read=read),
            redirect=allow_redirects,
        )
        self.answered_at = answer.headers.get("Date", "")
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)


def _at_once() -> None:
    return None


def _form(fields: Mapping[str, Any]) -> str:
    return urlencode({name: value for name, value in fields.items() if value is not None}, doseq=True)


def _ask(request: Callable[[], _T], *, harmless_twice: bool = False) -> _T:
    try:
        return request()
    except TwilioException as error:
        fault = statuses.refusal(getattr(error, "status", 500), _code(error), harmless_twice=harmless_twice)
    except HTTPError as error:
        if _never_left(error):
            fault = CarrierError("the carrier cannot be reached", retry=True)
        else:
            fault = statuses.unsure("the carrier did not answer", harmless_twice=harmless_twice)
    except (ValueError, TypeError, AttributeError, KeyError):  # what the library makes of a broken answer
        fault = statuses.unsure("the carrier's answer cannot be read", harmless_twice=harmless_twice)
    raise fault  # outside the handlers, so that the first error, which holds the request, is let go


def _unless_gone(request: Callable[[], object], *, harmless_twice: bool) -> None:
    try:
        _ask(request, harmless_twice=harmless_twice)
    except CarrierError as fault:
        if fault.code not in statuses.GONE:
            raise


def _code(error: TwilioException) -> int | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else None


def _never_left(error: BaseException) -> bool:
    """Tell whether no byte of the request was sent: no connection, or a stranger at the other end of it."""
    unsent = (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)
    return any(isinstance(cause, unsent) for cause in _causes(error))


def _causes(error: object) -> Iterator[BaseException]:
    while isinstance(error, BaseException):
        yield error
        error = getattr(error, "reason", None) or next(iter(error.args), None)


def _named(sid: object, is_sid: Callable[[object], bool]) -> str:
    if not isinstance(sid, str) or not is_sid(sid):
        raise statuses.unsure("the carrier's answer names nothing", harmless_twice=False)
    return sid


def _newest_first(found: Sequence[Any], since: datetime) -> list[Any]:
    """Those made since then; one whose time nobody tells counts as made just now."""
    first = since.replace(microsecond=0)
    never = datetime.max.replace(tzinfo=UTC)
    dated = [(_created(one) or never, one) for one in found]
    ordered = sorted(dated, key=lambda pair: pair[0], reverse=True)
    return [one for created, one in ordered if created >= first]


def _created(one: Any) -> datetime | None:
    created = one.date_created
    return created if isinstance(created, datetime) and created.tzinfo else None
