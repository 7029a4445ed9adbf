"""What the hotline says, version by version, and the recordings people made of its wordings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from gateway.store import sounds
from gateway.store.database import Instant, Session, metadata, upsert
from gateway.store.sounds import PromptSound


class ScriptState(StrEnum):
    """A draft is changed until a second person publishes it; what was published before is retired."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


# Content packs by their hash: plain files, for a menu holds nothing that anybody must not know.
packs = Table(
    "packs",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("files", LargeBinary, nullable=False),
)

script_versions = Table(
    "script_versions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("pack", String(64), nullable=False),
    Column("shipped", String(64), nullable=False),  # the release's pack that it goes back to
    Column("state", String(12), nullable=False),
    Column("authors", Text, nullable=False, server_default=""),  # ids of all who changed it
    Column("begun", Instant, nullable=False),
    Column("published_by", String(24)),
    Column("published", Instant),
)
for _only in (ScriptState.DRAFT, ScriptState.PUBLISHED):
    Index(
        f"uq_script_versions_{_only}",
        script_versions.c.state,
        unique=True,
        sqlite_where=script_versions.c.state == _only.value,
        postgresql_where=script_versions.c.state == _only.value,
    )

# `text_hash`: it stands for exactly that wording, and for no other that may come later.
recordings = Table(
    "recordings",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("language", String(8), nullable=False),
    Column("key", String(64), nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("sound", String(64), nullable=False),
    Column("uploaded_by", String(24), nullable=False),
    Column("uploaded", Instant, nullable=False),
    Column("approved_by", String(24)),
    Column("approved", Instant),
    Index("ix_recordings_wording", "language", "key", "text_hash"),
)


@dataclass(frozen=True, slots=True)
class ScriptVersion:
    """`authors` holds every account that changed it: none of them may publish it."""

    number: int
    pack: str
    shipped: str
    state: ScriptState
    authors: frozenset[str]
    begun: datetime
    published_by: str | None
    published: datetime | None


@dataclass(frozen=True, slots=True)
class Recording:
    """A person's voice for one wording; heard by callers once `approved_by` is set."""

    id: str
    language: str
    key: str
    text_hash: str
    sound: str
    uploaded_by: str
    uploaded: datetime
    approved_by: str | None
    approved: datetime | None


BY_A_PERSON = "recorded"

# --- packs --------------------------------------------------------------------------------------------


def keep_pack(session: Session, name: str, files: bytes) -> None:
    upsert(session, packs, ("hash",), {"hash": name, "files": files})


def pack(session: Session, name: str) -> bytes | None:
    return session.execute(select(packs.c.files).where(packs.c.hash == name)).scalar()


def drop_loose_packs(session: Session) -> None:
    """Packs that no version has any more, or goes back to."""
    used = select(script_versions.c.pack).union(select(script_versions.c.shipped))
    session.execute(delete(packs).where(packs.c.hash.not_in(used)))


# --- versions -----------------------------------------------------------------------------------------


def published(session: Session) -> tuple[int, str] | None:
    """Number and pack of the running version: what every process asks every few seconds."""
    row = session.execute(
        select(script_versions.c.number, script_versions.c.pack).where(
            script_versions.c.state == ScriptState.PUBLISHED.value
        )
    ).one_or_none()
    return None if row is None else (row.number, row.pack)


def in_state(session: Session, state: ScriptState) -> ScriptVersion | None:
    """The one draft, or the one published version."""
    row = session.execute(select(script_versions).where(script_versions.c.state == state.value)).one_or_none()
    return None if row is None else _version(row)


def version(session: Session, number: int) -> ScriptVersion | None:
    row = session.execute(select(script_versions).where(script_versions.c.number == number)).one_or_none()
    return None if row is None else _version(row)


def versions(session: Session, *, most: int) -> Sequence[ScriptVersion]:
    """The newest first."""
    query = select(script_versions).order_by(script_versions.c.number.desc()).limit(most)
    return [_version(row) for row in session.execute(query)]


def add(
    session: Session, *, pack: str, shipped: str, state: ScriptState, author: str | None, now: datetime
) -> int:
    """A new version with the next number. A second draft is refused by the database (IntegrityError)."""
    number = (session.execute(select(func.max(script_versions.c.number))).scalar() or 0) + 1
    session.execute(
        insert(script_versions).values(
            number=number,
            pack=pack,
            shipped=shipped,
            state=state.value,
            authors=author or "",
            begun=now,
            published=now if state is ScriptState.PUBLISHED else None,
        )
    )
    return number


def change_draft(session: Session, there: ScriptVersion, *, pack: str, author: str) -> bool:
    """False where somebody else changed or published it meanwhile."""
    authors = " ".join(sorted(there.authors | {author}))
    done = session.execute(
        update(script_versions)
        .where(
            script_versions.c.number == there.number,
            script_versions.c.state == ScriptState.DRAFT.value,
            script_versions.c.pack == there.pack,
        )
        .values(pack=pack, authors=authors)
    )
    return done.rowcount == 1


def drop_draft(session: Session) -> bool:
    done = session.execute(delete(script_versions).where(script_versions.c.state == ScriptState.DRAFT.value))
    return done.rowcount == 1


def publish(
    session: Session, number: int, *, from_: ScriptState, pack: str, by: str | None, now: datetime
) -> bool:
    """Put this version in the place of the running one.

    False where it is not in this state or not of this pack any more: then roll back, for nothing is running.
    """
    retired, running = ScriptState.RETIRED.value, ScriptState.PUBLISHED.value
    session.execute(update(script_versions).where(script_versions.c.state == running).values(state=retired))
    done = session.execute(
        update(script_versions)
        .where(
            script_versions.c.number == number,
            script_versions.c.pack == pack,
            script_versions.c.state == from_.value,
        )
        .values(state=running, published_by=by, published=now)
    )
    return done.rowcount == 1


def _version(row: Any) -> ScriptVersion:
    return ScriptVersion(
        **row._asdict() | {"state": ScriptState(row.state), "authors": frozenset(row.authors.split())}
    )


# --- recordings ---------------------------------------------------------------------------------------


def add_recording(session: Session, new: Recording) -> None:
    """One that waits for approval gives way to the newest; one that is heard stays until another is approved."""
    _drop(session, new, recordings.c.approved_by.is_(None))
    session.execute(insert(recordings).values({name: getattr(new, name) for name in Recording.__slots__}))


def _drop(session: Session, like: Recording, *which: ColumnElement[bool]) -> None:
    session.execute(
        delete(recordings).where(
            recordings.c.language == like.language,
            recordings.c.key == like.key,
            recordings.c.text_hash == like.text_hash,
            *which,
        )
    )


def recording(session: Session, id: str) -> Recording | None:  # noqa: A002 - the column's name
    row = session.execute(select(recordings).where(recordings.c.id == id)).one_or_none()
    return None if row is None else Recording(**row._asdict())


def recordings_of(session: Session, *, language: str, key: str) -> Sequence[Recording]:
    """The newest first."""
    query = (
        select(recordings)
        .where(recordings.c.language == language, recordings.c.key == key)
        .order_by(recordings.c.uploaded.desc())
    )
    return [Recording(**row._asdict()) for row in session.execute(query)]


def waiting_recordings(session: Session) -> Sequence[Recording]:
    """What a second person has to listen to, the longest waiting first."""
    query = select(recordings).where(recordings.c.approved_by.is_(None)).order_by(recordings.c.uploaded)
    return [Recording(**row._asdict()) for row in session.execute(query)]


def approve_recording(session: Session, there: Recording, *, by: str, now: datetime) -> bool:
    """In place of one that was heard till now. False where it is gone, approved already, or the approver's own."""
    _drop(session, there, recordings.c.id != there.id)
    done = session.execute(
        update(recordings)
        .where(
            recordings.c.id == there.id,
            recordings.c.sound == there.sound,
            recordings.c.approved_by.is_(None),
            recordings.c.uploaded_by != by,
        )
        .values(approved_by=by, approved=now)
    )
    return done.rowcount == 1


def drop_recording(session: Session, id: str) -> None:  # noqa: A002 - the column's name
    session.execute(delete(recordings).where(recordings.c.id == id))


# --- what is heard ------------------------------------------------------------------------------------


def heard(session: Session) -> list[PromptSound]:
    """The sound of every wording, a person's where one was approved: only that very wording, and no later one."""
    query = select(recordings.c.language, recordings.c.key, recordings.c.text_hash, recordings.c.sound)
    people = {
        tuple(row[:3]): PromptSound(*row, BY_A_PERSON, robot=False)
        for row in session.execute(query.where(recordings.c.approved_by.is_not(None)))
    }
    engines = [one for one in sounds.prompts(session) if (one.language, one.key, one.text_hash) not in people]
    return [*engines, *people.values()]


def sizes(session: Session) -> dict[tuple[str, str, str], int]:
    """How many bytes the sound of each (language, key, text hash) has."""
    kept, heard_for = sounds.sounds, sounds.prompt_sounds.c.sound
    of_wordings = select(heard_for).union(select(recordings.c.sound))
    query = select(kept.c.hash, func.length(kept.c.wav).label("size")).where(kept.c.hash.in_(of_wordings))
    wavs = {row.hash: row.size for row in session.execute(query)}
    return {
        (one.language, one.key, one.text_hash): wavs[one.sound] for one in heard(session) if one.sound in wavs
    }
