import re
from datetime import timedelta

from console.browser import Asked, Person
from werkzeug.test import TestResponse

from gateway.runtime import Runtime
from gateway.services.callbacks import LEASE
from gateway.services.housekeeping import expire
from gateway.store import callbacks as rows
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Role

FIRST_PAGE, LATER_PAGE, STATEMENTS = 50_000, 15_000, 9


def handles(page: TestResponse) -> list[str]:
    return re.findall(r'<b class="handle">([^<]+)</b>', page.text)


def test_an_empty_queue_says_so_kindly(person: Person) -> None:
    assert "Nobody waits just now." in person("mya").get("/queue").text


def test_who_waits_is_shown_in_words_of_both_languages_with_why_and_when(
    person: Person, asked: Asked
) -> None:
    asked("mango-cat", ago=timedelta(minutes=10))
    page = person("mya").get("/queue")
    for words in (
        "mango cat",
        "သရက်သီး",
        "within the hour",
        "Burmese",
        "asked 09:5",
        "safe now, until 10:3",
        "Next:",
    ):
        assert words in page.text


def test_mine_comes_first_then_who_may_be_rung_then_who_may_be_later(
    runtime: Runtime, person: Person, asked: Asked
) -> None:
    asked("mango-cat", "evening")
    asked("mango-horse", "hour", ago=timedelta(minutes=2))
    asked("banana-cat", "hour", ago=timedelta(minutes=9))
    mine = asked("banana-horse", "hour")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{mine}/claim")
    assert handles(mya.get("/queue")) == ["banana horse", "banana cat", "mango horse", "mango cat"]


def test_taking_one_opens_it(person: Person, asked: Asked) -> None:
    case = asked()
    mya = person("mya")
    mya.get("/queue")
    page = mya.post(f"/cases/{case}/claim")
    assert "This one is yours." in page.text
    assert page.request.path == f"/console/cases/{case}"


def test_who_comes_second_is_told_kindly(person: Person, asked: Asked) -> None:
    case = asked()
    mya, hla = person("mya"), person("hla")
    mya.get("/queue")
    hla.get("/queue")
    mya.post(f"/cases/{case}/claim")
    page = hla.post(f"/cases/{case}/claim")
    assert page.status_code == 409
    assert "Somebody else was faster." in page.text
    assert "Who waits" in page.text


def test_a_look_again_costs_nothing_while_nothing_changed(person: Person, asked: Asked) -> None:
    asked()
    mya = person("mya")
    first = mya.get("/queue?part=live")
    assert first.status_code == 200
    again = mya.get("/queue?part=live", **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    asked("banana-cat")
    after = mya.get("/queue?part=live", **{"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    assert "banana cat" in after.text


def test_the_part_looked_at_again_is_the_part_of_the_page(person: Person, asked: Asked) -> None:
    asked()
    mya = person("mya")
    whole, part = mya.get("/queue"), mya.get("/queue?part=live")
    sign = re.compile(r'value="[^"]{40,}"')
    assert sign.sub("", part.text).strip() in sign.sub("", whole.text)
    assert "<html" not in part.text


def test_a_long_queue_is_few_statements_and_few_bytes(
    runtime: Runtime, person: Person, asked: Asked, statements: list[str]
) -> None:
    for handle in runtime.library.handles[:60]:
        asked(handle)
    mya = person("mya", language="my")
    mya.get("/queue?lang=my")
    statements.clear()
    page = mya.get("/queue", **{"Accept-Encoding": "gzip"})
    asked_of_it = len(statements)
    plain = mya.get("/queue")
    assert asked_of_it <= STATEMENTS, statements
    assert plain.text.count('class="button"') == 50
    assert len(plain.data) < FIRST_PAGE  # even where nothing is packed
    files = set(re.findall(r'(?:href|src)="/console(/static/[^"]+)"', plain.text))
    assert len(files) == 4
    sent = [mya.get(file, **{"Accept-Encoding": "gzip"}) for file in files]
    first = len(page.data) + sum(len(one.data) for one in sent)
    later = len(mya.get("/queue?part=live", **{"Accept-Encoding": "gzip"}).data)
    assert first <= FIRST_PAGE
    assert later <= LATER_PAGE


def test_a_shift_begins_and_ends_with_a_button(runtime: Runtime, person: Person) -> None:
    mya = person("mya")
    mya.get("/queue")
    assert "You are on shift." in mya.post("/shift", on="1").text
    assert "You are off shift. Rest well." in mya.post("/shift", on="0").text


def test_without_a_phone_nobody_goes_on_shift(person: Person) -> None:
    mya = person("mya", phone=False)
    mya.get("/queue")
    page = mya.post("/shift", on="1")
    assert page.status_code == 409
    assert "There is no phone with your account" in page.text


def test_a_talk_that_nobody_closed_can_be_looked_into(runtime: Runtime, person: Person, asked: Asked) -> None:
    case = asked("mango-cat", "morning")
    mya, hla = person("mya"), person("hla", Role.COORDINATOR)
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    with runtime.database.write() as session:
        rows.change(session, case, reached=1)
    runtime.clock.skip_to(runtime.clock.now() + LEASE + timedelta(minutes=1))
    expire(runtime)
    mya.get("/queue")
    assert "only a coordinator can take it" in mya.post(f"/cases/{case}/claim").text
    page = hla.get("/queue")
    assert "Nobody said how it went" in page.text
    assert hla.post(f"/cases/{case}/claim").status_code == 200
    assert "Thank you. It is noted" in hla.post(f"/cases/{case}/outcome", outcome="done").text
    with runtime.database.read() as session:
        assert rows.get(session, case).state is CallbackState.DONE


def test_of_two_who_look_into_the_same_one_wins(runtime: Runtime, person: Person, asked: Asked) -> None:
    case = asked("mango-cat", "morning")
    with runtime.database.write() as session:
        rows.change(session, case, state=CallbackState.UNCERTAIN)
    one, hla = person("one", Role.COORDINATOR), person("hla", Role.COORDINATOR)
    one.get("/queue")
    assert one.post(f"/cases/{case}/claim").status_code == 200
    hla.get("/queue")
    assert hla.post(f"/cases/{case}/claim").status_code == 409


def test_a_request_whose_time_is_over_is_not_offered(runtime: Runtime, person: Person, asked: Asked) -> None:
    asked()
    runtime.clock.skip_to(runtime.clock.now() + timedelta(hours=1))
    assert "Nobody waits just now." in person("mya").get("/queue").text
