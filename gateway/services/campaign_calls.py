"""Sending a campaign: a job takes a slice of those who are due, rings them at the set pace, and comes again.

Each call is a committed leg, with a look-up owed for it, before it is dialled: killed in between, a worker leaves
legs that are asked about and never dialled again. What came of a few calls is committed together.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from gateway.carriers.base import OPTED_OUT, LegStatus
from gateway.errors import CarrierError
from gateway.logs import get
from gateway.phone import Msisdn
from gateway.queue import JOB_CAMPAIGN, JOB_LOOK_UP, JOB_RECALL, JOBS, SLOW
from gateway.runtime import Runtime
from gateway.services import (
    campaign_ends,
    campaign_texts,
    campaigns,
    dialling,
    forgetting,
    halting,
    lines,
    spending,
    windows,
)
from gateway.services.campaigns import FEATURE_OF, LANES
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import campaigns as rows
from gateway.store import contacts, legs, outbox, outreach
from gateway.store.campaigns import Campaign, CampaignState, Candidate
from gateway.store.consents import Way
from gateway.store.database import Session
from gateway.store.legs import LegKind
from gateway.store.outbox import Duty
from gateway.store.outreach import Version
from gateway.store.paces import Moment
from gateway.vault import Place

_log = get(__name__)

SLICE_SECONDS: Final = 5.0  # of the real time; then whoever waits for a worker goes first
LONGEST_SLICE: Final = 20.0  # where nobody does; a worker that is at it for a minute is taken for dead
BLOCK: Final = timedelta(milliseconds=200)  # calls whose moments are taken together
# And so long before they come: a callback waits no longer than both.
AHEAD: Final = timedelta(milliseconds=400)
LONGEST_NAP: Final = timedelta(seconds=1)
LISTED_AT_ONCE: Final = 500
THREADS: Final = 48
RING_SECONDS: Final = 30
LOOK_UP_AFTER: Final = timedelta(seconds=45)
UNSURE_FOR: Final = timedelta(seconds=20)
LOOK_UP_LIVES: Final = timedelta(hours=2)
PAUSED: Final = timedelta(minutes=1)
OTHERS_CALL: Final = timedelta(seconds=3)
NO_LINE: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(seconds=60)
_PRESSING: Final = tuple(job for job, queue in JOBS.items() if queue != SLOW and job != JOB_LOOK_UP)
_OTHERS: Final = tuple(job for job in JOBS if job != JOB_LOOK_UP)
_ENDED: Final = {
    CampaignState.CANCELED: "canceled",
    CampaignState.CAPPED: "canceled",
    CampaignState.DONE: "expired",
}


@dataclass(frozen=True, slots=True)
class _Call:
    """One call about to be placed."""

    leg: str
    recipient: str
    contact: str
    number_index: bytes
    number: Msisdn
    line: Msisdn
    moment: Moment


@dataclass(slots=True)
class _Slice:
    """One run of one lane; `flight` are the calls whose answer the provider still owes."""

    runtime: Runtime
    campaign: str
    lane: int
    pool: ThreadPoolExecutor
    pacer: lines.Pacer
    talk_seconds: int = 0
    over: bool = False
    flight: dict[Future[str], _Call] = field(default_factory=dict)


def run(runtime: Runtime, duty: Duty) -> None:
    """Ring those of this lane who are due, for a few seconds or until something more pressing waits."""
    began, due = time.monotonic(), None
    with ThreadPoolExecutor(THREADS) as pool:
        work = _Slice(runtime, duty.subject, int(duty.account or 0), pool, lines.Pacer(runtime))
        try:
            while due is None and not work.over and _goes_on(runtime, time.monotonic() - began):
                due = _step(work)
                _settle(work, finished=True)
        finally:
            wait(work.flight)
            _settle(work, finished=False)
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if work.over:
            outbox.finish(session, duty.id, now=now, result="over")
        else:
            outbox.again(session, duty.id, due=due or now, count=False)
    if not work.over and (
        due is None or due <= now
    ):  # under another job's name, for this one still has its own
        runtime.queue.put(JOB_CAMPAIGN, duty.id, ring=100 + int(time.monotonic() * 1000) % 900)


def _goes_on(runtime: Runtime, spent: float) -> bool:
    """A lane that ends and comes again leaves moments unused, so it stays while nothing else waits."""
    if spent < SLICE_SECONDS:
        return True
    with runtime.database.read() as session:
        return spent < LONGEST_SLICE and not outbox.any_due(session, _OTHERS, now=runtime.clock.now())


def _step(work: _Slice) -> datetime | None:
    """Begin the next few calls. Return when to come again, or None to go on."""
    runtime, now = work.runtime, work.runtime.clock.now()
    with runtime.database.read() as session:
        campaign = rows.get(session, work.campaign)
        version = outreach.version(session, campaign.version) if campaign else None
        if campaign is None or version is None:
            work.over = True
            return None
        ended = _ended(campaign, version, now)
        rest = None if ended else _rests(session, runtime, campaign, version, now)
        free = 0 if ended or rest else lines.free(session, runtime, LegKind.PROGRAMME)
        # No more than can leave in time: a moment that is taken and not used is lost to everybody.
        most = min(free, max(1, BLOCK // lines.every(runtime)), max(0, 2 * THREADS - len(work.flight)))
        due = rows.due_recipients(session, campaign.id, lane=work.lane, now=now, most=most) if most else ()
    if ended:
        campaign_ends.close(runtime, campaign, ended)
        work.over = True
        return None
    if rest:
        return rest
    if version.way is Way.TEXT:
        return _by_text(work, campaign, version, now)
    work.talk_seconds = int(campaigns.longest_call(version).total_seconds())
    if not due:
        return _nobody_due(work, campaign, now) if most else _while_calls_stand(work, now + NO_LINE)
    ready = _ready(runtime, due, now)
    return _begin(work, campaign, version, ready) if ready else None


def _ended(campaign: Campaign, version: Version, now: datetime) -> str | None:
    """How it ends for those who are left, where the campaign is over."""
    if campaign.state in _ENDED:
        return _ENDED[campaign.state]
    return None if campaign.not_after > now and version.may_be_heard(now) else "expired"


def _rests(
    session: Session, runtime: Runtime, campaign: Campaign, version: Version, now: datetime
) -> datetime | None:
    """Until when nobody may be rung for it; whoever waits for a callback always goes first."""
    if campaign.state is CampaignState.PAUSED or not runtime.switches.on(FEATURE_OF[version.way]):
        return now + PAUSED
    settings = runtime.settings
    begins = max(now, campaign.starts, campaign.wait_until or now)
    begins = windows.after_quiet(begins, settings.quiet_hours, settings.timezone)
    if begins > now:
        return begins
    return now if outbox.any_due(session, _PRESSING, now=now) else None


def _by_text(work: _Slice, campaign: Campaign, version: Version, now: datetime) -> datetime | None:
    """Owe the next few texts; what sends them has no lines to wait for."""
    runtime = work.runtime
    with runtime.database.read() as session:
        due = rows.due_recipients(session, campaign.id, lane=work.lane, now=now, most=campaign_texts.AT_ONCE)
    if not due:
        return _nobody_due(work, campaign, now)
    ready = [one for one, _ in _ready(runtime, due, now)]
    if not campaign_texts.send(runtime, campaign, version, ready):
        with runtime.database.write() as session:
            rows.move(session, campaign.id, from_=(CampaignState.RUNNING,), to=CampaignState.CAPPED)
    return None


def _while_calls_stand(work: _Slice, due: datetime) -> datetime | None:
    """Where calls of ours are being placed just now, wait for one of them; else come again then."""
    if not work.flight:
        return due
    wait(work.flight, timeout=0.1)
    return None


# --- who is next --------------------------------------------------------------------------------------


def _nobody_due(work: _Slice, campaign: Campaign, now: datetime) -> datetime | None:
    runtime = work.runtime
    tomorrow = None
    if not campaign.all_listed:
        listed, tomorrow = _list_more(runtime, campaign.id)
        if listed:
            return None
    if work.flight:
        return _while_calls_stand(work, now)
    with runtime.database.write() as session:
        upcoming = rows.next_due(session, campaign.id, work.lane)
        there = rows.get(session, campaign.id)
        if there and there.all_listed and not rows.anybody_left(session, campaign.id):
            rows.move(session, campaign.id, from_=(CampaignState.RUNNING,), to=CampaignState.DONE)
            work.over = True
            return None
    soonest = [moment for moment in (upcoming, tomorrow) if moment is not None]
    return max(now + OTHERS_CALL, min(soonest)) if soonest else now + OTHERS_CALL


def _list_more(runtime: Runtime, campaign_id: str) -> tuple[int, datetime | None]:
    """Make rows for the next of the audience. Return how many, and when the next day begins if this one is full."""
    now = runtime.clock.now()
    local = now.astimezone(runtime.settings.timezone)
    with runtime.database.write() as session:
        campaign = rows.locked(session, campaign_id)
        if campaign is None or campaign.all_listed:
            return 0, None
        version = outreach.version(session, campaign.version)
        today = local.toordinal()
        filled = campaign.day_filled if campaign.day == today else 0
        most = min(LISTED_AT_ONCE, campaign.per_day - filled)
        if most <= 0 or version is None:
            midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            return 0, midnight
        audience = campaigns.audience_at_launch(campaign, version)
        chosen = rows.next_consents(session, audience, after=campaign.last_listed, now=now, most=most)
        ids = [(runtime.new_id(), consent) for consent in chosen]
        listed = rows.list_recipients(session, campaign.id, ids, lanes=LANES, due=now)
        rows.change(
            session, campaign.id,
            day=today, day_filled=filled + listed, all_listed=listed < most,
            last_listed=chosen[-1] if chosen else campaign.last_listed,
        )  # fmt: skip
        if listed:
            rows.tally(session, campaign.id, {"listed": listed}, now=now)
    return listed, None


def _ready(runtime: Runtime, due: Sequence[Candidate], now: datetime) -> list[tuple[Candidate, Msisdn]]:
    """Those who may be rung, with their numbers opened; the others are counted, or put off to their own day."""
    ready: list[tuple[Candidate, Msisdn]] = []
    gone: list[tuple[Candidate, str]] = []
    later: list[tuple[Candidate, datetime]] = []
    with runtime.database.read() as session:
        forbidden = contacts.forbidden_among(session, [one.number_index for one in due if one.number_index])
    numbers = dialling.numbers_of(runtime, {one.contact: one.sealed_number for one in due})
    for one in due:
        number = numbers.get(one.contact)
        if one.until is not None and one.until <= now:
            gone.append((one, "expired"))
        elif not one.live or one.number_index in forbidden or number is None:
            gone.append((one, "stopped"))
        elif not spending.may_be_rung(runtime, number):
            gone.append((one, "not_allowed"))
        elif (begins := dialling.fit_hour(runtime, number, now)) > now:
            later.append((one, begins))
        else:
            ready.append((one, number))
    if gone or later:
        with runtime.database.write() as session:
            for one, why in gone:
                there = rows.recipient(session, one.id)
                if there is not None:
                    campaigns.finish(session, there, why, now=now)
            for one, begins in later:
                rows.note(session, one.id, due=begins)
    return ready


# --- ringing them -------------------------------------------------------------------------------------


def _begin(
    work: _Slice, campaign: Campaign, version: Version, ready: list[tuple[Candidate, Msisdn]]
) -> datetime | None:
    """Commit the legs, then have them dialled, each at its moment."""
    runtime = work.runtime
    calls: list[_Call] = []
    with runtime.database.write() as session:
        now = runtime.clock.now()
        there = rows.get(session, campaign.id)
        if there is None or there.state is not CampaignState.RUNNING:
            return None
        if halting.is_locked(session):
            return now + PAUSED
        most = min(len(ready), lines.free(session, runtime, LegKind.PROGRAMME))
        most, rest = _affordable(session, runtime, there, version, most, now)
        if rest:
            return rest
        numbers = lines.spread(session, runtime, most)
        moment = lines.moments(session, runtime, count=len(numbers), ahead=AHEAD) if numbers else None
        if moment is not None:
            taken = rows.begin_calls(session, [one.id for one, _ in ready[: len(numbers)]])
            every = lines.every(runtime)
            calls = [
                _Call(
                    runtime.new_id(), one.id, one.contact or "", one.number_index or b"", number, line,
                    Moment(moment.at + at * every, moment.number + at),
                )
                for at, ((one, number), line) in enumerate(zip(ready, numbers, strict=False))
                if one.id in taken
            ]  # fmt: skip
            _commit(session, runtime, campaign.id, calls, now)
        upcoming = lines.next_moment(session, runtime)
    if moment is None:  # another lane, or somebody more pressing, has the next moments
        return _nap(runtime, upcoming - AHEAD) if numbers else now + NO_LINE
    for call in calls:
        work.flight[work.pool.submit(_dial, work, call)] = call
    # The next moments are taken when these are nearly gone by, so that no more than a block is ever ahead.
    return _nap(runtime, moment.at + len(numbers) * lines.every(runtime) - AHEAD)


def _nap(runtime: Runtime, until: datetime) -> datetime | None:
    """Sleep until then, where that is soon; else come again then, and leave the worker to others."""
    if until - runtime.clock.now() > LONGEST_NAP:
        return until
    lines.wait(runtime, until)
    return None


def _affordable(
    session: Session, runtime: Runtime, campaign: Campaign, version: Version, most: int, now: datetime
) -> tuple[int, datetime | None]:
    """How many calls fit under the caps of the hotline and of this campaign, and when to come again if none does."""
    if campaign.cap is not None and most:
        longest = campaigns.longest_minutes(version)
        price = int(runtime.settings.call_price * 10_000)
        standing = rows.standing(session, campaign.id)
        unsettled = standing * max(0, longest - spending.LIKELY_MINUTES) * price
        left = campaign.cap - int(spending.of_campaign(session, campaign.id) * 10_000) - unsettled
        most = min(most, max(0, left // max(1, longest * price)))
        if not most:
            if standing:  # they may turn out cheaper
                return 0, now + OTHERS_CALL
            rows.move(session, campaign.id, from_=(CampaignState.RUNNING,), to=CampaignState.CAPPED)
            _log.warning("campaign_capped", campaign=campaign.id)
            return 0, now
    for count in (most, 1):
        if count and spending.allows(session, runtime, calls=count, campaign=campaign.id, now=now):
            return count, None
    return 0, now + (PAUSED if most else NO_LINE)


def _commit(session: Session, runtime: Runtime, campaign: str, calls: Sequence[_Call], now: datetime) -> None:
    """The legs, and for each the duty to look it up, which goes when the provider has answered."""
    if not calls:
        return
    legs.add_all(
        session,
        [
            {
                "id": call.leg, "kind": LegKind.PROGRAMME, "subject": call.recipient, "account": None,
                "line_index": runtime.vault.index(call.line), "created": now,
            }
            for call in calls
        ],
    )  # fmt: skip
    due, end = now + LOOK_UP_AFTER, now + LOOK_UP_LIVES
    outbox.add_all(session, JOB_LOOK_UP, {call.leg: call.recipient for call in calls}, due=due, not_after=end)
    spending.note_call(session, runtime, kind=LegKind.PROGRAMME, campaign=campaign, now=now, calls=len(calls))


def _dial(work: _Slice, call: _Call) -> str:
    return work.runtime.carrier.place_call(
        to=call.number,
        line=call.line,
        leg=call.leg,
        detect_machine=True,
        ring_seconds=RING_SECONDS,
        talk_seconds=work.talk_seconds,
        begins=lambda: work.pacer.wait(call.moment),
    )


def _settle(work: _Slice, *, finished: bool) -> None:
    """Commit what the provider answered; with `finished`, only for calls it has answered already."""
    done = {future: call for future, call in work.flight.items() if future.done() or not finished}
    if not done:
        return
    runtime = work.runtime
    with runtime.database.write() as session:
        now = runtime.clock.now()
        errands, refused = _placed_and_refused(session, runtime, done, now)
        campaign = rows.get(session, work.campaign)
        if campaign is not None and refused:
            pause = min(timedelta(seconds=2 ** min(campaign.refusals, 6)), LONGEST_WAIT)
            rows.change(session, campaign.id, refusals=campaign.refusals + 1, wait_until=now + pause)
        elif campaign is not None and campaign.refusals:
            rows.change(session, campaign.id, refusals=0, wait_until=None)
        if campaign is not None and campaign.state is not CampaignState.RUNNING:
            lives = campaigns.RECALL_LIVES  # they left while somebody pressed pause
            errands.append(errand(session, runtime, JOB_RECALL, campaign.id, due=now, lives=lives))
    for future in done:
        del work.flight[future]
    ring_bells(runtime, errands)


def _placed_and_refused(
    session: Session, runtime: Runtime, done: dict[Future[str], _Call], now: datetime
) -> tuple[list[Errand], bool]:
    """Give the errands that follow, and whether the provider asks for a pause."""
    placed: list[tuple[str, bytes, bytes]] = []
    errands: list[Errand] = []
    pause = False
    for future, call in done.items():
        error = future.exception()
        if error is None:
            sid = future.result()
            sealed = runtime.vault.seal_here(Place("legs", "sid", call.leg), sid.encode())
            placed.append((call.leg, sealed, runtime.vault.digest("sid", sid)))
        elif isinstance(error, CarrierError):
            pause |= error.retry or error.uncertain
            errands += _refused(session, runtime, call, error, now)
        else:  # a fault of ours: the look-up that is owed finds out what became of it
            _log.error("job_failed", job=JOB_CAMPAIGN, error=type(error).__name__)
    legs.placed_all(session, placed)
    outbox.remove(session, [leg for leg, _, _ in placed])
    return errands, pause


def _refused(
    session: Session, runtime: Runtime, call: _Call, error: CarrierError, now: datetime
) -> list[Errand]:
    if error.uncertain:
        legs.uncertain(session, call.leg)
        outbox.again(session, call.leg, due=now + UNSURE_FOR, count=False)
        return []
    leg = legs.get(session, call.leg)
    if leg is not None and legs.end(session, call.leg, now=now):
        legs.say_result(session, call.leg, "failed")
        spending.settle(session, runtime, leg, LegStatus.FAILED, None)
    outbox.remove(session, [call.leg])
    if error.code == OPTED_OUT:
        campaigns.not_dialled(session, call.recipient, "stopped", due=now, now=now)
        return forgetting.stop(session, runtime, call.number_index, now=now)
    campaigns.not_dialled(session, call.recipient, None if error.retry else "failed", due=now, now=now)
    return []
