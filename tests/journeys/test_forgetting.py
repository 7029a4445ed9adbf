"""Whoever asks to be forgotten is, here and at the provider; and whatever nobody needs goes by itself."""

import dataclasses
import secrets
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from console.browser import Browser
from front_door import CALLER, PASSWORD, Hotline
from leak_scanner import Scanner
from sqlalchemy import LargeBinary, String, select

from gateway.cli import main
from gateway.errors import GatewayError, KeyDestroyed
from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.services import casework, forgetting, housekeeping, provider_copies, retention
from gateway.settings import Settings
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.contacts import contacts, forbidden
from gateway.store.database import metadata
from gateway.store.legs import legs
from gateway.store.provider_copies import provider_copies as listed
from gateway.vault import Place, Vault
from workers import jobs

NOTE = "သူ့အမေကို ရှာနေတယ်"


def index(hotline: Hotline, number: str = CALLER) -> bytes:
    return hotline.runtime.vault.index(Msisdn.parse(number))


def swept(hotline: Hotline) -> None:
    """What the clock and the workers do."""
    housekeeping.expire(hotline.runtime)
    housekeeping.sweep(hotline.runtime)
    hotline.work(most=3_000)


def talked(hotline: Hotline) -> str:
    """Somebody asked, was rung, talked, and a counselor wrote a note; the case's id."""
    helper = hotline.counselor()
    hotline.dial().press("115")
    case = str(hotline.one(select(callbacks.c.id)).id)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    hotline.work()
    first = hotline.pick_up(hotline.provider.calls[-1])
    first.press("11")
    hotline.work()
    second = hotline.pick_up(hotline.provider.calls[-1])
    second.press("5")
    second.hang_up()
    first.leave_room()
    first.hang_up()
    casework.record_outcome(hotline.runtime, case, helper.id, outcome="done", note=NOTE)
    return case


def traces(hotline: Hotline, contact: str, number: str = CALLER) -> list[str]:
    """Every column of every table in which the person is still named, by id or by index."""
    found = []
    wanted = {contact, index(hotline, number)}
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary | String):
                values = {row[0] for row in hotline.rows(select(column))}
                found += [f"{table.name}.{column.name}"] if values & wanted else []
    return found


@pytest.mark.promise(24)
def test_after_77_77_nothing_of_her_is_in_any_table_but_the_hash_that_keeps_others_from_contacting_her(
    hotline: Hotline,
) -> None:
    talked(hotline)
    hotline.text("12")
    hotline.text("english")
    contact = str(hotline.one(select(contacts.c.id)).id)
    hotline.text("77")
    hotline.text("77")
    hotline.work()
    left = [one for one in traces(hotline, contact) if one != "outbox.subject"]  # a duty that is done, opaque
    assert left == ["forbidden.number_index"]
    assert hotline.one(select(forbidden)).until == hotline.one(select(forbidden)).since + timedelta(days=365)


def test_the_hash_goes_after_twelve_months_and_at_once_when_she_asks_again(hotline: Hotline) -> None:
    hotline.text("77")
    hotline.text("77")
    assert hotline.rows(select(forbidden))
    hotline.later(days=366)
    swept(hotline)
    assert not hotline.rows(select(forbidden))
    hotline.text("77")
    hotline.text("77")
    hotline.text("12")
    assert not hotline.rows(select(forbidden)), "she asked"


def test_by_keys_in_a_call_after_pressing_seven_twice(hotline: Hotline) -> None:
    hotline.dial().press("115")
    hotline.work()
    call = hotline.dial()
    assert call.press("4").said == ["withdrawn", "withdrawn_more"]
    assert call.press("7").said == ["forget_sure"]
    assert call.press("7").said == ["forgotten"]
    assert call.heard.ends
    hotline.work()
    assert not hotline.rows(select(contacts))
    assert hotline.rows(select(forbidden))


@pytest.mark.promise(8)
def test_a_caller_who_never_asked_hears_the_same(hotline: Hotline) -> None:
    assert hotline.dial().press("477").said == ["forgotten"]


def test_the_counselor_of_a_case_may_forget_it_and_nobody_else(hotline: Hotline) -> None:
    helper = hotline.counselor()
    other = hotline.counselor("other", "+66812345002")
    hotline.dial().press("115")
    case = str(hotline.one(select(callbacks.c.id)).id)
    casework.claim(hotline.runtime, case, helper.id)
    with pytest.raises(GatewayError):
        forgetting.forget_case(hotline.runtime, case, other.id, keep_out=True)
    forgetting.forget_case(hotline.runtime, case, helper.id, keep_out=False)
    hotline.work()
    assert hotline.one(select(callbacks)).state == CallbackState.FORGOTTEN
    assert not hotline.rows(select(contacts))
    assert not hotline.rows(select(forbidden)), "she wanted nothing at all to remain"


# --- yesterday's backup ---------------------------------------------------------------------------------


def back_up(hotline: Hotline, copy: Path) -> None:
    with closing(sqlite3.connect(hotline.settings.data_dir / "hotline.db")) as there:
        there.execute("VACUUM INTO ?", (str(copy),))


def by_text(hotline: Hotline, _case: str) -> None:
    hotline.text("77")
    hotline.text("77")


def by_key(hotline: Hotline, _case: str) -> None:
    assert hotline.dial().press("477").said == ["forgotten"]


def by_counselor(hotline: Hotline, case: str) -> None:
    console = create_app(dataclasses.replace(hotline.runtime, settings=everything_shown(hotline)))
    helper = Browser(console.test_client(), hotline.runtime).sign_in("helper", PASSWORD)
    helper.get(f"/cases/{case}")
    assert helper.post(f"/cases/{case}/forget", sure="1", keep_out="1").status_code == 200


def by_command(hotline: Hotline, _case: str) -> None:
    done = CliRunner().invoke(main, ["forget"], input=f"{CALLER}\ny\n", env=hotline.environment)
    assert "its keys are destroyed" in done.output
    assert "at the provider 2 copies of calls and texts (of everybody) wait to be deleted" in done.output


def everything_shown(hotline: Hotline) -> Settings:
    return dataclasses.replace(hotline.settings, faces="all")


@pytest.mark.promise(24)
@pytest.mark.parametrize("forgotten", [by_text, by_key, by_counselor, by_command])
def test_forgotten_today_she_is_unreadable_in_yesterdays_backup_too(
    hotline: Hotline, tmp_path: Path, forgotten: Callable[[Hotline, str], None]
) -> None:
    helper = hotline.counselor()
    hotline.dial().press("115")
    case = str(hotline.one(select(callbacks.c.id)).id)
    hotline.text("english")
    casework.claim(hotline.runtime, case, helper.id)
    casework.write_note(hotline.runtime, case, helper.id, NOTE)
    contact = str(hotline.one(select(contacts.c.id)).id)
    backup = tmp_path / "yesterday.db"
    back_up(hotline, backup)
    forgotten(hotline, case)
    hotline.work()
    assert not hotline.rows(select(contacts))
    with closing(sqlite3.connect(backup)) as restored:
        (sealed,) = restored.execute("SELECT sealed_number FROM contacts WHERE id = ?", (contact,)).fetchone()
        (note,) = restored.execute("SELECT note FROM callbacks WHERE id = ?", (case,)).fetchone()
    vault = Vault(hotline.settings, hotline.clock)
    with pytest.raises(KeyDestroyed):
        vault.open_number(contact, Place("contacts", "number", contact), sealed)
    with pytest.raises(KeyDestroyed):
        vault.open_note(contact, Place("callbacks", "note", case), note)
    with closing(sqlite3.connect(backup)) as restored:
        restored.execute("DELETE FROM sounds")  # which everybody may hear, and take long to look through
        restored.commit()
        restored.execute("VACUUM")
    assert Scanner([CALLER], [NOTE]).data(backup.read_bytes(), "the backup") == []
    hotline.later(hours=7)  # where nobody reports the end of a call
    swept(hotline)
    assert provider_copies.counts(hotline.runtime) == {"waiting": 0, "refused": 0, "given_up": 0}
    assert len(hotline.provider.deleted) >= 2, "her call and her text"


@pytest.mark.promise(24)
def test_a_backup_restored_in_the_place_of_the_database_opens_nothing_and_rings_nobody(
    hotline: Hotline, tmp_path: Path
) -> None:
    hotline.dial().press("115")
    backup = tmp_path / "yesterday.db"
    back_up(hotline, backup)
    hotline.text("77")
    hotline.text("77")
    hotline.work()
    hotline.runtime.database.close()
    for suffix in ("-wal", "-shm"):
        (hotline.settings.data_dir / f"hotline.db{suffix}").unlink(missing_ok=True)
    shutil.copy(backup, hotline.settings.data_dir / "hotline.db")
    helper = hotline.counselor()
    case = str(hotline.one(select(callbacks.c.id)).id)
    casework.claim(hotline.runtime, case, helper.id)
    casework.call(hotline.runtime, case, helper.id)
    hotline.work()
    hotline.pick_up(hotline.provider.calls[-1]).press("11")
    before = len(hotline.provider.calls)
    hotline.work()
    assert len(hotline.provider.calls) == before, "her phone stays silent"


# --- the provider's copies ------------------------------------------------------------------------------


@pytest.mark.promise(24)
def test_every_call_and_text_is_deleted_at_the_provider_soon_after_it_was_over(hotline: Hotline) -> None:
    talked(hotline)
    text, call = "SM" + secrets.token_hex(16), "CA" + secrets.token_hex(16)
    hotline.text("0", sid=text)
    hotline.dial(sid=call).hang_up()
    ours = {placed.sid for placed in hotline.provider.calls}
    assert not hotline.rows(select(legs.c.sid).where(legs.c.sid.is_not(None))), "a leg that is over has no id"
    hotline.later(minutes=3)
    swept(hotline)
    assert {text, call, *ours} <= set(hotline.provider.deleted)


def test_the_answer_to_a_text_is_deleted_too_once_it_is_reported(hotline: Hotline) -> None:
    sid = "SM" + secrets.token_hex(16)
    form = {"MessageSid": sid, "MessageStatus": "delivered", "From": "+12025550100", "To": CALLER}
    hotline.post("/twilio/sms/status", form)
    hotline.later(minutes=3)
    swept(hotline)
    assert sid in hotline.provider.deleted


def test_a_call_whose_end_nobody_reports_is_deleted_hours_later(hotline: Hotline) -> None:
    sid = "CA" + secrets.token_hex(16)
    hotline.dial(sid=sid)
    hotline.later(minutes=30)
    swept(hotline)
    assert sid not in hotline.provider.deleted
    hotline.later(hours=6)
    swept(hotline)
    assert sid in hotline.provider.deleted


@pytest.mark.promise(24)
def test_a_provider_that_refuses_is_asked_again_for_a_month_then_the_id_goes_and_the_count_stays(
    hotline: Hotline,
) -> None:
    answers = [503, 429, 404, 409]  # the third is as good as done

    def refuse() -> int:
        asked.append(answers[len(asked)] if len(asked) < len(answers) else 409)
        return asked[-1]

    asked: list[int] = []
    hotline.provider.refuse_deletion = refuse
    hotline.text("0")
    hotline.later(minutes=3)
    swept(hotline)
    assert provider_copies.counts(hotline.runtime) == {"waiting": 0, "refused": 1, "given_up": 0}
    for _ in range(2):
        hotline.later(hours=1)
        swept(hotline)
    assert asked == [503, 429, 404]
    assert provider_copies.counts(hotline.runtime) == {"waiting": 0, "refused": 0, "given_up": 0}
    hotline.text("0")
    hotline.later(minutes=3)
    swept(hotline)
    assert provider_copies.counts(hotline.runtime) == {"waiting": 0, "refused": 1, "given_up": 0}
    for _ in range(31):
        hotline.later(days=1)
        swept(hotline)
    assert provider_copies.counts(hotline.runtime) == {"waiting": 0, "refused": 0, "given_up": 1}
    assert hotline.one(select(listed.c.sealed)).sealed == b""
    assert 25 < len(asked) < 60, "later and later, not every minute"
    hotline.later(days=31)
    swept(hotline)
    assert not hotline.rows(select(listed))


def test_without_the_root_key_the_list_grows_and_nobody_can_read_it(hotline: Hotline) -> None:
    hotline.text("0")
    row = hotline.one(select(listed))
    web = Vault(dataclasses.replace(hotline.settings, root_key=None), hotline.clock)
    with pytest.raises(GatewayError):
        web.open_for_deletion(Place("provider_copies", "sealed", row.digest.hex()), row.sealed)


# --- by age ---------------------------------------------------------------------------------------------


def test_every_table_has_a_rule_or_a_reason() -> None:
    ruled = {rule.column.table.name for rule in retention.RULES}
    unruled = {table.name for table in metadata.sorted_tables} - ruled
    assert unruled == set(retention.KEPT_FOR_A_REASON)


@pytest.mark.promise(25)
def test_four_hundred_days_later_there_is_nothing_left_past_its_age(hotline: Hotline) -> None:
    talked(hotline)
    for at in range(3):
        number = f"+95979000500{at}"
        hotline.text("11", number)
        hotline.text("english", number)
        hotline.dial(number).press("3")
    hotline.text("99", "+959790005009")
    hotline.text("5", "+959790005008")
    hotline.text("53", "+959790005008")
    assert not [one for one in retention.report(hotline.runtime) if one.over_age]
    hotline.later(days=401)
    over = {one.kind for one in retention.report(hotline.runtime) if one.over_age}
    assert {"request_waiting", "webhook", "audit", "preference", "do_not_contact"} <= over, (
        "the report sees it"
    )
    for _ in range(3):
        swept(hotline)
        hotline.later(minutes=1)
    assert [one for one in retention.report(hotline.runtime) if one.over_age] == []
    hotline.later(days=401)  # now also what the sweeps themselves left, such as duties that are done
    for _ in range(3):
        swept(hotline)
        hotline.later(minutes=1)
    left = {one.kind: one.count for one in retention.report(hotline.runtime) if one.count}
    assert set(left) <= {"duty_done"}, "what the last sweep itself had to do"
    assert hotline.runtime.vault.orphans([], hotline.clock.now() + timedelta(days=1)) == 1, "the counselor's"


@pytest.fixture(autouse=True)
def _workers_are_ours(hotline: Hotline) -> None:
    jobs.RUNTIME = hotline.runtime
