"""The demo: two ready accounts, a first programme to listen to and approve, and starting over."""

from datetime import timedelta
from typing import Final

from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import attending, counselors, programmes
from gateway.services import directory as services
from gateway.store import audit, contacts
from gateway.store import counselors as accounts
from gateway.store.counselors import Role
from gateway.store.database import metadata

_KEPT: Final = frozenset(
    {
        *("accounts", "attendance", "invitations", "known_clients", "passkeys", "recovery_codes", "sessions"),
        *("sheet_codes", "used_challenges", "opening_hours", "holidays", "shifts"),
        *("packs", "script_versions", "recordings", "prompt_sounds", "renderings", "sounds"),
    }
)
"""What starting over leaves there; any other table is emptied."""

DEMO_ACCOUNTS: Final = (("counselor", "ferry-lantern-42"), ("coordinator", "harbour-mango-17"))
_ROLES: Final = {"counselor": Role.COUNSELOR, "coordinator": Role.COORDINATOR}

_TITLE: Final = "Clean water (example)"
_TEXT: Final = (
    "ရေကို သောက်ခါနီး ဆူပွက်အောင် တည်ပါ။ ဆူပြီး တစ်မိနစ်လောက် ဆက်တည်ပါ။ "
    "အဖုံးပါတဲ့ သန့်ရှင်းတဲ့ ဘူးထဲမှာ ထည့်ထားပါ။ "
    "ထမင်းမစားခင်နဲ့ အိမ်သာသုံးပြီးတိုင်း လက်ကို ဆပ်ပြာနဲ့ ဆေးပါ။ "
    "ကလေး ဝမ်းလျှောရင် ရေများများ ခဏခဏ တိုက်ပါ။"
)

_SERVICES: Final = (
    ("food", "ဆန်နဲ့ ဆီ (example)", "မိသားစုတစ်စုကို ဆန်နှစ်ပြည်၊ ဆီတစ်ပုလင်း။", "သောကြာနေ့တိုင်း မနက်ပိုင်း၊ အနီးဆုံး စာသင်ကျောင်းမှာ မေးပါ။", 40),
    ("health", "အခမဲ့ ဆေးခန်း (example)", "ကလေးနဲ့ မိခင်များအတွက် ဆေးကုသမှု။", "တနင်္လာနဲ့ ဗုဒ္ဓဟူးနေ့ မွန်းလွဲပိုင်း။", 20),
    ("legal", "ဥပဒေ အကြံပေး (example)", "အဖမ်းခံထားရသူရဲ့ မိသားစုကို အကြံပေးပါတယ်။", "ဒီလိုင်းကနေ တစ်ဆင့် မေးပေးပါတယ်။", 1),
)  # fmt: skip


def prepare(runtime: Runtime, numbers: dict[str, Msisdn]) -> None:
    """Make what a newcomer finds: the accounts (`numbers` by alias), the first of them on shift. Idempotent."""
    there = {account.alias: account for account in counselors.everyone(runtime)}
    for alias, password in DEMO_ACCOUNTS:
        if alias not in there:
            counselors.add(runtime, alias, _ROLES[alias], password, number=numbers.get(alias), language="en")
            attending.set_cap(runtime, alias, None, by=None)  # nobody is tired of trying things out
    if "counselor" not in there:
        counselors.set_shift(runtime, "counselor", on=True)
        _first_programme(runtime)
        _first_services(runtime)


def reset(runtime: Runtime) -> None:
    """Empty everything that people did; who has an account stays, and how the hotline is set up and sounds."""
    with runtime.database.write() as session:
        people = contacts.everyone(session)
        for table in reversed(metadata.sorted_tables):
            if table.name not in _KEPT:
                session.execute(table.delete())
        accounts.forget_used_codes(session)
    for contact in people:
        runtime.vault.destroy_keys(contact)
    runtime.switches.forget()
    counselors.set_shift(runtime, "counselor", on=True)  # as at the first start, whatever ended it since
    _first_programme(runtime)
    _first_services(runtime)


def _first_services(runtime: Runtime) -> None:
    """Invented entries of the services directory."""
    author = next(one for one in counselors.everyone(runtime) if one.alias == "coordinator")
    for kind, name, offers, reach, days in _SERVICES:
        until = runtime.clock.now() + timedelta(days=days)
        draft = services.Draft(kind, services.Words(name, offers, reach), ("my",), until)
        services.keep(runtime, author.id, draft)


def _first_programme(runtime: Runtime) -> None:
    """Something to listen to and approve, and programmes by call turned on, as a coordinator would."""
    with runtime.database.write() as session:
        audit.switch(session, "programme_calls", "on", runtime.clock.now())
    runtime.switches.forget()
    author = next(one for one in counselors.everyone(runtime) if one.alias == "coordinator")
    programmes.write(
        runtime,
        author.id,
        programmes.Draft(
            title=_TITLE,
            topic="health",
            valid_until=runtime.clock.now() + timedelta(days=365),
            contents=[programmes.Content("my", _TEXT)],
        ),
    )
