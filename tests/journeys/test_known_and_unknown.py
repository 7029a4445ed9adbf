"""A number that is known and one that is not: in every menu that keys lead to, they hear the same."""

import random
import re
import xml.etree.ElementTree as ET
from collections import deque
from collections.abc import Callable, Iterator

import pytest
from front_door import Heard, Hotline, Line
from trials import trials

from gateway.store.contacts import contacts
from ivr.script import Menu, Option, Script

SILENCE = ""


def settled(script: Script, name: str) -> str:
    """The menu that waits for a key, where this one only says something."""
    menu = script.menus[name]
    while not menu.asks and menu.then and menu.then.to in script.menus:
        menu = script.menus[menu.then.to]
    return menu.name


def inputs(script: Script, menu: Menu) -> dict[str, tuple[Option, ...]]:
    """What can be done here, and what it leads to."""
    found = dict(menu.keys)
    if menu.entry:
        found["123456789"[: menu.length]] = menu.entry
    everywhere = {key: (option,) for key, option in script.everywhere.items() if menu.everywhere}
    return everywhere | found | {SILENCE: (menu.silent,) if menu.silent else ()}


def ways(script: Script) -> Iterator[tuple[str, ...]]:
    """For every menu that a dialled call can reach, and everything that can be done there: how to do it."""
    first = settled(script, script.starts["dialled"])
    paths: dict[str, tuple[str, ...]] = {first: ()}
    waiting = deque([first])
    while waiting:
        name = waiting.popleft()
        for done, options in inputs(script, script.menus[name]).items():
            way = (*paths[name], done)
            yield way
            for option in options:
                if option.to in script.menus and settled(script, option.to) not in paths:
                    paths[settled(script, option.to)] = way
                    waiting.append(settled(script, option.to))


def shape(heard: Heard) -> str:
    """The whole answer, with what is dealt by chance (a handle, a code) left out."""
    document = ET.fromstring(ET.tostring(heard.document))  # noqa: S314 - our own answer, copied
    for play in document.iter("Play"):
        name = re.search(r"([0-9a-f]{64})", play.text or "")
        prompt = heard.runtime.voices.spoken_by(name[1]) if name else None
        play.text = re.sub(r"^(handle|digit)\..*", r"\1", prompt.key) if prompt else "sound"
    return ET.tostring(document, encoding="unicode")


def walked(line: Line, way: tuple[str, ...]) -> list[str]:
    shapes = [shape(line.heard)]
    for done in way:
        if line.heard.action is None:
            break
        line.post(line.heard.action, **({"Digits": done} if done else {}))
        shapes.append(shape(line.heard))
    return shapes


def number(at: int) -> str:
    return f"+9597901{at:05d}"


def asked(hotline: Hotline, who: str) -> None:
    hotline.dial(who).press("148")


def asked_for_programmes(hotline: Hotline, who: str) -> None:
    hotline.dial(who).press("816")


def asked_by_text_and_stopped(hotline: Hotline, who: str) -> None:
    hotline.text("11", who)
    hotline.text("99", who)


@pytest.mark.promise(8)
def test_in_every_menu_a_known_and_an_unknown_number_hear_the_same(
    hotline: Hotline, tried: Callable[[int], None]
) -> None:
    everything = list(ways(hotline.runtime.library.script))
    assert len(everything) > 100
    some = random.sample(everything, min(len(everything), trials(12, 10_000)))
    for at, way in enumerate(some):
        known = number(2 * at)
        random.choice([asked, asked_for_programmes, asked_by_text_and_stopped])(hotline, known)
        heard = walked(hotline.dial(known), way), walked(hotline.dial(number(2 * at + 1)), way)
        assert heard[0] == heard[1], way
    assert hotline.rows(contacts.select())
    tried(len(some))
