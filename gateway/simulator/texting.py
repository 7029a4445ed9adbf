"""Text messages in both directions: the webhook, its replies, delivery reports, and who said STOP."""

import threading
import time
from collections.abc import Callable, Mapping

from gateway.simulator import fields, twiml
from gateway.simulator.exchange import Exchange
from gateway.simulator.records import Line, Message, Phone, Text, segments
from gateway.simulator.twiml import FaultError, Reply
from gateway.simulator.wire import resolve

_STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"})
_START = frozenset({"START", "YES", "UNSTOP"})
_HOP = 0.4
_LONGEST = 1600
OPTED_OUT = 21610


class Texting:
    """The message half; Twilio's own English answers to STOP differ by country, so none is sent."""

    def __init__(self, network: Exchange, lines: Mapping[str, Line]) -> None:
        self._network = network
        self._lines = lines
        self._silenced: set[tuple[str, str]] = set()

    def opted_out(self, phone_number: str, line: str) -> bool:
        return (phone_number, line) in self._silenced

    def forget(self) -> None:
        self._silenced.clear()

    def from_phone(self, phone: Phone, number: str, body: str) -> Message | None:
        """Deliver a handset's text to a line; `None`, and a note on the screen, when it cannot."""
        network = self._network
        with network.changed:
            line = self._lines.get(number)
            phone.texts.append(Text(number, mine=True, body=body, at=network.now()))
            network.touch()
            if line is None or not body or len(body) > _LONGEST:
                phone.note = "message not sent"
                return None
            word = body.strip().upper()
            if word in _STOP:
                self._silenced.add((phone.number, number))
            elif word in _START:
                self._silenced.discard((phone.number, number))
            message = self._add("inbound", phone.number, number, body, "receiving")
        self._start(lambda: self._ask(message, line))
        return message

    def from_gateway(self, sender: str, to: str, body: str, callback: str | None, validity: float) -> Message:
        """Queue a message to a handset; `validity` seconds later it would no longer be delivered."""
        with self._network.changed:
            message = self._add("outbound-api", sender, to, body, "queued")
            message.callback = callback
        expires = time.monotonic() + validity
        self._start(lambda: self._deliver(message, expires))
        return message

    def _start(self, work: Callable[[], None]) -> None:
        threading.Thread(target=work, name="text", daemon=True).start()

    def _add(self, direction: str, sender: str, to: str, body: str, status: str) -> Message:
        network, now = self._network, self._network.now()
        message = Message(fields.new_sid("SM"), direction, sender, to, body, status, now, now, segments(body))
        network.messages[message.sid] = message
        network.prune()
        network.touch()
        return message

    def _ask(self, message: Message, line: Line) -> None:
        network = self._network
        told = fields.of_message(network.account_sid, message)
        try:
            for reply in twiml.messaging(network.wire().ask("POST", line.sms_url, told, voice=False)):
                self._reply(message, line, reply)
        except FaultError as fault:
            network.fault(fault, "message webhook")
        finally:
            with network.changed:
                message.status = "received"
                network.touch()

    def _reply(self, message: Message, line: Line, reply: Reply) -> None:
        network = self._network
        with network.changed:
            answer = self._add("outbound-reply", line.number, message.from_number, reply.body, "queued")
            if reply.status_callback:
                answer.callback = resolve(line.sms_url, reply.status_callback)
            if self.opted_out(message.from_number, line.number):
                answer.error_code = OPTED_OUT
                self._report(answer, "failed")
                network.fault(FaultError(OPTED_OUT, "a reply to somebody who said STOP"), "message webhook")
                return
        self._deliver(answer, time.monotonic() + 14400)

    def _deliver(self, message: Message, expires: float) -> None:
        network = self._network
        time.sleep(_HOP / network.speed)
        with network.changed:
            if time.monotonic() > expires:
                message.error_code = 30036
                self._report(message, "undelivered")
                return
            message.sent = network.now()
            self._report(message, "sent")
            phone = network.phone_at(message.to_number)
            phone.texts.append(Text(message.from_number, mine=False, body=message.body, at=message.sent))
            network.touch()
        time.sleep(_HOP / network.speed)
        with network.changed:
            self._report(message, "delivered")

    def _report(self, message: Message, status: str) -> None:
        network = self._network
        message.status, message.updated = status, network.now()
        network.touch()
        if message.callback is None:
            return
        told = fields.of_message(network.account_sid, message)
        network.courier.tell("POST", message.callback, told, voice=False)
