"""Whole talks on a real `hotline up`, played by its own phones: staying on the line, and bringing a colleague."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from real_hotline import RealHotline, until
from sqlalchemy import select

from gateway.services import casework, demo, signing_in, transferring
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.legs import legs

pytestmark = [pytest.mark.slow]
SECOND = "+66812345022"


class Phones:
    """The handsets of the demo, as its page uses them; a number that is rung becomes the next handset."""

    def __init__(self, hotline: RealHotline) -> None:
        self._base = f"{hotline.address}/simulator"
        page = requests.get(f"{self._base}/", timeout=10).text
        self._token = re.search(r'simulator-token" content="([^"]+)"', page)[1]  # type: ignore[index]

    def does(self, name: str, deed: str, **given: str) -> bool:
        answer = requests.post(
            f"{self._base}/phones/{name}/{deed}",
            json=given, headers={"X-Simulator-Token": self._token}, timeout=10,
        )  # fmt: skip
        return answer.status_code == 200 and answer.json()["done"]

    def press(self, name: str, keys: str) -> None:
        """Each key as soon as somebody listens for it."""
        for key in keys:
            until(lambda key=key: self.does(name, "press", key=key), 40)  # type: ignore[misc]

    def picks_up(self, name: str) -> None:
        until(lambda: self.does(name, "answer"), 40)

    def state(self) -> Any:
        return requests.get(f"{self._base}/state", timeout=10).json()

    def heard_by(self, at: int) -> list[str]:
        return [
            caption["en"]["text"] if (caption := one["captions"]) else one["kind"]
            for one in self.state()["phones"][at]["heard"]
        ]


def signs_in(hotline: RealHotline, alias: str) -> None:
    code = signing_in.current_code(hotline.runtime, alias)
    signing_in.sign_in(hotline.runtime, alias, dict(demo.DEMO_ACCOUNTS)[alias], code or "")


@pytest.fixture
def start(template: Path) -> Iterator[Callable[..., RealHotline]]:
    here = Path(tempfile.mkdtemp(prefix="hl-"))
    running: list[RealHotline] = []

    def up(**settings: str) -> RealHotline:
        running.append(RealHotline(template, here / f"data{len(running)}", None, **settings))
        return running[-1].start()

    yield up
    for one in running:
        one.close()
    shutil.rmtree(here)


def test_she_stays_on_the_line_and_a_colleague_takes_over(start: Callable[..., RealHotline]) -> None:
    hotline = start(HOTLINE_FEATURES="live,transfer", HOTLINE_CALLS_AT_ONCE="5")
    phones = Phones(hotline)
    signs_in(hotline, "counselor")
    second = hotline.counselor("second", SECOND)

    def row() -> Any:
        return hotline.one(select(callbacks))

    def becomes(state: CallbackState) -> None:
        until(lambda: row().state == state, 40, hotline.screen)

    assert phones.does("caller", "dial", to=hotline.settings.numbers[0].reveal("demo"))
    phones.press("caller", "157")
    until(lambda: hotline.rows(select(callbacks)), 20)
    phones.picks_up("counselor")  # rung at once, by the worker
    phones.press("counselor", "11")
    becomes(CallbackState.TALKING)
    until(lambda: "talking" in phones.heard_by(0) and "talking" in phones.heard_by(1), 20)

    first = row().claimed_by
    hotline.at_console("second")
    transferring.ask(hotline.runtime, row().id, first, second.id)
    phones.picks_up("phone-3")
    phones.press("phone-3", "11")
    until(lambda: hotline.rows(select(legs).where(legs.c.result == transferring.BESIDE)), 20)
    phones.does("counselor", "hangup")
    until(lambda: row().claimed_by == second.id, 20)
    assert row().state == CallbackState.TALKING
    assert phones.state()["phones"][0]["state"] == "call", "she talks on"

    phones.does("phone-3", "hangup")
    becomes(CallbackState.CLAIMED)
    until(lambda: phones.state()["phones"][0]["state"] == "idle", 40)
    assert phones.heard_by(0)[-2] == "The conversation is over. Thank you."
    assert phones.state()["faults"] == []
    casework.record_outcome(hotline.runtime, row().id, second.id, outcome="done")
    until(lambda: not hotline.rows(select(legs).where(legs.c.ended.is_(None))), 20)
