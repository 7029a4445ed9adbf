"""A bad configuration stops the start, with one clear line for every fault and no value in any of them."""

import base64
import re
import secrets
import stat
from collections.abc import Iterator, Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import make_url

from gateway.errors import SettingsError
from gateway.phone import Msisdn
from gateway.settings import (
    NAMES,
    SECRETS,
    completed_by,
    demo_environment,
    demo_file,
    load,
    own_demo,
    read_env_file,
    web_key_from,
    with_demo,
    write_demo_env,
)

ROOT, WEB = secrets.token_bytes(32), secrets.token_bytes(32)
GOOD = {
    "HOTLINE_MODE": "production",
    "HOTLINE_PUBLIC_URL": "https://line.example.org",
    "HOTLINE_NUMBERS": "+12025550100,+12025550101",
    "HOTLINE_MISSED_CALL_NUMBERS": "+12025550102",
    "HOTLINE_COUNSELOR_NUMBERS": "+12025550103",
    "DATABASE_URL": "postgresql://u:pa55phrase@db/hotline",
    "REDIS_URL": "rediss://:pa55phrase@redis:6379/0",
    "KEYSTORE_URL": "postgresql://u:pa55phrase@keys/keys",
    "HOTLINE_ROOT_KEY": base64.b64encode(ROOT).decode(),
    "HOTLINE_WEB_KEY": WEB.hex(),
    "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
    "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
}
ABSENT = object()

# One row a setting: what it must not be. Each value is tried alone, in an otherwise right configuration.
BAD: Mapping[str, list[Any]] = {
    "HOTLINE_MODE": [ABSENT, "", "Production", "prod", "dev", "1", "demo,production", "pro duction", "ပြ"],
    "HOTLINE_PUBLIC_URL": [
        *(ABSENT, "", "http://line.example.org", "line.example.org", "https://", "ftp://line.example.org"),
        *("https://u:pw@line.example.org", "https://line.example.org?a=b", "https://line.example.org#f"),
        *("https://line.example.org/path", "https://line.example.org:port", "https://line.example.org:99999"),
        *(
            "https://[::1",
            "https://line example.org",
            "https://စမ်း.example",
            "https://a.example?",
            "//a.example",
        ),
    ],
    "HOTLINE_NUMBERS": [
        *(ABSENT, "", ",", "09420012345", "12025550100", "+1202555010", "+12025550100;+12025550101"),
        *("+12025550100 +12025550101", "+12025550100,hotline", "9.59E+11", "+12025550100,+12025550100"),
        *("+၁၂၀၂၅၅၅", "+1202555010x", "+266696687", "+12025550100,+1 202 555 0100"),
    ],
    "HOTLINE_MISSED_CALL_NUMBERS": ["x", "+1", "+12025550100", "+12025550102,+12025550102", "0942001234"],
    "HOTLINE_COUNSELOR_NUMBERS": [ABSENT, "", "x", "+12025550100", "+12025550102", "+1,+2"],
    "DATABASE_URL": [
        *(ABSENT, "", "mysql://u:s3cretvalue@db/h", "postgresql://u@db", "sqlite://", "sqlite:///:memory:"),
        *("nonsense", "postgresql://u:s3cretvalue@db:port/h", "postgresql+psycopg2://u@db/h", "oracle://x/y"),
    ],
    "REDIS_URL": [
        *(
            ABSENT,
            "",
            "http://redis",
            "redis://",
            "unix://relative.sock",
            "unix:///" + "d" * 101,
            "localhost:6379",
        ),
        *("redis://h:port", "redis://h:99999", "memcached://h"),
    ],
    "KEYSTORE_URL": [
        ABSENT,
        "",
        "file:///keys",
        "sqlite://",
        "postgresql://u@db",
        GOOD["DATABASE_URL"],
        "keys.db",
    ],
    "HOTLINE_ROOT_KEY": [
        *(
            "short",
            "ab" * 31,
            "00" * 32,
            "ff" * 32,
            "ab" * 32,
            "0123456789abcdef" * 4,
            bytes(range(32)).hex(),
        ),
        *(base64.b64encode(secrets.token_bytes(31)).decode(), base64.b64encode(bytes(32)).decode()),
        *(
            base64.b64encode(b"a long passphrase that was typed!").decode(),
            "not base64 at all, is it? no, it is not",
        ),
        *("*" * 44, GOOD["HOTLINE_ROOT_KEY"] + "é", "changeme" * 8),
    ],
    "HOTLINE_WEB_KEY": [
        *("short", "ab" * 31, "00" * 32, "cd" * 32, base64.b64encode(bytes(40)).decode(), "x" * 64, "%" * 43),
        *(ROOT.hex(), GOOD["HOTLINE_ROOT_KEY"], base64.b64encode(secrets.token_bytes(16)).decode()),
    ],
    "HOTLINE_METRICS_TOKEN": [
        "short",
        "changeme-changeme-changeme",
        "a" * 40,
        "abababababababababab",
        "token-1234567890",
    ],
    "TWILIO_ACCOUNT_SID": [
        ABSENT,
        "",
        "AC123",
        "SK" + "a" * 32,
        "AC" + "g" * 32,
        "AC" + "၁" * 32,
        "AC" + "a" * 33,
    ],
    "TWILIO_AUTH_TOKEN": [
        *(ABSENT, "", "12345", "a" * 32, "0" * 32, "your_auth_token_goes_here", "my-example-auth-token-1"),
        *(
            "ChangeMeChangeMe1234",
            "secret-secret-987654321",
            "test_test_test_test_1",
            "password12345678901",
            "xxxxxxx0123456789",
        ),
    ],
    "TWILIO_API_BASE_URL": [
        "http://api.example.org",
        "api.example.org",
        "https://",
        "https://u:p@a.example",
        "ftp://a",
    ],
    "HOTLINE_TIMEZONE": [
        "Rangoon",
        "+06:30",
        "Asia/Nowhere",
        "../../etc/passwd",
        "Asia",
        "/etc/localtime",
        "6.5",
    ],
    "HOTLINE_QUIET_HOURS": [
        "21-07",
        "21:00",
        "25:00-07:00",
        "21:60-07:00",
        "21:00-21:00",
        "9pm-7am",
        "၂၁:၀၀-၀၇:၀၀",
    ],
    "HOTLINE_LANGUAGES": [",", "Burmese", "my en", "my,my", "MY", "my;en", "မြန်မာ", "m"],
    "HOTLINE_SPEECH": [",", "polly", "recorded google", "recorded,recorded", "Recorded", "say"],
    "HOTLINE_CALLS_PER_SECOND": ["0", "-1", "fast", "1e3", "nan", "inf", "1,5", "၁", "1001", "0x10", "1 2"],
    "HOTLINE_CALLS_AT_ONCE": ["0", "-2", "2.5", "many", "100001", "၂", "1_000", "+2", "two"],
    "HOTLINE_SPEND_PER_DAY": ["0", "-5", "5 USD", "$5", "nan", "1e9", "10.00000", "၅", "1,000"],
    "HOTLINE_SPEND_PER_HOUR": ["0", "-5", "$5", "nan", "1e9", "10.00000", "၅"],
    "HOTLINE_CALL_PRICE": ["0", "-0.1", "free", "0.00001", "1001", "၅"],
    "HOTLINE_INBOUND_PRICE": ["0", "-0.1", "free", "0.00001", "1001", "၅"],
    "HOTLINE_TEXT_PRICE": ["0", "-0.1", "free", "0.00001", "1001", "၅"],
    "HOTLINE_COUNTRIES": [",", "Myanmar", "mm", "MM TH", "MM;TH", "ZZ", "95", "မြန်မာ"],
    "HOTLINE_ARRIVALS_PER_MINUTE": ["0", "-2", "2.5", "many", "100001", "၂"],
    "HOTLINE_REQUESTS_PER_HOUR": ["0", "-2", "2.5", "many", "100001", "၂"],
    "HOTLINE_RING_BACKS_PER_HOUR": ["0", "-2", "2.5", "many", "100001", "၂"],
    "HOTLINE_FALLBACK_URL": ["http://a.example", "a.example", "https://", "https://u:p@a.example"],
    "TWILIO_AUTH_TOKEN_PREVIOUS": ["12345", "0" * 32, "your_auth_token_goes_here", "password12345678901"],
    "HOTLINE_WORD_LIST": ["/nonexistent/words.txt", "/", "words\x00.txt"],
    "HOTLINE_FACES": ["web", "webhooks,console", "none", "ALL"],
    "HOTLINE_DATA_DIR": ["/dev/null", "/dev/null/below", "/tmp/what?"],  # noqa: S108 - never opened
    "HOTLINE_LOG_LEVEL": ["verbose", "debug", "10", "TRACE", "INFO,DEBUG"],
    "HOTLINE_FEATURES": ["everything", "live threads", "live,live", "Live", "voicemail"],
    "HOTLINE_ACCEPT_DRAFTS": ["true", "1", "YES", "y"],
    "HOTLINE_ISSUER": ["x" * 41, "a:b", "line\nbreak"],
    "PORT": ["0", "65536", "http", "-1", "80.5", "၈၀"],
    "HOTLINE_NUMBER": ["+12025550100"],
    "HOTLINE_PUBLIC_URL_FILE": ["/etc/hostname"],
    "HOTLINE_DEBUG": ["1"],
    "hotline_mode": ["demo"],
}
CASES = [(name, value) for name, values in BAD.items() for value in values]


def changed(name: str, value: object) -> dict[str, str]:
    environ = dict(GOOD)
    if value is ABSENT:
        environ.pop(name, None)
    else:
        environ[name] = str(value)
    return environ


def faults_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as stopped:
        load(environ)
    return stopped.value.faults


def assert_tells_no_value(faults: tuple[str, ...], environ: Mapping[str, str]) -> None:
    told = " ".join(fault.partition(": ")[2] for fault in faults)
    for value in environ.values():
        for part in {value.strip(), *re.split(r"[,;\s]", value)} - {"production"}:
            assert len(part) < 9 or part not in told  # shorter ones are words of our own sentences


def test_there_are_two_hundred_broken_configurations() -> None:
    assert len(CASES) >= 200


def _identified(cases: list[tuple[str, object]]) -> Iterator[str]:
    return (f"{name}-{number}" for number, (name, _) in enumerate(cases))


@pytest.mark.promise(30)
@pytest.mark.parametrize(("name", "value"), CASES, ids=_identified(CASES))
def test_one_fault_gives_one_line_that_names_the_setting_and_not_its_value(name: str, value: object) -> None:
    environ = changed(name, value)
    faults = faults_of(environ)
    about = {fault.partition(":")[0] for fault in faults}
    assert about == {name}, faults
    entries = str(value).count(",") + 1
    assert len(faults) <= (entries if name.endswith("NUMBERS") else 1)
    assert all(fault.isprintable() for fault in faults)
    assert_tells_no_value(faults, environ)


@pytest.mark.promise(30)
def test_all_faults_are_told_at_once() -> None:
    broken = {name: values[-1] for name, values in BAD.items() if name in NAMES and values[-1] is not ABSENT}
    faults = faults_of(GOOD | broken)
    # These are wrong only beside a right value of another setting, which here is broken too.
    alone = set(broken) - {"KEYSTORE_URL", "HOTLINE_ROOT_KEY", "TWILIO_ACCOUNT_SID"}
    assert {fault.partition(":")[0] for fault in faults} >= alone
    assert_tells_no_value(faults, GOOD | broken)


@pytest.mark.promise(30)
def test_an_empty_environment_is_told_everything_it_lacks() -> None:
    missing = {fault.partition(":")[0] for fault in faults_of({})}
    assert missing == set(GOOD) - {"HOTLINE_MISSED_CALL_NUMBERS", "HOTLINE_ROOT_KEY"}


def test_a_right_configuration_is_read_whole() -> None:
    settings = load(GOOD | {"HOTLINE_FEATURES": "live, threads", "HOTLINE_SPEND_PER_DAY": "12.50"})
    assert settings.numbers == (Msisdn.parse("+12025550100"), Msisdn.parse("+12025550101"))
    assert (settings.root_key, settings.web_key) == (ROOT, WEB)
    assert settings.database_url == "postgresql+psycopg://u:pa55phrase@db/hotline"
    assert settings.timezone == ZoneInfo("Asia/Yangon")
    assert settings.quiet_hours == (time(21), time(7))
    assert settings.languages == ("my", "en")
    assert settings.speech == ("recorded", "google", "offline")
    assert (settings.calls_per_second, settings.calls_at_once) == (1.0, 2)
    assert settings.spend_per_day == Decimal("12.50")
    assert settings.features == {"live", "threads"}
    assert (settings.faces, settings.issuer, settings.accept_drafts, settings.port) == (
        "all",
        "Notes",
        False,
        8000,
    )
    assert settings.twilio_api_base_url is None
    assert not settings.simulated
    assert not settings.on_this_machine


def test_printing_the_settings_shows_no_secret_and_no_number() -> None:
    shown = repr(load(GOOD | {"HOTLINE_METRICS_TOKEN": secrets.token_hex(16)}))
    for hidden in (
        "pa55phrase",
        "202555",
        GOOD["TWILIO_ACCOUNT_SID"],
        GOOD["TWILIO_AUTH_TOKEN"],
        "metrics",
        "_key",
    ):
        assert hidden not in shown


def test_empty_quiet_hours_mean_none_and_unset_ones_the_default() -> None:
    assert load(GOOD | {"HOTLINE_QUIET_HOURS": ""}).quiet_hours is None
    assert load(GOOD).quiet_hours is not None


def test_the_address_of_a_hosting_platforms_database_becomes_psycopgs() -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        settings = load(
            GOOD | {"DATABASE_URL": f"{scheme}://u:p%40ss@db:5433/h?sslmode=require", "PORT": "5000"}
        )
        url = make_url(settings.database_url)
        assert (url.drivername, url.password, url.port) == ("postgresql+psycopg", "p@ss", 5433)
        assert settings.port == 5000


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_every_secret_may_come_from_a_file(name: str, tmp_path: Path) -> None:
    token = secrets.token_hex(16)
    environ = {"HOTLINE_METRICS_TOKEN": token, "TWILIO_AUTH_TOKEN_PREVIOUS": token} | GOOD
    file = tmp_path / "secret"
    file.write_text(environ[name] + "\n")
    from_file = {key: value for key, value in environ.items() if key != name} | {f"{name}_FILE": str(file)}
    assert load(from_file) == load(environ)
    assert {fault.partition(":")[0] for fault in faults_of(from_file | {name: environ[name]})} == {name}


@pytest.mark.parametrize("content", [None, b"", b"\n", b"one\ntwo\n", b"\xff\xfe\x00", b"nul\x00byte"])
def test_a_secrets_file_that_is_no_secret_is_one_fault(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    for name in SECRETS:
        environ = {key: value for key, value in GOOD.items() if key != name} | {f"{name}_FILE": str(file)}
        assert [fault.partition(":")[0] for fault in faults_of(environ)] == [f"{name}_FILE"]


def test_the_web_key_follows_from_the_root_key_alone() -> None:
    only_root = {name: value for name, value in GOOD.items() if name != "HOTLINE_WEB_KEY"}
    assert load(only_root).web_key == web_key_from(ROOT) != ROOT


def test_the_web_needs_no_root_key() -> None:
    only_web = {name: value for name, value in GOOD.items() if name != "HOTLINE_ROOT_KEY"}
    assert load(only_web).root_key is None


def test_a_key_reads_the_same_in_hex_and_in_every_base64() -> None:
    key = bytes.fromhex("fb" * 2) + secrets.token_bytes(32)
    urlsafe, plain = base64.urlsafe_b64encode(key).decode(), base64.b64encode(key).decode()
    for text in (key.hex(), key.hex().upper(), urlsafe, urlsafe.rstrip("="), plain, plain.rstrip("=")):
        assert load(GOOD | {"HOTLINE_WEB_KEY": text}).web_key == key


def test_a_new_demo_environment_is_complete_and_its_secrets_are_its_own(tmp_path: Path) -> None:
    environ = demo_environment(tmp_path, 8080)
    settings = load(environ)
    assert settings.simulated
    assert settings.on_this_machine
    assert settings.public_url == "http://127.0.0.1:8080"
    assert make_url(settings.database_url).database == str(tmp_path / "hotline.db")
    assert {number.region for number in settings.numbers} == {"US"}
    again = demo_environment(tmp_path, 8080)
    same = {name for name in environ if environ[name] == again[name]}
    assert not same & {"HOTLINE_ROOT_KEY", "HOTLINE_WEB_KEY", "TWILIO_AUTH_TOKEN", "TWILIO_ACCOUNT_SID"}


def test_a_demo_under_a_folder_with_an_odd_name_works() -> None:
    folder = Path("/tmp/ဖိုင် #1 %41")  # noqa: S108 - never opened; a socket's path must be short
    settings = load(demo_environment(folder, 8000))
    assert make_url(settings.database_url).database == str(folder / "hotline.db")
    assert settings.on_this_machine


def test_the_demos_file_is_for_its_owner_and_reads_back_the_same(tmp_path: Path) -> None:
    file = tmp_path / "var" / "demo.env"
    environ = demo_environment(file.parent, 8000)
    write_demo_env(file, environ)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_env_file(file) == environ
    assert [found.name for found in file.parent.iterdir()] == ["demo.env"]
    with pytest.raises(ValueError, match="line break"):
        write_demo_env(file, {"A": "b\nC=d"})


def test_a_broken_environment_file_is_told_by_line_and_without_its_text(tmp_path: Path) -> None:
    file = tmp_path / "demo.env"
    file.write_text("# a comment\n\nA=b=c\nsupersecret\n  \nother\n")
    with pytest.raises(SettingsError) as stopped:
        read_env_file(file)
    assert stopped.value.faults == (
        "demo.env: line 4 is not NAME=value",
        "demo.env: line 6 is not NAME=value",
    )
    with pytest.raises(SettingsError):
        read_env_file(tmp_path / "absent.env")


def test_a_command_uses_the_demo_it_finds_and_nothing_real(tmp_path: Path) -> None:
    here = {"HOTLINE_DATA_DIR": str(tmp_path)}
    made = demo_environment(tmp_path, 8000)
    write_demo_env(demo_file(here), made)
    shell = here | {
        "DATABASE_URL": GOOD["DATABASE_URL"],
        "REDIS_URL_FILE": "/run/redis",
        "TWILIO_AUTH_TOKEN": GOOD["TWILIO_AUTH_TOKEN"],
        "HOTLINE_ROOT_KEY_FILE": "/run/key",
        "HOTLINE_LOG_LEVEL": "DEBUG",
        "PATH": "/bin",
    }
    found = with_demo(shell)
    assert found == made | {"HOTLINE_LOG_LEVEL": "DEBUG", "PATH": "/bin"}
    assert load(found).log_level == "DEBUG"
    assert with_demo(shell | {"HOTLINE_MODE": "production"})["DATABASE_URL"] == GOOD["DATABASE_URL"]
    assert with_demo({"HOTLINE_DATA_DIR": str(tmp_path / "elsewhere")}) == {
        "HOTLINE_DATA_DIR": str(tmp_path / "elsewhere")
    }


def test_a_demo_that_uses_the_environment_fills_in_what_is_not_said_and_forgets_it_afterwards(
    tmp_path: Path,
) -> None:
    file = tmp_path / "demo.env"
    own = own_demo(file, 8000)
    shell = {
        "DATABASE_URL": GOOD["DATABASE_URL"],
        "TWILIO_ACCOUNT_SID": GOOD["TWILIO_ACCOUNT_SID"],
        "TWILIO_AUTH_TOKEN": GOOD["TWILIO_AUTH_TOKEN"],
        "HOTLINE_QUIET_HOURS": " ",
        "PATH": "/bin",
    }
    used = completed_by(own, shell)
    settings = load(used)
    assert settings.quiet_hours is None
    assert settings.twilio_api_base_url is None, "another account is another network"
    assert settings.database_url == load(own | {"DATABASE_URL": GOOD["DATABASE_URL"]}).database_url
    assert used["HOTLINE_ROOT_KEY"] == own["HOTLINE_ROOT_KEY"]
    assert "PATH" not in used
    assert "HOTLINE_ROOT_KEY" not in completed_by(own, {"HOTLINE_ROOT_KEY_FILE": "/run/key"})
    write_demo_env(file, used)
    again = own_demo(file, 8001)
    assert again["HOTLINE_ROOT_KEY"] == own["HOTLINE_ROOT_KEY"]
    assert not {GOOD["TWILIO_AUTH_TOKEN"], GOOD["DATABASE_URL"]} & set(again.values())
    assert load(again).simulated
    write_demo_env(file, again | {"HOTLINE_FEATURES": "live"})
    assert own_demo(file, 8001) == again | {"HOTLINE_FEATURES": "live"}


def test_the_token_being_replaced_is_another_one() -> None:
    same = {"TWILIO_AUTH_TOKEN_PREVIOUS": GOOD["TWILIO_AUTH_TOKEN"]}
    assert {fault.partition(":")[0] for fault in faults_of(GOOD | same)} == {"TWILIO_AUTH_TOKEN_PREVIOUS"}


def test_prices_and_caps_have_defaults_that_err_on_the_dear_side() -> None:
    settings = load(GOOD)
    assert (settings.spend_per_day, settings.spend_per_hour) == (None, None)
    assert settings.call_price >= Decimal("0.5")
    assert settings.text_price >= Decimal("0.3")
    assert settings.countries == {"MM"}
    assert load(GOOD | {"HOTLINE_COUNTRIES": "MM, TH"}).countries == {"MM", "TH"}
