"""A gateway's double on loopback that answers with whatever TwiML a test hands it, and a network around it."""

import hashlib
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from gateway.clock import DemoClock
from gateway.simulator.network import Network
from gateway.simulator.view import Caption

SID = "AC" + "5" * 32
TOKEN = "a made-up token of the tests"
PUBLIC, MISSED, POOL = "+6621234567", "+6621234568", "+6621234569"


def mulaw_wav(seconds: float) -> bytes:
    """Return silence as telephone audio: 8 kHz mono mu-law in a RIFF file."""
    data = b"\xff" * round(seconds * 8000)
    head = struct.pack("<4sIHHIIHHH", b"fmt ", 18, 7, 1, 8000, 8000, 1, 8, 0)
    body = b"WAVE" + head + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@dataclass(frozen=True)
class Seen:
    path: str
    form: dict[str, str]
    headers: dict[str, str]
    valid: bool
    at: float


@dataclass
class Double:
    """`answers[path]` is TwiML, or a list of them taken one a request (the last stays), or a `Response`."""

    url: str = ""
    answers: dict[str, object] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    sounds: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    captions: dict[str, dict[str, Caption]] = field(default_factory=dict)

    def sound(self, seconds: float, kind: str = "audio/wav") -> str:
        data = mulaw_wav(seconds)
        name = hashlib.sha256(data + kind.encode()).hexdigest()
        self.sounds[name] = (data, kind)
        return f"/audio/{name}.wav"

    def spoken(self, seconds: float, burmese: str, english: str) -> str:
        """Return the address of a sound that a robot speaks, with captions in both languages."""
        url = self.sound(seconds)
        both = {
            "my": Caption(burmese, robot=True, kind="prompt"),
            "en": Caption(english, robot=True, kind="prompt"),
        }
        self.captions[url.removeprefix("/audio/").removesuffix(".wav")] = both
        return url

    def to(self, path: str) -> list[dict[str, str]]:
        """Return the fields of every request to `path` so far, in order."""
        return [seen.form for seen in list(self.seen) if seen.path == path]

    def app(self) -> Flask:
        app = Flask("double")

        @app.get("/audio/<name>.wav")
        def audio(name: str) -> Response:
            data, kind = self.sounds[name]
            answer = Response(data, mimetype=kind)
            if not kind:
                del answer.headers["Content-Type"]
            return answer

        @app.route("/<path:path>", methods=["GET", "POST"])
        def webhook(path: str) -> Response:
            return self._answer("/" + path)

        return app

    def _answer(self, path: str) -> Response:
        raw = request.environ["RAW_URI"]
        valid = RequestValidator(TOKEN).validate(
            self.url + raw, request.form, request.headers.get("X-Twilio-Signature", "")
        )
        self.seen.append(Seen(path, dict(request.form), dict(request.headers), valid, time.monotonic()))
        answer = self.answers.get(path)
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer) and not isinstance(answer, Response):
            answer = answer()
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(status=204)
        return Response(f"<Response>{answer}</Response>", mimetype="text/xml")


@dataclass
class House:
    """A double, a network that talks to it, and Twilio's own client talking to the network."""

    double: Double
    network: Network
    client: Client
    clock: DemoClock
    reasons: list[str] = field(default_factory=list)
    resets: list[bool] = field(default_factory=list)

    def until(self, true: Callable[[], object], seconds: float = 8) -> None:
        """Wait until something holds, or fail showing what the network refused."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (self.network.faults, self.double.seen)
            time.sleep(0.005)

    def settle(self) -> None:
        """Wait until no call is live and every callback was delivered."""
        self.until(lambda: all(call.status.final for call in self.network.calls.values()))
        self.network.courier.flush()

    def silent(self, name: str = "caller") -> bool:
        """Whether the handset's call waits for a key and no prompt plays any more."""
        call = self.network.phones[name].call
        return bool(call and call.listening and call.hearing and call.hearing.kind == "silence")

    def press(self, keys: str, name: str = "caller") -> None:
        """Press keys, each as soon as somebody listens."""
        for key in keys:
            self.until(lambda key=key: self.network.press(name, key))
