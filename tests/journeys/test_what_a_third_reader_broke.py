"""What a third hostile reader found by breaking it: each was wrong once."""

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from console.browser import Browser
from front_door import COUNSELOR, PASSWORD, Hotline, Provider
from journeys.test_campaigns import launched, people
from journeys.test_campaigns import template as template  # noqa: PLC0414 - an installation with a programme
from sqlalchemy import select, update

from gateway.errors import Refused
from gateway.runtime import build_runtime
from gateway.services import (
    counselors,
    ending,
    factors,
    halting,
    housekeeping,
    invitations,
    keypad,
    signing_in,
)
from gateway.store.counselors import Role, accounts
from gateway.store.guesses import guesses

BURMESE = str.maketrans("0123456789", "၀၁၂၃၄၅၆၇၈၉")


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    """With the console, and lines for many calls."""
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_CALLS_AT_ONCE="100", HOTLINE_FACES="all")
    yield made
    made.runtime.database.close()


def code(hotline: Hotline, alias: str) -> str:
    return signing_in.current_code(hotline.runtime, alias) or ""


def signed_in(hotline: Hotline, alias: str) -> Browser:
    someone = Browser(hotline.app.test_client(), hotline.runtime)
    someone.get("/sign-in")
    shown = someone.post("/sign-in", alias=alias, password=PASSWORD, code=code(hotline, alias))
    assert shown.status_code == 200
    return someone


def counselor_rings(hotline: Hotline) -> None:
    line = hotline.settings.counselor_numbers[0].reveal("demo")
    form = {"From": COUNSELOR, "To": line, "Direction": "inbound", "CallSid": "CA" + secrets.token_hex(16)}
    hotline.voice("/twilio/voice", form)
    hotline.work()


# --- an open session in other hands -----------------------------------------------------------------------


def test_whoever_holds_an_admins_session_cannot_guess_the_code_that_destroys_everything(
    hotline: Hotline,
) -> None:
    hotline.counselor("boss", role=Role.ADMIN)
    thief = signed_in(hotline, "boss")
    thief.get("/stop")
    for guess in range(6):
        assert thief.post("/stop/wipe", code=f"{guess:06d}", word="destroy").status_code == 409
    right = code(hotline, "boss")
    assert thief.post("/stop/wipe", code=right, word="destroy").status_code == 409, "the right one waits, too"
    assert hotline.rows(select(accounts))
    with hotline.runtime.database.write() as session:  # some minutes later
        session.execute(update(guesses).values(wait_until=factors.wall_clock() - timedelta(seconds=1)))
    assert thief.post("/stop/wipe", code=right, word="destroy").status_code == 200
    assert not hotline.rows(select(accounts))


def test_an_admin_in_a_hurry_types_the_code_in_burmese_digits_with_a_space(hotline: Hotline) -> None:
    hotline.counselor("boss", role=Role.ADMIN)
    halting.lock(hotline.runtime, by=None)
    boss = signed_in(hotline, "boss")
    boss.get("/stop")
    typed = code(hotline, "boss").translate(BURMESE)
    assert boss.post("/stop/unlock", code=f"{typed[:3]} {typed[3:]}").status_code == 200
    assert not hotline.runtime.switches.halted


# --- ways back ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent_away", ["disabled", "counselor"])
def test_who_is_sent_away_does_not_come_back_by_an_invitation_made_before(
    hotline: Hotline, sent_away: str
) -> None:
    lead = hotline.counselor("lead", role=Role.COORDINATOR)
    spare = invitations.invite(hotline.runtime, "spare", Role.COORDINATOR, by=lead)
    anew = invitations.invite_anew(hotline.runtime, "lead", by=lead)
    if sent_away == "disabled":
        ending.disable(hotline.runtime, "lead")
    else:
        counselors.change_role(hotline.runtime, "lead", Role.COUNSELOR, by=None)
    for one in (spare, anew):
        with pytest.raises(Refused, match="invitation"):
            invitations.look(hotline.runtime, one, signing_in.Origin(network="10.0.0.1/32"))


def test_after_a_reset_no_recovery_code_of_before_opens(hotline: Hotline) -> None:
    helper = hotline.counselor()
    with hotline.runtime.database.write() as session:
        (old, *_) = factors.new_recovery_codes(session, hotline.runtime, helper.id)
    counselors.reset(hotline.runtime, "helper", PASSWORD)
    with pytest.raises(Refused, match="sign_in"):
        signing_in.sign_in(hotline.runtime, "helper", PASSWORD, old)


def test_whoever_became_an_auditor_takes_no_request_by_phone(hotline: Hotline) -> None:
    helper = hotline.counselor()
    codes = keypad.fresh_sheet(hotline.runtime, helper)
    hotline.dial().press("115")
    counselor_rings(hotline)
    line = hotline.pick_up(hotline.provider.calls[-1])
    assert line.heard.action
    line.post(line.heard.action, Digits=codes[0])
    counselors.change_role(hotline.runtime, "helper", Role.AUDITOR, by=None)
    assert "handle" not in line.press("1").said
    line.hang_up()
    rung = len(hotline.provider.calls)
    counselor_rings(hotline)
    assert len(hotline.provider.calls) == rung, "nor is that phone rung back"


# --- the lock -----------------------------------------------------------------------------------------------


def test_a_lock_in_the_middle_of_a_campaign_stops_it_at_once(hotline: Hotline) -> None:
    people(hotline, 30)
    launched(hotline)
    elsewhere = build_runtime(hotline.settings)
    at_the_lock: list[int] = []

    def lock_once() -> None:
        if not at_the_lock and len(hotline.provider.calls) >= 2:
            at_the_lock.append(len(hotline.provider.calls))
            halting.lock(elsewhere, by=None)

    hotline.provider.refuse = lock_once
    assert not hotline.runtime.switches.halted, "as a worker that looked a moment ago knows it"
    hotline.work()
    elsewhere.database.close()
    assert at_the_lock
    still = [call for call in hotline.provider.calls if call.status != "completed"]
    assert not still, "who was being rung at that moment is hung up on, and nobody is rung after"


def test_a_switch_that_was_off_for_months_counts_from_when_it_is_on_again(hotline: Hotline) -> None:
    off = hotline.runtime
    on = replace(off, settings=replace(off.settings, dead_man=timedelta(hours=72)))
    housekeeping.sweep(on)
    hotline.later(hours=1)
    housekeeping.sweep(off)
    hotline.later(days=60)
    housekeeping.sweep(on)
    assert not off.switches.halted, "nobody was told that their visits count"
    hotline.later(hours=73)
    housekeeping.sweep(on)
    assert off.switches.halted


# --- who helps here -----------------------------------------------------------------------------------------


def test_a_counselor_cannot_try_a_list_of_suspects_for_who_helps_here(hotline: Hotline) -> None:
    hotline.counselor("other", number="+66812345077")
    hotline.counselor("spy")
    spy = signed_in(hotline, "spy")
    answers = []
    for suspect in (70, 71, 72, 73, 77):
        spy.get("/account")
        answers.append(spy.post("/account/phone", password=PASSWORD, number=f"+668123450{suspect}").text)
    assert "in use" not in answers[-1]
    assert "Too many numbers" in answers[-1]


# --- a flood ------------------------------------------------------------------------------------------------


def test_a_keystore_that_is_away_makes_no_one_crowd_of_all_callers(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    here = Hotline(template, tmp_path / "away", provider, HOTLINE_ARRIVALS_PER_MINUTE="60")
    here.runtime.vault.close()
    (tmp_path / "away" / "keystore.db").rename(tmp_path / "gone.db")
    heard = [here.dial(f"+95979{block}01001").heard for block in range(10, 25)]
    here.runtime.database.close()
    assert not [one for one in heard if "Reject" in one.verbs]
