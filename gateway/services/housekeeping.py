"""What time does by itself: expiry, leases, retention, and calls whose end was never reported."""

from collections.abc import Iterator
from datetime import timedelta

from gateway.carriers.base import LegProgress, LegStatus
from gateway.errors import CarrierError, GatewayError
from gateway.logs import get
from gateway.queue import JOB_FORGET, JOB_RING_CALLER, JOB_RING_COUNSELOR
from gateway.runtime import Runtime
from gateway.services import (
    bridging,
    callbacks,
    campaigns,
    delivery,
    forgetting,
    halting,
    placing,
    pool,
    provider_copies,
    retention,
    ringing_back,
)
from gateway.services.errands import ring_bells
from gateway.store import callbacks as callback_rows
from gateway.store import (
    consents,
    contacts,
    continuing,
    counselors,
    hours,
    inbox,
    legs,
    messages,
    outbox,
)
from gateway.store.messages import MessageKind
from gateway.vault import Place

_log = get(__name__)

MOST = 500  # rows a sweep: the next one comes in a few seconds
ROWS_KEPT = timedelta(days=90)  # ended requests without any person, for counting
REPORT_OVERDUE = timedelta(minutes=2)
HOLIDAYS_KEPT = timedelta(days=30)
# A thread's texts die with its case, and by age where that is kept for longer.
MESSAGES_KEPT = {MessageKind.THREAD: timedelta(days=30), MessageKind.PROGRAMME: timedelta(days=3)}
ORPHANS_KEPT = timedelta(hours=2)
LONGEST_CALL = timedelta(seconds=placing.TALK_SECONDS) + timedelta(minutes=15)
RINGS = (JOB_RING_COUNSELOR, JOB_RING_CALLER)


def expire(runtime: Runtime) -> None:
    """End requests whose time is over, return claims that ran out, end consents. Run every few seconds."""
    now = runtime.clock.now()
    errands = []
    with runtime.database.write() as session:
        for there in callback_rows.past(session, now, most=MOST):
            errands += callbacks.expire(session, runtime, there, now=now)
        for there in callback_rows.leases_over(session, now, most=MOST):
            callbacks.lease_over(session, there, now=now)
        errands += pool.escalate(session, runtime, now=now, most=MOST)
        errands += ringing_back.expire(session, runtime, now=now, most=MOST)
        for consent in consents.over(session, now, most=MOST):
            campaigns.consent_ended(session, consent.contact, "expired", now=now)
            errands.append(forgetting.release(session, runtime, consent.contact, now=now))
        for unanswered in consents.text_opt_ins_over(session, now, most=MOST):
            consents.drop_text_opt_in(session, unanswered.contact)
            errands.append(forgetting.release(session, runtime, unanswered.contact, now=now))
    ring_bells(runtime, errands)


def sweep(runtime: Runtime) -> None:
    """Delete what is past its age and look up calls that fell silent. Run every minute."""
    now = runtime.clock.now()
    errands = []
    with runtime.database.write() as session:
        inbox.drop_answers_before(session, now - inbox.ANSWERS_KEPT)
        retention.sweep(session, now)
        errands += [
            forgetting.release(session, runtime, contact, now=now)
            for contact in retention.idle_people(session, now)
            if not outbox.owed(session, JOB_FORGET, contact)
        ]
        legs.forget_ids_of_ended(session)
        errands += provider_copies.owe(session, runtime, now=now)
        hours.drop_holidays_before(session, (now - HOLIDAYS_KEPT).date())
        for kind, kept in MESSAGES_KEPT.items():
            messages.drop_before(session, kind, now - kept)
        for callback, contact in continuing.over(
            session, ended_before=now - callbacks.KEPT, now=now, most=MOST
        ):
            errands.append(forgetting.release(session, runtime, contact, now=now))
            forgetting.let_go(session, callback)
        for there in callback_rows.in_calls(session, most=MOST):
            if not legs.live_of(session, there.id) and not outbox.owed_any(session, RINGS, there.id):
                errands += bridging.stuck(session, runtime, there, now=now)
        for there in callback_rows.ended_before(session, now - ROWS_KEPT, most=MOST):
            callback_rows.remove(session, there.id)
    ring_bells(runtime, errands)
    halting.look(runtime)
    for progress in _overdue(runtime):
        try:
            delivery.leg_progress(runtime, progress)
        except GatewayError as error:  # one that cannot be ended must not hold the others
            _log.warning("report_lost", error=type(error).__name__)
    _sweep_keys(runtime)
    retention.prune_shelf(runtime)


def _sweep_keys(runtime: Runtime) -> None:
    """Keys whose row was never written, or is gone: nobody needs them."""

    def known() -> Iterator[str]:
        with runtime.database.read() as session:
            yield from contacts.everyone(session)
            yield from (account.id for account in counselors.everyone(session))

    runtime.vault.sweep_orphans(known(), runtime.clock.now() - ORPHANS_KEPT)


def _overdue(runtime: Runtime) -> Iterator[LegProgress]:
    """Ask the provider how calls stand whose end was not reported: a lost webhook must not hold a case."""
    now = runtime.clock.now()
    with runtime.database.read() as session:
        silent = legs.older_live(session, now - REPORT_OVERDUE, most=20)
    answers = True
    for leg in silent:
        if leg.sid is None:
            continue  # its own duty looks it up
        sid = runtime.vault.open_here(Place("legs", "sid", leg.id), leg.sid).decode()
        status = LegStatus.UNDER_WAY
        if now - leg.created > LONGEST_CALL:
            status = LegStatus.COMPLETED  # whatever the provider would say: no call is so long
        elif answers:
            try:
                status = runtime.carrier.call_status(sid)
            except CarrierError:
                answers = False  # it would cost the clock a time-out for each: the next minute asks again
        if status is not LegStatus.UNDER_WAY:
            yield LegProgress(sid=sid, leg=leg.id, status=status)
