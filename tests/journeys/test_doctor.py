"""The doctor's lines, the honest notice before the first start, and the files that speak when all else is down."""

import base64
import io
import os
import secrets
import shutil
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import soundfile
from front_door import Hotline, Provider
from real_redis import RedisServer
from redis import Redis
from sqlalchemy import event

from gateway.carriers.base import Finding
from gateway.errors import SettingsError
from gateway.factory import application
from gateway.runtime import Runtime
from gateway.services import doctor, fallback, notice
from gateway.settings import load
from gateway.store import spending as spending_rows
from gateway.store.database import Database
from prompts import wav

ROOT = Path(__file__).parents[2]


def found(runtime: Runtime) -> dict[str, Finding]:
    return {one.what: one for one in doctor.examine(runtime)}


def command(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """The `hotline` command as somebody types it, in an environment of its own."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HOTLINE_", "TWILIO_", "DATABASE_", "REDIS_", "KEYSTORE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "gateway", *words],
        env=clean | environ, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def production(folder: Path, **more: str) -> dict[str, str]:
    folder.chmod(0o700)
    return {
        "HOTLINE_MODE": "production",
        "HOTLINE_PUBLIC_URL": "https://line.example",
        "HOTLINE_NUMBERS": "+12025550100",
        "HOTLINE_COUNSELOR_NUMBERS": "+12025550102",
        "HOTLINE_ROOT_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "HOTLINE_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/hotline.db",
        "KEYSTORE_URL": f"sqlite:///{folder}/keystore.db",
        "REDIS_URL": f"unix://{folder}/r.sock",
        "TWILIO_ACCOUNT_SID": "AC" + secrets.token_hex(16),
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_API_BASE_URL": "http://127.0.0.1:9",
        "HOTLINE_ACCEPT_DRAFTS": "yes",
        **more,
    }


# --- the notice ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("process", ["release", "worker"])
def test_the_first_start_shows_the_notice_and_wants_it_accepted(tmp_path: Path, process: str) -> None:
    ended = command(process, **production(tmp_path))
    assert ended.returncode == os.EX_CONFIG
    assert "what this gateway cannot protect" in ended.stderr
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("HOTLINE_NOTICE_ACCEPTED: ")
    assert notice.VERSION in last
    assert not (tmp_path / "hotline.db").exists()


def test_the_web_does_not_start_either(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        application(production(tmp_path))
    assert ended.value.code == os.EX_CONFIG
    assert "HOTLINE_NOTICE_ACCEPTED" in capsys.readouterr().err


def test_an_older_notice_counts_no_more(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        notice.refuse_unread(load(production(tmp_path, HOTLINE_NOTICE_ACCEPTED="2025-01")))


def test_accepted_it_is_not_shown_again_and_doctor_knows(tmp_path: Path) -> None:
    environ = production(tmp_path, HOTLINE_NOTICE_ACCEPTED=notice.VERSION)
    looked = command("doctor", **environ)
    assert looked.returncode == 1
    assert "ok    notice: read and accepted" in looked.stdout
    assert "FAULT spending" in looked.stdout
    assert "FAULT fallback" in looked.stdout
    assert "FAULT provider" in looked.stdout
    for secret in (environ["TWILIO_AUTH_TOKEN"], environ["TWILIO_ACCOUNT_SID"], "12025550100"):
        assert secret not in looked.stdout + looked.stderr


def test_the_notice_can_be_read_before_there_is_anything(tmp_path: Path) -> None:
    told = command("notice", HOTLINE_DATA_DIR=str(tmp_path))
    assert told.returncode == 0
    assert told.stdout == notice.TEXT


# --- our own parts ------------------------------------------------------------------------------------


def test_nothing_told_by_the_doctor_holds_a_number_or_a_secret(hotline: Hotline) -> None:
    hotline.text("11")
    told = " ".join(f"{one.what} {one.words}" for one in found(hotline.runtime).values())
    for secret in (
        hotline.settings.twilio_auth_token,
        hotline.settings.database_url,
        "12025550100",
        "9597900",
    ):
        assert secret not in told


def test_a_database_that_may_lose_what_was_committed_is_a_fault(hotline: Hotline) -> None:
    assert found(hotline.runtime)["database keeps"].good
    engine = hotline.runtime.database.engine
    event.listen(
        engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF").close()
    )
    engine.dispose()
    assert "synchronous" in found(hotline.runtime)["database keeps"].words


def test_a_folder_that_others_can_read_is_a_fault(hotline: Hotline) -> None:
    hotline.settings.data_dir.chmod(0o755)
    assert found(hotline.runtime)["data folder"].good is False
    hotline.settings.data_dir.chmod(0o700)
    assert found(hotline.runtime)["data folder"].good


def test_the_simulator_is_not_asked(hotline: Hotline) -> None:
    simulated = replace(hotline.settings, twilio_api_base_url=f"{hotline.settings.public_url}/simulator/api")
    looked = found(replace(hotline.runtime, settings=simulated))
    assert looked["provider"].good
    assert "public number 1 of 1" not in looked


def test_redis_that_may_lose_rings_is_a_fault(
    template: Path, tmp_path: Path, provider: Provider, redis_server: RedisServer
) -> None:
    hotline = Hotline(template, tmp_path / "hotline", provider, REDIS_URL=redis_server.url)
    for value, good in (("yes", True), ("no", False)):
        Redis.from_url(redis_server.url).config_set("appendonly", value)
        assert found(hotline.runtime)["redis keeps"].good is good
    hotline.runtime.database.close()


# --- what speaks when all else is down ----------------------------------------------------------------


@pytest.mark.promise(15)
def test_the_files_are_twiml_and_telephone_sound(hotline: Hotline, tmp_path: Path) -> None:
    names = fallback.write(hotline.runtime, tmp_path / "spare")
    assert names == ["hangup.xml", "reject.xml", "sms.xml", "sorry.en.wav", "sorry.my.wav", "voice.xml"]
    verbs = {
        name: [verb.tag for verb in ET.parse(tmp_path / "spare" / name).getroot()]  # noqa: S314 - our own
        for name in names
        if name.endswith(".xml")
    }
    assert verbs == {
        "voice.xml": ["Play", "Play", "Hangup"],
        "reject.xml": ["Reject"],
        "hangup.xml": ["Hangup"],
        "sms.xml": [],
    }
    for name in ("sorry.my.wav", "sorry.en.wav"):
        with soundfile.SoundFile(io.BytesIO((tmp_path / "spare" / name).read_bytes())) as sound:
            assert (sound.samplerate, sound.channels, sound.subtype, sound.format) == (8000, 1, "ULAW", "WAV")
        assert 1 < wav.duration((tmp_path / "spare" / name).read_bytes()) < 15
    played = [play.text for play in ET.parse(tmp_path / "spare" / "voice.xml").getroot().iter("Play")]  # noqa: S314 - our own
    assert played == ["sorry.my.wav", "sorry.en.wav"], "Burmese first, beside the document"


@pytest.mark.promise(15)
def test_what_they_say_is_true_in_the_middle_of_a_call_too(hotline: Hotline) -> None:
    for language in ("my", "en"):
        words = hotline.runtime.library.spoken(language)[fallback.PROMPT]
        assert "written" not in words
        assert "မှတ်" not in words


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map: ClassVar[dict[str, str]] = {".xml": "text/xml", ".wav": "audio/wav"}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def static_host(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    folder = tmp_path / "spare"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.promise(15)
def test_the_doctor_compares_what_stands_there(
    static_host: tuple[Path, str], template: Path, tmp_path: Path, provider: Provider
) -> None:
    folder, address = static_host
    hotline = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FALLBACK_URL=address)
    assert "voice.xml" in fallback.shown(hotline.runtime), "nothing is there yet"
    fallback.write(hotline.runtime, folder)
    assert f"<Play>{address}/sorry.my.wav</Play>" in (folder / "voice.xml").read_text()
    assert fallback.shown(hotline.runtime) == []
    (folder / "reject.xml").write_text("<Response/>")
    (folder / "sorry.en.wav").unlink()
    assert fallback.shown(hotline.runtime) == ["sorry.en.wav", "reject.xml"]
    hotline.runtime.database.close()


@pytest.mark.promise(15)
def test_whoever_we_ring_hears_no_english_error_when_all_is_down(
    template: Path, tmp_path: Path, provider: Provider
) -> None:
    hotline = Hotline(
        template, tmp_path / "hotline", provider, HOTLINE_FALLBACK_URL="https://static.example/s",
        HOTLINE_QUIET_HOURS="",
    )  # fmt: skip
    line = hotline.settings.missed_call_numbers[0].reveal("demo")
    sid = "CA" + secrets.token_hex(16)
    hotline.voice("/twilio/voice", {"From": "+959790001001", "To": line, "CallSid": sid})
    hotline.work()
    (call,) = provider.calls
    assert call.form["FallbackUrl"] == "https://static.example/s/hangup.xml"
    assert call.form["FallbackMethod"] == "GET"
    hotline.runtime.database.close()


# --- counts for a monitor -----------------------------------------------------------------------------


def metrics_of(hotline: Hotline) -> dict[str, float]:
    token = {"Authorization": f"Bearer {hotline.settings.metrics_token}"}
    text = hotline.client.get("/metrics", headers=token).get_data(as_text=True)
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}


@pytest.fixture
def watched(template: Path, tmp_path: Path, provider: Provider) -> Iterator[Hotline]:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FACES="all", HOTLINE_SPEND_PER_DAY="10")
    yield made
    made.runtime.database.close()


def test_what_counts_people_is_left_out_while_it_is_small(watched: Hotline) -> None:
    waiting = 'hotline_callbacks{state="waiting"}'
    for number in range(4):
        watched.text("11", f"+95979000200{number}")
    assert waiting not in metrics_of(watched)
    watched.text("11", "+959790002009")
    assert metrics_of(watched)[waiting] == 5


def test_what_needs_a_person_is_a_yes_or_a_no(watched: Hotline) -> None:
    assert metrics_of(watched)["hotline_nobody_on_shift"] == 1
    watched.counselor()
    assert metrics_of(watched)["hotline_nobody_on_shift"] == 0
    with watched.runtime.database.write() as session:
        spending_rows.add(session, moment=watched.clock.now(), kind="text", campaign="", spent=81_000)
    assert metrics_of(watched)["hotline_spent_percent"] == 80


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic eDp5"])
def test_without_the_token_there_is_no_such_page(watched: Hotline, given: str) -> None:
    assert watched.client.get("/metrics", headers={"Authorization": given}).status_code == 404


def test_no_label_comes_from_anybody_outside(watched: Hotline) -> None:
    for words in ("11", "99", "ဘာလဲ", "hello"):
        watched.text(words)
    for name in metrics_of(watched):
        assert name.isascii()
        assert "959790" not in name
        assert (
            name.replace("{", "")
            .replace("}", "")
            .replace('"', "")
            .replace("=", "")
            .replace("_", "")
            .isalpha()
        )


def test_the_access_log_names_the_route_and_never_the_address(
    hotline: Hotline, capsys: pytest.CaptureFixture[str]
) -> None:
    hotline.client.get("/audio/" + "0" * 64 + ".wav?who=%2B959790001001")
    hotline.client.post("/twilio/voice/turn/7?s=abc", data={"From": "+959790001001"})
    told = capsys.readouterr().err
    assert "/audio/<name>.wav" in told
    assert "/twilio/voice/turn/<int:step>" in told
    for secret in ("959790001001", "who=", "s=abc", "0" * 64):
        assert secret not in told


def test_what_was_spent_is_shown_by_kind(tmp_path: Path, template: Path) -> None:
    environ = production(tmp_path, HOTLINE_SPEND_PER_DAY="20")
    shutil.copy(template / "hotline.db", tmp_path / "hotline.db")
    database = Database(f"sqlite:///{tmp_path}/hotline.db", busy=1)
    with database.write() as session:
        spending_rows.add(session, moment=datetime.now(UTC), kind="text", campaign="", spent=50_000)
    database.close()
    told = command("spending", **environ)
    assert " ".join(told.stdout.split()) == "text 5.00 in all 5.00 25 of a hundred of the cap"
