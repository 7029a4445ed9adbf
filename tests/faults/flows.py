"""What only the console and the commands can do, done with canary numbers and words by real browsers' requests."""

import io
import json
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape

import numpy as np
import pyotp
import requests
import soundfile
from console.test_passkeys import Authenticator, asked
from front_door import Placed, Provider
from real_hotline import RealHotline, until
from sqlalchemy import func, select, update

from gateway.runtime import build_runtime
from gateway.services import housekeeping, retention
from gateway.services.signing_in import current_code
from gateway.store import counselors
from gateway.store.consents import consents
from gateway.store.database import metadata
from workers import jobs


class Console:
    """Somebody's browser; it keeps every page it was shown."""

    def __init__(self, hotline: RealHotline) -> None:
        self._hotline = hotline
        self._session = requests.Session()
        self._address = f"http://localhost:{hotline.port}/console"  # a name, to which a passkey can be bound
        self.seen: list[bytes] = []
        self.last = ""

    def get(self, path: str) -> str:
        return self._keep(self._session.get(self._address + path, timeout=15))

    def post(self, path: str, **form: str) -> str:
        return self._keep(self._session.post(self._address + path, self._token() | form, timeout=15))

    def bring(self, path: str, field: str, file: tuple[str, bytes], **form: str) -> str:
        files = {field: (*file, "audio/wav")}
        return self._keep(
            self._session.post(self._address + path, self._token() | form, files=files, timeout=60)
        )

    def sign_in(self, alias: str, password: str) -> None:
        self.get("/sign-in")
        code = current_code(self._hotline.runtime, alias) or ""
        self.post("/sign-in", alias=alias, password=password, code=code)

    def _token(self) -> dict[str, str]:
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.last)
        assert token, "this page has no form"
        return {"csrf_token": unescape(token[1])}

    def _keep(self, answer: requests.Response) -> str:
        assert answer.status_code < 500
        self.last = answer.text
        self.seen.append(answer.content + repr((answer.url, dict(answer.headers))).encode())
        return self.last


def rung(provider: Provider, number: str, *, times: int = 1) -> Placed:
    def calls() -> list[Placed]:
        return [call for call in provider.calls if call.form["To"] == number]

    until(lambda: len(calls()) >= times, 40)
    return calls()[-1]


def found(pattern: str, page: str) -> str:
    there = re.search(pattern, page)
    assert there, page
    return unescape(there[1])


def nonempty(hotline: RealHotline) -> set[str]:
    """Which tables hold a row now."""
    with hotline.runtime.database.read() as session:
        return {
            name
            for name, table in metadata.tables.items()
            if session.execute(select(func.count()).select_from(table)).scalar_one()
        }


def four_hundred_days_later(hotline: RealHotline) -> tuple[set[str], set[str], int]:
    """Which tables hold a row once clock and workers came by, what is over its age, how many keys nobody has."""
    jobs.RUNTIME = hotline.runtime = build_runtime(hotline.settings)
    real = [one for one in retention.RULES if one.real]
    with hotline.runtime.database.write() as session:  # what follows the real time was written as long ago
        for one in real:
            long_ago = datetime.now(UTC) - timedelta(days=401)
            session.execute(update(one.column.table).values({one.column: long_ago}))
    for days in (401, 401, 0):  # what was open is ended by the first look, and is old at the second
        hotline.later(days=days, minutes=2)
        housekeeping.expire(hotline.runtime)
        housekeeping.sweep(hotline.runtime)
        hotline.work(most=3_000)
    over = {one.kind for one in retention.report(hotline.runtime) if one.over_age}
    with hotline.runtime.database.read() as session:
        people = [one.id for one in counselors.everyone(session)]
    return (
        nonempty(hotline),
        over,
        hotline.runtime.vault.orphans(people, hotline.clock.now() + timedelta(days=1)),
    )


def a_voice(tag: str) -> bytes:
    """Some seconds of sound whose tags say what they must not."""
    at = np.arange(4 * 16_000) / 16_000
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", 16_000, 1, format="WAV") as file:
        file.title = file.artist = file.comment = tag
        file.write(0.3 * np.sin(2 * np.pi * 300 * at) * (1 + np.sin(2 * np.pi * 3 * at)))
    return out.getvalue()


def in_a_week(hotline: RealHotline) -> str:
    return (hotline.clock.now() + timedelta(days=7)).date().isoformat()


# --- accounts, and who is there when --------------------------------------------------------------------


def join(hotline: RealHotline, lead: Console, number: str, password: str) -> Console:
    """Somebody is invited, joins with a phone, and makes a passkey."""
    lead.get("/people")
    code = found(
        r"([2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4})", lead.post("/people", alias="rose", role="counselor")
    )
    rose = Console(hotline)
    rose.get("/join")
    rose.post("/join", code=number)  # typed into the wrong field
    page = rose.post("/join", code=code)
    secret = found(r'class="digits secret">([A-Z2-7 ]+)<', page).replace(" ", "")
    sealed = found(r'name="sealed" value="([^"]+)"', page)
    first = pyotp.TOTP(secret).now()
    form = {"sealed": sealed, "again": password, "first": first, "unlock": "2468", "number": number}
    rose.post("/join/account", **form, password=password, accepted="1")
    page = rose.get("/account")
    device = Authenticator(origin=f"http://localhost:{hotline.port}")
    made = rose.post("/account/passkeys", answer=json.dumps(device.create(asked(page))), password=password)
    assert "/account/passkeys/" in made
    rose.get("/account")
    rose.post("/account/phone", number=number, password=password, accepted="1")
    lead.get("/people")
    lead.post("/people", alias="lily", role="auditor")  # who has not come yet
    return rose


def plan(hotline: RealHotline, lead: Console) -> None:
    day = in_a_week(hotline)
    lead.get("/shifts")
    lead.post("/shifts/plan", alias="mya", day=day, begins="08:00", ends="12:00")
    lead.get("/hours")
    lead.post("/hours", **{f"{at}-how": "all" for at in range(7)})
    lead.get("/hours")
    lead.post("/hours/days", day=day, name="feast", how="closed")
    hotline.command("counselor", "shift", "su", "on")
    hotline.command("counselor", "codes", "su")


# --- what goes on with a case ---------------------------------------------------------------------------


def referred(hotline: RealHotline, lead: Console, mya: Console, case: str, entry: dict[str, str]) -> None:
    """Other help is written down, and a case of mya's is told of it."""
    lead.get("/services/new")
    lead.post("/services/new", **entry, last_day=in_a_week(hotline))
    mya.get("/services?q=" + entry["name"])
    page = mya.get(f"/cases/{case}/services")
    mya.post(found(rf'action="/console(/cases/{case}/services/\w+)"', page))


def handed_over(lead: Console, mya: Console, case: str, note: str) -> None:
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/note", note=note)
    page = mya.get(f"/cases/{case}/colleagues")
    mya.post(f"/cases/{case}/colleagues", taker=found(r'name="taker" value="(\w+)"', page))
    lead.get(f"/cases/{case}")


def left_to_others(someone: Console, case: str) -> None:
    someone.get("/queue")
    someone.post(f"/cases/{case}/claim")
    someone.get(f"/cases/{case}")
    someone.post(f"/cases/{case}/refuse")


# --- what everybody hears, and who asked for it ---------------------------------------------------------


def recorded(hotline: RealHotline, lead: Console, tag: str, number: str) -> str:
    """A voice for a wording and one for a programme, with canaries in their names and tags; gives the version."""
    voice = (f"{number} {tag}.wav", a_voice(f"{tag} {number}"))
    lead.get("/wordings/my/voice/main")
    lead.bring("/wordings/my/voice/main/sound", "sound", voice)
    lead.get("/programmes/new")
    form = {"title": "Water", "topic": "health", "last_day": in_a_week(hotline)}
    page = lead.bring("/programmes/new", "sound_my", voice, **form)
    return found(r"/console/programmes/(\w{16})", page)


def sent(
    hotline: RealHotline, provider: Provider, lead: Console, mya: Console, version: str, listener: str
) -> None:
    """She asked for programmes and confirms; a second person approves one, and it is sent to her."""
    hotline.dial(listener).press("816")
    line = hotline.pick_up(rung(provider, listener))
    line.press("6")
    line.hang_up()
    until(lambda: hotline.rows(select(consents.c.id).where(consents.c.live)), 20)
    page = mya.get(f"/programmes/{version}")
    mya.post(f"/programmes/{version}/approve", manifest=found(r'name="manifest" value="(\w+)"', page))
    lead.get(f"/programmes/{version}/calls")
    lead.post(f"/programmes/{version}/calls", **_hidden(lead.last))
    line = hotline.pick_up(rung(provider, listener, times=2))
    line.press("6")
    line.hang_up()
    until(lambda: "tallies" in nonempty(hotline), 20)


def _hidden(page: str) -> dict[str, str]:
    names = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in names if name != "csrf_token"}


def opted_in_by_text(hotline: RealHotline, number: str) -> str:
    """The code that came back; its being sent again would make the opt-in live."""
    return found(r"\b(\d{4})\b", hotline.text("80", number) or "")


def missed(hotline: RealHotline, number: str) -> None:
    to = hotline.settings.missed_call_numbers[0].reveal("demo")
    form = {"From": number, "To": to, "CallStatus": "ringing", "Direction": "inbound"}
    hotline.voice("/twilio/voice", {**form, "CallSid": "CA" + secrets.token_hex(16)})


def not_my_phone(hotline: RealHotline, callers: Iterator[str]) -> None:
    """A case code instead of a number."""
    hotline.dial(next(callers)).press("165")
