"""A thread in the console: who reads it, what an answer costs, why it may not leave, and who goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console.browser import Browser, Person
from front_door import opened_bare
from sqlalchemy import select

from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import threads
from gateway.store import contacts
from gateway.store import messages as stored
from gateway.store.callbacks import callbacks
from gateway.store.messages import MessageState
from gateway.vault import Place

PLEA = "ကျွန်မ အိမ်မပြန်ရဲဘူး"
ANSWER = "အခု ဘေးကင်းလား။"

HANDLES = ("", "mango-cat", "mango-river")

Texted = Callable[..., str]


@pytest.fixture
def runtime(bare: Path, tmp_path: Path) -> Iterator[Runtime]:
    """As the console's own, with threads on."""
    with opened_bare(bare, tmp_path, HOTLINE_FEATURES="threads") as built:
        yield built


@pytest.fixture
def texted(runtime: Runtime) -> Texted:
    """Have somebody text; the same number again with `again`."""
    made: list[str] = []

    def text(words: str = PLEA, *, again: bool = False) -> str:
        if not again:
            contact = runtime.new_id()
            number = Msisdn.parse(f"+95 9 770 0{40_000 + len(made)}")
            sealed = runtime.vault.create_keys(contact).seal_number(
                Place("contacts", "number", contact), number
            )
            with runtime.database.write() as session:
                contacts.add(session, contact, runtime.vault.index(number), sealed, runtime.clock.now())
            made.append(contact)
        with runtime.database.write() as session:
            threads.arrived(
                session, runtime, made[-1], text=words, display="unicode", handle=HANDLES[len(made)],
                language="my", line_index=runtime.vault.index(runtime.settings.numbers[0]), now=runtime.clock.now(),
            )  # fmt: skip
            return str(
                session.execute(select(callbacks.c.id).where(callbacks.c.contact == made[-1])).scalar()
            )

    return text


def states(runtime: Runtime) -> list[str]:
    with runtime.database.read() as session:
        return list(
            session.execute(select(stored.messages.c.state).order_by(stored.messages.c.written)).scalars()
        )


@pytest.fixture
def mine(person: Person, texted: Texted) -> tuple[Browser, str]:
    case = texted()
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    return mya, case


def test_the_queue_shows_texts_apart_and_nobody_can_ring_them(person: Person, texted: Texted) -> None:
    case = texted()
    mya = person("mya")
    queue = mya.get("/queue")
    assert "Texts to answer" in queue.text
    assert "May be rung now" not in queue.text
    page = mya.post(f"/cases/{case}/claim")
    assert "did not ask to be rung" in page.text
    assert 'id="call"' not in page.text
    assert mya.post(f"/cases/{case}/call").status_code == 409


def test_only_whoever_has_the_case_reads_it(person: Person, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    assert PLEA in mya.get(f"/cases/{case}/texts").text
    other = person("su")
    page = other.get(f"/cases/{case}/texts")
    assert PLEA not in page.text
    assert "Only whoever has this case" in page.text


def test_an_answer_leaves_and_its_state_is_said(runtime: Runtime, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    mya.get(f"/cases/{case}/texts")
    page = mya.post(f"/cases/{case}/texts", text=ANSWER)
    assert ANSWER in page.text
    assert "about to leave" in page.text
    assert states(runtime) == [MessageState.RECEIVED, MessageState.OWED]


def test_without_script_the_server_counts_and_checks_and_nothing_leaves(
    runtime: Runtime, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    mya.get(f"/cases/{case}/texts")
    page = mya.post(f"/cases/{case}/texts/check", text=ANSWER)
    assert f"{len(ANSWER)} of 70 signs, 1 parts" in page.text
    page = mya.post(f"/cases/{case}/texts/check", text="ring 09 790 001 002")
    assert "There is a number in it that can be rung." in page.text
    assert states(runtime) == [MessageState.RECEIVED]


def test_what_may_not_leave_is_shown_again_with_the_reason(
    runtime: Runtime, mine: tuple[Browser, str]
) -> None:
    mya, case = mine
    mya.get(f"/cases/{case}/texts")
    page = mya.post(f"/cases/{case}/texts", text="see www.example.org")
    assert page.status_code == 409
    assert "see www.example.org</textarea>" in page.text
    assert "Links do not belong in a text." in page.text
    assert states(runtime) == [MessageState.RECEIVED]


def test_a_draft_is_kept_for_whoever_goes_on(person: Person, mine: tuple[Browser, str]) -> None:
    mya, case = mine
    mya.get(f"/cases/{case}/texts")
    assert "a beginning</textarea>" in mya.post(f"/cases/{case}/texts/draft", text="a beginning").text
    mya.get(f"/cases/{case}")
    mya.post(f"/cases/{case}/release")
    su = person("su")
    su.get("/queue")
    su.post(f"/cases/{case}/claim")
    page = su.get(f"/cases/{case}/texts")
    assert PLEA in page.text
    assert "a beginning</textarea>" in page.text


def test_what_she_texts_is_never_markup(person: Person, texted: Texted) -> None:
    case = texted("<script>alert(1)</script>")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{case}/claim")
    assert "<script>alert(1)" not in mya.get(f"/cases/{case}/texts").text


def test_unanswered_threads_stand_first(person: Person, texted: Texted) -> None:
    first, second = texted("one"), texted("two")
    mya = person("mya")
    mya.get("/queue")
    mya.post(f"/cases/{first}/claim")
    mya.get(f"/cases/{first}/texts")
    mya.post(f"/cases/{first}/texts", text=ANSWER)
    mya.get(f"/cases/{first}")
    mya.post(f"/cases/{first}/release")
    page = mya.get("/queue").text
    assert page.index(f"/cases/{second}") < page.index(f"/cases/{first}")
