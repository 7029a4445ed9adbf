import re
from datetime import timedelta

import pytest
from console.browser import Asked, Browser, Person

from gateway.queue import JOB_END_CALL
from gateway.runtime import Runtime
from gateway.store import callbacks as rows
from gateway.store import legs, outbox
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Role
from gateway.store.legs import LegKind

NOTE = "Wants to hear about training again."


def state(runtime: Runtime, case: str) -> CallbackState:
    with runtime.database.read() as session:
        found = rows.get(session, case)
    assert found is not None
    return found.state


@pytest.fixture
def mine(person: Person, asked: Asked) -> tuple[Browser, str]:
    """A counselor with a case that she has just taken."""
    case = asked("mango-cat", "morning")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    return mya, case


def test_ringing_begins_with_one_press_and_says_what_comes(
    runtime: Runtime, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    page = mya.post(f"/cases/{case}/call")
    assert state(runtime, case) is CallbackState.CALLING_COUNSELOR
    for words in ("Your phone will ring in a moment.", "Your phone rings. Press 1.", "Say the two words"):
        assert words in page.text
    assert 'class="now"' in page.text


def test_before_its_time_there_is_no_ring_button_but_the_reason(
    runtime: Runtime, person: Person, asked: Asked
) -> None:
    case = asked("mango-cat", "evening")
    mya = person("mya")
    mya.get(f"/cases/{case}")
    page = mya.post(f"/cases/{case}/claim")
    assert "has not come yet" in page.text
    assert 'id="call"' not in page.text
    assert mya.post(f"/cases/{case}/call").status_code == 409
    assert state(runtime, case) is CallbackState.CLAIMED


def test_who_has_no_phone_is_told_so(person: Person, asked: Asked) -> None:
    case = asked()
    mya = person("mya", phone=False)
    mya.get("/queue")
    page = mya.post(f"/cases/{case}/claim")
    assert "There is no phone with your account" in page.text
    assert 'id="call"' not in page.text


@pytest.mark.parametrize(
    ("outcome", "to"),
    [
        ("done", CallbackState.DONE),
        ("no_answer", CallbackState.NO_ANSWER),
        ("wrong_person", CallbackState.WRONG_PERSON),
        ("not_safe", CallbackState.NOT_SAFE),
        ("later", CallbackState.WAITING),
    ],
)
def test_every_outcome_is_one_press(
    runtime: Runtime, mine: tuple[Browser, str], outcome: str, to: CallbackState
) -> None:
    mya, case = mine
    assert mya.post(f"/cases/{case}/outcome", outcome=outcome).status_code == 200
    assert state(runtime, case) is to


def test_an_outcome_we_do_not_know_changes_nothing(runtime: Runtime, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    assert mya.post(f"/cases/{case}/outcome", outcome="talking").status_code == 400
    assert state(runtime, case) is CallbackState.CLAIMED


@pytest.mark.promise(2)
def test_a_note_is_sealed_and_read_by_the_next_counselor_only(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    mya.post(f"/cases/{case}/outcome", outcome="later", note=NOTE)
    with runtime.database.read() as session:
        assert NOTE.encode() not in (rows.sealed_note(session, case) or b"")
    hla = person("hla")
    assert NOTE not in hla.get(f"/cases/{case}").text
    hla.get("/queue")
    assert NOTE in hla.post(f"/cases/{case}/claim").text
    assert NOTE not in mya.get(f"/cases/{case}").text


def test_a_note_is_not_lost_when_the_outcome_is_refused(runtime: Runtime, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    with runtime.database.write() as session:
        rows.change(session, case, state=CallbackState.TALKING)
    page = mya.post(f"/cases/{case}/outcome", outcome="later", note=NOTE)
    assert page.status_code == 409
    assert NOTE in page.text


@pytest.mark.parametrize(
    "ringing", [CallbackState.CALLING_COUNSELOR, CallbackState.CALLING_CALLER, CallbackState.TALKING]
)
def test_i_am_not_safe_ends_everything_at_any_moment(
    runtime: Runtime, mine: tuple[Browser, str], ringing: CallbackState
) -> None:
    mya, case = mine
    with runtime.database.write() as session:
        rows.change(session, case, state=ringing)
        legs.add(
            session,
            id="leg",
            kind=LegKind.COUNSELOR,
            subject=case,
            line_index=b"",
            created=runtime.clock.now(),
        )
    page = mya.get(f"/cases/{case}")
    assert "I am not safe" in page.text
    assert "Look after yourself first." in mya.post(f"/cases/{case}/unsafe").text
    assert state(runtime, case) is CallbackState.WAITING
    with runtime.database.read() as session:
        owed = session.execute(outbox.outbox.select()).all()
    assert [one.subject for one in owed if one.job == JOB_END_CALL] == ["leg"]


def test_giving_back_returns_it_to_the_queue_with_its_history(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    mya, case = mine
    assert "Given back." in mya.post(f"/cases/{case}/release").text
    assert state(runtime, case) is CallbackState.WAITING
    page = person("lead", Role.COORDINATOR).get(f"/cases/{case}")
    for words in ("Asked to be rung", "Taken", "Given back", "mya"):
        assert words in page.text


@pytest.mark.promise(3)
def test_a_colleagues_case_shows_neither_history_nor_note(mine: tuple[Browser, str], person: Person) -> None:
    _, case = mine
    page = person("hla").get(f"/cases/{case}")
    assert "A colleague is with this request." in page.text
    assert "What happened so far" not in page.text
    assert "How did it go?" not in page.text


@pytest.mark.promise(3)
def test_nobody_acts_on_a_colleagues_case(
    runtime: Runtime, mine: tuple[Browser, str], person: Person
) -> None:
    _, case = mine
    hla = person("hla")
    for path, form in (("call", {}), ("release", {}), ("outcome", {"outcome": "done"})):
        hla.get("/queue")
        assert hla.post(f"/cases/{case}/{path}", **form).status_code == 409
    assert state(runtime, case) is CallbackState.CLAIMED


def test_what_is_sent_twice_is_no_fault(runtime: Runtime, mine: tuple[Browser, str]) -> None:
    """From a second tab, or again because the answer got lost."""
    mya, case = mine
    mya.get(f"/cases/{case}")
    assert "Somebody else was faster" not in mya.post(f"/cases/{case}/claim").text
    assert state(runtime, case) is CallbackState.CLAIMED
    for _ in range(2):
        mya.get("/queue")
        assert mya.post(f"/cases/{case}/unsafe").status_code == 200
        assert state(runtime, case) is CallbackState.WAITING


def test_a_closed_case_says_how_it_ended_and_offers_nothing(
    runtime: Runtime, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    mya.post(f"/cases/{case}/outcome", outcome="done")
    page = mya.get(f"/cases/{case}")
    assert "This request is closed: done." in page.text
    assert 'name="note"' not in page.text
    assert "How did it go?" not in page.text


def test_a_case_that_was_withdrawn_meanwhile_is_seen_at_the_next_look(
    runtime: Runtime, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    first = mya.get(f"/cases/{case}?part=live")
    with runtime.database.write() as session:
        rows.change(session, case, state=CallbackState.WITHDRAWN, ended=runtime.clock.now())
    later = mya.get(f"/cases/{case}?part=live", **{"If-None-Match": first.headers["ETag"]})
    assert "withdrawn" in later.text


def test_what_never_was_is_not_found(person: Person) -> None:
    mya = person("mya")
    assert mya.get("/cases/nothing").status_code == 404
    mya.get("/queue")
    assert mya.post("/cases/nothing/claim").status_code == 409


@pytest.mark.promise(1)
def test_no_page_holds_a_number_or_the_callers_own_key(
    runtime: Runtime, mine: tuple[Browser, str], person: Person, asked: Asked
) -> None:
    mya, case = mine
    lead = person("lead", Role.COORDINATOR)
    pages = [
        mya.get("/queue"), mya.get(f"/cases/{case}"), lead.get("/people"), lead.get("/standing"),
        lead.get(f"/cases/{case}"), lead.get("/sign-in"),
    ]  # fmt: skip
    digits = re.compile(
        r"\d{7,}"
    )  # no code, handle or time is as long; ids and tokens stand in attributes only
    for page in pages:
        assert not digits.search(re.sub(r"<[^>]*>", " ", page.text).replace(" ", ""))
        assert not re.search(r"own.?key|\+95|\+1202", page.text)


def test_a_case_page_is_few_statements(mine: tuple[Browser, str], statements: list[str]) -> None:
    mya, case = mine
    statements.clear()
    mya.get(f"/cases/{case}")
    assert len(statements) <= 12


def test_the_lease_is_shown_in_the_hotlines_own_time(runtime: Runtime, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    until = (runtime.clock.now() + timedelta(minutes=20)).astimezone(runtime.settings.timezone)
    assert f"Kept for you until {until:%H:%M}" in mya.get(f"/cases/{case}").text
