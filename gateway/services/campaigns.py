"""Campaigns: a programme is sent by call to those who asked for it; who is meant, when it begins and ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Final

from sqlalchemy.exc import IntegrityError

from gateway.errors import Refused
from gateway.queue import JOB_CAMPAIGN, JOB_RECALL
from gateway.runtime import Runtime
from gateway.services import windows
from gateway.services.errands import Errand, errand, ring_bells
from gateway.store import audit, campaigns, consents, outbox, outreach
from gateway.store.campaigns import OPEN, Audience, Campaign, CampaignState, Recipient
from gateway.store.consents import Way
from gateway.store.database import Session
from gateway.store.legs import Leg
from gateway.store.outreach import Version

FEATURE_OF: Final = {Way.CALL: "programme_calls", Way.TEXT: "programme_texts"}
LANES: Final = 2
"""Workers that may be at one campaign at once; each has recipients of its own."""
SLICE: Final = 1_000  # recipients of a campaign that ended, closed in one transaction
MOST_DAYS: Final = 14
OLDEST: Final = 400  # days since somebody asked
RECALL_LIVES: Final = timedelta(minutes=30)
ATTEMPTS: Final = 2
SPACING: Final = {"busy": timedelta(minutes=10), "later": timedelta(hours=3)}
USUAL_SPACING: Final = timedelta(hours=1)
TRY_AGAIN: Final = frozenset({"busy", "no_answer", "later", "canceled"})
"""Of a machine, or another's key, there is no next."""
OUTCOMES: Final = (
    "reached", "later", "other_key", "wrong_person", "silent", "machine", "left", "busy", "no_answer",
    "failed", "texted", "not_allowed", "stopped", "expired", "canceled",
)  # fmt: skip
"""How it ended for somebody who was listed: exactly one of these, so that they add up."""
LONGEST_CALL: Final = timedelta(hours=1)
_FOREVER: Final = timedelta(days=400)
_MOST: Final = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What a coordinator chose: when people asked, over how many days they are spread, from when on, at what cost."""

    starts: datetime | None = None
    lives: timedelta = timedelta(days=2)
    days: int = 1
    topic: str | None = None
    youngest: int | None = None  # asked so many days ago, or longer
    oldest: int | None = None  # asked within so many days
    cap: Decimal | None = None


# --- before -------------------------------------------------------------------------------------------


def audience_of(runtime: Runtime, version: Version, plan: Plan) -> Audience:
    """Who is meant just now; raises `Refused("bad_plan")` for ages that nobody's consent can have."""
    if any(days is not None and not 0 <= days <= OLDEST for days in (plan.youngest, plan.oldest)):
        raise Refused("bad_plan")
    now = runtime.clock.now()
    return Audience(
        language=version.language,
        way=version.way,
        topic=plan.topic,
        asked_from=now - timedelta(days=plan.oldest) if plan.oldest is not None else None,
        asked_until=now - timedelta(days=plan.youngest) if plan.youngest is not None else None,
    )


def audience_at_launch(campaign: Campaign, version: Version) -> Audience:
    """As it was meant at the launch: who asked later is not in it."""
    launched = campaign.launched + timedelta(milliseconds=1)
    until = campaign.asked_until or launched
    return Audience(version.language, version.way, campaign.topic, campaign.asked_from, until)


def audience(runtime: Runtime, version: Version, plan: Plan | None = None) -> str:
    """How many would be rung; small groups only as "<5", for four people are not a statistic."""
    return shown(size(runtime, version, plan or Plan()))


def size(runtime: Runtime, version: Version, plan: Plan) -> int:
    """The same as a number, which is for reckoning only."""
    with runtime.database.read() as session:
        return campaigns.size(session, audience_of(runtime, version, plan), now=runtime.clock.now())


def shown(count: int) -> str:
    return "<5" if 0 < count < 5 else str(count)


def estimate(runtime: Runtime, version: Version, people: int) -> tuple[Decimal, Decimal]:
    """What the calls would cost if half the people hear it to the end at once, and at the very most."""
    if version.way is Way.TEXT:
        texts = people * runtime.settings.text_price
        return texts, texts
    price = runtime.settings.call_price
    heard = Decimal(ceil((version.seconds + 30) / 60)) * price * ceil(people / 2)
    worst = Decimal(longest_minutes(version)) * price * people * ATTEMPTS
    return heard, worst


def longest_call(version: Version) -> timedelta:
    """After so long the provider ends the call: time to hear it twice, and to ask for a counselor."""
    return min(timedelta(seconds=2 * version.seconds + 180), LONGEST_CALL)


def longest_minutes(version: Version) -> int:
    return ceil(longest_call(version).total_seconds() / 60)


# --- beginning and steering ---------------------------------------------------------------------------


def launch(runtime: Runtime, version: str, account: str, plan: Plan | None = None) -> str:
    """Ring everybody who is meant. Return the campaign's id; the same launch again gives the same campaign.

    Raises `Refused`: feature_off, not_approved, running (another plan is under way), nobody, not_valid, bad_plan.
    """
    plan = plan or Plan()
    now = runtime.clock.now()
    people = _people(runtime, version, plan)  # before anything is locked, for it may read all who are meant
    for _ in range(2):
        try:
            campaign, errands = _launch(runtime, version, account, plan, people, now)
        except IntegrityError:  # another host launched it at this very moment: the second look finds it
            continue
        ring_bells(runtime, errands)
        return campaign
    raise Refused("running")


def _people(runtime: Runtime, version: str, plan: Plan) -> int:
    """How many are meant, where it has to be known for spreading them; else whether anybody is."""
    with runtime.database.read() as session:
        there = outreach.version(session, version)
        if there is None:
            return 0
        meant, now = audience_of(runtime, there, plan), runtime.clock.now()
        if plan.days > 1:
            return campaigns.size(session, meant, now=now)
        return int(campaigns.anybody(session, meant, now=now))


def _launch(
    runtime: Runtime, version: str, account: str, plan: Plan, people: int, now: datetime
) -> tuple[str, list[Errand]]:
    with runtime.database.write() as session:
        there = outreach.version(session, version)
        if there is not None and not runtime.switches.on(FEATURE_OF[there.way]):
            raise Refused("feature_off")
        if there is None or not there.may_be_heard(now):
            raise Refused("not_approved")
        values = _values(runtime, there, plan, people, now)
        standing = campaigns.open_of(session, version)
        if standing is not None:
            if not _same(standing, values, now):
                raise Refused("running")
            return standing.id, []
        campaign = runtime.new_id()
        campaigns.add(session, id=campaign, version=version, launched_by=account, launched=now, **values)
        settings = runtime.settings
        due = windows.after_quiet(values["starts"], settings.quiet_hours, settings.timezone)
        bells = [
            errand(session, runtime, JOB_CAMPAIGN, campaign, due=due, lives=_FOREVER, account=str(lane))
            for lane in range(LANES)
        ]
        audit.note(session, what="campaign_launched", account=account, subject=campaign, now=now)
    return campaign, bells if due <= now else []


def _values(runtime: Runtime, version: Version, plan: Plan, people: int, now: datetime) -> dict:  # type: ignore[type-arg]  # columns
    starts = max(plan.starts or now, now)
    not_after = min(starts + plan.lives, version.valid_until)
    if not 1 <= plan.days <= MOST_DAYS or (plan.cap is not None and plan.cap <= 0):
        raise Refused("bad_plan")
    if not_after <= starts or not_after <= now:
        raise Refused("not_valid")
    meant = audience_of(runtime, version, plan)
    if not people:
        raise Refused("nobody")
    return {
        "starts": starts,
        "not_after": not_after,
        "topic": plan.topic,
        "asked_from": meant.asked_from,
        "asked_until": meant.asked_until,
        "per_day": ceil(people / plan.days) if plan.days > 1 else _MOST,
        "cap": None if plan.cap is None else int(plan.cap * 10_000),
    }


def _same(there: Campaign, values: dict, now: datetime) -> bool:  # type: ignore[type-arg]  # columns
    """Whether a second launch is the first one pressed twice: the same but for the moment it was pressed at."""
    pressed = now - there.launched
    if pressed > timedelta(minutes=10):
        return False
    chosen = ("topic", "cap")
    moments = ("starts", "not_after", "asked_from", "asked_until")
    return all(getattr(there, name) == values[name] for name in chosen) and all(
        (getattr(there, name) is None) == (values[name] is None)
        and (values[name] is None or abs(values[name] - getattr(there, name)) <= pressed)
        for name in moments
    )


def steer(runtime: Runtime, campaign: str, account: str, *, to: CampaignState) -> None:
    """Pause, resume or cancel; calls the provider has not put through yet are taken back. Raises `not_now`."""
    allowed = {
        CampaignState.PAUSED: (CampaignState.RUNNING,),
        CampaignState.RUNNING: (CampaignState.PAUSED,),
        CampaignState.CANCELED: (CampaignState.RUNNING, CampaignState.PAUSED, CampaignState.CAPPED),
    }
    now = runtime.clock.now()
    with runtime.database.write() as session:
        if to not in allowed or not campaigns.move(session, campaign, from_=allowed[to], to=to):
            raise Refused("not_now")
        errands = _steered(session, runtime, campaign, to, now)
        audit.note(session, what=f"campaign_{to}", account=account, subject=campaign, now=now)
    ring_bells(runtime, errands)


def end_all_of(
    session: Session, runtime: Runtime, version: str, *, account: str, now: datetime
) -> list[Errand]:
    """The programme was taken back: whatever was under way with it ends for good."""
    errands: list[Errand] = []
    for campaign in campaigns.of_version(session, version, most=50):
        if campaigns.move(session, campaign.id, from_=OPEN, to=CampaignState.CANCELED):
            errands += _steered(session, runtime, campaign.id, CampaignState.CANCELED, now)
            audit.note(session, what="campaign_canceled", account=account, subject=campaign.id, now=now)
    return errands


def _steered(
    session: Session, runtime: Runtime, campaign: str, to: CampaignState, now: datetime
) -> list[Errand]:
    lanes = [Errand(JOB_CAMPAIGN, duty) for duty in outbox.hasten(session, JOB_CAMPAIGN, campaign, due=now)]
    if to is CampaignState.RUNNING:
        return lanes
    return [errand(session, runtime, JOB_RECALL, campaign, due=now, lives=RECALL_LIVES), *lanes]


# --- how it went for one ------------------------------------------------------------------------------


def opened(session: Session, recipient: str) -> None:
    """The own key was pressed: the programme has reached its listener."""
    campaigns.note(session, recipient, reached=True)


def refused(session: Session, recipient: str, why: str) -> None:
    """How the call went so far; what it means is decided when it is over."""
    campaigns.note(session, recipient, why=why)


def asked(session: Session, recipient: str) -> None:
    campaigns.note(session, recipient, asked=True)


def over(session: Session, leg: Leg, *, now: datetime) -> None:
    """A call has ended: rung again later where that may help, else counted."""
    there = campaigns.recipient(session, leg.subject)
    if there is None or not there.calling:
        return
    why = there.why or _how(leg)
    campaign = campaigns.get(session, there.campaign)
    due = now + SPACING.get(why, USUAL_SPACING)  # from now, when its line is free again
    wanted = (
        campaign is not None
        and campaign.state in OPEN
        and due < campaign.not_after
        and consents.get(session, there.consent) is not None
    )
    if wanted and why in TRY_AGAIN and there.attempts < ATTEMPTS:
        campaigns.again(session, there.id, due=due)
    else:
        finish(session, there, why, now=now)


def _how(leg: Leg) -> str:
    match leg.result:
        case None | "completed":
            return "left"  # answered, and over before anything was pressed
        case "opened":
            return "reached"
        case result:
            return result


def not_dialled(session: Session, recipient: str, why: str | None, *, due: datetime, now: datetime) -> None:
    """The provider never took the call: tried again at `due`, uncounted, or over for the reason it gave."""
    there = campaigns.recipient(session, recipient)
    if there is None or not there.calling:
        return
    if why is None:
        campaigns.again(session, recipient, due=due, counted=False)
    else:
        finish(session, there, why, now=now)


def wanted(session: Session, recipient: str) -> bool:
    """Whether a call that was placed a moment ago is still wanted."""
    there = campaigns.recipient(session, recipient)
    campaign = campaigns.get(session, there.campaign) if there else None
    return campaign is not None and campaign.state is not CampaignState.CANCELED


def finish(session: Session, there: Recipient, why: str, *, now: datetime) -> None:
    """Count how it ended and keep no row of it."""
    if not campaigns.remove(session, there.id):
        return
    outcome = "reached" if there.reached else why if why in OUTCOMES else "failed"
    counts = {outcome: 1}
    if there.reached:
        counts |= _listened(session, there)
        if there.asked:
            counts["asked"] = 1
        if why == "stopped":
            counts["enough"] = 1
    campaigns.tally(session, there.campaign, counts, now=now)


def _listened(session: Session, there: Recipient) -> dict[str, int]:
    """Which quarter of it was heard last; the fourth is the end."""
    campaign = campaigns.get(session, there.campaign)
    version = outreach.version(session, campaign.version) if campaign else None
    pieces = len(version.sounds) if version else 0
    quarter = min(4, there.pieces * 4 // pieces) if pieces else 0
    return {f"heard_{quarter}": 1}


def texted(session: Session, recipient: str, why: str, *, now: datetime) -> None:
    """How a text of a campaign ended: sent, or why not."""
    there = campaigns.recipient(session, recipient)
    if there is not None:
        finish(session, there, why, now=now)


def consent_ended(session: Session, contact: str, why: str, *, now: datetime) -> None:
    """Whoever asked for programmes has stopped them, or it is past its days: out of everything at once."""
    consent = consents.of_contact(session, contact)
    if consent is None:
        consents.end(session, contact)  # a code that was sent is worth nothing any more
        return
    for there in campaigns.of_consent(session, consent.id):
        if there.calling and consent.way is Way.CALL:  # counted when that call is over
            campaigns.note(session, there.id, why=why)
        else:
            finish(session, there, why, now=now)
    consents.end(session, contact)
