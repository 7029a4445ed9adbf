"""Sounds by the hash of their bytes, and which sound stands for which text; every host's shelf is a cache of it."""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, UniqueConstraint, select

from gateway.store.database import Session, metadata, upsert

sounds = Table(
    "sounds",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("wav", LargeBinary, nullable=False),
)

# What an engine once made of a text, so that nothing is made twice.
renderings = Table(
    "renderings",
    metadata,
    Column("key", String(64), primary_key=True),  # hash of engine, version, language and text
    Column("sound", String(64), nullable=False),
    Column("engine", String(16), nullable=False),
    Column("robot", Boolean, nullable=False),
)

# Which sound stands for a wording. A key has one for each of its wordings, so that a call that began with an
# earlier version goes on with it, and so that going back needs nothing to be made anew.
prompt_sounds = Table(
    "prompt_sounds",
    metadata,
    Column("language", String(8), nullable=False),
    Column("key", String(64), nullable=False),
    Column("text_hash", String(64), nullable=False),
    Column("sound", String(64), nullable=False),
    Column("engine", String(16), nullable=False),
    Column("robot", Boolean, nullable=False),
    UniqueConstraint("language", "key", "text_hash"),
)


@dataclass(frozen=True, slots=True)
class Rendering:
    """A sound by its hash, and who spoke it."""

    sound: str
    engine: str
    robot: bool


@dataclass(frozen=True, slots=True)
class PromptSound:
    """The sound that stands for one wording in one language."""

    language: str
    key: str
    text_hash: str
    sound: str
    engine: str
    robot: bool


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def keep(session: Session, hash_: str, wav: bytes) -> None:
    upsert(session, sounds, ("hash",), {"hash": hash_, "wav": wav})


def wav(session: Session, hash_: str) -> bytes | None:
    return session.execute(select(sounds.c.wav).where(sounds.c.hash == hash_)).scalar()


def rendering(session: Session, key: str) -> Rendering | None:
    """What an engine made of this text before."""
    row = session.execute(
        select(renderings.c.sound, renderings.c.engine, renderings.c.robot).where(renderings.c.key == key)
    ).one_or_none()
    return None if row is None else Rendering(*row)


def keep_rendering(session: Session, key: str, made: Rendering) -> None:
    upsert(session, renderings, ("key",), {"key": key, **asdict(made)})


def stand_for(session: Session, prompt: PromptSound) -> None:
    values = {name: getattr(prompt, name) for name in PromptSound.__dataclass_fields__}
    upsert(session, prompt_sounds, ("language", "key", "text_hash"), values)


def prompts(session: Session) -> Iterator[PromptSound]:
    columns = [prompt_sounds.c[name] for name in PromptSound.__dataclass_fields__]
    for row in session.execute(select(*columns)):
        yield PromptSound(*row)
