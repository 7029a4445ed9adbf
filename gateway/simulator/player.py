"""Plays one live call: rings, asks the gateway for TwiML, and does it verb by verb in a thread of its own."""

import time
from collections.abc import Callable
from typing import assert_never

from gateway.simulator import twiml
from gateway.simulator.exchange import Exchange
from gateway.simulator.records import Call, Document, Hearing, Listening, Status
from gateway.simulator.rooms import Room
from gateway.simulator.twiml import (
    Conference,
    Dial,
    FaultError,
    Gather,
    Hangup,
    Pause,
    Play,
    Redirect,
    Reject,
    Say,
    Verb,
)
from gateway.simulator.wire import resolve

_MACHINE_ANSWERS_AFTER = 4.0
_LISTENS_FOR_MACHINE = {"human": 2.0, "machine": 4.0}
_GREETING = 6.0
_MOST_DOCUMENTS_WITHOUT_A_SOUND = 50


class _Over(Exception):  # noqa: N818  (a turn of events, not an error)
    """The call has ended: somebody hung up, or the time is over."""


class _Moved(Exception):  # noqa: N818  (a turn of events, not an error)
    """A REST call sent this call to another document."""

    def __init__(self, source: Document) -> None:
        super().__init__()
        self.source = source


def _never() -> bool:
    return False


class Player:
    """Interprets TwiML for one call until it ends; a hang-up or a REST redirect ends every wait at once."""

    def __init__(self, network: Exchange, call: Call) -> None:
        self._network = network
        self._call = call
        self._wire = network.wire()
        self._silent_documents = 0

    def run(self) -> None:
        """Live through the whole call; every fault ends it and is put on the network's list."""
        try:
            if self._call.direction == "outbound-api":
                self._ring()
            self._perform(self._call.source)
            self._answer()
        except _Over:
            pass
        except FaultError as fault:
            self._network.fault(fault, f"call {self._call.sid[:8]}")
            self._hear("ended", text=f"The network ended the call: {fault}")
            unanswered = self._call.status is not Status.IN_PROGRESS
            self._network.end(self._call, Status.FAILED if unanswered else Status.COMPLETED)
        finally:
            self._network.end(self._call, Status.COMPLETED)

    # -- before anybody speaks ------------------------------------------------------------------------------

    def _ring(self) -> None:
        call, network = self._call, self._network
        self._wait(network.slot() * network.speed)
        network.event(call, "initiated", status="initiated")
        if not network.ring(call):
            self._wait(1)
            network.end(call, Status.BUSY)
            raise _Over
        patience = call.timeout
        if call.phone.machine:
            patience = min(patience, _MACHINE_ANSWERS_AFTER)
        by_machine = not self._wait(patience, until=lambda: call.picked_up) and call.phone.machine
        if not (by_machine or call.picked_up):
            network.end(call, Status.NO_ANSWER)
            raise _Over
        self._answer()
        if call.detection is not None:
            self._detect("machine" if by_machine else "human")

    def _detect(self, who: str) -> None:
        self._hear("silence", text="The network listens whether a machine answered")
        self._wait(_LISTENS_FOR_MACHINE[who])
        if who == "machine" and self._call.detection == "DetectMessageEnd":
            self._wait(_GREETING)
            who = "machine_end_beep"
        self._call.answered_by = "machine_start" if who == "machine" else who

    def _answer(self) -> None:
        if self._call.status in (Status.QUEUED, Status.RINGING):
            self._network.answered(self._call)

    # -- documents ------------------------------------------------------------------------------------------

    def _perform(self, source: Document | None) -> None:
        while source is not None:
            try:
                source = self._document(source)
            except _Moved as moved:
                source = moved.source

    def _document(self, source: Document) -> Document | None:
        self._silent_documents += 1
        if self._silent_documents > _MOST_DOCUMENTS_WITHOUT_A_SOUND:
            raise FaultError(12200, "fifty documents in a row without a sound: a loop")
        body = source.twiml
        if body is None and source.url is not None:
            fields = self._network.fields(self._call) | dict(source.extra)
            body = self._wire.ask(source.method, source.url, fields)
        self._wait(0)
        for at, verb in enumerate(twiml.voice(body or b"")):
            # A leading <Pause> lets it ring on; only <Reject> keeps the call unanswered for good.
            if not isinstance(verb, Reject) and not (at == 0 and isinstance(verb, Pause)):
                self._answer()
            following = self._verb(verb, source)
            if following is not None:
                return following
        return None

    def _verb(self, verb: Verb, source: Document) -> Document | None:
        match verb:
            case Play() | Say() | Pause():
                self._prompt(verb, source.url)
                return None
            case Gather():
                return self._gather(verb, source)
            case Redirect():
                return Document(resolve(source.url, verb.url), verb.method)
            case Dial():
                return self._dial(verb, source)
            case Reject():
                self._network.reject(self._call, verb.reason)
                raise _Over
            case Hangup():
                raise _Over
        assert_never(verb)

    def _next(self, source: Document, action: str | None, method: str, **extra: str) -> Document:
        if source.url is None and not action:
            raise FaultError(15004, "a document given by REST needs an absolute action")
        url = resolve(source.url, action or source.url or "")
        return Document(url, method, extra=tuple(extra.items()))

    # -- what is heard --------------------------------------------------------------------------------------

    def _prompt(
        self, verb: Play | Say | Pause, base: str | None, *, until: Callable[[], bool] = _never
    ) -> bool:
        """Let the ear hear one verb; true when `until` cut it short."""
        if isinstance(verb, Pause):
            self._silent_documents = 0
            self._hear("silence", seconds=verb.seconds)
            return self._wait(verb.seconds, until=until)
        for _ in range(verb.loop):
            if isinstance(verb, Play):
                sound = self._network.sound(self._wire, resolve(base, verb.url))
                seconds = sound.seconds
                self._hear("sound", url=sound.url, sound_hash=sound.hash, seconds=seconds)
            else:
                seconds = len(verb.text) / 14
                self._hear("words", text=verb.text, seconds=seconds)
            self._silent_documents = 0
            if self._wait(seconds, until=until):
                return True
        return False

    def _gather(self, gather: Gather, source: Document) -> Document | None:
        listening = Listening(gather)
        self._listen(listening)
        try:
            interrupted = (lambda: bool(listening.keys)) if gather.barge_in else _never
            for prompt in gather.prompts:
                if self._prompt(prompt, source.url, until=interrupted):
                    break
            self._silent_documents = 0
            if not listening.complete:
                self._hear("silence", text="waiting for a key")
            while not listening.complete:
                so_far = len(listening.keys)
                if not self._wait(gather.timeout, until=lambda seen=so_far: len(listening.keys) > seen):  # type: ignore[misc]
                    break
        finally:
            self._listen(None)
        if not listening.digits and not gather.action_on_empty:
            return None
        return self._next(
            source, gather.action, gather.method,
            Digits=listening.digits, FinishedOnKey=listening.finished_by, msg="Gather End",
        )  # fmt: skip

    # -- conferences ----------------------------------------------------------------------------------------

    def _dial(self, dial: Dial, source: Document) -> Document | None:
        conference, leaves = dial.conference, Listening(Gather((), num_digits=None, finish_on_key="*"))
        room = self._network.enter(self._call, conference, source.url)

        def left() -> bool:
            return (room is not None and room.closed) or (dial.hangup_on_star and leaves.complete)

        if room is not None:
            self._listen(leaves if dial.hangup_on_star else None)
            try:
                self._hold(conference, room, source.url, until=lambda: room.begun or left())
                if room.begun and not left():
                    self._hear("talking")
                self._wait(dial.time_limit, until=left)
            finally:
                self._listen(None)
                self._network.leave(self._call, room, conference, source.url)
        if dial.action is None:
            return None
        return self._next(source, dial.action, dial.method, DialCallStatus="answered" if room else "failed")

    def _hold(
        self, conference: Conference, room: Room, base: str | None, *, until: Callable[[], bool]
    ) -> None:
        """Play the waiting document over and over."""
        address = conference.wait_url
        while not until():
            if not address:
                text = "" if address == "" else "Twilio's own waiting music"
                self._hear("waiting", text=text)
                self._wait(14400, until=until)
                return
            url = resolve(base, address)
            fields = self._network.fields(self._call) | {"ConferenceSid": room.sid, "FriendlyName": room.name}
            began, address = time.monotonic(), conference.wait_url
            for verb in twiml.waiting(self._wire.ask(conference.wait_method, url, fields)):
                if isinstance(verb, Redirect):
                    address = resolve(url, verb.url)
                elif self._prompt(verb, url, until=until):
                    break
            # A document without a sound would be asked for without end.
            if time.monotonic() - began < 1 / self._network.speed:
                self._wait(1, until=until)

    # -- waiting --------------------------------------------------------------------------------------------

    def _hear(
        self,
        kind: str,
        *,
        text: str = "",
        url: str | None = None,
        sound_hash: str | None = None,
        seconds: float | None = None,
    ) -> None:
        number = self._network.next_id()
        self._network.hear(self._call, Hearing(number, kind, text, url, sound_hash, seconds))

    def _listen(self, listening: Listening | None) -> None:
        with self._network.changed:
            self._call.listening = listening
            self._network.touch()

    def _wait(self, seconds: float, *, until: Callable[[], bool] = _never) -> bool:
        """Wait; true as soon as `until` holds. Leaves by `_Over` or `_Moved` when the call does."""
        call, network = self._call, self._network
        deadline = time.monotonic() + seconds / network.speed
        with network.changed:
            while True:
                if call.status.final:
                    raise _Over
                if call.moved_to is not None:
                    moved, call.moved_to = call.moved_to, None
                    raise _Moved(moved)
                if until():
                    return True
                now = time.monotonic()
                if call.limit_at is not None and now >= call.limit_at:
                    network.end(call, Status.COMPLETED)
                    raise _Over
                left = min(deadline, call.limit_at or deadline) - now
                if deadline <= now:
                    return False
                network.changed.wait(max(left, 0.001))
