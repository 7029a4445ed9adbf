"""Stopping everything, and destroying everything: what is done, in which order, and what still works after."""

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from front_door import CALLER, Hotline, Placed, Provider
from leak_scanner import Scanner
from sqlalchemy import select

from gateway.errors import GatewayError, Refused
from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import build_runtime
from gateway.services import casework, halting, housekeeping, overview, retention, signing_in, wiping
from gateway.store.audit import audit
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts
from gateway.store.counselors import Role, accounts, sessions
from gateway.store.outbox import outbox
from gateway.vault import Place, Vault
from workers import jobs

NOTE = "သူ့အမေကို ရှာနေတယ်"
Build = Callable[..., Hotline]


@pytest.fixture
def another(template: Path, tmp_path: Path, provider: Provider) -> Build:
    """A hotline with other settings."""
    made: list[Hotline] = []

    def build(**settings: str) -> Hotline:
        made.append(Hotline(template, tmp_path / f"another{len(made)}", provider, **settings))
        return made[-1]

    return build


def waiting(hotline: Hotline) -> str:
    hotline.dial().press("115")
    return str(hotline.one(select(callbacks.c.id)).id)


def code(hotline: Hotline, alias: str) -> str:
    return signing_in.current_code(hotline.runtime, alias) or ""


# --- the lock -------------------------------------------------------------------------------------------


def test_locked_nobody_is_rung_nothing_is_kept_and_the_line_goes_on(hotline: Hotline) -> None:
    helper = hotline.counselor()
    hotline.at_console()
    case = waiting(hotline)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    halting.lock(hotline.runtime, by=None)
    hotline.runtime.switches.forget()
    assert not hotline.rows(select(sessions)), "everybody is signed out"
    for duty in hotline.rows(select(outbox).where(outbox.c.done.is_(None))):
        getattr(jobs, duty.job)(duty.id)
    assert hotline.provider.calls == []
    other = hotline.dial("+959790001777")
    assert "greeting" in other.heard.said
    assert other.press("115").said[0] == "not_saved", "and the truth is said"
    assert hotline.dial().press("21").said[0] == "topic_health"
    assert hotline.text("11", "+959790001778") == hotline.runtime.library.sms("my", "not_saved", "unicode")
    assert len(hotline.rows(select(callbacks))) == 1
    assert overview.status(hotline.runtime)["withheld"]["locked"] == 1


def test_locked_people_may_still_withdraw_and_be_forgotten(hotline: Hotline) -> None:
    waiting(hotline)
    halting.lock(hotline.runtime, by=None)
    hotline.text("77")
    hotline.text("77")
    hotline.work()
    assert not hotline.rows(select(contacts))


def test_the_lock_hangs_up_whoever_is_in_a_call(hotline: Hotline) -> None:
    helper = hotline.counselor()
    case = waiting(hotline)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    halting.lock(hotline.runtime, by=None)
    for duty in hotline.rows(select(outbox).where(outbox.c.job == "end_call")):
        jobs.end_call(duty.id)
    assert hotline.provider.calls[0].status == "completed"


def test_unlocking_wants_an_admin_and_a_fresh_code_and_then_all_goes_on(hotline: Hotline) -> None:
    admin = hotline.counselor("boss", "+66812345009", Role.ADMIN)
    helper = hotline.counselor()
    case = waiting(hotline)
    halting.lock(hotline.runtime, by=admin)
    with pytest.raises(Refused, match="for_admins"):
        halting.unlock(hotline.runtime, by=helper, code=code(hotline, "helper"))
    with pytest.raises(Refused, match="second_factor"):
        halting.unlock(hotline.runtime, by=admin, code="000000")
    right = code(hotline, "boss")
    halting.unlock(hotline.runtime, by=admin, code=right)
    assert not hotline.runtime.switches.halted
    with pytest.raises(Refused, match="second_factor"):
        halting.unlock(hotline.runtime, by=admin, code=right)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    hotline.work()
    assert len(hotline.provider.calls) == 1
    done = [row.what for row in hotline.rows(select(audit.c.what).order_by(audit.c.id))]
    assert [what for what in done if "lock" in what] == ["locked", "unlocked"]


def test_without_a_coordinators_sign_of_life_it_warns_then_locks_itself_and_destroys_nothing(
    another: Build,
) -> None:
    here = another(HOTLINE_DEAD_MAN_HOURS="72")
    lead = here.counselor("lead", "+66812345008", Role.COORDINATOR)
    waiting(here)
    housekeeping.sweep(here.runtime)
    here.later(hours=50)
    halting.sign_of_life(here.runtime, lead)
    here.later(hours=50)
    housekeeping.sweep(here.runtime)
    assert not here.runtime.switches.halted, "she was here two days ago"
    here.later(hours=10)
    lock = next(one for one in overview.diagnose(here.runtime) if one.what == "lock")
    assert not lock.good
    assert "11 hours" in lock.words
    here.later(hours=12)
    housekeeping.sweep(here.runtime)
    assert here.runtime.switches.halted
    assert here.rows(select(accounts)), "nothing is destroyed"
    halting.unlock_here(here.runtime)
    housekeeping.sweep(here.runtime)
    assert not here.runtime.switches.halted


def test_a_counselors_sign_of_life_does_not_count_and_off_is_off(another: Build, hotline: Hotline) -> None:
    here = another(HOTLINE_DEAD_MAN_HOURS="1")
    helper = here.counselor()
    housekeeping.sweep(here.runtime)
    here.later(minutes=59)
    halting.sign_of_life(here.runtime, helper)
    here.later(minutes=2)
    housekeeping.sweep(here.runtime)
    assert here.runtime.switches.halted
    hotline.later(days=400)
    housekeeping.sweep(hotline.runtime)
    assert not hotline.runtime.switches.halted


# --- the wipe -------------------------------------------------------------------------------------------


class Stolen:
    """What there was to read before the wipe, and whether a copy of what is left still opens it."""

    def __init__(self, hotline: Hotline) -> None:
        helper = hotline.counselor()
        self.case = waiting(hotline)
        casework.claim(hotline.runtime, self.case, helper.id)
        casework.record_outcome(hotline.runtime, self.case, helper.id, outcome="done", note=NOTE)
        self.contact, self.number = hotline.one(select(contacts.c.id, contacts.c.sealed_number))
        (self.note,) = hotline.one(select(callbacks.c.note))
        self.settings, self.clock = hotline.settings, hotline.clock

    def opens(self) -> bool:
        """Whether anything opens for somebody with every key of the settings and all that was copied before."""
        vault = Vault(self.settings, self.clock)
        for look in (
            lambda: vault.open_number(self.contact, Place("contacts", "number", self.contact), self.number),
            lambda: vault.open_note(self.contact, Place("callbacks", "note", self.case), self.note),
            lambda: vault.index(Msisdn.parse(CALLER)),
        ):
            try:
                look()
            except GatewayError:
                continue
            return True
        return False


class Died(BaseException):
    """A crash, as a test makes it."""


STEPS = [name for name, _ in wiping.STEPS]


@pytest.mark.promise(26)
def test_after_the_wipe_nothing_opens_nothing_is_left_and_the_line_still_speaks(hotline: Hotline) -> None:
    stolen = Stolen(hotline)
    assert stolen.opens()
    began = time.monotonic()
    steps = wiping.wipe(hotline.runtime)
    assert time.monotonic() - began < 50
    assert [step.name for step in steps if step.why] in ([], ["bell"]), "Redis is away in this test"
    assert not stolen.opens()
    for table in (accounts, callbacks, contacts, outbox, audit):
        assert not hotline.rows(select(table))
    assert "greeting" in hotline.dial("+959790001555").heard.said
    assert hotline.text("0", "+959790001555")
    hotline.runtime.database.close()
    with closing(sqlite3.connect(hotline.settings.data_dir / "hotline.db")) as database:
        database.execute("DELETE FROM sounds")  # which everybody may hear, and take long to look through
        database.commit()
        database.execute("VACUUM")
    everything = Scanner([CALLER, "+66812345001"], [NOTE])
    assert everything.folder(hotline.settings.data_dir, without=["shelf"]) == []


def test_a_line_that_was_started_again_after_the_wipe_says_what_all_may_hear(
    hotline: Hotline,
) -> None:
    wiping.wipe(hotline.runtime)
    hotline.runtime.vault.close()
    hotline.runtime = build_runtime(hotline.settings)
    hotline.client = create_app(hotline.runtime).test_client()
    heard = hotline.dial("+959790001555").heard
    assert heard.said == ["sorry_later", "harmless"]
    assert heard.ends
    hotline.runtime.database.close()


@pytest.mark.parametrize("dies_after", range(len(STEPS)), ids=STEPS)
@pytest.mark.promise(26)
def test_a_crash_after_any_step_leaves_nothing_that_opens_and_the_next_run_ends_it(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    stolen = Stolen(hotline)
    name, step = wiping.STEPS[dies_after]

    def dying(runtime: object) -> None:
        with suppress(GatewayError):  # Redis is away in this test
            step(runtime)  # type: ignore[arg-type]
        raise Died

    dead = (*wiping.STEPS[:dies_after], (name, dying), *wiping.STEPS[dies_after + 1 :])
    monkeypatch.setattr(wiping, "STEPS", dead)
    with pytest.raises(Died):
        wiping.wipe(hotline.runtime)
    assert not stolen.opens(), f"after {name} something still opens"
    monkeypatch.undo()
    wiping.wipe(hotline.runtime)
    assert not hotline.rows(select(accounts))
    assert not stolen.opens()


@pytest.mark.promise(26)
def test_with_the_database_away_the_keys_are_destroyed_all_the_same(hotline: Hotline) -> None:
    stolen = Stolen(hotline)
    file = hotline.settings.data_dir / "hotline.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        steps = {step.name: step.why for step in wiping.wipe(hotline.runtime)}
        assert time.monotonic() - began < 80
        assert steps["keys"] == ""
        assert steps["rows"] == "StoreDown"
        assert not stolen.opens()


@pytest.mark.promise(26)
def test_with_the_keystore_locked_its_file_is_destroyed(hotline: Hotline) -> None:
    stolen = Stolen(hotline)
    with closing(sqlite3.connect(hotline.settings.data_dir / "keystore.db", isolation_level=None)) as busy:
        busy.execute("BEGIN EXCLUSIVE")
        steps = {step.name: step.why for step in wiping.wipe(hotline.runtime)}
    assert (steps["keys"], steps["keystore_file"]) == ("KeystoreDown", "")
    assert not stolen.opens()


def test_a_step_that_fails_stops_no_other(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise OSError(28, "no space left on device")

    stolen = Stolen(hotline)
    monkeypatch.setattr(wiping, "STEPS", (*wiping.STEPS[:1], ("keystore_file", broken), *wiping.STEPS[2:]))
    steps = {step.name: step.why for step in wiping.wipe(hotline.runtime)}
    assert steps["keystore_file"] == "OSError"
    assert steps["rows"] == ""
    assert not stolen.opens()


def talking(hotline: Hotline) -> list[Placed]:
    """A counselor and a caller who are joined."""
    case = str(hotline.one(select(callbacks.c.id)).id)
    helper = next(row.id for row in hotline.rows(select(accounts.c.id)))
    casework.claim(hotline.runtime, case, helper)
    casework.call(hotline.runtime, case, helper)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("5")
    return hotline.provider.calls


@pytest.mark.promise(26)
def test_whoever_talks_is_hung_up_on_when_nothing_opens_any_more(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotline.counselor("other", "+66812345002")
    waiting(hotline)
    calls = talking(hotline)
    assert len(calls) == 2
    opened: list[bool] = []
    ask = hotline.provider.post
    vault = Vault(hotline.settings, hotline.clock)

    def opens() -> bool:
        try:
            vault.index(Msisdn.parse(CALLER))
        except GatewayError:
            return False
        return True

    def post(path: str, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        opened.append(opens() or bool(hotline.rows(select(accounts))))
        return ask(path, form)

    monkeypatch.setattr(hotline.provider, "post", post)
    assert [step.why for step in wiping.wipe(hotline.runtime) if step.name == "calls"] == [""]
    assert [call.status for call in calls] == ["completed", "completed"]
    assert opened == [False, False], "first everything is destroyed"


@pytest.mark.promise(26)
def test_a_provider_that_hangs_delays_no_destruction(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    hotline.counselor("other", "+66812345002")
    waiting(hotline)
    talking(hotline)
    done = threading.Event()

    def hang(_path: str, _form: dict[str, str]) -> tuple[int, dict[str, object]]:
        done.wait(20)
        return 500, {}

    monkeypatch.setattr(hotline.provider, "post", hang)
    monkeypatch.setattr(wiping, "CALLS_WAIT", 0.3)
    steps = {step.name: step.why for step in wiping.wipe(hotline.runtime)}
    done.set()
    assert steps["calls"] == "GatewayError"
    assert (steps["keys"], steps["rows"], steps["files"]) == ("", "", "")
    assert not hotline.rows(select(accounts))


def test_from_the_console_it_wants_an_admin_a_fresh_code_and_the_word(hotline: Hotline) -> None:
    boss = hotline.counselor("boss", "+66812345009", Role.ADMIN)
    lead = hotline.counselor("lead", "+66812345008", Role.COORDINATOR)
    for who, typed, word, why in (
        (lead, code(hotline, "lead"), wiping.WORD, "for_admins"),
        (boss, code(hotline, "boss"), "yes", "wipe_word"),
        (boss, "123123", wiping.WORD, "second_factor"),
    ):
        with pytest.raises(Refused, match=why):
            wiping.as_admin(hotline.runtime, who, code=typed, word=word)
    assert hotline.rows(select(accounts))
    wiping.as_admin(hotline.runtime, boss, code=code(hotline, "boss"), word=" Destroy ")
    assert not hotline.rows(select(accounts))


def test_the_report_shows_after_a_wipe_that_nothing_is_over_age(hotline: Hotline) -> None:
    Stolen(hotline)
    wiping.wipe(hotline.runtime)
    found = [one for one in retention.report(hotline.runtime) if one.over_age]
    assert [one.kind for one in found] == ["key_without_owner"], "without a keystore nothing can be proven"
