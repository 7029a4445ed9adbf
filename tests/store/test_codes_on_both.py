"""Every kind of code works once, also for two who come with it at the same moment, on SQLite and on PostgreSQL."""

from collections.abc import Callable, Sequence
from functools import partial

import pytest
from front_door import Hotline
from sqlalchemy import func, select
from store.test_both_databases import Hosts, at_once
from trials import trials

from gateway.errors import Refused
from gateway.services import factors, keypad
from gateway.services.factors import wall_clock
from gateway.store import counselors
from gateway.store.factors import recovery_codes
from gateway.store.sheets import sheet_codes


def second_factor(host: Hotline, known: counselors.Credentials, code: str) -> bool:
    with host.runtime.database.write() as session:
        return factors.use(session, host.runtime, known, code, wall_clock())


def by_phone(host: Hotline, account: str, code: str) -> bool:
    """As a turn of a call does it."""
    try:
        with host.runtime.database.write() as session:
            if not keypad.code_is_right(session, host.runtime, account, code):
                return False
            keypad.use_code(session, host.runtime, account, code, now=host.clock.now())
    except Refused:
        return False
    return True


@pytest.mark.promise(27)
def test_of_twenty_who_come_with_one_code_on_two_hosts_one_gets_in(
    hosts: Hosts, tried: Callable[[int], None]
) -> None:
    here = hosts[0]
    helper = here.counselor()
    many = trials(4, 20)
    sheet = keypad.fresh_sheet(here.runtime, helper)[:many]
    with here.runtime.database.write() as session:
        recovery: Sequence[str] = factors.new_recovery_codes(session, here.runtime, helper.id)[:many]
        known = counselors.credentials(session, "helper")
    assert known
    reader = factors.code_after(
        factors.opened_secret(here.runtime, known.id, known.totp_secret), 0, wall_clock()
    )
    tried(20 * (1 + len(recovery) + len(sheet)))
    for code in (reader, *recovery):
        assert sum(at_once(partial(second_factor, host, known, code) for host in hosts * 10)) == 1
    for code in sheet:
        assert sum(at_once(partial(by_phone, host, helper.id, code) for host in hosts * 10)) == 1
    used = select(func.count()).where(sheet_codes.c.used.is_not(None))
    assert here.one(used)[0] == len(sheet), "and no other of the sheet was used up"
    assert here.one(select(func.count()).select_from(recovery_codes))[0] == factors.RECOVERY_CODES - len(
        recovery
    )
