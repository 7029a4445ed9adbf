"""The only reader of the environment: one frozen `Settings`, or every fault at once."""

import base64
import difflib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import quote
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy.engine import URL

from gateway.environment import Environment, is_loopback
from gateway.errors import SettingsError
from gateway.phone import Msisdn

Mode = Literal["demo", "production"]
Faces = Literal["webhooks", "console", "all"]

SECRETS: Final = frozenset(
    {
        "DATABASE_URL",
        "REDIS_URL",
        "KEYSTORE_URL",
        "HOTLINE_ROOT_KEY",
        "HOTLINE_WEB_KEY",
        "HOTLINE_METRICS_TOKEN",
        "TWILIO_AUTH_TOKEN",
        "TWILIO_AUTH_TOKEN_PREVIOUS",
    }
)
"""What may also come from a file, as NAME_FILE."""

NAMES: Final = SECRETS | {
    "HOTLINE_ACCEPT_DRAFTS",
    "HOTLINE_ARRIVALS_PER_MINUTE",
    "HOTLINE_CALLS_AT_ONCE",
    "HOTLINE_CALL_PRICE",
    "HOTLINE_CALLS_PER_LINE",
    "HOTLINE_CALLS_PER_SECOND",
    "HOTLINE_CONSOLE_URL",
    "HOTLINE_COUNSELOR_NUMBERS",
    "HOTLINE_COUNTRIES",
    "HOTLINE_DATA_DIR",
    "HOTLINE_DEAD_MAN_HOURS",
    "HOTLINE_FACES",
    "HOTLINE_FALLBACK_URL",
    "HOTLINE_FEATURES",
    "HOTLINE_INBOUND_PRICE",
    "HOTLINE_ISSUER",
    "HOTLINE_LANGUAGES",
    "HOTLINE_LOG_LEVEL",
    "HOTLINE_LONGEST_SHIFT",
    "HOTLINE_MISSED_CALL_NUMBERS",
    "HOTLINE_MODE",
    "HOTLINE_NOTICE_ACCEPTED",
    "HOTLINE_NUMBERS",
    "HOTLINE_PROXIES",
    "HOTLINE_PUBLIC_URL",
    "HOTLINE_QUIET_HOURS",
    "HOTLINE_REQUESTS_PER_HOUR",
    "HOTLINE_RING_BACKS_PER_HOUR",
    "HOTLINE_SPEECH",
    "HOTLINE_SPEND_PER_DAY",
    "HOTLINE_SPEND_PER_HOUR",
    "HOTLINE_TEXT_PRICE",
    "HOTLINE_TIMEZONE",
    "HOTLINE_WORD_LIST",
    "PORT",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_API_BASE_URL",
}
"""Every name that is read; `docs/settings.md` has a row for each."""

FEATURES: Final = ("live", "programme_calls", "programme_texts", "threads", "transfer")
_SIMULATOR: Final = "/simulator/api"
_DEMO_FILE: Final = "demo.env"
_KEYS: Final = frozenset({"HOTLINE_ROOT_KEY", "HOTLINE_WEB_KEY", "HOTLINE_METRICS_TOKEN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the operator decided. Printing it shows no secret, no number and no provider's account."""

    mode: Mode
    public_url: str
    """Without a slash at its end."""
    port: int
    numbers: tuple[Msisdn, ...]
    missed_call_numbers: tuple[Msisdn, ...]
    counselor_numbers: tuple[Msisdn, ...]
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    keystore_url: str = field(repr=False)
    root_key: bytes | None = field(repr=False)
    """Only workers and administration hold it; None means that stored numbers stay shut here."""
    web_key: bytes = field(repr=False)
    twilio_account_sid: str = field(repr=False)
    twilio_auth_token: str = field(repr=False)
    twilio_previous_token: str | None = field(repr=False)
    """Still believed while the token is being replaced; nothing is asked with it."""
    twilio_api_base_url: str | None
    """None is Twilio itself."""
    timezone: ZoneInfo
    quiet_hours: tuple[time, time] | None
    longest_shift: timedelta
    languages: tuple[str, ...]
    speech: tuple[str, ...]
    calls_per_second: float
    calls_at_once: int
    calls_per_line: int
    """How many calls of campaigns one of our numbers may carry at once."""
    spend_per_day: Decimal | None
    spend_per_hour: Decimal | None
    call_price: Decimal
    """Of a begun minute of a call that we place, in the provider's currency."""
    inbound_price: Decimal
    """Of a begun minute of a call that is dialled in."""
    text_price: Decimal
    """Of one segment that we send."""
    arrivals: int
    """How many new calls, and how many texts, one web process takes in a minute."""
    requests: int
    """How many people may ask anew in an hour."""
    ring_backs: int
    """How many numbers that nobody knows may be rung in an hour because they rang or opted in."""
    countries: frozenset[str]
    """Where people who ask may be rung and texted: ISO 3166 codes."""
    word_list: Path | None
    faces: Faces
    data_dir: Path
    dead_man: timedelta | None
    """Locks itself after so long without a coordinator's sign of life; None never."""
    log_level: str
    features: frozenset[str]
    accept_drafts: bool
    notice_accepted: str
    """The version of the honest notice that whoever runs this has read."""
    fallback_url: str | None
    """Where `hotline fallback` was put for the carrier. Without a slash at its end."""
    issuer: str
    console_url: str
    """Where browsers find the console: passkeys are bound to it. Without a slash at its end."""
    proxies: int
    """How many proxies of our own stand before the web and append to X-Forwarded-For."""
    metrics_token: str | None = field(repr=False)

    @property
    def simulated(self) -> bool:
        """Whether the simulator is the phone network, and so is mounted."""
        return self.mode == "demo" and self.twilio_api_base_url == self.public_url + _SIMULATOR

    def listed_words(self) -> frozenset[str]:
        """The private word list as it is now, a word or phrase a line; empty where none is named."""
        if self.word_list is None:
            return frozenset()
        lines = self.word_list.read_text(encoding="utf-8").splitlines()
        return frozenset(line.strip() for line in lines) - {""}

    @property
    def on_this_machine(self) -> bool:
        """Whether database, keystore and Redis all stay on this machine."""
        return all(map(is_loopback, (self.database_url, self.keystore_url, self.redis_url)))


def load(environ: Mapping[str, str]) -> Settings:
    """Read all settings; raises SettingsError with a line for every fault, none of which holds a value."""
    env = Environment(environ)
    _refuse_unknown_names(env, environ)
    mode = _mode(env)
    production = mode == "production"
    data_dir = env.folder("HOTLINE_DATA_DIR", "var")
    numbers, missed_call_numbers, counselor_numbers = _numbers(env, required=True)
    public_url = env.web_address("HOTLINE_PUBLIC_URL", secure=production, required=True) or ""
    if public_url.count("/") > 2:
        env.fault("HOTLINE_PUBLIC_URL", "must end after the host and port, without a path")
    database_url, keystore_url, redis_url = _places(env, data_dir, production=production)
    root_key, web_key = _keys(env)
    account, token, api = _twilio(env, production=production)
    settings = Settings(
        mode=mode,
        public_url=public_url,
        port=env.whole("PORT", 8000, 65535),
        numbers=numbers,
        missed_call_numbers=missed_call_numbers,
        counselor_numbers=counselor_numbers,
        database_url=database_url,
        redis_url=redis_url,
        keystore_url=keystore_url,
        root_key=root_key,
        web_key=web_key,
        twilio_account_sid=account,
        twilio_auth_token=token,
        twilio_previous_token=_previous(env, token),
        twilio_api_base_url=api,
        timezone=env.zone("HOTLINE_TIMEZONE", "Asia/Yangon"),
        quiet_hours=env.hours("HOTLINE_QUIET_HOURS", "21:00-07:00"),
        longest_shift=timedelta(hours=env.whole("HOTLINE_LONGEST_SHIFT", 6, 24)),
        languages=env.languages("HOTLINE_LANGUAGES", "my,en"),
        speech=env.choices("HOTLINE_SPEECH", ("recorded", "google", "offline"), "recorded,google,offline"),
        calls_per_second=float(env.amount("HOTLINE_CALLS_PER_SECOND", "1", "0.01", "1000", "calls") or 1),
        calls_at_once=env.whole("HOTLINE_CALLS_AT_ONCE", 2, 100_000),
        calls_per_line=env.whole("HOTLINE_CALLS_PER_LINE", 100_000, 100_000),
        spend_per_day=env.amount("HOTLINE_SPEND_PER_DAY", None, "0.01", "1000000", "currency units"),
        spend_per_hour=env.amount("HOTLINE_SPEND_PER_HOUR", None, "0.01", "1000000", "currency units"),
        call_price=env.price("HOTLINE_CALL_PRICE", "0.5"),
        inbound_price=env.price("HOTLINE_INBOUND_PRICE", "0.02"),
        text_price=env.price("HOTLINE_TEXT_PRICE", "0.3"),
        arrivals=env.whole("HOTLINE_ARRIVALS_PER_MINUTE", 600, 100_000),
        requests=env.whole("HOTLINE_REQUESTS_PER_HOUR", 1000, 100_000),
        ring_backs=env.whole("HOTLINE_RING_BACKS_PER_HOUR", 120, 100_000),
        countries=env.countries("HOTLINE_COUNTRIES", "MM"),
        word_list=env.file("HOTLINE_WORD_LIST"),
        faces=cast("Faces", env.choice("HOTLINE_FACES", ("webhooks", "console", "all"), "all")),
        data_dir=data_dir,
        dead_man=_dead_man(env),
        log_level=env.choice("HOTLINE_LOG_LEVEL", ("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
        features=frozenset(env.choices("HOTLINE_FEATURES", FEATURES, "")),
        accept_drafts=env.choice("HOTLINE_ACCEPT_DRAFTS", ("yes", "no"), "no") == "yes",
        notice_accepted=env.text("HOTLINE_NOTICE_ACCEPTED", "", ""),
        fallback_url=env.web_address("HOTLINE_FALLBACK_URL", secure=production, required=False),
        issuer=_issuer(env),
        console_url=env.web_address("HOTLINE_CONSOLE_URL", secure=production, required=False) or public_url,
        proxies=int(env.choice("HOTLINE_PROXIES", ("0", "1", "2", "3"), "0")),
        metrics_token=env.secret("HOTLINE_METRICS_TOKEN", "", required=False),
    )
    if env.faults:
        raise SettingsError(tuple(env.faults))
    return settings


def web_key_from(root_key: bytes) -> bytes:
    """Derive the key of web processes, for installations that keep a root key only."""
    return HKDF(SHA256(), 32, salt=None, info=b"hotline/web-key/1").derive(root_key)


def typed_root_key(text: str) -> bytes:
    """Read a root key as somebody typed it; raises SettingsError, which shows nothing of it."""
    env = Environment({"HOTLINE_ROOT_KEY": text})
    key = env.key("HOTLINE_ROOT_KEY")
    if env.faults or key is None:
        raise SettingsError(tuple(env.faults) or ("HOTLINE_ROOT_KEY: nothing was typed",))
    return key


def demo_environment(data_dir: Path, port: int) -> dict[str, str]:
    """Make a complete environment for a new demo, with fresh secrets and numbers reserved for fiction."""
    public_url = f"http://127.0.0.1:{port}"
    return {
        "HOTLINE_MODE": "demo",
        "HOTLINE_PUBLIC_URL": public_url,
        "PORT": str(port),
        "HOTLINE_DATA_DIR": str(data_dir.absolute()),
        "HOTLINE_NUMBERS": "+12025550100",
        "HOTLINE_MISSED_CALL_NUMBERS": "+12025550101",
        "HOTLINE_COUNSELOR_NUMBERS": "+12025550102",
        "HOTLINE_ROOT_KEY": _random_key(),
        "HOTLINE_WEB_KEY": _random_key(),
        "HOTLINE_METRICS_TOKEN": secrets.token_hex(16),
        "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_API_BASE_URL": public_url + _SIMULATOR,
        "HOTLINE_FEATURES": "programme_calls,programme_texts",
        "HOTLINE_ACCEPT_DRAFTS": "yes",
    }


def demo_file(environ: Mapping[str, str]) -> Path:
    """Tell where the demo of this environment keeps its own."""
    return Path(environ.get("HOTLINE_DATA_DIR", "").strip() or "var").absolute() / _DEMO_FILE


def with_demo(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the environment that a command uses: the demo's, if one was made here and no mode is set.

    The demo's file then rules over what it names, other settings of the gateway stay, and the addresses
    and accounts of anything real (`DATABASE_URL`, `REDIS_URL`, `TWILIO_…`) are left out.
    """
    file = demo_file(environ)
    if environ.get("HOTLINE_MODE", "").strip() or not file.exists():
        return dict(environ)
    return ruled_by(read_env_file(file), environ)


def ruled_by(demo: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Give `environ` with all that `demo` names, and with nothing real that it does not name."""
    hidden = {f"{name}_FILE" for name in demo}
    kept = {
        name: value
        for name, value in environ.items()
        if name not in hidden and name.removesuffix("_FILE") not in _real_names()
    }
    return kept | dict(demo)


def completed_by(demo: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Give what `environ` says of the gateway, and what `demo` says of the rest of it.

    Whoever names another phone company's account means that company, not the demo's own network.
    """
    known = NAMES | {f"{name}_FILE" for name in SECRETS}
    said = {
        name: value
        for name, value in environ.items()
        if name in known and (value.strip() or name == "HOTLINE_QUIET_HOURS")  # empty: there are none
    }
    given = {name.removesuffix("_FILE") for name in said}
    if any(name.startswith("TWILIO_") for name in given):
        given.add("TWILIO_API_BASE_URL")
    return {name: value for name, value in demo.items() if name not in given} | said


def own_demo(file: Path, port: int) -> dict[str, str]:
    """Give the demo's own environment: what its file kept, or a new one; nothing real that was used with it."""
    fresh = demo_environment(file.parent, port)
    kept = read_env_file(file) if file.exists() else {}
    if {"DATABASE_URL", "KEYSTORE_URL"} & kept.keys() or not kept.get("TWILIO_API_BASE_URL", "").endswith(
        _SIMULATOR
    ):
        kept = {name: value for name, value in kept.items() if name.removesuffix("_FILE") in _KEYS}
    for name in ("HOTLINE_PUBLIC_URL", "PORT", "TWILIO_API_BASE_URL", "HOTLINE_DATA_DIR"):
        kept[name] = fresh[name]  # the port may be another one today
    return completed_by(fresh, kept)


def write_demo_env(path: Path, environment: Mapping[str, str]) -> None:
    """Write NAME=value lines, readable by the owner only, whole or not at all."""
    if any("\n" in value or "\r" in value for value in environment.values()):
        raise ValueError("a value with a line break cannot be kept in an environment file")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".env-")  # mkstemp makes it 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.writelines(f"{key}={value}\n" for key, value in environment.items())
            out.flush()
            os.fsync(out.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def read_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines; empty lines and those that begin with # are passed over."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        raise SettingsError((f"{path.name}: the file cannot be read as text",)) from None
    pairs = [
        (number, *line.partition("="))
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    faults = [f"{path.name}: line {number} is not NAME=value" for number, _, equals, _ in pairs if not equals]
    if faults:
        raise SettingsError(tuple(faults))
    return {name.strip(): value.strip() for _, name, _, value in pairs}


def _refuse_unknown_names(env: Environment, environ: Mapping[str, str]) -> None:
    known = NAMES | {f"{name}_FILE" for name in SECRETS}
    for name in sorted(environ):
        if name.upper().startswith("HOTLINE_") and name not in known:
            shown = re.sub(r"[^A-Za-z_]", "?", name)[:60]  # a value pasted into a name is not shown either
            close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
            env.fault(shown, f"is no setting; did you mean {close[0]}?" if close else "is no setting")


def _mode(env: Environment) -> Mode:
    match env.given("HOTLINE_MODE"):
        case "demo":
            return "demo"
        case "production":
            return "production"
        case None:
            env.fault("HOTLINE_MODE", "is missing: demo or production")
        case _:
            env.fault("HOTLINE_MODE", "must be one of: demo, production")
    return "production"


def _numbers(env: Environment, *, required: bool) -> tuple[tuple[Msisdn, ...], ...]:
    public = env.numbers("HOTLINE_NUMBERS", required=required)
    missed = env.numbers("HOTLINE_MISSED_CALL_NUMBERS", required=False)
    counselors = env.numbers("HOTLINE_COUNSELOR_NUMBERS", required=required)
    if set(public) & set(missed):
        env.fault(
            "HOTLINE_MISSED_CALL_NUMBERS", "holds a number of HOTLINE_NUMBERS: a number does one or the other"
        )
    if set(counselors) & {*public, *missed}:
        env.fault("HOTLINE_COUNSELOR_NUMBERS", "holds a public number: counselors are never rung from one")
    return public, missed, counselors


def _places(env: Environment, data_dir: Path, *, production: bool) -> tuple[str, str, str]:
    """Read the addresses of database, keystore and Redis."""

    def sqlite(name: str) -> str | None:
        return None if production else _sqlite_url(data_dir / name)

    database_url = env.database("DATABASE_URL", sqlite("hotline.db"))
    keystore_url = env.database("KEYSTORE_URL", sqlite("keystore.db"))
    if database_url and database_url == keystore_url:
        env.fault("KEYSTORE_URL", "is DATABASE_URL: keys kept beside what they open protect nothing")
    redis_url = env.redis(
        "REDIS_URL", None if production else "unix://" + quote(str(data_dir / "redis.sock"))
    )
    return database_url, keystore_url, redis_url


def _sqlite_url(path: Path) -> str:
    return URL.create("sqlite", database=str(path)).render_as_string()


def _keys(env: Environment) -> tuple[bytes | None, bytes]:
    root_key, web_key = env.key("HOTLINE_ROOT_KEY"), env.key("HOTLINE_WEB_KEY")
    if root_key and root_key == web_key:
        env.fault("HOTLINE_WEB_KEY", "is the root key: web processes must not hold it")
    if web_key is None and root_key is not None:
        web_key = web_key_from(root_key)
    if web_key is None and not any(fault.startswith(("HOTLINE_ROOT", "HOTLINE_WEB")) for fault in env.faults):
        env.fault(
            "HOTLINE_WEB_KEY", "is missing, and so is HOTLINE_ROOT_KEY: 32 random bytes in base64 or hex"
        )
    return root_key, web_key or b""


def _twilio(env: Environment, *, production: bool) -> tuple[str, str, str | None]:
    api = env.web_address("TWILIO_API_BASE_URL", secure=False, required=False)
    if api and production and api.startswith("http:") and not is_loopback(api):
        env.fault("TWILIO_API_BASE_URL", "must begin with https:// unless it is on this machine")
    account = env.text("TWILIO_ACCOUNT_SID", None, "AC and 32 hex digits, from the provider's console")
    shape = r"[A-Za-z0-9-]{8,64}" if api else r"AC[0-9a-fA-F]{32}"
    if account and not re.fullmatch(shape, account, re.ASCII):
        env.fault("TWILIO_ACCOUNT_SID", "must be AC and 32 hex digits, or another provider's project id")
    token = env.secret("TWILIO_AUTH_TOKEN", "it signs the provider's requests", required=True)
    return account, token or "", api


def _dead_man(env: Environment) -> timedelta | None:
    if not (env.given("HOTLINE_DEAD_MAN_HOURS") or "").strip():
        return None
    return timedelta(hours=env.whole("HOTLINE_DEAD_MAN_HOURS", 72, 2000))


def _previous(env: Environment, token: str) -> str | None:
    previous = env.secret("TWILIO_AUTH_TOKEN_PREVIOUS", "", required=False)
    if previous and previous == token:
        env.fault("TWILIO_AUTH_TOKEN_PREVIOUS", "is TWILIO_AUTH_TOKEN: leave it out when the change is done")
    return previous


def _issuer(env: Environment) -> str:
    issuer = env.text("HOTLINE_ISSUER", "Notes", "")
    if len(issuer) > 40 or ":" in issuer:
        env.fault("HOTLINE_ISSUER", "must be a short neutral name, at most 40 characters, without a colon")
    return issuer


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def _real_names() -> frozenset[str]:
    return frozenset(name for name in NAMES if not name.startswith("HOTLINE_"))
