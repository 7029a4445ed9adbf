"""Programmes made from text, who approved which bytes, who asked to hear them by call, and the campaigns."""

import hashlib
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
    Row,
    String,
    Table,
    Text,
    bindparam,
    false,
    func,
    insert,
    select,
    update,
)

from gateway.store.consents import Way
from gateway.store.database import Instant, Session, metadata

TOPICS = ("health", "place", "food", "allowance", "training", "family", "legal", "news")
WAVE_STEPS = 240


class VersionState(StrEnum):
    """From text to what may be heard."""

    RENDERING = "rendering"
    READY = "ready"  # audio is there, nobody has approved it
    APPROVED = "approved"
    FAILED = "failed"
    RETIRED = "retired"


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
    Column("way", String(8), nullable=False, server_default=Way.CALL),
    Column("number", Integer, nullable=False, server_default="1"),  # of this language and way
    Column("text", Text, nullable=False),  # empty where a person's voice was brought without its words
    Column("author", String(24), nullable=False),
    Column("state", String(12), nullable=False),
    Column("pieces_done", Integer, nullable=False, server_default="0"),
    Column("pieces_all", Integer, nullable=False, server_default="0"),
    Column("sounds", Text, nullable=False, server_default=""),  # hashes in playing order, a space between
    Column("manifest", String(64)),  # hash over the sounds, or of the text: what an approval names
    Column("wave", String(WAVE_STEPS), nullable=False, server_default=""),  # how loud it is, a digit a step
    Column("engine", String(16)),
    Column("robot", Boolean, nullable=False, server_default=false()),
    Column("seconds", Integer, nullable=False, server_default="0"),
    Column("approved_by", String(24)),
    Column("approved_manifest", String(64)),
    Column("approved", Instant),
    Column("created", Instant, nullable=False),
)
Index(
    "uq_versions_number",
    versions.c.programme,
    versions.c.language,
    versions.c.way,
    versions.c.number,
    unique=True,
)
_heard = versions.c.state == VersionState.APPROVED
Index(
    "ix_versions_heard",
    versions.c.language,
    versions.c.approved,
    sqlite_where=_heard,
    postgresql_where=_heard,
)


@dataclass(frozen=True, slots=True)
class Version:
    """One language of a programme, as written, rendered and perhaps approved."""

    id: str
    programme: str
    language: str
    way: Way
    number: int
    text: str
    author: str
    state: VersionState
    pieces_done: int
    pieces_all: int
    sounds: tuple[str, ...]
    manifest: str | None
    wave: str
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
        approved = self.state is VersionState.APPROVED and self.approved_manifest == self.fingerprint()
        return approved and self.valid_until > now

    def fingerprint(self) -> str:
        """What an approval names: a hash over the hashes of the sounds, or of the text where text is sent."""
        return fingerprint(self.text if self.way is Way.TEXT else " ".join(self.sounds))


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
        **{
            **values,
            "state": VersionState(values["state"]),
            "way": Way(values["way"]),
            "sounds": tuple(values["sounds"].split()),
        }
    )


def fingerprint(what: str) -> str:
    """Of a text, or of sounds' hashes in playing order with a space between."""
    return hashlib.sha256(what.encode()).hexdigest()


def add_programme(session: Session, **values: Any) -> None:
    session.execute(insert(programmes).values(values))


def add_version(session: Session, **values: Any) -> None:
    session.execute(insert(versions).values(values))


def next_number(session: Session, programme: str, language: str, way: Way) -> int:
    query = select(func.max(versions.c.number)).where(
        versions.c.programme == programme, versions.c.language == language, versions.c.way == way
    )
    return int(session.execute(query).scalar() or 0) + 1


def programme(session: Session, programme_: str) -> Row[Any] | None:
    """Its title, topic and the moment until which it is true."""
    query = select(programmes).where(programmes.c.id == programme_)
    return session.execute(query).one_or_none()


def versions_of(session: Session, programme_: str) -> Sequence[Version]:
    """Every version of every language and way, the newest first."""
    query = select(*_COLUMNS).select_from(_joined).where(versions.c.programme == programme_)
    return [
        _version(row) for row in session.execute(query.order_by(versions.c.created.desc(), versions.c.id))
    ]


def approved_before(session: Session, version_: Version) -> Sequence[str]:
    """Earlier versions of the same language and way that are approved: a new one takes their place."""
    query = select(versions.c.id).where(
        versions.c.programme == version_.programme,
        versions.c.language == version_.language,
        versions.c.way == version_.way,
        versions.c.number < version_.number,
        _heard,
    )
    return session.execute(query).scalars().all()


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


@dataclass(frozen=True, slots=True)
class Audible:
    """What a caller may hear: without its text, which no call needs."""

    id: str
    topic: str
    sounds: tuple[str, ...]


_AUDIBLE = (
    select(versions.c.id, programmes.c.topic, versions.c.sounds, versions.c.approved_manifest)
    .select_from(_joined)
    .where(
        versions.c.language == bindparam("language"),
        versions.c.way == Way.CALL,
        _heard,
        versions.c.approved_manifest == versions.c.manifest,
        programmes.c.valid_until > bindparam("now"),
    )
    .order_by(versions.c.approved.desc())
    .limit(bindparam("most", type_=Integer))
)


def audible(session: Session, *, language: str, now: datetime, most: int) -> Sequence[Audible]:
    """What may be heard: approved, exactly these sounds, and still valid; newest first."""
    rows = session.execute(_AUDIBLE, {"language": language, "now": now, "most": most})
    return [
        Audible(row.id, row.topic, tuple(row.sounds.split()))
        for row in rows
        if fingerprint(row.sounds) == row.approved_manifest
    ]
