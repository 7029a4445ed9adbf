"""The panic wipe: every key first, so that after the first step nothing opens; then what they sealed; then calls end.

Each step stands alone: one that fails, or a crash after any of them, keeps no other from being done, and the whole
may be run again. What the line says to everybody stays, so that it goes on with neutral information.
"""

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Connection, MetaData, Table, delete, select, text
from sqlalchemy.engine import make_url

from gateway.errors import GatewayError, Refused
from gateway.logs import get
from gateway.runtime import HALT, Runtime
from gateway.services import halting
from gateway.settings import demo_file
from gateway.store import audit, legs, sounds
from gateway.store.counselors import Account, Role
from gateway.typed_key import TypedKey
from gateway.vault import Place

WORD: Final = "destroy"
"""What is typed to mean it."""

SAID: Final = frozenset(
    {
        "packs",
        "script_versions",
        "recordings",
        "opening_hours",
        "holidays",
        "prompt_sounds",
        "renderings",
        "sounds",
    }
)
"""Tables of what everybody hears; of the sounds only those that stand for a wording."""

CALLS_WAIT: Final = 3.0
"""Seconds that the provider has to end the calls that stand, after everything is destroyed."""

_ZEROS: Final = b"\0" * 65_536
_log = get(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """`name` is a key of words; `why` the class of what went wrong, or nothing."""

    name: str
    why: str = ""


@dataclass(slots=True)
class Wipe:
    """`calls` are the provider's ids of calls that stood when the rows went."""

    runtime: Runtime
    calls: list[str] = field(default_factory=list)


def as_admin(runtime: Runtime, account: Account, *, code: str, word: str) -> list[Step]:
    """From the console. Raises `Refused` for another role, a wrong code, or another word."""
    if account.role is not Role.ADMIN:
        raise Refused("for_admins")
    if word.strip().lower() != WORD:
        raise Refused("wipe_word")
    halting.check_second_factor(runtime, account, code)
    return wipe(runtime)


def wipe(runtime: Runtime) -> list[Step]:
    """Do every step; tell which were done and which failed."""
    with suppress(GatewayError):
        runtime.vault.digest("wipe", "")  # what opens the ids of calls is in memory from here on
    here = Wipe(runtime)
    return [_attempt(here, name, step) for name, step in STEPS]


def _attempt(here: Wipe, name: str, step: Callable[[Wipe], None]) -> Step:
    try:
        step(here)
    except Exception as error:  # noqa: BLE001 - whatever it is, the next step must be taken
        _log.error("wipe_step_failed", step=name, error=type(error).__name__)
        return Step(name, type(error).__name__)
    return Step(name)


# --- the steps, in their order ------------------------------------------------------------------------


def _keys(here: Wipe) -> None:
    """In one statement the keys that wrap all others, then those. From here on nothing opens."""
    here.runtime.vault.wipe()


def _keystore_file(here: Wipe) -> None:
    """Also where the statement failed: the file itself, or what a server's file still holds of it."""
    vault, url = here.runtime.vault, here.runtime.settings.keystore_url
    try:
        vault.rewrite()
    finally:
        vault.close()
        _destroy_database_file(url)


def _keys_here(here: Wipe) -> None:
    """The typed root key, and in a demo the file that holds the keys."""
    settings = here.runtime.settings
    TypedKey(settings.data_dir).drop()
    if settings.mode == "demo":
        _destroy(demo_file({"HOTLINE_DATA_DIR": str(settings.data_dir)}))


def _rows(here: Wipe) -> None:
    """Everything but what everybody hears, accounts included."""
    runtime = here.runtime
    with runtime.database.read() as session:
        standing = legs.live_sids(session)
    for leg, sid in standing:
        with suppress(GatewayError):
            here.calls.append(runtime.vault.open_here(Place("legs", "sid", leg), sid).decode())
    with runtime.database.write() as session:
        for table in reversed(_emptied(session)):
            session.execute(delete(table))
        spoken = select(sounds.prompt_sounds.c.sound)
        session.execute(delete(sounds.renderings).where(sounds.renderings.c.sound.not_in(spoken)))
        session.execute(delete(sounds.sounds).where(sounds.sounds.c.hash.not_in(spoken)))
        audit.switch(session, HALT, halting.BY_HAND, runtime.clock.now())
    runtime.switches.forget()


def _leftovers_of_rows(here: Wipe) -> None:
    """What a database keeps of rows that are gone: its log, and room that is not written over yet."""
    runtime = here.runtime
    engine = runtime.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if runtime.database.sqlite:
            raw = connection.connection.driver_connection
            assert raw is not None  # noqa: S101 - a connection that is open has one
            for command in ("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                raw.execute(command).close()
            return
        for table in _emptied(connection):
            connection.execute(text(f'VACUUM FULL "{table.name}"'))


def _emptied(connection: Connection) -> list[Table]:
    """As the database has them: this process may not have loaded what knows of each table."""
    there = MetaData()
    there.reflect(connection)
    return [table for table in there.sorted_tables if table.name not in SAID | {"alembic_version"}]


def _bell(here: Wipe) -> None:
    """Opaque ids only, but they tell how busy it was."""
    with closing(
        Redis.from_url(here.runtime.settings.redis_url, socket_timeout=1, socket_connect_timeout=1)
    ) as redis:
        try:
            redis.flushdb()
            redis.bgrewriteaof()
        except RedisError as error:
            raise GatewayError("Redis does not answer") from error


def _files(here: Wipe) -> None:
    """Logs, and sounds of programmes on this host; what everybody hears stays."""
    folder = here.runtime.settings.data_dir
    for file in sorted((folder / "logs").glob("*")):
        _destroy(file, keep=file.name == "hotline.log")  # a supervisor holds it open
    kept = {one.sound for one in _still_said(here.runtime)}
    for file in sorted((folder / "shelf").rglob("*")):
        if file.is_file() and file.suffix in {".wav", ".mp3"} and file.stem not in kept:
            _destroy(file)


def _still_said(runtime: Runtime) -> list[sounds.PromptSound]:
    with runtime.database.read() as session:
        return list(sounds.prompts(session))


def _calls(here: Wipe) -> None:
    """Whoever still talks is hung up on, all at once and last: a provider that hangs delays no destruction."""
    left = set(here.calls)

    def end(sid: str) -> None:
        with suppress(GatewayError):
            here.runtime.carrier.end_call(sid)
            left.discard(sid)

    until = time.monotonic() + CALLS_WAIT
    threads = [threading.Thread(target=end, args=(sid,), daemon=True) for sid in here.calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    if left:
        raise GatewayError("the provider did not end every call")


STEPS: Final[tuple[tuple[str, Callable[[Wipe], None]], ...]] = (
    ("keys", _keys),
    ("keystore_file", _keystore_file),
    ("keys_here", _keys_here),
    ("rows", _rows),
    ("leftovers", _leftovers_of_rows),
    ("bell", _bell),
    ("files", _files),
    ("calls", _calls),
)


def _destroy_database_file(url: str) -> None:
    """A SQLite file and what lies beside it; a server's own files are out of reach."""
    place = make_url(url)
    if place.get_backend_name() != "sqlite" or not place.database:
        return
    for suffix in ("", "-journal", "-wal", "-shm"):
        _destroy(Path(f"{place.database}{suffix}"))


def _destroy(file: Path, *, keep: bool = False) -> None:
    """Write over it and remove it (or empty it). On an SSD the old bytes may survive: so keys go first."""
    try:
        with file.open("r+b") as there:
            left = os.fstat(there.fileno()).st_size
            while left > 0:
                left -= there.write(_ZEROS[: min(left, len(_ZEROS))])
            there.flush()
            os.fsync(there.fileno())
            if keep:
                there.truncate(0)
    except FileNotFoundError:
        return
    except OSError:
        if keep:
            raise
    if not keep:
        file.unlink(missing_ok=True)
