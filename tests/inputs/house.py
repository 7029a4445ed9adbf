"""A hotline with something of everything in it, and every way into it: found in its URL map and on its pages."""

import re
import secrets
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from urllib.parse import parse_qsl

from front_door import PASSWORD, Hotline, Provider
from inputs.raw import Ask, Got, send
from real_postgres import PostgresServer
from sqlalchemy import make_url, select
from twilio.request_validator import RequestValidator
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from gateway.phone import Msisdn
from gateway.services import counselors, publishing, signing_in
from gateway.services.factors import wall_clock
from gateway.store import counselors as accounts
from gateway.store import legs, outreach
from gateway.store.callbacks import callbacks
from gateway.store.counselors import Role
from gateway.store.outreach import VersionState, fingerprint
from gateway.vault import Vault

NOBODY, IDLE, CARRIER, PHONES = "nobody", "idle", "carrier", "phones"
VISITORS = [NOBODY, *(role.value for role in Role), IDLE, CARRIER, PHONES]
OUT = ("/console/sign-in", "/console/stop")
AWAY = "http://127.0.0.1:9"  # nobody listens there, so that the simulated network reaches nothing
TOKEN = b"the-token-of-the-form"
SOUNDS = f"{'a' * 64} {'b' * 64}"
_FORM = re.compile(r"<form[^>]*?>.*?</form>", re.DOTALL)
_FIELD = re.compile(r"<(?:input|select|textarea|button)\b[^>]*\bname=\"([^\"]+)\"[^>]*>", re.DOTALL)
_VALUE = re.compile(r"\bvalue=\"([^\"]*)\"")
_TWILIO = {
    "CallSid": "CA" + "1" * 32, "MessageSid": "SM" + "1" * 32, "From": "+959790001001", "Direction": "inbound",
    "CallStatus": "in-progress", "Digits": "1", "AnsweredBy": "human", "CallDuration": "10", "SequenceNumber": "1",
    "Body": "11", "MessageStatus": "delivered", "ErrorCode": "30003", "NumMedia": "0", "DialCallStatus": "answered",
    "Timestamp": "Mon, 30 Nov 2026 10:00:00 +0000",
}  # fmt: skip


@dataclass
class Files:
    """Database and keystore on SQLite, put away and brought back as they were."""

    folder: Path
    addresses: dict[str, str] = field(default_factory=dict)

    def keep(self) -> None:
        for name in ("hotline", "keystore"):
            with sqlite3.connect(self.folder / f"{name}.db") as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()
            shutil.copy(self.folder / f"{name}.db", self.folder / f"{name}.kept")

    def bring_back(self) -> None:
        for name in ("hotline", "keystore"):
            for suffix in ("-wal", "-shm", "-journal"):
                (self.folder / f"{name}.db{suffix}").unlink(missing_ok=True)
            shutil.copy(self.folder / f"{name}.kept", self.folder / f"{name}.db")


@dataclass
class Databases:
    """The same on PostgreSQL."""

    server: PostgresServer
    addresses: dict[str, str]

    def keep(self) -> None:
        for name in self._names():
            self.server.database(f"kept_{name}", template=name)

    def bring_back(self) -> None:
        for name in self._names():
            self.server.drop(name)
            self.server.database(name, template=f"kept_{name}")

    def _names(self) -> list[str]:
        return [str(make_url(address).database) for address in self.addresses.values()]


class House(Hotline):
    """`ways(visitor)` are the requests that somebody may begin from; `ask` sends one as that visitor."""

    def __init__(self, template: Path, folder: Path, rows: Files | Databases) -> None:
        network = cast("Provider", SimpleNamespace(address=f"{AWAY}/simulator/api"))
        more = {"HOTLINE_PUBLIC_URL": AWAY, "HOTLINE_CONSOLE_URL": AWAY, "HOTLINE_FACES": "all"}
        features = "live,threads,programme_calls,programme_texts"
        super().__init__(
            template,
            folder,
            network,
            **more,
            HOTLINE_FEATURES=features,
            HOTLINE_METRICS_TOKEN=secrets.token_urlsafe(32),
            **rows.addresses,
        )
        if rows.addresses:
            Vault.prepare(self.settings)
        self.folder, self._rows = folder, rows
        self.cookies: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self._sessions: dict[str, bytes] = {}
        self._validator = RequestValidator(self.settings.twilio_auth_token)
        self._fill()
        self._keep()
        self._ways: dict[str, list[Ask]] = {}
        self._pages: list[Ask] = []

    # -- something of everything --

    def _fill(self) -> None:
        publishing.seed(self.runtime)
        people = {role.value: role for role in Role} | {IDLE: Role.COORDINATOR}
        for at, (alias, role) in enumerate(people.items()):
            phone = Msisdn.parse(f"+6681234500{at}")
            counselors.add(self.runtime, alias, role, PASSWORD, number=phone, language="en")
        for at in range(8):
            self.dial(f"+95979000200{at}").press("115")
        self.text("မနက်ဖြန် ဈေးမှာ တွေ့ကြမယ်", "+959790002050")
        with self.runtime.database.write() as session:
            now = self.clock.now()
            for at, state in enumerate(VersionState):
                programme, made = self.runtime.new_id(), self.runtime.new_id()
                outreach.add_programme(
                    session, id=programme, title=f"Water {at}", topic="health", valid_until=now + timedelta(days=30),
                    created=now,
                )  # fmt: skip
                outreach.add_version(
                    session, id=made, programme=programme, language="my", text="ရေ", author="x", created=now,
                    state=state, sounds=SOUNDS, manifest=fingerprint(SOUNDS), seconds=21,
                    approved_manifest=fingerprint(SOUNDS), approved_by="another", approved=now,
                )  # fmt: skip
        self.sign_in_all()
        day = (self.clock.now() + timedelta(days=9)).date().isoformat()
        lead = Role.COORDINATOR.value
        entry = {
            "name": "Rice",
            "kind": "food",
            "language": "my",
            "offers": "Rice.",
            "reach": "Ask.",
            "last_day": day,
        }
        for path, form in (
            ("/services/new", entry), ("/people", {"alias": "rose", "role": "counselor"}), ("/wordings/draft", {}),
            ("/hours/days", {"day": day, "name": "feast", "how": "closed"}),
            ("/shifts/plan", {"alias": lead, "day": day, "begins": "10:00", "ends": "12:00"}),
        ):  # fmt: skip
            self.post_as(lead, f"/console{path}", form)
        waiting = [row.id for row in self.rows(select(callbacks.c.id).where(callbacks.c.state == "waiting"))]
        for at, role in enumerate((*Role, Role.COORDINATOR)):
            if role is not Role.AUDITOR:
                self.post_as(role.value, f"/console/cases/{waiting[at]}/claim", {})
                self.post_as(role.value, f"/console/cases/{waiting[at]}/call", {})
        self.work()

    def _keep(self) -> None:
        self.runtime.database.close()
        self.runtime.vault.close()
        self._rows.keep()
        shutil.copy(self.folder / "clock.json", self.folder / "clock.kept")

    def restore(self) -> None:
        """As it was before anything was sent, and everybody signed in just now."""
        self.runtime.database.close()
        self.runtime.vault.close()
        self._rows.bring_back()
        shutil.copy(self.folder / "clock.kept", self.folder / "clock.json")
        self.runtime.switches.forget()
        self._touch()

    def is_out(self, visitor: str) -> bool:
        """Whether something that was sent ended their session, or locked the hotline."""
        return self.ask(visitor, Ask("GET", b"/console/")).headers.get("Location", "").endswith(OUT)

    def sign_in_all(self) -> None:
        for role in [*(role.value for role in Role), IDLE]:
            token = signing_in.sign_in(
                self.runtime, role, PASSWORD, signing_in.current_code(self.runtime, role) or ""
            )
            client = self.app.test_client()
            client.get("/console/sign-in")
            with client.session_transaction("/console/") as session:
                session["token"] = token
                session["language"] = "en"
            page = client.get("/console/account").text
            found = re.search(r'name="csrf_token" value="([^"]+)"', page)
            cookie = client.get_cookie("notes", path="/console")
            assert found
            assert cookie
            self.cookies[role], self.tokens[role] = f"notes={cookie.value}", unescape(found[1])
            self._sessions[role] = signing_in.digest(self.runtime, token)
        self._touch()

    def _touch(self) -> None:
        now = wall_clock()
        with self.runtime.database.write() as session:
            for role, digest in self._sessions.items():
                accounts.touch_session(session, digest, now - timedelta(minutes=20 if role == IDLE else 0))

    # -- asking --

    def ask(self, visitor: str, ask: Ask) -> Got:
        """As this visitor: with their cookie and form token, the carrier's signature, or the network's password."""
        ask = self._with_token(visitor, ask)
        headers = {"HTTP_COOKIE": self.cookies.get(visitor, "")}
        if visitor == PHONES:
            secret = f"{self.settings.twilio_account_sid}:{self.settings.twilio_auth_token}".encode()
            headers["HTTP_AUTHORIZATION"] = "Basic " + b64encode(secret).decode()
        if visitor == CARRIER:
            headers["HTTP_X_TWILIO_SIGNATURE"] = self._signed(ask)
        return send(self.app, replace(ask, headers=headers | dict(ask.headers)))

    def post_as(self, visitor: str, path: str, form: dict[str, str]) -> Got:
        fields = tuple((n.encode(), v.encode()) for n, v in form.items())
        return self.ask(visitor, Ask("POST", path.encode(), fields=((b"csrf_token", TOKEN), *fields)))

    def _with_token(self, visitor: str, ask: Ask) -> Ask:
        """In the place of any form token: that of the session that this visitor has now."""
        token = self.tokens.get(visitor, "").encode()
        fields = tuple((name, value.replace(TOKEN, token)) for name, value in ask.fields)
        return replace(ask, fields=fields, body=None if ask.body is None else ask.body.replace(TOKEN, token))

    def _signed(self, ask: Ask) -> str:
        where = AWAY + (ask.path + (b"?" + ask.query if ask.query else b"")).decode("latin-1")
        pairs = sorted({(n.decode("utf-8", "replace"), v.decode("utf-8", "replace")) for n, v in ask.fields})
        signed: str = self._validator.compute_signature(where + "".join(n + v for n, v in pairs), {})
        return signed

    # -- ways in --

    def ways(self, visitor: str) -> list[Ask]:
        """Those of the map, and what an admin finds on the pages: the other roles are to knock there too."""
        if visitor not in self._ways:
            found = {(one.method, one.path): one for one in self._of_map(visitor)}
            if visitor in self.cookies:
                self._pages = self._pages or [*self._on_pages(Role.ADMIN.value)]
                for one in self._pages:
                    known = found.get((one.method, one.path))
                    if known is None or len(one.fields) > len(known.fields):
                        found[one.method, one.path] = one
            self._ways[visitor] = [*found.values()]
        return self._ways[visitor]

    def _of_map(self, visitor: str) -> Iterator[Ask]:
        """Every rule of the map with every method, whoever it is for, with arguments that are something."""
        for rule in self.app.url_map.iter_rules():
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                room = {CARRIER: "/twilio", PHONES: "/simulator"}.get(visitor, "/console")
                if visitor != NOBODY and not rule.rule.startswith(room):
                    continue
                yield Ask(method, self._path(rule), fields=self._fields(rule), rule=rule.rule)

    def _path(self, rule: Rule) -> bytes:
        leg = self.rows(select(legs.legs.c.id).limit(1))
        known = {"leg": leg[0].id if leg else "x", "step": "1", "account": self.settings.twilio_account_sid}
        known |= {"name": "caller" if "phones" in rule.rule else "0" * 64, "deed": "dial"}
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda part: known.get(part[1], "x"), rule.rule).encode()

    def _fields(self, rule: Rule) -> tuple[tuple[bytes, bytes], ...]:
        if rule.rule.startswith("/twilio"):
            form = _TWILIO | {"AccountSid": self.settings.twilio_account_sid}
            form["To"] = self.settings.numbers[0].reveal("demo")
            return tuple((name.encode(), value.encode()) for name, value in form.items())
        if rule.rule.startswith("/simulator"):
            numbers = {
                "From": self.settings.numbers[0].reveal("demo"),
                "To": "+959790001001",
                "Url": f"{AWAY}/x",
            }
            return tuple((n.encode(), v.encode()) for n, v in (numbers | {"Body": "x"}).items())
        return ((b"csrf_token", TOKEN),) if "POST" in (rule.methods or ()) else ()

    def _on_pages(self, visitor: str) -> Iterator[Ask]:
        """What can be reached by following links and pressing buttons; one of each kind is enough."""
        look, seen, rules = ["/console/"], set(), dict[str, int]()
        while look:
            path = look.pop(0)
            rule = self._rule("GET", path)
            if path in seen or rule is None or rules.get(rule, 0) >= 4 or rule.endswith("/leave"):
                continue
            seen.add(path)
            rules[rule] = rules.get(rule, 0) + 1
            got = self.ask(visitor, Ask("GET", path.encode()))
            page = got.body.decode("utf-8", "replace")
            yield Ask("GET", path.encode(), rule=rule)
            for link in re.findall(r'href="(/console[^"#]*)', page):
                there, _, query = unescape(link).partition("?")
                look.append(there)
                if query:
                    asked = tuple(
                        (n.encode(), v.encode()) for n, v in parse_qsl(query, keep_blank_values=True)
                    )
                    yield Ask("GET", there.encode(), fields=asked, rule=self._rule("GET", there) or "")
            for form in _FORM.findall(page):
                yield from self._of_form(form, path)

    def _of_form(self, form: str, page: str) -> Iterator[Ask]:
        action = re.search(r'action="([^"]*)"', form)
        path = unescape(action[1]) if action else page
        method = "POST" if 'method="post"' in form else "GET"
        rule = self._rule(method, path.partition("?")[0])
        if rule is None:
            return
        fields = []
        for found in _FIELD.finditer(form):
            options = re.search(r"<option[^>]*value=\"([^\"]+)\"", form[found.end() :])
            value = _VALUE.search(found[0]) or (options if found[0].startswith("<select") else None)
            right = unescape(value[1]).encode() if value else b"2"
            fields.append((found[1].encode(), TOKEN if found[1] == "csrf_token" else right))
        yield Ask(method, path.partition("?")[0].encode(), fields=tuple(fields), rule=rule)

    def _rule(self, method: str, path: str) -> str | None:
        try:
            rule, _ = self.app.url_map.bind("127.0.0.1").match(path, method=method, return_rule=True)
        except HTTPException:
            return None
        return str(rule.rule)
