"""What must hold on SQLite and on PostgreSQL alike, also when many come at once on two hosts."""

import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from front_door import CALLER, Hotline
from sqlalchemy import func, select
from trials import trials

from gateway.errors import Refused
from gateway.phone import Msisdn
from gateway.services import callbacks as requests
from gateway.services import casework, dispatch, housekeeping, sending, threads
from gateway.store import messages as stored
from gateway.store.audit import audit
from gateway.store.callbacks import CallbackState, callbacks, moves
from gateway.store.contacts import contacts
from gateway.store.database import metadata
from gateway.store.inbox import inbox
from gateway.store.legs import legs
from gateway.store.messages import MessageKind, MessageState, messages
from gateway.store.migrations import upgrade
from gateway.store.outbox import outbox

Hosts = tuple[Hotline, Hotline]
Answer = TypeVar("Answer")


def at_once(deeds: Iterable[Callable[[], Answer]]) -> Sequence[Answer]:
    """Do all of them in threads that begin together."""
    waiting = list(deeds)
    gate = threading.Barrier(len(waiting))

    def do(deed: Callable[[], Answer]) -> Answer:
        gate.wait()
        return deed()

    with ThreadPoolExecutor(len(waiting)) as pool:
        return list(pool.map(do, waiting))


def asked(hotline: Hotline, own: str = "5", caller: str = CALLER) -> str:
    """Ask by a call; give the request's id."""
    call = hotline.dial(caller)
    assert call.press("11" + own).said[0] == "registered"
    call.hang_up()
    return str(hotline.rows(select(callbacks.c.id).order_by(callbacks.c.asked.desc()))[0].id)


def numbers(count: int) -> list[str]:
    return [f"+9597900{at:05d}" for at in range(count)]


def test_the_migrations_make_what_the_tables_say(hotline: Hotline) -> None:
    with hotline.runtime.database.engine.connect() as connection:
        # On SQLite Alembic takes the default '' for another one than "".
        defaults = connection.dialect.name == "postgresql"
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": defaults}
        )
        assert compare_metadata(context, metadata) == []
    upgrade(hotline.runtime.database)  # again: nothing to do


def test_ask_claim_talk_and_close(hotline: Hotline) -> None:
    counselor = hotline.counselor()
    case = asked(hotline)
    casework.claim(hotline.runtime, case, counselor.id)
    casework.call(hotline.runtime, case, counselor.id)
    hotline.work()
    one = hotline.pick_up(hotline.provider.calls[-1])
    one.press("11")
    hotline.work()
    other = hotline.pick_up(hotline.provider.calls[-1])
    assert other.press("5").room == one.heard.room
    assert hotline.one(select(callbacks)).state == CallbackState.TALKING
    for line in (other, one):
        line.leave_room()
        line.hang_up()
    note = "တစ်ပတ်နေရင် ပြန်ခေါ်ပါ \x00 !"
    casework.record_outcome(hotline.runtime, case, counselor.id, outcome="done", note=note)
    row = hotline.one(select(callbacks))
    assert (row.state, row.reached) == (CallbackState.DONE, 1)
    assert len(hotline.rows(select(legs).where(legs.c.ended.is_not(None)))) == 2
    hotline.later(days=8)
    housekeeping.sweep(hotline.runtime)
    hotline.work()
    assert not hotline.rows(select(contacts))


def test_a_text_asks_withdraws_and_is_forgotten(hotline: Hotline) -> None:
    hotline.text("11")
    assert hotline.one(select(callbacks)).state == CallbackState.WAITING
    hotline.text("5")
    hotline.text("52")
    hotline.text("99")
    assert hotline.one(select(callbacks)).state == CallbackState.WITHDRAWN
    hotline.text("77")
    hotline.text("77")
    hotline.work()
    assert not hotline.rows(select(contacts))


def test_texts_that_two_hosts_send_at_once_leave_once_each_and_in_their_order(hosts: Hosts) -> None:
    here, there = hosts
    here.text("11")
    contact, line = here.one(select(contacts.c.id)).id, here.runtime.vault.index(here.settings.numbers[0])
    words = [f"text {at}" for at in range(trials(4, 100))]
    for at, text in enumerate(words):
        now = here.clock.now() + timedelta(milliseconds=at)
        with here.runtime.database.write() as session:
            sending.write(
                session, here.runtime, kind=MessageKind.THREAD, contact=contact, subject="case", text=text,
                display="unicode", line_index=line, now=now, not_after=now + timedelta(hours=3), most_parts=1,
            )  # fmt: skip
    query = select(outbox.c.id).where(outbox.c.job == "send_text", outbox.c.done.is_(None))
    while owed := [row.id for row in here.rows(query)]:
        here.later(seconds=10)
        at_once(partial(_send, host, duty) for duty in owed for host in hosts)
    texts = [
        text.body
        for host in {id(one.provider): one for one in hosts}.values()
        for text in host.provider.texts
    ]
    assert texts == words
    assert {row.state for row in there.rows(select(messages.c.state))} == {MessageState.SENT}


def _send(host: Hotline, duty: str) -> None:
    taken = dispatch.take(host.runtime, duty)
    if taken is not None:
        sending.send(host.runtime, taken)


def test_a_text_of_a_thread_is_sealed_counted_and_forgotten(hotline: Hotline) -> None:
    hotline.text("11")
    contact = hotline.one(select(contacts.c.id)).id
    now, line = hotline.clock.now(), hotline.runtime.vault.index(hotline.settings.numbers[0])
    with hotline.runtime.database.write() as session:
        threads.arrived(
            session, hotline.runtime, contact, text="we are four", display="unicode", handle="", language="my",
            line_index=line, now=now,
        )  # fmt: skip
    case = hotline.one(select(callbacks.c.id)).id
    with hotline.runtime.database.read() as session:
        assert threads.unanswered(session, [case, "another"]) == {case}
        assert stored.counts(session)["received"] == 1
    hotline.text("77")
    hotline.text("77")
    assert not hotline.rows(select(messages))


@pytest.mark.promise(13)
def test_of_two_claims_at_once_one_wins(hosts: Hosts, tried: Callable[[int], None]) -> None:
    tried(trials(50, 500))
    here, there = hosts
    people = [here.counselor("one", "+66812345001"), here.counselor("two", "+66812345002")]
    case = asked(here)

    def claim(host: Hotline, account: str) -> str:
        try:
            casework.claim(host.runtime, case, account)
        except Refused as refused:
            return refused.reason_key
        return "won"

    for _ in range(trials(50, 500)):
        won = at_once([
            partial(claim, host, person.id)
            for host, person in zip((here, there, there, here), people * 2, strict=True)
        ])  # fmt: skip
        assert sorted(won) == ["taken", "taken", "won", "won"], "whoever has it has it; the other does not"
        holder = here.one(select(callbacks)).claimed_by
        casework.release(here.runtime, case, holder)
    claims = select(func.count()).select_from(moves).where(moves.c.why == "claimed")
    assert here.one(claims)[0] == trials(50, 500), "each win is told once"


@pytest.mark.promise(6)
def test_one_webhook_in_twenty_threads_on_two_hosts_has_one_effect(
    hosts: Hosts, tried: Callable[[int], None]
) -> None:
    here = hosts[0]
    many = trials(5, 1000)
    tried(20 * many)
    for number in numbers(many):
        sid = "SM" + secrets.token_hex(16)
        answers = at_once(partial(host.text, "11", number, sid=sid) for host in hosts * 10)
        assert len(set(answers)) == 1
        assert answers[0] == here.runtime.library.sms("my", "asked_nobody", "unicode")
    rows = here.rows(select(callbacks))
    assert len(rows) == len(here.rows(select(contacts))) == many
    assert {row.asks for row in rows} == {1}


@pytest.mark.promise(6)
def test_one_key_pressed_in_twenty_threads_registers_once(hosts: Hosts) -> None:
    here, there = hosts
    many = trials(5, 1000)
    for number in numbers(many):
        call = here.dial(number)
        call.press("11")
        path = call.heard.action
        assert path
        form = {**call.form, "CallSid": call.sid, "Digits": "5"}
        heard = at_once(partial(host.post, path, form) for host in (here, there) * 10)
        assert len({answer.data for answer in heard}) == 1
        assert here.voice(path, form).said[0] == "registered"
    assert len(here.rows(select(callbacks))) == many
    assert len(here.rows(select(moves).where(moves.c.why == "asked"))) == many
    assert not here.rows(select(moves).where(moves.c.why == "asked_again"))


def test_many_different_asks_of_one_new_number_at_once_are_one_request_and_one_of_their_keys_opens(
    hosts: Hosts,
) -> None:
    """A household's phone, or a nervous person's: no ask is lost, and every own number opens."""
    here, there = hosts
    for number in numbers(trials(5, 100)):
        calls = [host.dial(number) for host in (here, there) for _ in range(2)]
        for call in calls:
            call.press("11")
        heard = at_once([
            lambda call=call, own=own: call.press(own).said[0]
            for call, own in zip(calls, "4567", strict=True)
        ])  # fmt: skip
        assert set(heard) == {"registered"}
        index = here.runtime.vault.index(Msisdn.parse(number))
        mine = select(callbacks).join(contacts, contacts.c.id == callbacks.c.contact)
        row = here.one(mine.where(contacts.c.number_index == index))
        assert row.asks == 4
        assert row.own_keys in tuple("4567")


def test_a_duty_is_taken_by_one_worker_only(hosts: Hosts) -> None:
    here, there = hosts
    for turn in range(trials(20, 500)):
        with here.runtime.database.write() as session:
            duty = requests.errand(
                session, here.runtime, "end_call", f"leg{turn}",
                due=here.clock.now(), lives=timedelta(minutes=1),
            )  # fmt: skip
        taken = at_once([
            partial(dispatch.take, host.runtime, duty.id) for host in (here, there) * 4
        ])  # fmt: skip
        assert len([one for one in taken if one is not None]) == 1
        dispatch.finish(here.runtime, next(one for one in taken if one is not None), "done")
    assert here.one(select(func.count()).select_from(outbox))[0] == trials(20, 500)


@pytest.mark.promise(13)
def test_two_clocks_at_once_end_and_return_each_request_once(hosts: Hosts) -> None:
    here, there = hosts
    person = here.counselor()
    for number in numbers(12):
        here.text("11", number)
    cases = [row.id for row in here.rows(select(callbacks))]
    for case in cases[:6]:
        casework.claim(here.runtime, case, person.id)
    here.later(minutes=21)  # the leases are over
    at_once(partial(housekeeping.expire, host.runtime) for host in (here, there) * 2)
    states = [row.state for row in here.rows(select(callbacks))]
    assert states == [CallbackState.WAITING] * 12
    assert len(here.rows(select(moves).where(moves.c.why == "lease_over"))) == 6
    here.later(minutes=25)  # and so is the hour
    at_once(partial(housekeeping.expire, host.runtime) for host in (here, there) * 2)
    assert [row.state for row in here.rows(select(callbacks))] == [CallbackState.EXPIRED] * 12
    assert len(here.rows(select(moves).where(moves.c.why == "expired"))) == 12
    assert len(here.rows(select(outbox).where(outbox.c.job == "forget"))) == 12
    at_once(partial(dispatch.ring_due, host.runtime) for host in (here, there))
    at_once(partial(housekeeping.sweep, host.runtime) for host in (here, there) * 2)


@pytest.mark.promise(29)
@pytest.mark.parametrize("odd", ["\x00", "a\x00b", "\ud7ff", "\U0010ffff" * 10, "'; --", "%", "9" * 40])
def test_no_odd_character_breaks_a_webhook(hotline: Hotline, odd: str) -> None:
    call = hotline.dial()
    call.press("11")
    for path in ("/twilio/voice", call.heard.action or "", "/twilio/sms"):
        form = {**call.form, "CallSid": call.sid + odd, "MessageSid": odd, "Digits": odd, "Body": odd}
        assert hotline.post(path, {**form, "From": odd}).status_code < 500
        assert hotline.post(path, form).status_code < 500
    for path in ("", "/over", "/status"):
        address = f"/twilio/voice/leg/{quote(odd, safe='')}{path}"
        form = {"CallSid": "CA" + odd, "From": CALLER, "To": CALLER, "CallStatus": "completed"}
        signature = hotline._validator.compute_signature(
            hotline.settings.public_url + address,
            {"AccountSid": hotline.settings.twilio_account_sid, **form},
        )
        answer = hotline.client.post(
            address,
            data={"AccountSid": hotline.settings.twilio_account_sid, **form},
            headers={"X-Twilio-Signature": signature},
            environ_overrides={"RAW_URI": address},
        )
        assert answer.status_code in {200, 204, 400}, (address, answer.status_code)
    assert hotline.rows(select(inbox))
    assert not [row for row in hotline.rows(select(audit)) if odd in repr(row)]
