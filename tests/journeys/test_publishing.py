"""What is published while people call: who has begun ends as they began, and everybody else hears the new."""

from dataclasses import replace
from pathlib import Path

import pytest
from front_door import Heard, Hotline
from sqlalchemy import event

from gateway.errors import StoreDown
from gateway.phone import Msisdn
from gateway.runtime import build_runtime
from gateway.services import counselors, publishing, speech
from gateway.store.counselors import Role
from prompts.editing import Spot, wordings

MAIN = Spot("my", "voice", "main")
TOPICS = Spot("my", "voice", "topics")
SHORT = "သိစရာ နားထောင်ချင်ရင် ၂ နှိပ်ပါ။ ဖုန်းပြန်ခေါ်စေချင်ရင် ၁ နှိပ်ပါ။"


@pytest.fixture(autouse=True)
def _seeded(hotline: Hotline) -> None:
    publishing.seed(hotline.runtime)
    for alias, role in (("lead", Role.COORDINATOR), ("second", Role.COUNSELOR)):
        number = Msisdn.parse(f"+95 9 790 000 10{len(alias)}")
        counselors.add(hotline.runtime, alias, role, "lantern-ferry-mango", number=number, language="en")


def account(hotline: Hotline, alias: str) -> str:
    return next(one.id for one in counselors.everyone(hotline.runtime) if one.alias == alias)


def put(hotline: Hotline, *spots: Spot) -> int:
    """Change these wordings and publish, as two people do."""
    runtime = hotline.runtime
    for spot in spots:
        there = publishing.draft(runtime)
        before = wordings(there[1] if there else publishing.running(runtime))[spot]
        text = SHORT if spot == MAIN else before.text + " ကျေးဇူးပါ။"
        publishing.change(runtime, account(hotline, "lead"), spot, replace(before, text=text))
    hotline.work()
    found = publishing.look(runtime)
    assert found
    return publishing.publish(runtime, account(hotline, "second"), found.version.pack)


def sound(hotline: Hotline, key: str, number: int) -> str:
    edition = hotline.runtime.editions.numbered(number)
    assert edition
    found = hotline.runtime.at(edition).sound("my", key)
    assert found
    return found.sound


def played(heard: Heard) -> str:
    return " ".join(play.text or "" for play in heard.document.iter("Play"))


def test_a_call_goes_on_with_the_version_it_began_with(hotline: Hotline) -> None:
    begun = hotline.dial()
    old = sound(hotline, "main", 1)
    assert old in played(begun.heard)
    number = put(hotline, MAIN, TOPICS)
    new = sound(hotline, "main", number)
    assert new != old
    assert old in played(begun.press("0"))
    assert sound(hotline, "topics", 1) in played(begun.press("2"))
    fresh = hotline.dial()
    assert new in played(fresh.heard)
    assert sound(hotline, "topics", number) in played(fresh.press("2"))


def test_another_host_runs_the_new_version_too(hotline: Hotline) -> None:
    other = build_runtime(hotline.settings)
    assert other.editions.now().number == 1
    number = put(hotline, MAIN)
    other.editions.forget()  # its three seconds are over
    assert other.library.voice("my", "main").text == SHORT
    assert other.editions.now().number == number
    assert other.sound("my", "main") == hotline.runtime.sound("my", "main")
    other.database.close()
    other.vault.close()


def test_a_host_that_starts_while_the_database_is_away_runs_what_it_ran(
    hotline: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = put(hotline, MAIN)
    assert hotline.runtime.editions.now().number == number
    assert speech.addresses(hotline.runtime, "my", speech.act.Prompt("main"))
    later = build_runtime(hotline.settings)

    def away() -> None:
        raise StoreDown("away")

    monkeypatch.setattr(later.database, "read", away)
    assert later.editions.now().number == number
    assert later.library.voice("my", "main").text == SHORT
    assert later.sound("my", "main")
    monkeypatch.undo()
    later.database.close()
    later.vault.close()


def test_a_copy_that_was_tampered_with_is_not_run(hotline: Hotline, monkeypatch: pytest.MonkeyPatch) -> None:
    put(hotline, MAIN)
    hotline.runtime.editions.now()
    folder: Path = hotline.settings.data_dir / "content"
    (pack,) = (file for file in folder.glob("*.json") if file.name != "running.json")
    pack.write_bytes(pack.read_bytes().replace(SHORT.encode(), b"Something else."))
    later = build_runtime(hotline.settings)

    def away() -> None:
        raise StoreDown("away")

    monkeypatch.setattr(later.database, "read", away)
    assert later.editions.now() is later.editions.shipped
    monkeypatch.undo()
    later.database.close()
    later.vault.close()


def test_a_turn_asks_the_database_nothing_more_for_versions(hotline: Hotline) -> None:
    seen: list[str] = []
    hotline.dial()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(hotline.runtime.database.engine, "before_cursor_execute", note)
    hotline.runtime.editions.now()
    seen.clear()
    hotline.dial().press("2")
    event.remove(hotline.runtime.database.engine, "before_cursor_execute", note)
    assert sum("script_versions" in one for one in seen) <= 1
    assert not any("packs" in one for one in seen)
