"""Twilio, and every provider that speaks its interface: signature, webhooks, TwiML, status table, REST.

A worker that forks imports `gateway.carriers.twilio.rest` before it does; the web never needs it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gateway.carriers.base import Finding, LegStatus, Request, TextStatus, Wiring
from gateway.carriers.twilio import signature
from gateway.phone import Msisdn

if TYPE_CHECKING:
    from gateway.carriers.twilio.rest import Rest


class TwilioCarrier:
    """One account at Twilio, or at a provider whose API is compatible, found at `api_base_url`.

    The first of `tokens` is used for REST; webhooks signed with any of them are believed.
    """

    name = "twilio"

    def __init__(
        self,
        *,
        account_sid: str,
        tokens: Sequence[str],
        public_url: str,
        api_base_url: str | None = None,
        fallback_url: str | None = None,
        shared_keys: Mapping[str, str] = signature.NO_KEYS,
    ) -> None:
        self._account_sid = account_sid
        self._tokens = tuple(tokens)
        self._public_url = public_url
        self._api_base_url = api_base_url
        self._fallback_url = fallback_url
        self._shared_keys = dict(shared_keys)

    def check(self, request: Request) -> None:
        signature.check(
            request,
            public_url=self._public_url,
            tokens=self._tokens,
            account_sid=self._account_sid,
            shared_keys=self._shared_keys,
        )

    def prepare(self) -> None:
        self._rest.prepare()

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
        return self._rest.place_call(
            to=to,
            line=line,
            leg=leg,
            detect_machine=detect_machine,
            ring_seconds=ring_seconds,
            talk_seconds=talk_seconds,
            begins=begins,
        )

    def end_call(self, sid: str) -> None:
        self._rest.end_call(sid)

    def cancel_call(self, sid: str) -> bool:
        return self._rest.cancel_call(sid)

    def move_call(self, sid: str, leg: str) -> None:
        self._rest.move_call(sid, leg)

    def call_status(self, sid: str) -> LegStatus:
        return self._rest.call_status(sid)

    def find_calls(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, LegStatus]]:
        return self._rest.find_calls(to=to, line=line, since=since)

    def send_text(self, *, to: Msisdn, line: Msisdn, body: str, validity: int, message: str) -> str:
        return self._rest.send_text(to=to, line=line, body=body, validity=validity, message=message)

    def find_texts(self, *, to: Msisdn, line: Msisdn, since: datetime) -> Sequence[tuple[str, TextStatus]]:
        return self._rest.find_texts(to=to, line=line, since=since)

    def forget_call(self, sid: str) -> None:
        self._rest.forget_call(sid)

    def forget_text(self, sid: str) -> None:
        self._rest.forget_text(sid)

    def examine(self, wiring: Wiring) -> Iterator[Finding]:
        return self._rest.examine(wiring)

    @cached_property
    def _rest(self) -> "Rest":
        # 13 MB and a sixth of a second that the web, which asks nothing of Twilio, does not pay.
        from gateway.carriers.twilio.rest import Rest  # noqa: PLC0415 - see above

        return Rest(
            account_sid=self._account_sid,
            auth_token=self._tokens[0],
            public_url=self._public_url,
            api_base_url=self._api_base_url,
            fallback_url=self._fallback_url,
        )
