"""A person's voice for a wording: brought, listened to by a second person, heard by callers, taken back."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
from console.browser import Browser, Person
from front_door import Hotline, Provider
from sqlalchemy import func, select
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

from gateway.phone import Msisdn
from gateway.services import counselors, publishing
from gateway.store.counselors import Role
from gateway.store.scripts import recordings
from gateway.store.sounds import sounds
from prompts.wav import duration

MAIN = "/wordings/en/voice/main"


@pytest.fixture
def hotline(template: Path, tmp_path: Path, provider: Provider) -> Hotline:
    made = Hotline(template, tmp_path / "hotline", provider, HOTLINE_FACES="all")
    publishing.seed(made.runtime)
    return made


@pytest.fixture
def person(hotline: Hotline) -> Person:
    numbers = iter(range(100, 200))

    def make(alias: str, role: Role = Role.COUNSELOR, *, phone: bool = True, language: str = "en") -> Browser:
        number = Msisdn.parse(f"+95 9 790 000 {next(numbers)}")
        counselors.add(hotline.runtime, alias, role, "lantern-ferry-mango", number=number, language=language)
        return Browser(hotline.app.test_client(), hotline.runtime).sign_in(alias)

    return make


def voice(seconds: float, *, rate: int = 16_000, channels: int = 1) -> bytes:
    at = np.arange(int(seconds * rate)) / rate
    wave = 0.3 * np.sin(2 * np.pi * 300 * at) * (1 + np.sin(2 * np.pi * 3 * at))
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", rate, channels, format="WAV") as file:
        file.title, file.artist = "a secret title", "Daw Somebody"
        file.write(np.stack([wave] * channels, 1))
    return out.getvalue()


def bring(browser: Browser, data: bytes, name: str = "voice.wav", path: str = MAIN) -> str:
    page = browser.get(path).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    form = {"csrf_token": token.group(1), "sound": FileStorage(io.BytesIO(data), name, "sound")}
    body, length, boundary = stream_encode_multipart(form, use_tempfile=False)
    browser.last = browser.client.post(
        f"/console{path}/sound",
        input_stream=body,
        content_length=length,
        content_type=f"multipart/form-data; boundary={boundary}",
        headers={"Accept-Language": "en"},
        follow_redirects=True,
    )
    return browser.last.text


def approve(browser: Browser) -> str:
    page = browser.get(MAIN).text
    there = re.search(r'sound/(\w+)"[^§]*?name="sound" value="([0-9a-f]{64})"', page)
    assert there, page
    return browser.post(f"{MAIN}/sound/{there.group(1)}", sound=there.group(2)).text


def kept(hotline: Hotline) -> tuple[int, int]:
    (one,) = hotline.one(select(func.count()).select_from(recordings))
    (two,) = hotline.one(select(func.count()).select_from(sounds))
    return one, two


def heard(hotline: Hotline) -> tuple[str, bool]:
    hotline.runtime.voices.forget()
    found = hotline.runtime.sound("en", "main")
    assert found
    return found.sound, found.robot


def test_callers_hear_it_once_a_second_person_has_approved_it(hotline: Hotline, person: Person) -> None:
    lead, second = person("lead", Role.COORDINATOR), person("mya")
    robot = heard(hotline)
    assert "Another person must listen" in bring(lead, voice(5, rate=48_000, channels=2))
    assert heard(hotline) == robot
    assert "Approve exactly this sound" not in lead.get(MAIN).text
    assert "Recordings to listen to:" in second.get("/wordings").text
    assert "callers hear this voice" in approve(second)
    sound, is_robot = heard(hotline)
    assert sound != robot[0]
    assert not is_robot
    with hotline.client.get(f"/audio/{sound}.wav") as answer:
        assert duration(answer.data) == pytest.approx(5, abs=0.1)
        assert b"secret" not in answer.data
        assert b"Somebody" not in answer.data
    assert re.search(
        r"<code>main</code></td><td><span class=\"tag recorded\">", lead.get("/wordings?language=en").text
    )
    page = lead.get(MAIN).text
    taken = re.search(r"sound/(\w+)/remove", page)
    assert taken
    assert "A machine&#39;s voice speaks" in lead.post(f"{MAIN}/sound/{taken.group(1)}/remove").text
    assert heard(hotline) == robot


def test_a_recording_stands_for_exactly_its_wording(hotline: Hotline, person: Person) -> None:
    lead, second = person("lead", Role.COORDINATOR), person("mya")
    bring(lead, voice(5))
    approve(second)
    person_voice = heard(hotline)
    lead.get(MAIN)
    lead.post(MAIN, text="Hello. Press 1 to be rung. Press 2 for news. Press 3 to listen.", review="draft")
    hotline.work()
    found = publishing.look(hotline.runtime)
    assert found
    assert "does not stand for it" in lead.get(MAIN).text
    second.get("/wordings/draft")
    second.post("/wordings/draft/publish", pack=found.version.pack)
    assert heard(hotline)[1], "a robot speaks the new wording"
    lead.get("/wordings/versions")
    lead.post("/wordings/versions/1")
    assert heard(hotline) == person_voice


def test_nobody_approves_their_own_nor_another_sound_than_they_heard(
    hotline: Hotline, person: Person
) -> None:
    lead, second = person("lead", Role.COORDINATOR), person("mya")
    robot = heard(hotline)
    bring(lead, voice(5))
    page = second.get(MAIN).text
    there = re.search(r'sound/(\w+)"', page)
    assert there
    assert second.post(f"{MAIN}/sound/{there.group(1)}", sound="0" * 64).status_code == 409
    sound = hotline.one(select(recordings.c.sound)).sound
    lead.get(MAIN)
    answer = lead.post(f"{MAIN}/sound/{there.group(1)}", sound=sound)
    assert answer.status_code == 409
    assert "You brought this recording." in answer.text
    assert second.post(f"{MAIN}/sound/nothing", sound=sound).status_code == 409
    assert heard(hotline) == robot


def test_counselors_bring_none(person: Person) -> None:
    mya = person("mya")
    assert 'type="file"' not in mya.get(MAIN).text
    mya.get("/queue")
    assert mya.post(f"{MAIN}/sound").status_code == 403


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("voice.wav", voice(1))
    return out.getvalue()


def test_what_is_no_voice_gets_a_clear_answer_and_leaves_nothing(hotline: Hotline, person: Person) -> None:
    lead = person("lead", Role.COORDINATOR)
    before = kept(hotline)
    for data, words in (
        (b"A text file that was renamed to voice.wav.", "no sound file"),
        (b"", "no sound file"),
        (zipped(), "no sound file"),
        (voice(0), "nothing to hear"),
        (voice(61), "one minute at most"),
        (b"RIFF\0\0\0\0WAVE" + b"\0" * 10_000_000, "ten megabytes at most"),
        (b"RIFF" + b"\0" * 12_000_000, "too much in one go"),
    ):
        assert words in bring(lead, data), words
        assert lead.last
        assert lead.last.status_code in (409, 413)
    lead.get(MAIN)
    assert "no sound file" in lead.post(f"{MAIN}/sound").text
    assert kept(hotline) == before


def test_only_the_page_of_a_wording_may_use_the_microphone(person: Person) -> None:
    lead = person("lead", Role.COORDINATOR)
    assert "microphone=(self)" in lead.get(MAIN).headers["Permissions-Policy"]
    assert "microphone=()" in lead.get("/queue").headers["Permissions-Policy"]
