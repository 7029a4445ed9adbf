"""What an operator types: changing keys, typing the root key, lock and unlock, wipe, the report, forgetting."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from front_door import CALLER, Hotline
from sqlalchemy import select

from gateway.cli import main
from gateway.clock import SystemClock
from gateway.errors import SettingsError, VaultLocked
from gateway.phone import Msisdn
from gateway.queue import SEALED
from gateway.runtime import build_runtime
from gateway.services import casework, housekeeping, wiping
from gateway.settings import load
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts, forbidden
from gateway.store.counselors import accounts
from gateway.store.outbox import outbox
from gateway.typed_key import MEMORY, TypedKey
from gateway.vault import Place, Vault
from workers import jobs

Run = Callable[..., Result]


@pytest.fixture
def run(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Type a command in this hotline's environment; `given` is what stands on standard input."""
    for name in [name for name in os.environ if name.startswith(("HOTLINE_", "TWILIO_"))]:
        monkeypatch.delenv(name)

    def typed(*words: str, given: str = "", **changed: str | None) -> Result:
        environment: dict[str, str | None] = {"HOTLINE_MODE": "demo", **hotline.environment, **changed}
        return CliRunner().invoke(main, words, input=given, env=environment, catch_exceptions=False)

    return typed


@pytest.fixture
def typed_key(hotline: Hotline) -> Iterator[TypedKey]:
    key = TypedKey(hotline.settings.data_dir)
    yield key
    key.drop()


# --- changing the keys ----------------------------------------------------------------------------------


def test_two_runs_of_one_command_change_the_keys_and_the_second_says_what_to_destroy(
    hotline: Hotline, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rotation.SETTLED", 0.0)
    hotline.dial().press("115")
    production = {
        "HOTLINE_MODE": "production",
        "HOTLINE_PUBLIC_URL": "https://line.example.org",
        "HOTLINE_CONSOLE_URL": "https://desk.example.org",
        "TWILIO_API_BASE_URL": None,
        "DATABASE_URL": f"sqlite:///{hotline.settings.data_dir}/hotline.db",
        "KEYSTORE_URL": f"sqlite:///{hotline.settings.data_dir}/keystore.db",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    first = run("keys", "rotate", **production)
    assert first.exit_code == 0, first.output
    new = dict(re.findall(r"^(HOTLINE_\w+)=(\S+)$", first.stdout, re.MULTILINE))
    assert sorted(new) == ["HOTLINE_ROOT_KEY", "HOTLINE_WEB_KEY"]
    second = run("keys", "rotate", **production, **new)
    assert second.exit_code == 0, second.output
    assert "Destroy every copy" in second.stdout
    assert "backups of the keystore" in second.stdout
    assert run("keys", "rotate", **production).exit_code == 78, "the old keys are worthless"
    after = load({**hotline.environment, **new})
    contact, sealed = hotline.one(select(contacts.c.id, contacts.c.sealed_number))
    vault = Vault(after, SystemClock())
    assert vault.open_number(contact, Place("contacts", "number", contact), sealed) == Msisdn.parse(CALLER)


def test_in_a_demo_the_file_gets_the_new_keys(
    hotline: Hotline, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.rotation.SETTLED", 0.0)
    file = hotline.settings.data_dir / "demo.env"
    before = file.read_text()
    simulated = {"TWILIO_API_BASE_URL": hotline.settings.public_url + "/simulator/api"}
    assert "Start the demo again" in run("keys", "rotate", **simulated).stdout
    assert file.read_text() != before
    assert file.stat().st_mode & 0o777 == 0o600
    root = re.search(r"^HOTLINE_ROOT_KEY=(\S+)$", file.read_text(), re.MULTILINE)
    assert root
    assert root[1] not in before


# --- the root key, typed --------------------------------------------------------------------------------


def test_sealed_it_takes_requests_rings_nobody_says_so_and_rings_after_the_key_was_typed(
    hotline: Hotline, run: Run, typed_key: TypedKey, redis_server: object
) -> None:
    key = hotline.environment["HOTLINE_ROOT_KEY"]
    without = {name: value for name, value in hotline.environment.items() if name != "HOTLINE_ROOT_KEY"}
    helper = hotline.counselor()
    settings = load({**without, "REDIS_URL": redis_server.url})  # type: ignore[attr-defined]
    jobs.RUNTIME = sealed = build_runtime(settings, typed=True)
    try:
        assert sealed.vault.locked
        assert hotline.dial().press("115").said, "the web only seals"
        case = str(hotline.one(select(callbacks.c.id)).id)
        casework.claim(hotline.runtime, case, helper.id)
        casework.call(hotline.runtime, case, helper.id)
        duty = hotline.one(select(outbox).where(outbox.c.job == "ring_counselor"))
        jobs.ring_counselor(duty.id)
        assert hotline.provider.calls == []
        assert sealed.queue.beats(SEALED), "doctor and status can say so"
        done = run("unseal", given=key + "\n", HOTLINE_ROOT_KEY=None)
        assert done.exit_code == 0, done.output
        assert key not in done.output
        hotline.later(seconds=6)
        jobs.ring_counselor(duty.id)
        assert len(hotline.provider.calls) == 1
        on_disk = [
            file
            for file in hotline.settings.data_dir.rglob("*")
            if file.is_file() and file.name != "demo.env"
        ]
        assert not [file for file in on_disk if key.encode() in file.read_bytes()], "never on a disk"
        assert "gone" in run("unseal", "--undo", HOTLINE_ROOT_KEY=None).output
        assert build_runtime(settings, typed=True).vault.locked
    finally:
        sealed.database.close()


def test_the_web_never_uses_a_typed_key(hotline: Hotline, run: Run, typed_key: TypedKey) -> None:
    run("unseal", given=hotline.environment["HOTLINE_ROOT_KEY"] + "\n", HOTLINE_ROOT_KEY=None)
    assert typed_key() is not None
    without = {name: value for name, value in hotline.environment.items() if name != "HOTLINE_ROOT_KEY"}
    web = build_runtime(load(without))
    with pytest.raises(VaultLocked):
        web.vault.open_for_deletion(Place("", "", ""), b"")
    web.database.close()


def test_a_wrong_key_is_not_taken(hotline: Hotline, run: Run, typed_key: TypedKey) -> None:
    other = "q" * 43 + "="
    for given in ("", "short", other, hotline.environment["HOTLINE_WEB_KEY"]):
        done = run("unseal", given=given + "\n", HOTLINE_ROOT_KEY=None)
        assert done.exit_code == 78, done.output
        assert not given or given not in done.output
    assert typed_key() is None


def test_what_is_no_memory_takes_no_key(hotline: Hotline) -> None:
    on_disk = TypedKey(hotline.settings.data_dir, memory=Path(__file__).parent)
    with pytest.raises(SettingsError, match="not in memory"):
        on_disk.keep(hotline.environment["HOTLINE_ROOT_KEY"])
    assert not list(Path(__file__).parent.glob("notes-*"))


def test_a_folder_that_others_can_look_into_is_not_trusted(hotline: Hotline, typed_key: TypedKey) -> None:
    typed_key.keep(hotline.environment["HOTLINE_ROOT_KEY"])
    (folder,) = MEMORY.glob(f"notes-{os.getuid()}-{typed_key.name}")
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o755)
    assert typed_key() is None
    folder.chmod(0o700)
    assert typed_key() is not None


# --- stopping, destroying, forgetting -------------------------------------------------------------------


def test_lock_and_unlock(hotline: Hotline, run: Run) -> None:
    assert "Locked" in run("lock").stdout
    hotline.runtime.switches.forget()
    assert hotline.runtime.switches.halted
    assert "Unlocked" in run("unlock").stdout
    hotline.runtime.switches.forget()
    assert not hotline.runtime.switches.halted


def test_wipe_wants_the_word_and_says_what_it_could_not_reach(hotline: Hotline, run: Run) -> None:
    hotline.counselor()
    assert run("wipe", given="yes\n").exit_code == 1
    assert hotline.rows(select(accounts))
    done = run("wipe", given="destroy\n")
    assert not hotline.rows(select(accounts))
    assert "every key in the keystore is destroyed" in done.stdout
    assert "backups of the keystore" in done.stdout
    assert run("wipe", "--yes-destroy-everything").stdout, "again does no harm"


def test_a_wipe_in_a_process_of_its_own_empties_every_table_that_the_database_has(hotline: Hotline) -> None:
    """One that loaded little knows few tables by itself."""
    hotline.counselor()
    hotline.dial().press("115")
    hotline.text("77")
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("HOTLINE_", "TWILIO_"))
    }
    subprocess.run(
        [sys.executable, "-m", "gateway", "wipe", "--yes-destroy-everything"],
        env=clean | hotline.environment, cwd=Path(__file__).parents[2], capture_output=True, check=False,
    )  # fmt: skip
    with closing(sqlite3.connect(hotline.settings.data_dir / "hotline.db")) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        filled = {one for one in tables if database.execute(f'SELECT 1 FROM "{one}" LIMIT 1').fetchone()}  # noqa: S608 - names of our own tables
    assert filled - wiping.SAID <= {"alembic_version", "sqlite_sequence", "switches"}


def test_the_report_ends_with_an_error_only_where_something_is_over_its_age(
    hotline: Hotline, run: Run
) -> None:
    hotline.text("11")
    good = run("retention", "--report")
    assert good.exit_code == 0, good.output
    assert re.search(r"^webhook +400 days +\d+ ", good.stdout, re.MULTILINE)
    assert "At the provider: 1 copies wait" in good.stdout
    hotline.later(days=402)
    assert run("retention", "--report").exit_code == 1
    for _ in range(3):
        housekeeping.expire(hotline.runtime)
        housekeeping.sweep(hotline.runtime)
        hotline.work()
    assert run("retention", "--report").exit_code == 0


@pytest.mark.parametrize(("answer", "left"), [("y", 1), ("n", 0), ("", 1)])
def test_forgetting_by_command_needs_no_worker_and_asks_what_may_stay(
    hotline: Hotline, run: Run, answer: str, left: int
) -> None:
    hotline.text("11")
    done = run("forget", given=f"{CALLER}\n{answer}\n")
    assert done.exit_code == 0, done.output
    assert "keys are destroyed" in done.stdout
    assert "could not be deleted" in done.stdout
    assert CALLER not in done.output
    assert not hotline.rows(select(contacts))
    assert len(hotline.rows(select(forbidden))) == left


def test_forgetting_nobody_says_so(run: Run) -> None:
    assert "Nothing was kept" in run("forget", given="+959790001999\n\n").stdout


def test_no_command_takes_a_secret_on_its_line() -> None:
    for words in (["unseal", "--help"], ["wipe", "--help"], ["keys", "rotate", "--help"]):
        shown = subprocess.run(
            [sys.executable, "-m", "gateway", *words], capture_output=True, text=True, check=True
        )
        assert "KEY" not in shown.stdout.replace("[OPTIONS]", "")
