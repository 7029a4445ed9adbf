"""The simulated phone network: the gateway's lines, the handsets, and what people and REST do with them."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.simulator import fields
from gateway.simulator.exchange import Exchange, utc_now
from gateway.simulator.numbers import CALLER, COUNSELOR, demo_number
from gateway.simulator.player import Player
from gateway.simulator.records import Call, Callback, Document, Entry, Hearing, Line, Message, Phone, Status
from gateway.simulator.texting import Texting


class Network(Exchange):
    """The network and everything on it, in memory only: a number never reaches the disk.

    `lines` gives the gateway's numbers (E.164) with their kind: `public`, `missed` or `counselors`.
    `now` is the clock shown on handsets and resources; `speed` shortens plays, pauses and time-outs by
    that factor; `calls_per_second` is the pace at which REST calls leave Twilio's queue;
    `answer_within` is Twilio's limit for a webhook's answer, in seconds.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        public_url: str,
        lines: Mapping[str, str],
        *,
        now: Callable[[], datetime] = utc_now,
        speed: float = 1.0,
        calls_per_second: float = 1.0,
        answer_within: float = 15.0,
    ) -> None:
        super().__init__(
            account_sid,
            auth_token,
            public_url,
            now=now,
            speed=speed,
            calls_per_second=calls_per_second,
            answer_within=answer_within,
        )
        base = f"{self.public_url}/twilio"
        self.lines = {
            number: Line(
                number, kind, fields.new_sid("PN"), f"{base}/voice", f"{base}/voice/status", f"{base}/sms"
            )
            for number, kind in lines.items()
        }
        for name in (CALLER, COUNSELOR):
            self.phones[name] = Phone(name, demo_number(auth_token, name))
        self._texting = Texting(self, self.lines)

    # -- what a person does with a handset ------------------------------------------------------------------

    def dial(self, name: str, number: str) -> Call | None:
        """Let a handset call a line; `None`, and a note on its screen, when it cannot."""
        with self.changed:
            phone, line = self.phones[name], self.lines.get(number)
            if phone.call is not None:
                return None
            phone.note, phone.heard = "", []
            phone.calls.append(Entry("out", number, self.now()))
            self.touch()
            if line is None:
                phone.note = "not in service"
                return None
            call = Call(
                sid=fields.new_sid("CA"),
                direction="inbound",
                from_number=phone.number,
                to_number=number,
                phone=phone,
                status=Status.RINGING,
                created=self.now(),
                updated=self.now(),
                source=Document(line.voice_url),
                line=line,
                callback=Callback(line.status_url),
            )
            phone.call = call
            self.hear(call, Hearing(self.next_id(), "ringing"))
            return self._start(call)

    def press(self, name: str, key: str) -> bool:
        """Press one key in a call; false when nobody was listening for it, and it is lost as on Twilio."""
        with self.changed:
            call = self.phones[name].call
            if call is None or call.listening is None or call.listening.complete:
                return False
            call.listening.keys += key
            self.touch()
            return True

    def answer(self, name: str) -> bool:
        """Pick up a ringing handset."""
        with self.changed:
            call = self.phones[name].call
            if call is None or call.direction == "inbound" or call.status is not Status.RINGING:
                return False
            call.picked_up = True
            self.touch()
            return True

    def hang_up(self, name: str) -> None:
        """Press the red key: declines what rings, ends what runs."""
        with self.changed:
            call = self.phones[name].call
            if call is None:
                return
            if call.status is Status.IN_PROGRESS:
                self.end(call, Status.COMPLETED)
            else:
                self.end(call, Status.NO_ANSWER if call.direction == "inbound" else Status.BUSY)

    def text(self, name: str, number: str, body: str) -> Message | None:
        """Send a text message from a handset to a line; its webhook leaves from a thread of its own."""
        return self._texting.from_phone(self.phones[name], number, body)

    def set_machine(self, name: str, on: bool) -> None:
        """Choose whether an answering machine takes this handset's calls."""
        with self.changed:
            self.phones[name].machine = on
            self.touch()

    def reset(self) -> None:
        """End every call and empty every handset, thread and list."""
        with self.changed:
            for call in self.calls.values():
                self.end(call, Status.COMPLETED if call.answered else Status.CANCELED)
            for name, phone in self.phones.items():
                self.phones[name] = Phone(name, phone.number)
            self.calls.clear()
            self.messages.clear()
            self.faults.clear()
            self._texting.forget()
            self.touch()

    # -- what the gateway does by REST ----------------------------------------------------------------------

    def place(
        self,
        from_number: str,
        to_number: str,
        source: Document,
        callback: Callback | None,
        *,
        timeout: float = 60.0,
        time_limit: float = 14400.0,
        detection: str | None = None,
    ) -> Call:
        """Queue a call to a handset that rings for `timeout` seconds; `detection` is MachineDetection."""
        with self.changed:
            call = Call(
                sid=fields.new_sid("CA"),
                direction="outbound-api",
                from_number=from_number,
                to_number=to_number,
                phone=self.phone_at(to_number),
                status=Status.QUEUED,
                created=self.now(),
                updated=self.now(),
                source=source,
                line=self.lines[from_number],
                callback=callback,
                timeout=timeout,
                time_limit=time_limit,
                detection=detection,
            )
            return self._start(call)

    def move(self, call: Call, target: Document) -> bool:
        """Send a live call to another document; false unless it is in progress."""
        with self.changed:
            if call.status is not Status.IN_PROGRESS:
                return False
            call.moved_to = target
            self.touch()
            return True

    def send(
        self, from_number: str, to_number: str, body: str, callback: str | None, validity: float
    ) -> Message:
        """Queue a message to a handset; after `validity` seconds it is no longer delivered."""
        return self._texting.from_gateway(from_number, to_number, body, callback, validity)

    def opted_out(self, phone_number: str, line: str) -> bool:
        """Whether this phone texted STOP to this line."""
        return self._texting.opted_out(phone_number, line)

    def _start(self, call: Call) -> Call:
        self.calls[call.sid] = call
        self.prune()
        self.touch()
        threading.Thread(target=Player(self, call).run, name=f"call-{call.sid[:8]}", daemon=True).start()
        return call
