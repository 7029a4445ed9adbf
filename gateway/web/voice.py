"""Voice webhooks: each is one event in our words, answered by one document."""

from dataclasses import replace

from flask import Blueprint, Response, request

from gateway.carriers.base import KeysCame, VoiceAnswer
from gateway.carriers.twilio import inbound, rendering
from gateway.errors import GatewayError, Refused
from gateway.logs import get
from gateway.runtime import Runtime
from gateway.services import conversations, degraded, delivery, speech
from gateway.services.conversations import Came
from gateway.web.guard import Form, public, runtime, signed
from ivr import actions as act

voice = Blueprint("voice", __name__)
_log = get(__name__)


@voice.post("/twilio/voice")
@signed
def arrived(form: Form) -> Response:
    return _answer(inbound.read_call(form))


@voice.post("/twilio/voice/turn/<int:step>")
@signed
def turn(form: Form, step: int) -> Response:
    came = inbound.read_keys(step, form)
    return _answer(replace(came, token=request.args.get("s", "")))


@voice.post("/twilio/voice/leg/<leg>")
@signed
def leg_answered(form: Form, leg: str) -> Response:
    return _answer(inbound.read_leg(leg, form))


@voice.post("/twilio/voice/leg/<leg>/over")
@signed
def leg_moved(form: Form, leg: str) -> Response:
    return _answer(replace(inbound.read_leg(leg, form), moved=True))


@voice.post("/twilio/voice/wait")
@public
def wait() -> Response:
    """What is heard in a conference before the other one comes: nothing secret, and the same for everybody.

    Not signed: nothing says that this request carries the account, and silence would be worse than a stranger.
    """
    language = runtime().library.languages[0]
    return _document(rendering.render_wait(speech.addresses(runtime(), language, act.Prompt("waiting"))))


@voice.post("/twilio/voice/status")
@signed
def call_status(form: Form) -> Response:
    return _report(form, "")


@voice.post("/twilio/voice/leg/<leg>/status")
@signed
def leg_status(form: Form, leg: str) -> Response:
    return _report(form, leg)


def _report(form: Form, leg: str) -> Response:
    try:
        delivery.leg_progress(runtime(), inbound.read_leg_progress(leg, form))
    except Exception as error:  # noqa: BLE001 - the minute's sweep asks about calls whose end got lost
        _log.warning("report_lost", error=type(error).__name__)
    return Response(status=204)


def _answer(came: Came) -> Response:
    """One turn; whatever breaks, the caller hears a true sentence and never an error."""
    try:
        return _document(conversations.take_turn(runtime(), came, _render))
    except Refused:
        return _document(_left(came))
    except GatewayError as error:
        _log.warning("degraded", error=type(error).__name__)
    except Exception as error:  # noqa: BLE001 - a caller must never hear an English error
        _log.error("turn_failed", error=type(error).__name__, exc_info=error)
    return _document(_render(*degraded.answer(runtime(), came)))


def _left(came: Came) -> bytes:
    """What nobody can go on with ends: with a word in a conversation, without one where none began."""
    library = runtime().library
    said = [act.Play((act.Prompt(library.script.goodbye),))] if isinstance(came, KeysCame) else []
    return _render(runtime(), VoiceAnswer([*said, act.HangUp()], 0), library.languages[0])


def _render(here: Runtime, answer: VoiceAnswer, language: str) -> bytes:
    return rendering.render_voice(
        answer,
        sounds=lambda sound: speech.addresses(here, language, sound),
        base=here.settings.public_url,
    )


def _document(body: bytes) -> Response:
    return Response(body, content_type="text/xml; charset=utf-8")
