"""The exchange: the state of the simulated network, and what running calls and messages change in it."""

import itertools
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from gateway.simulator import fields
from gateway.simulator.courier import Courier
from gateway.simulator.records import Call, Entry, Fault, Hearing, Message, Phone, Status
from gateway.simulator.rooms import Room, Rooms
from gateway.simulator.twiml import Conference, FaultError
from gateway.simulator.wire import Sound, Wire, resolve

_MOST_KEPT = 2000
_MOST_FAULTS = 100


def utc_now() -> datetime:
    return datetime.now(UTC)


class Exchange:
    """What running calls and messages share, guarded by the one condition `changed`.

    `changed` is notified whenever anything changes. See `Network` for the arguments.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        public_url: str,
        *,
        now: Callable[[], datetime],
        speed: float,
        calls_per_second: float,
        answer_within: float,
    ) -> None:
        self.account_sid = account_sid
        self.auth_token = auth_token
        self.public_url = public_url.rstrip("/")
        self.now = now
        self.speed = speed
        self.changed = threading.Condition()
        self.version = 0
        self.calls: dict[str, Call] = {}
        self.messages: dict[str, Message] = {}
        self.faults: list[Fault] = []
        self.phones: dict[str, Phone] = {}
        self.courier = Courier(self.wire, self.fault)
        self._calls_per_second = calls_per_second
        self._answer_within = answer_within
        self._ids = itertools.count(1)
        self._next_slot = 0.0
        self._sounds: dict[str, Sound] = {}
        self._rooms = Rooms()

    # -- what everybody uses --------------------------------------------------------------------------------

    def touch(self) -> None:
        """Say that something changed; the caller holds `changed`."""
        self.version += 1
        self.changed.notify_all()

    def next_id(self) -> int:
        return next(self._ids)

    def wire(self) -> Wire:
        return Wire(self.auth_token, self.public_url, self._answer_within)

    def sound(self, wire: Wire, url: str) -> Sound:
        """Fetch and measure a sound, once per address if the address carries the hash of its bytes."""
        sound = self._sounds.get(url)
        if sound is None:
            sound = wire.sound(url)
            if sound.hash is not None:
                self._sounds[url] = sound
        return sound

    def slot(self) -> float:
        """Return the seconds this call waits in the queue, at so many calls per second."""
        with self.changed:
            now = time.monotonic()
            slot = max(now, self._next_slot)
            self._next_slot = slot + 1 / self._calls_per_second / self.speed
            return slot - now

    def fault(self, error: FaultError, where: str) -> None:
        with self.changed:
            self.faults.append(Fault(self.now(), error.code, error.message, where))
            del self.faults[:-_MOST_FAULTS]
            self.touch()

    def prune(self) -> None:
        """Drop what ended long ago: a long outreach must not fill the memory."""
        for call in list(self.calls.values())[:-_MOST_KEPT]:
            if call.status.final:
                del self.calls[call.sid]
        for message in list(self.messages.values())[:-_MOST_KEPT]:
            if message.final:
                del self.messages[message.sid]

    def phone_at(self, number: str) -> Phone:
        """Return the handset with this number; any number exists as soon as it is asked for."""
        with self.changed:
            for phone in self.phones.values():
                if phone.number == number:
                    return phone
            name = f"phone-{len(self.phones) + 1}"
            self.phones[name] = Phone(name, number)
            return self.phones[name]

    # -- what happens to a call -----------------------------------------------------------------------------

    def fields(self, call: Call) -> dict[str, str]:
        return fields.of_call(self.account_sid, call)

    def ring(self, call: Call) -> bool:
        """Let the handset ring; false when it is engaged."""
        with self.changed:
            if call.status.final or call.phone.call is not None:
                return False
            call.phone.call, call.phone.note, call.phone.heard = call, "", []
            call.status = Status.RINGING
            self.hear(call, Hearing(self.next_id(), "ringing"))
            self.event(call, "ringing", status="ringing")
            return True

    def answered(self, call: Call) -> None:
        with self.changed:
            if call.status.final:
                return
            call.status, call.answered, call.answered_at = Status.IN_PROGRESS, self.now(), time.monotonic()
            call.limit_at = call.answered_at + call.time_limit / self.speed
            if call.direction != "inbound":
                call.phone.calls.append(Entry("in", call.from_number, call.answered))
            self.event(call, "answered", status="in-progress")
            self.touch()

    def reject(self, call: Call, reason: str) -> None:
        """End an inbound call unanswered and unbilled (`busy`), or as not in service (`no-answer`)."""
        with self.changed:
            if call.status is Status.IN_PROGRESS:
                self.end(call, Status.COMPLETED)
                return
            call.phone.note = "line rejected"
            self.end(call, Status.BUSY if reason == "busy" else Status.NO_ANSWER)

    def end(self, call: Call, status: Status) -> None:
        """End a call once; later ends change nothing. What was canceled in the queue reports nothing."""
        with self.changed:
            if call.status.final:
                return
            was_queued = call.status is Status.QUEUED
            call.status, call.ended = status, self.now()
            if call.answered_at is not None:
                call.seconds = max(1, round((time.monotonic() - call.answered_at) * self.speed))
            elif call.direction != "inbound" and not was_queued:
                call.phone.calls.append(Entry("missed", call.from_number, call.created))
            if call.phone.call is call:
                call.phone.call = None
                call.phone.note = call.phone.note or str(status)
            call.listening = None
            if not (was_queued and status is Status.CANCELED):
                self.event(call, "completed", status=str(status))
            self.touch()

    def hear(self, call: Call, hearing: Hearing) -> None:
        with self.changed:
            call.hearing = hearing
            call.phone.heard = [*call.phone.heard[-30:], hearing]
            self.touch()

    def event(self, call: Call, event: str, *, status: str) -> None:
        """Report a call's progress to its status callback, if that event was asked for."""
        with self.changed:
            call.updated = self.now()
            sequence, call.sequence = call.sequence, call.sequence + 1
            if call.callback is None or event not in call.callback.events:
                return
            told = fields.of_progress(self.account_sid, call, event, status, sequence)
            self.courier.tell(call.callback.method, call.callback.url, told)

    # -- conferences ----------------------------------------------------------------------------------------

    def enter(self, call: Call, conference: Conference, base: str | None) -> Room | None:
        """Join a conference; `None` when it is full."""
        with self.changed:
            if self._rooms.full(conference):
                return None
            room, events = self._rooms.enter(call, conference, fields.new_sid("CF"))
            self._room_events(call, room, conference, base, events)
            return room

    def leave(self, call: Call, room: Room, conference: Conference, base: str | None) -> None:
        with self.changed:
            self._room_events(call, room, conference, base, self._rooms.leave(call, room))

    def _room_events(
        self, call: Call, room: Room, conference: Conference, base: str | None, events: list[str]
    ) -> None:
        for event in events:
            room.sequence += 1
            if conference.status_callback is None or event not in conference.status_events:
                continue
            told = fields.of_room(self.account_sid, call, room, event, self.now())
            self.courier.tell("POST", resolve(base, conference.status_callback), told)
        self.touch()
