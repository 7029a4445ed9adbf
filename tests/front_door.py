"""A whole hotline for one test, reached as the world reaches it: signed webhooks in, REST requests out."""

import json
import os
import re
import secrets
import shutil
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

from twilio.request_validator import RequestValidator

from gateway import settings as gateway_settings
from gateway.clock import DemoClock
from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import OFF_AT_FIRST, Runtime, build_runtime
from gateway.services import attending, counselors, signing_in, speech
from gateway.store import audit, migrations, outbox
from gateway.store.counselors import Account, Role
from gateway.vault import Vault
from ivr.burmese.segments import count
from workers import jobs

YANGON = ZoneInfo("Asia/Yangon")
CALLER = "+959790001001"
COUNSELOR = "+66812345001"
PASSWORD = "correct horse battery"


NO_LIMITS = {  # tests of other things come as thick as a flood
    "HOTLINE_ARRIVALS_PER_MINUTE": "100000",
    "HOTLINE_REQUESTS_PER_HOUR": "100000",
    "HOTLINE_RING_BACKS_PER_HOUR": "100000",
}


# --- what is looked at in every test ---------------------------------------------------------------------

LISTED = ("တော်လှန်ရေး", "uprising")
"""The private word list of every hotline here."""

LOOKED_AT: Counter[tuple[int, str]] = Counter()
"""How many answers and texts were looked at, by promise and what it says of them."""


def records_nothing(words: Sequence[str]) -> bool:
    """Whether neither a document's signs nor a request's fields ask for a recording."""
    LOOKED_AT[22, "test_every_answer_to_a_call_and_every_call_of_ours_in_these_tests"] += 1
    return not any("record" in word.lower() or "transcri" in word.lower() for word in words)


def fits(text: str, parts: int) -> bool:
    """Whether a text is that short and holds no word of the list."""
    LOOKED_AT[23, "test_every_text_that_left_in_these_tests"] += 1
    return count(text).parts <= parts and not any(word in text.lower() for word in LISTED)


# --- the provider's REST interface, as far as it is asked ------------------------------------------------


@dataclass
class Placed:
    """A call that the hotline asked the provider to place."""

    sid: str
    form: dict[str, str]
    status: str = "queued"
    moved_to: list[str] = field(default_factory=list)

    @property
    def leg_path(self) -> str:
        return urlsplit(self.form["Url"]).path


@dataclass
class Texted:
    """A text that the hotline asked the provider to send."""

    sid: str
    form: dict[str, str]
    status: str = "queued"

    @property
    def body(self) -> str:
        return self.form["Body"]


class Provider:
    """Answers REST requests on loopback as Twilio does; `calls` and `texts` are those it was asked for.

    `refuse` is called for each new call or text and may return a status and error code; None takes it.
    """

    def __init__(self) -> None:
        self.calls: list[Placed] = []
        self.texts: list[Texted] = []
        self.refuse: Callable[[], tuple[int, int] | None] = lambda: None
        self.drop_answers = False
        self.deleted: list[str] = []
        self.wrong: list[str] = []
        self.refuse_deletion: Callable[[], int] = lambda: 204
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                self._answer(*provider.post(urlsplit(self.path).path, dict(parse_qsl(body))))

            def do_GET(self) -> None:
                self._answer(
                    *provider.get(urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query)))
                )

            def do_DELETE(self) -> None:
                status = provider.refuse_deletion()
                if status == 204:
                    provider.deleted.append(self.path.rsplit("/", 1)[1].removesuffix(".json"))
                self._answer(
                    status,
                    {} if status == 204 else {"code": 20404 if status == 404 else 20009, "status": status},
                )

            def _answer(self, status: int, body: dict[str, Any]) -> None:
                if provider.drop_answers:
                    self.close_connection = True
                    return
                data = b"" if status == 204 else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    def post(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.endswith("/Calls.json"):
            refused = self.refuse()
            if refused:
                return refused[0], {"code": refused[1], "message": "refused", "status": refused[0]}
            if not records_nothing([*form]):
                self.wrong.append("a call of ours asked for a recording")
            call = Placed("CA" + secrets.token_hex(16), form)
            self.calls.append(call)
            return 201, self._shape(call)
        if path.endswith("/Messages.json"):
            refused = self.refuse()
            if refused:
                return refused[0], {"code": refused[1], "message": "refused", "status": refused[0]}
            text = Texted("SM" + secrets.token_hex(16), form)
            if not fits(text.body, 3):
                self.wrong.append("a text was too long or held a listed word")
            self.texts.append(text)
            return 201, self._text(text)
        call = self.of(path.rsplit("/", 1)[1].removesuffix(".json"))
        if "Url" in form:
            call.moved_to.append(form["Url"])
        if form.get("Status") in {"completed", "canceled"}:
            call.status = form["Status"]
        return 200, self._shape(call)

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path.endswith("/Calls.json"):
            found = [
                call
                for call in reversed(self.calls)
                if call.form["To"] == query.get("To") and call.form["From"] == query.get("From")
            ]
            return 200, {"calls": [self._shape(call) for call in found], "next_page_uri": None, "page": 0}
        if path.endswith("/Messages.json"):
            listed = [
                self._text(text)
                for text in reversed(self.texts)
                if text.form["To"] == query.get("To") and text.form["From"] == query.get("From")
            ]
            return 200, {"messages": listed, "next_page_uri": None, "page": 0}
        sid = path.rsplit("/", 1)[1].removesuffix(".json")
        if all(call.sid != sid for call in self.calls):
            return 404, {"code": 20404, "message": "not here", "status": 404}
        return 200, self._shape(self.of(sid))

    def of(self, sid: str) -> Placed:
        return next(call for call in self.calls if call.sid == sid)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        assert not self.wrong, self.wrong

    @staticmethod
    def _text(text: Texted) -> dict[str, Any]:
        shape = {"sid": text.sid, "status": text.status, "direction": "outbound-api", "to": text.form["To"]}
        return shape | {"body": text.form["Body"], "date_created": _just_now()}

    @staticmethod
    def _shape(call: Placed) -> dict[str, Any]:
        return {"sid": call.sid, "status": call.status, "to": call.form["To"], "date_created": _just_now()}


def _just_now() -> str:
    """A day ahead, for the clock of a hotline under test stands at ten of Yangon's day, which may not have come yet."""
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%a, %d %b %Y %H:%M:%S +0000")


# --- what a call hears --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """One answer of the hotline, read as a carrier reads it."""

    runtime: Runtime
    document: ET.Element

    @property
    def said(self) -> list[str]:
        """The keys of the wordings played, `handle` for a handle's words, `sound` for a programme's piece."""
        found = []
        for play in self.document.iter("Play"):
            name = re.search(r"/audio/([0-9a-f]{64})\.wav$", play.text or "")
            assert name, "every sound is played from our own shelf, by its hash"
            prompt = self.runtime.voices.spoken_by(name[1])
            key = prompt.key if prompt else "sound"
            found.append("handle" if key.startswith("handle.") else key)
        return [key for at, key in enumerate(found) if key != "handle" or found[at - 1] != "handle"]

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.document]

    @property
    def ends(self) -> bool:
        return self.verbs[-1] in {"Hangup", "Reject"}

    @property
    def room(self) -> str | None:
        conference = self.document.find("Dial/Conference")
        return None if conference is None else conference.text

    @property
    def action(self) -> str | None:
        """Where the next event goes."""
        for verb in self.document:
            if verb.get("action"):
                return urlsplit(verb.attrib["action"])._replace(scheme="", netloc="").geturl()
        return None


class Line:
    """One call, from the side of the phone: press keys, stay silent, hang up."""

    def __init__(self, hotline: "Hotline", sid: str, form: dict[str, str], path: str) -> None:
        self.hotline = hotline
        self.sid = sid
        self.form = form
        self.status_path = "/twilio/voice/status"
        self.heard = self.post(path)

    def post(self, path: str, **more: str) -> Heard:
        self.heard = self.hotline.voice(path, {**self.form, "CallSid": self.sid, **more})
        return self.heard

    def press(self, keys: str) -> Heard:
        for key in keys:
            assert self.heard.action, "nobody waits for a key here"
            self.post(self.heard.action, Digits=key)
        return self.heard

    def silence(self) -> Heard:
        assert self.heard.action, "nobody waits for a key here"
        return self.post(self.heard.action)

    def leave_room(self) -> Heard:
        assert self.heard.action, "this call is in no conference"
        return self.post(self.heard.action, DialCallStatus="answered")

    def hang_up(self, status: str = "completed") -> None:
        self.hotline.post(
            self.status_path, {**self.form, "CallSid": self.sid, "CallStatus": status, "CallDuration": "10"}
        )


# --- the hotline --------------------------------------------------------------------------------------


def _copy(source: str, target: str) -> None:
    """Sounds never change where they lie: a link does."""
    if source.endswith((".wav", ".mp3")):
        Path(target).unlink(missing_ok=True)
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def put_away(folder: Path) -> datetime:
    """When the template in this folder was last written to, by its own clock.

    From there its copy goes on, however long ago that was: a test that begins at ten begins at ten.
    """
    last = max(file.stat().st_mtime for file in folder.glob("*.db*"))
    return DemoClock(folder / "clock.json").now() - timedelta(seconds=time.time() - last)


class Hotline:
    """One installation in a folder of its own; `work` does what workers would do now."""

    def __init__(self, template: Path, folder: Path, provider: Provider, **settings: str) -> None:
        shutil.copytree(template, folder, dirs_exist_ok=True, copy_function=_copy)
        environment = gateway_settings.read_env_file(folder / "demo.env")
        environment |= {
            "HOTLINE_DATA_DIR": str(folder),
            "TWILIO_API_BASE_URL": provider.address,
            "HOTLINE_FACES": "webhooks",
            "HOTLINE_CALLS_PER_SECOND": "1000",  # no test waits for a line
            "HOTLINE_WORD_LIST": str(folder / "listed.txt"),
            **NO_LIMITS,
            **settings,
        }
        (folder / "listed.txt").write_text("\n".join(LISTED), encoding="utf-8")
        self.settings = gateway_settings.load(environment)
        self.environment = environment
        DemoClock(folder / "clock.json").skip_to(put_away(folder))
        self.runtime = build_runtime(self.settings)
        self.provider = provider
        self.app = create_app(self.runtime)
        self.client = self.app.test_client()
        self._validator = RequestValidator(self.settings.twilio_auth_token)
        jobs.RUNTIME = self.runtime

    # -- time --

    @property
    def clock(self) -> DemoClock:
        assert isinstance(self.runtime.clock, DemoClock)
        return self.runtime.clock

    def at(self, hour: int, minute: int = 0, *, days: int = 0) -> datetime:
        """Make it that time of day in Yangon, `days` after today."""
        today = self.clock.now().astimezone(YANGON)
        moment = today.replace(hour=hour, minute=minute, second=0, microsecond=0) + timedelta(days=days)
        self.clock.skip_to(moment)
        return moment

    def later(self, **span: float) -> None:
        self.clock.skip_to(self.clock.now() + timedelta(**span))

    # -- webhooks --

    def post(self, path: str, form: dict[str, str], **headers: str) -> Any:
        form = {"AccountSid": self.settings.twilio_account_sid, "ApiVersion": "2010-04-01", **form}
        signature = self._validator.compute_signature(self.settings.public_url + path, form)
        return self.client.post(path, data=form, headers={"X-Twilio-Signature": signature, **headers})

    def voice(self, path: str, form: dict[str, str]) -> Heard:
        answer = self.post(path, form)
        assert answer.status_code == 200, answer.status
        assert answer.mimetype == "text/xml"
        document = ET.fromstring(answer.data)  # noqa: S314 - our own answer
        assert records_nothing([word for verb in document.iter() for word in (verb.tag, *verb.attrib)])
        return Heard(self.runtime, document)

    def dial(self, caller: str = CALLER, *, sid: str | None = None) -> Line:
        form = {
            "From": caller,
            "To": self.settings.numbers[0].reveal("demo"),
            "CallStatus": "ringing",
            "Direction": "inbound",
        }
        return Line(self, sid or "CA" + secrets.token_hex(16), form, "/twilio/voice")

    def text(self, words: str, sender: str = CALLER, *, sid: str | None = None) -> str | None:
        """Send a text; return the one answer, or None."""
        form = {
            "MessageSid": sid or "SM" + secrets.token_hex(16),
            "From": sender,
            "To": self.settings.numbers[0].reveal("demo"),
            "Body": words,
            "NumMedia": "0",
        }
        answer = self.post("/twilio/sms", form)
        assert answer.status_code == 200
        message = ET.fromstring(answer.data).find("Message")  # noqa: S314 - our own answer
        if message is None:
            return None
        assert fits(message.text or "", 1)
        return message.text

    def pick_up(self, call: Placed, *, by: str = "human") -> Line:
        """Answer a call that the hotline placed."""
        form = {"From": call.form["From"], "To": call.form["To"], "Direction": "outbound-api"}
        if "MachineDetection" in call.form:
            form["AnsweredBy"] = by
        line = Line(self, call.sid, {**form, "CallStatus": "in-progress"}, call.leg_path)
        line.status_path = urlsplit(call.form["StatusCallback"]).path
        return line

    def report(self, text: Texted, status: str, *, code: str = "") -> None:
        """The provider says how a text stands."""
        form = {
            "MessageSid": text.sid,
            "MessageStatus": status,
            "To": text.form["To"],
            "From": text.form["From"],
        }
        more = {"ErrorCode": code} if code else {}
        self.post(urlsplit(text.form["StatusCallback"]).path, {**form, **more})

    def not_answered(self, call: Placed, status: str = "no-answer") -> None:
        form = {"CallSid": call.sid, "CallStatus": status, "From": call.form["From"], "To": call.form["To"]}
        self.post(urlsplit(call.form["StatusCallback"]).path, form)

    # -- workers --

    def work(self, *, most: int = 100) -> int:
        """Do every duty that is due, with the workers' own functions, until none is. Return how many."""
        done = 0
        while done < most:
            now = self.clock.now()
            with self.runtime.database.read() as session:
                due = outbox.due(session, now=now, stale=now - timedelta(seconds=60), most=20)
            if not due:
                return done
            for duty in due:
                getattr(jobs, duty.job)(duty.id)
                done += 1
        raise AssertionError("the outbox never empties")

    # -- people --

    def counselor(
        self, alias: str = "helper", number: str = COUNSELOR, role: Role = Role.COUNSELOR
    ) -> Account:
        counselors.add(self.runtime, alias, role, PASSWORD, number=Msisdn.parse(number), language="en")
        attending.set_cap(self.runtime, alias, None, by=None)  # no beginner, who may take but few a day
        counselors.set_shift(self.runtime, alias, on=True)
        return next(one for one in counselors.everyone(self.runtime) if one.alias == alias)

    def at_console(self, alias: str = "helper") -> None:
        """That person signs in to the console, so that the pool may ring them."""
        code = signing_in.current_code(self.runtime, alias)
        signing_in.sign_in(self.runtime, alias, PASSWORD, code or "")

    def rows(self, statement: Any) -> Sequence[Any]:
        with self.runtime.database.read() as session:
            return list(session.execute(statement))

    def one(self, statement: Any) -> Any:
        (row,) = self.rows(statement)
        return row


def build_bare(folder: Path) -> Runtime:
    """Keys and tables, and a runtime on them, which the caller closes."""
    environment = gateway_settings.demo_environment(folder, 8000)
    gateway_settings.write_demo_env(folder / "demo.env", environment)
    settings = gateway_settings.load(environment)
    Vault.prepare(settings)
    runtime = build_runtime(settings)
    migrations.upgrade(runtime.database)
    return runtime


@contextmanager
def opened_bare(bare: Path, folder: Path, **settings: str) -> Iterator[Runtime]:
    """A copy of such a folder, without sound, for tests that speak to nobody."""
    shutil.copytree(bare, folder, dirs_exist_ok=True)
    DemoClock(folder / "clock.json").skip_to(put_away(folder))
    environment = gateway_settings.read_env_file(folder / "demo.env")
    environment |= {"HOTLINE_DATA_DIR": str(folder), **settings}
    runtime = build_runtime(gateway_settings.load(environment))
    yield runtime
    runtime.vault.close()
    runtime.database.close()


def build_template(folder: Path) -> None:
    """Keys, tables and sound, made once; each test gets a copy."""
    runtime = build_bare(folder)
    with runtime.database.write() as session:  # as a coordinator does in the console
        for feature in OFF_AT_FIRST:
            audit.switch(session, feature, "on", runtime.clock.now())
    speech.render_prompts(runtime, runtime.library.languages, engines=("offline",))
    runtime.database.close()
