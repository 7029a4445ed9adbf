"""What a newcomer finds, and starting over."""

from front_door import Hotline
from sqlalchemy import func, select

from gateway.phone import Msisdn
from gateway.services import counselors, demo
from gateway.store import outreach
from gateway.store.callbacks import callbacks
from gateway.store.case_codes import case_codes
from gateway.store.contacts import contacts, preferences, texters
from gateway.store.legs import legs
from gateway.store.ring_backs import ring_backs

NUMBERS = {"counselor": Msisdn.parse("+66812345031"), "coordinator": Msisdn.parse("+66812345032")}


def test_two_accounts_are_ready_one_on_shift_and_a_programme_waits_for_a_second_ear(hotline: Hotline) -> None:
    for _ in range(2):
        demo.prepare(hotline.runtime, NUMBERS)
    hotline.work()
    there = counselors.everyone(hotline.runtime)
    assert [(one.alias, one.on_shift) for one in there] == [("coordinator", False), ("counselor", True)]
    (version,) = hotline.rows(select(outreach.versions))
    assert version.state == "ready"


def test_starting_over_empties_what_people_did_and_keeps_accounts_and_sounds(hotline: Hotline) -> None:
    demo.prepare(hotline.runtime, NUMBERS)
    hotline.dial().press("115")
    hotline.dial("+959790006001").press("167")
    hotline.text("52", "+959790006002")
    hotline.text("99", "+959790006003")
    hotline.dial("+959790006004").press("816")
    hotline.work()
    assert hotline.provider.calls
    demo.reset(hotline.runtime)
    for table in (callbacks, case_codes, contacts, preferences, texters, legs, ring_backs):
        assert hotline.one(select(func.count()).select_from(table))[0] == 0, table.name
    assert len(counselors.everyone(hotline.runtime)) == 2
    assert hotline.dial().heard.said == ["greeting", "main"]
    assert len(hotline.rows(select(outreach.versions))) == 1
