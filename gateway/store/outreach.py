"""Programmes made from text, who approved which bytes, who asked to hear them by call, and the campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    delete,
    false,
    func,
    insert,
    literal,
    select,
    update,
)

from gateway.store.contacts import contacts, forbidden
from gateway.store.database import Instant, Session, metadata


class VersionState(StrEnum):
    """From text to what may be heard."""

    RENDERING = "rendering"
    READY = "ready"  # audio is there, nobody has approved it
    APPROVED = "approved"
    FAILED = "failed"
    RETIRED = "retired"


class CampaignState(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    CANCELED = "canceled"
    DONE = "done"


programmes = Table(
    "programmes",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("title", String(120), nullable=False),  # never spoken or shown outside the console
    Column("topic", String(24), nullable=False),
    Column("valid_until", Instant, nullable=False),
    Column("created", Instant, nullable=False),
)

versions = Table(
    "programme_versions",
    metadata,
    Column("id", String(24), primary_key=True),
    Column(
        "programme", String(24), ForeignKey(programmes.c.id, ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", String(24), nullable=False),
    Column("state", String(12), nullable=False),
    Column("pieces_done", Integer, nullable=False, server_default="0"),
    Column("pieces_all", Integer, nullable=False, server_default="0"),
    Column("sounds", Text, nullable=False, server_default=""),  # hashes in playing order, a space between
    Column("manifest", String(64)),  # hash over the sounds: what an approval names
    Column("engine", String(16)),
    Column("robot", Boolean, nullable=False, server_default=false()),
    Column("seconds", Integer, nullable=False, server_default="0"),
    Column("approved_by", String(24)),
    Column("approved_manifest", String(64)),
    Column("approved", Instant),
    Column("created", Instant, nullable=False),
)
_heard = versions.c.state == VersionState.APPROVED
Index(
    "ix_versions_heard",
    versions.c.language,
    versions.c.approved,
    sqlite_where=_heard,
    postgresql_where=_heard,
)

# Programmes by call: provisional until the one confirming call is answered with the own key.
consents = Table(
    "consents",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("contact", String(24), ForeignKey(contacts.c.id, ondelete="CASCADE"), nullable=False, unique=True),
    Column("own_key", String(8), nullable=False),
    Column("language", String(8), nullable=False),
    Column("line_index", LargeBinary(16), nullable=False),
    Column("live", Boolean, nullable=False, server_default=false()),
    Column("asked", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("version", String(24), ForeignKey(versions.c.id), nullable=False),
    Column("state", String(12), nullable=False),
    Column("launched_by", String(24), nullable=False),
    Column("launched", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
)

recipients = Table(
    "recipients",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("campaign", String(24), ForeignKey(campaigns.c.id, ondelete="CASCADE"), nullable=False),
    Column("consent", String(24), ForeignKey(consents.c.id, ondelete="CASCADE"), nullable=False),
    Column("state", String(12), nullable=False),
    Column("due", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("pieces", Integer, nullable=False, server_default="0"),
    UniqueConstraint("campaign", "consent"),
)
_pending = recipients.c.state == "pending"
Index(
    "ix_recipients_pending", recipients.c.campaign, recipients.c.due,
    sqlite_where=_pending, postgresql_where=_pending,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One language of a programme, as written, rendered and perhaps approved."""

    id: str
    programme: str
    language: str
    text: str
    author: str
    state: VersionState
    pieces_done: int
    pieces_all: int
    sounds: tuple[str, ...]
    manifest: str | None
    engine: str | None
    robot: bool
    seconds: int
    approved_by: str | None
    approved_manifest: str | None
    approved: datetime | None
    title: str
    topic: str
    valid_until: datetime

    def may_be_heard(self, now: datetime) -> bool:
        """Approved, exactly as it is, and still valid."""
        approved = self.state is VersionState.APPROVED and self.approved_manifest == self.manifest
        return approved and self.valid_until > now


_COLUMNS = (
    *(versions.c[name] for name in list(Version.__dataclass_fields__)[:-3]),
    programmes.c.title,
    programmes.c.topic,
    programmes.c.valid_until,
)
_joined = versions.join(programmes, versions.c.programme == programmes.c.id)


def _version(row: Row[Any]) -> Version:
    values = row._asdict()
    return Version(
        **{**values, "state": VersionState(values["state"]), "sounds": tuple(values["sounds"].split())}
    )


def add_programme(session: Session, **values: Any) -> None:
    session.execute(insert(programmes).values(values))


def add_version(session: Session, **values: Any) -> None:
    session.execute(insert(versions).values(values))


def change_version(session: Session, version: str, **values: Any) -> None:
    session.execute(update(versions).where(versions.c.id == version).values(values))


def approve(session: Session, version: str, *, manifest: str, by: str, now: datetime) -> bool:
    """One atomic statement: only what is ready, only exactly these bytes, and never by its author."""
    done = session.execute(
        update(versions)
        .where(
            versions.c.id == version,
            versions.c.state == VersionState.READY,
            versions.c.manifest == manifest,
            versions.c.author != by,
        )
        .values(state=VersionState.APPROVED, approved_by=by, approved_manifest=manifest, approved=now)
    )
    return done.rowcount == 1


def version(session: Session, version_: str) -> Version | None:
    row = session.execute(
        select(*_COLUMNS).select_from(_joined).where(versions.c.id == version_)
    ).one_or_none()
    return None if row is None else _version(row)


def version_of_sound(session: Session, sound: str) -> Version | None:
    """The version a piece belongs to; reads every version, so for the demo's captions only."""
    query = select(*_COLUMNS).select_from(_joined).where(versions.c.sounds.contains(sound))
    row = session.execute(query.limit(1)).one_or_none()
    return None if row is None else _version(row)


def latest_versions(session: Session, *, most: int) -> Sequence[Version]:
    rows = session.execute(
        select(*_COLUMNS).select_from(_joined).order_by(versions.c.created.desc(), versions.c.id).limit(most)
    )
    return [_version(row) for row in rows]


_AUDIBLE = (
    select(*_COLUMNS)
    .select_from(_joined)
    .where(
        versions.c.language == bindparam("language"),
        _heard,
        versions.c.approved_manifest == versions.c.manifest,
        programmes.c.valid_until > bindparam("now"),
    )
    .order_by(versions.c.approved.desc())
    .limit(bindparam("most", type_=Integer))
)


def audible(session: Session, *, language: str, now: datetime, most: int) -> Sequence[Version]:
    """What may be heard: approved as it is and still valid, newest first."""
    rows = session.execute(_AUDIBLE, {"language": language, "now": now, "most": most})
    return [_version(row) for row in rows]


# --- consent ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Consent:
    id: str
    contact: str
    own_key: str
    language: str
    line_index: bytes
    live: bool
    until: datetime


_CONSENT = tuple(consents.c[name] for name in Consent.__dataclass_fields__)


def add_consent(session: Session, **values: Any) -> None:
    session.execute(delete(consents).where(consents.c.contact == values["contact"]))
    session.execute(insert(consents).values(values))


def consent(session: Session, consent_: str) -> Consent | None:
    row = session.execute(select(*_CONSENT).where(consents.c.id == consent_)).one_or_none()
    return None if row is None else Consent(*row)


def consent_of(session: Session, contact: str) -> Consent | None:
    row = session.execute(select(*_CONSENT).where(consents.c.contact == contact)).one_or_none()
    return None if row is None else Consent(*row)


def make_live(session: Session, consent_: str, *, until: datetime) -> None:
    session.execute(update(consents).where(consents.c.id == consent_).values(live=True, until=until))


def end_consent(session: Session, contact: str) -> None:
    """Gone at once, with everything queued for it."""
    session.execute(delete(recipients).where(recipients.c.consent.in_(_consents_of(contact))))
    session.execute(delete(consents).where(consents.c.contact == contact))


def _consents_of(contact: str) -> Any:
    return select(consents.c.id).where(consents.c.contact == contact)


def consents_over(session: Session, now: datetime, *, most: int) -> Sequence[Consent]:
    """Those that ended, but for one that somebody, such as another clock, is at just now."""
    query = select(*_CONSENT).where(consents.c.until <= now).limit(most).with_for_update(skip_locked=True)
    rows = session.execute(query)
    return [Consent(*row) for row in rows]


def audience(session: Session, *, language: str, now: datetime) -> int:
    return session.execute(
        select(func.count()).select_from(consents).where(*_reachable(language, now))
    ).scalar_one()


def provisional(session: Session) -> int:
    """How many asked for programmes and have not confirmed it yet."""
    return session.execute(select(func.count()).select_from(consents).where(~consents.c.live)).scalar_one()


def _reachable(language: str, now: datetime) -> tuple[Any, ...]:
    return (consents.c.live, consents.c.until > now, consents.c.language == language)


# --- campaigns ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Campaign:
    id: str
    version: str
    state: CampaignState
    launched: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    id: str
    campaign: str
    consent: str
    state: str
    attempts: int
    due: datetime


_CAMPAIGN = tuple(campaigns.c[name] for name in Campaign.__dataclass_fields__)
_RECIPIENT = tuple(recipients.c[name] for name in Recipient.__dataclass_fields__)


def launch(session: Session, *, language: str, **values: Any) -> int:
    """Make the campaign and a row for everybody whose consent is live, in one statement. Return how many."""
    session.execute(insert(campaigns).values({**values, "state": CampaignState.RUNNING}))
    chosen = select(
        _recipient_id(values["id"]),
        literal(values["id"]),
        consents.c.id,
        literal("pending"),
        literal(values["launched"], Instant),
    ).where(*_reachable(language, values["launched"]))
    return session.execute(
        insert(recipients).from_select(["id", "campaign", "consent", "state", "due"], chosen)
    ).rowcount


def _recipient_id(campaign: str) -> Any:
    """Opaque and unique without a trip per row: half of the campaign's id and half of the consent's."""
    return literal(campaign[:12]).concat(func.substr(consents.c.id, 1, 12))


def campaign(session: Session, campaign_: str) -> Campaign | None:
    row = session.execute(select(*_CAMPAIGN).where(campaigns.c.id == campaign_)).one_or_none()
    return (
        None
        if row is None
        else Campaign(row.id, row.version, CampaignState(row.state), row.launched, row.not_after)
    )


def campaigns_of(session: Session, version_: str) -> Sequence[Campaign]:
    rows = session.execute(
        select(*_CAMPAIGN).where(campaigns.c.version == version_).order_by(campaigns.c.launched.desc())
    )
    return [
        Campaign(row.id, row.version, CampaignState(row.state), row.launched, row.not_after) for row in rows
    ]


def move_campaign(
    session: Session, campaign_: str, *, from_: Sequence[CampaignState], to: CampaignState
) -> bool:
    done = session.execute(
        update(campaigns).where(campaigns.c.id == campaign_, campaigns.c.state.in_(from_)).values(state=to)
    )
    return done.rowcount == 1


def due_recipients(session: Session, campaign_: str, *, now: datetime, most: int) -> Sequence[Recipient]:
    """The next slice of those who are to be rung, among them nobody who stopped meanwhile."""
    stopped = (
        select(forbidden.c.number_index)
        .join(contacts, contacts.c.number_index == forbidden.c.number_index)
        .where(contacts.c.id == consents.c.contact)
        .exists()
    )
    rows = session.execute(
        select(*_RECIPIENT)
        .join(consents, consents.c.id == recipients.c.consent)
        .where(
            recipients.c.campaign == campaign_,
            _pending,
            recipients.c.due <= now,
            consents.c.live,
            consents.c.until > now,
            ~stopped,
        )
        .order_by(recipients.c.due)
        .limit(most)
    )
    return [Recipient(*row) for row in rows]


def recipient(session: Session, recipient_: str) -> Recipient | None:
    row = session.execute(select(*_RECIPIENT).where(recipients.c.id == recipient_)).one_or_none()
    return None if row is None else Recipient(*row)


def next_due(session: Session, campaign_: str) -> datetime | None:
    query = select(func.min(recipients.c.due)).where(recipients.c.campaign == campaign_, _pending)
    return session.execute(query).scalar()


def unfinished(session: Session, campaign_: str) -> bool:
    query = select(recipients.c.id).where(
        recipients.c.campaign == campaign_, recipients.c.state.in_(("pending", "calling"))
    )
    return session.execute(query.limit(1)).first() is not None


def recipients_of(session: Session, consent_: str) -> Sequence[str]:
    """This consent's recipients who are being called."""
    query = select(recipients.c.id).where(
        recipients.c.consent == consent_, recipients.c.state.in_(("calling", "reached"))
    )
    return session.execute(query).scalars().all()


def move_recipient(
    session: Session, recipient_: str, *, from_: Sequence[str], to: str, **values: Any
) -> bool:
    done = session.execute(
        update(recipients)
        .where(recipients.c.id == recipient_, recipients.c.state.in_(from_))
        .values(state=to, **values)
    )
    return done.rowcount == 1


def heard(session: Session, recipient_: str, pieces: int) -> None:
    """The furthest point reached."""
    session.execute(
        update(recipients)
        .where(recipients.c.id == recipient_, recipients.c.pieces < pieces)
        .values(pieces=pieces)
    )


def results(session: Session, campaign_: str) -> dict[str, int]:
    query = (
        select(recipients.c.state, func.count())
        .where(recipients.c.campaign == campaign_)
        .group_by(recipients.c.state)
    )
    return dict(session.execute(query).all())


def recipient_counts(session: Session) -> dict[str, int]:
    query = select(recipients.c.state, func.count()).group_by(recipients.c.state)
    return dict(session.execute(query).all())
