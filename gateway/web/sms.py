"""SMS webhooks: the answer rides in the reply, so that it costs no request of ours and cannot be late."""

from flask import Blueprint, Response

from gateway.carriers.twilio import inbound, rendering
from gateway.errors import GatewayError
from gateway.logs import get
from gateway.services import degraded, sending, texts
from gateway.web.guard import Form, runtime, signed

sms = Blueprint("sms", __name__)
_log = get(__name__)


@sms.post("/twilio/sms")
@signed
def arrived(form: Form) -> Response:
    came = inbound.read_text(form)
    try:
        body = texts.take_text(runtime(), came, _rendered)
    except GatewayError as error:
        _log.warning("degraded", error=type(error).__name__)
        body = _rendered(degraded.text(runtime(), came))
    except Exception as error:  # noqa: BLE001 - a texter must never read an English error
        _log.error("text_failed", error=type(error).__name__, exc_info=error)
        body = _rendered(None)
    return Response(body, content_type="text/xml; charset=utf-8")


@sms.post("/twilio/sms/status")
@sms.post("/twilio/sms/status/<message>")
@signed
def text_status(form: Form, message: str = "") -> Response:
    progress = inbound.read_text_progress(message, form)
    try:
        sending.report(runtime(), progress)
    except Exception as error:  # noqa: BLE001 - the text then stays "sent", which is true
        _log.warning("report_lost", error=type(error).__name__)
    return Response(status=204)


def _rendered(body: str | None) -> bytes:
    return rendering.render_text(body, base=runtime().settings.public_url)
