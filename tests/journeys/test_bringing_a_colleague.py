"""Warm transfer (feature `transfer`): a colleague is rung into a talk, and may stay when the first counselor leaves."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from console.browser import Browser
from front_door import CALLER, COUNSELOR, PASSWORD, Hotline, Line, Placed, Provider
from sqlalchemy import select

from gateway.errors import Refused
from gateway.services import casework, continuing, ending, keypad, signing_in, transferring
from gateway.store import callbacks as requests
from gateway.store import refusals
from gateway.store.callbacks import CallbackState, callbacks
from gateway.store.continuing import handovers
from gateway.store.legs import legs

SECOND = "+66812345022"


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(
        template, tmp_path / "hotline", provider,
        HOTLINE_FEATURES="transfer", HOTLINE_CALLS_AT_ONCE="4", HOTLINE_FACES="all",
    )  # fmt: skip
    yield made
    made.runtime.database.close()


class Talk:
    """A counselor and a caller who talk, and a colleague at the console."""

    def __init__(self, hotline: Hotline) -> None:
        self.hotline = hotline
        self.first = hotline.counselor()
        self.second = hotline.counselor("second", SECOND)
        hotline.at_console("second")
        hotline.dial().press("117")
        self.case = self.row().id
        casework.claim(hotline.runtime, self.case, self.first.id)
        casework.write_note(hotline.runtime, self.case, self.first.id, "speaks softly")
        casework.call(hotline.runtime, self.case, self.first.id)
        self.counselor = hotline.pick_up(self.rung(COUNSELOR))
        self.counselor.press("11")
        self.her = hotline.pick_up(self.rung(CALLER))
        assert self.her.press("7").room == self.counselor.heard.room
        assert self.row().state == CallbackState.TALKING

    def row(self) -> Any:
        return self.hotline.one(select(callbacks))

    def rung(self, number: str) -> Placed:
        self.hotline.work(most=30)
        return [call for call in self.hotline.provider.calls if call.form["To"] == number][-1]

    def joined(self) -> Line:
        """The colleague is asked, and joins."""
        transferring.ask(self.hotline.runtime, self.case, self.first.id, self.second.id)
        colleague = self.hotline.pick_up(self.rung(SECOND))
        assert colleague.heard.said == ["counselor_gate"], "nothing before the key"
        assert colleague.press("1").said == ["handle", "colleague_choices"]
        assert colleague.press("1").room == self.her.heard.room
        return colleague

    def moved(self, line: Line) -> list[str]:
        self.hotline.work(most=30)
        return self.hotline.provider.of(line.sid).moved_to


@pytest.fixture
def talk(hotline: Hotline) -> Talk:
    return Talk(hotline)


def conference(line: Line) -> Element:
    there = line.heard.document.find("Dial/Conference")
    assert there is not None
    return there


def test_the_first_one_leaves_and_the_talk_and_the_case_go_on_with_the_colleague(talk: Talk) -> None:
    colleague = talk.joined()
    ends = {
        line.form["To"]: conference(line).get("endConferenceOnExit")
        for line in (talk.counselor, talk.her, colleague)
    }
    assert ends == {COUNSELOR: "false", CALLER: "true", SECOND: "false"}, "only she ends it for everybody"
    assert talk.row().claimed_by == talk.first.id, "as long as the first one is there"
    talk.counselor.hang_up()
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.TALKING, talk.second.id)
    assert not talk.moved(talk.her), "she is not moved: she talks"
    with talk.hotline.runtime.database.read() as session:
        there = requests.get(session, talk.case)
        assert there
        assert casework.read_note(talk.hotline.runtime, session, there) == "speaks softly"
    with pytest.raises(Refused, match="taken"):
        casework.record_outcome(talk.hotline.runtime, talk.case, talk.first.id, outcome="done")
    talk.her.hang_up()
    colleague.leave_room()
    colleague.hang_up()
    assert talk.row().state == CallbackState.CLAIMED
    casework.record_outcome(talk.hotline.runtime, talk.case, talk.second.id, outcome="done")
    assert talk.row().state == CallbackState.DONE
    assert not talk.hotline.rows(select(legs).where(legs.c.ended.is_(None)))
    assert not talk.hotline.rows(select(handovers))


@pytest.mark.parametrize("how", ["no-answer", "busy", "declines", "hangs_up", "silent"])
def test_a_colleague_who_does_not_come_changes_nothing(talk: Talk, how: str) -> None:
    before = talk.row()
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, talk.second.id)
    call = talk.rung(SECOND)
    if how in {"no-answer", "busy"}:
        talk.hotline.not_answered(call, how)
    else:
        colleague = talk.hotline.pick_up(call)
        if how == "declines":
            assert colleague.press("13").said == ["goodbye"]
        elif how == "silent":
            colleague.silence()
            colleague.silence()
        colleague.hang_up()
    now = talk.row()
    assert (now.state, now.claimed_by, now.room) == (before.state, before.claimed_by, before.room)
    assert not talk.hotline.rows(select(handovers)), "and somebody else may be asked"
    assert not talk.moved(talk.her)
    talk.counselor.hang_up()
    assert talk.row().state == CallbackState.CLAIMED
    (path,) = talk.moved(talk.her)
    assert talk.her.post(path.removeprefix(talk.hotline.settings.public_url)).said == ["bridge_over"]


def test_a_colleague_who_leaves_first_leaves_it_as_it_was(talk: Talk) -> None:
    colleague = talk.joined()
    colleague.leave_room()
    colleague.hang_up()
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.TALKING, talk.first.id)
    assert not talk.moved(talk.her)
    talk.joined()
    talk.counselor.leave_room()
    assert talk.row().claimed_by == talk.second.id


def test_she_hangs_up_and_whoever_has_it_says_how_it_went(talk: Talk) -> None:
    colleague = talk.joined()
    talk.her.hang_up()
    assert talk.counselor.leave_room().said == ["bridge_over"]
    assert colleague.leave_room().said == ["bridge_over"]
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.CLAIMED, talk.first.id)


def test_after_it_was_passed_on_the_colleague_who_leaves_ends_it(talk: Talk) -> None:
    colleague = talk.joined()
    talk.counselor.hang_up()
    colleague.leave_room()
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.CLAIMED, talk.second.id)
    assert len(talk.moved(talk.her)) == 1, "she is not left alone in a conference"


def test_the_talk_ends_while_the_colleagues_phone_rings(talk: Talk) -> None:
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, talk.second.id)
    call = talk.rung(SECOND)
    talk.her.hang_up()
    late = talk.hotline.pick_up(call)
    assert late.press("1").said == ["colleague_over"]
    talk.hotline.work(most=30)
    assert talk.hotline.provider.of(call.sid).status == "completed"
    assert talk.row().claimed_by == talk.first.id


def test_a_colleague_with_a_keypad_gives_the_next_code_first(talk: Talk) -> None:
    third = talk.hotline.counselor("third", "+66812345023")
    codes = keypad.fresh_sheet(talk.hotline.runtime, third)
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, third.id)
    colleague = talk.hotline.pick_up(talk.rung("+66812345023"))
    assert colleague.heard.said == ["keypad_gate"]
    assert colleague.heard.action
    assert colleague.post(colleague.heard.action, Digits=codes[0]).said == ["handle", "colleague_choices"]
    assert colleague.press("1").room == talk.her.heard.room
    talk.counselor.hang_up()
    assert talk.row().claimed_by == third.id


def test_without_a_choice_whoever_suits_is_rung_and_never_who_refused_it(talk: Talk) -> None:
    with talk.hotline.runtime.database.write() as session:
        refusals.add(session, talk.case, talk.second.id, now=talk.hotline.clock.now())
    with pytest.raises(Refused, match="no_taker"):
        transferring.ask(talk.hotline.runtime, talk.case, talk.first.id)
    third = talk.hotline.counselor("third", "+66812345023")
    talk.hotline.at_console("third")
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id)
    assert talk.rung("+66812345023")
    assert talk.hotline.one(select(handovers)).taker == third.id
    with pytest.raises(Refused, match="not_now"):
        transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, talk.second.id)
    continuing.end_offer(talk.hotline.runtime, talk.case, talk.first.id)
    talk.hotline.work(most=30)
    assert talk.rung("+66812345023").status == "completed", "her phone stops ringing"


def test_the_colleagues_queue_says_why_the_phone_rings_and_then_that_they_are_in_it(talk: Talk) -> None:
    browser = Browser(talk.hotline.app.test_client(), talk.hotline.runtime)
    browser.get("/sign-in")
    code = signing_in.current_code(talk.hotline.runtime, "second") or ""
    browser.post("/sign-in", alias="second", password=PASSWORD, code=code)
    asked, joined = "A colleague brings you into a talk", "You are in the talk"
    assert asked not in browser.get("/queue").text
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, talk.second.id)
    assert asked in browser.get("/queue").text
    browser.post(f"/cases/{talk.case}/end-offer")
    assert asked not in browser.get("/queue").text, "not now"
    talk.hotline.later(seconds=1)
    talk.joined()
    assert joined in browser.get("/queue").text
    talk.counselor.hang_up()
    page = browser.get("/queue").text
    assert joined not in page
    assert "Yours" in page


def test_who_was_captured_is_out_of_the_talk_too(talk: Talk) -> None:
    colleague = talk.joined()
    ending.captured(talk.hotline.runtime, "second")
    talk.hotline.work(most=30)
    assert talk.hotline.provider.of(colleague.sid).status == "completed"
    colleague.hang_up()
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.TALKING, talk.first.id)


def test_reports_in_any_order_leave_one_of_the_two_with_it(talk: Talk) -> None:
    colleague = talk.joined()
    for line in (talk.counselor, colleague, talk.her):
        for _ in range(2):
            line.hang_up()
    assert (talk.row().state, talk.row().claimed_by) == (CallbackState.CLAIMED, talk.second.id)
    assert not talk.hotline.rows(select(legs).where(legs.c.ended.is_(None)))


def test_a_worker_that_dies_before_the_dial_rings_once(talk: Talk) -> None:
    """The provider placed the call and nobody heard its answer: it is looked up, not dialled again."""
    transferring.ask(talk.hotline.runtime, talk.case, talk.first.id, talk.second.id)
    talk.hotline.provider.drop_answers = True
    talk.hotline.work(most=30)
    talk.hotline.provider.drop_answers = False
    talk.hotline.later(seconds=30)
    call = talk.rung(SECOND)
    assert len([one for one in talk.hotline.provider.calls if one.form["To"] == SECOND]) == 1
    assert talk.hotline.pick_up(call).press("11").room == talk.her.heard.room


def test_off_it_is_not_there(template: Path, tmp_path: Path, provider: Provider) -> None:
    hotline = Hotline(template, tmp_path / "off", provider, HOTLINE_CALLS_AT_ONCE="4")
    talk = Talk(hotline)
    assert {conference(line).get("endConferenceOnExit") for line in (talk.counselor, talk.her)} == {"true"}
    with pytest.raises(Refused, match="not_now"):
        transferring.ask(hotline.runtime, talk.case, talk.first.id, talk.second.id)
    talk.counselor.hang_up()
    assert not talk.moved(talk.her), "the conference ended with its counselor"
    hotline.runtime.database.close()
