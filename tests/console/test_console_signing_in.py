from collections.abc import Callable
from dataclasses import replace

import pytest
from console.browser import Browser, Person
from flask import Flask

from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import counselors, demo, ending, signing_in
from gateway.store.counselors import Role

WRONG = "That was not right."


def test_both_factors_open_the_queue(person: Person, browser: Callable[[], Browser]) -> None:
    page = person("mya").get("/queue")
    assert page.status_code == 200
    assert "Who waits" in page.text


def test_the_cookie_is_small_signed_and_only_for_the_console(person: Person) -> None:
    mya = person("mya")
    (cookie,) = [mya.client.get_cookie("notes", path="/console")]
    assert cookie is not None
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    assert cookie.path == "/console"


@pytest.mark.promise(27)
@pytest.mark.parametrize("wrong", ["alias", "password", "code"])
def test_whatever_is_wrong_the_answer_is_the_same(
    runtime: Runtime, browser: Callable[[], Browser], person: Person, wrong: str
) -> None:
    person("mya")
    someone = browser()
    someone.get("/sign-in")
    right = {
        "alias": "mya",
        "password": "lantern-ferry-mango",
        "code": signing_in.current_code(runtime, "mya") or "",
    }
    page = someone.post("/sign-in", **(right | {wrong: "000000"}))
    assert page.status_code == 409
    assert WRONG in page.text
    assert someone.get("/queue").status_code == 303


@pytest.mark.promise(27)
def test_a_code_works_once(runtime: Runtime, browser: Callable[[], Browser], person: Person) -> None:
    counselors.add(runtime, "mya", Role.COUNSELOR, "lantern-ferry-mango", number=None)
    code = signing_in.current_code(runtime, "mya") or ""
    answers = []
    for _ in range(2):
        someone = browser()
        someone.get("/sign-in")
        answers.append(someone.post("/sign-in", alias="mya", password="lantern-ferry-mango", code=code))
    assert [answer.status_code for answer in answers] == [200, 409]


def test_what_was_typed_as_a_name_stays_and_is_escaped(browser: Callable[[], Browser]) -> None:
    someone = browser()
    someone.get("/sign-in")
    page = someone.post("/sign-in", alias='"><b>', password="x", code="1")
    assert 'value="&#34;&gt;&lt;b&gt;"' in page.text


def test_the_demo_shows_its_ready_accounts_with_a_code_that_works(
    runtime: Runtime, browser: Callable[[], Browser]
) -> None:
    demo.prepare(runtime, {"counselor": Msisdn.parse("+12025550142")})
    someone = browser()
    page = someone.get("/sign-in")
    for alias, password in demo.DEMO_ACCOUNTS:
        assert alias in page.text
        assert password in page.text
    alias, password = demo.DEMO_ACCOUNTS[0]
    code = signing_in.current_code(runtime, alias) or ""
    assert code in page.text
    assert "Who waits" in someone.post("/sign-in", alias=alias, password=password, code=code).text


def test_outside_of_the_demo_no_account_is_shown(runtime: Runtime) -> None:
    demo.prepare(runtime, {"counselor": Msisdn.parse("+12025550142")})
    real = replace(runtime, settings=replace(runtime.settings, mode="production"))
    page = create_app(real).test_client().get("/console/sign-in")
    assert page.status_code == 200
    assert demo.DEMO_ACCOUNTS[0][1] not in page.text
    assert "/simulator/" not in page.text


@pytest.mark.parametrize("way", ["leave", "sign out"])
def test_leaving_ends_the_session_itself_and_not_only_the_cookie(person: Person, way: str) -> None:
    mya = person("mya")
    cookie = mya.client.get_cookie("notes", path="/console")
    answer = mya.get("/leave") if way == "leave" else mya.post("/sign-out", follow=False)
    assert answer.status_code == 303
    mya.client.set_cookie("notes", cookie.value, path="/console")  # kept by somebody who copied it
    assert mya.get("/queue").headers["Location"].endswith("/sign-in")


def test_leaving_goes_to_an_ordinary_place_that_learns_nothing(person: Person) -> None:
    answer = person("mya").get("/leave")
    assert answer.headers["Location"] == "https://www.google.com/"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.promise(28)
def test_an_ended_account_is_out_at_once(runtime: Runtime, person: Person) -> None:
    mya = person("mya")
    ending.disable(runtime, "mya")
    assert mya.get("/queue").status_code == 303


def test_the_language_is_the_accounts_own_and_can_be_chosen(
    runtime: Runtime, app: Flask, person: Person
) -> None:
    mya = person("mya")
    assert 'lang="en"' in mya.get("/queue").text
    assert '<html lang="my">' in mya.get("/queue?lang=my").text
    assert '<html lang="my">' in mya.get("/queue").text


def test_before_signing_in_the_browser_decides_and_burmese_is_the_first_language(
    browser: Callable[[], Browser], app: Flask
) -> None:
    client = app.test_client()
    assert '<html lang="my">' in client.get("/console/sign-in").text
    assert '<html lang="en">' in client.get("/console/sign-in", headers={"Accept-Language": "en-GB"}).text
