"""The console: what counselors and coordinators see and do, in a browser on any phone, with or without script."""

from flask import Blueprint

from gateway.console import frame
from gateway.console.auditing import Auditing
from gateway.console.campaigns import Campaigns
from gateway.console.cases import Cases
from gateway.console.changes import Changes
from gateway.console.content import Content
from gateway.console.continuing import Continuing
from gateway.console.directory import Directory
from gateway.console.drafts import Drafts
from gateway.console.gates import ADMINS, ANYONE, AUDITORS, COORDINATORS, COUNSELORS, EVERYBODY, Gates, Route
from gateway.console.guides import Guidance
from gateway.console.joining import JoiningIn
from gateway.console.locking import Locking
from gateway.console.outreach import Outreach
from gateway.console.own_account import OwnAccount
from gateway.console.people import People
from gateway.console.practising import Practice
from gateway.console.queue import Queue
from gateway.console.seeing import Seeing
from gateway.console.shifts import Hours, Shifts
from gateway.console.signing_in import SigningIn
from gateway.console.standing import Standing
from gateway.console.stopping import Stopping
from gateway.console.texting import Texting
from gateway.runtime import Runtime
from prompts.intake import PROGRAMME, WORDING

LONG = 1_000_000  # bytes of a form with a long text
SOUND = WORDING.size + 100_000  # the largest file that is looked at, and the form around it
VOICES = PROGRAMME.size + LONG


def create_console(runtime: Runtime) -> Blueprint:
    """Everything below `/console`. It brings its own cookie, languages, headers and error pages."""
    blueprint = Blueprint("console", __name__, url_prefix=frame.PREFIX, template_folder="templates")
    locking = Locking(runtime)
    gates = Gates(runtime, locking.shut)
    frame.put_around(blueprint, runtime, gates)  # first, for a refused request must wear the headers too
    gates.open(
        blueprint, [*_doors(runtime, locking), *_accounts(runtime), *_helping(runtime), *_routes(runtime)]
    )
    return blueprint


def _routes(runtime: Runtime) -> list[Route]:
    """Every way in: name, method, path, what it does, whom it lets in, and the page a refusal shows again."""
    queue, cases, seeing = Queue(runtime), Cases(runtime), Seeing(runtime)
    outreach, standing = Outreach(runtime), Standing(runtime)
    return [
        Route("home", "GET", "/", queue.home, EVERYBODY),
        Route("queue", "GET", "/queue", queue.page, COUNSELORS),
        Route("shift", "POST", "/shift", queue.shift, COUNSELORS, queue.page),
        Route("claim", "POST", "/cases/<case>/claim", cases.claim, COUNSELORS, queue.page_without),
        Route("case", "GET", "/cases/<case>", cases.page, COUNSELORS),
        Route("call", "POST", "/cases/<case>/call", cases.call, COUNSELORS, cases.page),
        Route("forget", "POST", "/cases/<case>/forget", cases.forget, COUNSELORS, cases.page),
        Route("unsafe", "POST", "/cases/<case>/unsafe", cases.unsafe, COUNSELORS, queue.page_without),
        Route("outcome", "POST", "/cases/<case>/outcome", cases.outcome, COUNSELORS, cases.page),
        Route("refuse", "POST", "/cases/<case>/refuse", cases.refuse, COUNSELORS, cases.page),
        Route("release", "POST", "/cases/<case>/release", cases.release, COUNSELORS, cases.page),
        *_threads(Texting(runtime)),
        Route("programmes", "GET", "/programmes", outreach.page, COUNSELORS),
        Route("write", "GET", "/programmes/new", outreach.form, COORDINATORS),
        Route("written", "POST", "/programmes/new", outreach.write, COORDINATORS, outreach.form, VOICES),
        Route("version", "GET", "/programmes/<version>", outreach.version, COUNSELORS),
        Route("whole", "GET", "/programmes/<version>/whole.mp3", outreach.whole, COUNSELORS),
        Route("changing", "GET", "/programmes/<version>/change", outreach.changing, COORDINATORS),
        Route("changed", "POST", "/programmes/<version>/change", outreach.change, COORDINATORS, outreach.changing, VOICES),  # noqa: E501 - a row of the table
        Route("approve", "POST", "/programmes/<version>/approve", outreach.approve, COUNSELORS, outreach.version),
        Route("retire", "POST", "/programmes/<version>/retire", outreach.retire, COORDINATORS, outreach.version),
        *_stopping(Stopping(runtime)),
        *_shifts(Shifts(runtime), Hours(runtime)),
        *_campaigns(Campaigns(runtime)),
        *_wordings(Content(runtime), Drafts(runtime)),
        Route("map", "GET", "/map", seeing.map, COORDINATORS),
        Route("map_picture", "GET", "/map.svg", seeing.picture, COORDINATORS),
        Route("preview", "GET", "/preview", seeing.preview, COORDINATORS),
        Route("preview_fit", "POST", "/preview", seeing.fit, COORDINATORS, seeing.preview),
        Route("standing", "GET", "/standing", standing.page, AUDITORS),
        Route("switch", "POST", "/standing/switch", standing.switch, COORDINATORS, standing.page),
        Route("lost", "GET", "/<path:rest>", frame.lost, ANYONE),
    ]  # fmt: skip


def _stopping(stopping: Stopping) -> list[Route]:
    """The lock, and behind it the wipe."""
    return [
        Route("stop", "GET", "/stop", stopping.page, EVERYBODY, halted=True),
        Route("lock_all", "POST", "/stop/lock", stopping.lock, COORDINATORS, stopping.page),
        Route("unlock_all", "POST", "/stop/unlock", stopping.unlock, ADMINS, stopping.page, halted=True),
        Route("wipe", "POST", "/stop/wipe", stopping.wipe, ADMINS, stopping.page, halted=True),
    ]


def _threads(texting: Texting) -> list[Route]:
    """Two-way texts."""
    texts = "/cases/<case>/texts"
    return [
        Route("thread", "GET", texts, texting.page, COUNSELORS),
        Route("answer", "POST", texts, texting.answer, COUNSELORS, texting.page),
        Route("check_text", "POST", f"{texts}/check", texting.check, COUNSELORS, texting.page),
        Route("keep_draft", "POST", f"{texts}/draft", texting.draft, COUNSELORS, texting.page),
    ]


def _shifts(shifts: Shifts, hours: Hours) -> list[Route]:
    """Who is there when: one's own shifts, the plan, and the hours in which somebody is meant to be there."""
    day = "/hours/days/<day>/remove"
    return [
        Route("shifts", "GET", "/shifts", shifts.page, COUNSELORS),
        Route("pause", "POST", "/shifts/pause", shifts.pause, COUNSELORS, shifts.page),
        Route("plan_shift", "POST", "/shifts/plan", shifts.plan, COORDINATORS, shifts.page),
        Route("repeat_week", "POST", "/shifts/repeat", shifts.repeat, COORDINATORS, shifts.page),
        Route("cap", "POST", "/shifts/cap", shifts.cap, COORDINATORS, shifts.page),
        Route("remove_shift", "POST", "/shifts/<shift>/remove", shifts.remove, COORDINATORS, shifts.page_without),
        Route("hours", "GET", "/hours", hours.page, COUNSELORS),
        Route("set_hours", "POST", "/hours", hours.set_week, COORDINATORS, hours.page),
        Route("set_holiday", "POST", "/hours/days", hours.set_holiday, COORDINATORS, hours.page),
        Route("remove_holiday", "POST", day, hours.remove_holiday, COORDINATORS, hours.page_without),
    ]  # fmt: skip


def _helping(runtime: Runtime) -> list[Route]:
    """What a counselor has beside the queue: going on with a case, who else helps, hard calls, practice, news."""
    going_on, directory, practice = Continuing(runtime), Directory(runtime), Practice(runtime)
    guidance, cases = Guidance(), Cases(runtime)
    case, entry = "/cases/<case>", "/services/<entry>"
    return [
        Route("changes", "GET", "/changes", Changes(runtime).stream, COUNSELORS),
        Route("note", "POST", f"{case}/note", cases.note, COUNSELORS, cases.page),
        Route("kept", "GET", "/kept", going_on.page, COUNSELORS),
        Route("renew", "POST", f"{case}/renew", going_on.renew, COUNSELORS, cases.page),
        Route("ring_again", "POST", f"{case}/again", going_on.ring_again, COUNSELORS, cases.page),
        Route("colleagues", "GET", f"{case}/colleagues", going_on.colleagues, COUNSELORS),
        Route("offer", "POST", f"{case}/colleagues", going_on.offer, COUNSELORS, cases.page),
        Route("bring_in", "POST", f"{case}/bring-in", going_on.bring_in, COUNSELORS, cases.page),
        Route("take_over", "POST", f"{case}/take-over", going_on.take_over, COUNSELORS, cases.page),
        Route("end_offer", "POST", f"{case}/end-offer", going_on.end_offer, COUNSELORS, cases.page),
        Route("choose", "GET", f"{case}/services", directory.choose, COUNSELORS),
        Route("refer", "POST", f"{case}/services/<entry>", directory.refer, COUNSELORS, directory.choose_again),
        Route("services", "GET", "/services", directory.page, COUNSELORS),
        Route("new_service", "GET", "/services/new", directory.form, COORDINATORS),
        Route("add_service", "POST", "/services/new", directory.keep, COORDINATORS, directory.form),
        Route("service", "GET", entry, directory.form, COORDINATORS),
        Route("keep_service", "POST", entry, directory.keep, COORDINATORS, directory.form),
        Route("remove_service", "POST", f"{entry}/remove", directory.remove, COORDINATORS, directory.form),
        Route("guidance", "GET", "/guidance", guidance.page, COUNSELORS),
        Route("guide", "GET", "/guidance/<topic>", guidance.one, COUNSELORS),
        Route("practice", "GET", "/practice", practice.page, COUNSELORS),
        Route("practice_case", "GET", "/practice/<case>", practice.case, COUNSELORS),
        Route("practice_call", "GET", "/practice/<case>/<scene>", practice.call, COUNSELORS),
        Route("practice_outcome", "GET", "/practice/<case>/end/<outcome>", practice.outcome, COUNSELORS),
    ]  # fmt: skip


def _doors(runtime: Runtime, locking: Locking) -> list[Route]:
    """Coming in and going out."""
    signing, joining = SigningIn(runtime), JoiningIn(runtime)
    return [
        Route("static", "GET", "/static/<name>", frame.static, ANYONE),
        Route("sign_in", "GET", "/sign-in", signing.page, ANYONE),
        Route("enter", "POST", "/sign-in", signing.enter, ANYONE, signing.page),
        Route("enter_by_passkey", "POST", "/sign-in/passkey", signing.enter_by_passkey, ANYONE, signing.page),
        Route("join", "GET", "/join", joining.page, ANYONE),
        Route("joining", "POST", "/join", joining.look, ANYONE, joining.page),
        Route("joined", "POST", "/join/account", joining.join, ANYONE, joining.again),
        Route("leave", "GET", "/leave", signing.leave, ANYONE),
        Route("sign_out", "POST", "/sign-out", signing.sign_out, EVERYBODY, locked=True, halted=True),
        Route("locked", "GET", "/locked", locking.page, EVERYBODY, locked=True),
        Route("unlock", "POST", "/locked", locking.unlock, EVERYBODY, locking.page, 2 * LONG, locked=True),
        Route("here", "GET", "/here", locking.here, EVERYBODY),
    ]  # fmt: skip


def _accounts(runtime: Runtime) -> list[Route]:
    """One's own account, those of others, and what was done."""
    own, people = OwnAccount(runtime), People(runtime)
    one = "/people/<account>"
    return [
        Route("account", "GET", "/account", own.page, EVERYBODY),
        Route("password", "POST", "/account/password", own.password, EVERYBODY, own.page),
        Route("reader", "POST", "/account/reader", own.reader, EVERYBODY, own.page),
        Route("new_reader", "POST", "/account/reader/new", own.reader_confirmed, EVERYBODY, own.reader_again),
        Route("recovery", "POST", "/account/recovery", own.recovery, EVERYBODY, own.page),
        Route("short_code", "POST", "/account/short-code", own.short_code, EVERYBODY, own.page),
        Route("phone", "POST", "/account/phone", own.phone, COUNSELORS, own.page),
        Route("passkey", "POST", "/account/passkeys", own.add_passkey, EVERYBODY, own.page),
        Route("no_passkey", "POST", "/account/passkeys/<passkey>", own.remove_passkey, EVERYBODY, own.page_without),
        Route("end_mine", "POST", "/account/sessions/<one>", own.end_session, EVERYBODY, own.page_without),
        Route("people", "GET", "/people", people.page, COORDINATORS),
        Route("invite", "POST", "/people", people.invite, COORDINATORS, people.page),
        Route("withdraw", "POST", "/people/invited/<selector>", people.withdraw, COORDINATORS, people.page_without),
        Route("person", "GET", one, people.person, COORDINATORS),
        Route("describe", "POST", f"{one}/helps", people.describe, COORDINATORS, people.person),
        Route("role", "POST", f"{one}/role", people.role, COORDINATORS, people.person),
        Route("anew", "POST", f"{one}/anew", people.anew, COORDINATORS, people.person),
        Route("end_theirs", "POST", f"{one}/sessions/<one>", people.end_session, COORDINATORS, people.person_without),
        Route("end_all", "POST", f"{one}/sessions", people.end_sessions, COORDINATORS, people.person),
        Route("disable", "POST", f"{one}/disable", people.disable, COORDINATORS, people.person),
        Route("enable", "POST", f"{one}/enable", people.enable, COORDINATORS, people.person),
        Route("captured", "POST", f"{one}/captured", people.captured, COORDINATORS, people.person),
        Route("audit", "GET", "/audit", Auditing(runtime).page, AUDITORS),
    ]  # fmt: skip


def _campaigns(campaigns: Campaigns) -> list[Route]:
    """Everybody sees how it went; only coordinators begin, pause and end."""
    one = "/programmes/<version>/calls/<campaign>"
    return [
        Route("plan", "GET", "/programmes/<version>/calls", campaigns.plan, COORDINATORS),
        Route(
            "launch", "POST", "/programmes/<version>/calls", campaigns.launch, COORDINATORS, campaigns.plan
        ),
        Route("results", "GET", one, campaigns.results, COUNSELORS),
        Route("steer", "POST", one, campaigns.steer, COORDINATORS, campaigns.results),
        Route("chart", "GET", f"{one}/chart.svg", campaigns.chart, COUNSELORS),
        Route("table", "GET", f"{one}/counts.csv", campaigns.table, COORDINATORS),
    ]


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
