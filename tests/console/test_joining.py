"""Joining by invitation, and beginning anew."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pyotp
import pytest
from console.browser import PASSWORD, Browser, Person
from sqlalchemy import select, update

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import counselors, invitations, keypad
from gateway.store.counselors import Role, accounts
from gateway.store.invitations import invitations as kept

NEW = "window-salt-bicycle"


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


def invited(lead: Browser, alias: str = "mya", role: str = "counselor") -> str:
    lead.get("/people")
    page = lead.post("/people", alias=alias, role=role).text
    code = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", page)
    assert code
    return code[0]


def secret_of(page: str) -> str:
    found = re.search(r'class="digits secret">([A-Z2-7 ]+)<', page)
    assert found
    return found[1].replace(" ", "")


def sealed_of(page: str) -> str:
    found = re.search(r'name="sealed" value="([^"]+)"', page)
    assert found
    return unescape(found[1])


def answers(page: str, **more: str) -> dict[str, str]:
    first = pyotp.TOTP(secret_of(page)).now()
    form = {"sealed": sealed_of(page), "password": NEW, "again": NEW, "first": first, "unlock": "2468"}
    return form | more


def opened(someone: Browser, code: str) -> str:
    someone.get("/join")
    return str(someone.post("/join", code=code).text)


def test_a_code_opens_an_account_once_and_shows_recovery_codes_once(
    lead: Browser, browser: Callable[[], Browser], runtime: Runtime
) -> None:
    code = invited(lead)
    someone = browser()
    page = opened(someone, code.lower().replace("-", " "))
    assert "<svg" in page
    done = someone.post("/join/account", **answers(page, number="+66 81 234 5031"))
    assert len(re.findall(r'<li class="digits">\d{5} \d{5}<', done.text)) == 10
    assert someone.get("/queue").status_code == 200, "and is signed in"
    mya = counselors.known(runtime, "mya")
    assert (mya.role, mya.has_phone) == (Role.COUNSELOR, True)
    assert "does not work" in opened(browser(), code)


def test_the_code_is_nowhere_in_the_database_and_never_shown_again(lead: Browser, runtime: Runtime) -> None:
    code = invited(lead)
    with runtime.database.read() as session:
        (row,) = session.execute(select(kept)).all()
    assert code.replace("-", "")[4:] not in repr(row)
    assert code not in lead.get("/people").text


def test_an_invitation_that_is_over_or_withdrawn_opens_nothing(
    lead: Browser, browser: Callable[[], Browser], runtime: Runtime
) -> None:
    first, second = invited(lead), invited(lead, "hla")
    with runtime.database.write() as session:
        over = datetime.now(UTC) - timedelta(seconds=1)
        session.execute(update(kept).where(kept.c.alias == "mya").values(expires=over))
    lead.get("/people")
    assert "works no more" in lead.post(f"/people/invited/{second[:4]}").text
    for code in (first, second):
        assert "does not work" in opened(browser(), code)


def test_guessing_at_an_invitation_burns_it(lead: Browser, runtime: Runtime) -> None:
    code = invited(lead).replace("-", "")
    for guess in range(invitations.WRONG_CODES):
        wrong = f"{code[:4]}{'23456789'[guess] * 8}"
        with pytest.raises(Exception, match="invitation"):
            invitations.look(runtime, wrong, invitations.Origin(network=f"10.0.0.{guess}/32"))
    with pytest.raises(Exception, match="invitation"):
        invitations.look(runtime, code, invitations.Origin(network="10.1.0.0/32"))


@pytest.mark.promise(27)
def test_who_guesses_waits_and_keeps_out_nobody_behind_the_same_exit(lead: Browser, runtime: Runtime) -> None:
    code, here = invited(lead), invitations.Origin(network="10.0.0.1/32")
    for _ in range(6):
        with pytest.raises(Refused):
            invitations.look(runtime, "ZZZZ-ZZZZ-ZZZZ", here)
    for _ in range(invitations.WRONG_CODES):
        with pytest.raises(Refused):
            invitations.look(runtime, f"{code[:4]}22222222", here)
    assert invitations.look(runtime, code, here).alias == "mya", "guesses that wait burn nothing"


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"again": "another-one-here"}, "not the same"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"first": "000000"}, "six digits were not right"),
        ({"unlock": "1111"}, "four to six digits"),
        ({"number": "not a number"}, "not one phone number"),
        ({"number": "+95 9 790 000 777"}, "in the callers&#39; country"),
    ],
)
def test_what_is_not_right_is_said_and_the_same_secret_stays(
    lead: Browser, browser: Callable[[], Browser], wrong: dict[str, str], why: str
) -> None:
    someone = browser()
    page = opened(someone, invited(lead))
    again = someone.post("/join/account", **answers(page, **wrong)).text
    assert why in again
    assert secret_of(again) == secret_of(page)
    assert NEW not in again
    assert someone.post("/join/account", **answers(again)).status_code == 200


def test_a_number_of_the_callers_country_is_kept_once_the_warning_is_accepted(
    lead: Browser, browser: Callable[[], Browser], runtime: Runtime
) -> None:
    someone = browser()
    page = opened(someone, invited(lead))
    done = someone.post("/join/account", **answers(page, number="+95 9 790 000 777", accepted="1"))
    assert done.status_code == 200
    assert counselors.known(runtime, "mya").has_phone
    assert "790 000 777" not in someone.get("/account").text
    assert "790000777" not in someone.last.text


def test_who_lost_everything_begins_anew_and_the_old_ways_are_shut(
    lead: Browser, person: Person, browser: Callable[[], Browser], runtime: Runtime
) -> None:
    old = person("mya")
    mya = counselors.known(runtime, "mya")
    keypad.fresh_sheet(runtime, mya)
    lead.get(f"/people/{mya.id}")
    code = re.search(r"[2-9A-Z]{4}-[2-9A-Z]{4}-[2-9A-Z]{4}", lead.post(f"/people/{mya.id}/anew").text)
    assert code
    assert old.get("/queue").status_code == 200, "until it is used nothing changes"
    someone = browser()
    page = opened(someone, code[0])
    assert someone.post("/join/account", **answers(page)).status_code == 200
    assert old.get("/queue").status_code == 303
    old.get("/sign-in")
    assert "not right" in old.post("/sign-in", alias="mya", password=PASSWORD, code="123456").text
    assert counselors.known(runtime, "mya").id == mya.id
    with runtime.database.read() as session:
        assert session.execute(select(accounts.c.sealed_number)).all()


def test_a_coordinator_invites_no_administrator_and_changes_none(lead: Browser, person: Person) -> None:
    person("chief", Role.ADMIN)
    lead.get("/people")
    assert lead.post("/people", alias="x", role="admin").status_code == 409
    chief = counselors.known(lead.runtime, "chief")
    for way in ("role", "anew", "disable", "captured", "sessions"):
        lead.get(f"/people/{chief.id}")
        assert lead.post(f"/people/{chief.id}/{way}", role="counselor").status_code == 409, way
    mine = counselors.known(lead.runtime, "lead")
    lead.get("/people")
    assert lead.post(f"/people/{mine.id}/role", role="admin").status_code == 409
    assert counselors.known(lead.runtime, "chief").role is Role.ADMIN


@pytest.mark.parametrize("alias", ["", "  ", "0912345678", "x" * 41, "a\u200bb"])
def test_a_name_that_could_tell_something_is_refused(lead: Browser, alias: str) -> None:
    lead.get("/people")
    page = lead.post("/people", alias=alias, role="counselor")
    assert page.status_code == 409
    assert "invented name" in page.text
