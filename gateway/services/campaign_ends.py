"""The end of a campaign: who is left is counted, and calls that the provider has in hand are taken back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from gateway.carriers.base import LegProgress, LegStatus
from gateway.errors import CarrierError
from gateway.runtime import Runtime
from gateway.services import campaigns, delivery
from gateway.store import campaigns as rows
from gateway.store import legs, outbox, outreach
from gateway.store.campaigns import Campaign, CampaignState
from gateway.store.legs import LegState
from gateway.store.outbox import Duty
from gateway.vault import Place


def close(runtime: Runtime, campaign: Campaign, why: str) -> None:
    """Nobody further is rung: count those who were never listed and those who are left, slice by slice."""
    now = runtime.clock.now()
    while _count_unlisted(runtime, campaign, why, now):
        pass
    left = campaigns.SLICE
    while left:
        with runtime.database.write() as session:
            left = rows.remove_pending(session, campaign.id, most=campaigns.SLICE)
            if left:
                rows.tally(session, campaign.id, {why: left}, now=now)
    with runtime.database.write() as session:
        rows.move(session, campaign.id, from_=rows.OPEN, to=CampaignState.DONE)


def _count_unlisted(runtime: Runtime, campaign: Campaign, why: str, now: datetime) -> bool:
    """Count a slice of those who were never listed; whether there may be more."""
    with runtime.database.write() as session:
        there = rows.locked(session, campaign.id)
        version = outreach.version(session, campaign.version)
        if there is None or version is None or there.all_listed:
            return False
        meant, most = campaigns.audience_at_launch(there, version), campaigns.SLICE
        slice_ = rows.next_consents(session, meant, after=there.last_listed, now=now, most=most)
        if slice_:
            rows.change(session, there.id, last_listed=slice_[-1])
            rows.tally(session, there.id, {"listed": len(slice_), why: len(slice_)}, now=now)
        rows.change(session, there.id, all_listed=len(slice_) < most)
        return len(slice_) == most


def recall(runtime: Runtime, duty: Duty) -> None:
    """Take back the calls of a campaign that the provider has queued or is ringing; a talk is left alone."""
    with runtime.database.read() as session:
        calls = [
            leg
            for recipient in rows.being_called(session, duty.subject)
            for leg in legs.live_of(session, recipient)
            if leg.sid is not None and leg.state is LegState.PLACED
        ]
    with ThreadPoolExecutor(8) as pool:
        failed = [fault for fault in pool.map(lambda leg: _take_back(runtime, leg), calls) if fault]
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if failed:
            outbox.again(session, duty.id, due=now + timedelta(seconds=3))
        else:
            outbox.finish(session, duty.id, now=now, result="done")


def _take_back(runtime: Runtime, leg: legs.Leg) -> bool:
    """True where the provider could not be asked."""
    sid = runtime.vault.open_here(Place("legs", "sid", leg.id), leg.sid or b"").decode()
    try:
        taken = runtime.carrier.cancel_call(sid)
    except CarrierError as error:
        return error.retry or error.uncertain
    if taken:  # of a call that was still queued no report ever comes
        delivery.leg_progress(runtime, LegProgress(sid=sid, leg=leg.id, status=LegStatus.CANCELED))
    return False
