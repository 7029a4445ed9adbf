"""Handing over, telling of services and keeping a case, on both databases; also when several press at once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial

from front_door import Hotline
from sqlalchemy import select
from trials import trials

from gateway.errors import Refused
from gateway.services import callbacks as requests
from gateway.services import casework, continuing, directory, housekeeping
from gateway.services.directory import Draft, Words
from gateway.store import continuing as stored
from gateway.store.callbacks import CallbackState, callbacks, moves
from gateway.store.contacts import contacts

HLA = "+959790000111"


def asked(hotline: Hotline, caller: str) -> str:
    hotline.text("11", caller)
    return str(hotline.rows(select(callbacks.c.id).order_by(callbacks.c.asked.desc(), callbacks.c.id))[0].id)


def test_a_case_is_handed_over_told_of_kept_and_let_go(hotline: Hotline) -> None:
    mya, hla = hotline.counselor("mya"), hotline.counselor("hla", HLA)
    runtime = hotline.runtime
    case = asked(hotline, "+959790000001")
    casework.claim(runtime, case, mya.id)
    continuing.offer(runtime, case, mya.id, hla.id)
    continuing.offer(runtime, case, mya.id, hla.id)  # again: the newest counts
    continuing.take_over(runtime, case, hla.id)
    until = hotline.clock.now() + timedelta(days=20)
    draft = Draft("food", Words("Rice", "Two bags.", "Ask at the school."), ("my",), until)
    entry = directory.keep(runtime, mya.id, draft)
    directory.keep(runtime, mya.id, draft, entry=entry)
    directory.refer(runtime, case, hla.id, entry)
    with runtime.database.write() as session:
        there = requests.known(session, case)
        requests.note(session, case, CallbackState.TALKING, "joined", hla.id, hotline.clock.now())
        assert [name for _, name, _ in directory.told_of(session, runtime, case)] == ["Rice"]
        assert directory.counts(session, since=there.asked, until=until) == {entry: "<5"}
        number = stored.latest(session)
    casework.record_outcome(runtime, case, hla.id, outcome="done", note="a word")
    with runtime.database.read() as session:
        assert stored.latest(session) > number
    hotline.later(days=6)
    continuing.renew(runtime, case, hla.id, "waits for an answer")
    hotline.later(days=6)
    housekeeping.sweep(runtime)
    with runtime.database.read() as session:
        now = hotline.clock.now()
        usual = now - requests.KEPT
        assert list(stored.kept(session, account=hla.id, since=usual, now=now, most=5)) == [case]
        assert list(stored.kept(session, account=mya.id, since=usual, now=now, most=5)) == []
        assert list(stored.kept(session, account=None, since=usual, now=now, most=5)) == [case]
    again = continuing.ring_again(runtime, case, hla.id, "evening")
    assert {row.contact for row in hotline.rows(select(callbacks.c.contact))} == {there.contact}
    casework.claim(runtime, again, mya.id)
    casework.record_outcome(runtime, again, mya.id, outcome="wrong_person")
    hotline.later(days=2)
    housekeeping.sweep(runtime)
    hotline.work()
    assert hotline.rows(select(contacts)) == []
    assert hotline.rows(select(stored.renewals)) == []


def test_of_several_who_press_at_once_the_case_has_one_owner(hotline: Hotline) -> None:
    mya, hla = hotline.counselor("mya"), hotline.counselor("hla", HLA)
    runtime = hotline.runtime

    def press(deed: partial[None]) -> None:
        with suppress(Refused):
            deed()

    for turn in range(trials(4, 100)):
        case = asked(hotline, f"+9597900{turn:05d}")
        casework.claim(runtime, case, mya.id)
        continuing.offer(runtime, case, mya.id, hla.id)
        deeds = [
            partial(continuing.take_over, runtime, case, hla.id),
            partial(casework.release, runtime, case, mya.id),
            partial(continuing.end_offer, runtime, case, mya.id),
            partial(casework.call, runtime, case, mya.id),
        ]
        with ThreadPoolExecutor(len(deeds)) as pool:
            list(pool.map(press, deeds))
        row = hotline.one(select(callbacks.c.state, callbacks.c.claimed_by).where(callbacks.c.id == case))
        why = [one.why for one in hotline.rows(select(moves.c.why).where(moves.c.callback == case))]
        assert why.count("taken_over") + why.count("offer_ended") <= 1
        match row.state:
            case CallbackState.WAITING:
                assert row.claimed_by is None
                assert "given_back" in why
            case CallbackState.CALLING_COUNSELOR:
                assert row.claimed_by == mya.id
                assert "taken_over" not in why
            case _:
                assert row.claimed_by == (hla.id if "taken_over" in why else mya.id)
