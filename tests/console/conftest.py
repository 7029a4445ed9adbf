from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from console.browser import PASSWORD, Asked, Browser, Person
from flask import Flask
from front_door import opened_bare
from sqlalchemy import event

from gateway.factory import create_app
from gateway.phone import Msisdn
from gateway.runtime import Runtime
from gateway.services import callbacks, counselors
from gateway.store import audit, contacts
from gateway.store.counselors import Role
from gateway.vault import Place


@pytest.fixture
def runtime(bare: Path, tmp_path: Path) -> Iterator[Runtime]:
    """A real one: database, keystore and clock in a folder; Redis is away, as it may be."""
    with opened_bare(bare, tmp_path, HOTLINE_QUIET_HOURS="21:00-07:00") as built:
        with built.database.write() as session:  # as a coordinator does
            audit.switch(session, "programme_calls", "on", built.clock.now())
        yield built


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    return create_app(runtime)


@pytest.fixture
def browser(app: Flask, runtime: Runtime) -> Callable[[], Browser]:
    return lambda: Browser(app.test_client(), runtime)


@pytest.fixture
def person(runtime: Runtime, browser: Callable[[], Browser]) -> Person:
    """Make accounts."""
    numbers = iter(range(100, 200))

    def make(alias: str, role: Role = Role.COUNSELOR, *, phone: bool = True, language: str = "en") -> Browser:
        number = Msisdn.parse(f"+95 9 790 000 {next(numbers)}") if phone else None
        counselors.add(runtime, alias, role, PASSWORD, number=number, language=language)
        return browser().sign_in(alias)

    return make


@pytest.fixture
def asked(runtime: Runtime) -> Asked:
    """Have somebody ask to be rung."""
    numbers = iter(range(10_000, 99_999))

    def ask(
        handle: str = "mango-river", wish: str = "hour", language: str = "my", ago: timedelta = timedelta()
    ) -> str:
        contact = runtime.new_id()
        number = Msisdn.parse(f"+95 9 770 0{next(numbers)}")
        sealed = runtime.vault.create_keys(contact).seal_number(Place("contacts", "number", contact), number)
        now = runtime.clock.now() - ago
        with runtime.database.write() as session:
            contacts.add(session, contact, runtime.vault.index(number), sealed, now)
            return callbacks.ask(
                session,
                runtime,
                contact,
                wish=wish,
                own_key="4",
                handle=handle,
                language=language,
                line_index=runtime.vault.index(runtime.settings.numbers[0]),
                now=now,
            )

    return ask


@pytest.fixture
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """Every statement that the database is asked, but the beginnings and ends of transactions."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(runtime.database.engine, "before_cursor_execute", note)
