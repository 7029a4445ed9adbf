"""Campaigns: a programme is sent by call to those who asked for it, slice by slice."""

from datetime import datetime, timedelta

from gateway.errors import Refused
from gateway.queue import JOB_CAMPAIGN, JOB_RING_PROGRAMME
from gateway.runtime import Runtime
from gateway.services import windows
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, legs, outbox, outreach
from gateway.store.database import Session
from gateway.store.outbox import Duty
from gateway.store.outreach import Campaign, CampaignState


def audience(runtime: Runtime, language: str) -> str:
    """How many would be rung; small groups only as "<5", for four people are not a statistic."""
    with runtime.database.read() as session:
        count = outreach.audience(session, language=language, now=runtime.clock.now())
    return shown(count)


def shown(count: int) -> str:
    return "<5" if 0 < count < 5 else str(count)


def launch(runtime: Runtime, version: str, account: str, *, lives: timedelta = timedelta(days=2)) -> str:
    """Ring everybody whose consent is live. Raises `Refused`: feature_off, not_approved, running, nobody."""
    now = runtime.clock.now()
    if not runtime.switches.on("programme_calls"):
        raise Refused("feature_off")
    campaign = runtime.new_id()
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is None or not there.may_be_heard(now):
            raise Refused("not_approved")
        open_states = (CampaignState.RUNNING, CampaignState.PAUSED)
        if any(one.state in open_states for one in outreach.campaigns_of(session, version)):
            raise Refused("running")
        not_after = min(now + lives, there.valid_until)
        count = outreach.launch(
            session,
            language=there.language,
            id=campaign,
            version=version,
            launched_by=account,
            launched=now,
            not_after=not_after,
        )
        if not count:
            raise Refused("nobody")
        settings = runtime.settings
        due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
        bell = errand(session, runtime, JOB_CAMPAIGN, campaign, due=due, lives=not_after - now)
        audit.note(session, what="campaign_launched", account=account, subject=campaign, now=now)
    ring_bells(runtime, [bell])
    return campaign


def steer(runtime: Runtime, campaign: str, account: str, *, to: CampaignState) -> None:
    """Pause, resume or cancel; takes effect with the next call. Raises `Refused("not_now")`."""
    allowed = {
        CampaignState.PAUSED: (CampaignState.RUNNING,),
        CampaignState.RUNNING: (CampaignState.PAUSED,),
        CampaignState.CANCELED: (CampaignState.RUNNING, CampaignState.PAUSED),
    }
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if to not in allowed or not outreach.move_campaign(session, campaign, from_=allowed[to], to=to):
            raise Refused("not_now")
        audit.note(session, what=f"campaign_{to}", account=account, subject=campaign, now=now)


def run_slice(runtime: Runtime, duty: Duty) -> None:
    """Owe a call to the next few recipients, as many as the set rate allows until this job comes back."""
    now = runtime.clock.now()
    settings = runtime.settings
    due = windows.after_quiet(now, settings.quiet_hours, settings.timezone)
    errands: list[Errand] = []
    with runtime.database.write() as session:
        campaign = outreach.campaign(session, duty.subject)
        if campaign is None or campaign.state in (CampaignState.CANCELED, CampaignState.DONE):
            outbox.finish(session, duty.id, now=now, result="over")
            return
        if campaign.not_after <= now:
            outreach.move_campaign(session, campaign.id, from_=(campaign.state,), to=CampaignState.DONE)
            outbox.finish(session, duty.id, now=now, result="too_late")
            return
        if campaign.state is CampaignState.PAUSED or due > now:
            outbox.again(session, duty.id, due=max(due, now + timedelta(seconds=2)), count=False)
            return
        free = max(0, max(1, settings.calls_at_once - 2) - legs.live(session))
        most = min(free, max(1, round(settings.calls_per_second)))
        for recipient in outreach.due_recipients(session, campaign.id, now=now, most=most):
            if outreach.move_recipient(
                session, recipient.id, from_=("pending",), to="calling", attempts=recipient.attempts + 1
            ):
                lives = min(timedelta(minutes=2), campaign.not_after - now)
                errands.append(
                    errand(session, runtime, JOB_RING_PROGRAMME, recipient.id, due=now, lives=lives)
                )
        _next_slice(session, duty, campaign, now)
    ring_bells(runtime, errands)


def _next_slice(session: Session, duty: Duty, campaign: Campaign, now: datetime) -> None:
    if outreach.unfinished(session, campaign.id):
        upcoming = outreach.next_due(session, campaign.id)
        soon = now + timedelta(seconds=1)
        due = max(soon, min(upcoming or soon, now + timedelta(minutes=1)))
        outbox.again(session, duty.id, due=due, count=False)
    else:
        outreach.move_campaign(session, campaign.id, from_=(CampaignState.RUNNING,), to=CampaignState.DONE)
        outbox.finish(session, duty.id, now=now, result="done")


def results(runtime: Runtime, campaign: str) -> dict[str, str]:
    """How many in each state; small groups hidden."""
    with runtime.database.read() as session:
        return {state: shown(count) for state, count in outreach.results(session, campaign).items()}
