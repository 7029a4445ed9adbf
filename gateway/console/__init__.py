"""The console: what counselors and coordinators see and do, in a browser on any phone, with or without script."""

from flask import Blueprint

from gateway.console import frame
from gateway.console.cases import Cases
from gateway.console.content import Content
from gateway.console.drafts import Drafts
from gateway.console.gates import ANYONE, COORDINATORS, COUNSELORS, Gates, Route
from gateway.console.outreach import Outreach
from gateway.console.people import People
from gateway.console.queue import Queue
from gateway.console.seeing import Seeing
from gateway.console.signing_in import SigningIn
from gateway.console.standing import Standing
from gateway.runtime import Runtime
from prompts.intake import MOST_BYTES

LONG = 1_000_000  # bytes of a form with a long text
SOUND = MOST_BYTES + 100_000  # the largest file that is looked at, and the form around it


def create_console(runtime: Runtime) -> Blueprint:
    """Everything below `/console`. It brings its own cookie, languages, headers and error pages."""
    blueprint = Blueprint("console", __name__, url_prefix=frame.PREFIX, template_folder="templates")
    gates = Gates(runtime)
    frame.put_around(blueprint, runtime, gates)  # first, for a refused request must wear the headers too
    gates.open(blueprint, _routes(runtime))
    return blueprint


def _routes(runtime: Runtime) -> list[Route]:
    """Every way in: name, method, path, what it does, whom it lets in, and the page a refusal shows again."""
    signing, queue, cases, seeing = SigningIn(runtime), Queue(runtime), Cases(runtime), Seeing(runtime)
    outreach, people, standing = Outreach(runtime), People(runtime), Standing(runtime)
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
        Route("written", "POST", "/programmes/new", outreach.write, COORDINATORS, outreach.form, LONG),
        Route("version", "GET", "/programmes/<version>", outreach.version, COUNSELORS),
        Route("approve", "POST", "/programmes/<version>/approve", outreach.approve, COUNSELORS, outreach.version),
        Route("retire", "POST", "/programmes/<version>/retire", outreach.retire, COORDINATORS, outreach.version),
        Route("launch", "POST", "/programmes/<version>/launch", outreach.launch, COORDINATORS, outreach.version),
        Route("steer", "POST", "/programmes/<version>/calls/<campaign>", outreach.steer, COORDINATORS, outreach.anew),
        *_wordings(Content(runtime), Drafts(runtime)),
        Route("map", "GET", "/map", seeing.map, COORDINATORS),
        Route("map_picture", "GET", "/map.svg", seeing.picture, COORDINATORS),
        Route("preview", "GET", "/preview", seeing.preview, COORDINATORS),
        Route("preview_fit", "POST", "/preview", seeing.fit, COORDINATORS, seeing.preview),
        Route("people", "GET", "/people", people.page, COORDINATORS),
        Route("standing", "GET", "/standing", standing.page, COORDINATORS),
        Route("switch", "POST", "/standing/switch", standing.switch, COORDINATORS, standing.page),
        Route("lost", "GET", "/<path:rest>", frame.lost, ANYONE),
    ]  # fmt: skip


def _wordings(content: Content, drafts: Drafts) -> list[Route]:
    """Anybody with an account may be the second person who listens and publishes; only coordinators change."""
    one = "/wordings/<language>/<kind>/<key>"
    sound = f"{one}/sound/<recording>"
    file = "/wordings/draft/files/<path:name>"
    return [
        Route("content", "GET", "/wordings", content.page, COUNSELORS),
        Route("wording", "GET", one, content.wording, COUNSELORS),
        Route("change", "POST", one, content.change, COORDINATORS, content.wording),
        Route("record", "POST", f"{one}/sound", content.record, COORDINATORS, content.wording, SOUND),
        Route("judge", "POST", sound, content.judge, COUNSELORS, content.anew),
        Route("remove", "POST", f"{sound}/remove", content.remove, COORDINATORS, content.anew),
        Route("draft", "GET", "/wordings/draft", drafts.page, COUNSELORS),
        Route("begin", "POST", "/wordings/draft", drafts.begin, COORDINATORS, content.page),
        Route("discard", "POST", "/wordings/draft/discard", drafts.discard, COORDINATORS, drafts.page),
        Route("publish", "POST", "/wordings/draft/publish", drafts.publish, COUNSELORS, drafts.page),
        Route("file", "GET", file, drafts.file, COORDINATORS),
        Route("change_file", "POST", file, drafts.change_file, COORDINATORS, drafts.file, LONG),
        Route("versions", "GET", "/wordings/versions", drafts.versions, COUNSELORS),
        Route("go_back", "POST", "/wordings/versions/<number>", drafts.go_back, COORDINATORS, drafts.versions_again),
    ]  # fmt: skip
