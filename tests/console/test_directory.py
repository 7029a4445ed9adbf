from datetime import timedelta

import pytest
from console.browser import Asked, Browser, Person
from sqlalchemy import select

from gateway.runtime import Runtime
from gateway.services import directory as service
from gateway.store import callbacks as rows
from gateway.store import directory
from gateway.store.callbacks import CallbackState
from gateway.store.counselors import Role

RICE = {
    "name": "Rice on Fridays",
    "kind": "food",
    "language": "my",
    "offers": "Two bags of rice for a family.",
    "reach": "Ask at any monastery of the quarter.",
}


def day(runtime: Runtime, days: int) -> str:
    return (runtime.clock.now() + timedelta(days=days)).date().isoformat()


@pytest.fixture
def lead(person: Person) -> Browser:
    return person("lead", Role.COORDINATOR)


@pytest.fixture
def rice(runtime: Runtime, lead: Browser) -> str:
    """An entry that is true for a month."""
    lead.get("/services/new")
    assert lead.post("/services/new", **RICE, last_day=day(runtime, 30)).status_code == 200
    with runtime.database.read() as session:
        return str(session.execute(select(directory.directory.c.id)).scalar_one())


@pytest.fixture
def mine(person: Person, asked: Asked) -> tuple[Browser, str]:
    case = asked("mango-cat", "morning")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    return mya, case


def test_an_entry_says_what_how_until_when_and_who_asked_there(rice: str, person: Person) -> None:
    page = person("mya").get("/services").text
    for words in (RICE["name"], RICE["offers"], RICE["reach"], "food", "Burmese", "true until", "by lead"):
        assert words in page
    assert "Check or change" not in page


def test_where_help_is_does_not_lie_open_in_the_database_and_is_never_mark_up(
    runtime: Runtime, lead: Browser, rice: str
) -> None:
    with runtime.database.read() as session:
        row = repr(session.execute(select(directory.directory)).all())
    for words in (RICE["name"], RICE["offers"], RICE["reach"]):
        assert words not in row
    lead.get(f"/services/{rice}")
    lead.post(f"/services/{rice}", **{**RICE, "offers": "<b>bold</b>"}, last_day=day(runtime, 30))
    assert "<b>bold</b>" not in lead.last.text
    assert "&lt;b&gt;bold" in lead.last.text


def test_a_word_or_a_kind_finds_it_in_the_address_alone(runtime: Runtime, rice: str, lead: Browser) -> None:
    for look in ("?q=rice", "?q=MONASTERY+quarter", "?q=", "?kind=food"):
        assert RICE["name"] in lead.get(f"/services{look}").text, look
    for look in ("?q=shoes", "?q=rice+shoes", "?kind=legal"):
        page = lead.get(f"/services{look}").text
        assert RICE["name"] not in page
        assert "Nothing is known for this." in page
    lead.get("/services/new")
    lead.post("/services/new", **{**RICE, "name": "ဆန်ဝေပေးခြင်း"}, last_day=day(runtime, 30))
    assert "ဆန်ဝေပေးခြင်း" in lead.get("/services?q=ဆန်").text


WRONG = (
    ({"name": " "}, "A name, what it offers"),
    ({"kind": "guns"}, "Choose a topic"),
    ({"language": "xx"}, "Choose a language"),
    ({"offers": "a" * 601}, "too long"),
    ({"last_day": "2020-01-01"}, "a day to come"),
    ({"last_day": "2199-01-01"}, "half a year"),
    ({"last_day": "soon"}, "a day to come"),
)


def test_what_is_wrong_is_said_and_nothing_typed_is_lost(runtime: Runtime, lead: Browser) -> None:
    for wrong, told in WRONG:
        lead.get("/services/new")
        page = lead.post("/services/new", **({**RICE, "last_day": day(runtime, 30)} | wrong))
        assert page.status_code == 409
        assert told in page.text
        assert RICE["reach"] in page.text
    assert "There is no entry yet." in lead.get("/services").text


def test_checking_again_changes_the_words_and_the_day(runtime: Runtime, rice: str, person: Person) -> None:
    other = person("other", Role.COORDINATOR)
    assert RICE["offers"] in other.get(f"/services/{rice}").text
    other.post(f"/services/{rice}", **{**RICE, "offers": "One bag."}, last_day=day(runtime, 60))
    page = other.get("/services").text
    assert "One bag." in page
    assert RICE["offers"] not in page
    assert "by other" in page


def test_only_coordinators_write(rice: str, person: Person) -> None:
    mya = person("mya")
    assert mya.get("/services/new").status_code == 403
    assert mya.get(f"/services/{rice}").status_code == 403
    mya.get("/services")
    assert mya.post(f"/services/{rice}/remove").status_code == 403


def test_what_was_told_is_two_ids_and_stands_in_the_history(
    runtime: Runtime, rice: str, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    assert RICE["name"] in mya.get(f"/cases/{case}/services").text
    page = mya.post(f"/cases/{case}/services/{rice}")
    assert "Noted: they were told of it." in page.text
    assert f"They were told of: {RICE['name']}" in page.text
    mya.post(f"/cases/{case}/services/{rice}")
    with runtime.database.read() as session:
        (row,) = session.execute(select(directory.referrals)).all()
    assert (row.callback, row.entry) == (case, rice)
    assert "They were told of it" in mya.get(f"/cases/{case}/services").text


def test_what_is_over_is_shown_as_over_and_nobody_is_told_of_it(
    runtime: Runtime, rice: str, person: Person, asked: Asked
) -> None:
    runtime.clock.skip_to(runtime.clock.now() + timedelta(days=32))
    mya, case = person("mya"), asked()
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    page = mya.get(f"/cases/{case}/services").text
    assert "No longer true since" in page
    assert f"/services/{rice}" not in page
    refused = mya.post(f"/cases/{case}/services/{rice}")
    assert refused.status_code == 409
    assert "Nobody may be told of it." in refused.text


def test_nobody_tells_from_a_colleagues_case(rice: str, mine: tuple[Browser, str], person: Person) -> None:
    _, case = mine
    hla = person("hla")
    assert hla.get(f"/cases/{case}/services").status_code == 404
    hla.get("/queue")
    assert hla.post(f"/cases/{case}/services/{rice}").status_code in (404, 409)


def test_coordinators_see_how_many_were_told_and_never_a_small_number(
    runtime: Runtime, rice: str, lead: Browser, asked: Asked, person: Person
) -> None:
    mya = person("mya")
    (account,) = accounts(runtime, "mya")
    for at in range(5):
        if at == 4:
            assert "told of it: &lt;5 this month, 0 last month" in lead.get("/services").text
        case = asked(runtime.library.handles[at])
        with runtime.database.write() as session:
            rows.change(session, case, state=CallbackState.CLAIMED, claimed_by=account)
        service.refer(runtime, case, account, rice)
    assert "told of it: 5 this month, 0 last month" in lead.get("/services").text
    assert "told of it:" not in mya.get("/services").text


def accounts(runtime: Runtime, alias: str) -> list[str]:
    from gateway.services import counselors

    return [one.id for one in counselors.everyone(runtime) if one.alias == alias]


def test_a_removed_entry_takes_what_was_told_of_it_along(
    runtime: Runtime, rice: str, lead: Browser, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/services/{rice}")
    lead.get(f"/services/{rice}")
    assert "Taken out." in lead.post(f"/services/{rice}/remove").text
    assert RICE["name"] not in mya.get(f"/cases/{case}").text
    with runtime.database.read() as session:
        assert session.execute(select(directory.referrals)).all() == []


def test_a_long_list_is_a_short_page_on_a_slow_line(runtime: Runtime, lead: Browser) -> None:
    (account,) = accounts(runtime, "lead")
    until = runtime.clock.now() + timedelta(days=9)
    for number in range(45):
        text = f"မိသားစုတစ်စုကို ဆန်နှစ်ပြည် {number}။ " * 4
        draft = service.Draft("food", service.Words(f"ဆန် {number}", text, text), ("my", "en"), until)
        service.keep(runtime, account, draft)
    page = lead.get("/services?lang=my", **{"Accept-Encoding": "gzip"})
    assert len(page.data) < 15_000
    assert "စကားလုံးနဲ့ ရှာပါ" in lead.get("/services").text  # there are more than are shown
    assert lead.last.text.count('class="handle"') == 40
