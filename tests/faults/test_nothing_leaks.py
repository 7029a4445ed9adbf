"""Everything is used with canary numbers and canary words; then all that is left on the disk is taken apart."""

import secrets
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from faults import flows
from faults.conftest import Up
from faults.flows import Console, rung
from front_door import PASSWORD, Provider
from leak_scanner import Scanner
from real_hotline import RealHotline, lives, until
from sqlalchemy import select
from trials import trials

from gateway.phone import Msisdn
from gateway.simulator.numbers import CALLER, COUNSELOR, demo_number
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts
from gateway.store.database import metadata
from gateway.store.messages import messages
from ivr.burmese.encodings import unicode_to_zawgyi

pytestmark = pytest.mark.slow

CALLERS = [f"+95979{n * 117_911 + 4_242_421:07d}" for n in range(46)]
COUNSELORS = ["+66812347391", "+66812347392", "+66812347393", "+66812347394"]
BURMESE = ["မနက်ဖြန် ဈေးမှာ တွေ့ကြမယ်", "ကျွန်မ အိမ်မပြန်ရဲဘူး", "ကလေးနှစ်ယောက် ပါတယ်ရှင်", "တံတားဟောင်းနားမှာ ရှိတယ်"]
ENGLISH = ["meet me behind the old bridge", "my brother was taken on tuesday", "we are four with one child"]
NOTE = "သူ့အစ်မ ဖုန်းကိုင်တယ် မနက်ပဲ ခေါ်ပါ"
REPLY = "နောက်မှ ပြန်ပြောပါမယ် အခုတော့ နားနေပါ"
WHY = "သူ့ညီမ ပြန်လာမယ် စောင့်နေတယ်"
ENTRY = {
    "name": "behind the blue monastery",
    "kind": "food",
    "language": "my",
    "offers": "two bags of rice for a widow",
    "reach": "ask for the cook with the scar",
}
TAG = "recorded in the kitchen of my aunt"
NOT_REACHED = {
    "opening_hours",  # hours of a week, and of nobody
    "recipients",  # ids of one call, counted and gone before anybody looks
    "renderings",  # which sound stands for which sentence of a programme
}
STAYS = {  # for a reason (`retention.KEPT_FOR_A_REASON`), or work of the sweep itself
    *("accounts", "attendance", "passkeys", "recovery_codes", "sheet_codes", "switches", "paces", "outbox"),
    *("packs", "script_versions", "recordings", "prompt_sounds", "sounds", "renderings", "opening_hours"),
    "do_not_contact",
}
BIG = ("shelf", "hotline.db")  # mostly sound; looked at when all have ended
TEXTS = [
    *BURMESE,
    *map(unicode_to_zawgyi, BURMESE),
    *ENGLISH,
    NOTE,
    REPLY,
    unicode_to_zawgyi(REPLY),
    WHY,
    ENTRY["name"],
    ENTRY["offers"],
    ENTRY["reach"],
    TAG,
    PASSWORD,
    "pepper bicycle window salt",
]


class Parrot(Provider):
    """A phone company whose errors repeat the number, as real ones do; `upset` says for which."""

    def __init__(self) -> None:
        super().__init__()
        self.upset: set[str] = set()

    def post(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if form.get("To") in self.upset:
            message = f"The number {form['To']} is unverified. Trial accounts may only call verified numbers."
            return 400, {"code": 21219, "message": message, "status": 400}
        return super().post(path, form)


@pytest.fixture
def parrot() -> Iterator[Parrot]:
    made = Parrot()
    yield made
    made.close()


@pytest.fixture
def before(template: Path) -> Path | None:
    """What need not be looked at every day: the sounds, and all that stood there before anybody called."""
    return None if trials(0, 1) else template


def spellings(number: str) -> list[str]:
    """How a carrier, a proxy or a mistake may send it; most are nobody's number for us."""
    national = number.removeprefix("+95")
    burmese = "".join(chr(0x1040 + int(digit)) for digit in f"0{national}")
    return [
        f"0{national}", f"0095{national}", number[1:], burmese, f"+95 {national[:3]} {national[3:]}",
        f"sip:{number}@example.invalid", f"tel:{number}", f"{number};ext=1", f"{number},{number}", f" {number}",
    ]  # fmt: skip


def ask_in_every_way(hotline: RealHotline, callers: Iterator[str]) -> None:
    for wish in "1234":
        hotline.dial(next(callers)).press(f"1{wish}5" if wish != "4" else "145")
    for keys in ("2143", "31", "4", "51", "816", "0*", "7777"):
        call = hotline.dial(next(callers))
        for key in keys:
            if not call.heard.action:
                break
            call.press(key)
        call.hang_up()
    for code in ("11", "12", "၁၃", "10", "88", "5", "52", "99", "STOP", "0", "forget me"):
        hotline.text(code, next(callers))
    forgotten = next(callers)
    for code in ("11", "77", "77"):
        hotline.text(code, forgotten)
    for at, words in enumerate(TEXTS):
        hotline.text(words, CALLERS[3 + at])


def provoke(hotline: RealHotline, number: str) -> None:
    """Whatever goes wrong must not say with whom."""
    for odd in spellings(number):
        hotline.dial(odd)
        hotline.text(f"11 {odd} {ENGLISH[0]}", odd)
        form = {"CallSid": odd, "MessageSid": odd, "From": odd, "To": odd, "Digits": odd, "CallStatus": odd}
        for path in ("/twilio/voice", "/twilio/voice/turn/1", "/twilio/voice/status", "/twilio/sms/status"):
            hotline.post(path, {**form, "AnsweredBy": odd, "SpeechResult": odd, number: odd})
        hotline.post(f"/twilio/voice/leg/{number[1:]}", form)
        hotline.post(f"/twilio/voice/turn/2?s={number[1:]}", form)
    wire = hotline.address
    for path in (
        f"/{number}",
        f"/audio/{number}.wav",
        f"/twilio/{number}?From={number}",
        f"/console/cases/{number}",
    ):
        requests.get(wire + path, headers={"User-Agent": number, "Cookie": f"notes={number}"}, timeout=15)
        requests.post(wire + path, {"From": number}, headers={"X-Twilio-Signature": number}, timeout=15)
    requests.post(
        f"{wire}/twilio/voice", {"From": number}, headers={"X-Twilio-Signature": "forged"}, timeout=15
    )


def newest(hotline: RealHotline) -> str:
    return str(hotline.rows(select(callbacks.c.id).order_by(callbacks.c.asked.desc()).limit(1))[0].id)


def bridge(hotline: RealHotline, provider: Parrot, caller: str) -> Console:
    """Ask, claim, be joined, write a note, and why it is kept for longer."""
    hotline.dial(caller).press("115")
    index = hotline.runtime.vault.index(Msisdn.parse(caller))
    case = newest(hotline)
    assert index
    console = Console(hotline)
    console.sign_in(caller, caller)  # typed into the wrong fields
    console.sign_in("mya", "wrong " + COUNSELORS[0])
    console.sign_in("mya", PASSWORD)
    for path in ("/queue", f"/cases/{case}", "/programmes"):
        console.get(path)
    console.get("/queue")
    console.post(f"/cases/{case}/claim")
    console.post(f"/cases/{case}/call")
    one = hotline.pick_up(rung(provider, COUNSELORS[0]))
    one.press("11")
    other = hotline.pick_up(rung(provider, caller))
    assert other.press("5").room == one.heard.room
    console.get(f"/cases/{case}")
    for line in (other, one):
        line.leave_room()
        line.hang_up()
    console.get(f"/cases/{case}")
    console.post(f"/cases/{case}/outcome", outcome="done", note=f"{NOTE} {caller}")
    console.get(f"/cases/{case}")
    console.post(f"/cases/{case}/renew", reason=f"{WHY} {caller}")
    return console


def everything_else(hotline: RealHotline, provider: Parrot, mya: Console, callers: Iterator[str]) -> None:
    """What stands beside the queue: other help, colleagues, accounts, shifts, voices, programmes, lists."""
    lead = Console(hotline)
    lead.sign_in("su", PASSWORD)
    flows.plan(hotline, lead)
    rose = flows.join(hotline, lead, COUNSELORS[2], TEXTS[-1])
    for step in (flows.referred, flows.handed_over):
        hotline.dial(next(callers)).press("115")
        mya.get("/queue")
        mya.post(f"/cases/{newest(hotline)}/claim")
        if step is flows.referred:
            flows.referred(hotline, lead, mya, newest(hotline), ENTRY)
        else:
            flows.handed_over(lead, mya, newest(hotline), f"{NOTE} {CALLERS[0]}")
    hotline.dial(next(callers)).press("115")
    flows.left_to_others(rose, newest(hotline))
    version = flows.recorded(hotline, lead, TAG, next(callers))
    flows.sent(hotline, provider, lead, mya, version, next(callers))
    flows.opted_in_by_text(hotline, next(callers))
    flows.missed(hotline, next(callers))
    flows.not_my_phone(hotline, callers)
    hotline.command(
        "contacts", "forbid", given=f"number,name\n{next(callers)},{ENGLISH[1]}\nnobody,{NOTE}\n", exits=1
    )
    hotline.command(
        "counselor", "add", "hla", "--role", "counselor", "--phone", given=f"{PASSWORD}\n{COUNSELORS[3]}\n"
    )
    for number in callers:
        hotline.text("1", number)
        hotline.dial(number).press("112")
    mya.seen += lead.seen + rose.seen


def answer_by_text(hotline: RealHotline, provider: Parrot, console: Console, caller: str) -> None:
    """A thread: a text comes, a draft is kept, an answer leaves and is reported; another one is refused."""
    hotline.text(unicode_to_zawgyi(BURMESE[1]), caller)
    contact = select(contacts.c.id).where(
        contacts.c.number_index == hotline.runtime.vault.index(Msisdn.parse(caller))
    )
    case = hotline.one(select(callbacks.c.id).where(callbacks.c.contact == hotline.one(contact).id)).id
    console.get("/queue")
    console.post(f"/cases/{case}/claim")
    console.get(f"/cases/{case}/texts")
    console.post(f"/cases/{case}/texts/check", text=f"{REPLY} {CALLERS[0]}")
    console.post(f"/cases/{case}/texts", text=f"{REPLY} {CALLERS[0]}")
    console.post(f"/cases/{case}/texts/draft", text=REPLY)
    console.post(f"/cases/{case}/texts", text=REPLY)
    until(lambda: provider.texts, 30)
    hotline.report(provider.texts[0], "delivered")
    provider.upset.add(caller)
    console.post(f"/cases/{case}/texts", text=f"{REPLY} ဟုတ်လား")
    until(lambda: hotline.rows(select(messages.c.id).where(messages.c.state == "failed")), 40)


def killed_while_dialling(hotline: RealHotline, provider: Parrot, caller: str) -> None:
    entered, go = threading.Event(), threading.Event()

    def wait() -> None:
        entered.set()
        go.wait(20)

    provider.refuse = wait
    hotline.dial(caller).press("817")
    assert entered.wait(30)
    dead = hotline.kill("job")
    until(lambda: not lives(dead), 10)
    provider.refuse = lambda: None
    go.set()


def processes_show(hotline: RealHotline) -> bytes:
    """Command lines and environments of everything that runs."""
    shown = b""
    for pid in hotline.everything():
        for name in ("cmdline", "environ", "comm"):
            try:
                shown += Path(f"/proc/{pid}/{name}").read_bytes() + b"\n"
            except OSError:
                continue
    return shown


def test_there_are_fifty_numbers_twenty_texts_and_thirty_errors() -> None:
    assert len({*CALLERS, *COUNSELORS}) == 50
    assert len(set(TEXTS)) >= 20
    assert len(spellings(CALLERS[0])) * 4 >= 30, "each of these goes wrong in four places at least"


@pytest.mark.promise(1, 2, 25)
@pytest.mark.timeout(1_200)
def test_no_number_and_no_word_of_anybody_is_left_anywhere(
    up: Up, parrot: Parrot, before: Path | None, tmp_path: Path
) -> None:
    temporary = Path(tempfile.mkdtemp(prefix="hl-tmp-", dir=tmp_path))
    features = "programme_calls,programme_texts,threads"
    hotline = up(
        parrot,
        HOTLINE_FEATURES=features,
        HOTLINE_CALLS_AT_ONCE="1000",
        HOTLINE_LOG_LEVEL="DEBUG",
        TMPDIR=str(temporary),
    )
    said = hotline.command(
        "counselor", "add", "mya", "--role", "counselor", "--phone", given=f"{PASSWORD}\n{COUNSELORS[0]}\n"
    )
    said += hotline.command(
        "counselor", "add", "su", "--role", "coordinator", "--phone", given=f"{PASSWORD}\n{COUNSELORS[1]}\n"
    )
    callers = iter(CALLERS)
    first, second, upset = next(callers), next(callers), next(callers)
    ask_in_every_way(hotline, callers)
    provoke(hotline, CALLERS[0])
    console = bridge(hotline, parrot, first)
    answer_by_text(hotline, parrot, console, next(callers))
    reached = flows.nonempty(hotline)
    everything_else(hotline, parrot, console, callers)
    reached |= flows.nonempty(hotline)
    parrot.upset.add(upset)
    hotline.dial(upset).press("816")
    killed_while_dialling(hotline, parrot, second)
    opted = rung(parrot, second)
    hotline.pick_up(opted, by="machine_start")
    hotline.not_answered(opted)
    until(lambda: hotline.owed() <= 1, 40)  # the one that was killed waits its minute
    hotline.kill("web child")
    until(hotline.ready, 30)
    said += hotline.command("forget", given=f"{CALLERS[5]}\n")
    said += hotline.command("doctor", exits=1)  # the parrot is no whole provider
    said += hotline.command("status") + hotline.command("counselor", "list")

    reached |= flows.nonempty(hotline)

    scanner = Scanner([*CALLERS, *COUNSELORS], TEXTS)
    assert scanner.data(processes_show(hotline), "processes") == []
    running = scanner.folder(hotline.folder, without=BIG, before=before)
    assert running == [], "while it runs, with the write-ahead log"
    hotline.close()
    assert {"hotline.db", "keystore.db", "valkey", "logs"} <= {path.name for path in hotline.folder.iterdir()}
    assert scanner.folder(hotline.folder, before=before) == [], "as it is left when all have ended"
    assert scanner.folder(temporary) == []
    assert scanner.data(hotline.screen.read_bytes(), "screen") == []
    assert scanner.data(said.encode(), "what commands said") == []
    shown = Scanner([*CALLERS[1:], *COUNSELORS])  # the alias that was typed is shown again to who typed it
    pages = b"\n".join(page for page in console.seen if f"{NOTE}".encode() not in page)
    assert [one for one in shown.data(pages, "pages") if one.which != 0] == []
    assert "Traceback" not in hotline.log()
    assert set(metadata.tables) - reached - NOT_REACHED == set(), "a table that no flow of this test reaches"
    before_aging = {path.name for path in hotline.folder.iterdir()}
    left, over, orphans = flows.four_hundred_days_later(hotline)
    assert (left - STAYS, over, orphans) == (set(), set(), 0)
    opened = {"hotline.db-shm", "hotline.db-wal"}
    assert {path.name for path in hotline.folder.iterdir()} - opened <= before_aging


@pytest.mark.promise(1, 2)
def test_the_simulators_numbers_do_not_reach_the_disk(up: Up, before: Path | None) -> None:
    hotline = up()
    settings = hotline.settings
    token = settings.twilio_auth_token
    secret = (settings.twilio_account_sid, token)
    own = "+959790778899"
    handsets = [demo_number(token, CALLER), demo_number(token, COUNSELOR), own]
    line = settings.numbers[0].reveal("demo")

    def terminal(path: str, body: dict[str, str]) -> Any:
        answer = requests.post(
            f"{hotline.address}/simulator/terminal{path}", json=body, auth=secret, timeout=15
        )
        assert answer.status_code == 200, answer.status_code
        return answer.json()

    phones = ["caller", terminal("/open", {"from": own})["phone"]]
    for phone in phones:
        terminal(f"/phones/{phone}/text", {"to": line, "words": "11"})
        terminal(f"/phones/{phone}/text", {"to": line, "words": f"{BURMESE[0]} {secrets.token_hex(2)}"})
        terminal(f"/phones/{phone}/dial", {"to": line})
    until(lambda: len(hotline.rows(select(callbacks.c.id).where(callbacks.c.state == "waiting"))) == 2, 30)
    console = Console(hotline)
    console.sign_in("counselor", "ferry-lantern-42")
    console.get("/queue")
    case = hotline.rows(select(callbacks.c.id))[0].id
    console.post(f"/cases/{case}/claim")
    console.post(f"/cases/{case}/call")
    until(lambda: terminal(f"/phones/{COUNSELOR}/answer", {})["done"], 30)

    scanner = Scanner(handsets, [BURMESE[0]])
    assert scanner.data(processes_show(hotline), "processes") == []
    assert scanner.folder(hotline.folder, without=BIG, before=before) == []
    hotline.close()
    assert scanner.folder(hotline.folder, without=["shelf"], before=before) == []
    assert scanner.data(hotline.screen.read_bytes(), "screen") == []
    assert scanner.data(b"\n".join(console.seen), "pages") == []
