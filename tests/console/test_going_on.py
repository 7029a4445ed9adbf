from contextlib import suppress
from datetime import timedelta

import pytest
from console.browser import Asked, Browser, Person
from sqlalchemy import select

from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import callbacks, counselors, forgetting, housekeeping
from gateway.services import continuing as service
from gateway.store import callbacks as rows
from gateway.store import contacts, continuing
from gateway.store.callbacks import Callback, CallbackState
from gateway.store.counselors import Role

WHY = "She waits for an answer from the clinic."
NOTE = "Wants to hear about training."


def there(runtime: Runtime, case: str) -> Callback:
    with runtime.database.read() as session:
        found = rows.get(session, case)
    assert found is not None
    return found


def account(runtime: Runtime, alias: str) -> str:
    return next(one.id for one in counselors.everyone(runtime) if one.alias == alias)


def days_later(runtime: Runtime, days: float) -> None:
    runtime.clock.skip_to(runtime.clock.now() + timedelta(days=days))
    housekeeping.sweep(runtime)


@pytest.fixture
def mine(person: Person, asked: Asked) -> tuple[Browser, str]:
    case = asked("mango-cat", "morning")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    return mya, case


@pytest.fixture
def done(runtime: Runtime, mine: tuple[Browser, str]) -> tuple[Browser, str]:
    """They talked, and it was closed with a note."""
    mya, case = mine
    with runtime.database.write() as session:
        rows.change(session, case, reached=1)
        callbacks.note(session, case, CallbackState.TALKING, "joined", None, runtime.clock.now())
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/outcome", outcome="done", note=NOTE)
    return mya, case


# --- another week -------------------------------------------------------------------------------------


def test_a_closed_case_says_until_when_it_is_kept_and_is_let_go_then(
    runtime: Runtime, done: tuple[Browser, str]
) -> None:
    mya, case = done
    assert "Kept until" in mya.get(f"/cases/{case}").text
    assert "mango cat" in mya.get("/kept").text
    days_later(runtime, 6.9)
    assert there(runtime, case).contact
    days_later(runtime, 0.2)
    assert there(runtime, case).contact is None
    assert "Kept until" not in mya.get(f"/cases/{case}").text


def test_a_reason_keeps_it_another_week_sealed_and_shown_to_who_may_keep_it(
    runtime: Runtime, done: tuple[Browser, str], person: Person
) -> None:
    mya, case = done
    days_later(runtime, 6)
    mya.get(f"/cases/{case}")
    page = mya.post(f"/cases/{case}/renew", reason=WHY)
    assert "Kept for a week from now." in page.text
    assert WHY in page.text
    with runtime.database.read() as session:
        renewal = continuing.renewal(session, case)
    assert renewal is not None
    assert WHY.encode() not in renewal.reason
    days_later(runtime, 6.9)
    assert there(runtime, case).contact
    assert WHY in person("lead", Role.COORDINATOR).get(f"/cases/{case}").text
    assert WHY not in person("hla").get(f"/cases/{case}").text
    days_later(runtime, 0.2)
    assert there(runtime, case).contact is None
    with runtime.database.read() as session:
        assert continuing.renewal(session, case) is None


def test_without_a_fitting_reason_nothing_is_kept_longer(runtime: Runtime, done: tuple[Browser, str]) -> None:
    mya, case = done
    for reason, told in (("", "Say in a few words"), ("a" * 301, "too long")):
        mya.get(f"/cases/{case}")
        page = mya.post(f"/cases/{case}/renew", reason=reason)
        assert page.status_code == 409
        assert told in page.text
    with runtime.database.read() as session:
        assert continuing.renewal(session, case) is None


def test_ninety_days_after_the_first_talk_no_reason_counts(
    runtime: Runtime, done: tuple[Browser, str]
) -> None:
    mya, case = done
    first = there(runtime, case).asked
    for _ in range(30):
        for _press in range(2):  # pressing often gains nothing: it is a week from now
            with suppress(Refused):
                service.renew(runtime, case, account(runtime, "mya"), WHY)
        days_later(runtime, 6)
        with runtime.database.read() as session:
            row = rows.get(session, case)
        if row is None or row.contact is None:
            break
    lived = runtime.clock.now() - first
    assert timedelta(days=90) <= lived < timedelta(days=97)
    mya.get("/queue")
    assert mya.post(f"/cases/{case}/renew", reason=WHY).status_code == 409


def test_a_colleague_cannot_keep_it_and_a_coordinator_can(
    runtime: Runtime, done: tuple[Browser, str], person: Person
) -> None:
    _, case = done
    hla, lead = person("hla"), person("lead", Role.COORDINATOR)
    hla.get("/queue")
    assert hla.post(f"/cases/{case}/renew", reason=WHY).status_code == 409
    assert "mango cat" not in hla.get("/kept").text
    assert "mango cat" in lead.get("/kept").text
    lead.get(f"/cases/{case}")
    assert "Kept for a week" in lead.post(f"/cases/{case}/renew", reason=WHY).text


def test_who_is_forgotten_is_not_kept_for_any_reason(runtime: Runtime, done: tuple[Browser, str]) -> None:
    mya, case = done
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/renew", reason=WHY)
    contact = there(runtime, case).contact
    assert contact is not None
    with runtime.database.write() as session:
        number = contacts.sealed_number(session, contact)
        assert number is not None
        forgetting.forget(session, runtime, number[0], now=runtime.clock.now())
        assert session.execute(select(continuing.renewals)).all() == []
    assert forgetting.forget_if_idle(runtime, contact) == "forgotten"


# --- asked in the talk --------------------------------------------------------------------------------


def test_asked_in_the_talk_they_are_rung_again_with_their_words_key_and_note(
    runtime: Runtime, done: tuple[Browser, str]
) -> None:
    mya, case = done
    page = mya.post(f"/cases/{case}/again", wish="evening")
    assert "they asked to be rung again" in page.text
    old = there(runtime, case)
    with runtime.database.read() as session:
        (new,) = [one for one in rows.waiting(session, most=5) if one.id != case]
    assert (new.contact, new.handle, new.own_keys, new.wish) == (
        old.contact, "mango-cat", old.own_keys, "evening",
    )  # fmt: skip
    assert new.not_before > runtime.clock.now()
    mya.get("/queue")
    assert NOTE in mya.post(f"/cases/{new.id}/claim").text
    again = mya.post(f"/cases/{case}/again", wish="midday")
    assert again.status_code == 409
    assert "asked again already" in again.text


def test_who_never_talked_or_said_stop_is_not_rung_again(
    runtime: Runtime, mine: tuple[Browser, str], done: tuple[Browser, str]
) -> None:
    mya, case = done
    contact = there(runtime, case).contact
    assert contact is not None
    with runtime.database.write() as session:
        number = contacts.sealed_number(session, contact)
        assert number is not None
        contacts.forbid(session, number[0], runtime.clock.now())
    mya.get(f"/cases/{case}")
    assert mya.post(f"/cases/{case}/again", wish="evening").status_code == 409
    assert mya.post(f"/cases/{case}/again", wish="hour").status_code == 400


# --- to a colleague -----------------------------------------------------------------------------------


def test_a_case_goes_to_a_colleague_when_she_says_yes_with_its_note(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    hla = person("hla")
    counselors.set_shift(runtime, "hla", on=True)
    mya.get(f"/cases/{case}")
    assert "The note is kept." in mya.post(f"/cases/{case}/note", note=NOTE).text
    assert "Ask hla" in mya.get(f"/cases/{case}/colleagues").text
    page = mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
    assert "hla was asked to take it over" in page.text
    assert there(runtime, case).claimed_by == account(runtime, "mya")
    assert "A colleague asks you to take over" in hla.get("/queue").text
    assert NOTE not in hla.last.text
    page = hla.post(f"/cases/{case}/take-over")
    assert "This one is yours now." in page.text
    assert NOTE in page.text
    assert there(runtime, case).claimed_by == account(runtime, "hla")
    assert NOTE not in mya.get(f"/cases/{case}").text
    mya.get("/queue")
    assert mya.post(f"/cases/{case}/call").status_code == 409


def test_an_offer_that_nobody_took_lapses_and_the_case_stays(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    hla = person("hla")
    counselors.set_shift(runtime, "hla", on=True)
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
    hla.get("/queue")
    runtime.clock.skip_to(runtime.clock.now() + timedelta(minutes=11))
    housekeeping.expire(runtime)
    page = hla.post(f"/cases/{case}/take-over")
    assert page.status_code == 409
    assert "This offer stands no longer" in page.text
    assert there(runtime, case).claimed_by == account(runtime, "mya")
    assert "A colleague asks" not in hla.get("/queue").text


def test_an_offer_holds_the_case_at_least_as_long_as_it_stands(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    person("hla")
    counselors.set_shift(runtime, "hla", on=True)
    runtime.clock.skip_to(runtime.clock.now() + timedelta(minutes=19))
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
    runtime.clock.skip_to(runtime.clock.now() + timedelta(minutes=5))
    housekeeping.expire(runtime)
    assert there(runtime, case).state is CallbackState.CLAIMED


def test_either_ends_the_offer(runtime: Runtime, mine: tuple[Browser, str], person: Person) -> None:
    mya, case = mine
    hla = person("hla")
    counselors.set_shift(runtime, "hla", on=True)
    for one in (mya, hla):
        mya.get(f"/cases/{case}")
        mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
        one.get("/queue")
        assert "The offer has ended." in one.post(f"/cases/{case}/end-offer").text
        hla.get("/queue")
        assert hla.post(f"/cases/{case}/take-over").status_code == 409
        assert there(runtime, case).claimed_by == account(runtime, "mya")


def test_nobody_else_takes_what_was_offered_to_one(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    person("hla")
    thiri = person("thiri")
    counselors.set_shift(runtime, "hla", on=True)
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
    thiri.get("/queue")
    assert thiri.post(f"/cases/{case}/take-over").status_code == 409
    assert thiri.get(f"/cases/{case}/colleagues").status_code == 404


def test_who_is_off_shift_or_gone_is_not_asked(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    person("hla")
    assert "Nobody else is there just now." in mya.get(f"/cases/{case}/colleagues").text
    mya.get(f"/cases/{case}")
    assert mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla")).status_code == 409
    assert mya.post(f"/cases/{case}/colleagues", taker="nobody").status_code == 409


def test_what_was_given_back_meanwhile_cannot_be_taken_over(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    hla = person("hla")
    counselors.set_shift(runtime, "hla", on=True)
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/colleagues", taker=account(runtime, "hla"))
    mya.post(f"/cases/{case}/release")
    hla.get("/queue")
    assert "A colleague asks" not in hla.last.text
    assert hla.post(f"/cases/{case}/take-over").status_code == 409
    assert there(runtime, case).state is CallbackState.WAITING
