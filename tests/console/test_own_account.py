"""My account, sessions, the door after five idle minutes, ending accounts, and the audit."""

import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
from argon2 import _password_hasher
from console.browser import PASSWORD, Asked, Browser, Person
from flask import Flask
from real_hotline import until
from sqlalchemy import update

from gateway import serving
from gateway.errors import Refused
from gateway.runtime import Runtime
from gateway.services import casework, counselors, ending, factors, signing_in
from gateway.services.signing_in import Origin, current_code
from gateway.store import counselors as store
from gateway.store.counselors import Role

NEW = "window-salt-bicycle"


def idle(runtime: Runtime, minutes: float = 6) -> None:
    """Nobody has touched any page for so long."""
    then = datetime.now(UTC) - timedelta(minutes=minutes)
    with runtime.database.write() as session:
        session.execute(update(store.sessions).values(seen=then))


def with_short_code(person: Person, alias: str = "mya", role: Role = Role.COUNSELOR) -> Browser:
    mya = person(alias, role)
    mya.get("/account")
    assert "is kept" in mya.post("/account/short-code", unlock="2468", password=PASSWORD).text
    return mya


# --- the door after five idle minutes -------------------------------------------------------------------


def test_after_five_idle_minutes_every_page_is_shut_until_the_short_code(
    person: Person, runtime: Runtime
) -> None:
    mya = with_short_code(person)
    idle(runtime)
    page = mya.get("/programmes?lang=en").text
    assert "Still you?" in page
    assert "Programmes" not in page
    assert "mya" not in page, "whoever finds the screen is not told whose it is"
    opened = mya.post("/locked", code="2468", kept=re.search(r'name="kept" value="([^"]+)"', page)[1])
    assert "Programmes" in opened.text
    assert mya.get("/queue").status_code == 200


def test_in_burmese_digits_too(person: Person, runtime: Runtime) -> None:
    mya = with_short_code(person)
    idle(runtime)
    mya.get("/queue")
    assert "Who waits" in mya.post("/locked", code="၂၄၆၈").text


def test_a_page_that_looks_again_by_itself_keeps_nobody_signed_in(person: Person, runtime: Runtime) -> None:
    mya = with_short_code(person)
    idle(runtime, minutes=4)
    assert mya.get("/queue?part=live").status_code == 200
    assert mya.get("/queue?again=1").status_code == 200
    idle(runtime)
    answer = mya.get("/queue?part=live")
    assert answer.headers["Location"].endswith("/locked")


def test_a_note_that_was_sent_while_shut_is_offered_again_and_the_claim_survives(
    person: Person, runtime: Runtime, asked: Asked
) -> None:
    mya, case = with_short_code(person), asked()
    account = counselors.known(runtime, "mya")
    casework.claim(runtime, case, account.id)
    mya.get(f"/cases/{case}")
    idle(runtime)
    door = mya.post(f"/cases/{case}/outcome", outcome="done", note="wants <b>food</b>").text
    assert "Still you?" in door
    assert "wants" not in door, "what was written is sealed in the page"
    kept = re.search(r'name="kept" value="([^"]+)"', door)[1]
    assert "not right" in mya.post("/locked", code="9999", kept=kept).text
    kept = re.search(r'name="kept" value="([^"]+)"', mya.last.text)[1]
    offered = mya.post("/locked", code="2468", kept=kept).text
    assert "wants &lt;b&gt;food&lt;/b&gt;" in offered
    action = re.search(r'<form method="post" action="/console(/cases/[^"]+)"', offered)[1]
    assert "it is noted" in mya.post(action, outcome="done", note="wants <b>food</b>").text.lower()


def test_what_another_page_sent_while_shut_is_not_kept(person: Person, runtime: Runtime) -> None:
    mya = with_short_code(person)
    idle(runtime)
    mya.last = None
    door = mya.post("/shift", on="1").text
    kept = re.search(r'name="kept" value="([^"]+)"', door)[1]
    assert "Who waits" in mya.post("/locked", code="2468", kept=kept).text
    assert not counselors.known(runtime, "mya").on_shift


def test_what_is_kept_opens_in_the_own_session_only(person: Person, runtime: Runtime) -> None:
    mya, hla = with_short_code(person), with_short_code(person, "hla")
    idle(runtime)
    kept = re.search(r'name="kept" value="([^"]+)"', mya.get("/programmes").text)[1]
    hla.get("/queue")
    answer = hla.post("/locked", code="2468", kept=kept, follow=False)
    assert answer.headers["Location"].endswith("/console/")


@pytest.mark.promise(27)
def test_five_wrong_short_codes_end_the_session(person: Person, runtime: Runtime) -> None:
    mya = with_short_code(person)
    idle(runtime)
    mya.get("/queue")
    for _ in range(4):
        assert "not right" in mya.post("/locked", code="1357").text
    assert "signed out" in mya.post("/locked", code="1357").text
    assert mya.get("/queue").headers["Location"].endswith("/sign-in")


def test_without_a_short_code_the_reader_opens(person: Person, runtime: Runtime) -> None:
    mya = person("mya")
    idle(runtime)
    assert "from your code reader" in mya.get("/queue").text
    assert "Who waits" in mya.post("/locked", code=current_code(runtime, "mya") or "").text


def test_a_session_ends_after_eight_hours(person: Person, runtime: Runtime) -> None:
    mya = person("mya")
    with runtime.database.write() as session:
        session.execute(update(store.sessions).values(expires=datetime.now(UTC)))
    assert mya.get("/queue").headers["Location"].endswith("/sign-in")
    assert timedelta(hours=8) >= signing_in.SESSION_LIVES


# --- what ends sessions ---------------------------------------------------------------------------------


def change_password(mya: Browser, lead: Browser) -> None:
    mya.get("/account")
    assert "Sign in with the new" in mya.post("/account/password", password=PASSWORD, new=NEW, again=NEW).text


def change_reader(mya: Browser, lead: Browser) -> None:
    mya.get("/account")
    page = mya.post("/account/reader", password=PASSWORD).text
    secret = re.search(r'class="digits secret">([A-Z2-7 ]+)<', page)[1].replace(" ", "")
    sealed = re.search(r'name="sealed" value="([^"]+)"', page)[1]
    assert "were not right" in mya.post("/account/reader/new", sealed=sealed, first="000000").text
    assert "new reader counts" in mya.post(
        "/account/reader/new", sealed=sealed, first=pyotp.TOTP(secret).now()
    ).text  # fmt: skip


def by_a_coordinator(way: str) -> Callable[[Browser, Browser], None]:
    def end(mya: Browser, lead: Browser) -> None:
        account = counselors.known(lead.runtime, "mya")
        lead.get(f"/people/{account.id}")
        assert lead.post(f"/people/{account.id}/{way}", role="auditor").status_code == 200

    return end


ENDS = {
    "password": change_password,
    "reader": change_reader,
    **{way: by_a_coordinator(way) for way in ("role", "disable", "captured", "sessions")},
}


@pytest.mark.promise(28)
@pytest.mark.parametrize("way", ENDS)
def test_all_sessions_of_an_account_end_at_once(
    person: Person, browser: Callable[[], Browser], way: str
) -> None:
    mya, lead = person("mya"), person("lead", Role.COORDINATOR)
    elsewhere = browser().sign_in("mya")
    assert elsewhere.get("/queue").status_code == 200
    ENDS[way](mya, lead)
    for one in (mya, elsewhere):
        assert one.get("/queue").headers["Location"].endswith("/sign-in")
    assert lead.get("/queue").status_code == 200


def test_sessions_are_listed_by_kind_of_device_and_ended_one_by_one(
    person: Person, browser: Callable[[], Browser]
) -> None:
    mya, other = person("mya"), browser()
    firefox = "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"
    other.client.environ_base["HTTP_USER_AGENT"] = firefox
    other.sign_in("mya")
    page = mya.get("/account").text
    assert "Android · Firefox" in page
    assert "127.0.0.1" not in re.sub(r'href="[^"]+"', "", page)
    ends = re.findall(r'action="/console(/account/sessions/[0-9a-f]+)"', page)
    assert len(ends) == 2
    assert "Ended there" in mya.post(ends[0]).text
    assert other.get("/queue").status_code == 303
    assert mya.get("/queue").status_code == 200


def test_nobody_ends_anothers_session_through_their_own_page(person: Person) -> None:
    mya, hla = person("mya"), person("hla")
    end = re.search(r'action="/console(/account/sessions/[0-9a-f]+)"', mya.get("/account").text)[1]
    hla.get("/account")
    assert hla.post(end).status_code == 409
    assert mya.get("/queue").status_code == 200


# --- factors --------------------------------------------------------------------------------------------


def test_a_recovery_code_stands_for_the_reader_once(person: Person, browser: Callable[[], Browser]) -> None:
    mya = person("mya")
    mya.get("/account")
    page = mya.post("/account/recovery", password=PASSWORD).text
    codes = re.findall(r'<li class="digits">(\d{5} \d{5})<', page)
    assert len(set(codes)) == factors.RECOVERY_CODES
    answers = []
    for _ in range(2):
        someone = browser()
        someone.get("/sign-in")
        answers.append(someone.post("/sign-in", alias="mya", password=PASSWORD, code=codes[0]).status_code)
    assert answers == [200, 409]
    assert "Recovery codes: 9 left" in mya.get("/account").text


@pytest.mark.parametrize("way", ["password", "reader", "recovery", "short-code", "phone", "passkeys"])
def test_what_would_open_the_account_to_another_asks_for_the_password(person: Person, way: str) -> None:
    mya = person("mya")
    mya.get("/account")
    page = mya.post(f"/account/{way}", password="not this one", unlock="2468", new=NEW, again=NEW)
    assert page.status_code == 409
    assert "The password was not right" in page.text
    assert mya.get("/queue").status_code == 200


def test_a_phone_is_changed_and_removed_and_never_shown(person: Person, runtime: Runtime) -> None:
    mya = person("mya")
    mya.get("/account")
    form = {"password": PASSWORD, "number": "+95 9 790 000 777"}
    assert "callers&#39; country" in mya.post("/account/phone", **form).text
    assert "sealed" in mya.post("/account/phone", **form, accepted="1").text
    assert "790000777" not in mya.last.text
    assert "The number is gone" in mya.post("/account/phone", password=PASSWORD, number="").text
    assert not counselors.known(runtime, "mya").has_phone


# --- guessing -------------------------------------------------------------------------------------------


def test_a_known_and_an_unknown_name_take_the_same_work(
    person: Person, runtime: Runtime, statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    person("mya")
    person("gone")
    ending.disable(runtime, "gone")
    verified: list[bytes] = []
    verify = _password_hasher.verify_secret
    monkeypatch.setattr(
        _password_hasher,
        "verify_secret",
        lambda hashed, *rest: (verified.append(hashed), verify(hashed, *rest)),
    )
    work = []
    for alias in ("mya", "nobody", "gone"):
        for _ in range(6):  # the last ones wait
            statements.clear()
            verified.clear()
            with pytest.raises(Exception, match="sign_in"):
                signing_in.sign_in(
                    runtime, alias, "wrong wrong wrong", "000000", Origin(network="10.0.0.1/32")
                )
            shapes = [hashed.split(b"$")[3] for hashed in verified]
            work.append((shapes, list(statements)))
    assert work[:6] == work[6:12] == work[12:]
    assert all(len(shapes) == 1 for shapes, _ in work)


@pytest.mark.promise(27)
def test_who_has_the_password_and_guesses_the_code_from_many_networks_waits(
    person: Person, runtime: Runtime
) -> None:
    person("mya")
    for guess in range(8):
        with pytest.raises(Exception, match="sign_in"):
            signing_in.sign_in(runtime, "mya", PASSWORD, "000000", Origin(network=f"10.0.0.{guess}/32"))
    code = current_code(runtime, "mya") or ""
    with pytest.raises(Exception, match="sign_in"):
        signing_in.sign_in(runtime, "mya", PASSWORD, code, Origin(network="10.1.0.0/32"))


@pytest.mark.promise(27)
def test_hammering_at_a_name_from_elsewhere_keeps_a_new_device_of_the_owner_not_out(
    person: Person, runtime: Runtime
) -> None:
    person("mya")
    for guess in range(8):
        with pytest.raises(Exception, match="sign_in"):
            signing_in.sign_in(runtime, "mya", f"wrong wrong {guess}", "0", Origin(network="10.0.0.1/32"))
    code = current_code(runtime, "mya") or ""
    assert signing_in.sign_in(runtime, "mya", PASSWORD, code, Origin(network="10.0.0.2/32"))


# --- many who try at once -------------------------------------------------------------------------------


def tried(one: Browser, alias: str, password: str = PASSWORD, code: str = "") -> tuple[int, str]:
    one.get("/sign-in")
    page = one.post("/sign-in", alias=alias, password=password, code=code)
    return page.status_code, page.text


def test_a_crowd_at_the_door_leaves_a_thread_for_callers_and_a_place_for_who_is_known(
    person: Person,
    runtime: Runtime,
    browser: Callable[[], Browser],
    statements: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(factors, "PATIENCE", 60.0)
    mya = person("mya")
    with runtime.database.write() as session:
        recovery = factors.new_recovery_codes(session, runtime, counselors.known(runtime, "mya").id)
    later: list[str] = []

    def comes(who: str, one: Browser, alias: str, code: str) -> threading.Thread:
        def go() -> None:
            assert tried(one, alias, code=code)[0] == (200 if alias == "mya" else 409)
            later.append(who)

        thread = threading.Thread(target=go)
        thread.start()
        return thread

    with factors.TURNS.take(known=False):
        threads = [comes("stranger", browser(), "nobody", "000000")]
        until(lambda: factors.TURNS.inside == 2, 30)
        for alias in ("mya", "nobody"):
            someone = browser()
            someone.get("/sign-in")
            statements.clear()
            code, page = tried(someone, alias)
            assert (code, "send it once more" in page) == (429, True)
            assert not [one for one in statements if one.startswith(("INSERT", "UPDATE", "DELETE"))]
        threads.append(comes("owner", mya, "mya", current_code(runtime, "mya") or ""))
        until(lambda: factors.TURNS.inside == factors.PLACES, 30)
        assert tried(browser(), "mya", code=recovery[0])[0] == 429, "the place is taken; the code is kept"
    for thread in threads:
        thread.join()
    with factors.TURNS.take(known=False):
        threads += [comes("stranger", browser(), "nobody", "000000")]
        until(lambda: factors.TURNS.inside == 2, 30)
        threads += [comes("owner on a new browser", browser(), "mya", recovery[0])]
        until(lambda: factors.TURNS.inside == factors.PLACES, 30)
    for thread in threads:
        thread.join()
    assert sorted(later) == ["owner", "owner on a new browser", "stranger", "stranger"]
    assert serving.threads > factors.PLACES


def test_who_is_known_is_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "PATIENCE", 60.0)
    turns, came = factors.Turns(), list[bool]()

    def comes(*, known: bool) -> None:
        with turns.take(known=known):
            came.append(known)

    with ThreadPoolExecutor(2) as others, turns.take(known=False):
        for inside, known in ((2, False), (3, True)):
            others.submit(comes, known=known)
            until(lambda inside=inside: turns.inside == inside, 30)
    assert came == [True, False]


def test_whose_turn_does_not_come_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factors, "PATIENCE", 0.0)
    turns = factors.Turns()
    with turns.take(known=False), pytest.raises(Refused, match="busy"), turns.take(known=True):
        pass
    with turns.take(known=False):
        assert turns.inside == 1


def test_passwords_are_looked_at_one_at_a_time_whoever_comes(
    browser: Callable[[], Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = [0], [0]
    verify = _password_hasher.verify_secret

    def counted(*given: Any) -> bool:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0])
        time.sleep(0.02)
        at_once[0] -= 1
        return verify(*given)

    monkeypatch.setattr(_password_hasher, "verify_secret", counted)
    with ThreadPoolExecutor(8) as crowd:
        people = [(browser(), f"name {at}") for at in range(24)]
        answers = [code for code, _ in crowd.map(lambda one: tried(*one), people)]
    assert most == [1]
    assert set(answers) == {409, 429}


# --- a captured account, and the audit ------------------------------------------------------------------


def test_the_captured_switch_ends_everything_and_lists_what_was_seen(
    person: Person, runtime: Runtime, asked: Asked
) -> None:
    lead = person("lead", Role.COORDINATOR)
    bad = person("bad", Role.COORDINATOR)
    seen, opened, unseen = asked("mango-river"), asked("papaya-spoon"), asked("lotus-chair")
    account = counselors.known(runtime, "bad")
    casework.claim(runtime, seen, account.id)
    bad.get(f"/cases/{opened}")
    bad.get("/people")
    bad.post("/people", alias="accomplice", role="counselor")
    lead.get(f"/people/{account.id}")
    page = lead.post(f"/people/{account.id}/captured").text
    assert seen in page
    assert opened in page
    assert unseen not in page
    assert bad.get("/queue").status_code == 303
    assert "accomplice" not in lead.get("/people").text
    ending.enable(runtime, "bad")
    bad.get("/sign-in")
    code = current_code(runtime, "bad") or ""
    assert bad.post("/sign-in", alias="bad", password=PASSWORD, code=code).status_code == 409


def test_nobody_ends_their_own_account(person: Person, runtime: Runtime) -> None:
    lead = person("lead", Role.COORDINATOR)
    me = counselors.known(runtime, "lead").id
    for way in ("disable", "captured", "role"):
        lead.get(f"/people/{me}")
        assert lead.post(f"/people/{me}/{way}", role="counselor").status_code == 409


def test_an_auditor_reads_who_did_what_to_the_hour_and_no_request(
    person: Person, runtime: Runtime, asked: Asked
) -> None:
    case = asked()
    mya = person("mya")
    casework.claim(runtime, case, counselors.known(runtime, "mya").id)
    auditor = person("ada", Role.AUDITOR, phone=False)
    page = auditor.get("/").headers["Location"]
    assert page.endswith("/audit")
    page = auditor.get("/audit").text
    assert re.search(rf"mya</td><td>took a request</td><td class=\"opaque\">{case}", page)
    hours = re.findall(r"<td><time>[\d.]+ \d\d:(\d\d)</time>", page)
    assert set(hours) == {"30"}, "to the hour of UTC, which is half past in Yangon"
    for path in (f"/cases/{case}", "/queue", "/programmes", "/people", "/wordings"):
        assert auditor.get(path).status_code == 403
        assert f'href="/console{path}"' not in page
    assert auditor.get("/standing").status_code == 200
    assert (
        'name="feature"' not in auditor.last.text
        or "<button" not in auditor.last.text.split("feature")[1][:200]
    )
    assert mya.get("/audit").status_code == 403


def test_opening_a_request_is_noted_once_an_hour(person: Person, runtime: Runtime, asked: Asked) -> None:
    lead, case = person("lead", Role.COORDINATOR), asked()
    for _ in range(3):
        lead.get(f"/cases/{case}")
    assert lead.get("/audit").text.count("opened a request") == 1


def test_my_page_tells_what_was_done_with_my_account_and_names_nobody(person: Person) -> None:
    mya, lead = person("mya"), person("lead", Role.COORDINATOR)
    by_a_coordinator("sessions")(mya, lead)
    mya.sign_in("mya")
    page = mya.get("/account").text
    assert "ended all sessions" in page
    assert "lead" not in re.sub(r"<[^>]+>", "", page).replace("please", "")


def test_the_browser_is_told_by_kind_only(app: Flask) -> None:
    from gateway.console.devices import device_words

    assert (
        device_words("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140") == "Windows · Edge"
    )
    assert device_words("Opera/9.80 (J2ME/MIDP; Opera Mini/7.1)") == "Opera Mini"
    assert device_words("") == ""
