"""Drafts and versions on both databases, also when two people act at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from front_door import Hotline

from gateway.errors import Refused
from gateway.services import publishing
from prompts.editing import Spot, wordings

GOODBYE = Spot("en", "voice", "goodbye")


def change(hotline: Hotline, account: str, text: str) -> None:
    before = wordings(publishing.running(hotline.runtime))[GOODBYE]
    publishing.change(hotline.runtime, account, GOODBYE, replace(before, text=text))


def test_of_two_who_publish_at_once_one_does_and_nothing_is_lost(hosts: tuple[Hotline, Hotline]) -> None:
    first, second = hosts
    publishing.seed(first.runtime)
    publishing.seed(second.runtime)
    change(first, "author", "Thank you. Goodbye.")
    first.work()
    found = publishing.look(first.runtime)
    assert found

    def publish(hotline: Hotline, account: str) -> str:
        try:
            publishing.publish(hotline.runtime, account, found.version.pack)
        except Refused as refused:
            return refused.reason_key
        return "published"

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(publish, hosts, ("one", "two")))
    assert set(told) <= {"published", "no_draft", "draft_changed"}
    assert told.count("published") == 1
    for hotline in hosts:
        hotline.runtime.editions.forget()
        assert hotline.runtime.editions.now().number == 2
        assert hotline.runtime.library.voice("en", "goodbye").text == "Thank you. Goodbye."
        assert hotline.runtime.sound("en", "goodbye")
    publishing.go_back(second.runtime, "one", 1)
    first.runtime.editions.forget()
    assert first.runtime.editions.now().number == 1


def test_two_who_change_the_same_wording_share_one_draft(hosts: tuple[Hotline, Hotline]) -> None:
    publishing.seed(hosts[0].runtime)
    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(change, hotline, account, f"Goodbye from {account}.")
            for hotline, account in zip(hosts, ("one", "two"), strict=True)
        ]
    refused = sum(isinstance(one.exception(), Refused) for one in done)
    assert refused < 2
    there = publishing.draft(hosts[0].runtime)
    assert there
    assert there[0].number == 2
    assert len(there[0].authors) == 2 - refused
