"""The first button: stopping everything; behind it destroying; and forgetting somebody on the page of the case."""

from console.browser import Asked, Person
from sqlalchemy import select

from gateway.runtime import Runtime
from gateway.services import halting, signing_in
from gateway.store.contacts import contacts, forbidden
from gateway.store.counselors import Role, accounts


def code(runtime: Runtime, alias: str) -> str:
    return signing_in.current_code(runtime, alias) or ""


def rows(runtime: Runtime, table: object) -> int:
    with runtime.database.read() as session:
        return len(list(session.execute(select(table))))  # type: ignore[call-overload]


def test_a_coordinator_stops_everything_with_two_presses_and_is_signed_out(
    runtime: Runtime, person: Person
) -> None:
    lead = person("lead", Role.COORDINATOR)
    home = lead.get("/queue")
    assert home.text.index("/console/stop") < home.text.index("/console/shifts"), "the first of all"
    stop = lead.get("/stop")
    assert "Nothing is destroyed" in stop.text
    lead.post("/stop/lock")
    runtime.switches.forget()
    assert runtime.switches.halted
    assert "/console/queue" not in lead.get("/queue").text, "signed out"


def test_while_it_is_stopped_nobody_sees_a_case_and_only_an_admin_lets_it_go_on(
    runtime: Runtime, person: Person, asked: Asked
) -> None:
    asked("mango-river")
    halting.lock(runtime, by=None)
    helper, boss = person("helper"), person("boss", Role.ADMIN)
    for who in (helper, boss):
        assert "mango" not in who.get("/queue").text
    assert "Only an admin can let it go on" in helper.get("/stop").text
    assert helper.post("/stop/unlock", code="1").status_code == 403
    boss.get("/stop")
    assert boss.post("/stop/unlock", code="000000").status_code == 409
    boss.post("/stop/unlock", code=code(runtime, "boss"))
    assert not runtime.switches.halted
    assert "Mango" in helper.get("/queue").text or "mango" in helper.get("/queue").text


def test_destroying_wants_code_and_word(runtime: Runtime, person: Person) -> None:
    boss = person("boss", Role.ADMIN)
    wrong = boss.post("/stop/wipe", code=code(runtime, "boss"), word="no")
    assert wrong.status_code == 409
    assert rows(runtime, accounts) == 1
    done = boss.post("/stop/wipe", code=code(runtime, "boss"), word="destroy")
    assert done.status_code == 200
    assert rows(runtime, accounts) == 0


def test_a_counselor_forgets_the_person_of_her_case_and_says_what_may_stay(
    runtime: Runtime, person: Person, asked: Asked
) -> None:
    case, helper = asked("mango-river"), person("helper")
    helper.post(f"/cases/{case}/claim")
    assert helper.post(f"/cases/{case}/forget").status_code == 409, "the box is not ticked"
    assert rows(runtime, contacts) == 1
    helper.post(f"/cases/{case}/forget", sure="1", keep_out="1")
    assert rows(runtime, forbidden) == 1
