"""Reads single settings out of a mapping, and notes a fault, never a value, for each that is wrong."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Collection, Mapping
from datetime import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from gateway.errors import BadNumber
from gateway.phone import Msisdn

_KEY_BYTES: Final = 32
_TOKEN_LENGTH: Final = 16
_FILE_LIMIT: Final = 10_000
_POSTGRES: Final = frozenset({"postgres", "postgresql", "postgresql+psycopg"})
_DECIMAL: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,4})?", re.ASCII)
_HOURS: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
# Words of six letters and more do not turn up by chance in a random token; the shorter ones only begin one.
_PLACEHOLDER: Final = re.compile(
    r"change.?me|example|secret|password|placeholder|default|insert|^(?:your|test|demo|token|dummy|xxx|abcdef|abc123)",
    re.ASCII | re.IGNORECASE,
)


class Environment:
    """Each method reads one setting; after a fault it gives a stand-in, so that all faults are found."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.faults: list[str] = []

    def fault(self, name: str, problem: str) -> None:
        self.faults.append(f"{name}: {problem}")

    def given(self, name: str) -> str | None:
        """Give the text, stripped; None where it is unset or empty."""
        value = self._values.get(name, "").strip()
        if value.isprintable():
            return value or None
        self.fault(name, "holds a line break or another character that cannot be printed")
        return None

    def text(self, name: str, default: str | None, hint: str) -> str:
        """Give the text or its default; without a default (None) it is required."""
        value = self.given(name) or default
        if value is None:
            self._missing(name, hint)
        return value or ""

    def sealed(self, name: str) -> str | None:
        """Give a secret: from `name`, or from the file that `name`_FILE points to."""
        value, file = self.given(name), self.given(f"{name}_FILE")
        if value and file:
            self.fault(name, f"is given twice, here and as {name}_FILE: keep one")
        if file is None:
            return value
        try:
            with Path(file).open(encoding="utf-8") as opened:
                content = opened.read(_FILE_LIMIT).strip()
        except (OSError, ValueError):
            self.fault(f"{name}_FILE", "the file cannot be read as text")
            return None
        if not content or not content.isprintable():
            self.fault(f"{name}_FILE", "the file must hold the secret on one line and nothing else")
            return None
        return content

    def secret(self, name: str, hint: str, *, required: bool) -> str | None:
        """Give a secret text that nobody could guess."""
        value = self.sealed(name)
        if value is None:
            if required:
                self._missing(name, hint)
        elif len(value) < _TOKEN_LENGTH:
            self.fault(name, f"is too short: {_TOKEN_LENGTH} characters at least")
        elif _PLACEHOLDER.search(value) or len(set(value)) < 8:
            self.fault(name, "is a default or a placeholder, not a secret")
        return value

    def key(self, name: str) -> bytes | None:
        """Give a key of 32 bytes or more, written in base64 or hex; None where it is not given."""
        value = self.sealed(name)
        if value is None:
            return None
        key = _decoded(value)
        if key is None:
            self.fault(name, "is neither base64 nor hex")
        elif len(key) < _KEY_BYTES:
            self.fault(name, f"is too short: {_KEY_BYTES} bytes at least, written in base64 or hex")
        elif not _looks_random(key):
            self.fault(name, "is a default or was typed by hand: make a random one")
        return key

    def choice(self, name: str, options: Collection[str], default: str) -> str:
        value = self.given(name) or default
        if value not in options:
            self.fault(name, f"must be one of: {', '.join(options)}")
        return value

    def choices(self, name: str, options: Collection[str], default: str) -> tuple[str, ...]:
        """Give a list separated by commas, in the order given, each of the `options` at most once."""
        values = self._listed(name, default)
        if not set(values) <= set(options) or (default and not values):
            self.fault(name, f"may hold, separated by commas: {', '.join(options)}")
        elif len(set(values)) < len(values):
            self.fault(name, "names one thing twice")
        return values

    def languages(self, name: str, default: str) -> tuple[str, ...]:
        values = self._listed(name, default)
        if not values or any(not re.fullmatch(r"[a-z]{2,3}", value, re.ASCII) for value in values):
            self.fault(name, "must be language codes separated by commas, such as my,en")
        elif len(set(values)) < len(values):
            self.fault(name, "names one language twice")
        return values

    def amount(self, name: str, default: str | None, low: str, high: str, unit: str) -> Decimal | None:
        """Give a plain decimal number within the bounds."""
        value = self.given(name) or default
        if value is None:
            return None
        number = Decimal(value) if _DECIMAL.fullmatch(value) else None
        if number is None or not Decimal(low) <= number <= Decimal(high):
            self.fault(name, f"must be a number of {unit} from {low} to {high}, such as {default or '10'}")
        return number

    def price(self, name: str, default: str) -> Decimal:
        return self.amount(name, default, "0.0001", "1000", "currency units") or Decimal(default)

    def countries(self, name: str, default: str) -> frozenset[str]:
        """Give ISO 3166 codes of countries that have telephone numbers."""
        values = self._listed(name, default)
        if not values or not set(values) <= phonenumbers.SUPPORTED_REGIONS:
            self.fault(name, "must be countries by their two letters, separated by commas, such as MM,TH")
        return frozenset(values)

    def whole(self, name: str, default: int, high: int) -> int:
        """Give a whole number from 1 to `high`."""
        value = self.given(name) or str(default)
        if re.fullmatch(r"[0-9]{1,6}", value, re.ASCII) and 1 <= int(value) <= high:
            return int(value)
        self.fault(name, f"must be a whole number from 1 to {high}")
        return default

    def numbers(self, name: str, *, required: bool) -> tuple[Msisdn, ...]:
        """Give phone numbers in E.164 form, separated by commas."""
        found: list[Msisdn] = []
        values = self._listed(name, "")
        for place, value in enumerate(values, start=1):
            try:
                found.append(Msisdn.parse(value, region="001"))
            except BadNumber:
                self.fault(name, f"entry {place} is not a valid number in E.164 form (+ and digits)")
        if len(set(found)) < len(found):
            self.fault(name, "holds the same number twice")
        if required and not values:
            self._missing(name, "phone numbers in E.164 form, separated by commas")
        return tuple(found)

    def zone(self, name: str, default: str) -> ZoneInfo:
        try:
            return ZoneInfo(self.given(name) or default)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault(name, "must be a time zone by its IANA name, such as Asia/Yangon")
            return ZoneInfo(default)

    def hours(self, name: str, default: str) -> tuple[time, time] | None:
        """Give the beginning and the end of a part of the day; None where it is set and empty."""
        value = self.given(name) or ("" if name in self._values else default)
        if not value:
            return None
        match = _HOURS.fullmatch(value)
        if match is None or match.group(1, 2) == match.group(3, 4):
            self.fault(name, "must be two different times, such as 21:00-07:00, or empty for none")
            return None
        return time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))

    def file(self, name: str) -> Path | None:
        value = self.given(name)
        if value is None:
            return None
        path = Path(value).absolute()
        try:
            with path.open("rb"):
                return path
        except (OSError, ValueError):
            self.fault(name, "the file cannot be read")
            return None

    def folder(self, name: str, default: str) -> Path:
        path = Path(self.given(name) or default).absolute()
        if "?" in str(path):  # ends the path in a database's address
            self.fault(name, "must not have a ? in its path")
        elif not next(there for there in (path, *path.parents) if there.exists()).is_dir():
            self.fault(name, "is not a folder, or lies below something that is none")
        return path

    def web_address(self, name: str, *, secure: bool, required: bool) -> str | None:
        """Give an http(s) address without a slash at its end; `secure`: https, except on this machine."""
        value = self.given(name)
        if value is None:
            if required:
                self._missing(name, "the address under which the carrier reaches this gateway")
            return None
        url = _split(value)
        if url is None or url.scheme not in {"http", "https"} or not url.hostname:
            self.fault(name, "must be an address that begins with https://")
        elif url.query or url.fragment or url.username is not None or "?" in value or "#" in value:
            self.fault(name, "must be a plain address, without user, ? or #")
        elif secure and url.scheme == "http":
            self.fault(name, "must begin with https:// in production")
        return value.rstrip("/")

    def database(self, name: str, default: str | None) -> str:
        """Give a SQLAlchemy address; `postgres://`, as hosting platforms write it, becomes psycopg's."""
        value = self.sealed(name) or default
        if value is None:
            self._missing(name, "postgresql://… or sqlite:////…")
            return ""
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            self.fault(name, "must be an address such as postgresql://… or sqlite:////…")
            return ""
        if url.drivername in _POSTGRES:
            url = url.set(drivername="postgresql+psycopg")
        elif url.drivername != "sqlite":
            self.fault(name, "must begin with postgresql:// or sqlite://")
        if url.database in {None, "", ":memory:"}:
            self.fault(name, "must name a database that lasts")
        return url.render_as_string(hide_password=False)

    def redis(self, name: str, default: str | None) -> str:
        value = self.sealed(name) or default
        if value is None:
            self._missing(name, "redis://… or rediss://… or unix:///…")
            return ""
        url = _split(value)
        if url is None or url.scheme not in {"redis", "rediss", "unix"}:
            self.fault(name, "must begin with redis://, rediss:// or unix:///")
        elif url.scheme == "unix" and not url.path.startswith("/"):
            self.fault(name, "must give the socket's whole path after unix://")
        elif url.scheme == "unix" and len(unquote(url.path).encode()) > 100:
            self.fault(name, "the socket's path is longer than the 100 characters that sockets allow")
        elif url.scheme != "unix" and not url.hostname:
            self.fault(name, "must name a host")
        return value

    def _listed(self, name: str, default: str) -> tuple[str, ...]:
        values = (self.given(name) or default).split(",")
        return tuple(stripped for value in values if (stripped := value.strip()))

    def _missing(self, name: str, hint: str) -> None:
        """Note that nothing was given, unless what was given is a fault already."""
        if not any(fault.startswith((f"{name}:", f"{name}_FILE:")) for fault in self.faults):
            self.fault(name, f"is missing: {hint}")


def is_loopback(address: str) -> bool:
    """Tell whether an address (http, redis, unix, database) stays on this machine."""
    try:
        url = urlsplit(address)
        host = url.hostname or parse_qs(url.query).get("host", [""])[0]  # libpq takes a host there too
        if not host or host == "localhost" or host.startswith("/"):
            return True
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(value: str) -> SplitResult | None:
    try:
        url = urlsplit(value)
        _ = url.port  # a wrong port raises only when it is read
    except ValueError:
        return None
    return None if " " in value or not value.isascii() else url


def _decoded(value: str) -> bytes | None:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){32,}", value, re.ASCII):
        return bytes.fromhex(value)
    try:
        return base64.b64decode(
            value.replace("-", "+").replace("_", "/").rstrip("=") + "=" * (-len(value.rstrip("=")) % 4),
            validate=True,
        )
    except (binascii.Error, ValueError):
        return None


def _typed(key: bytes) -> bool:
    return all(0x20 <= byte < 0x7F for byte in key)


def _looks_random(key: bytes) -> bool:
    """Refuse zeros, repetitions, counting and typed text; none of these happens by chance in 32 bytes."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(set(key)) >= 16 and len(steps) > 4 and not _typed(key)
