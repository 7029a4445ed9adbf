"""A full, read-only or busy database: "registered" is never said without a committed row, and a wipe destroys."""

import os
import random
import secrets
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from faults.conftest import Up
from front_door import Hotline, Provider
from sqlalchemy import create_engine, event, select
from trials import trials

from gateway.errors import GatewayError
from gateway.phone import Msisdn
from gateway.services import wiping
from gateway.store.callbacks import callbacks
from gateway.store.contacts import contacts
from gateway.vault import Place


class Promises:
    """Asks by call and by text, and holds every promise against the rows that are there."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline = hotline
        self.said: Counter[str] = Counter()
        self._promised: list[str] = []
        self._texts = {
            hotline.runtime.library.sms("my", key, "unicode"): key
            for key in ("asked_hour", "asked_nobody", "not_saved")
        }

    def ask(self) -> str:
        """Say what was answered: `registered`, `not_saved`, or something else that promises nothing."""
        number = f"+95979{random.randrange(10**7):07d}"
        said = self._by_text(number) if random.random() < 0.5 else self._by_call(number)
        self.said[said] += 1
        if said == "registered":
            self._promised.append(number)
        return said

    def _by_text(self, number: str) -> str:
        key = self._texts.get(self.hotline.text("11", number) or "", "nothing")
        return "registered" if key.startswith("asked") else key

    def _by_call(self, number: str) -> str:
        call = self.hotline.dial(number)
        for key in "115":
            if call.heard.ends or not call.heard.action:
                break
            call.press(key)
        return call.heard.said[0] if call.heard.said else "nothing"

    def hold(self) -> None:
        asked = select(contacts.c.number_index).join(callbacks, callbacks.c.contact == contacts.c.id)
        there = {bytes(row.number_index) for row in self.hotline.rows(asked)}
        false = [
            one for one in self._promised if self.hotline.runtime.vault.index(Msisdn.parse(one)) not in there
        ]
        assert not false, f"{len(false)} false promises of {len(self._promised)}"


@pytest.mark.promise(11)
def test_no_fault_of_the_database_makes_a_false_promise(
    hotline: Hotline, tried: Callable[[int], None]
) -> None:
    """Full (no further page is to be had) or read-only, at random from one transaction to the next."""
    engine = hotline.runtime.database.engine
    faults = Counter[str]()
    chance = {"broken": True}

    def set_up(connection: Any, *_rest: object) -> None:
        fault = random.choice(["none"] * 5 + ["full", "read_only"]) if chance["broken"] else "none"
        faults[fault] += 1
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages if fault == 'full' else 2**30}").fetchone()
        connection.execute(f"PRAGMA query_only = {'ON' if fault == 'read_only' else 'OFF'}").fetchone()

    event.listen(engine, "checkout", set_up)
    promises = Promises(hotline)
    for _ in range(trials(200, 2000)):
        promises.ask()
    tried(promises.said.total())
    chance["broken"] = False
    promises.hold()
    assert promises.said["registered"] > 20, promises.said
    assert promises.said["not_saved"] > 20, promises.said
    assert min(faults.values()) > 50, faults


@pytest.mark.promise(11)
def test_while_another_holds_the_database_the_truth_is_said(hotline: Hotline) -> None:
    promises = Promises(hotline)
    promises.ask()
    other = create_engine(hotline.settings.database_url, connect_args={"isolation_level": None})
    with other.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        assert promises.ask() == "not_saved"
        holder.exec_driver_sql("ROLLBACK")
    other.dispose()
    assert promises.ask() == "registered"
    promises.hold()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 40 MB, which a folder of the test's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="hl-"))
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if made.returncode:
        folder.rmdir()
        pytest.skip("NO SMALL DISK HERE (it takes root to mount one): a full disk was not tried")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


@pytest.mark.promise(11)
@pytest.mark.slow
def test_a_full_disk_and_a_read_only_one_under_the_whole_hotline(
    small_disk: Path, up: Up, tried: Callable[[int], None]
) -> None:
    hotline = up(None, small_disk / "data")
    promises = Promises(hotline)
    assert promises.ask() == "registered"

    _fill(small_disk)
    for _ in range(trials(10, 200)):
        promises.ask()
    assert promises.said["registered"] < 5, "a full disk keeps nothing new"
    assert promises.said["not_saved"] > 0
    (small_disk / "filling").unlink()
    promises.hold()
    assert promises.ask() == "registered", "room again, and it is kept again"

    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=False, capture_output=True)
    if not os.access(small_disk, os.W_OK):
        for _ in range(trials(4, 50)):
            assert promises.ask() in {"not_saved", "nothing"}
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
        assert promises.ask() == "registered"
    promises.hold()
    tried(promises.said.total())
    assert hotline.process
    assert hotline.process.poll() is None, "the supervisor lives through it"


@pytest.mark.promise(26)
def test_on_a_full_disk_without_redis_and_with_all_rows_locked_a_wipe_leaves_nothing_that_opens(
    bare: Path, small_disk: Path, provider: Provider
) -> None:
    hotline = Hotline(bare, small_disk / "data", provider)  # and no Redis is there
    hotline.text("11")
    contact, number = hotline.one(select(contacts.c.id, contacts.c.sealed_number))
    look = partial(hotline.runtime.vault.open_number, contact, Place("contacts", "number", contact), number)
    assert look() is not None
    _fill(small_disk)
    with ExitStack() as stack:
        for name in ("hotline", "keystore"):
            file = sqlite3.connect(small_disk / "data" / f"{name}.db", isolation_level=None)
            stack.enter_context(closing(file)).execute("BEGIN EXCLUSIVE")
        steps = {step.name: step.why for step in wiping.wipe(hotline.runtime)}
        assert steps["keystore_file"] == steps["keys_here"] == ""
        assert steps["rows"], "what could not be done is said"
        with pytest.raises(GatewayError):
            look()
    assert hotline.text("0", "+959790001555"), "and the line goes on"
    hotline.runtime.database.close()


def _fill(disk: Path) -> None:
    with (disk / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(secrets.token_bytes(65_536))
        except OSError:
            pass
        try:
            while True:
                file.write(b"x")
        except OSError:
            return


@pytest.mark.slow
def test_a_start_on_a_full_disk_says_so_in_one_line(small_disk: Path) -> None:
    _fill(small_disk)
    done = subprocess.run(
        [sys.executable, "-m", "gateway", "up"],
        env={**os.environ, "HOTLINE_DATA_DIR": str(small_disk / "data")},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode
    assert "Traceback" not in done.stdout + done.stderr
    assert len((done.stdout + done.stderr).strip().splitlines()) == 1
