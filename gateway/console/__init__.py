"""The console: what counselors and coordinators see and do, in a browser on any phone, with or without script."""

from flask import Blueprint

from gateway.console import frame
from gateway.console.cases import Cases
from gateway.console.content import Content
from gateway.console.gates import ANYONE, COORDINATORS, COUNSELORS, Gates, Route
from gateway.console.outreach import Outreach
from gateway.console.people import People
from gateway.console.queue import Queue
from gateway.console.signing_in import SigningIn
from gateway.console.standing import Standing
from gateway.runtime import Runtime


def create_console(runtime: Runtime) -> Blueprint:
    """Everything below `/console`. It brings its own cookie, languages, headers and error pages."""
    blueprint = Blueprint("console", __name__, url_prefix=frame.PREFIX, template_folder="templates")
    gates = Gates(runtime)
    frame.put_around(blueprint, runtime, gates)  # first, for a refused request must wear the headers too
    gates.open(blueprint, _routes(runtime))
    return blueprint


def _routes(runtime: Runtime) -> list[Route]:
    """Every way in: name, method, path, what it does, whom it lets in, and the page a refusal shows again."""
    signing, queue, cases = SigningIn(runtime), Queue(runtime), Cases(runtime)
    outreach, content, people, standing = (
        Outreach(runtime), Content(runtime), People(runtime), Standing(runtime),
    )  # fmt: skip
    return [
        Route("static", "GET", "/static/<name>", frame.static, ANYONE),
        Route("sign_in", "GET", "/sign-in", signing.page, ANYONE),
        Route("enter", "POST", "/sign-in", signing.enter, ANYONE, signing.page),
        Route("leave", "GET", "/leave", signing.leave, ANYONE),
        Route("sign_out", "POST", "/sign-out", signing.sign_out, COUNSELORS),
        Route("home", "GET", "/", queue.home, COUNSELORS),
        Route("queue", "GET", "/queue", queue.page, COUNSELORS),
        Route("shift", "POST", "/shift", queue.shift, COUNSELORS, queue.page),
        Route("claim", "POST", "/cases/<case>/claim", cases.claim, COUNSELORS, queue.page_without),
        Route("case", "GET", "/cases/<case>", cases.page, COUNSELORS),
        Route("call", "POST", "/cases/<case>/call", cases.call, COUNSELORS, cases.page),
        Route("outcome", "POST", "/cases/<case>/outcome", cases.outcome, COUNSELORS, cases.page),
        Route("release", "POST", "/cases/<case>/release", cases.release, COUNSELORS, cases.page),
        Route("programmes", "GET", "/programmes", outreach.page, COUNSELORS),
        Route("write", "GET", "/programmes/new", outreach.form, COORDINATORS),
        Route("written", "POST", "/programmes/new", outreach.write, COORDINATORS, outreach.form),
        Route("version", "GET", "/programmes/<version>", outreach.version, COUNSELORS),
        Route("approve", "POST", "/programmes/<version>/approve", outreach.approve, COUNSELORS, outreach.version),
        Route("retire", "POST", "/programmes/<version>/retire", outreach.retire, COORDINATORS, outreach.version),
        Route("launch", "POST", "/programmes/<version>/launch", outreach.launch, COORDINATORS, outreach.version),
        Route("steer", "POST", "/programmes/<version>/calls/<campaign>", outreach.steer, COORDINATORS, outreach.anew),
        Route("content", "GET", "/wordings", content.page, COORDINATORS),
        Route("people", "GET", "/people", people.page, COORDINATORS),
        Route("standing", "GET", "/standing", standing.page, COORDINATORS),
        Route("switch", "POST", "/standing/switch", standing.switch, COORDINATORS, standing.page),
        Route("lost", "GET", "/<path:rest>", frame.lost, ANYONE),
    ]  # fmt: skip
