"""Keys are changed while everything runs, and a crash at any step leaves everything readable."""

import dataclasses
import hashlib
import hmac
import itertools
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from trials import trials

from gateway.clock import SystemClock
from gateway.errors import BadSeal, GatewayError, KeyDestroyed, SettingsError
from gateway.keystore import Keystore
from gateway.phone import Msisdn
from gateway.rotation import Rotated, Rotation
from gateway.settings import Settings, demo_environment, load, web_key_from
from gateway.vault import Place, Vault

NUMBER = Msisdn.parse("+959420012345")
PLACE = Place("contacts", "number", "x")
NOTE = Place("callbacks", "note", "x")
PEOPLE = 12


def keystore_file(settings: Settings) -> Path:
    return Path(make_url(settings.keystore_url).database or "")


def rotated(settings: Settings) -> Rotated:
    return Rotation(settings, settings.root_key, settled=0.0).run()


def with_keys(settings: Settings, root: bytes, web: bytes) -> Settings:
    return dataclasses.replace(settings, root_key=root, web_key=web)


class Kept:
    """What some people had sealed, and how to see whether it opens."""

    def __init__(self, settings: Settings, people: int = PEOPLE) -> None:
        vault = Vault(settings, SystemClock())
        self.index = vault.index(NUMBER)
        self.here = vault.seal_here(PLACE, b"here")
        self.listed = vault.list_for_deletion(PLACE, "CA1")
        self.people = {
            f"c-{at:03}": (vault.create_keys(f"c-{at:03}").seal_number(PLACE, NUMBER), b"")
            for at in range(people)
        }
        self.people = {
            name: (number, vault.seal_note(name, NOTE, name)) for name, (number, _) in self.people.items()
        }
        vault.close()

    def opens(self, settings: Settings) -> None:
        vault = Vault(settings, SystemClock())
        self.opens_in(vault)
        vault.close()

    def opens_in(self, vault: Vault) -> None:
        assert vault.index(NUMBER) == self.index, "nobody would be found again"
        assert vault.open_here(PLACE, self.here) == b"here"
        assert vault.open_for_deletion(PLACE, self.listed) == "CA1"
        for name, (number, note) in self.people.items():
            assert vault.open_number(name, PLACE, number) == NUMBER
            assert vault.open_note(name, NOTE, note) == name


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = load(demo_environment(tmp_path, 8000))
    Vault.prepare(made)
    return made


def test_while_keys_change_the_old_and_the_new_open_everything_and_then_only_the_new(
    settings: Settings,
) -> None:
    kept = Kept(settings)
    first = rotated(settings)
    assert not first.finished
    assert first.rewrapped == PEOPLE
    new = with_keys(settings, first.root_key, first.web_key)
    assert first.web_key == web_key_from(first.root_key)
    kept.opens(settings)
    kept.opens(new)
    assert rotated(settings).root_key == first.root_key, "run again it goes on, and tells the same new key"
    assert rotated(new).finished
    kept.opens(new)
    assert Vault(settings, SystemClock()).faults() == (
        "HOTLINE_WEB_KEY: does not open this keystore",
        "HOTLINE_ROOT_KEY: does not open this keystore",
    )
    with pytest.raises(GatewayError):
        kept.opens(settings)
    with pytest.raises(SettingsError):
        rotated(settings)


@pytest.mark.promise(4)
def test_the_old_key_opens_nothing_in_a_keystore_taken_afterwards(settings: Settings) -> None:
    Kept(settings)
    first = rotated(settings)
    rotated(with_keys(settings, first.root_key, first.web_key))
    meta = Keystore(settings.keystore_url).meta()
    assert sorted(meta) == sorted(
        ["index_key", "dialling_public", "dialling_private", "deletion_public", "deletion_private"]
    ), "no bridge from the old key is left"


def test_a_process_that_began_before_goes_on_through_it_all(settings: Settings) -> None:
    kept = Kept(settings)
    web = Vault(dataclasses.replace(settings, root_key=None), SystemClock())
    web.index(NUMBER)
    web.open_note("c-000", NOTE, kept.people["c-000"][1])
    worker = Vault(settings, SystemClock())
    kept.opens_in(worker)
    first = rotated(settings)
    number = web.create_keys("during").seal_number(PLACE, NUMBER)
    kept.opens_in(worker)
    assert worker.open_number("during", PLACE, number) == NUMBER
    rotated(with_keys(settings, first.root_key, first.web_key))
    after = web.create_keys("after").seal_number(PLACE, NUMBER)
    assert web.open_note("c-001", NOTE, kept.people["c-001"][1]) == "c-001"
    fresh = Vault(with_keys(settings, first.root_key, first.web_key), SystemClock())
    for name, sealed in (("during", number), ("after", after)):
        assert fresh.open_number(name, PLACE, sealed) == NUMBER


def test_whoever_was_forgotten_meanwhile_stays_forgotten(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = Kept(settings)
    page = Keystore.page

    def forgets_one_just_read(self: Keystore, after: str, *, most: int) -> list[tuple[str, bytes, bytes]]:
        found = page(self, after, most=most)
        self.destroy(["c-003"])
        return found

    monkeypatch.setattr(Keystore, "page", forgets_one_just_read)
    first = rotated(settings)
    with pytest.raises(KeyDestroyed):
        Vault(with_keys(settings, first.root_key, first.web_key), SystemClock()).open_number(
            "c-003", PLACE, kept.people["c-003"][0]
        )


def test_old_and_new_keys_mixed_are_refused_in_words(settings: Settings) -> None:
    first = rotated(settings)
    assert settings.root_key
    with pytest.raises(SettingsError, match="one is old and the other new"):
        rotated(with_keys(settings, settings.root_key, first.web_key))


def test_another_key_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="HOTLINE_ROOT_KEY: does not open"):
        rotated(with_keys(settings, bytes(range(32)), settings.web_key))


@pytest.mark.promise(4)
def test_nothing_of_a_key_or_a_number_is_on_the_disk(settings: Settings) -> None:
    Kept(settings)
    assert settings.root_key
    first = rotated(settings)
    for file in keystore_file(settings).parent.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            for secret in (settings.root_key, settings.web_key, first.root_key, first.web_key, b"42001234"):
                assert secret not in data, file.name


class Died(BaseException):
    """A crash, as a test makes it."""


WRITES = ("add_meta", "rewrap", "replace_meta")


def dying_at(step: Callable[[], bool], *, after: bool, real: Callable[..., None]) -> Callable[..., None]:
    """What crashes before or after its work, at its step."""

    def write(*words: object, **more: object) -> None:
        dies = step()
        if dies and not after:
            raise Died
        real(*words, **more)
        if dies:
            raise Died

    return write


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_step_leaves_everything_readable_and_the_next_run_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    kept = Kept(settings, people=3)
    steps = itertools.count()
    fatal = -1

    for name in WRITES:
        real = getattr(Keystore, name)
        monkeypatch.setattr(Keystore, name, dying_at(lambda: next(steps) == fatal, after=after, real=real))
    now = settings
    for fatal in range(20):
        steps = itertools.count()
        try:
            done = rotated(now)
        except Died:
            pass
        else:
            if done.finished:
                kept.opens(with_keys(settings, done.root_key, done.web_key))
                return
            kept.opens(now)
            now = with_keys(settings, done.root_key, done.web_key)
            continue
        try:
            kept.opens(now)
        except (GatewayError, BadSeal):
            pytest.fail(f"after a crash at step {fatal} something does not open")
    pytest.fail("it never came to its end")


def _rotate_for_ever(settings: Settings) -> None:
    Rotation(settings, settings.root_key, settled=0.0).run()


def test_killed_for_real_at_random_moments_it_still_comes_to_its_end(settings: Settings) -> None:
    kept = Kept(settings, people=60)
    for kill_after in range(1, trials(6, 60)):
        process = multiprocessing.get_context("fork").Process(target=_rotate_for_ever, args=(settings,))
        process.start()
        time.sleep(0.004 * kill_after)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        kept.opens(settings)
    first = rotated(settings)
    new = with_keys(settings, first.root_key, first.web_key)
    assert rotated(new).finished
    kept.opens(new)


@pytest.mark.promise(4)
def test_ten_thousand_numbers_tried_against_the_index_without_its_key_find_nobody(
    settings: Settings, tried: Callable[[int], None]
) -> None:
    """Every Myanmar mobile number could be hashed in minutes: only the key, in another place, stands in the way."""
    vault = Vault(settings, SystemClock())
    numbers = [f"+9597900{at:05}" for at in range(trials(2_000, 10_000))]
    tried(len(numbers))
    found = vault.index(Msisdn.parse(numbers[7]))
    guesses: set[bytes] = set()
    for number in numbers:
        for text in (number, number[1:], "0" + number[3:]):
            data = text.encode()
            guesses |= {
                hashlib.new(kind, data).digest()[:16] for kind in ("sha256", "sha1", "md5", "blake2b")
            }
            guesses |= {hmac.digest(key, data, "sha256")[:16] for key in (b"", b"\0" * 32, b"index")}
    assert found not in guesses
    with sqlite3.connect(keystore_file(settings)) as keystore:
        sealed = [row[0] for row in keystore.execute("SELECT value FROM meta")]
    keys = [one[at : at + 32] for one in sealed for at in (0, 1, 13, max(0, len(one) - 32))]
    assert all(
        hmac.digest(key, number.encode(), "sha256")[:16] != found for key in keys for number in numbers[:20]
    ), "what the keystore holds is sealed under keys that are in neither"
