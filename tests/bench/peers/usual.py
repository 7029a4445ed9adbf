"""The usual way to write the same webhook: the library's validator and TwiML, an ORM, a job enqueued in the request.

The flow step is the hotline's own `ivr.step` with the shipped script, so that only the way differs. It keeps numbers
in clear and answers a repeated webhook twice, which the hotline does not.
"""

import os
import secrets
from typing import Any

from flask import Flask, Response, abort, request
from redis import Redis
from rq import Queue
from sqlalchemy import JSON, Engine, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

from gateway.settings import load
from ivr import actions as act
from ivr.engine import State, step
from ivr.events import CallStarted, Facts, KeyPressed
from prompts.library import Library

SETTINGS = load(os.environ)
LIBRARY = Library.load()
VALIDATOR = RequestValidator(SETTINGS.twilio_auth_token)
QUEUE = Queue("calls", connection=Redis.from_url(SETTINGS.redis_url))


class Base(DeclarativeBase):
    """The ORM's own."""


class Call(Base):
    __tablename__ = "calls"
    sid: Mapped[str] = mapped_column(primary_key=True)
    step: Mapped[int]
    state: Mapped[dict[str, Any]] = mapped_column(JSON)


class Wanted(Base):
    __tablename__ = "wanted"
    id: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(index=True)
    wish: Mapped[str]
    own_key: Mapped[str]
    handle: Mapped[str]


def _engine() -> Engine:
    engine = create_engine(os.environ["USUAL_DATABASE_URL"])
    event.listen(engine, "connect", _as_safe_as_the_hotline)
    Base.metadata.create_all(engine)
    return engine


def _as_safe_as_the_hotline(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}").close()


app = Flask(__name__)
ENGINE = _engine()


@app.post("/twilio/voice")
@app.post("/twilio/voice/turn/<int:number>")
def voice(number: int = 0) -> Response:
    url = SETTINGS.public_url + request.path
    if not VALIDATOR.validate(url, request.form, request.headers.get("X-Twilio-Signature", "")):
        abort(403)
    facts = Facts(fresh_handle=secrets.choice(LIBRARY.handles))
    asked: list[str] = []
    with Session(ENGINE) as session:
        call = session.get(Call, request.form["CallSid"])
        if call is None:
            call = Call(sid=request.form["CallSid"], step=0, state={})
            session.add(call)
            decided = step(LIBRARY.script, None, CallStarted("dialled", "my", facts=facts))
        else:
            state = State.from_json(call.state)
            decided = step(LIBRARY.script, state, KeyPressed(request.form["Digits"], facts=facts))
        call.step, call.state = number + 1, decided.state.to_json()
        for action in decided.actions:
            if isinstance(action, act.Perform) and isinstance(action.effect, act.Ask):
                ask = action.effect
                wanted = Wanted(
                    id=secrets.token_hex(8), number=request.form["From"], wish=ask.wish, own_key=ask.own_key,
                    handle=ask.handle,
                )  # fmt: skip
                session.add(wanted)
                asked.append(wanted.id)
        session.commit()
    for one in asked:
        QUEUE.enqueue("workers.jobs.ring_counselor", one)
    return Response(_twiml(decided.actions, number + 1), content_type="text/xml")


def _twiml(actions: tuple[act.Action, ...], number: int) -> str:
    answer = VoiceResponse()
    for action in actions:
        match action:
            case act.AskForKeys():
                gather = Gather(
                    input="dtmf", num_digits=action.digits, timeout=action.wait, action_on_empty_result=True,
                    method="POST", action=f"{SETTINGS.public_url}/twilio/voice/turn/{number}",
                )  # fmt: skip
                _play(gather, action.sounds)
                answer.append(gather)
            case act.Play():
                _play(answer, action.sounds)
            case act.HangUp():
                answer.hangup()
    return str(answer)


def _play(to: VoiceResponse | Gather, sounds: tuple[act.Sound, ...]) -> None:
    for sound in sounds:
        match sound:
            case act.Prompt():
                to.play(f"{SETTINGS.public_url}/audio/{sound.key}.wav")
            case act.HandleWords():
                for word in sound.handle.split("-"):
                    to.play(f"{SETTINGS.public_url}/audio/handle.{word}.wav")
