"""Campaigns: whom a programme is sent to, how far it got, and how it went, in counts and never in names.

A recipient's row is there only while somebody is still to be rung or is being rung; then it becomes one more in
`tallies` and is gone. Rows are made a slice at a time, in the order of the consents' random ids.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.consents import Way, consents
from gateway.store.contacts import contacts
from gateway.store.database import Instant, Session, metadata
from gateway.store.outreach import programmes, versions


class CampaignState(StrEnum):
    RUNNING = "running"  # also before its first day
    PAUSED = "paused"
    CAPPED = "capped"  # what it may cost is used up
    CANCELED = "canceled"
    DONE = "done"


OPEN = (CampaignState.RUNNING, CampaignState.PAUSED)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("version", String(24), ForeignKey(versions.c.id), nullable=False),
    Column("state", String(12), nullable=False),
    Column("launched_by", String(24), nullable=False),
    Column("launched", Instant, nullable=False),
    Column("starts", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("topic", String(24)),  # only who asked for this topic, or for all
    Column("asked_from", Instant),  # only opt-ins of this age
    Column("asked_until", Instant),
    Column("per_day", Integer, nullable=False),  # so many people a day, to spread them
    Column("day", Integer, nullable=False, server_default="0"),  # the day that is being filled
    Column("day_filled", Integer, nullable=False, server_default="0"),
    Column("cap", BigInteger),  # in ten-thousandths of the provider's currency
    Column("last_listed", String(24), nullable=False, server_default=""),  # how far the consents were read
    Column("all_listed", Boolean, nullable=False, server_default=false()),
    Column(
        "refusals", Integer, nullable=False, server_default="0"
    ),  # of the provider, without a success between
    Column("wait_until", Instant),  # because of them
)
_open = campaigns.c.state.in_(OPEN)
Index(
    "uq_campaigns_open", campaigns.c.version, unique=True,
    sqlite_where=_open, postgresql_where=_open,
)  # fmt: skip

recipients = Table(
    "recipients",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("campaign", String(24), ForeignKey(campaigns.c.id, ondelete="CASCADE"), nullable=False),
    Column("consent", String(24), nullable=False),  # it may have ended meanwhile, which is counted too
    Column("lane", SmallInteger, nullable=False),
    Column("calling", Boolean, nullable=False, server_default=false()),
    Column("due", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reached", Boolean, nullable=False, server_default=false()),
    Column("asked", Boolean, nullable=False, server_default=false()),
    Column("pieces", Integer, nullable=False, server_default="0"),
    Column("why", String(16)),  # how the last call went, as far as it went
    UniqueConstraint("consent", "campaign"),
)
_pending = ~recipients.c.calling
Index(
    "ix_recipients_pending", recipients.c.campaign, recipients.c.lane, recipients.c.due,
    sqlite_where=_pending, postgresql_where=_pending,
)  # fmt: skip
Index(
    "ix_recipients_calling", recipients.c.campaign, recipients.c.calling,  # counted from this alone
    sqlite_where=recipients.c.calling, postgresql_where=recipients.c.calling,
)  # fmt: skip

tallies = Table(
    "tallies",
    metadata,
    Column("campaign", String(24), ForeignKey(campaigns.c.id, ondelete="CASCADE"), primary_key=True),
    Column("hour", Instant, primary_key=True),
    Column("what", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Campaign:
    id: str
    version: str
    state: CampaignState
    launched: datetime
    starts: datetime
    not_after: datetime
    topic: str | None
    asked_from: datetime | None
    asked_until: datetime | None
    per_day: int
    day: int
    day_filled: int
    cap: int | None
    last_listed: str
    all_listed: bool
    refusals: int
    wait_until: datetime | None


@dataclass(frozen=True, slots=True)
class Recipient:
    id: str
    campaign: str
    consent: str
    calling: bool
    attempts: int
    reached: bool
    asked: bool
    pieces: int
    why: str | None
    due: datetime


@dataclass(frozen=True, slots=True)
class Candidate:
    """A recipient who is due, with what must be so for being rung; None where the consent has ended."""

    id: str
    lane: int
    attempts: int
    reached: bool
    consent: str
    live: bool | None
    until: datetime | None
    contact: str | None
    number_index: bytes | None
    sealed_number: bytes | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is meant: consents that are live, for this way, in this language, for this topic or all, of this age."""

    language: str
    way: Way = Way.CALL
    topic: str | None = None
    asked_from: datetime | None = None
    asked_until: datetime | None = None


_CAMPAIGN = tuple(campaigns.c[name] for name in Campaign.__dataclass_fields__)
_RECIPIENT = tuple(recipients.c[name] for name in Recipient.__dataclass_fields__)


def _campaign(row: Row[Any]) -> Campaign:
    values = row._asdict()
    return Campaign(**{**values, "state": CampaignState(values["state"])})


# --- the audience -------------------------------------------------------------------------------------


def _meant(audience: Audience, now: datetime) -> tuple[Any, ...]:
    found = [
        consents.c.live,
        consents.c.way == audience.way,
        consents.c.language == audience.language,
        consents.c.until > now,
    ]
    if audience.topic is not None:
        found.append(or_(consents.c.topic.is_(None), consents.c.topic == audience.topic))
    if audience.asked_from is not None:
        found.append(consents.c.asked >= audience.asked_from)
    if audience.asked_until is not None:
        found.append(consents.c.asked < audience.asked_until)
    return tuple(found)


def size(session: Session, audience: Audience, *, now: datetime) -> int:
    meant = _meant(audience, now)
    return session.execute(select(func.count()).select_from(consents).where(*meant)).scalar_one()


def anybody(session: Session, audience: Audience, *, now: datetime) -> bool:
    return bool(next_consents(session, audience, after="", now=now, most=1))


def next_consents(
    session: Session, audience: Audience, *, after: str, now: datetime, most: int
) -> Sequence[str]:
    """The next slice of the audience in the order of their random ids."""
    query = select(consents.c.id).where(*_meant(audience, now), consents.c.id > after).order_by(consents.c.id)
    return session.execute(query.limit(most)).scalars().all()


# --- campaigns ----------------------------------------------------------------------------------------


def add(session: Session, **values: Any) -> None:
    session.execute(insert(campaigns).values(state=CampaignState.RUNNING, **values))


def get(session: Session, campaign: str) -> Campaign | None:
    row = session.execute(select(*_CAMPAIGN).where(campaigns.c.id == campaign)).one_or_none()
    return None if row is None else _campaign(row)


def locked(session: Session, campaign: str) -> Campaign | None:
    """The same, and nobody else changes it before this transaction ends."""
    query = select(*_CAMPAIGN).where(campaigns.c.id == campaign).with_for_update()
    row = session.execute(query).one_or_none()
    return None if row is None else _campaign(row)


def of_version(session: Session, version: str, *, most: int = 5) -> Sequence[Campaign]:
    query = select(*_CAMPAIGN).where(campaigns.c.version == version)
    rows = session.execute(query.order_by(campaigns.c.launched.desc(), campaigns.c.id).limit(most))
    return [_campaign(row) for row in rows]


def open_of(session: Session, version: str) -> Campaign | None:
    query = select(*_CAMPAIGN).where(campaigns.c.version == version, _open)
    row = session.execute(query).one_or_none()
    return None if row is None else _campaign(row)


def latest(session: Session, *, most: int) -> Sequence[tuple[Campaign, str]]:
    """The latest campaigns with their programmes' titles."""
    there = campaigns.join(versions, versions.c.id == campaigns.c.version).join(
        programmes, programmes.c.id == versions.c.programme
    )
    query = select(*_CAMPAIGN, programmes.c.title).select_from(there)
    rows = session.execute(query.order_by(campaigns.c.launched.desc()).limit(most))
    return [(Campaign(*row[:2], CampaignState(row[2]), *row[3:-1]), row[-1]) for row in rows]


def change(session: Session, campaign: str, **values: Any) -> None:
    session.execute(update(campaigns).where(campaigns.c.id == campaign).values(values))


def move(session: Session, campaign: str, *, from_: Sequence[CampaignState], to: CampaignState) -> bool:
    done = session.execute(
        update(campaigns).where(campaigns.c.id == campaign, campaigns.c.state.in_(from_)).values(state=to)
    )
    return done.rowcount == 1


# --- recipients ---------------------------------------------------------------------------------------


def list_recipients(
    session: Session, campaign: str, ids: Iterable[tuple[str, str]], *, lanes: int, due: datetime
) -> int:
    """Make rows for (recipient, consent), shared out among the lanes. Return how many."""
    rows = [
        {"id": id_, "campaign": campaign, "consent": consent, "lane": at % lanes, "due": due}
        for at, (id_, consent) in enumerate(ids)
    ]
    if rows:
        session.execute(insert(recipients), rows)
    return len(rows)


def due_recipients(
    session: Session, campaign: str, *, lane: int, now: datetime, most: int
) -> Sequence[Candidate]:
    """The next of this lane who are to be rung, the longest waiting first."""
    there = recipients.outerjoin(consents, consents.c.id == recipients.c.consent).outerjoin(
        contacts, contacts.c.id == consents.c.contact
    )
    query = (
        select(
            recipients.c.id, recipients.c.lane, recipients.c.attempts, recipients.c.reached,
            recipients.c.consent, consents.c.live, consents.c.until, consents.c.contact,
            contacts.c.number_index, contacts.c.sealed_number,
        )
        .select_from(there)
        .where(
            recipients.c.campaign == campaign,
            recipients.c.lane == lane,
            _pending,
            recipients.c.due <= now,
        )
        .order_by(recipients.c.due)
        .limit(most)
    )  # fmt: skip
    return [Candidate(**row._asdict()) for row in session.execute(query)]


def begin_calls(session: Session, ids: Sequence[str]) -> frozenset[str]:
    """Take these for calling. Return those that were still to be rung, by a consent that still stands."""
    standing = select(consents.c.id).where(consents.c.id == recipients.c.consent, consents.c.live).exists()
    taken = session.execute(
        update(recipients)
        .where(recipients.c.id.in_(ids), _pending, standing)
        .values(calling=True, attempts=recipients.c.attempts + 1, why=None)
        .returning(recipients.c.id)
    )
    return frozenset(taken.scalars())


def recipient(session: Session, recipient_: str) -> Recipient | None:
    row = session.execute(select(*_RECIPIENT).where(recipients.c.id == recipient_)).one_or_none()
    return None if row is None else Recipient(*row)


def note(session: Session, recipient_: str, **values: Any) -> None:
    session.execute(update(recipients).where(recipients.c.id == recipient_).values(values))


def heard(session: Session, recipient_: str, pieces: int) -> None:
    """The furthest point reached."""
    session.execute(
        update(recipients)
        .where(recipients.c.id == recipient_, recipients.c.pieces < pieces)
        .values(pieces=pieces)
    )


def again(session: Session, recipient_: str, *, due: datetime, counted: bool = True) -> None:
    """To be rung once more; an attempt that never reached the provider does not count."""
    attempts = recipients.c.attempts if counted else recipients.c.attempts - 1
    session.execute(
        update(recipients)
        .where(recipients.c.id == recipient_, recipients.c.calling)
        .values(calling=False, due=due, attempts=attempts)
    )


def remove(session: Session, recipient_: str) -> bool:
    return session.execute(delete(recipients).where(recipients.c.id == recipient_)).rowcount == 1


def remove_pending(session: Session, campaign: str, *, most: int) -> int:
    """Of a campaign that ended: a slice of those who are not rung any more. Return how many."""
    slice_ = select(recipients.c.id).where(recipients.c.campaign == campaign, _pending).limit(most)
    return session.execute(delete(recipients).where(recipients.c.id.in_(slice_), _pending)).rowcount


def of_consent(session: Session, consent: str) -> Sequence[Recipient]:
    rows = session.execute(select(*_RECIPIENT).where(recipients.c.consent == consent))
    return [Recipient(*row) for row in rows]


def being_called(session: Session, campaign: str) -> Sequence[str]:
    query = select(recipients.c.id).where(recipients.c.campaign == campaign, recipients.c.calling)
    return session.execute(query).scalars().all()


def standing(session: Session, campaign: str) -> int:
    """How many are being called, or texted, just now."""
    query = select(func.count()).select_from(recipients)
    there = session.execute(query.where(recipients.c.campaign == campaign, recipients.c.calling))
    return int(there.scalar_one())


def next_due(session: Session, campaign: str, lane: int) -> datetime | None:
    query = select(func.min(recipients.c.due)).where(
        recipients.c.campaign == campaign, recipients.c.lane == lane, _pending
    )
    return session.execute(query).scalar()


def anybody_left(session: Session, campaign: str) -> bool:
    """Somebody who is to be rung, or is being rung; each is found by an index of its own."""
    query = select(recipients.c.id).where(recipients.c.campaign == campaign)
    return any(
        session.execute(query.where(one).limit(1)).first() is not None
        for one in (_pending, recipients.c.calling)
    )


# --- counts -------------------------------------------------------------------------------------------


def tally(session: Session, campaign: str, counts: Mapping[str, int], *, now: datetime) -> None:
    """Add to the counts of this hour, in the transaction of what is counted."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    make = sqlite.insert if session.dialect.name == "sqlite" else postgresql.insert
    for what, count in sorted(
        counts.items()
    ):  # in one order, or two who count at once could wait for each other
        row = make(tallies).values(campaign=campaign, hour=hour, what=what, count=count)
        changed = {"count": tallies.c.count + row.excluded.count}
        session.execute(row.on_conflict_do_update(index_elements=["campaign", "hour", "what"], set_=changed))


def totals(session: Session, campaign: str) -> dict[str, int]:
    query = select(tallies.c.what, func.sum(tallies.c["count"])).where(tallies.c.campaign == campaign)
    return {what: int(count) for what, count in session.execute(query.group_by(tallies.c.what))}


def by_hour(session: Session, campaign: str) -> Sequence[tuple[datetime, str, int]]:
    query = select(tallies.c.hour, tallies.c.what, tallies.c["count"]).where(tallies.c.campaign == campaign)
    return [(hour, what, count) for hour, what, count in session.execute(query.order_by(tallies.c.hour))]


def all_totals(session: Session) -> dict[str, int]:
    """Over all campaigns, for `hotline status`."""
    query = select(tallies.c.what, func.sum(tallies.c["count"])).group_by(tallies.c.what)
    return {what: int(count) for what, count in session.execute(query)}
