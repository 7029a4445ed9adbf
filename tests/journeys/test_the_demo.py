"""What a newcomer finds, and starting over."""

from front_door import Hotline
from sqlalchemy import select

from gateway.phone import Msisdn
from gateway.services import counselors, demo
from gateway.store import outreach
from gateway.store.database import metadata

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
    left = {name for name in metadata.tables if hotline.rows(select(metadata.tables[name]).limit(1))}
    begun_anew = {"audit", "directory", "outbox", "programme_versions", "programmes", "switches"}
    assert left <= begun_anew | {
        "accounts",
        "attendance",
        "prompt_sounds",
        "renderings",
        "script_versions",
        "sounds",
    }
    assert len(counselors.everyone(hotline.runtime)) == 2
    assert hotline.dial().heard.said == ["greeting", "main"]
    assert len(hotline.rows(select(outreach.versions))) == 1
