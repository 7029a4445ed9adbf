"""Accounts of those who help: one that was captured, a phone that was captured, and guessing at a sign-in."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from console.browser import Browser
from front_door import CALLER, COUNSELOR, PASSWORD, Hotline, Line, Provider
from sqlalchemy import select, update

from gateway.cli import main
from gateway.errors import Refused
from gateway.services import casework, ending, keypad, own_account, signing_in
from gateway.services import counselors as people
from gateway.store import callbacks as rows
from gateway.store import counselors, guesses, sheets
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.counselors import Account, Role

OTHER = "+66812345031"
WRONG = "That was not right."


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """With eight lines, so that the pool may ring, and with the console."""
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="8", HOTLINE_FACES="all")
    yield made
    made.runtime.database.close()


def asked(hotline: Hotline) -> str:
    hotline.dial().press("115")
    return str(hotline.one(select(callbacks)).id)


def claimed(hotline: Hotline) -> tuple[str, Account]:
    helper, callback = hotline.counselor(), asked(hotline)
    casework.claim(hotline.runtime, callback, helper.id)
    return callback, helper


def rung(hotline: Hotline) -> Line:
    """The helper has claimed and pressed "ring": their phone rings and is picked up."""
    callback, helper = claimed(hotline)
    casework.call(hotline.runtime, callback, helper.id)
    hotline.work()
    return hotline.pick_up(hotline.provider.calls[-1])


def state(hotline: Hotline) -> str:
    return str(hotline.one(select(callbacks.c.state)).state)


def after_the_head_start(hotline: Hotline) -> None:
    asked(hotline)
    hotline.later(minutes=3)
    hotline.work()


def browser(hotline: Hotline) -> Browser:
    return Browser(hotline.app.test_client(), hotline.runtime)


def tries(someone: Browser, password: str, code: str, alias: str = "helper") -> bool:
    someone.get("/sign-in")
    answer = someone.post("/sign-in", alias=alias, password=password, code=code, follow=False)
    assert answer.status_code == 303 or WRONG in answer.text
    return answer.status_code == 303


def right_code(hotline: Hotline) -> str:
    return signing_in.current_code(hotline.runtime, "helper") or ""


# --- an account that was ended --------------------------------------------------------------------------


def test_what_an_ended_account_had_claimed_waits_for_others(hotline: Hotline) -> None:
    callback, _ = claimed(hotline)
    ending.disable(hotline.runtime, "helper")
    assert state(hotline) == CallbackState.WAITING
    with hotline.runtime.database.read() as session:
        assert rows.history(session, callback)[-1].why == "account_ended"


def test_an_account_ended_before_the_worker_dials_is_not_rung(hotline: Hotline) -> None:
    callback, helper = claimed(hotline)
    casework.call(hotline.runtime, callback, helper.id)
    ending.disable(hotline.runtime, "helper")
    hotline.work()
    assert not hotline.provider.calls


def test_an_account_ended_while_its_phone_rings_hears_nothing_and_nobody_is_rung_for_it(
    hotline: Hotline,
) -> None:
    line = rung(hotline)
    ending.disable(hotline.runtime, "helper")
    assert "handle" not in line.press("1").said
    hotline.work()
    assert hotline.provider.calls[0].status == "completed"
    assert state(hotline) == CallbackState.WAITING
    assert CALLER not in [call.form["To"] for call in hotline.provider.calls]


def test_an_account_ended_in_a_talk_ends_both_calls_and_a_coordinator_looks_at_it(hotline: Hotline) -> None:
    line = rung(hotline)
    line.press("11")
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("5")
    assert state(hotline) == CallbackState.TALKING
    ending.disable(hotline.runtime, "helper")
    hotline.work()
    assert {call.status for call in hotline.provider.calls} == {"completed"}
    assert state(hotline) == CallbackState.UNCERTAIN


def test_the_sheet_of_an_ended_account_is_burnt(hotline: Hotline) -> None:
    helper = hotline.counselor()
    keypad.fresh_sheet(hotline.runtime, helper)
    ending.disable(hotline.runtime, "helper")
    with hotline.runtime.database.read() as session:
        assert sheets.left(session, helper.id) == 0


def test_an_ended_account_takes_nothing(hotline: Hotline) -> None:
    helper, callback = hotline.counselor(), asked(hotline)
    ending.disable(hotline.runtime, "helper")
    with pytest.raises(Refused):
        casework.claim(hotline.runtime, callback, helper.id)


# --- a phone that was captured --------------------------------------------------------------------------


def test_a_phone_alone_is_not_rung_for_a_request(hotline: Hotline) -> None:
    hotline.counselor()
    after_the_head_start(hotline)
    assert not hotline.provider.calls


def test_whom_the_console_knows_takes_it_with_one_key(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    after_the_head_start(hotline)
    line = hotline.pick_up(hotline.provider.calls[0])
    assert line.press("1").said == ["handle", "counselor_choices"]


def test_a_console_that_was_left_half_an_hour_ago_knows_nobody(hotline: Hotline) -> None:
    hotline.counselor()
    hotline.at_console()
    left = datetime.now(UTC) - people.AT_CONSOLE - timedelta(minutes=1)
    with hotline.runtime.database.write() as session:
        session.execute(update(counselors.sessions).values(seen=left))
    after_the_head_start(hotline)
    assert not hotline.provider.calls


def test_a_counselor_with_a_sheet_is_rung_and_the_next_code_opens(hotline: Hotline) -> None:
    helper = hotline.counselor()
    codes = keypad.fresh_sheet(hotline.runtime, helper)
    after_the_head_start(hotline)
    (call,) = hotline.provider.calls
    line = hotline.pick_up(call)
    assert line.heard.said == ["keypad_gate"]
    assert "handle" not in line.press("1").said, "the phone alone is enough"
    assert line.heard.action
    assert line.post(line.heard.action, Digits=codes[0]).said == ["handle", "counselor_choices"]
    assert state(hotline) == CallbackState.CALLING_COUNSELOR


def test_two_unanswered_rings_take_a_counselor_with_a_sheet_off_shift(hotline: Hotline) -> None:
    helper = hotline.counselor()
    keypad.fresh_sheet(hotline.runtime, helper)
    after_the_head_start(hotline)
    hotline.not_answered(hotline.provider.calls[-1])
    hotline.later(minutes=6)
    hotline.work()
    hotline.not_answered(hotline.provider.calls[-1])
    assert len(hotline.provider.calls) == 2
    assert not people.known(hotline.runtime, "helper").on_shift


def test_a_counselor_with_a_sheet_is_not_rung_again_at_once(hotline: Hotline) -> None:
    keypad.fresh_sheet(hotline.runtime, hotline.counselor())
    after_the_head_start(hotline)
    hotline.not_answered(hotline.provider.calls[0])
    hotline.later(minutes=1)
    hotline.work()
    assert len(hotline.provider.calls) == 1


# --- what was handed to a coordinator -------------------------------------------------------------------


def test_what_was_handed_up_is_taken_by_a_coordinator_only(hotline: Hotline) -> None:
    callback, helper = claimed(hotline)
    other = hotline.counselor("other", OTHER)
    lead = hotline.counselor("lead", "+66812345032", Role.COORDINATOR)
    with hotline.runtime.database.write() as session:
        there = rows.get_to_move(session, callback)
        assert there is not None
        casework.to_coordinator(session, there, account=helper.id, now=hotline.clock.now())
    with pytest.raises(Refused, match="for_coordinators"):
        casework.claim(hotline.runtime, callback, other.id)
    casework.claim(hotline.runtime, callback, lead.id)
    assert state(hotline) == CallbackState.CLAIMED


# --- guessing at a sign-in ------------------------------------------------------------------------------


@pytest.mark.promise(27)
def test_whoever_guesses_waits_and_the_owners_own_browser_does_not(hotline: Hotline) -> None:
    hotline.counselor()
    own, stranger = browser(hotline), browser(hotline)
    assert tries(own, PASSWORD, right_code(hotline))
    own.get("/leave")
    for _ in range(5):
        assert not tries(stranger, "wrong wrong wrong", "000000")
    assert not tries(stranger, PASSWORD, right_code(hotline)), "also what is right waits"
    assert tries(own, PASSWORD, right_code(hotline))


@pytest.mark.promise(27)
def test_a_stranger_behind_the_same_exit_keeps_out_nobody_who_has_a_recovery_code(hotline: Hotline) -> None:
    helper = hotline.counselor()
    first, second, third = own_account.new_recovery_codes(hotline.runtime, helper)[:3]
    stranger, fresh = browser(hotline), browser(hotline)
    for _ in range(6):
        assert not tries(stranger, "wrong wrong wrong", "000000")
    assert not tries(fresh, PASSWORD, right_code(hotline))
    assert tries(fresh, PASSWORD, first)
    for _ in range(6):
        assert not tries(stranger, "wrong wrong wrong", "000000")
    assert not tries(browser(hotline), PASSWORD, first), "once"
    assert not tries(stranger, "wrong wrong wrong", second)
    assert not tries(browser(hotline), PASSWORD, second), "whoever found one tries one password with it"
    assert not tries(browser(hotline), PASSWORD, "0123456789")
    assert tries(browser(hotline), PASSWORD, third)


@pytest.mark.promise(27)
def test_who_has_the_password_and_guesses_codes_keeps_no_owner_out(hotline: Hotline) -> None:
    helper = hotline.counselor()
    code = own_account.new_recovery_codes(hotline.runtime, helper)[0]
    for network in range(9):
        with pytest.raises(Refused):
            signing_in.sign_in(
                hotline.runtime, "helper", PASSWORD, "000000", signing_in.Origin(network=f"{network}")
            )
    assert not tries(browser(hotline), PASSWORD, right_code(hotline)), "it waits for a quarter of an hour"
    assert tries(browser(hotline), PASSWORD, code)


def test_a_browser_that_signed_in_before_waits_for_its_own_failures(hotline: Hotline) -> None:
    hotline.counselor()
    own, other = browser(hotline), browser(hotline)
    assert tries(own, PASSWORD, right_code(hotline))
    for _ in range(5):
        assert not tries(own, "wrong wrong wrong", "000000")
    assert not tries(own, PASSWORD, right_code(hotline))
    assert tries(other, PASSWORD, right_code(hotline)), "and nobody else for them"


def test_an_account_made_anew_knows_no_browser(hotline: Hotline) -> None:
    hotline.counselor()
    own = browser(hotline)
    assert tries(own, PASSWORD, right_code(hotline))
    people.reset(hotline.runtime, "helper", PASSWORD)
    stranger = browser(hotline)
    for _ in range(5):
        tries(stranger, "wrong wrong wrong", "000000")
    assert not tries(own, PASSWORD, right_code(hotline))


def test_nothing_tells_that_there_is_such_an_account(hotline: Hotline) -> None:
    hotline.counselor()
    someone = browser(hotline)
    for alias in ("helper", "nobody"):
        for _ in range(6):
            assert not tries(someone, "wrong wrong wrong", "000000", alias)


def test_the_lasting_cookie_opens_nothing(hotline: Hotline) -> None:
    hotline.counselor()
    own = browser(hotline)
    assert tries(own, PASSWORD, right_code(hotline))
    cookie = own.client.get_cookie("visitor", path="/console")
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    other = browser(hotline)
    other.client.set_cookie("visitor", cookie.value, path="/console")
    assert other.get("/queue").headers["Location"].endswith("/sign-in")


@pytest.mark.promise(27)
def test_ten_guesses_at_once_are_ten(hotline: Hotline) -> None:
    hotline.counselor()
    gate, here = threading.Barrier(10), signing_in.Origin(network="127.0.0.1/32")

    def guess() -> None:
        gate.wait(20)
        with pytest.raises(Refused):
            signing_in.sign_in(hotline.runtime, "helper", "wrong wrong wrong", "000000", here)

    threads = [threading.Thread(target=guess) for _ in range(10)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    failures = hotline.one(select(guesses.guesses.c.failures)).failures
    assert failures > 3, "those that looked before the others had failed count too"
    assert not tries(browser(hotline), PASSWORD, right_code(hotline))


# --- on the server --------------------------------------------------------------------------------------


@pytest.fixture
def command(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`hotline` as typed on the server, with what is typed afterwards."""
    for name in [name for name in os.environ if name.startswith(("HOTLINE_", "TWILIO_"))]:
        monkeypatch.delenv(name)
    for name, value in hotline.environment.items():
        monkeypatch.setenv(name, value)
    return lambda *words, typed="": CliRunner().invoke(main, words, input=typed)


def test_an_invitation_made_on_the_server_is_joined_in_the_console(
    hotline: Hotline, command: Callable[..., Result]
) -> None:
    made = command("counselor", "invite", "lily", "--role", "auditor")
    assert made.exit_code == 0, made.output
    code = made.stdout.splitlines()[0]
    someone = browser(hotline)
    someone.get("/join")
    page = someone.post("/join", code=code).text
    assert "Welcome, lily" in page
    assert "auditor" in page
    assert command("counselor", "invite", "lily", "--anew").exit_code == 1


def test_the_captured_switch_on_the_server_gives_back_the_claim_and_lists_it(
    hotline: Hotline, command: Callable[..., Result]
) -> None:
    callback, _ = claimed(hotline)
    casework.call(hotline.runtime, callback, people.known(hotline.runtime, "helper").id)
    hotline.work()
    told = command("counselor", "captured", "helper").stdout
    assert callback in told
    assert COUNSELOR not in told
    hotline.work()
    assert {call.status for call in hotline.provider.calls} == {"completed"}
    assert state(hotline) == CallbackState.WAITING


@pytest.mark.parametrize(("word", "kept"), [("accept\n", True), ("yes\n", False), ("\n", False), ("", True)])
def test_a_number_of_the_callers_country_needs_a_typed_word(
    hotline: Hotline, command: Callable[..., Result], word: str, kept: bool
) -> None:
    typed = f"{PASSWORD}\n+95 9 790 000 123\n{word}"
    done = command("counselor", "add", "mya", "--role", "counselor", "--phone", typed=typed)
    assert (done.exit_code == 0) is kept, done.output
    assert "790" not in done.output
    assert [one.alias for one in people.everyone(hotline.runtime)] == (["mya"] if kept else [])


def test_what_an_account_is_given_on_the_server_can_be_read_by_a_script(
    hotline: Hotline, command: Callable[..., Result]
) -> None:
    assert (
        command(
            "counselor", "add", "mya", "--role", "counselor", "--phone", typed=f"{PASSWORD}\n\n"
        ).exit_code
        == 1
    )
    made = command("counselor", "add", "mya", "--role", "counselor", typed=f"{PASSWORD}\n")
    assert made.stdout.splitlines()[-1].startswith("otpauth://totp/Notes")
    sheet = command("counselor", "codes", "mya").stdout
    assert re.fullmatch(r"( *\d+  \d{6}\n){20}", sheet, re.ASCII), sheet
    assert command("forget", typed="nobody\n").exit_code == 1


def test_a_role_given_on_the_server_ends_the_sessions(
    hotline: Hotline, command: Callable[..., Result]
) -> None:
    hotline.counselor()
    own = browser(hotline)
    assert tries(own, PASSWORD, right_code(hotline))
    assert command("counselor", "role", "helper", "coordinator").exit_code == 0
    assert own.get("/queue").headers["Location"].endswith("/sign-in")
    assert people.known(hotline.runtime, "helper").role is Role.COORDINATOR


def test_what_is_kept_of_a_password_is_dear_to_guess() -> None:
    """In a process of its own: these tests hash cheaply."""
    asked = "from gateway.services import factors; print(factors.HASHER.hash('correct horse battery'))"
    kept = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
