"""What `hotline doctor` looks at: our parts, whether they keep what they are given, the carrier, the start."""

from collections.abc import Iterator
from datetime import timedelta

from gateway.carriers.base import Finding, Wiring
from gateway.errors import GatewayError
from gateway.runtime import Runtime
from gateway.services import fallback, notice, overview, spending
from gateway.store.database import durability

COPIES_KEPT = timedelta(days=8)  # a closed case is kept a week, and its copies go with it

_DATABASE = {
    "journal_mode": ("wal", "delete", "truncate", "persist"),
    "synchronous": ("2", "3"),
    "secure_delete": ("1",),
    "synchronous_commit": ("on", "remote_write", "remote_apply"),
    "fsync": ("on",),
    "full_page_writes": ("on",),
}
_REDIS = {
    "appendonly": ("yes",),
    "appendfsync": ("always", "everysec"),
    "maxmemory-policy": ("noeviction",),
}


def examine(runtime: Runtime) -> Iterator[Finding]:
    """Look at everything, one finding after the other; none holds a value of a setting."""
    yield from overview.diagnose(runtime)
    for look in (_keeps, _bell_keeps, _folder):
        yield look(runtime)
    if runtime.settings.mode == "production":
        for look in (_notice, _caps, _spare):
            yield look(runtime)
    if runtime.settings.simulated:
        yield Finding("provider", good=True, words="is the simulator: no real phone rings")
    else:
        yield from runtime.carrier.examine(wiring(runtime))


def wiring(runtime: Runtime) -> Wiring:
    """How the carrier's side should be."""
    settings = runtime.settings
    return Wiring(
        public=settings.numbers,
        missed=settings.missed_call_numbers,
        counselors=settings.counselor_numbers,
        public_url=settings.public_url,
        fallback_url=settings.fallback_url,
        countries=settings.countries,
        now=runtime.clock.now(),
        kept=COPIES_KEPT,
    )


def _wrong(found: dict[str, str], right: dict[str, tuple[str, ...]]) -> str:
    return ", ".join(sorted(name for name, value in found.items() if value not in right[name]))


def _keeps(runtime: Runtime) -> Finding:
    name = "database keeps"
    try:
        with runtime.database.read() as session:
            wrong = _wrong(durability(session), _DATABASE)
    except GatewayError:
        return Finding(name, good=False, words="could not be asked")
    if wrong:
        return Finding(
            name, good=False, words=f"what is committed may be lost: set {wrong} right in the database"
        )
    return Finding(name, good=True, words="what is committed outlives a power cut")


def _bell_keeps(runtime: Runtime) -> Finding:
    name = "redis keeps"
    found = runtime.queue.durability()
    if not found or "" in found.values():
        words = "does not tell; have its append-only file on and maxmemory-policy noeviction"
        return Finding(name, good=None, words=words)
    wrong = _wrong(found, _REDIS)
    if wrong:
        words = f"set {wrong} right there: calls may come late, after a crash, by the clock's next round"
        return Finding(name, good=False, words=words)
    return Finding(name, good=True, words="its append-only file is on, and it throws nothing away")


def _folder(runtime: Runtime) -> Finding:
    folder = runtime.settings.data_dir
    if not folder.is_dir():
        return Finding("data folder", good=False, words="is not there: run hotline release")
    if folder.stat().st_mode & 0o077:
        return Finding("data folder", good=False, words="others on this machine can read it: chmod 700")
    return Finding("data folder", good=True, words="its owner's alone")


def _notice(runtime: Runtime) -> Finding:
    if notice.accepted(runtime.settings):
        return Finding("notice", good=True, words="read and accepted")
    return Finding("notice", good=False, words="read hotline notice: nothing starts before it is accepted")


def _caps(runtime: Runtime) -> Finding:
    if not spending.capped(runtime.settings):
        words = "has no cap: set HOTLINE_SPEND_PER_DAY, or a flood of calls can cost any sum"
        return Finding("spending", good=False, words=words)
    return Finding("spending", good=True, words="has a cap")


def _spare(runtime: Runtime) -> Finding:
    name = "fallback"
    if runtime.settings.fallback_url is None:
        words = "none: run hotline fallback, put it on a static host, set HOTLINE_FALLBACK_URL"
        return Finding(name, good=False, words=words)
    try:
        wrong = fallback.shown(runtime)
    except GatewayError:
        return Finding(name, good=False, words="could not be compared: run hotline prompts render first")
    if wrong:
        words = f"write and upload it again, with the right content types: {', '.join(wrong)}"
        return Finding(name, good=False, words=words)
    return Finding(name, good=True, words="every file is there as it should be")
